"""What the node knows of its coordinator: configuration, pools and clock; kept on disk for a start without it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from streamrp2p import api
from streamrp2p.client import CoordinatorClient
from streamrp2p.durable import StorageError, write_atomically
from streamrp2p.epoch_clock import EpochClock
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_node.errors import ClockSkewError, WrongDeploymentError

MAX_SKEW_SECONDS = 60
"""Half of what the protocol forgives: signed times beyond CLOCK_SKEW_SECONDS are rejected."""
NOISE_SECONDS = 2.0
"""The coordinator tells whole seconds, and its answer takes a while: a smaller difference is none."""
FORCED_REFRESH_SECONDS = 1.0
"""An unknown pool or ticket signer makes the node ask again, at most so often."""

_log = structlog.get_logger("coordinator")


class Snapshot(api.Wire):
    """The coordinator's last answers."""

    config: api.Config
    pools: list[api.Pool]


@dataclass(frozen=True, slots=True)
class _Known:
    config: api.Config
    pools: dict[int, api.Pool]
    domain: Domain
    clock: EpochClock

    @classmethod
    def of(cls, snapshot: Snapshot) -> "_Known":
        config = snapshot.config
        return cls(
            config,
            {pool.pool_id: pool for pool in snapshot.pools},
            Domain(config.chain_id, Address(config.epoch_book)),
            EpochClock(config.genesis, config.epoch_seconds, config.intake_grace_seconds),
        )


class CoordinatorView:
    """The coordinator as last seen. Raises nothing for old news: a node goes on while its coordinator is down."""

    def __init__(
        self,
        client: CoordinatorClient,
        path: Path,
        time_of_day: Callable[[], float] = time.time,
        check: Callable[[api.Config], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start from what is stored at `path`, if anything is.

        `time_of_day` is this machine's clock, which may be wrong or set at any moment; `monotonic` carries the time on.
        `check` raises for a configuration that must not be believed; it is asked once for each that is new.
        """
        self._check = check
        self._checked: api.Config | None = None
        self._client = client
        self._path = path
        self._time = time_of_day
        self._monotonic = monotonic
        self._refreshed_at = float("-inf")
        self.skew_seconds = 0.0
        """How far this machine's clock is ahead of the coordinator's."""
        self._answered_at: float | None = None
        self._lead = self._time() - self._monotonic()
        self._known = self._stored()

    @property
    def is_known(self) -> bool:
        """Tell whether the coordinator ever answered."""
        return self._known is not None

    @property
    def answer_age_seconds(self) -> float | None:
        """How long ago the coordinator last answered this process; None before it did."""
        return None if self._answered_at is None else self._monotonic() - self._answered_at

    @property
    def config(self) -> api.Config:
        """Return the configuration; only once `is_known`."""
        return self._must_know().config

    @property
    def pools(self) -> dict[int, api.Pool]:
        """Return the pools by id; only once `is_known`."""
        return self._must_know().pools

    @property
    def domain(self) -> Domain:
        """Return the signing domain."""
        return self._must_know().domain

    @property
    def clock(self) -> EpochClock:
        """Return the epoch grid."""
        return self._must_know().clock

    def now(self) -> int:
        """Return the time in Unix seconds by the coordinator's clock, whose tickets and epochs the node judges."""
        return int(self._lead + self._monotonic())

    async def refresh(self) -> None:
        """Ask the coordinator; raises UnreachableError, ApiError, WrongDeploymentError or what `check` raises."""
        await asyncio.to_thread(self._refresh)

    async def refresh_soon(self) -> bool:
        """Ask again unless that was just done; tells whether there are fresh answers. Never raises for silence."""
        if self._time() - self._refreshed_at < FORCED_REFRESH_SECONDS:
            return False
        try:
            await self.refresh()
        except Exception as error:  # noqa: BLE001 - the old answers serve on
            _log.warning("coordinator_not_asked", reason=str(error))
            return False
        return True

    def takes_receipts_of(self, epoch: int) -> bool:
        """Tell whether an epoch's receipts can still be acknowledged; while nothing is known, perhaps."""
        return not self.is_known or self.now() < self.clock.intake_end(epoch)

    def check_skew(self) -> None:
        """Raise ClockSkewError when signed times of this machine would be rejected."""
        if abs(self.skew_seconds) > MAX_SKEW_SECONDS:
            ahead = "ahead of" if self.skew_seconds > 0 else "behind"
            raise ClockSkewError(
                f"this machine's clock is {abs(self.skew_seconds):.0f} s {ahead} the coordinator's, at most "
                f"{MAX_SKEW_SECONDS} s are accepted; set it, for example with: timedatectl set-ntp true"
            )

    def _refresh(self) -> None:
        # The start of the second is set before the calls: an answer that fails is not asked for again at once.
        self._refreshed_at = before = self._time()
        config = self._client.config()
        # The coordinator's time is cut to the second, so half a second is added to compare with.
        after = self._time()
        self.skew_seconds = (before + after) / 2 - (config.time + 0.5)
        is_noise = abs(self.skew_seconds) < NOISE_SECONDS
        self._lead = after - (0 if is_noise else self.skew_seconds) - self._monotonic()
        self._check_deployment(config)
        self._check_once(config)
        snapshot = Snapshot(config=config, pools=self._client.pools())
        known = _Known.of(snapshot)
        if self._known is None or self._known.pools != known.pools:
            self._store(snapshot)
        self._known = known
        self._answered_at = self._monotonic()

    def _check_once(self, config: api.Config) -> None:
        timeless = config.model_copy(update={"time": 0})
        if timeless != self._checked:
            self._check(config)
            self._checked = timeless

    def _check_deployment(self, config: api.Config) -> None:
        if self._known is None:
            return
        known = self._known.config
        if (config.chain_id, config.epoch_book) != (known.chain_id, known.epoch_book):
            raise WrongDeploymentError(
                f"the coordinator settles on chain {config.chain_id}, epoch book 0x{config.epoch_book.hex()}, but "
                f"the journals in {self._path.parent} are signed for chain {known.chain_id}, epoch book "
                f"0x{known.epoch_book.hex()}; check --coordinator, or start with an empty --dir"
            )

    def _must_know(self) -> _Known:
        if self._known is None:
            raise RuntimeError("the coordinator has not answered yet")
        return self._known

    def _stored(self) -> _Known | None:
        if not self._path.exists():
            return None
        try:
            snapshot = Snapshot.model_validate_json(self._path.read_bytes())
        except ValidationError as error:
            raise StorageError(
                self._path, "is damaged", "delete it: the coordinator is asked again"
            ) from error
        return _Known.of(snapshot)

    def _store(self, snapshot: Snapshot) -> None:
        try:
            write_atomically(self._path, snapshot.model_dump_json(by_alias=True).encode())
        except StorageError as error:
            _log.warning("coordinator_answers_not_kept", reason=str(error))
