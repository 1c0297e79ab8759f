"""Vectors of sections 6, 7 and 9: headers, whole bundles, claim calls."""

from collections.abc import Sequence
from dataclasses import fields

from scripts.generators._vectors.form import Case, camel, document
from scripts.generators._vectors.sample import (
    CHAIN_ID,
    DOMAIN,
    EPOCH_BOOK,
    KEY_OF,
    POSTER,
    TICKET_SIGNER,
    VIEWERS,
    record,
    signature,
    ticket,
)  # fmt: skip
from streamrp2p.allocation import Terms
from streamrp2p.bundle import Bundle
from streamrp2p.claim import (
    ClaimBook,
    claim_all_call_data,
    claim_by_signature_call_data,
    claim_call_data,
    claim_many_call_data,
    claim_to_call_data,
    open_claims_call_data,
    opening,
)  # fmt: skip
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Hash
from streamrp2p.receipt import SessionRecord
from streamrp2p.records import NodeRow, PoolRow, SignedRejection
from streamrp2p.settlement import GENESIS, Parent, PoolInput, Settlement, settle
from streamrp2p.typed_data import ClaimRedirect, Rejection
from streamrp2p.verify import Checked, Code

U128 = (1 << 128) - 1
TERMS = Terms(2_000_000_000_000, 90_000_000_000, TICKET_SIGNER)


def files() -> dict[str, bytes]:
    """Return the vector files by name."""
    epochs = _epochs()
    return {
        "headers.json": _headers(epochs),
        "bundles.json": _bundles(epochs),
        "claim-calls.json": _claim_calls(epochs[-1]),
    }


def _epochs() -> list[Settlement]:
    """Settle three epochs in a row: an empty one, one of two pools, one in which a pool's budget is used up."""
    pools = [
        PoolInput(1, TERMS, 200_000_000_000),
        PoolInput(4, TERMS, 5),
        PoolInput(7, TERMS, 10**30),
    ]
    first = settle(DOMAIN, 0, GENESIS, pools[:1], [])
    second = settle(
        DOMAIN,
        1,
        Parent.of(first.header, first.bundle),
        pools,
        _checked(1, [(1, 0, 0, 30_000_000, 29_000_001), (1, 0, 1, 9_000_000, 9_000_000), (1, 1, 2, 1, 0),
                     (1, 2, 3, 44_000_000, 0), (7, 1, 0, 50_000_000, 50_000_000)]),
        [_rejection(1, Code.OVER_CREDIT), _rejection(2, Code.BAD_RECEIPT_SIGNATURE)],
    )  # fmt: skip
    third = settle(
        DOMAIN,
        2,
        Parent.of(second.header, second.bundle),
        pools,
        _checked(2, [(1, 0, 0, 40_000_000, 40_000_000), (1, 1, 1, 40_000_000, 30_000_000), (4, 2, 2, 9_999_999, 1),
                     (4, 0, 3, 7_777_777, 7_000_000)]),
    )  # fmt: skip
    return [first, second, third]


def _checked(epoch: int, sessions: Sequence[tuple[int, int, int, int, int]]) -> list[Checked]:
    return [
        Checked(record(ticket(pool_id, epoch, node, viewer, nonce), delivered, on_time))
        for nonce, (pool_id, node, viewer, delivered, on_time) in enumerate(sessions)
    ]


def _rejection(sequence: int, code: Code) -> SignedRejection:
    message = Rejection(ticket(epoch=1).session_id, sequence, code, 1_700_000_900)
    return SignedRejection(
        message.session_id,
        sequence,
        code,
        message.received_at,
        signature(message, POSTER),
    )


def _headers(epochs: Sequence[Settlement]) -> bytes:
    ones = Hash(b"\xff" * 32)
    widest = EpochHeader(2**64 - 1, ones, ones, 2**32 - 1, U128, ones, 2**32 - 1, ones)
    headers = [*(settled.header for settled in epochs), widest]
    return document(
        "Headers of 160 bytes and their hashes.", [_header(header) for header in headers]
    )


def _header(header: EpochHeader) -> Case:
    return {
        **{camel(field.name): getattr(header, field.name) for field in fields(header)},
        "encoded": header.encode(),
        "headerHash": header.hash(),
    }


def _bundles(epochs: Sequence[Settlement]) -> bytes:
    return document(
        "Bundles of three epochs in a row, each the parent of the next, and the headers that commit to them.",
        [_bundle(settled.header, settled.bundle) for settled in epochs],
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        poster=POSTER,
        ticketSigner=TICKET_SIGNER,
        pricePerGB=TERMS.price_per_gb,
        epochBudget=TERMS.epoch_budget,
    )


def _bundle(header: EpochHeader, bundle: Bundle) -> Case:
    funded = {1: 200_000_000_000, 4: 5, 7: 10**30}
    records = [SessionRecord.decode(encoded) for encoded in bundle.session_records]
    return {
        "encoded": bundle.encode(),
        "dataHash": bundle.data_hash(),
        "header": _header(header),
        "poolIds": [row.pool_id for row in bundle.pool_rows],
        "poolFunded": [funded[row.pool_id] for row in bundle.pool_rows],
        "poolRows": [_row(row) for row in bundle.pool_rows],
        "nodeRows": [_row(row) for row in bundle.node_rows],
        "sessionIds": [each.session_id for each in records],
        "sessionWeights": [each.weight for each in records],
        "claimAccounts": [claim.account for claim in bundle.claims],
        "claimEntryCounts": [len(claim.entries) for claim in bundle.claims],
        "claimEntries": [word for claim in bundle.claims for word in claim.entries],
        "rejections": [each.encode() for each in bundle.rejections],
    }


def _row(row: PoolRow | NodeRow) -> Case:
    return {
        **{camel(field.name): getattr(row, field.name) for field in fields(row)},
        "encoded": row.encode(),
        "digest": row.digest(),
    }


def _claim_calls(settled: Settlement) -> bytes:
    header, claims = settled.header, settled.bundle.claims
    book = ClaimBook(header, claims)
    cases: list[Case] = []
    for skip in (0, 0b10):
        for claim in claims:
            proof = book.prove(claim.account)
            redirect = ClaimRedirect(claim.account, VIEWERS[3], header.epoch, 1_800_000_000)
            by_account = signature(redirect, claim.account)
            pushed = claim_call_data(proof, skip)
            cases.append(
                {
                    "account": claim.account,
                    "privateKey": KEY_OF[claim.account],
                    "entries": claim.entries,
                    "index": proof.index,
                    "path": proof.path,
                    "skip": skip,
                    "to": redirect.to,
                    "deadline": redirect.deadline,
                    "signature": by_account,
                    "claim": pushed,
                    "opening": opening(header, pushed),
                    "claimAll": claim_all_call_data(proof),
                    "claimTo": claim_to_call_data(proof, redirect.to, skip),
                    "claimToBySignature": claim_by_signature_call_data(
                        proof, redirect.to, redirect.deadline, by_account, skip
                    ),
                }
            )
    pushes = [
        _push(book, first, end - first, skip)
        for first in range(len(claims))
        for end in range(first + 1, len(claims) + 1)
        for skip in (0, 0b10)
    ]
    return document(
        "Call data of RewardPools for each account of the last bundle of bundles.json.",
        cases,
        header=_header(header),
        chainId=CHAIN_ID,
        epochBook=EPOCH_BOOK,
        openClaims=open_claims_call_data(header),
        pushCount=len(pushes),
        pushes=pushes,
    )


def _push(book: ClaimBook, first: int, width: int, skip: int) -> Case:
    proof = book.prove_range(first, width)
    return {
        "first": first,
        "accounts": [leaf.account for leaf in proof.leaves],
        "path": proof.path,
        "skip": skip,
        "paid": [
            0 if skip >> place & 1 else sum(leaf.rewards().values())
            for place, leaf in enumerate(proof.leaves)
        ],
        "claimMany": claim_many_call_data(proof, skip),
    }
