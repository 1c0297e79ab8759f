"""One sync for all receipts that arrive while the last sync runs: many viewers cost no more than one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamrp2p_node.frames import Frame
from streamrp2p_node.journal import Journal


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes | None
    """Encoded frames, or None for a rewrite."""
    done: asyncio.Future[None]


class GroupCommit:
    """Durable appends to one journal, and its rewriting, in one order, from coroutines of one event loop.

    `snapshot` returns the compacted journal. A caller must apply its entry to what `snapshot` sees before it awaits
    anything else, or a rewrite would lose it.
    """

    def __init__(self, journal: Journal, snapshot: Callable[[], Sequence[Frame]]) -> None:
        self._journal = journal
        self._snapshot = snapshot
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, data: bytes) -> None:
        """Return once `data` is on the disk; raises StorageError when it may not be."""
        await self._wait_for(data)

    async def rewrite(self) -> None:
        """Return once the journal is replaced by its compacted form; raises StorageError."""
        await self._wait_for(None)

    async def _wait_for(self, data: bytes | None) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(data, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._write(group)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
                for waiting in group:
                    if not waiting.done.done():
                        waiting.done.set_exception(error)
            else:
                for waiting in group:
                    if not waiting.done.done():
                        waiting.done.set_result(None)

    async def _write(self, group: Sequence[_Waiting]) -> None:
        # After a failed sync nobody knows what of the old file is on the disk: it is written anew.
        if self._journal.is_damaged or any(waiting.data is None for waiting in group):
            # Those whose entries the last group wrote run first, and apply them.
            await asyncio.sleep(0)
            await asyncio.to_thread(self._journal.rewrite, self._snapshot())
        data = b"".join(waiting.data for waiting in group if waiting.data is not None)
        if data:
            await asyncio.to_thread(self._journal.append_synced, data)
