"""Examples of every message for the OpenAPI document: made by the protocol's own code, so that they hold."""

from functools import lru_cache
from typing import Any

from streamrp2p import api
from streamrp2p.allocation import Terms
from streamrp2p.batch import batch_root
from streamrp2p.claim import ClaimProof, claim_call_data, opening
from streamrp2p.claims_tree import ClaimLeaf, entry_word
from streamrp2p.evidence import Appeal, RejectionEvidence, evidence_hash
from streamrp2p.explanation import PoolInEpoch, explain, tally_of
from streamrp2p.header import EpochHeader
from streamrp2p.keccak import keccak
from streamrp2p.numbers import Address, Signature
from streamrp2p.plain_tree import PlainTree
from streamrp2p.reachability import NodeCheck
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import PoolInput
from streamrp2p.sign_in import checksummed, signed_digest
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import (
    BatchAck,
    Domain,
    Message,
    NodeRegistration,
    Receipt,
    ReceiptSubmission,
    Rejection,
    SessionTicket,
)
from streamrp2p.verify import Code
from streamrp2p_coordinator.judgement import REASONS
from streamrp2p_coordinator.outside.connections import unanswered
from streamrp2p_coordinator.outside.steps import passed
from streamrp2p_coordinator.use_cases.show_epochs import wire_header


def _key(name: str) -> bytes:
    return keccak(f"StreamrP2P example {name}".encode())


def _address(name: str) -> Address:
    return address_of(_key(name))


EPOCH_BOOK, REWARD_POOLS, NODE_REGISTRY = map(_address, ("book", "pools", "registry"))
TOKEN, STREAMER, PAYOUT = map(_address, ("token", "streamer", "payout"))
DOMAIN = Domain(31337, EPOCH_BOOK)
GENESIS, EPOCH_SECONDS = 1_767_225_600, 3600
EPOCH = 12
NOW = GENESIS + EPOCH * EPOCH_SECONDS + 900


def _sign(message: Message, name: str) -> bytes:
    return sign(message.digest(DOMAIN), _key(name))


TICKET = SessionTicket(
    1, EPOCH, _address("node"), _address("viewer"), 465_000_000, NOW, NOW + 300, 7
)
RECEIPT = Receipt(TICKET.session_id, 3, 52_428_800, 50_331_648, 1284, NOW + 42)
RECORD = SessionRecord(
    TICKET,
    sign(TICKET.digest(DOMAIN), _key("ticket signer")),
    RECEIPT,
    sign(RECEIPT.digest(DOMAIN), _key("viewer")),
).encode()
OTHER_RECORD = SessionRecord(
    TICKET,
    sign(TICKET.digest(DOMAIN), _key("ticket signer")),
    Receipt(TICKET.session_id, 4, 50_000_000, 50_000_000, 1285, NOW + 43),
    sign(
        Receipt(TICKET.session_id, 4, 50_000_000, 50_000_000, 1285, NOW + 43).digest(DOMAIN),
        _key("viewer"),
    ),
).encode()


@lru_cache
def config() -> dict[str, Any]:
    """GET /v1/config."""
    return api.Config(
        chain_id=DOMAIN.chain_id,
        epoch_book=EPOCH_BOOK,
        reward_pools=REWARD_POOLS,
        node_registry=NODE_REGISTRY,
        poster=_address("poster"),
        ticket_signer=_address("ticket signer"),
        genesis=GENESIS,
        epoch_seconds=EPOCH_SECONDS,
        intake_grace_seconds=600,
        challenge_seconds=86_400,
        rate_slack_seconds=10,
        max_batch_records=1000,
        time=NOW,
    ).dump()


def pool() -> dict[str, Any]:
    """GET /v1/pools/{poolId}."""
    return api.Pool(
        pool_id=1,
        streamer=STREAMER,
        token=TOKEN,
        origin_key=_address("origin"),
        origin_url="https://origin.example",
        max_bytes_per_second=1_500_000,
        created_epoch=3,
        closed_from_epoch=None,
        terms=api.Terms(
            price_per_gb=10**18, epoch_budget=10**20, ticket_signer=_address("ticket signer")
        ),
        funded=5 * 10**21,
    ).dump()


def pools() -> dict[str, Any]:
    """GET /v1/pools."""
    return {"pools": [pool()]}


def registration() -> dict[str, Any]:
    """POST /v1/nodes."""
    message = NodeRegistration(
        _address("node"), PAYOUT, "https://relay.example:8200", 0, NOW + 3600
    )
    return {
        "registration": api.NodeRegistration(
            node=message.node,
            payout=message.payout,
            endpoint=message.endpoint,
            nonce=message.nonce,
            deadline=message.deadline,
        ).dump(),
        "signature": "0x" + _sign(message, "node").hex(),
    }


def node_check() -> dict[str, Any]:
    """POST /v1/reachability."""
    message = NodeCheck(_address("node"), "https://relay.example:8200", NOW)
    return {
        "check": api.NodeCheck(
            node=message.node, endpoint=message.endpoint, requested_at=message.requested_at
        ).dump(),
        "signature": "0x" + _sign(message, "node").hex(),
    }


def appeal() -> dict[str, Any]:
    """POST /v1/appeals."""
    message = Appeal(
        _address("node"), TICKET.session_id, 4, Code.NOT_MONOTONE, "the disk was restored", NOW
    )
    return api.SignedAppeal.of(message, Signature(_sign(message, "node"))).dump()


def filed_appeal() -> dict[str, Any]:
    """Answer to POST /v1/appeals."""
    return api.FiledAppeal(
        id=1,
        appeal=api.Appeal.model_validate(appeal()["appeal"]),
        filed_at=NOW,
        answer=None,
        answered_at=None,
    ).dump()


def filed_appeals() -> dict[str, Any]:
    """GET /v1/nodes/{node}/appeals."""
    return {"appeals": [filed_appeal()]}


def reachability() -> dict[str, Any]:
    """Answer to POST /v1/reachability."""
    return api.Reachability(
        endpoint="https://relay.example:8200",
        is_reachable=False,
        steps=[
            passed("endpoint", "relay.example, port 8200"),
            passed("dns", "relay.example is 203.0.113.7"),
            unanswered("203.0.113.7", 8200).step("tcp"),
        ],
        seen_from="203.0.113.7",
        checked_at=NOW,
    ).dump()


def node() -> dict[str, Any]:
    """GET /v1/nodes/{node}."""
    return api.Node(
        node=_address("node"),
        payout=PAYOUT,
        endpoint="https://relay.example:8200",
        nonce=0,
        registration="done",
        is_healthy=True,
        open_sessions=17,
    ).dump()


def nodes() -> dict[str, Any]:
    """GET /v1/nodes."""
    return {"nodes": [node()]}


def session_request() -> dict[str, Any]:
    """POST /v1/sessions."""
    return api.SessionRequest(
        pool_id=1, viewer=_address("viewer"), excluded_nodes=[_address("another node")]
    ).dump()


def session() -> dict[str, Any]:
    """Answer to POST /v1/sessions."""
    return {
        "ticket": api.SessionTicket(
            pool_id=TICKET.pool_id,
            epoch=TICKET.epoch,
            node=TICKET.node,
            viewer=TICKET.viewer,
            max_bytes=TICKET.max_bytes,
            issued_at=TICKET.issued_at,
            expires_at=TICKET.expires_at,
            nonce=TICKET.nonce,
        ).dump(),
        "signature": "0x" + _sign(TICKET, "ticket signer").hex(),
        "endpoint": "https://relay.example:8200",
    }


def batch() -> dict[str, Any]:
    """POST /v1/batches: two records, of which the second shrinks."""
    root = batch_root([RECORD, OTHER_RECORD])
    message = ReceiptSubmission(_address("node"), EPOCH, 0, root, 2)
    return {
        "submission": api.ReceiptSubmission(
            node=message.node, epoch=EPOCH, batch_number=0, batch_root=root, count=2
        ).dump(),
        "signature": "0x" + _sign(message, "node").hex(),
        "records": "0x" + (RECORD + OTHER_RECORD).hex(),
    }


def batch_answer() -> dict[str, Any]:
    """Answer to POST /v1/batches."""
    ack = BatchAck(_address("node"), EPOCH, 0, batch_root([RECORD]), 1, NOW + 60)
    rejection = Rejection(TICKET.session_id, 4, Code.NOT_MONOTONE, NOW + 60)
    facts = {
        "bytesDelivered": 1_000_000,
        "bytesOnTime": 1_000_000,
        "knownSequence": 3,
        "knownBytesDelivered": 2_000_000,
        "knownBytesOnTime": 2_000_000,
    }
    evidence = RejectionEvidence(TICKET.session_id, 4, Code.NOT_MONOTONE, evidence_hash(facts))
    return {
        "ack": api.BatchAck(
            node=ack.node,
            epoch=ack.epoch,
            batch_number=ack.batch_number,
            accepted_root=ack.accepted_root,
            accepted=1,
            received_at=ack.received_at,
        ).dump(),
        "signature": "0x" + _sign(ack, "poster").hex(),
        "rejections": [
            {
                "rejection": api.Rejection(
                    session_id=rejection.session_id,
                    sequence=4,
                    code=Code.NOT_MONOTONE,
                    received_at=rejection.received_at,
                ).dump(),
                "signature": "0x" + _sign(rejection, "poster").hex(),
                "reason": REASONS[Code.NOT_MONOTONE],
                "evidence": facts,
                "evidenceSignature": "0x" + _sign(evidence, "poster").hex(),
            }
        ],
    }


def _leaf() -> ClaimLeaf:
    return ClaimLeaf(_address("node"), (entry_word(1, 51_380_224 * 10**9),))


def header() -> EpochHeader:
    """Return an epoch's header."""
    return EpochHeader(
        EPOCH,
        keccak(b"parent"),
        keccak(b"pools"),
        1,
        51_380_224,
        PlainTree([_leaf().leaf()]).root,
        1,
        keccak(b"bundle"),
    )


def epoch() -> dict[str, Any]:
    """GET /v1/epochs/{epoch}."""
    ends_at = GENESIS + (EPOCH + 1) * EPOCH_SECONDS
    return api.Epoch(
        epoch=EPOCH,
        state="committed",
        starts_at=ends_at - EPOCH_SECONDS,
        ends_at=ends_at,
        intake_ends_at=ends_at + 600,
        header=wire_header(header()),
        header_hash=header().hash(),
        commit_transaction=keccak(b"commit"),
        committed_at=ends_at + 605,
        challenge_ends_at=ends_at + 605 + 86_400,
    ).dump()


def epochs() -> dict[str, Any]:
    """GET /v1/epochs."""
    return {"epochs": [epoch()]}


def earnings() -> dict[str, Any]:
    """GET /v1/accounts/{account}/earnings."""
    reward = 51_380_224 * 10**9
    return api.Earnings(
        account=_address("node"),
        pools=[api.PoolEarning(pool_id=1, token=TOKEN, settled=reward, final=0)],
        epochs=[
            api.EpochEarning(
                epoch=EPOCH,
                pool_id=1,
                sessions=1,
                bytes_delivered=RECEIPT.bytes_delivered,
                bytes_on_time=RECEIPT.bytes_on_time,
                weight=51_380_224,
                pool_weight=51_380_224,
                spend=reward,
                reward=reward,
            )
        ],
    ).dump()


def account_epoch() -> dict[str, Any]:
    """GET /v1/accounts/{account}/epochs/{epoch}."""
    state = PoolInEpoch(
        PoolInput(1, Terms(10**18, 10**17, _address("ticket signer")), 10**21), 3 * 10**18, 2 * 10**8
    )
    own = tally_of([RECORD])
    rejections = [api.SignedRejection.model_validate(one) for one in batch_answer()["rejections"]]
    return api.AccountEpoch(
        state="open",
        is_settled=False,
        explanation=api.Explanation.of(explain(_address("node"), EPOCH, [state], {1: own})),
        refusal_count=1,
        refusals=rejections,
    ).dump()


def claim() -> dict[str, Any]:
    """GET /v1/accounts/{account}/claim."""
    proof = ClaimProof(header(), _leaf(), 0, ())
    return api.Claim(
        header=wire_header(proof.header),
        account=proof.leaf.account,
        entries=list(proof.leaf.entries),
        index=0,
        path=[],
        to=REWARD_POOLS,
        call_data=opening(proof.header, claim_call_data(proof)),
    ).dump()


NONCE = keccak(b"nonce").hex()[:32]
SIGN_IN = f"""dashboard.example wants you to sign in with your Ethereum account:
{checksummed(PAYOUT)}


URI: https://dashboard.example/me
Version: 1
Chain ID: {DOMAIN.chain_id}
Nonce: {NONCE}
Issued At: 2026-01-01T12:15:00Z"""


def sign_in_nonce() -> dict[str, Any]:
    """Answer to POST /v1/sign-in/nonce."""
    return api.SignInNonce(nonce=NONCE, expires_at=NOW + 600).dump()


def sign_in() -> dict[str, Any]:
    """POST /v1/sign-in."""
    signature = sign(signed_digest(SIGN_IN), _key("payout"))
    return api.SignInRequest(message=SIGN_IN, signature=signature).dump()


def sign_in_token() -> dict[str, Any]:
    """Answer to POST /v1/sign-in."""
    token = keccak(b"token").hex()
    return api.SignInToken(token=token, account=PAYOUT, expires_at=NOW + 3600).dump()


def me() -> dict[str, Any]:
    """GET /v1/me."""
    node = _address("node")
    refusals = api.EpochRefusals(
        epoch=EPOCH, count=2, explanation=f"/v1/accounts/0x{node.hex()}/epochs/{EPOCH}"
    )
    return api.Me(
        account=PAYOUT,
        expires_at=NOW + 3600,
        nodes=[
            api.OwnNode(
                node=node,
                payout=PAYOUT,
                endpoint="https://relay.example:8200",
                is_healthy=True,
                open_sessions=17,
                checked_at=NOW - 3,
                unreachable_at=None,
                suspended_at=None,
                refusals=[refusals],
            )
        ],
        pools=[api.OwnPool(pool_id=1, nodes=[api.NodeLoad(node=node, open_sessions=17)])],
    ).dump()
