"""Secrets that a test would know again, and the search for them in all that a process ever said."""

RPC_PASSWORD = "rpc-password-3f1c9a"
RPC_KEY = "rpc-key-77ab01"
DATABASE_PASSWORD = "database-password-5d20ee"


def with_credentials(url: str, path: str = "") -> str:
    """Return the URL as a hosted RPC's: with a user, a password and a path that is a key."""
    return url.replace("://", f"://operator:{RPC_PASSWORD}@", 1) + path


def assert_tells_none(said: str, *secrets: str | bytes) -> None:
    """Fail if a text holds one of the secrets; of a key its hex digits, in either case, and its number."""
    lowered = said.lower()
    for secret in (RPC_PASSWORD, RPC_KEY, DATABASE_PASSWORD, *secrets):
        forms = (
            [secret.lower()]
            if isinstance(secret, str)
            else [secret.hex(), str(int.from_bytes(secret)), repr(secret).lower()]
        )
        for form in forms:
            at = lowered.find(form)
            assert at < 0, f"a secret was told: …{said[max(at - 200, 0) : at]}<here>"
