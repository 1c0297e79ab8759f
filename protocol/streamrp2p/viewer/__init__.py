"""The reference viewer: watches a stream through relays, and pays each with signed receipts."""

from streamrp2p.viewer.errors import NothingPlayedError
from streamrp2p.viewer.options import Clock, WatchOptions
from streamrp2p.viewer.report import Reason, SourceReport, WatchReport
from streamrp2p.viewer.watch import watch

__all__ = [
    "Clock",
    "NothingPlayedError",
    "Reason",
    "SourceReport",
    "WatchOptions",
    "WatchReport",
    "watch",
]
