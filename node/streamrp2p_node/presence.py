"""Whether viewers can reach the node, and that the coordinator lists it only if they can."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from streamrp2p import api
from streamrp2p.client import ApiError, BadAnswerError, CoordinatorClient, UnreachableError
from streamrp2p.numbers import Address
from streamrp2p_node.coordinator_view import CoordinatorView
from streamrp2p_node.errors import NotReachableError
from streamrp2p_node.outside_check import check_from_outside, with_own_advice
from streamrp2p_node.place import Place, place_of
from streamrp2p_node.port_mapping import (
    PortMapper,
    PortMapping,
    PortMappingError,
    endpoint_of,
    mapping_step,
)
from streamrp2p_node.registration import register
from streamrp2p_node.settings import Settings

_log = structlog.get_logger("reachability")


class Reach(StrEnum):
    """What the node knows of its own reachability."""

    CHECKING = "checking"
    REACHABLE = "reachable"
    UNCHECKED = "unchecked"
    """The coordinator could not look; the node is registered all the same."""
    RELAY_ONLY = "relay-only"
    """Nobody outside reaches the endpoint, so it is not registered and gets no viewers. All else goes on, and it looks
    again and again: a tunnel or a friend's public machine may carry viewers to it."""


RECHECK_SECONDS = {
    Reach.CHECKING: 30.0,
    Reach.REACHABLE: 300.0,
    Reach.UNCHECKED: 60.0,
    Reach.RELAY_ONLY: 30.0,
}
"""When the node looks again; a router's mapping is renewed as often."""
FIRST_RECHECK_SECONDS = 5.0
"""After the first look that found nobody, doubled up to the above: what is before the node may still be starting."""


class ReachStatus(api.Wire):
    """The last look: `steps` as the coordinator gave them, after that of the router. `checked_at` in Unix seconds."""

    state: Reach
    endpoint: str | None
    checked_at: int | None
    steps: list[api.CheckStep]


@dataclass(slots=True)
class Presence:
    """Opens the way to the node, lets the coordinator look at it, and registers it."""

    settings: Settings
    client: CoordinatorClient
    view: CoordinatorView
    node: Address
    key: bytes
    mapper: PortMapper | None = None
    find_place: Callable[[str, int, str | None], Place] = place_of
    state: Reach = Reach.CHECKING
    endpoint: str | None = field(init=False)
    checked_at: int | None = None
    steps: list[api.CheckStep] = field(default_factory=list)
    failed_looks: int = 0
    """In a row."""

    def __post_init__(self) -> None:
        """Begin with the endpoint that the operator named."""
        self.endpoint = self.settings.endpoint

    async def update(self) -> None:
        """Map the port, look from outside, and register if the node is reachable.

        Raises ApiError or UnreachableError when it cannot be registered.
        """
        router = await self._map()
        if self.endpoint is None:
            self._note(Reach.RELAY_ONLY, router)
            return
        state: Reach
        try:
            found = await asyncio.to_thread(
                check_from_outside,
                self.client,
                key=self.key,
                node=self.node,
                endpoint=self.endpoint,
                domain=self.view.domain,
                now=self.view.now(),
            )
        except (ApiError, UnreachableError) as error:
            if not _is_no_look(error):
                raise
            _log.info("look_not_had", reason=str(error))
            # What was found before still holds: a dead endpoint is not registered because nobody had time to look.
            was_found_dead = self.state is Reach.RELAY_ONLY
            state = Reach.RELAY_ONLY if was_found_dead else Reach.UNCHECKED
            steps = self.steps if was_found_dead else router
        else:
            state = Reach.REACHABLE if found.is_reachable else Reach.RELAY_ONLY
            place = self.find_place(self.settings.host, self.settings.port, self.endpoint)
            place = place.seen(found.seen_from)
            steps = [*router, *(with_own_advice(step, place) for step in found.steps)]
            self.checked_at = self.view.now()
        if state is not Reach.RELAY_ONLY:
            await self.register()
        self._note(state, steps)

    async def register(self) -> None:
        """Register the node where it is, reachable or not; raises NotReachableError while it is nowhere."""
        if self.endpoint is None:
            raise NotReachableError(
                "this node has no endpoint yet: the router maps no port; give --endpoint, or see: streamrp2p node check"
            )
        await asyncio.to_thread(
            register,
            self.client,
            key=self.key,
            node=self.node,
            payout=self.settings.payout,
            endpoint=self.endpoint,
            domain=self.view.domain,
            now=self.view.now(),
        )

    async def close(self) -> None:
        """Close the way again."""
        if self.mapper is not None:
            await self.mapper.remove()

    def next_look_seconds(self) -> float:
        """Return when to call `update` again."""
        longest = RECHECK_SECONDS[self.state]
        if self.state is not Reach.RELAY_ONLY:
            return longest
        doubled: float = FIRST_RECHECK_SECONDS * 2 ** min(self.failed_looks - 1, 8)
        return min(doubled, longest)

    def status(self) -> ReachStatus:
        """Return what is known."""
        return ReachStatus(
            state=self.state, endpoint=self.endpoint, checked_at=self.checked_at, steps=self.steps
        )

    async def _map(self) -> list[api.CheckStep]:
        """Let the router map the port, and take the endpoint from it; returns the step."""
        if self.mapper is None:
            return []
        mapping: PortMapping | None = None
        try:
            mapping = await self.mapper.ensure()
        except PortMappingError as error:
            step = error.step()
        else:
            step = mapping_step(mapping)
        self.endpoint = endpoint_of(self.settings.endpoint, mapping)
        return [step]

    def _note(self, state: Reach, steps: list[api.CheckStep]) -> None:
        is_news = (state, [step.code for step in steps]) != (
            self.state,
            [step.code for step in self.steps],
        )
        self.state, self.steps = state, steps
        self.failed_looks = self.failed_looks + 1 if state is Reach.RELAY_ONLY else 0
        if not is_news:
            return
        if state is Reach.RELAY_ONLY:
            wrong = next((step for step in reversed(steps) if not step.ok or step.fix), None)
            _log.warning(
                "node_unreachable",
                endpoint=self.endpoint,
                reason=wrong.detail if wrong else "unknown",
                fix=wrong.fix if wrong else None,
                next_look_seconds=self.next_look_seconds(),
            )
        else:
            _log.info("reachability_seen", state=state, endpoint=self.endpoint)


def _is_no_look(error: ApiError | UnreachableError) -> bool:
    """Tell whether the coordinator has no such look, or no time for one; else something is wrong with the request."""
    if isinstance(error, BadAnswerError):
        return False
    return error.retryable or (isinstance(error, ApiError) and error.status in (404, 405))
