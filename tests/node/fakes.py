"""A small world for the node's tests: keys, a clock, a coordinator and an origin that speak the real wire forms."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
from pydantic import BaseModel

from streamrp2p import api, typed_data
from streamrp2p.batch import batch_root, records_of
from streamrp2p.numbers import Address, Signature
from streamrp2p.receipt import SessionRecord
from streamrp2p.signatures import address_of, sign
from streamrp2p.typed_data import Domain

# Anvil's well-known test keys.
NODE_KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
POSTER_KEY = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
SIGNER_KEY = bytes.fromhex("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
ORIGIN_KEY = bytes.fromhex("7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6")
VIEWER_KEY = bytes.fromhex("47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a")
OTHER_KEY = bytes.fromhex("8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba")

NODE, POSTER, SIGNER, ORIGIN, VIEWER, OTHER = map(
    address_of, (NODE_KEY, POSTER_KEY, SIGNER_KEY, ORIGIN_KEY, VIEWER_KEY, OTHER_KEY)
)
EPOCH_BOOK = Address(bytes.fromhex("e7f1725e7734ce288f8367e1bb143e90bb3f0512"))
DOMAIN = Domain(31337, EPOCH_BOOK)
GENESIS = 1_800_000_000
EPOCH_SECONDS = 60
GRACE_SECONDS = 20
POOL = 7
ORIGIN_URL = "http://origin.test"
ENDPOINT = "http://node.test"

Form = TypeVar("Form", bound=BaseModel)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is set."""

    now: float = GENESIS + 10.0

    def __call__(self) -> float:
        return self.now


def make_ticket(
    *,
    node: Address = NODE,
    viewer: Address = VIEWER,
    epoch: int = 0,
    pool_id: int = POOL,
    max_bytes: int = 10_000_000,
    nonce: int = 1,
    issued_at: int | None = None,
    expires_at: int | None = None,
    key: bytes = SIGNER_KEY,
) -> tuple[typed_data.SessionTicket, Signature]:
    start = GENESIS + epoch * EPOCH_SECONDS
    ticket = typed_data.SessionTicket(
        pool_id,
        epoch,
        node,
        viewer,
        max_bytes,
        start if issued_at is None else issued_at,
        start + EPOCH_SECONDS if expires_at is None else expires_at,
        nonce,
    )
    return ticket, sign(ticket.digest(DOMAIN), key)


def opening_of(ticket: typed_data.SessionTicket, signature: bytes) -> api.OpenSession:
    return api.OpenSession(ticket=wire(ticket, api.SessionTicket), signature=signature)


def make_receipt(
    ticket: typed_data.SessionTicket,
    sequence: int,
    delivered: int,
    *,
    on_time: int | None = None,
    signed_at: int | None = None,
    key: bytes = VIEWER_KEY,
) -> api.SignedReceipt:
    receipt = typed_data.Receipt(
        ticket.session_id,
        sequence,
        delivered,
        delivered if on_time is None else on_time,
        0,
        ticket.issued_at + 10 if signed_at is None else signed_at,
    )
    return api.SignedReceipt(
        receipt=wire(receipt, api.Receipt), signature=sign(receipt.digest(DOMAIN), key)
    )


def make_record(
    ticket: typed_data.SessionTicket, signature: Signature, sequence: int, delivered: int
) -> SessionRecord:
    signed = make_receipt(ticket, sequence, delivered)
    return SessionRecord(ticket, signature, signed.receipt.message(), Signature(signed.signature))


def wire(message: typed_data.Message, form: type[Form]) -> Form:
    names = form.model_fields
    return form(**{name: getattr(message, name) for name in names})


def make_config(
    now: float, *, genesis: int = GENESIS, epoch_seconds: int = EPOCH_SECONDS
) -> api.Config:
    return api.Config(
        chain_id=31337,
        epoch_book=EPOCH_BOOK,
        reward_pools=bytes(19) + b"\x01",
        node_registry=bytes(19) + b"\x02",
        poster=POSTER,
        ticket_signer=SIGNER,
        genesis=genesis,
        epoch_seconds=epoch_seconds,
        intake_grace_seconds=GRACE_SECONDS,
        challenge_seconds=30,
        rate_slack_seconds=10,
        max_batch_records=3,
        time=int(now),
    )


def make_pool(origin_url: str = ORIGIN_URL) -> api.Pool:
    return api.Pool(
        pool_id=POOL,
        streamer=OTHER,
        token=bytes(19) + b"\x03",
        origin_key=ORIGIN,
        origin_url=origin_url,
        max_bytes_per_second=1_000_000,
        created_epoch=0,
        closed_from_epoch=None,
        terms=api.Terms(price_per_gb=10**18, epoch_budget=10**18, ticket_signer=SIGNER),
        funded=10**20,
    )


def make_answer(
    batch: api.Batch,
    reject: Callable[[SessionRecord], int | None] = lambda _: None,
    *,
    key: bytes = POSTER_KEY,
    now: int = GENESIS + 20,
) -> api.BatchAnswer:
    """Answer a batch as a coordinator does; `reject` gives the code of a record to reject."""
    records = records_of(batch)
    accepted = [record.encode() for record in records if reject(record) is None]
    asked = batch.submission
    ack = typed_data.BatchAck(
        Address(asked.node),
        asked.epoch,
        asked.batch_number,
        batch_root(accepted),
        len(accepted),
        now,
    )
    rejections = []
    for record in records:
        code = reject(record)
        if code is not None:
            rejection = typed_data.Rejection(record.session_id, record.receipt.sequence, code, now)
            rejections.append(
                api.SignedRejection(
                    rejection=wire(rejection, api.Rejection),
                    signature=sign(rejection.digest(DOMAIN), key),
                    reason="a test says so",
                )
            )
    return api.BatchAnswer(
        ack=wire(ack, api.BatchAck), signature=sign(ack.digest(DOMAIN), key), rejections=rejections
    )


@dataclass(slots=True)
class FakeCoordinator:
    """Answers like a coordinator; keeps what it was sent. `fails` may give a response to send instead."""

    clock: Callable[[], float]
    pools: list[api.Pool] = field(default_factory=lambda: [make_pool()])
    nodes: dict[bytes, api.Node] = field(default_factory=dict)
    batches: list[bytes] = field(default_factory=list)
    answers: dict[tuple[int, int], api.BatchAnswer] = field(default_factory=dict)
    registrations: list[api.SignedRegistration] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    reject: Callable[[SessionRecord], int | None] = lambda _: None
    fails: Callable[[str], httpx.Response | None] = lambda _: None
    look: Callable[[str], list[api.CheckStep]] | None = None
    """What it sees of an endpoint; without it, it is a coordinator that cannot look."""
    checks: list[api.SignedNodeCheck] = field(default_factory=list)
    chain_id: int = 31337
    poster_key: bytes = POSTER_KEY
    ahead_seconds: float = 0.0
    genesis: int = GENESIS
    epoch_seconds: int = EPOCH_SECONDS
    offers: list[tuple[bytes, str]] = field(default_factory=list)
    """Nodes that tickets are given for, with their endpoints, the first to be preferred."""
    requests: list[api.SessionRequest] = field(default_factory=list)
    tickets: int = 0
    ticket_bytes: int = 10_000_000
    ticket_seconds: int = 3600

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request: the handler of an httpx.MockTransport."""
        path = request.url.path
        self.paths.append(path)
        failure = self.fails(path)
        if failure is not None:
            return failure
        status, body = self.respond(request.method, path, request.read())
        return httpx.Response(status, content=body)

    def respond(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:  # noqa: PLR0911 - one a route
        if path == "/v1/config":
            config = make_config(
                self.clock() + self.ahead_seconds,
                genesis=self.genesis,
                epoch_seconds=self.epoch_seconds,
            )
            return _ok(config.model_copy(update={"chain_id": self.chain_id}))
        if path == "/v1/pools":
            return _ok(api.Pools(pools=self.pools))
        posts = {"/v1/batches": self._batch, "/v1/sessions": self._admit}
        if path in posts:
            return posts[path](body)
        if path == "/v1/reachability" and self.look is not None:
            return self._check(body, self.look)
        if path == "/v1/nodes" and method == "POST":
            return self._register(body)
        for pool in self.pools:
            if path == f"/v1/pools/{pool.pool_id}":
                return _ok(pool)
        if path.startswith("/v1/nodes/0x"):
            node = self.nodes.get(bytes.fromhex(path.removeprefix("/v1/nodes/0x")))
            return problem(404, "not-found") if node is None else _ok(node)
        return problem(404, "not-found")

    def _admit(self, body: bytes) -> tuple[int, bytes]:
        """Give a ticket to the first of `offers` that is not excluded."""
        request = api.SessionRequest.model_validate_json(body)
        self.requests.append(request)
        left = [offer for offer in self.offers if offer[0] not in request.excluded_nodes]
        if not left:
            return problem(503, "no-relay")
        node, endpoint = left[0]
        now = int(self.clock())
        epoch = (now - self.genesis) // self.epoch_seconds
        self.tickets += 1
        ticket, signature = make_ticket(
            node=Address(node),
            viewer=Address(request.viewer),
            epoch=epoch,
            nonce=self.tickets,
            max_bytes=self.ticket_bytes,
            issued_at=now,
            expires_at=min(
                now + self.ticket_seconds, self.genesis + (epoch + 1) * self.epoch_seconds
            ),
        )
        return _ok(
            api.Session(
                ticket=wire(ticket, api.SessionTicket), signature=signature, endpoint=endpoint
            )
        )

    def accepted_records(self) -> list[SessionRecord]:
        """Return the acknowledged records of all batches, in order."""
        records: list[SessionRecord] = []
        for data in self.batches:
            batch = api.Batch.model_validate_json(data)
            answer = self.answers.get((batch.submission.epoch, batch.submission.batch_number))
            if answer is not None:
                rejected = {signed.rejection.session_id for signed in answer.rejections}
                records += [
                    record for record in records_of(batch) if record.session_id not in rejected
                ]
        return records

    def _check(self, body: bytes, look: Callable[[str], list[api.CheckStep]]) -> tuple[int, bytes]:
        signed = api.SignedNodeCheck.model_validate_json(body)
        self.checks.append(signed)
        steps = look(signed.check.endpoint)
        return _ok(
            api.Reachability(
                endpoint=signed.check.endpoint,
                is_reachable=all(step.ok for step in steps),
                steps=steps,
                seen_from="203.0.113.9",
                checked_at=int(self.clock()),
            )
        )

    def _batch(self, body: bytes) -> tuple[int, bytes]:
        self.batches.append(body)
        batch = api.Batch.model_validate_json(body)
        key = (batch.submission.epoch, batch.submission.batch_number)
        answer = self.answers.get(key)
        if answer is None:
            answer = make_answer(batch, self.reject, key=self.poster_key, now=int(self.clock()))
            self.answers[key] = answer
        return _ok(answer)

    def _register(self, body: bytes) -> tuple[int, bytes]:
        signed = api.SignedRegistration.model_validate_json(body)
        wanted = signed.registration
        known = self.nodes.get(wanted.node)
        has_failed = known is not None and known.registration == "failed"
        expected = 0 if known is None else known.nonce + (not has_failed)
        if wanted.nonce != expected:
            return problem(409, "wrong-nonce", expectedNonce=expected)
        self.registrations.append(signed)
        self.nodes[wanted.node] = api.Node(
            node=wanted.node,
            payout=wanted.payout,
            endpoint=wanted.endpoint,
            nonce=wanted.nonce,
            registration="pending",
            is_healthy=True,
            open_sessions=0,
        )
        return _ok(self.nodes[wanted.node])


def problem(
    status: int, slug: str, detail: str = "because of a test", **extension: object
) -> tuple[int, bytes]:
    body = {
        "type": f"urn:streamrp2p:problem:{slug}",
        "title": slug,
        "status": status,
        "detail": detail,
        **extension,
    }
    return status, json.dumps(body).encode()


def _ok(model: api.Wire) -> tuple[int, bytes]:
    return 200, model.model_dump_json(by_alias=True).encode()
