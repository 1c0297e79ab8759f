"""What the origin must know from outside: the signing domain, the pool's rate, and that it names this very key."""

from dataclasses import dataclass
from pathlib import Path

from streamrp2p.client import CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_origin.errors import OriginSetupError


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """The domain to sign under, and what the pool's stream record says."""

    domain: Domain
    origin_key: Address
    max_bytes_per_second: int
    """What each viewer is credited at most."""


def pool_facts(
    pool_id: int,
    address: Address,
    coordinator: str | None,
    rpc: str | None,
    deployment: Path | None,
) -> PoolFacts:
    """Return the facts, from a coordinator or from the chain itself.

    Raises OriginSetupError when neither is named, or the pool's stream record names another origin key.
    """
    if coordinator is not None and rpc is None and deployment is None:
        facts = _from_coordinator(pool_id, coordinator)
    elif coordinator is None and rpc is not None and deployment is not None:
        facts = _from_chain(pool_id, rpc, deployment)
    else:
        raise OriginSetupError(
            "say where to learn chain and contracts: either --coordinator, or --rpc and --deployment"
        )
    if facts.origin_key != address:
        raise OriginSetupError(
            f"pool {pool_id} names the origin key 0x{facts.origin_key.hex()}, this folder holds "
            f"0x{address.hex()}: no viewer would trust it; use the other folder, "
            "or change the pool's stream record"
        )
    return facts


def _from_coordinator(pool_id: int, url: str) -> PoolFacts:
    with CoordinatorClient(url) as client:
        config = client.config()
        pool = client.pool(pool_id)
    return PoolFacts(
        Domain(config.chain_id, Address(config.epoch_book)),
        Address(pool.origin_key),
        pool.max_bytes_per_second,
    )


def _from_chain(pool_id: int, rpc: str, path: Path) -> PoolFacts:
    # Web3 takes a second to import, and with a coordinator it is not needed.
    from streamrp2p.chain import Deployment, RewardPoolsContract, connect  # noqa: PLC0415

    deployment = Deployment.load(path)
    web3 = connect(rpc, deployment.chain_id)
    pool = RewardPoolsContract(web3, deployment.reward_pools).pool(pool_id)
    if pool is None:
        raise OriginSetupError(
            f"the chain knows no pool {pool_id}: create it, streamrp2p pool create"
        )
    return PoolFacts(
        Domain(deployment.chain_id, deployment.epoch_book),
        pool.stream.origin_key,
        pool.stream.max_bytes_per_second,
    )
