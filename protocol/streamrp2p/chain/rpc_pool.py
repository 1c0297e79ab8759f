"""Several RPCs of one chain as one: the first that is well answers, and none that serves another chain."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from web3 import Web3
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from streamrp2p.chain.errors import (
    ChainError,
    RpcRefusedError,
    RpcUnavailableError,
    WrongChainError,
)
from streamrp2p.chain.rpc import TIMEOUT_SECONDS, RpcProvider, quantity, request, request_many
from streamrp2p.chain.rpc_errors import error_of

QUICK_SECONDS = 2.0
"""What every RPC answers at once may take so long; one that is frozen is found out by it."""
QUICK_METHODS = frozenset({"eth_chainId", "eth_blockNumber", "eth_getBlockByNumber"})
CHECK_SECONDS = 5.0
"""How often each RPC is asked, beside the requests, for its chain and its newest block."""
RETRY_SECONDS = 1.0
"""A request does not wait for one that failed so lately."""
REST_SECONDS = 60.0
"""One that failed in the middle of a request is not preferred again before."""
MAX_LAG_SECONDS = 30
"""One whose newest block is older than another's by more than this is left."""
BACKWARD_SECONDS = 60.0
"""So long the others get to catch up with the newest block that one had which is gone."""

Answer = TypeVar("Answer", RPCResponse, "list[RPCResponse] | RPCResponse")
Requests = Sequence[tuple[RPCEndpoint, Any]]
Json = Any

log = structlog.wrap_logger(logging.getLogger("rpc"), wrapper_class=structlog.stdlib.BoundLogger)
"""Commands that set no logs up keep their output to themselves: the library's own logger never writes to it."""


@dataclass(frozen=True, slots=True)
class _Head:
    """An RPC's newest block, and its time in Unix seconds."""

    number: int
    time: int


@dataclass(slots=True, eq=False)
class _Member:
    """One RPC. Times are the monotonic clock's."""

    provider: RpcProvider
    quick: RpcProvider
    trouble: ChainError | None = None
    """Why it cannot be used; None if it can, as far as is known."""
    asked_at: float = -math.inf
    """When it was last asked for its newest block."""
    failed_at: float = -math.inf
    """When it last failed in the middle of a request."""
    web3: Web3 = field(init=False)

    def __post_init__(self) -> None:
        self.web3 = Web3(self.quick)


class RpcPool(BaseProvider):
    """Asks one RPC until it fails, lags behind, or one that is named before it is well again. Any thread may use it.

    None is used before it named the right chain, nor while it is behind the newest block that was seen before: state
    goes backwards only as the RPC in use says so itself, when the chain is reorganised.
    """

    def __init__(
        self,
        urls: Sequence[str],
        chain_id: int,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        quick_seconds = min(QUICK_SECONDS, timeout_seconds)
        self._members = [
            _Member(RpcProvider(url, timeout_seconds), RpcProvider(url, quick_seconds))
            for url in urls
        ]
        self._chain_id = chain_id
        self._monotonic = monotonic
        self._choosing = threading.Lock()
        self._checking = threading.Lock()
        self._checked_at = monotonic()
        self._current: _Member | None = None
        self._seen_block = 0
        self._lost_at: float | None = None
        """Since when no RPC answers."""

    def make_request(self, method: RPCEndpoint, params: Json) -> RPCResponse:
        """Send one request. Raises RpcUnavailableError if no RPC answers; with one RPC alone, what is wrong with it."""
        return self._ask([(method, params)], lambda provider: provider.make_request(method, params))

    def make_batch_request(self, batch_requests: Requests) -> list[RPCResponse] | RPCResponse:
        """Send many requests in one exchange; errors as `make_request`."""
        requests = list(batch_requests)
        return self._ask(requests, lambda provider: provider.make_batch_request(requests))

    def check(self) -> None:
        """Ask each RPC for its newest block, and go over to the first that serves the chain and does not lag."""
        # The one in use first: the others have the time of a request to come as far.
        heads = {member: self._head_of(member) for member in self._in_use_first()}
        newest = max((head.time for head in heads.values() if head is not None), default=0)
        for member in self._members:
            head = heads[member]
            if head is None or newest - head.time > MAX_LAG_SECONDS:
                continue
            is_rested = self._monotonic() - member.failed_at >= REST_SECONDS
            if member is self._current or (is_rested and self._adopt(member, head)):
                return

    def _ask(self, requests: Requests, send: Callable[[RpcProvider], Answer]) -> Answer:
        self._check_beside()
        is_quick = all(method in QUICK_METHODS for method, _ in requests)
        for member in self._in_use_first():
            if not self._is_usable(member):
                continue
            try:
                answer = send(member.quick if is_quick else member.provider)
                self._learn(member, requests, answer)
            except (RpcUnavailableError, RpcRefusedError, WrongChainError) as error:
                member.failed_at = self._monotonic()
                self._blame(member, error)
            else:
                self._lost_at = None
                return answer
        if self._lost_at is None:
            self._lost_at = self._monotonic()
        troubles = [one.trouble for one in self._members if one.trouble is not None]
        if len(self._members) == len(troubles) == 1:
            raise troubles[0].with_traceback(None)
        raise RpcUnavailableError("no RPC can be used: " + "; ".join(map(str, troubles)))

    def _in_use_first(self) -> list[_Member]:
        return sorted(self._members, key=lambda one: one is not self._current)

    def _check_beside(self) -> None:
        """Check all in a thread of its own, if that is due and not under way: no request waits for a frozen RPC."""
        if self._monotonic() - self._checked_at < CHECK_SECONDS:
            return
        if self._checking.acquire(blocking=False):
            self._checked_at = self._monotonic()
            threading.Thread(target=self._check_once, name="rpc-check", daemon=True).start()

    def _check_once(self) -> None:
        try:
            self.check()
        finally:
            self._checking.release()

    def _is_usable(self, member: _Member) -> bool:
        """Tell whether to send to an RPC; one that is not in use is asked for its newest block first."""
        if member is self._current:
            return True
        if member.trouble is not None and self._monotonic() - member.asked_at < RETRY_SECONDS:
            return False
        head = self._head_of(member)
        return head is not None and self._adopt(member, head)

    def _head_of(self, member: _Member) -> _Head | None:
        """Ask an RPC for its chain and newest block; None, and why is noted, if it is of no use."""
        try:
            chain_id, block = request_many(
                member.web3, [("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False])]
            )
            self._require_chain(member, quantity(chain_id))
            head = _Head(quantity(block["number"]), quantity(block["timestamp"]))
        except ChainError as error:
            self._blame(member, error)
            return None
        except (KeyError, TypeError):
            where = member.provider.shown_url
            self._blame(member, RpcRefusedError(f"{where} sent no block; name another RPC"))
            return None
        finally:
            member.asked_at = self._monotonic()
        member.trouble = None
        if member is self._current:
            self._seen_block = head.number
        return head

    def _adopt(self, member: _Member, head: _Head) -> bool:
        """Go over to an RPC, unless it is behind what was seen."""
        where = member.provider.shown_url
        with self._choosing:
            behind = self._seen_block - head.number
            if behind > 0:
                if not self._is_lost_for_long():
                    if self._current is None:
                        member.trouble = RpcUnavailableError(
                            f"the RPC {where} is {behind} blocks behind what was seen before; wait"
                        )
                    return False
                log.warning("rpc_behind", rpc=where, blocks=behind, advice="no other answers")
            if self._current is not member:
                log.info("rpc_used", rpc=where)
            self._current, self._seen_block = member, head.number
        return True

    def _is_lost_for_long(self) -> bool:
        lost_at = self._lost_at
        return lost_at is not None and self._monotonic() - lost_at >= BACKWARD_SECONDS

    def _blame(self, member: _Member, error: ChainError) -> None:
        if member.trouble is None:
            log.warning("rpc_failed", rpc=member.provider.shown_url, reason=str(error))
        member.trouble = error
        with self._choosing:
            if member is self._current:
                self._current = None

    def _learn(
        self, member: _Member, requests: Requests, answer: RPCResponse | list[RPCResponse]
    ) -> None:
        """Note what an answer tells of chain and newest block; raises if it is another chain's, or a limit's."""
        responses = answer if isinstance(answer, list) else [answer]
        for response in responses:
            if response.get("error") is not None:
                found = error_of(response["error"])
                if isinstance(found, RpcUnavailableError):
                    raise found
        if len(responses) != len(requests):
            return  # It refuses batches.
        for (method, params), response in zip(requests, responses, strict=True):
            result = response.get("result")
            if method == "eth_chainId":
                self._require_chain(member, quantity(result))
            elif method == "eth_blockNumber":
                self._see(member, result)
            elif method == "eth_getBlockByNumber" and params[0] == "latest":
                self._see(member, result.get("number") if isinstance(result, dict) else None)

    def _see(self, member: _Member, number: object) -> None:
        if member is self._current:
            self._seen_block = quantity(number)

    def _require_chain(self, member: _Member, found: int) -> None:
        if found != self._chain_id:
            raise WrongChainError(self._chain_id, found, member.provider.shown_url)


def connect(
    rpc_urls: Sequence[str] | str,
    expected_chain_id: int | None = None,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Web3:
    """Return a connection to the RPCs of the expected chain (of the chain that the first of them serves, if None).

    A string may name several, separated by commas: see `RpcPool`. One that does not answer now may do so later. Raises
    WrongChainError if any serves another chain, RpcUnavailableError if none answers, RpcRefusedError for a URL that is
    none.
    """
    urls = [url.strip() for url in rpc_urls.split(",")] if isinstance(rpc_urls, str) else rpc_urls
    failures: list[ChainError] = []
    expected, answered = expected_chain_id, False
    for url in urls:
        try:
            provider = RpcProvider(url, timeout_seconds)
            found = quantity(request(Web3(provider), "eth_chainId", []))
        except ChainError as error:
            failures.append(error)
            continue
        answered, expected = True, found if expected is None else expected
        if found != expected:
            raise WrongChainError(expected, found, provider.shown_url)
    if answered and expected is not None:
        return Web3(RpcPool(urls, expected, timeout_seconds=timeout_seconds))
    if len(failures) == 1:
        raise failures[0]
    if not failures:
        raise RpcRefusedError("no RPC URL was given; name at least one")
    raise RpcUnavailableError("no RPC can be used: " + "; ".join(map(str, failures)))
