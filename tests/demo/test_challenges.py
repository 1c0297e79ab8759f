"""What a challenge did is read from the chain alone."""

import pytest

from streamrp2p.chain.challenges import ChallengesContract
from streamrp2p.fraud import Evidence, Fraud, find_frauds
from streamrp2p.receipt import SessionRecord
from streamrp2p.settlement import settle
from streamrp2p.signatures import address_of
from streamrp2p.verify import Checked
from streamrp2p_demo.adversaries.inflating_poster import inflated
from streamrp2p_demo.challenges import challenges_of
from streamrp2p_demo.facts import Challenge
from streamrp2p_demo.market import Market
from tests.support.chain import ONE_TOKEN, POSTER, STRANGER, DeployedChain
from tests.support.stage import Stage


@pytest.mark.integration
def test_a_challenge_is_named_with_its_header_its_credit_and_the_time_that_was_left(
    deployed: DeployedChain,
) -> None:
    pool_id = deployed.fund_pool()
    stage = Stage(deployed, deployed.epoch_book.domain())
    honest = stage.honest((pool_id, 0, 10**9))
    records = map(SessionRecord.decode, honest.bundle.session_records)
    inputs = tuple(deployed.reward_pools.pool_inputs(0))
    lied = settle(stage.domain, 0, stage.parent, inputs, inflated(list(map(Checked, records))))
    stage.commit(lied)
    evidence = Evidence(
        stage.domain, lied.header, address_of(POSTER), inputs, lied.bundle, None, None
    )
    (fraud,) = [one for one in find_frauds(evidence) if isinstance(one, Fraud)]
    contract = ChallengesContract(deployed.web3, deployed.deployment.challenges)
    committed_at = deployed.epoch_book.status(0).committed_at
    assert committed_at is not None
    deployed.travel_to(committed_at + 12)

    sent = deployed.send(contract.call(fraud), STRANGER)
    left = committed_at + 30 - deployed.now()

    market = Market(deployed.web3, deployed.deployment, pool_id)
    assert challenges_of(market, market.book.voidings()) == (
        Challenge(
            0,
            lied.header.hash(),
            "Challenges.badSession",
            sent.transaction_hash,
            address_of(STRANGER),
            ONE_TOKEN // 2,
            ONE_TOKEN // 2,
            left,
        ),
    )
    assert 15 <= left <= 18
    assert market.book.credit_of(address_of(STRANGER)) == 10**18 // 2
