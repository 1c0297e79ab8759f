"""An ERC-20 token, `StreamToken` or another, with ERC-2612 permits where it has them."""

from dataclasses import dataclass
from functools import cached_property

from streamrp2p.chain.contract import Contract
from streamrp2p.chain.errors import NoContractError, RpcRefusedError, TransactionRevertedError
from streamrp2p.chain.rpc import Block
from streamrp2p.chain.transactions import Call
from streamrp2p.foreign_text import printable
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Signature
from streamrp2p.signatures import address_of, sign

MAX_SYMBOL_CHARACTERS = 32
PERMIT_TYPE = "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


@dataclass(frozen=True, slots=True)
class Permit:
    """A signed ERC-2612 permit: the spender may take `value` base units until `deadline` (Unix seconds)."""

    value: int
    deadline: int
    signature: Signature


class StreamTokenContract(Contract):
    """Typed access to one token. Amounts are base units."""

    ARTIFACT = "StreamToken"

    @cached_property
    def decimals(self) -> int:
        """How many decimals a whole token has."""
        return int(self._read("decimals"))

    @cached_property
    def symbol(self) -> str:
        """The token's short name, fit for a terminal; `tokens` where it has none."""
        try:
            return printable(self._read("symbol"), MAX_SYMBOL_CHARACTERS) or "tokens"
        except (NoContractError, TransactionRevertedError):
            return "tokens"

    def balance_of(self, account: Address, block: Block | None = None) -> int:
        """Return what the account holds."""
        return int(self._read("balanceOf", account, block=block))

    def balances(self, accounts: list[Address], block: Block | None = None) -> list[int]:
        """Return what each account holds, in few requests."""
        return self._read_many([("balanceOf", account) for account in accounts], block=block)

    def allowance(self, owner: Address, spender: Address, block: Block | None = None) -> int:
        """Return what the spender may still take of the owner's."""
        return int(self._read("allowance", owner, spender, block=block))

    def total_supply(self, block: Block | None = None) -> int:
        """Return how much there is."""
        return int(self._read("totalSupply", block=block))

    def transfer_call(self, to: Address, amount: int) -> Call:
        """Send tokens of the sender."""
        return self._call("transfer", to, amount)

    def approve_call(self, spender: Address, amount: int) -> Call:
        """Allow a spender to take up to `amount` of the sender's tokens."""
        return self._call("approve", spender, amount)

    def sign_permit(
        self, private_key: bytes, spender: Address, value: int, deadline: int
    ) -> Permit | None:
        """Sign a permit of the key's account, or return None when the token has no ERC-2612."""
        owner = address_of(private_key)
        try:
            separator, nonce = self._read_many([("DOMAIN_SEPARATOR",), ("nonces", owner)])
        except (NoContractError, RpcRefusedError, TransactionRevertedError):
            return None
        words = b"".join(
            [
                keccak(PERMIT_TYPE.encode()),
                bytes(12) + owner,
                bytes(12) + spender,
                *(number.to_bytes(32) for number in (value, nonce, deadline)),
            ]
        )
        digest = keccak(b"\x19\x01" + separator + keccak(words))
        return Permit(value, deadline, sign(digest, private_key))
