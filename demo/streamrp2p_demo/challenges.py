"""Which headers were voided, by which proof and how early: read from the chain, as anyone could."""

from collections.abc import Iterable

from web3 import Web3

from streamrp2p.chain.abi_codec import artifact
from streamrp2p.chain.epoch_book import Voiding
from streamrp2p.chain.rpc import data_of, quantity, request
from streamrp2p_demo.facts import Challenge
from streamrp2p_demo.market import Market

SELECTOR_BYTES = 4


def challenges_of(market: Market, voidings: Iterable[Voiding]) -> tuple[Challenge, ...]:
    """Return what the chain says of each voiding."""
    return tuple(_challenge(market, voiding) for voiding in voidings)


def _challenge(market: Market, voiding: Voiding) -> Challenge:
    book, web3 = market.book, market.web3
    before = [one for one in book.commits(voiding.from_epoch) if one.block <= voiding.block]
    ends_at = _time(web3, before[-1].block) + book.rules.challenge_seconds
    return Challenge(
        voiding.from_epoch,
        before[-1].header_hash,
        _function(web3, voiding),
        voiding.transaction_hash,
        voiding.challenger,
        voiding.reward_wei,
        voiding.burned_wei,
        ends_at - _time(web3, voiding.block),
    )


def _function(web3: Web3, voiding: Voiding) -> str:
    sent = request(web3, "eth_getTransactionByHash", ["0x" + voiding.transaction_hash.hex()])
    selector = data_of(sent["input"])[:SELECTOR_BYTES]
    for name in ("Challenges", "DataDemands"):
        for function in artifact(name).functions.values():
            if function.selector == selector:
                return f"{name}.{function.name}"
    return "0x" + selector.hex()


def _time(web3: Web3, block: int) -> int:
    return quantity(request(web3, "eth_getBlockByNumber", [hex(block), False])["timestamp"])
