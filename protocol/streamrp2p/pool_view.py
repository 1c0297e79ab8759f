"""How `streamrp2p pool` shows things: to a person in lines, to a machine in JSON."""

from dataclasses import dataclass

from streamrp2p.allocation import Terms
from streamrp2p.amounts import format_amount
from streamrp2p.chain import PoolRecord, Receipt, Stream, StreamTokenContract
from streamrp2p.chain.funding import Deposit
from streamrp2p.foreign_text import printable


@dataclass(frozen=True, slots=True)
class Shown:
    """A result: `shown` for machines (amounts are base units in decimal strings), `lines` for people."""

    shown: dict[str, object]
    lines: dict[str, object]


def tokens(amount: int, token: StreamTokenContract) -> str:
    """Return base units as whole tokens with the token's symbol."""
    return format_amount(amount, token.decimals, token.symbol)


def state_of(pool: PoolRecord, epoch: int) -> str:
    """Return `open`, `closing` (still open in this epoch), `closed` or `refunded`."""
    if pool.is_refunded:
        return "refunded"
    if pool.closed_from_epoch is None:
        return "open"
    return "closing" if epoch < pool.closed_from_epoch else "closed"


def sent_shown(receipt: Receipt) -> dict[str, object]:
    """Return what a machine wants to know of a transaction."""
    return {"transaction": hex_of(receipt.transaction_hash), "gasUsed": receipt.gas_used}


def deposit_shown(made: Deposit) -> dict[str, object]:
    """Return a deposit for a machine."""
    return {
        "credited": str(made.credited),
        "way": made.way,
        "transaction": hex_of(made.transaction_hash),
        "gasUsed": made.gas_used,
    }


def deposit_lines(made: Deposit, token: StreamTokenContract) -> dict[str, object]:
    """Return a deposit for a person."""
    return {
        "deposited": tokens(made.credited, token),
        "by": f"{made.way}, {hex_of(made.transaction_hash)}",
    }


def terms_shown(terms: Terms) -> dict[str, object]:
    """Return terms for a machine, by their names in the protocol."""
    return {
        "pricePerGB": str(terms.price_per_gb),
        "epochBudget": str(terms.epoch_budget),
        "ticketSigner": hex_of(terms.ticket_signer),
    }


def terms_lines(terms: Terms, token: StreamTokenContract) -> dict[str, object]:
    """Return terms for a person."""
    return {
        "price per GB": tokens(terms.price_per_gb, token),
        "epoch budget": tokens(terms.epoch_budget, token),
        "ticket signer": hex_of(terms.ticket_signer),
    }


def stream_shown(stream: Stream) -> dict[str, object]:
    """Return a stream record for a machine."""
    return {
        "originKey": hex_of(stream.origin_key),
        "originUrl": stream.uri,
        "maxBytesPerSecond": stream.max_bytes_per_second,
    }


def stream_lines(stream: Stream) -> dict[str, object]:
    """Return a stream record for a person."""
    return {
        "origin key": hex_of(stream.origin_key),
        "origin URL": printable(stream.uri),
        "at most": f"{stream.max_bytes_per_second} bytes per second and viewer",
    }


def hex_of(data: bytes) -> str:
    """Return `0x` and the hex digits."""
    return "0x" + data.hex()
