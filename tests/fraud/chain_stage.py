"""The scene on a real chain, and a mutant's fall there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from streamrp2p.chain import Call, ChallengesContract, CommittedChunk
from streamrp2p.chain.rpc import quantity, request
from streamrp2p.fraud import Evidence, Fraud, find_frauds
from streamrp2p.header import EpochHeader
from streamrp2p.signatures import address_of
from tests.fraud.game import MOST_STEPS, Fall
from tests.fraud.mutant import Mutant
from tests.fraud.scene import (
    DOMAIN,
    EPOCH_SECONDS,
    FUNDS,
    GENESIS_TIME,
    LAST_EPOCH,
    NEW_TERMS,
    POOR_FUNDS,
    TERMS,
    honest,
    pool_inputs,
)
from tests.support.anvil import running_anvil
from tests.support.chain import (
    POSTER,
    SHORT_EPOCHS,
    STRANGER,
    STREAMER,
    DeployedChain,
    deploy_all,
    with_genesis,
)

PREPARATION_SECONDS = 1000
"""How long before genesis the chain starts: time for what is done in epoch 0, each block being a second."""
RESPONSE_SECONDS = 100
RULES = replace(SHORT_EPOCHS, challenge_seconds=4000, response_seconds=RESPONSE_SECONDS)
CHALLENGER = address_of(STRANGER)
GAS = 16_000_000


class NotSentError(Exception):
    """A transaction that reverted."""


@dataclass
class ChainStage:
    """The chain after epoch 2, with nothing committed. Transactions are unsigned: anvil knows the keys."""

    chain: DeployedChain
    challenges: ChallengesContract
    snapshots: dict[int, str] = field(default_factory=dict)
    """By the number of honest headers that stand."""

    def fall(self, mutant: Mutant) -> Fall:
        """Commit a mutant, play until it is void, and check all that must follow; the chain is as before then."""
        self._rewind_to(mutant.epoch.number)
        book, epoch = self.chain.epoch_book, mutant.epoch.number
        self.send(book.commit_call(mutant.header), POSTER)
        committed_at = book.status(epoch).committed_at
        assert committed_at is not None
        before = self._money()
        fall = self._play(mutant, committed_at)
        after = self._money()
        assert book.status(epoch).state == "none", "the header still stands"
        bond = RULES.bond_wei
        assert after["bond"] == 0
        assert after["reward"] - before["reward"] == bond // 2
        assert before["held"] - after["held"] == bond - bond // 2, "the rest is not burned"
        self.send(book.post_bond_call(bond), POSTER)
        self.send(book.commit_call(mutant.epoch.settled.header), POSTER)
        assert book.status(epoch).state == "pending"
        return fall

    def refuses_commit(self, header: EpochHeader) -> bool:
        """Tell whether the book does not even take a header."""
        self._rewind_to(LAST_EPOCH)
        try:
            self.send(self.chain.epoch_book.commit_call(header), POSTER)
        except NotSentError:
            return True
        return False

    def send(self, call: Call, key: bytes) -> None:
        """Send a call and wait for it; raises NotSentError when it reverts."""
        fields = {
            "from": "0x" + address_of(key).hex(),
            "to": "0x" + call.to.hex() if call.to else None,
            "data": "0x" + call.data.hex(),
            "value": hex(call.value),
            "gas": hex(GAS),
        }
        web3 = self.chain.web3
        sent = request(web3, "eth_sendTransaction", [fields])
        request(web3, "evm_mine", [])
        receipt = request(web3, "eth_getTransactionReceipt", [sent])
        if quantity(receipt["status"]) != 1:
            raise NotSentError(call.data[:4].hex())

    def _play(self, mutant: Mutant, committed_at: int) -> Fall:
        demands, header = self.chain.data_demands, mutant.header
        for answered in range(MOST_STEPS):
            published = demands.published(header.hash(), committed_at)
            step = next(find_frauds(self._evidence(mutant), published), None)
            assert step is not None, "nothing is found"
            if isinstance(step, Fraud):
                self.send(self.challenges.call(step), STRANGER)
                return Fall(step.proof, step.function, answered)
            self.send(demands.demand_call(header, step), STRANGER)
            demanded = CommittedChunk(header.epoch, header.hash(), committed_at, step.chunk)
            proven = mutant.answer(step.chunk)
            try:
                if proven is not None:
                    self.send(demands.publish_call(demanded, proven), POSTER)
                    continue
            except NotSentError:
                pass
            self.chain.travel_to(self.chain.now() + RESPONSE_SECONDS)
            self.send(demands.expire_call(demanded), STRANGER)
            assert demands.credit_of(CHALLENGER) == demands.rules.demand_bond_wei
            return Fall("Withheld", "expire", answered + 1)
        raise AssertionError(f"still stands after {MOST_STEPS} steps")

    def _evidence(self, mutant: Mutant) -> Evidence:
        """Return what the public has, with the chain's own facts."""
        return replace(mutant.evidence(), poster=address_of(POSTER))

    def _rewind_to(self, epoch: int) -> None:
        """Undo all but the honest headers before `epoch`, and commit those of them that are not there."""
        web3 = self.chain.web3
        known = {number: name for number, name in self.snapshots.items() if number <= epoch}
        last = max(known, default=0)
        if known:
            # Reverting uses a snapshot up, with all that came after it.
            assert request(web3, "evm_revert", [known[last]])
        known[last] = str(request(web3, "evm_snapshot", []))
        for number in range(last, epoch):
            self.send(self.chain.epoch_book.commit_call(honest(number).settled.header), POSTER)
            known[number + 1] = str(request(web3, "evm_snapshot", []))
        self.snapshots = known

    def _money(self) -> dict[str, int]:
        """Return wei: the bond, the challenger's credit, all that the book holds."""
        book = self.chain.epoch_book
        held = request(self.chain.web3, "eth_getBalance", ["0x" + book.address.hex(), "latest"])
        return {
            "bond": book.state().bond_wei,
            "reward": book.credit_of(CHALLENGER),
            "held": quantity(held),
        }


@contextmanager
def running_stage(folder: Path) -> Iterator[ChainStage]:
    """Run the scene on an anvil of its own, up to the end of the last epoch's intake."""
    start = str(GENESIS_TIME - PREPARATION_SECONDS)
    with running_anvil(folder, "--timestamp", start) as rpc_url:
        chain = deploy_all(rpc_url, folder, with_genesis(GENESIS_TIME, RULES))
        assert chain.epoch_book.domain() == DOMAIN
        _act(chain)
        for epoch in range(LAST_EPOCH + 1):
            assert tuple(chain.reward_pools.pool_inputs(epoch)) == pool_inputs(epoch)
        # A block that is mined by itself may come between a snapshot and what belongs to it.
        request(chain.web3, "evm_setAutomine", [False])
        address = chain.deployment.challenges
        yield ChainStage(chain, ChallengesContract(chain.web3, address))


def _act(chain: DeployedChain) -> None:
    """Do what the scene says of the pools."""

    def create(funds: int) -> int:
        return chain.fund_pool(
            amount=funds, price_per_gb=TERMS.price_per_gb, epoch_budget=TERMS.epoch_budget
        )

    assert [create(funds) for funds in (FUNDS, FUNDS, FUNDS, FUNDS, POOR_FUNDS)] == [1, 2, 3, 4, 5]
    pools = chain.reward_pools
    _travel_to_epoch(chain, 1)
    chain.send(pools.close_call(2), STREAMER)
    chain.send(pools.set_terms_call(4, NEW_TERMS, 2), STREAMER)
    _travel_to_epoch(chain, 2)
    assert create(FUNDS) == 6
    chain.send(chain.token.approve_call(pools.address, FUNDS), STREAMER)
    chain.send(pools.deposit_call(4, FUNDS), STREAMER)
    chain.travel_to(GENESIS_TIME + (LAST_EPOCH + 1) * EPOCH_SECONDS + RULES.intake_grace_seconds)


def _travel_to_epoch(chain: DeployedChain, epoch: int) -> None:
    chain.travel_to(GENESIS_TIME + epoch * EPOCH_SECONDS)
