"""The demo's contracts and pool, on a real chain."""

import time

import pytest

from streamrp2p.chain import Stream, connect
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p_demo.anvil import known_key
from streamrp2p_demo.market import (
    FUNDING,
    POSTER,
    PRICE_PER_GB,
    Grid,
    deploy_contracts,
    give_gas_money,
    let_time_mine,
    open_pool,
)

ORIGIN = Address(bytes([7]) * 20)
NODE = Address(bytes([8]) * 20)


@pytest.mark.integration
def test_a_pool_is_funded_and_the_poster_bonded(anvil: str) -> None:
    web3 = connect(anvil)
    deployment = deploy_contracts(web3, Grid(20, 3, 8))
    signer = Address(bytes([6]) * 20)

    market = open_pool(web3, deployment, Stream(ORIGIN, 150_000, "http://127.0.0.1:1"), signer)
    give_gas_money(web3, [NODE])

    pool = market.pools.pool(market.pool_id)
    assert pool is not None
    assert pool.remaining == FUNDING == market.token.balance_of(deployment.reward_pools)
    assert market.pools.terms_at(market.pool_id, 0).price_per_gb == PRICE_PER_GB
    assert market.book.state().poster == address_of(known_key(POSTER))
    assert market.book.state().is_bonded
    assert web3.eth.get_balance(web3.to_checksum_address(NODE)) == 10**18


@pytest.mark.integration
def test_blocks_come_by_themselves_once_time_mines(anvil: str) -> None:
    web3 = connect(anvil)

    let_time_mine(web3)
    before = web3.eth.block_number
    time.sleep(2.5)

    assert web3.eth.block_number >= before + 2
