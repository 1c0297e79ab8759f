"""Every field of a session record, with its signatures as they were, and with new ones of those who collude."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from streamrp2p.numbers import Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import CURVE_ORDER
from streamrp2p.typed_data import Receipt, SessionTicket
from tests.fraud.mutant import Mutant, plan, variants
from tests.fraud.scene import GB, LAST_EPOCH, NODES, record_of, resigned
from tests.support.chain import STRANGER
from tests.support.changed import changed

_PLACES = ((1, 0, 0), (1, 0, 7), (1, 0, 19), (1, 2, 0), (6, 2, 0))
"""Pool, node and session."""

Change = Callable[[SessionRecord], SessionRecord]


def session_mutants() -> Iterator[Mutant]:
    """Yield them."""
    for pool_id, node, place in _PLACES:
        for group, name, change in (
            *_ticket_fields(),
            *_receipt_fields(),
            *_signatures(),
            *_colluding(),
        ):
            wrong = plan()
            sessions = wrong.node(pool_id, NODES[node]).sessions
            sessions[place] = change(sessions[place])
            sessions.sort(key=lambda record: record.session_id)
            yield from variants(
                group, f"pool {pool_id}, node {node}, session {place}: {name}", wrong
            )
    yield from _invited()


def _ticket_fields() -> Iterator[tuple[str, str, Change]]:
    fields: dict[str, Callable[[SessionTicket], SessionTicket]] = {
        "poolId": lambda ticket: replace(ticket, pool_id=4),
        "epoch": lambda ticket: replace(ticket, epoch=LAST_EPOCH - 1),
        "node": lambda ticket: replace(ticket, node=NODES[-1]),
        "viewer": lambda ticket: replace(ticket, viewer=NODES[-1]),
        "maxBytes": lambda ticket: replace(ticket, max_bytes=ticket.max_bytes + 1),
        "issuedAt": lambda ticket: replace(ticket, issued_at=ticket.issued_at - 1),
        "expiresAt": lambda ticket: replace(ticket, expires_at=ticket.expires_at + 1),
        "nonce": lambda ticket: replace(ticket, nonce=2**256 - 1),
    }
    for name, change in fields.items():
        yield "session: ticket", name, partial(_with_ticket, change)


def _with_ticket(
    change: Callable[[SessionTicket], SessionTicket], record: SessionRecord
) -> SessionRecord:
    ticket = change(record.ticket)
    receipt = replace(record.receipt, session_id=ticket.session_id)
    return replace(record, ticket=ticket, receipt=receipt)


def _receipt_fields() -> Iterator[tuple[str, str, Change]]:
    for name in ("sequence", "bytes_delivered", "bytes_on_time", "media_sequence", "signed_at"):
        for step in (1, -1):
            yield "session: receipt", f"{name} {step:+}", partial(_with_step, name, step)


def _with_step(name: str, step: int, record: SessionRecord) -> SessionRecord:
    value = getattr(record.receipt, name) + step
    return replace(record, receipt=replace(record.receipt, **{name: value}))


def _signatures() -> Iterator[tuple[str, str, Change]]:
    changes: dict[str, Callable[[bytes], bytes]] = {
        "zeros": lambda _: bytes(65),
        "another byte": lambda one: one[:40] + bytes([one[40] ^ 1]) + one[41:],
        "high s": _high_s,
        "v of 0": lambda one: one[:64] + bytes([one[64] - 27]),
        "other v": lambda one: one[:64] + bytes([55 - one[64]]),
    }
    for field in ("ticket_signature", "receipt_signature"):
        for name, change in changes.items():
            yield "session: signatures", f"{field}: {name}", partial(_with_signature, field, change)


def _with_signature(
    field: str, change: Callable[[bytes], bytes], record: SessionRecord
) -> SessionRecord:
    return changed(record, **{field: Signature(change(getattr(record, field)))})


def _colluding() -> Iterator[tuple[str, str, Change]]:
    """Yield what keeps its signatures right: the viewer signs whatever breaks another rule."""
    changes: dict[str, Callable[[Receipt], Receipt]] = {
        "more on time than delivered": lambda one: replace(
            one, bytes_on_time=one.bytes_delivered + 1
        ),
        "far more on time than delivered": lambda one: replace(one, bytes_on_time=2**64 - 1),
        "more than its credit": lambda one: replace(one, bytes_delivered=10**12 + 1),
        "no weight": lambda one: replace(one, bytes_delivered=1, bytes_on_time=0),
        "nothing delivered": lambda one: replace(one, bytes_delivered=0, bytes_on_time=0),
    }
    for name, change in changes.items():
        yield "session: rules, signed", name, partial(_with_receipt, change)


def _with_receipt(change: Callable[[Receipt], Receipt], record: SessionRecord) -> SessionRecord:
    return resigned(record, change(record.receipt))


def _invited() -> Iterator[Mutant]:
    """Yield one more session, with signatures that are right but for a place that it may not have."""
    right = (1, 0, GB)
    for name, record in {
        "of another epoch": record_of(LAST_EPOCH, right, 90, ticket_epoch=LAST_EPOCH + 1),
        "of another pool": record_of(LAST_EPOCH, (4, 0, GB), 91),
        "of another node": record_of(LAST_EPOCH, (1, 3, GB), 92),
        "with a stranger's ticket": record_of(LAST_EPOCH, right, 93, ticket_key=STRANGER),
        "of a closed pool": record_of(LAST_EPOCH, (2, 0, GB), 94),
    }.items():
        wrong = plan()
        sessions = wrong.node(1, NODES[0]).sessions
        sessions.append(record)
        sessions.sort(key=lambda one: one.session_id)
        yield from variants("session: one more", name, wrong)


def _high_s(signature: bytes) -> bytes:
    s = CURVE_ORDER - int.from_bytes(signature[32:64])
    return signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])
