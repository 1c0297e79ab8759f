"""Who is signed in, and the nonces for it."""

from sqlalchemy import delete, select

from streamrp2p.numbers import Address, Hash
from streamrp2p_coordinator.repositories.base import Repository
from streamrp2p_coordinator.tables import SignInNonceRow, SignInRow, table_of

_nonces = table_of(SignInNonceRow)
_sign_ins = table_of(SignInRow)


class SignIns(Repository):
    """Both are forgotten when their time is over."""

    def add_nonce(self, nonce: str, expires_at: int) -> None:
        """Keep a nonce until it is used."""
        self._insert(_nonces, [{"nonce": nonce, "expires_at": expires_at}])

    def use_nonce(self, nonce: str, now: int) -> bool:
        """Take a nonce away; False if it was used, has expired or was never handed out."""
        statement = delete(_nonces).where(_nonces.c.nonce == nonce, _nonces.c.expires_at > now)
        return self._connection.execute(statement).rowcount == 1

    def begin(self, token_hash: Hash, account: Address, expires_at: int) -> None:
        """Keep a sign-in."""
        row = {"token_hash": token_hash, "account": account, "expires_at": expires_at}
        self._insert(_sign_ins, [row])

    def find(self, token_hash: Hash, now: int) -> tuple[Address, int] | None:
        """Return the account of a sign-in that lasts, and until when it does."""
        query = select(_sign_ins.c.account, _sign_ins.c.expires_at).where(
            _sign_ins.c.token_hash == token_hash, _sign_ins.c.expires_at > now
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (Address(row.account), row.expires_at)

    def end(self, token_hash: Hash) -> None:
        """Forget a sign-in."""
        self._connection.execute(delete(_sign_ins).where(_sign_ins.c.token_hash == token_hash))

    def forget_expired(self, now: int) -> None:
        """Forget what counts no more."""
        for table in (_nonces, _sign_ins):
            self._connection.execute(delete(table).where(table.c.expires_at <= now))
