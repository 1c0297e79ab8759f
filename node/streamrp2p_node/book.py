"""All sessions of a node: the fold of its journals' entries."""

from collections.abc import Iterable, Iterator

from streamrp2p.batch import Judgement
from streamrp2p.numbers import SessionId
from streamrp2p.verify import Code
from streamrp2p_node.entries import Account, Entry, Opened, Received
from streamrp2p_node.session import Session


class Book:
    """Sessions by id. Every change is an entry or a judgement, so that replaying both gives the same book."""

    def __init__(self) -> None:
        self._sessions: dict[SessionId, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def get(self, session_id: SessionId) -> Session | None:
        """Return a session, or None."""
        return self._sessions.get(session_id)

    def apply(self, entry: Entry) -> Session | None:
        """Apply an entry and return its session; None for an entry of a session that was never opened."""
        session_id = _session_id(entry)
        session = self._sessions.get(session_id)
        if isinstance(entry, Opened):
            session = session or Session.opened(entry)
        elif session is None:
            return None
        elif isinstance(entry, Account):
            session = session.with_account(entry.credit)
        else:
            session = session.with_receipt(entry.record)
        self._sessions[session_id] = session
        return session

    def judge(self, judgement: Judgement) -> None:
        """Apply what the coordinator said of a batch. Sessions that are no longer known are passed over."""
        for record in judgement.accepted:
            session = self._sessions.get(record.session_id)
            if session is not None:
                acknowledged = session.with_acknowledged(record.receipt.sequence)
                self._sessions[record.session_id] = acknowledged
        for record, rejection in judgement.rejected:
            session = self._sessions.get(record.session_id)
            if session is not None and not may_pass(rejection.code):
                stopped = session.with_rejection(rejection.sequence, rejection.code)
                self._sessions[record.session_id] = stopped

    def of_epoch(self, epoch: int) -> list[Session]:
        """Return the sessions of an epoch, in the order in which they were opened."""
        return [session for session in self._sessions.values() if session.ticket.epoch == epoch]

    def epochs(self) -> list[int]:
        """Return the epochs that sessions belong to, rising."""
        return sorted({session.ticket.epoch for session in self._sessions.values()})

    def forget_epoch(self, epoch: int) -> None:
        """Drop the sessions of an epoch whose intake is over."""
        for session in self.of_epoch(epoch):
            del self._sessions[session.session_id]


def may_pass(code: int) -> bool:
    """Tell whether a record that was rejected may be accepted later: it is handed in again.

    Not registered is the node's own fault. What policy refuses (codes from SUSPECT on) its operator may take back.
    """
    return code == Code.NODE_NOT_REGISTERED or code >= Code.SUSPECT


def entries_of(sessions: Iterable[Session]) -> list[Entry]:
    """Return the compacted journal of these sessions."""
    return [entry for session in sessions for entry in session.entries()]


def _session_id(entry: Entry) -> SessionId:
    match entry:
        case Opened():
            return entry.ticket.session_id
        case Received():
            return entry.record.session_id
        case Account():
            return entry.session_id
