"""Transactions: recorded before they are sent, sent twice without harm, and their failures named."""

import sys

import pytest
from web3 import Web3

from streamrp2p.chain import (
    Call,
    ChainError,
    DataDemandsContract,
    DemandRules,
    DeployParameters,
    EpochBookContract,
    InsufficientFundsError,
    NonceTooLowError,
    Receipt,
    StreamTokenContract,
    TransactionPendingError,
    TransactionRevertedError,
    broadcast,
    connect,
    deploy,
    receipt_of,
    send,
    sign_call,
    stream_token,
    wait_for,
)
from streamrp2p.chain.funding import InsufficientTokensError, deposit
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.keys import new_private_key
from streamrp2p.numbers import Address
from streamrp2p.signatures import address_of
from tests.support.chain import (
    DEPLOYER,
    ONE_TOKEN,
    STRANGER,
    STREAMER,
    WALLET_TOKENS,
    DeployedChain,
)

pytestmark = pytest.mark.integration

TO = Address(bytes([9] * 20))
ONE_WEI = Call(TO, b"", 1)


def balance(chain: DeployedChain, account: Address) -> int:
    return quantity(request(chain.web3, "eth_getBalance", ["0x" + account.hex(), "latest"]))


def test_signed_transaction_can_be_sent_again_after_a_crash(deployed: DeployedChain) -> None:
    signed = sign_call(deployed.web3, ONE_WEI, STRANGER)
    assert receipt_of(deployed.web3, signed.hash) is None
    broadcast(deployed.web3, signed)
    broadcast(connect(deployed.rpc_url), signed)
    receipt = wait_for(deployed.web3, signed.hash)
    assert (receipt.transaction_hash, receipt.contract) == (signed.hash, None)
    assert receipt.gas_used == 21_000
    assert balance(deployed, TO) == 1


def test_transaction_that_waits_in_the_pool_may_be_sent_again(deployed: DeployedChain) -> None:
    request(deployed.web3, "evm_setAutomine", [False])
    signed = sign_call(deployed.web3, ONE_WEI, STRANGER)
    broadcast(deployed.web3, signed)
    broadcast(deployed.web3, signed)
    with pytest.raises(TransactionPendingError) as caught:
        wait_for(deployed.web3, signed.hash, wait_seconds=0.2)
    assert caught.value.transaction_hash == signed.hash
    assert caught.value.retryable
    following = sign_call(deployed.web3, ONE_WEI, STRANGER)
    assert following.nonce == signed.nonce + 1
    request(deployed.web3, "evm_mine", [])
    assert wait_for(deployed.web3, signed.hash).block == deployed.epoch_book.latest_block()


def test_taken_nonce_is_retryable(deployed: DeployedChain) -> None:
    first = sign_call(deployed.web3, ONE_WEI, STRANGER)
    second = sign_call(deployed.web3, Call(TO, b"", 2), STRANGER, nonce=first.nonce)
    broadcast(deployed.web3, first)
    wait_for(deployed.web3, first.hash)
    with pytest.raises(NonceTooLowError) as caught:
        broadcast(deployed.web3, second)
    assert caught.value.retryable


def test_revert_is_named_before_anything_is_sent(deployed: DeployedChain) -> None:
    account = address_of(STRANGER)
    before = balance(deployed, account)
    with pytest.raises(TransactionRevertedError, match="RewardPools_UnknownPool"):
        send(deployed.web3, deployed.reward_pools.close_call(9), STRANGER)
    assert balance(deployed, account) == before


def test_transaction_that_was_mined_without_effect_says_why(deployed: DeployedChain) -> None:
    call = deployed.reward_pools.close_call(deployed.fund_pool(amount=0))
    first = sign_call(deployed.web3, call, STREAMER)
    # Its trial passes too, as the first is not mined yet.
    second = sign_call(deployed.web3, call, STREAMER, nonce=first.nonce + 1)
    broadcast(deployed.web3, first)
    broadcast(deployed.web3, second)
    with pytest.raises(TransactionRevertedError) as caught:
        wait_for(deployed.web3, second.hash)
    assert caught.value.name == "RewardPools_PoolClosed"


def test_sender_without_ether_is_told(deployed: DeployedChain) -> None:
    with pytest.raises(InsufficientFundsError, match="send it some ether"):
        send(deployed.web3, ONE_WEI, new_private_key())
    with pytest.raises(InsufficientFundsError):
        send(deployed.web3, Call(TO, b"", 10**30), STRANGER)


def test_deposit_takes_one_transaction_by_permit(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(amount=0)
    before = deployed.epoch_book.latest_block()
    made = deposit(deployed.reward_pools, deployed.token, pool_id, 5 * ONE_TOKEN, STRANGER)
    assert (made.credited, made.way) == (5 * ONE_TOKEN, "permit")
    assert deployed.epoch_book.latest_block() == before + 1
    assert deployed.token.allowance(address_of(STRANGER), deployed.reward_pools.address) == 0
    assert deployed.token.balance_of(address_of(STRANGER)) == WALLET_TOKENS - 5 * ONE_TOKEN


def test_deposit_without_permit_approves_exactly_the_amount(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(amount=0)
    made = deposit(deployed.reward_pools, deployed.token, pool_id, 7, STRANGER, use_permit=False)
    assert (made.credited, made.way) == (7, "approval")
    assert deployed.token.allowance(address_of(STRANGER), deployed.reward_pools.address) == 0


def test_token_with_permits_of_another_kind_is_approved_instead(
    deployed: DeployedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)"
    monkeypatch.setattr(stream_token, "PERMIT_TYPE", other)
    pool_id = deployed.fund_pool(amount=0)
    made = deposit(deployed.reward_pools, deployed.token, pool_id, 7, STRANGER)
    assert (made.credited, made.way) == (7, "approval")


def test_permit_is_for_contracts_that_have_it(deployed: DeployedChain) -> None:
    pretended = StreamTokenContract(deployed.web3, deployed.node_registry.address)
    assert pretended.sign_permit(STRANGER, TO, 1, 2**40) is None
    assert pretended.symbol == "tokens"


def test_allowance_that_is_there_is_used(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(amount=0)
    pools = deployed.reward_pools
    deployed.send(deployed.token.approve_call(pools.address, 10), STRANGER)
    assert deposit(pools, deployed.token, pool_id, 7, STRANGER).way == "allowance"
    assert deployed.token.allowance(address_of(STRANGER), pools.address) == 3


def test_deposit_beyond_the_balance_names_both(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(amount=0)
    with pytest.raises(InsufficientTokensError, match="SRP") as caught:
        deposit(deployed.reward_pools, deployed.token, pool_id, WALLET_TOKENS + 1, STRANGER)
    assert (caught.value.held, caught.value.needed) == (WALLET_TOKENS, WALLET_TOKENS + 1)


def test_deposit_into_a_closing_pool_is_refused_by_name(deployed: DeployedChain) -> None:
    pool_id = deployed.fund_pool(amount=0)
    deployed.send(deployed.reward_pools.close_call(pool_id), STREAMER)
    with pytest.raises(TransactionRevertedError, match="create a new pool"):
        deposit(deployed.reward_pools, deployed.token, pool_id, 7, STRANGER)


def test_deployment_takes_an_existing_token_and_a_genesis(deployed: DeployedChain) -> None:
    token = deployed.token.address
    block = deployed.epoch_book.latest_block()
    made = deploy(deployed.web3, DEPLOYER, DeployParameters(genesis=12345, stream_token=token))
    assert (made.stream_token, made.block) == (token, block + 1)
    assert deployed.epoch_book.latest_block() == block + 5
    book = EpochBookContract(deployed.web3, made.epoch_book)
    assert (book.rules.genesis, book.rules.epoch_seconds) == (12345, 3600)
    assert book.poster() == address_of(DEPLOYER)


def test_deployment_with_a_transaction_in_between_is_refused(
    deployed: DeployedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_and_transfer(web3: Web3, call: Call, private_key: bytes) -> Receipt:
        receipt = send(web3, call, private_key)
        send(web3, ONE_WEI, private_key)
        return receipt

    monkeypatch.setattr(sys.modules[deploy.__module__], "send", send_and_transfer)
    with pytest.raises(ChainError, match="another transaction of the deployer came between"):
        deploy(deployed.web3, DEPLOYER, DeployParameters())


def test_deployment_leaves_a_24th_of_the_challenge_window_for_an_answer(
    deployed: DeployedChain,
) -> None:
    demands = deployed.data_demands
    assert demands.rules == DemandRules(deployed.deployment.epoch_book, 1, 10**16)
    made = deploy(deployed.web3, DEPLOYER, DeployParameters(challenge_seconds=86_400))
    assert DataDemandsContract(deployed.web3, made.data_demands).rules.response_seconds == 3600


def test_deployment_whose_window_is_too_short_for_demands_is_refused(
    deployed: DeployedChain,
) -> None:
    with pytest.raises(TransactionRevertedError, match=r"BadParameter\(name=responseSeconds\)"):
        deploy(deployed.web3, DEPLOYER, DeployParameters(challenge_seconds=3))


def test_deployment_that_the_book_refuses_names_the_parameter(deployed: DeployedChain) -> None:
    with pytest.raises(TransactionRevertedError, match=r"BadParameter\(name=bondWei\)"):
        deploy(deployed.web3, DEPLOYER, DeployParameters(bond_wei=0))
