"""Intake: judge a batch, keep what it proves, and promise to pay for it."""

from collections.abc import Callable, Sequence

from streamrp2p import api
from streamrp2p.batch import batch_root
from streamrp2p.errors import SignatureError
from streamrp2p.evidence import RejectionEvidence, evidence_hash
from streamrp2p.numbers import ZERO_ADDRESS
from streamrp2p.receipt import RECORD_LENGTH, SessionRecord
from streamrp2p.records import SignedRejection
from streamrp2p.signatures import check_signer
from streamrp2p.typed_data import BatchAck, ReceiptSubmission, Rejection
from streamrp2p.verify import Intake, PoolAtEpoch, Rejected
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.errors import (
    BatchConflictError,
    ChainBehindError,
    InvalidBatchError,
    InvalidSignatureError,
    TooLargeError,
)
from streamrp2p_coordinator.judgement import Judgement, PolicyFacts, Refusal, judge, wire_rejection
from streamrp2p_coordinator.network import Clock, Network, Policy, Signer
from streamrp2p_coordinator.repositories.batches import JudgedBatch
from streamrp2p_coordinator.repositories.store import Store

MAX_EMPTY_ANSWERS = 64
"""Once so many of a node's answers in an epoch are kept, only those that acknowledge something are."""


def accept_batch(
    batch: api.Batch,
    *,
    database: Database,
    network: Network,
    policy: Policy,
    poster: Signer,
    clock: Clock,
    refresh: Callable[[], object],
    judged: Callable[[Judgement], object] = lambda _: None,
) -> bytes:
    """Judge a batch and return the answer as JSON: the same bytes whenever the same batch is sent again.

    Only of a batch that can acknowledge nothing they may be others: out of its epoch's intake, or after many such.
    When this returns, all that the answer acknowledges is on the disk. `refresh` reads the chain anew,
    `judged` is told what became of the records of a batch that was not answered before. Raises InvalidBatchError,
    InvalidSignatureError, TooLargeError, BatchConflictError, or a retryable error.
    """
    submission = batch.submission.message()
    _check_size(batch, policy)
    encoded = [
        batch.records[at : at + RECORD_LENGTH] for at in range(0, len(batch.records), RECORD_LENGTH)
    ]
    _check_submission(submission, batch.signature, encoded, network)
    with database.read() as store:
        known_answer = _known_answer(store, submission)
    if known_answer is not None:
        return known_answer
    records = [SessionRecord.decode(data) for data in encoded]
    _await_chain(records, submission, database, network, clock, refresh)
    with database.write() as store:
        store.lock_node(submission.node)
        # Somebody else may have judged the same batch since.
        known_answer = _known_answer(store, submission)
        if known_answer is not None:
            return known_answer
        answer, judgement = _judge_and_keep(
            store,
            submission,
            encoded,
            records,
            network=network,
            policy=policy,
            poster=poster,
            clock=clock,
        )
    judged(judgement)
    return answer


def _check_size(batch: api.Batch, policy: Policy) -> None:
    count, remainder = divmod(len(batch.records), RECORD_LENGTH)
    if remainder or count == 0 or count != batch.submission.count:
        raise InvalidBatchError(
            f"the submission says {batch.submission.count} records of {RECORD_LENGTH} bytes, but there are "
            f"{len(batch.records)} bytes; send at least one record and count them"
        )
    if count > policy.max_batch_records:
        raise TooLargeError(
            f"a batch has at most {policy.max_batch_records} records (maxBatchRecords of /v1/config), "
            f"this one has {count}; split it"
        )


def _check_submission(
    submission: ReceiptSubmission, signature: bytes, encoded: Sequence[bytes], network: Network
) -> None:
    root = batch_root(encoded)
    if root != submission.batch_root:
        raise InvalidBatchError(
            f"batchRoot is 0x{submission.batch_root.hex()}, but the records' tree has root 0x{root.hex()}"
        )
    try:
        check_signer(submission.digest(network.domain), signature, submission.node, "the node")
    except SignatureError as error:
        raise InvalidSignatureError(f"the submission is not valid: {error}") from error


def _known_answer(store: Store, submission: ReceiptSubmission) -> bytes | None:
    judged = store.batches.find(submission.node, submission.epoch, submission.batch_number)
    if judged is not None and judged.batch_root != submission.batch_root:
        raise BatchConflictError(
            f"batch {submission.batch_number} of epoch {submission.epoch} was judged with root "
            f"0x{judged.batch_root.hex()}; send other records under a new number"
        )
    return None if judged is None else judged.answer


def _await_chain(
    records: Sequence[SessionRecord],
    submission: ReceiptSubmission,
    database: Database,
    network: Network,
    clock: Clock,
    refresh: Callable[[], object],
) -> None:
    """Make sure that terms and openness in the epoch are final as they are known, and that no pool is missed.

    Else a record could be acknowledged that the settlement, which reads the chain later, cannot pay.
    """
    now, epoch = clock(), submission.epoch
    if not network.epochs.start(epoch) <= now < network.epochs.intake_end(epoch):
        return
    pool_ids = {record.ticket.pool_id for record in records}
    if _is_known(database, network, epoch, pool_ids):
        return
    refresh()
    with database.read() as store:
        block = store.pools.read_until()
    if block is None or block.time < network.epochs.start(epoch):
        raise ChainBehindError(
            f"epoch {epoch} has begun, but no confirmed block shows it yet; send the batch again"
        )


def _is_known(database: Database, network: Network, epoch: int, pool_ids: set[int]) -> bool:
    with database.read() as store:
        block = store.pools.read_until()
        if block is None or block.time < network.epochs.start(epoch):
            return False
        fixed = store.pools.fixed_terms(epoch, pool_ids)
        others = pool_ids - fixed.keys()
        pools = store.pools.some(others)
    return len(pools) == len(others) and not any(pool.is_open(epoch) for pool in pools.values())


def _judge_and_keep(
    store: Store,
    submission: ReceiptSubmission,
    encoded: Sequence[bytes],
    records: Sequence[SessionRecord],
    *,
    network: Network,
    policy: Policy,
    poster: Signer,
    clock: Clock,
) -> tuple[bytes, Judgement]:
    node, epoch = submission.node, submission.epoch
    now = clock()
    has_begun = network.epochs.start(epoch) <= now
    if has_begun and not store.epochs.hold_open(epoch):
        # Settlement has begun. The clock may have been read, or run, a moment before.
        now = max(now, network.epochs.intake_end(epoch))
    is_registered = store.nodes.is_registered(node)
    earning_pools = store.ledger.earning_pools(node)
    intake = Intake(
        domain=network.domain,
        clock=network.epochs,
        now=now,
        node=node,
        epoch=epoch,
        node_is_registered=is_registered,
        # Before that no rule looks at them, and the number may be larger than the database can hold.
        pools=_pools_at(store, epoch, {record.ticket.pool_id for record in records})
        if has_begun
        else {},
        earning_pools=earning_pools,
        rate_slack_seconds=policy.rate_slack_seconds,
    )
    known = store.ledger.known({record.session_id for record in records})
    policy_facts = PolicyFacts(
        store.suspicions.refusing(node, now), store.probes.rates(epoch) if has_begun else {}
    )
    judgement = judge(records, intake, known, earning_pools, policy_facts)
    rejections = [
        _sign_rejection(rejected, now, network, poster) for rejected in judgement.rejected
    ]
    answer = _answer(submission, encoded, judgement, rejections, now, network, poster)
    store.ledger.keep(judgement.changed.values(), known)
    store.ledger.keep_evidence(judgement.evidence)
    store.ledger.add_earning_pools(node, judgement.new_earning_pools)
    # Nothing is acknowledged outside of intake, and anybody can make an address or name an epoch: that must fill
    # neither the disk nor the bundle.
    if is_registered and has_begun and now < network.epochs.intake_end(epoch):
        store.ledger.keep_rejections(epoch, node, rejections, policy.max_rejections_per_node)
        if judgement.accepted or store.batches.count(node, epoch) < MAX_EMPTY_ANSWERS:
            judged = JudgedBatch(submission.batch_root, answer)
            store.batches.add(node, epoch, submission.batch_number, judged)
    return answer, judgement


def _pools_at(store: Store, epoch: int, pool_ids: set[int]) -> dict[int, PoolAtEpoch]:
    terms = store.pools.fixed_terms(epoch, pool_ids)
    return {
        pool_id: PoolAtEpoch(
            pool.is_open(epoch),
            # Nobody signs for a pool that is not open: the rule before the signatures refuses it.
            terms[pool_id].ticket_signer if pool_id in terms else ZERO_ADDRESS,
            pool.max_bytes_per_second,
        )
        for pool_id, pool in store.pools.some(pool_ids).items()
    }


def _sign_rejection(rejected: Rejected, now: int, network: Network, poster: Signer) -> Refusal:
    name = rejected.session_id, rejected.sequence, int(rejected.code)
    signature = poster.sign(Rejection(*name, now), network.domain)
    evidence = RejectionEvidence(*name, evidence_hash(rejected.evidence))
    return Refusal(
        SignedRejection(*name, now, signature),
        rejected.evidence,
        poster.sign(evidence, network.domain),
    )


def _answer(
    submission: ReceiptSubmission,
    encoded: Sequence[bytes],
    judgement: Judgement,
    rejections: Sequence[Refusal],
    now: int,
    network: Network,
    poster: Signer,
) -> bytes:
    root = batch_root([encoded[at] for at in judgement.accepted])
    ack = BatchAck(
        submission.node,
        submission.epoch,
        submission.batch_number,
        root,
        len(judgement.accepted),
        now,
    )
    answer = api.BatchAnswer(
        ack=api.BatchAck(
            node=ack.node,
            epoch=ack.epoch,
            batch_number=ack.batch_number,
            accepted_root=ack.accepted_root,
            accepted=ack.accepted,
            received_at=ack.received_at,
        ),
        signature=poster.sign(ack, network.domain),
        rejections=list(map(wire_rejection, rejections)),
    )
    return answer.model_dump_json(by_alias=True).encode()
