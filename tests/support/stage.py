"""A small network on a real chain: two pools, three nodes, a poster that may be told to cheat, and bundle mirrors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler

from streamrp2p.bundle import Bundle
from streamrp2p.header import EpochHeader
from streamrp2p.numbers import Address, Hash
from streamrp2p.records import SignedRejection
from streamrp2p.settlement import GENESIS, Parent, Settlement, header_of, settle
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p.verify import Checked, Code
from tests.support.chain import POSTER, TICKET_SIGNER, DeployedChain
from tests.support.loopback import http_server
from tests.support.sessions import known_key, make_record, make_rejection, make_ticket

NODES = tuple(sorted(address_of(known_key(number)) for number in (1, 2, 3)))
VIEWER_KEYS = tuple(known_key(number) for number in range(10, 20))


@dataclass
class Stage:
    """The chain with what was committed on it. `bundles` are those that the poster published, by hash."""

    chain: DeployedChain
    domain: Domain
    parent: Parent = GENESIS
    next_epoch: int = 0
    bundles: dict[Hash, bytes] = field(default_factory=dict)

    def honest(self, *sessions: tuple[int, int, int]) -> Settlement:
        """Settle the next epoch of `(pool id, node index, bytes)` by the rules; nothing is committed."""
        epoch = self.next_epoch
        start = self.chain.epoch_book.clock().start(epoch)
        checked: list[Checked] = []
        rejections: list[SignedRejection] = []
        for number, (pool_id, node, delivered) in enumerate(sessions):
            viewer_key = VIEWER_KEYS[number]
            ticket = make_ticket(
                pool_id=pool_id,
                epoch=epoch,
                node=NODES[node],
                viewer_key=viewer_key,
                issued_at=start,
                nonce=number,
            )
            record = make_record(
                ticket,
                domain=self.domain,
                ticket_key=TICKET_SIGNER,
                viewer_key=viewer_key,
                delivered=delivered,
                on_time=delivered - number,
            )
            checked.append(Checked(record))
            rejections.append(
                make_rejection(
                    record,
                    domain=self.domain,
                    poster_key=POSTER,
                    code=Code.OVER_RATE,
                    received_at=start,
                )
            )
        self.chain.travel_to(
            max(self.chain.epoch_book.clock().intake_end(epoch), self.chain.now() + 1)
        )
        inputs = self.chain.reward_pools.pool_inputs(epoch)
        return settle(self.domain, epoch, self.parent, inputs, checked, rejections[:2])

    def commit(self, settled: Settlement) -> EpochHeader:
        """Commit and publish what the poster made; the next epoch builds on it."""
        self.commit_header(settled.header, settled.bundle.encode())
        self.parent = Parent.of(settled.header, settled.bundle)
        return settled.header

    def commit_header(self, header: EpochHeader, data: bytes) -> None:
        """Commit a header and publish bytes as its bundle."""
        self.chain.send(self.chain.epoch_book.commit_call(header), POSTER)
        self.bundles[header.data_hash] = data
        self.next_epoch += 1


def cheated(settled: Settlement, **parts: object) -> Settlement:
    """Return what a cheating poster commits: other rows or claims, with a header that fits them."""
    bundle: Bundle = replace(settled.bundle, **parts)  # type: ignore[arg-type]
    return Settlement(header_of(bundle), bundle)


def account(number: int) -> Address:
    """Return one of the nodes, in rising order."""
    return NODES[number]


@contextmanager
def mirror(bundles: dict[Hash, bytes]) -> Iterator[str]:
    """Serve bundles on a loopback port: a real server that never looks at what it gives; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            prefix, _, name = self.path.rpartition("/")
            data = bundles.get(Hash(bytes.fromhex(name.removeprefix("0x"))))
            if prefix != "/v1/bundles" or data is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base has it
            pass

    with http_server(Handler) as url:
        yield url
