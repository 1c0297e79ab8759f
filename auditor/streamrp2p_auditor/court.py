"""Where headers are challenged: `Challenges` and `DataDemands`, as the book itself names them."""

from collections.abc import Iterable
from dataclasses import dataclass

from web3 import Web3

from streamrp2p.chain import (
    Call,
    Chain,
    DataDemandsContract,
    TransactionRevertedError,
)
from streamrp2p.chain.challenges import ChallengesContract
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.chain.transactions import call_object
from streamrp2p.fraud import Fraud
from streamrp2p.numbers import ZERO_ADDRESS, Address
from streamrp2p_auditor.errors import NoCourtError

MAX_CANDIDATES = 1000
"""So many proofs are written down and compared by the size of their call data: one of them is enough."""
ESTIMATES = 4
"""So many of the smallest are compared by their gas."""
MAX_REFUSALS = 64
"""After so many of the smallest were refused, the rest is not tried."""


@dataclass(frozen=True, slots=True)
class Court:
    """The two contracts that may void headers of a book."""

    challenges: ChallengesContract
    demands: DataDemandsContract

    @classmethod
    def of(cls, chain: Chain) -> "Court":
        """Return the book's own; raises NoCourtError when it names none."""
        rules, web3 = chain.book.rules, chain.book.web3
        if ZERO_ADDRESS in (rules.challenges, rules.data_demands):
            raise NoCourtError(chain.book.address)
        return cls(
            ChallengesContract(web3, rules.challenges),
            DataDemandsContract(web3, rules.data_demands, from_block=chain.book.from_block),
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The proof that costs least, and the gas that it takes."""

    fraud: Fraud
    call: Call
    gas: int


def cheapest(court: Court, frauds: Iterable[Fraud], sender: Address | None) -> Choice | None:
    """Return the proof that takes the least gas among the smallest; None when the chain accepts none of them.

    Each estimate is a trial, so what it returns holds on the chain as it is now.
    """
    calls = [(fraud, court.challenges.call(fraud)) for fraud in frauds]
    calls.sort(key=lambda one: len(one[1].data))
    accepted: list[Choice] = []
    for tried, (fraud, call) in enumerate(calls):
        if len(accepted) == ESTIMATES or tried - len(accepted) == MAX_REFUSALS:
            break
        gas = gas_of(court.challenges.web3, call, sender)
        if gas is not None:
            accepted.append(Choice(fraud, call, gas))
    return min(accepted, key=lambda choice: choice.gas, default=None)


def gas_of(web3: Web3, call: Call, sender: Address | None) -> int | None:
    """Return the gas that a call would take; None when it would revert."""
    try:
        # On the state that was judged: what waits to be mined may be somebody else's proof of the same.
        return quantity(request(web3, "eth_estimateGas", [call_object(call, sender), "latest"]))
    except TransactionRevertedError:
        return None
