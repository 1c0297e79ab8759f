"""A node's operator is told once of each epoch that pays and has become final."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from queue import Queue
from time import monotonic

import pytest

from streamrp2p import api
from streamrp2p.client import UnreachableError
from streamrp2p.notifications import Notifier, sender
from streamrp2p.numbers import ZERO_ADDRESS, Address
from streamrp2p_node.payouts import Payouts
from streamrp2p_node.telling import look_for_payouts
from tests.protocol.test_notifications import receiver, urls_file

NODE = Address(bytes([7]) * 20)


def earning(**final: int) -> api.Earnings:
    """Name what is final by pool, as `pool_1=10`; more is settled, which is not paid yet."""
    pools = [
        api.PoolEarning(
            pool_id=int(name.removeprefix("pool_")),
            token=ZERO_ADDRESS,
            settled=amount + 5,
            final=amount,
        )
        for name, amount in final.items()
    ]
    return api.Earnings(account=NODE, pools=pools, epochs=[])


def payouts_of(answers: Iterable[api.Earnings | Exception]) -> Payouts:
    waiting = iter(answers)

    def answer(account: bytes) -> api.Earnings:
        assert account == NODE
        found = next(waiting)
        if isinstance(found, Exception):
            raise found
        return found

    return Payouts(answer, NODE)


def test_what_was_final_before_the_node_started_is_no_news() -> None:
    payouts = payouts_of([earning(pool_1=10), earning(pool_1=10)])
    assert [payouts.news(), payouts.news()] == [None, None]


def test_each_payout_is_told_once_with_its_pools() -> None:
    payouts = payouts_of(
        [earning(), earning(pool_1=10), earning(pool_1=10), earning(pool_1=30, pool_2=4)]
    )
    assert [payouts.news() for _ in range(4)] == [
        None,
        "10 base units of pool 1 became final; to have them paid: streamrp2p node claim",
        None,
        "20 base units of pool 1, 4 base units of pool 2 became final; to have them paid: streamrp2p node claim",
    ]


def test_a_look_that_failed_loses_no_payout() -> None:
    payouts = payouts_of([earning(), UnreachableError("down"), earning(pool_1=10)])
    payouts.news()
    with pytest.raises(UnreachableError):
        payouts.news()
    assert payouts.news() is not None


@pytest.mark.integration
async def test_a_receiver_of_apprise_hears_of_it_though_the_coordinator_was_down(
    tmp_path: Path,
) -> None:
    bodies: Queue[dict[str, str]] = Queue()
    last = earning(pool_1=10)
    payouts = payouts_of([earning(), UnreachableError("down"), *[last] * 10_000])
    with receiver(200, bodies) as url:
        notifier = Notifier("node", sender(urls_file(tmp_path, url)), monotonic)
        looking = asyncio.create_task(look_for_payouts(payouts, notifier, seconds=0.01))
        body = await asyncio.to_thread(bodies.get, timeout=60)
        looking.cancel()
        notifier.close()
    assert body["title"] == "StreamrP2P node: payout ready"
    assert body["message"].startswith("10 base units of pool 1 became final")
    assert bodies.empty()
