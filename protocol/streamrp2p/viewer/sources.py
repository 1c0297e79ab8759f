"""Where to watch now: one relay after the other, the origin when there is none."""

import structlog

from streamrp2p.errors import MalformedError
from streamrp2p.viewer.admission import Admission, NoRelayError
from streamrp2p.viewer.errors import SourceError
from streamrp2p.viewer.options import Clock
from streamrp2p.viewer.report import Reason, WatchReport
from streamrp2p.viewer.source import Source

_log = structlog.get_logger()

LOOK_FOR_RELAY_SECONDS = 3.0
"""Between questions for a relay while watching the origin."""
LOOK_FOR_TICKET_SECONDS = 1.0
"""Between questions for the next ticket while the last one may still do."""
LEAST_RENEWAL_SECONDS = 2.0
"""A relay that refuses a ticket younger than this is left."""
ORIGIN_REST_SECONDS = 1.0
"""There is nowhere to go from the origin, so it gets a moment."""


class Sources:
    """Keeps the source in use, and changes it: by ticket, by failure, by a better one turning up."""

    def __init__(self, clock: Clock, admission: Admission, report: WatchReport) -> None:
        self._clock = clock
        self._admission = admission
        self._report = report
        self._look_again_at = 0.0
        self._renewed_at = float("-inf")
        self.current: Source | None = None

    def right_one(self) -> Source:
        """Return the source to use now: the one in use, unless its ticket is due or a relay may be had again.

        Raises SourceError when a relay that was found cannot be used and there is no other source yet.
        """
        source, now = self.current, self._clock.monotonic()
        if source is None:
            self.current = self._relay_or_origin(now)
            return self.current
        if now < self._look_again_at:
            return source
        if source.session is None:
            self._leave_origin_for_a_relay(source, now)
        elif self._admission.renewal_is_due(source.session, now):
            self.renew(source)
        return self.current or source

    def move_from_draining(self, source: Source) -> bool:
        """Go to another relay because this one asks for it; False, to be tried again soon, while there is none."""
        now = self._clock.monotonic()
        if source.session is None or now < self._look_again_at:
            return False
        self._admission.avoid(source.node, Reason.DRAINING, now)
        return self.renew(source, Reason.DRAINING, "it is about to stop")

    def renew(
        self,
        source: Source,
        reason: Reason = Reason.MOVED,
        detail: str = "the next ticket is for another relay",
    ) -> bool:
        """Go on under the next ticket, perhaps at another relay; False while no ticket is to be had."""
        now = self._clock.monotonic()
        try:
            found = self._admission.find(now)
        except (NoRelayError, SourceError) as error:
            # A fault is the next relay's, which is avoided from now on; this one may go on.
            self._look_again_at = now + LOOK_FOR_TICKET_SECONDS
            _log.warning("ticket_not_renewed", node=name_of(source), reason=str(error))
            return False
        has_moved = found.node != source.node
        if has_moved:
            self._note_departure(source, reason, detail)
        _log.info("ticket_renewed", node=name_of(found), moved=has_moved)
        self._replace(found)
        return True

    def renew_now(self, why: str) -> None:
        """Take the next ticket because the relay asks for it; leave it if it asks for one again and again."""
        now = self._clock.monotonic()
        is_new = now - self._renewed_at < LEAST_RENEWAL_SECONDS
        self._renewed_at = now
        if self.current is None or is_new or not self.renew(self.current):
            self.leave(SourceError(Reason.REFUSED, why))

    def leave(self, fault: SourceError) -> None:
        """Leave the source in use, and avoid it for a while."""
        source = self.current
        if source is None:
            _log.warning("relay_not_joined", reason=str(fault.reason), detail=fault.detail)
            return
        self._note_departure(source, fault.reason, fault.detail)
        if source.session is None:
            self._clock.sleep(ORIGIN_REST_SECONDS)
        else:
            self._admission.avoid(source.node, fault.reason, self._clock.monotonic())
        self._look_again_at = 0.0
        self._replace(None)

    def close(self) -> None:
        """Close the connections of the source in use."""
        self._replace(None)

    def _relay_or_origin(self, now: float) -> Source:
        try:
            found = self._admission.find(now)
        except NoRelayError as error:
            self._look_again_at = now + LOOK_FOR_RELAY_SECONDS
            _log.warning("viewer_fallback", to="origin", reason=str(error))
            return self._origin()
        _log.info("relay_joined", node=name_of(found), endpoint=found.report.endpoint)
        return found

    def _leave_origin_for_a_relay(self, origin: Source, now: float) -> None:
        self._look_again_at = now + LOOK_FOR_RELAY_SECONDS
        try:
            found = self._admission.find(now)
        except NoRelayError:
            return
        except SourceError as fault:
            _log.warning("relay_not_joined", reason=str(fault.reason), detail=fault.detail)
            return
        self._note_departure(origin, Reason.RELAY_FOUND, "")
        _log.info("relay_joined", node=name_of(found), endpoint=found.report.endpoint)
        self._look_again_at = 0.0
        self._replace(found)

    def _origin(self) -> Source:
        try:
            return self._admission.origin()
        except MalformedError as error:
            self._clock.sleep(LOOK_FOR_RELAY_SECONDS)
            raise SourceError(Reason.UNREACHABLE, f"the pool's origin URL: {error}") from error

    def _note_departure(self, source: Source, reason: Reason, detail: str) -> None:
        now = self._clock.monotonic()
        self._report.note_departure(source.report, reason, detail, now)
        _log.info("relay_left", node=name_of(source), reason=str(reason), detail=detail)

    def _replace(self, found: Source | None) -> None:
        if self.current is not None:
            self.current.close()
        self.current = found


def name_of(source: Source) -> str:
    """Return how the log names a source."""
    return "origin" if source.report.node is None else "0x" + source.report.node.hex()
