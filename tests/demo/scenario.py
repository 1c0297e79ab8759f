"""Facts of a small run in which all is well: real signatures, a real settlement, literal numbers."""

from dataclasses import replace

from streamrp2p.allocation import Terms
from streamrp2p.numbers import Address, Hash, SessionId
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import GENESIS, PoolInput, settle
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain, Receipt, Rejection, SessionTicket
from streamrp2p.verify import Checked, Code
from streamrp2p_demo.adversaries.corrupting_proxy import ServedObject
from streamrp2p_demo.facts import (
    Answer,
    Challenge,
    Corruption,
    Crash,
    EpochFacts,
    Facts,
    FraudFacts,
    Inflation,
    NodeFacts,
    OverReport,
    PoolFacts,
    Promise,
    Replay,
    SourceFacts,
    ViewerFacts,
)

POSTER_KEY = bytes([1]) * 32
SIGNER_KEY = bytes([2]) * 32
VIEWER_KEY = bytes([3]) * 32
POSTER = address_of(POSTER_KEY)
DOMAIN = Domain(31337, Address(bytes([9]) * 20))
RELAY_1, RELAY_2, RELAY_3 = (Address(bytes([number]) * 20) for number in (11, 12, 13))


def record_of(
    node: Address, nonce: int, sequence: int, delivered: int, *, epoch: int = 0
) -> SessionRecord:
    """Make a signed record of a session, all bytes on time."""
    ticket = SessionTicket(1, epoch, node, address_of(VIEWER_KEY), 10**9, 100, 200, nonce)
    receipt = Receipt(ticket.session_id, sequence, delivered, delivered, 7, 150)
    return SessionRecord(
        ticket,
        sign(ticket.digest(DOMAIN), SIGNER_KEY),
        receipt,
        sign(receipt.digest(DOMAIN), VIEWER_KEY),
    )


def rejection_of(session_id: SessionId, sequence: int, code: int, key: bytes) -> SignedRejection:
    """Make a rejection signed by `key`."""
    message = Rejection(session_id, sequence, code, 160)
    signature = sign(message.digest(DOMAIN), key)
    return SignedRejection(session_id, sequence, code, 160, signature)


HONEST = record_of(RELAY_1, 1, 5, 4_000)
REPLAYED = record_of(RELAY_2, 2, 1, 3_000)
BEHIND_PROXY = record_of(RELAY_3, 3, 2, 1_000)
OVER_REPORTED = record_of(RELAY_1, 4, 2, 2_000)
REJECTION = rejection_of(OVER_REPORTED.session_id, 3, Code.OVER_RATE, POSTER_KEY)


REWARDS = {RELAY_1: 6_000, RELAY_2: 3_000, RELAY_3: 1_000}


def epoch_of(
    records: list[SessionRecord], rejections: tuple[SignedRejection, ...] = (REJECTION,)
) -> EpochFacts:
    """Settle epoch 0: 1 base unit for each byte."""
    pool = PoolInput(1, Terms(10**9, 10**12, address_of(SIGNER_KEY)), 10**12)
    settled = settle(DOMAIN, 0, GENESIS, [pool], map(Checked, records), rejections)
    return EpochFacts(
        settled.header, settled.bundle, True, 60_000, 30_000, 0, "byte-identical", REWARDS
    )


EPOCH = epoch_of([HONEST, REPLAYED, BEHIND_PROXY, OVER_REPORTED])
CORRUPT_SESSION = "0x" + BEHIND_PROXY.session_id.hex()
SECOND_ANSWER = Answer(9002, 1, (), '{"second":1}')

GOOD = Facts(
    domain=DOMAIN,
    poster=POSTER,
    epochs_wanted=1,
    pool=PoolFacts(1, funded=10**12, remaining=10**12 - 10_000, paid=10_000, contract_balance=10**12 - 10_000),
    epochs=(EPOCH,),
    nodes=(
        NodeFacts("relay-1", RELAY_1, RELAY_1, 6_000, 6_000, 90_000, 0),
        NodeFacts("relay-2", RELAY_2, RELAY_2, 3_000, 3_000, 90_000, 0),
        NodeFacts("relay-3", RELAY_3, RELAY_3, 1_000, 1_000, 90_000, 0),
    ),
    viewers=(
        ViewerFacts(
            "viewer-1", 0, 4_000, 3_000,
            (SourceFacts(RELAY_1, 4_000, 0, 5, (), {HONEST.session_id: 4_000}),),
        ),
        ViewerFacts(
            "viewer-2", 0, 1_500, 1_500,
            (
                SourceFacts(RELAY_3, 1_000, 1, 2, ("corrupt-object",), {BEHIND_PROXY.session_id: 1_000}),
                SourceFacts(RELAY_2, 500, 0, 0, (), {}),
            ),
        ),
    ),
    over_report=OverReport(OVER_REPORTED.session_id, RELAY_1, 0, 2, 2_000, 3, 900_000),
    corruption=Corruption(
        RELAY_3,
        (
            ServedObject(CORRUPT_SESSION, "a.ts", 1_000, is_corrupt=False),
            ServedObject(CORRUPT_SESSION, "b.ts", 700, is_corrupt=True),
        ),
    ),
    replay=Replay(RELAY_2, REPLAYED.encode(), Answer(9001, 1, (), "{}"), SECOND_ANSWER, SECOND_ANSWER),
    crash=Crash("relay-1", RELAY_1, 0, 0, (Promise(0, HONEST.session_id, 5),), 1),
)  # fmt: skip


def with_epoch(epoch: EpochFacts) -> Facts:
    """Return the good facts with another epoch 0."""
    return replace(GOOD, epochs=(epoch,))


ETHER = 10**18
WATCHER = Address(bytes([21]) * 20)
VOIDED = Hash(b"\x0b" * 32)
CHALLENGE = Challenge(
    0, VOIDED, "Challenges.badSession", Hash(b"\x0c" * 32), WATCHER, ETHER // 2, ETHER // 2, 11
)
FRAUD = FraudFacts(
    Inflation(0, RELAY_1, HONEST.session_id, 4_000, 4_001, VOIDED),
    WATCHER,
    (CHALLENGE,),
    credit_wei=ETHER // 2,
    required_bond_wei=ETHER,
    bond_wei=ETHER,
)
"""Of a run in which the poster lied once in epoch 0 and was caught."""
