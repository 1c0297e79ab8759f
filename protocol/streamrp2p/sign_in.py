"""Sign-in with Ethereum (EIP-4361): the text that an account signs to show a service who it is.

Only the form of the EIP's grammar is read; what cannot be read, or says something else than was asked for, is refused.
"""

import re
from calendar import monthrange, timegm
from collections.abc import Collection
from dataclasses import dataclass

from streamrp2p.errors import MalformedError, StreamrP2PError
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Hash

MAX_SECONDS = 600
"""A message is good for so long after it was written: enough for a hardware wallet."""
SKEW_SECONDS = 60
"""How far the clock of who wrote it may be ahead."""

_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*"
_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMITERS = r"!$&'()*+,;="
_URI = rf"{_SCHEME}:[{_UNRESERVED}{_SUB_DELIMITERS}:/?#\[\]@%]+"
_TIME = (
    r"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"[Tt](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+\-]\d\d:\d\d)"
)
_MESSAGE = re.compile(
    rf"(?:(?P<scheme>{_SCHEME})://)?(?P<domain>[{_UNRESERVED}{_SUB_DELIMITERS}:\[\]@%]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"0x(?P<address>[0-9a-fA-F]{40})\n"
    r"\n"
    rf"(?:[{_UNRESERVED}{_SUB_DELIMITERS}:/?#\[\]@ ]+\n)?"
    r"\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: 1\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,20})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,64})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expires_at>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    rf"(?:\nRequest ID: [{_UNRESERVED}{_SUB_DELIMITERS}:@%]*)?"
    rf"(?:\nResources:(?:\n- {_URI})*)?",
    re.ASCII,
)


class SignInError(StreamrP2PError):
    """A message of EIP-4361 that must not be signed in with here and now."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a message says. Times are Unix seconds, fractions left off."""

    scheme: str | None
    domain: str
    address: Address
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expires_at: int | None
    not_before: int | None

    @classmethod
    def parse(cls, text: str) -> "SignIn":
        """Read a message; raises MalformedError unless it is one, with the address in EIP-55's spelling."""
        found = _MESSAGE.fullmatch(text)
        if found is None:
            raise MalformedError("this is no message of EIP-4361, version 1")
        address = Address(bytes.fromhex(found["address"]))
        if checksummed(address) != "0x" + found["address"]:
            raise MalformedError("the message's address is not spelt as EIP-55 says")
        return cls(
            scheme=found["scheme"],
            domain=found["domain"],
            address=address,
            uri=found["uri"],
            chain_id=int(found["chain_id"]),
            nonce=found["nonce"],
            issued_at=_seconds(found["issued_at"]),
            expires_at=_maybe_seconds(found["expires_at"]),
            not_before=_maybe_seconds(found["not_before"]),
        )

    def check(self, origins: Collection[str], chain_id: int, now: int) -> None:
        """Raise SignInError unless it was written for this chain, now, on a page of one of the origins.

        An origin is `scheme://host` or `scheme://host:port`.
        """
        if not any(self._is_of(origin) for origin in origins):
            raise SignInError(
                f"a page of {self.domain} asked for this sign-in, which is for {', '.join(sorted(origins))}"
            )
        if self.chain_id != chain_id:
            raise SignInError(
                f"the message names chain {self.chain_id}; sign in on chain {chain_id}"
            )
        starts_at = max(self.issued_at, self.not_before or 0)
        if now < starts_at - SKEW_SECONDS:
            raise SignInError("the message is from the future; set the clock right and sign anew")
        ends_at = self.issued_at + MAX_SECONDS
        if now >= min(ends_at, ends_at if self.expires_at is None else self.expires_at):
            raise SignInError("the message is too old; ask for a new nonce and sign anew")

    def _is_of(self, origin: str) -> bool:
        scheme, domain = origin.split("://")
        return (
            self.domain == domain
            and self.scheme in (None, scheme)
            and re.fullmatch(re.escape(origin) + r"(?:[/?#].*)?", self.uri) is not None
        )


def signed_digest(text: str) -> Hash:
    """Return what a wallet signs of a text (EIP-191, version 0x45)."""
    data = text.encode()
    return keccak(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)


def checksummed(address: Address) -> str:
    """Return an address in the spelling of EIP-55."""
    digits = address.hex()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble > "7" else digit
        for digit, nibble in zip(digits, nibbles, strict=False)
    )


def _maybe_seconds(text: str | None) -> int | None:
    return None if text is None else _seconds(text)


def _seconds(text: str) -> int:
    """Return the Unix seconds of a time of RFC 3339; raises MalformedError if there is no such day."""
    year, month, day, hour, minute, second = (int(part) for part in re.split(r"[-Tt:]", text[:19]))
    if day > monthrange(year, month)[1]:
        raise MalformedError(f"there is no day {text[:10]}")
    at = timegm((year, month, day, hour, minute, second))
    offset = re.search(r"([+\-])(\d\d):(\d\d)$", text[19:])
    if offset is None:
        return at
    sign, hours, minutes = offset.groups()
    return at - int(sign + "1") * (3600 * int(hours) + 60 * int(minutes))
