"""The thread on a group's first rank that owns the engine shared by the group.

Each rank of the group has a seat (`azr.rollouts.vllm.client`), rank 0 too, and each seat a connection. The thread hands
the seats' requests to the engine and its completions to the seats. Before and after weights change there is a barrier;
its work runs when all seats have arrived, so nothing is in flight then. An error of the engine, or a lost seat, ends
all seats with the same message.
"""

import queue
import select
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np

from azr.errors import AzrError, RankError
from azr.rollouts.base import Request, Sampling
from azr.rollouts.vllm.engine import VllmEngine
from azr.rollouts.vllm.wire import IDS, NUMBERS, Closed, Header, Wire, unpack
from azr.types import Key, Kind, Prompt, Role

Work = Callable[[VllmEngine], float]
OWNER = 0
"""Index of the seat on the thread's own rank."""


class Hub:
    """An engine and the connections of its seats."""

    def __init__(self, engine: VllmEngine, wires: Sequence[Wire], first: int) -> None:
        """Begin to serve.

        Args:
            wires: of the seats, in order.
            first: rank of the first seat.
        """
        self._engine = engine
        self._seats = dict(enumerate(wires))
        self._size = len(wires)
        self._first = first
        self._works: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._arrived: set[int] = set()
        self._closing = False
        """Whether the owner has ended the engine. Errors that follow are expected."""
        self._thread = threading.Thread(target=self._serve, name="azr-hub", daemon=True)
        self._thread.start()

    def at_meeting(self, work: Work) -> None:
        """Work for the next barrier, done when all seats have arrived; it returns the seconds taken."""
        self._works.put(work)

    def close(self) -> None:
        """End the engine in any state; waiting seats get an error."""
        self._closing = True
        self._engine.close()
        self._thread.join()

    def _serve(self) -> None:
        said = f"rank {self._first} has ended the engine that it shares (engine.vllm.tensor_parallel)"
        of_rank = True
        try:
            while OWNER in self._seats:
                self._turn()
        except Exception as error:
            if not self._closing and OWNER in self._seats:
                said = str(error) if isinstance(error, AzrError) else f"{type(error).__name__}: {error}"
                of_rank = isinstance(error, RankError)
        finally:
            self._engine.close()
            for wire in self._seats.values():
                with suppress(Closed):
                    wire.send({"op": "failed", "text": said, "rank": of_rank})
                wire.close()

    def _turn(self) -> None:
        """Wait for messages, and handle them."""
        engine, busy = self._engine, self._engine.busy
        speakers: list[Wire | VllmEngine] = [*self._seats.values(), *([engine] if busy else [])]
        readable, _, _ = select.select(speakers, [], [], engine.patience if busy else None)
        for seat, wire in list(self._seats.items()):
            if wire in readable:
                self._hear(seat, wire)
        if engine.busy:
            engine.listen(0.0)
        for request, completion in engine.finished():
            ids = np.asarray(completion.token_ids, dtype=IDS)
            numbers = np.asarray(completion.log_probs, dtype=NUMBERS)
            header = {"op": "done", "id": request.key.draw, "tokens": len(ids)}
            self._say(request.key.place, header, ids.tobytes() + numbers.tobytes())

    def _hear(self, seat: int, wire: Wire) -> None:
        try:
            header, payload = wire.receive()
        except Closed as error:
            if seat != OWNER:
                raise self._gone(seat) from error
            del self._seats[OWNER]  # it ends the engine, or this thread's process
            return
        handlers: dict[str, Callable[[int, Header, bytes], None]] = {
            "submit": self._submit, "cancel": self._cancel, "score": self._score, "meet": self._meet,
            "leave": self._leave,
        }  # fmt: skip
        handlers[header["op"]](seat, header, payload)

    def _say(self, seat: int, header: Header, payload: bytes = b"") -> None:
        if seat not in self._seats:
            return  # it has left, with its caller
        try:
            self._seats[seat].send(header, payload)
        except Closed as error:
            raise self._gone(seat) from error

    def _gone(self, seat: int) -> RankError:
        return RankError(
            f"rank {self._first + seat} is gone, which shared an engine with ranks {self._first} to"
            f" {self._first + self._size - 1} (engine.vllm.tensor_parallel)"
        )

    def _submit(self, seat: int, header: Header, payload: bytes) -> None:
        rows = header["requests"]
        prompts = unpack(payload, IDS, [row["length"] for row in rows])
        self._engine.submit(
            [
                Request(
                    key=Key("seat", seat, row["id"]), prompt=_prompt(prompt.tolist()), row=row["row"],
                    sampling=Sampling(**row["sampling"]), urgency=row["urgency"],
                )
                for row, prompt in zip(rows, prompts, strict=True)
            ]
        )  # fmt: skip

    def _cancel(self, seat: int, header: Header, payload: bytes) -> None:
        self._engine.cancel([Key("seat", seat, number) for number in header["ids"]])

    def _score(self, seat: int, header: Header, payload: bytes) -> None:
        found = self._engine.score([row.tolist() for row in unpack(payload, IDS, header["lengths"])])
        self._say(seat, {"op": "scored"}, np.asarray(found, dtype=NUMBERS).tobytes())

    def _meet(self, seat: int, header: Header, payload: bytes) -> None:
        self._arrived.add(seat)
        if len(self._arrived) < self._size:
            return
        self._arrived.clear()
        seconds = 0.0 if self._works.empty() else self._works.get()(self._engine)
        engine = self._engine
        said = {"op": "met", "seconds": seconds, "length": engine.length, "restarts": engine.restarts}
        for each in list(self._seats):
            self._say(each, said)

    def _leave(self, seat: int, header: Header, payload: bytes) -> None:
        self._seats.pop(seat).close()


def _prompt(ids: Sequence[int]) -> Prompt:
    """The engine only uses the ids."""
    return Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(ids))
