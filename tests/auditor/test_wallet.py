"""The watchman's transactions on a real chain: followed until they end, dearer when they are stuck."""

from pathlib import Path

import pytest

from streamrp2p.chain import Call, broadcast, sign_call
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from streamrp2p.typed_data import Domain
from streamrp2p_auditor.state import State
from streamrp2p_auditor.wallet import MAX_SIGNED, PATIENCE_SECONDS, Wallet
from tests.support.chain import NODE, ONE_TOKEN, STRANGER, STREAMER, DeployedChain

pytestmark = pytest.mark.integration

ROOM_FOR_ONE_GAS = 70_000
ONE_WEI = Call(Address(bytes([9] * 20)), b"", 1)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "state")
    with state.locked(Domain(31337, Address(bytes(20)))):
        pass
    return state


def automine(chain: DeployedChain, *, on: bool) -> None:
    request(chain.web3, "evm_setAutomine", [on])


def mine(chain: DeployedChain) -> None:
    request(chain.web3, "evm_mine", [])


def sent(chain: DeployedChain) -> int:
    shown = "0x" + address_of(STRANGER).hex()
    return quantity(request(chain.web3, "eth_getTransactionCount", [shown, "latest"]))


def test_a_transaction_that_is_stuck_offers_more_and_is_mined_once(
    deployed: DeployedChain, state: State
) -> None:
    clock = Clock()
    wallet = Wallet(STRANGER, state, clock)
    automine(deployed, on=False)
    wallet.send(deployed.web3, ONE_WEI, "withdraw", case=None, shown="one wei")
    for _ in range(2 * MAX_SIGNED):
        assert wallet.follow(deployed.web3) is None
        clock.now += PATIENCE_SECONDS
    live = state.transaction()
    assert live is not None
    assert len(live.signed) == MAX_SIGNED
    mine(deployed)
    # As after kill -9.
    ended = Wallet(STRANGER, state, clock).follow(deployed.web3)
    assert ended is not None
    assert ended.transaction.end == "mined"
    assert ended.transaction.signed == live.signed[-1:], "the dearest took the place of the others"
    wallet.forget()
    assert not wallet.is_busy
    assert sent(deployed) == 1


def test_a_transaction_whose_nonce_another_took_is_given_up(
    deployed: DeployedChain, state: State
) -> None:
    wallet = Wallet(STRANGER, state, Clock())
    automine(deployed, on=False)
    wallet.send(deployed.web3, ONE_WEI, "withdraw", case=None, shown="one wei")
    live = state.transaction()
    assert live is not None
    other = sign_call(deployed.web3, ONE_WEI, STRANGER, nonce=live.nonce, fee_percent=300)
    broadcast(deployed.web3, other)
    mine(deployed)
    ended = wallet.follow(deployed.web3)
    assert ended is not None
    assert ended.transaction.end == "dropped"
    assert sent(deployed) == 1


def test_a_transaction_that_is_mined_without_effect_ended_so(
    deployed: DeployedChain, state: State
) -> None:
    token, owner, spender = deployed.token, address_of(STREAMER), address_of(STRANGER)
    deployed.send(token.approve_call(spender, ONE_TOKEN), STREAMER)
    automine(deployed, on=False)
    take = token._call("transferFrom", owner, spender, ONE_TOKEN)
    wallet = Wallet(STRANGER, state, Clock())
    wallet.send(deployed.web3, take, "withdraw", case=None, shown="take a token")
    forbid = sign_call(deployed.web3, token.approve_call(spender, 0), STREAMER, fee_percent=900)
    broadcast(deployed.web3, forbid)
    mine(deployed)
    ended = wallet.follow(deployed.web3)
    assert ended is not None
    assert (ended.transaction.end, ended.receipt) == ("reverted", None)


@pytest.mark.parametrize("offers", [1, MAX_SIGNED])
def test_what_became_pointless_while_it_waited_makes_way_for_the_next(
    deployed: DeployedChain, state: State, offers: int
) -> None:
    """Somebody else was first. What waits in the pool would hold up all that this key sends later."""
    token, owner, spender = deployed.token, address_of(STREAMER), address_of(STRANGER)
    deployed.send(token.approve_call(spender, ONE_TOKEN), STREAMER)
    automine(deployed, on=False)
    clock = Clock()
    wallet = Wallet(STRANGER, state, clock)
    take = token._call("transferFrom", owner, spender, ONE_TOKEN)
    wallet.send(deployed.web3, take, "demand", case=None, shown="take a token")
    for _ in range(offers - 1):
        clock.now += PATIENCE_SECONDS
        assert wallet.follow(deployed.web3) is None
    forbid = sign_call(deployed.web3, token.approve_call(spender, 0), STREAMER, fee_percent=900)
    broadcast(deployed.web3, forbid)
    request(deployed.web3, "evm_setBlockGasLimit", [hex(ROOM_FOR_ONE_GAS)])
    mine(deployed)
    assert sent(deployed) == 0
    assert wallet.follow(deployed.web3) is None
    clock.now += PATIENCE_SECONDS
    assert wallet.follow(deployed.web3) is None
    mine(deployed)
    # As after kill -9.
    ended = Wallet(STRANGER, state, clock).follow(deployed.web3)
    assert ended is not None
    assert (ended.transaction.end, ended.receipt) == ("dropped", None)
    assert ended.transaction.purpose == "demand"
    assert sent(deployed) == 1


def test_another_key_sends_what_was_recorded_but_signs_nothing_in_its_place(
    deployed: DeployedChain, state: State
) -> None:
    clock = Clock()
    automine(deployed, on=False)
    Wallet(STRANGER, state, clock).send(
        deployed.web3, ONE_WEI, "withdraw", case=None, shown="one wei"
    )
    before = state.transaction()
    clock.now += PATIENCE_SECONDS
    other = Wallet(NODE, state, clock)
    assert other.follow(deployed.web3) is None
    assert state.transaction() == before
    mine(deployed)
    assert other.follow(deployed.web3) is not None


def test_the_key_is_not_shown(state: State) -> None:
    assert STRANGER.hex() not in repr(Wallet(STRANGER, state, Clock()))
    assert repr(STRANGER) not in repr(Wallet(STRANGER, state, Clock()))
