"""A live stream in memory: origin, relays and coordinator behind one httpx transport, on a clock of the test's own."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl

import httpx

from streamrp2p import api
from streamrp2p.numbers import Address, Hash, Signature
from streamrp2p.playlist import MediaObject, sign_playlist
from streamrp2p.signatures import address_of, check_signer, sign
from streamrp2p.typed_data import Domain, Receipt, SessionTicket

ORIGIN_KEY = bytes([1]) * 32
SIGNER_KEY = bytes([2]) * 32
DOMAIN = Domain(31337, Address(bytes([0xEB]) * 20))
POOL_ID = 7
GENESIS = 1_700_000_000
SEGMENT_BYTES = 1000


class FakeClock:
    """Moves when somebody sleeps, or when a server takes its time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.001)


def segment_bytes(sequence: int) -> bytes:
    return sha256(sequence.to_bytes(8)).digest() * (SEGMENT_BYTES // 32) + bytes(SEGMENT_BYTES % 32)


def map_bytes(visit: int) -> bytes:
    return b"map %d" % visit * 10


@dataclass
class FakeOrigin:
    """Publishes one segment of `seconds` after the other, but for a silence; signs anew every second."""

    clock: FakeClock
    seconds: float = 1.0
    window: int = 6
    skew: int = 0
    silence: tuple[float, float] | None = None
    """From when to when no encoder is connected."""
    first_sequence: int = 100
    visit_segments: int | None = None
    """After so many segments comes another visit, with a map of its own; None for media that need no map."""
    renditions: dict[str, int] = field(default_factory=lambda: {"source": 8000})
    """Name and bits per second."""
    can_block: bool = False
    can_skip: bool = False
    asked: list[str] = field(default_factory=list)
    """Names and queries of the playlists that were asked for."""

    def sequence_end(self, now: float) -> int:
        begin, end = self.silence or (now, now)
        live_seconds = min(now, begin) + max(now - end, 0.0) - 1000.0
        return self.first_sequence + 10 + int(live_seconds / self.seconds)

    def playlist(
        self, at: float | None = None, rendition: str = "source", skips: bool = False
    ) -> bytes:
        now = self.clock.now if at is None else at
        end = self.sequence_end(now)
        begin = max(end - self.window, self.first_sequence)
        control = ["CAN-BLOCK-RELOAD=YES"] * self.can_block + ["CAN-SKIP-UNTIL=6"] * self.can_skip
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{begin}\n"
        text += f"#EXT-X-SERVER-CONTROL:{','.join(control)}\n" if control else ""
        text += f"#EXT-X-STREAMRP2P-RENDITION:{rendition}\n"
        skipped = end - begin - 3 if skips and self.can_skip else 0
        text += f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}\n" if skipped else ""
        objects = []
        for sequence in range(begin + skipped, end):
            if self.visit_segments and (sequence == begin or sequence % self.visit_segments == 0):
                name = self.map_name(sequence)
                text += f'#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="{name}"\n'
                objects.append((name, map_bytes(sequence // self.visit_segments)))
            text += f"#EXTINF:{self.seconds:.6f},\n{sequence}.ts\n"
            objects.append((f"{sequence}.ts", segment_bytes(sequence)))
        return self._signed(text, objects, now)

    def map_name(self, sequence: int) -> str:
        return f"{sequence // (self.visit_segments or 1)}.mp4"

    def multivariant(self) -> bytes:
        text = "#EXTM3U\n#EXT-X-STREAMRP2P-MULTIVARIANT\n"
        for name, bandwidth in self.renditions.items():
            text += f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}\n{name}.m3u8\n"
        return self._signed(text, [], self.clock.now)

    def _signed(self, text: str, objects: list[tuple[str, bytes]], now: float) -> bytes:
        return sign_playlist(
            text,
            [MediaObject(name, len(data), Hash(sha256(data).digest())) for name, data in objects],
            pool_id=POOL_ID,
            domain=DOMAIN,
            published_at=GENESIS + self.skew + int(now),
            origin_key=ORIGIN_KEY,
        )

    def respond(self, name: str) -> httpx.Response:
        """Answer a request for a name, perhaps with a query."""
        name, _, query = name.partition("?")
        if name == "live.m3u8":
            self.asked.append(name)
            return httpx.Response(200, content=self.multivariant())
        if name.removesuffix(".m3u8") in self.renditions:
            self.asked.append(f"{name}?{query}")
            return self._media_playlist(name.removesuffix(".m3u8"), dict(parse_qsl(query)))
        if name.endswith(".mp4"):
            return httpx.Response(200, content=map_bytes(int(name.removesuffix(".mp4"))))
        if name.endswith(".ts"):
            return httpx.Response(200, content=segment_bytes(int(name.removesuffix(".ts"))))
        return problem(404, "object-unknown")

    def _media_playlist(self, rendition: str, query: dict[str, str]) -> httpx.Response:
        if self.can_block and "_HLS_msn" in query:
            asked_at = self.clock.now
            while self.sequence_end(self.clock.now) <= int(query["_HLS_msn"]):
                self.clock.sleep(0.05)
                if self.clock.now > asked_at + 3:
                    raise httpx.ReadTimeout("the encoder is silent")
        return httpx.Response(
            200, content=self.playlist(rendition=rendition, skips="_HLS_skip" in query)
        )


@dataclass
class FakeRelay:
    """An honest relay whose `spoil` may replace any answer. Keeps what it was paid."""

    key: bytes
    origin: FakeOrigin
    clock: FakeClock
    credit_bytes: int = 3 * SEGMENT_BYTES
    segment_delay_seconds: float = 0.05
    spoil: Callable[[str, httpx.Response], httpx.Response] = lambda _, response: response
    tickets: dict[bytes, SessionTicket] = field(default_factory=dict)
    receipts: dict[bytes, list[Receipt]] = field(default_factory=dict)
    served: dict[bytes, int] = field(default_factory=dict)
    is_down: bool = False
    is_strict: bool = False
    """Whether it serves nobody whose ticket has expired, by the coordinator's clock."""
    now: Callable[[], int] = lambda: 0
    loses: frozenset[int] = frozenset()
    """Sequences of receipts that it answers for and forgets, once each."""

    @property
    def address(self) -> Address:
        return address_of(self.key)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path
        if path == "/v1/sessions":
            return self.spoil("open", self._open(json.loads(request.content)))
        if path == "/v1/receipts":
            return self.spoil("receipt", self._receipt(request.content))
        return self._media(request, asked_for(request))

    def _media(self, request: httpx.Request, asked: str) -> httpx.Response:
        name = asked.partition("?")[0]
        session_id = bytes.fromhex(request.headers[api.SESSION_HEADER][2:])
        assert session_id in self.tickets, "the viewer must open its session first"
        if self.is_strict and self.now() >= self.tickets[session_id].expires_at:
            return problem(403, "ticket-expired")
        if name.endswith(".m3u8"):
            return self.spoil(name, self.origin.respond(asked))
        self.clock.now += self.segment_delay_seconds
        paid = max((each.bytes_delivered for each in self.receipts.get(session_id, [])), default=0)
        if self.served.get(session_id, 0) - paid > self.credit_bytes:
            return problem(402, "payment-required")
        response = self.spoil(name, self.origin.respond(name))
        if response.is_success:
            self.served[session_id] = self.served.get(session_id, 0) + len(response.content)
        return response

    def _open(self, body: object) -> httpx.Response:
        opening = api.OpenSession.model_validate(body)
        ticket = opening.ticket.message()
        check_signer(
            ticket.digest(DOMAIN), opening.signature, address_of(SIGNER_KEY), "the ticket signer"
        )
        assert ticket.node == self.address
        self.tickets[ticket.session_id] = ticket
        opened = api.OpenedSession(session_id=ticket.session_id, credit_bytes=self.credit_bytes)
        return httpx.Response(200, content=opened.model_dump_json(by_alias=True))

    def _receipt(self, content: bytes) -> httpx.Response:
        signed = api.SignedReceipt.model_validate_json(content)
        receipt = signed.receipt.message()
        ticket = self.tickets[receipt.session_id]
        check_signer(receipt.digest(DOMAIN), Signature(signed.signature), ticket.viewer, "viewer")
        if receipt.sequence not in self.loses:
            self.receipts.setdefault(receipt.session_id, []).append(receipt)
        return httpx.Response(204)


@dataclass
class FakeWorld:
    """Everything a viewer talks to; its `transport` is the network. `epoch_seconds` and `ticket_seconds` of tickets."""

    clock: FakeClock = field(default_factory=FakeClock)
    epoch_seconds: int = 1000
    ticket_seconds: int = 1000
    max_bytes: int = 1_000_000
    coordinator_is_down: bool = False
    coordinator_skew: int = 0
    relays: list[FakeRelay] = field(default_factory=list)
    max_bytes_per_second: int = 10_000
    rate_slack_seconds: int = 10
    heeds_exclusions: bool = True
    spoil: Callable[[api.Session], api.Session] = lambda session: session
    asked: int = 0
    """How often the coordinator was asked for anything, in vain or not."""
    requests: list[api.SessionRequest] = field(default_factory=list)
    origin_url: str = "http://origin"
    endpoints: dict[int, str] = field(default_factory=dict)
    """Of relays that are served on real sockets, by index."""

    def __post_init__(self) -> None:
        self.origin = FakeOrigin(self.clock)

    def add_relay(self, **options: object) -> FakeRelay:
        relay = FakeRelay(bytes([10 + len(self.relays)]) * 32, self.origin, self.clock, **options)  # type: ignore[arg-type]
        relay.now = lambda: self.coordinator_time
        self.relays.append(relay)
        return relay

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._handle)

    @property
    def coordinator_time(self) -> int:
        return GENESIS + self.coordinator_skew + int(self.clock.now)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host == "coordinator":
            self.asked += 1
            if self.coordinator_is_down:
                raise httpx.ConnectError("refused", request=request)
            return self._coordinator(request)
        if host == "origin":
            return self.origin.respond(asked_for(request))
        return self.relays[int(host.removeprefix("relay"))].handle(request)

    def _coordinator(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/v1/config":
            return _json(self._config())
        if re.fullmatch(r"/v1/pools/\d+", path):
            return _json(self._pool())
        asked = api.SessionRequest.model_validate_json(request.content)
        self.requests.append(asked)
        free = [
            index
            for index, relay in enumerate(self.relays)
            if relay.address not in asked.excluded_nodes or not self.heeds_exclusions
        ]
        if not free:
            return problem(503, "no-relay")
        return _json(self.spoil(self._session(free[0], Address(asked.viewer))))

    def _config(self) -> api.Config:
        return api.Config(
            chain_id=DOMAIN.chain_id,
            epoch_book=DOMAIN.epoch_book,
            reward_pools=bytes(20),
            node_registry=bytes(20),
            poster=bytes(20),
            ticket_signer=address_of(SIGNER_KEY),
            genesis=GENESIS,
            epoch_seconds=self.epoch_seconds,
            intake_grace_seconds=10,
            challenge_seconds=10,
            rate_slack_seconds=self.rate_slack_seconds,
            max_batch_records=100,
            time=self.coordinator_time,
        )

    def _pool(self) -> api.Pool:
        terms = api.Terms(price_per_gb=1, epoch_budget=1, ticket_signer=address_of(SIGNER_KEY))
        return api.Pool(
            pool_id=POOL_ID,
            streamer=bytes(20),
            token=bytes(20),
            origin_key=address_of(ORIGIN_KEY),
            origin_url=self.origin_url,
            max_bytes_per_second=self.max_bytes_per_second,
            created_epoch=0,
            closed_from_epoch=None,
            terms=terms,
            funded=1,
        )

    def _session(self, index: int, viewer: Address) -> api.Session:
        now = self.coordinator_time
        epoch = (now - GENESIS) // self.epoch_seconds
        end = GENESIS + (epoch + 1) * self.epoch_seconds
        expires_at = min(now + self.ticket_seconds, end)
        ticket = SessionTicket(
            POOL_ID, epoch, self.relays[index].address, viewer, self.max_bytes, now, expires_at,
            len(self.requests),
        )  # fmt: skip
        wire = api.SessionTicket.model_validate(
            {name: getattr(ticket, name) for name in api.SessionTicket.model_fields}
        )
        signature = sign(ticket.digest(DOMAIN), SIGNER_KEY)
        return api.Session(
            ticket=wire,
            signature=signature,
            endpoint=self.endpoints.get(index, f"http://relay{index}"),
        )


def asked_for(request: httpx.Request) -> str:
    """Return the name at the end of a request's path, with its query."""
    return request.url.raw_path.decode().rpartition("/")[2]


def problem(status: int, slug: str) -> httpx.Response:
    body = {
        "type": f"urn:streamrp2p:problem:{slug}",
        "title": slug,
        "status": status,
        "detail": f"it is {slug}",
    }
    return httpx.Response(status, json=body)


def _json(model: api.Wire) -> httpx.Response:
    return httpx.Response(200, content=model.model_dump_json(by_alias=True))
