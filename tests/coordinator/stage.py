"""A coordinator's services on the real contracts, with the chain's clock moved by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamrp2p.chain import DeployParameters
from streamrp2p_coordinator.bundles import Bundles
from streamrp2p_coordinator.database import Database
from streamrp2p_coordinator.jobs import run_epochs
from streamrp2p_coordinator.leadership import Leadership
from streamrp2p_coordinator.network import Policy, Signer
from streamrp2p_coordinator.outside.look import Outside
from streamrp2p_coordinator.sdk_chain import SdkChain
from streamrp2p_coordinator.services import Services
from streamrp2p_coordinator.use_cases.show_epochs import show_epochs
from tests.support.anvil import running_anvil
from tests.support.chain import POSTER, TICKET_SIGNER, DeployedChain, deploy_all


@dataclass
class Stage:
    """Services over a real chain whose time stands still but for `travel_to`."""

    chain: DeployedChain
    services: Services

    def travel_to(self, now: int) -> None:
        self.chain.travel_to(now)

    def tick(self, times: int = 1) -> None:
        for _ in range(times):
            run_epochs(self.services)
        assert self.services.failures == {}

    def states(self) -> list[str]:
        shown = show_epochs(
            0,
            9,
            database=self.services.database,
            network=self.services.network,
            clock=self.services.clock,
        )
        return [epoch.state for epoch in reversed(shown)]


@contextmanager
def staged(database: Database, folder: Path, parameters: DeployParameters) -> Iterator[Stage]:
    """Run a chain with a funded pool, and make the services over it."""
    with running_anvil(folder) as rpc_url:
        chain = deploy_all(rpc_url, folder, parameters)
        chain.fund_pool()
        sdk = SdkChain(chain.web3, chain.deployment)
        services = Services(
            database=database,
            leadership=Leadership(database, chain.now),
            chain=sdk,
            network=sdk.network(),
            policy=Policy(),
            bundles=Bundles(folder / "bundles"),
            poster=Signer.of(POSTER),
            ticket_signer=Signer.of(TICKET_SIGNER),
            look=Outside(sdk.network().domain, chain.now).look,
            clock=chain.now,
        )
        yield Stage(chain, services)
