"""The grader for event loops. What waits while a batch is graded is the next batch, so many callers cost few calls."""

import asyncio
import weakref
from collections.abc import Sequence

from azr.grading.grader import Grader
from azr.types import Answer, Task

Item = tuple["str | Task", str]
"""(task, or its text, completion)"""
MOST = 4096
"""Items of one batch."""


class _Queue:
    """What waits in one event loop."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self.drain: asyncio.Task[None] | None = None


class AsyncGrader:
    """Verdicts beside the event loop. Several loops and threads may share one.

    grader = AsyncGrader()
    answers = await grader.grade([(row["task"], text) for row, text in pairs])
    """

    def __init__(self, grader: Grader | None = None) -> None:
        self.grader = grader or Grader()
        """The same, without an event loop."""
        self._queues: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = weakref.WeakKeyDictionary()

    async def grade(self, items: Sequence[Item]) -> list[Answer]:
        """One verdict for each (task, completion), in order. A row without one has `Answer.failed`; none raises.

        Raises:
            SandboxError: the sandbox cannot be used at all, such as after a fork.
        """
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, _Queue())
        futures: list[asyncio.Future[Answer]] = [loop.create_future() for _ in items]
        queue.waiting += zip(items, futures, strict=True)
        if queue.drain is None:
            queue.drain = loop.create_task(self._drain(queue))
        return list(await asyncio.gather(*futures))

    async def answer(self, task: "str | Task", completion: str) -> Answer:
        """The verdict on one completion."""
        (found,) = await self.grade([(task, completion)])
        return found

    async def _drain(self, queue: _Queue) -> None:
        """Grade what waits, batch after batch, until nothing does."""
        batch: list[tuple[Item, asyncio.Future[Answer]]] = []
        try:
            await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop is in the first batch
            while queue.waiting:
                batch, queue.waiting = queue.waiting[:MOST], queue.waiting[MOST:]
                batch = [(item, future) for item, future in batch if not future.done()]  # a caller may have given up
                try:
                    found = await asyncio.to_thread(self.grader.verdicts, [item for item, _ in batch])
                    for (_, future), answer in zip(batch, found, strict=True):
                        if not future.done():
                            future.set_result(answer)
                except Exception as error:
                    for _, future in batch:
                        if not future.done():
                            future.set_exception(error)
        finally:
            queue.drain = None
            # Whoever cancels this task does not cancel its callers: those that still wait are graded anew.
            queue.waiting = [(item, future) for item, future in batch + queue.waiting if not future.done()]
            if queue.waiting:
                queue.drain = asyncio.get_running_loop().create_task(self._drain(queue))
