"""Hands one epoch's batches in over several connections, each again until it is acknowledged."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import httpx

from benchmarks.load.traffic import Handover, Order, make
from streamrp2p import api
from streamrp2p.typed_data import Domain

CONNECTIONS = 8
RETRY_SECONDS = 0.1
READ_SECONDS = 60.0
CHUNK = 4


@dataclass
class Tally:
    """What was acknowledged, how long each answer took, and what must be settled."""

    sessions: int = 0
    repeats: int = 0
    seconds: list[float] = field(default_factory=list)
    weights: Counter[tuple[int, bytes]] = field(default_factory=Counter)

    def add(self, handover: Handover, answer: api.BatchAnswer, seconds: float) -> None:
        """Count an answer; raises AssertionError when anything of the batch was refused."""
        if answer.rejections or answer.ack.accepted != handover.count:
            reasons = {each.reason for each in answer.rejections}
            raise AssertionError(
                f"right records were refused: {reasons}; if the machine is too slow for so many in an epoch, "
                "take longer epochs or fewer sessions"
            )
        self.sessions += handover.count
        self.seconds.append(seconds)
        self.weights.update(handover.weights)


def signed(orders: Iterable[Order], domain: Domain) -> list[Handover]:
    """Make every batch beforehand, on all cores: signing costs more than taking in, and nodes do it elsewhere."""
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return list(processes.map(partial(make, domain=domain), orders, chunksize=CHUNK))


def hand_in(
    url: str,
    handovers: Sequence[Handover],
    on_progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Send every batch and return the tally; `on_progress` is called, in this thread, after each acknowledgement.

    A batch that is not answered, since the coordinator was killed, is sent again as the same bytes.
    """
    return asyncio.run(_hand_in(url, handovers, on_progress))


async def _hand_in(
    url: str, handovers: Sequence[Handover], on_progress: Callable[[Tally], None]
) -> Tally:
    tally = Tally()
    waiting = iter(handovers)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, timeout=READ_SECONDS, limits=limits) as http:

        async def send() -> None:
            for handover in waiting:
                began = time.perf_counter()
                answer = await _acknowledged(http, handover, tally)
                tally.add(handover, answer, time.perf_counter() - began)
                on_progress(tally)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(send())
    return tally


async def _acknowledged(
    http: httpx.AsyncClient, handover: Handover, tally: Tally
) -> api.BatchAnswer:
    headers = {"Content-Type": "application/json"}
    while True:
        try:
            response = await http.post("/v1/batches", content=handover.body, headers=headers)
        except httpx.TransportError:
            tally.repeats += 1
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if response.status_code == httpx.codes.OK:
            return api.BatchAnswer.model_validate_json(response.content)
        if "Retry-After" not in response.headers:
            raise AssertionError(f"{response.status_code}: {response.text}")
        tally.repeats += 1
        await asyncio.sleep(RETRY_SECONDS)
