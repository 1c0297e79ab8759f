"""What the origin must know from outside: the signing domain, and that its pool names this very key."""

from pathlib import Path

from streamrp2p.client import CoordinatorClient
from streamrp2p.numbers import Address
from streamrp2p.typed_data import Domain
from streamrp2p_origin.errors import OriginSetupError


def pool_facts(
    pool_id: int,
    address: Address,
    coordinator: str | None,
    rpc: str | None,
    deployment: Path | None,
) -> Domain:
    """Return the domain to sign under, from a coordinator or from the chain itself.

    Raises OriginSetupError when neither is named, or the pool's stream record names another origin key.
    """
    if coordinator is not None and rpc is None and deployment is None:
        domain, origin_key = _from_coordinator(pool_id, coordinator)
    elif coordinator is None and rpc is not None and deployment is not None:
        domain, origin_key = _from_chain(pool_id, rpc, deployment)
    else:
        raise OriginSetupError(
            "say where to learn chain and contracts: either --coordinator, or --rpc and --deployment"
        )
    if origin_key != address:
        raise OriginSetupError(
            f"pool {pool_id} names the origin key 0x{origin_key.hex()}, this folder holds "
            f"0x{address.hex()}: no viewer would trust it; use the other folder, "
            "or change the pool's stream record"
        )
    return domain


def _from_coordinator(pool_id: int, url: str) -> tuple[Domain, Address]:
    with CoordinatorClient(url) as client:
        config = client.config()
        pool = client.pool(pool_id)
    return Domain(config.chain_id, Address(config.epoch_book)), Address(pool.origin_key)


def _from_chain(pool_id: int, rpc: str, path: Path) -> tuple[Domain, Address]:
    # Web3 takes a second to import, and with a coordinator it is not needed.
    from streamrp2p.chain import Deployment, RewardPoolsContract, connect  # noqa: PLC0415

    deployment = Deployment.load(path)
    web3 = connect(rpc, deployment.chain_id)
    pool = RewardPoolsContract(web3, deployment.reward_pools).pool(pool_id)
    if pool is None:
        raise OriginSetupError(
            f"the chain knows no pool {pool_id}: create it, streamrp2p pool create"
        )
    return Domain(deployment.chain_id, deployment.epoch_book), pool.stream.origin_key
