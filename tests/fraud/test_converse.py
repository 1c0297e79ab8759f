"""Nothing is found where nothing is wrong."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from streamrp2p.fraud import Evidence, Fraud, find_frauds
from streamrp2p.numbers import Hash
from streamrp2p.settlement import GENESIS, Parent, settle
from streamrp2p.verify import Checked
from tests.fraud.game import play
from tests.fraud.mutant import Mutant, plan, promise, silent
from tests.fraud.scene import LAST_EPOCH, NODES, honest
from tests.support.epochs import DOMAIN as EPOCHS_DOMAIN
from tests.support.epochs import POSTER, Epoch, epochs


def right(epoch: int) -> Mutant:
    """Return the honest header, whose poster answers everything."""
    settled = honest(epoch).settled
    answer = plan(epoch).build().answer
    return Mutant("honest", "header", honest(epoch), settled.header, settled.bundle, answer)


@pytest.mark.parametrize("epoch", range(LAST_EPOCH + 1))
def test_nothing_is_found_in_an_honest_epoch(epoch: int) -> None:
    records = [one for one in honest(epoch).records if one.ticket.node == NODES[0]]
    mutant = replace(right(epoch), acknowledged=promise(records, epoch))
    assert list(find_frauds(mutant.evidence())) == []


@pytest.mark.parametrize("epoch", range(LAST_EPOCH + 1))
def test_nothing_is_found_in_an_honest_epoch_whose_leaves_are_known_by_demands_alone(
    epoch: int,
) -> None:
    assert play(replace(right(epoch), published=None)) is None


def test_a_wrong_data_hash_is_no_fraud_while_all_leaves_are_right() -> None:
    mutant = right(LAST_EPOCH)
    wrong = replace(mutant, header=replace(mutant.header, data_hash=Hash(bytes(32))))
    assert list(find_frauds(wrong.evidence())) == []


def test_another_file_over_honest_roots_is_no_fraud_once_the_demands_are_answered() -> None:
    wrong = plan()
    wrong.node(1, NODES[0]).fields["reward"] = 7
    mutant = replace(right(LAST_EPOCH), published=wrong.build().bundle)
    assert play(mutant) is None
    fall = play(replace(mutant, answer=silent))
    assert fall is not None
    assert fall.function == "expire"


def test_a_wrong_parents_bundle_accuses_nobody() -> None:
    evidence = right(LAST_EPOCH).evidence()
    other = honest(0).settled.bundle
    found = list(find_frauds(replace(evidence, parent_bundle=other)))
    assert [one for one in found if isinstance(one, Fraud)] == []


@settings(max_examples=20)
@given(epochs())
def test_nothing_is_found_in_any_honest_epoch(epoch: Epoch) -> None:
    settled = settle(
        EPOCHS_DOMAIN, 0, GENESIS, epoch.pools, map(Checked, epoch.records), epoch.rejections
    )
    evidence = Evidence(
        EPOCHS_DOMAIN, settled.header, POSTER, tuple(epoch.pools), settled.bundle, None, None
    )
    assert list(find_frauds(evidence)) == []
    after = settle(EPOCHS_DOMAIN, 1, Parent.of(settled.header, settled.bundle), epoch.pools, [])
    child = Evidence(
        EPOCHS_DOMAIN,
        after.header,
        POSTER,
        tuple(epoch.pools),
        after.bundle,
        settled.header,
        settled.bundle,
    )
    assert list(find_frauds(child)) == []
