"""What happens in the run, in order: honest work, three adversaries, a crash, and the epochs that settle it all."""

import time
from dataclasses import dataclass, field, replace

from streamrp2p.client import CoordinatorClient
from streamrp2p.epoch_clock import EpochClock
from streamrp2p_demo.adversaries import double_submitter, over_reporter
from streamrp2p_demo.auditing import Auditors
from streamrp2p_demo.child import Child
from streamrp2p_demo.evidence import answered_batches, promises_of
from streamrp2p_demo.facts import Crash, Promise
from streamrp2p_demo.layout import VIEWERS
from streamrp2p_demo.market import Market
from streamrp2p_demo.narrator import Narrator
from streamrp2p_demo.stack import HONEST_OBJECTS, READY_SECONDS, Relay, Stack

HONEST_SECONDS = 5.0
"""How long the over-reporting viewer is honest before it lies."""
CRASH_AFTER_SECONDS = 8
"""How far into its epoch the relay is killed: by then it has acknowledgements to lose."""
CRASH_BEFORE_SECONDS = 8
"""How much of its epoch must be left, so that the relay is back in the same one."""
LAST_RECEIPTS_SECONDS = 8
"""How long before the end of the last epoch the viewers stop; starting them takes some of it."""
SETTLING_SECONDS = 60
"""Beyond grace and challenge window: what settling, committing and finalising may take."""


@dataclass(slots=True)
class Story:
    """The run after the stack is up. `coordinator` and `market` answer what time it is and what was settled."""

    stack: Stack
    market: Market
    coordinator: CoordinatorClient
    epochs: int
    with_fraud: bool = False
    clock: EpochClock = field(init=False)
    viewers: list[Child] = field(default_factory=list)
    first_epoch: int = 0
    crash: Crash | None = None
    auditors: Auditors = field(init=False)
    narrator: Narrator = field(init=False)

    def __post_init__(self) -> None:
        self.clock = self.market.book.clock()
        self.auditors = Auditors(self.stack.supervisor, self.stack.commands.audit, self.tell)
        self.narrator = Narrator(
            self.stack.layout,
            self.market,
            self.tell,
            self.auditors.look,
            on_voided=self.auditors.forget,
            is_watched=self.with_fraud,
        )
        self.stack.on_wait = self.narrator.look
        self.stack.when = self._when

    @property
    def last_epoch(self) -> int:
        """The last epoch with viewers."""
        return self.first_epoch + self.epochs - 1

    @property
    def now_epoch(self) -> int:
        """The epoch that covers this second."""
        return self.clock.at(int(time.time()))

    def play(self) -> None:
        """Run all of it; returns when the last epoch with viewers is final."""
        self.send_viewers()
        self.wait_until(self.clock.start(self.first_epoch), "the first whole epoch")
        self.send_adversaries()
        self.crash = self.crash_relay(self.stack.relays[0])
        self.wait_until_final(self.wait_for_viewers())
        # The evidence that came after the crash counts as well.
        promises = {*self.crash.promises, *self._promises(self.stack.relays[0])}
        self.crash = replace(self.crash, promises=tuple(promises))

    def send_viewers(self) -> None:
        """Start the viewers in the epoch under way; the whole epochs to come are those that count."""
        self.first_epoch = self.now_epoch + 1
        until = self.clock.end(self.last_epoch) - LAST_RECEIPTS_SECONDS
        for number in range(1, VIEWERS + 1):
            seconds = int(until - time.time())
            self.viewers.append(
                self.stack.start_viewer(f"viewer-{number}", self.market.pool_id, seconds)
            )
        self.tell(
            f"{VIEWERS} viewers watch, each a process, until the end of epoch {self.last_epoch}"
        )

    def send_adversaries(self) -> None:
        """Start the viewer that lies and the relay that submits twice; the corrupting relay is there."""
        stack, layout = self.stack, self.stack.layout
        victim = stack.relays[1]
        stack.supervisor.start(
            "over-reporter",
            over_reporter.command(
                *(stack.commands.coordinator_url, self.market.pool_id, victim.node),
                layout.report("over-reporter"),
                honest_seconds=HONEST_SECONDS,
            ),
            may_end=True,
        )
        folder = layout.relay(victim.name)
        stack.supervisor.start(
            "double-submitter",
            double_submitter.command(
                stack.commands.coordinator_url,
                folder / "batches",
                folder / "node.keystore.json",
                layout.password_file,
                layout.report("double-submitter"),
            ),
            may_end=True,
        )
        self.tell(
            f"epoch {self.now_epoch}: an over-reporting viewer joins {victim.name}, which submits a receipt twice; "
            f"{stack.corrupting.name} turns corrupt after {HONEST_OBJECTS} objects"
        )

    def crash_relay(self, relay: Relay) -> Crash:
        """Kill a relay in the middle of an epoch, once something was acknowledged to it there; start it again."""
        self.stack.wait_for(
            f"{relay.name} to have something to lose",
            lambda: self._is_time_to_crash(relay) or None,
            2 * self.stack.grid.epoch_seconds + READY_SECONDS,
        )
        epoch = self.now_epoch
        assert relay.child is not None  # noqa: S101 - the stack started it
        self.stack.supervisor.kill(relay.child)
        before = self._promises(relay)
        self.tell(
            f"epoch {epoch}: {relay.name} killed with SIGKILL; {len(before)} records had been acknowledged to it"
        )
        self.stack.start_relay(relay)
        self.stack.wait_for_relay(relay)
        self.tell(f"epoch {self.now_epoch}: {relay.name} is back")
        return Crash(relay.name, relay.node, epoch, self.now_epoch, tuple(before), len(before))

    def wait_for_viewers(self) -> int:
        """Wait until every viewer has ended; returns the last epoch that any of them may have a session in."""
        self.stack.wait_for(
            "the viewers to end",
            lambda: all(viewer.exit_code is not None for viewer in self.viewers) or None,
            self.clock.end(self.last_epoch) - time.time() + READY_SECONDS,
        )
        epoch = self.now_epoch
        self.tell(f"epoch {epoch}: all viewers have ended")
        return max(epoch, self.last_epoch)

    def wait_until_final(self, epoch: int) -> None:
        """Wait until an epoch is final, and the coordinator, which proves the relays' claims, has seen it."""

        def is_final() -> bool | None:
            on_chain = self.market.book.finalised_epochs() > epoch
            return (on_chain and self.coordinator.epoch(epoch).state == "final") or None

        grid = self.stack.grid
        seconds = self.clock.intake_end(epoch) - time.time() + grid.challenge_seconds
        self.stack.wait_for(f"epoch {epoch} to be final", is_final, seconds + SETTLING_SECONDS)
        self.narrator.look(at_once=True)

    def wait_until(self, moment: int, what: str) -> None:
        """Wait until a Unix time, while all servers run."""
        seconds = moment - time.time()
        if seconds > 0:
            self.stack.wait_for(what, lambda: time.time() >= moment or None, seconds + 5)

    def tell(self, event: str) -> None:
        """Tell of an event."""
        self.stack.progress.tell(event)

    def _is_time_to_crash(self, relay: Relay) -> bool:
        epoch, now = self.now_epoch, time.time()
        return (
            now - self.clock.start(epoch) >= CRASH_AFTER_SECONDS
            and self.clock.end(epoch) - now >= CRASH_BEFORE_SECONDS
            and any(promise.epoch == epoch for promise in self._promises(relay))
        )

    def _when(self) -> str:
        epoch = self.now_epoch
        return f"epoch {epoch}, {self.clock.end(epoch) - time.time():.0f} s left, "

    def _promises(self, relay: Relay) -> list[Promise]:
        folder = self.stack.layout.relay(relay.name) / "batches"
        return promises_of(answered_batches(folder))
