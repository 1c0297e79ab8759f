"""What can go wrong between this machine and the chain. web3's and the RPC's many errors end here."""

from collections.abc import Mapping, Sequence

from streamrp2p.errors import StreamrP2PError

ADVICE: Mapping[str, str] = {
    "DataDemands_AlreadyDemanded": "it is open or answered: read what was published",
    "DataDemands_AnswerLate": "the time to answer is over: anyone may void the header now",
    "DataDemands_HeaderNotPending": "the header was voided, vetoed or is final: nothing is owed any more",
    "DataDemands_HeaderStands": "the demand stands: wait for its answer, or until it expires",
    "DataDemands_NotOpen": "it was answered, or the header fell: nothing is left to do",
    "DataDemands_TimeLeft": "the poster may still answer: wait",
    "DataDemands_TooLate": "too little of the challenge window is left: demand earlier in the next epoch",
    "DataDemands_WrongBond": "send exactly DataDemands.demandBondWei",
    "ERC20InsufficientBalance": "the wallet holds too few tokens: get more, or name a smaller amount",
    "ERC20InsufficientAllowance": "the contract may not take that many tokens: approve it first",
    "ERC2612ExpiredSignature": "the permit is too old: sign a new one",
    "EpochBook_ChallengeWindowOpen": "wait until the challenge window is over",
    "EpochBook_EpochNotOver": "wait until the epoch's intake is over",
    "EpochBook_InsufficientBond": "post the missing bond first",
    "EpochBook_NotPoster": "use the poster's key; if another took the place over, read EpochBook.poster",
    "EpochBook_ParentMismatch": "the header before was voided or replaced: settle again on top of what stands",
    "EpochBook_PosterActive": "the poster is not idle for long enough: wait",
    "EpochBook_WrongEpoch": "headers go in order: handle the expected epoch first",
    "NodeRegistry_WrongNonce": "sign the registration again with the expected nonce",
    "RewardPools_AlreadyRefunded": "nothing is left to do",
    "RewardPools_ClaimsNotOpen": "open the epoch's claims first: RewardPools.openClaims with its final header",
    "RewardPools_EpochBegun": "name a later epoch",
    "RewardPools_HeaderNotFinal": "wait until that epoch is final, then ask for the proof again",
    "RewardPools_NotAToken": "there is no token at that address on this chain",
    "RewardPools_NotStreamer": "use the key that created the pool",
    "RewardPools_NothingDeposited": "name an amount above 0; the token may also have kept all as its fee",
    "RewardPools_PoolClosed": "its closing is announced: create a new pool",
    "RewardPools_PoolNotClosed": "close the pool first",
    "RewardPools_PoolOverflow": "a pool holds less than 2^96 base units: deposit less",
    "RewardPools_UnknownPool": "check the pool's id, the chain and the deployment file",
    "RewardPools_WrongEpoch": "prove it with the header of the pool's last open epoch",
    "RewardPools_ZeroAddress": "an address that must be given is zero",
    "SafeERC20FailedOperation": "the token refused the transfer",
    "Tree_ProofMismatch": "the proof is not of that header, or of another account than the sender: fetch both again",
}
"""What to do about each custom error that a user can meet."""


class ChainError(StreamrP2PError):
    """Base of all failures that concern the chain."""


class RpcUnavailableError(ChainError):
    """No RPC answered, or it cannot work now."""

    retryable = True


class RpcRefusedError(ChainError):
    """The RPC answered a request with an error, or with something that is no answer."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class WrongChainError(ChainError):
    """The RPC serves another chain than the one asked for."""

    is_usage = True

    def __init__(self, expected: int, found: int, where: str) -> None:
        super().__init__(
            f"{where} serves chain {found}, expected chain {expected}; "
            "check the RPC URL and the deployment file"
        )
        self.expected = expected
        self.found = found


class NoContractError(ChainError):
    """There is no such contract at the address on this chain."""

    is_usage = True


class DeploymentError(ChainError):
    """A deployment file that is absent, malformed or not of this chain."""

    is_usage = True


class TransactionRevertedError(ChainError):
    """A contract refused. `name` is its custom error (`Error` for a text), `arguments` its values by name.

    `shown` is both as `Name(argument=value)`.
    """

    def __init__(self, name: str, arguments: Mapping[str, object], contract: str = "") -> None:
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in arguments.items())
        self.shown = f"{name}({shown})"
        advice = ADVICE.get(name, "check the arguments and the state of the contract")
        super().__init__(f"{contract or 'the contract'} refused with {self.shown}; {advice}")
        self.name = name
        self.arguments = dict(arguments)


class InsufficientFundsError(ChainError):
    """The sender cannot pay for the transaction's value and gas."""


class NonceTooLowError(ChainError):
    """Another transaction took the nonce; sending anew takes the next."""

    retryable = True


class FeeCeilingError(ChainError):
    """Gas costs more now than the sender wants to pay, in wei."""

    retryable = True

    def __init__(self, fee_wei: int, ceiling_wei: int) -> None:
        super().__init__(
            f"a transaction would have to offer more for its gas than the ceiling of {ceiling_wei} wei; "
            "wait until gas is cheaper, or raise the ceiling"
        )
        self.fee_wei = fee_wei
        self.ceiling_wei = ceiling_wei


class TransactionPendingError(ChainError):
    """The transaction was sent but is not mined yet; it may still be. `transaction_hash` has 32 bytes."""

    retryable = True

    def __init__(self, transaction_hash: bytes, seconds: float) -> None:
        super().__init__(
            f"transaction 0x{transaction_hash.hex()} was not mined within {seconds:g} s; "
            "it may still be: look it up before you send another"
        )
        self.transaction_hash = transaction_hash


class EpochNotCommittedError(ChainError):
    """No header was committed for the epoch yet."""

    retryable = True

    def __init__(self, epoch: int, next_epoch: int) -> None:
        super().__init__(
            f"epoch {epoch} has no header on chain yet, the next to be committed is {next_epoch}; "
            "wait for its poster, or name an earlier epoch"
        )
        self.epoch = epoch
        self.next_epoch = next_epoch


class EpochVoidedError(ChainError):
    """The epoch's header was voided or vetoed, and no other stands."""

    def __init__(self, epoch: int, header_hashes: Sequence[bytes]) -> None:
        hashes = ", ".join("0x" + header_hash.hex() for header_hash in header_hashes)
        super().__init__(
            f"epoch {epoch} was committed as {hashes} and voided, so there is nothing to judge; "
            "wait until its poster commits again"
        )
        self.epoch = epoch


class HeaderMissingError(ChainError):
    """The chain keeps a header's digest, but the RPC does not show the header itself."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"the RPC does not show the event of epoch {epoch}'s header; name an RPC that serves logs from "
            "the deployment's block on, and check `block` in the deployment file"
        )
        self.epoch = epoch


class ChainMovedError(ChainError):
    """Header and parent do not belong together: one of them was voided while they were read."""

    retryable = True

    def __init__(self, epoch: int) -> None:
        super().__init__(
            f"the chain changed while epoch {epoch} and its parent were read; try again"
        )
        self.epoch = epoch


def _shown(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    # Solidity's short texts are bytes32 filled up with zeros.
    text = value.rstrip(b"\0")
    if text and len(value) == 32 > len(text) and text.isalnum():  # noqa: PLR2004 - bytes32
        return text.decode("ascii")
    return "0x" + value.hex()
