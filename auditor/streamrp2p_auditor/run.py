"""Opens the chain and the sources that the options name, and judges one epoch or many."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.bundle_store import BundleStore, sources_of
from streamrp2p.chain import Chain, Deployment, EpochBookContract, RewardPoolsContract, connect
from streamrp2p.errors import StreamrP2PError
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.errors import AuditError
from streamrp2p_auditor.judge import judge
from streamrp2p_auditor.report import Outcome


@dataclass(frozen=True, slots=True)
class Sources:
    """Where chain, bundles and evidence are read: RPC URLs, files, servers of bundles, a node's folder of batches."""

    rpc: str
    deployment_file: Path
    bundle_files: tuple[Path, ...]
    servers: tuple[str, ...]
    batches: Path | None = None

    def open(self) -> tuple[Chain, BundleStore]:
        """Connect; raises what the chain's wrappers raise, and MalformedError for a server's URL that is none."""
        prepared = self.prepare()
        return prepared.connect(), prepared.bundles

    def prepare(self, book: type[EpochBookContract] = EpochBookContract) -> "Prepared":
        """Read the deployment file; raises DeploymentError, and MalformedError for a server's URL that is none."""
        bundles = BundleStore(sources_of(self.bundle_files, self.servers))
        return Prepared(self.rpc, Deployment.load(self.deployment_file), bundles, book)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sources that were opened as far as that needs no network. `book` is the wrapper that reads the headers."""

    rpc: str
    deployment: Deployment
    bundles: BundleStore
    book: type[EpochBookContract]

    @property
    def domain(self) -> Domain:
        """Which chain and deployment this is."""
        return Domain(self.deployment.chain_id, self.deployment.epoch_book)

    def connect(self) -> Chain:
        """Connect to the first RPC that serves the chain; raises what the chain's wrappers raise."""
        block = self.deployment.block
        web3 = connect(self.rpc, self.deployment.chain_id)
        return Chain(
            self.book(web3, self.deployment.epoch_book, from_block=block),
            RewardPoolsContract(web3, self.deployment.reward_pools, from_block=block),
            self.domain,
        )


def audit_one(sources: Sources, epoch: int) -> Outcome:
    """Judge one epoch; whatever keeps it from a verdict is the outcome."""
    try:
        return judge(*sources.open(), epoch, sources.batches)
    except StreamrP2PError as error:
        return error


def audit_many(sources: Sources, first: int, last: int | None) -> Iterator[tuple[int, Outcome]]:
    """Judge the epochs from `first` to `last`, or to the newest; raises when nothing can be opened at all."""
    chain, bundles = sources.open()
    for epoch in _range(chain, first, last):
        try:
            yield epoch, judge(chain, bundles, epoch, sources.batches)
        except StreamrP2PError as error:
            yield epoch, error


def _range(chain: Chain, first: int, last: int | None) -> Iterable[int]:
    newest = chain.newest_epoch() if last is None else last
    if newest is None and first == 0:
        return ()
    if newest is None or first > newest:
        to = "nothing is committed yet" if newest is None else f"the last to judge is {newest}"
        raise AuditError(f"there is no epoch from {first} on: {to}; name an earlier one")
    return range(first, newest + 1)
