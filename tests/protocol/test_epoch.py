from random import Random

from hypothesis import given
from hypothesis import strategies as st

from streamrp2p.epoch import NodeSessions, cut
from streamrp2p.verify import Checked
from tests.support.epochs import NODES, session_shapes, signed_record


def test_nothing_makes_no_pools() -> None:
    assert cut([]) == {}


def test_sessions_are_grouped_by_pool_and_rising_node_and_id() -> None:
    records = [
        Checked(signed_record(0, pool, node, 0, (100, 100), nonce))
        for nonce, (pool, node) in enumerate([(2, 0), (1, 1), (1, 0), (1, 1)])
    ]
    pools = cut(records)
    assert set(pools) == {1, 2}
    assert [nodes.node for nodes in pools[1]] == sorted(NODES[:2])
    assert pools[2] == (NodeSessions(NODES[0], (records[0],)),)
    of_node = next(nodes for nodes in pools[1] if nodes.node == NODES[1])
    assert of_node.weight == 200
    assert of_node.sessions == tuple(
        sorted((records[1], records[3]), key=lambda one: one.session_id)
    )


def test_sessions_without_weight_are_left_out() -> None:
    # One late byte weighs floor(1/2).
    assert cut([Checked(signed_record(0, 1, 0, 0, (1, 0), 0))]) == {}


@given(session_shapes, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    shapes: list[tuple[int, int, int, tuple[int, int]]], random: Random
) -> None:
    one = [Checked(signed_record(0, *shape, nonce)) for nonce, shape in enumerate(shapes)]
    other = list(one)
    random.shuffle(other)
    assert cut(one) == cut(other)
