"""A rank's client of an engine that a group of ranks shares (`engine.vllm.tensor_parallel` in a run of several).

    rank 0: seat --+
                   +-- hub, a thread of rank 0 --- vLLM's process, on the devices of ranks 0 and 1
    rank 1: seat --+

The ranks of a group are neighbours on one machine, as many as the engine has devices. A seat is an engine like any
other: its requests go to the hub as token ids, and their completions come back as token ids and log-probabilities. The
weights come from the group's first rank (all ranks have the same); every rank compares the engine with its own trainer.
"""

import queue
import socket
import tempfile
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from azr.config import Config
from azr.distributed.ranks import Ranks
from azr.errors import AzrError, EngineError, RankError
from azr.rollouts.base import Finished, Pulse, Request, Sampling, Scores, Tokenizer, sample_all
from azr.rollouts.sync import Score, Sync, compare, log_probs_of
from azr.rollouts.vllm.engine import VllmEngine
from azr.rollouts.vllm.pending import Pending
from azr.rollouts.vllm.server import OWNER, Hub, Work
from azr.rollouts.vllm.wire import IDS, NUMBERS, Closed, Header, Message, Wire, pack_ids
from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADDRESS = "hub"
"""Name of the socket on which the seats of a group connect to their hub, in a temporary folder."""


class Seat:
    """An `Engine` that forwards to a shared one."""

    def __init__(self, tokenizer: Tokenizer, config: Config, wire: Wire, owner: int, hub: Hub | None = None) -> None:
        """`owner`: the rank that has the hub; `hub`: it, if that is this rank."""
        self.tokenizer = tokenizer
        self.sync: Sync | None = None
        """Result of the last load of weights."""
        self.trainer: Score | None = None
        """See `VllmEngine.trainer`."""
        self._given = config.engine.vllm
        self._wire = wire
        self._owner = owner
        self._hub = hub
        self._pending = Pending(tokenizer)
        self._length = 0
        self._restarts = 0
        self._closed = False
        self._error: AzrError | None = None
        """The error that ended it."""
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        # The hub never waits for this rank to read.
        threading.Thread(target=self._read, name="azr-seat", daemon=True).start()

    # The queue.

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        numbers = self._pending.enter(requests, self._length)
        rows = [
            {
                "id": number, "length": len(request.prompt.token_ids), "row": request.row, "urgency": request.urgency,
                "sampling": asdict(request.sampling),
            }
            for number, request in zip(numbers, requests, strict=True)
        ]  # fmt: skip
        if rows:
            self._send({"op": "submit", "requests": rows}, pack_ids([r.prompt.token_ids for r in requests]))

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        while self._pending and not self._pending.ready:
            self._take(self._inbox.get())
        while not self._inbox.empty():
            self._take(self._inbox.get())
        return self._pending.collect()

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`."""
        if gone := self._pending.forget(keys):
            self._send({"op": "cancel", "ids": gone})

    def watch(self, pulse: Pulse) -> None:
        """See `Engine.watch`: it is called as completions are collected."""
        self._pending.pulse = pulse

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`."""
        return sample_all(self, prompts, sampling, count)

    # Collectives of the group.

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`. Collective over the group.

        Raises:
            EngineError: the engine's log-probabilities are not those of this rank's trainer.
        """
        if model is None:
            raise EngineError("the vllm engine needs a model")
        found = self._meet(lambda engine: engine.update(model))
        self._length, self._restarts = int(found["length"]), int(found["restarts"])
        trainer = self.trainer or partial(log_probs_of, model)
        tolerance, seconds = self._given.sync_tolerance, float(found["seconds"])
        self.sync = compare(self.score, trainer, model.config.vocab_size, tolerance, seconds)
        self._meet()  # no rank may sample while another still compares

    def attach(self, policy: Scores) -> None:
        """See `Engine.attach`."""
        self.trainer = policy.log_probs

    def rest(self) -> None:
        """See `Engine.rest`. Collective over the group, which shares the memory."""
        if self._given.sleep:
            self._meet(_rest)

    def score(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """See `VllmEngine.score`."""
        header = {"op": "score", "lengths": [len(row) for row in rows]}
        _, found = self._ask(header, "scored", pack_ids([tuple(row) for row in rows]))
        return np.frombuffer(found, dtype=NUMBERS)

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`."""
        return {"restarts": float(self._restarts)} | (self.sync.numbers if self.sync is not None else {})

    def close(self) -> None:
        """See `Engine.close`: on the group's first rank it ends the engine for all."""
        self._closed = True
        if self._hub is None and not self._pending:
            # A seat that leaves silently, or with requests in flight, has failed.
            with suppress(Closed):
                self._wire.send({"op": "leave"})
        self._wire.close()
        if self._hub is not None:
            self._hub.close()

    def _meet(self, work: Work | None = None) -> Header:
        """Wait for the other seats; the first rank's hub does the work before any of them continues."""
        if self._hub is not None and work is not None:
            self._hub.at_meeting(work)
        return self._ask({"op": "meet"}, "met")[0]

    # The connection.

    def _send(self, header: Header, payload: bytes = b"") -> None:
        try:
            self._wire.send(header, payload)
        except Closed:
            self._fail()

    def _ask(self, header: Header, answer: str, payload: bytes = b"") -> Message:
        self._send(header, payload)
        while True:
            found = self._inbox.get()
            if found[0]["op"] == answer:
                return found
            self._take(found)

    def _take(self, message: Message) -> None:
        header, payload = message
        if header["op"] == "failed":
            self._inbox.put(message)  # for the next caller
            if self._error is None:  # later errors follow from the first one
                self._error = (RankError if header["rank"] else EngineError)(header["text"])
            raise self._error
        ids = np.frombuffer(payload, dtype=IDS, count=header["tokens"]).tolist()
        log_probs = np.frombuffer(payload, dtype=NUMBERS, offset=IDS.itemsize * len(ids)).tolist()
        self._pending.done(header["id"], ids, log_probs)

    def _fail(self) -> NoReturn:
        """Raise the hub's last error: the connection is closed."""
        while True:
            self._take(self._inbox.get())

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._wire.receive())
        except Closed:
            gone = f"rank {self._owner} is gone, which had the engine of this rank (engine.vllm.tensor_parallel)"
            text = "the engine was closed" if self._closed else gone
            self._inbox.put(({"op": "failed", "text": text, "rank": not self._closed}, b""))


def take_seat(tokenizer: Tokenizer, config: Config, ranks: Ranks) -> Seat:
    """This rank's seat. Collective over the run; the engine starts with the first weights.

    Raises:
        EngineError: the ranks of the group do not find each other.
    """
    size = config.engine.vllm.tensor_parallel
    first, number = ranks.rank - ranks.rank % size, ranks.rank % size
    with tempfile.TemporaryDirectory(prefix="azr-") as folder, socket.socket(socket.AF_UNIX) as door:
        door.settimeout(config.engine.vllm.stuck_seconds)
        path = Path(folder) / ADDRESS
        if number == OWNER:
            door.bind(str(path))
            door.listen(size)
        paths = ranks.gather(str(path))
        try:
            if number != OWNER:
                door.connect(paths[first])
                wire = Wire(socket.socket(fileno=door.detach()))
                wire.send({"op": "sit", "seat": number})
                return Seat(tokenizer, config, wire, first)
            ends = _guests(door, size - 1, config.engine.vllm.stuck_seconds)
        except (OSError, Closed) as error:
            raise EngineError(
                f"ranks {first} to {first + size - 1} share an engine (engine.vllm.tensor_parallel), and rank"
                f" {ranks.rank} does not find the others: {error}; they have to be on one machine"
            ) from error
    ours, theirs = socket.socketpair()
    engine = VllmEngine(_Unread(tokenizer), config)
    hub = Hub(engine, [Wire(theirs, config.engine.vllm.stuck_seconds), *ends], first)
    return Seat(tokenizer, config, Wire(ours), first, hub)


def _guests(door: socket.socket, count: int, patience: float) -> list[Wire]:
    """Connections of the group's other seats, in order."""
    found: dict[int, Wire] = {}
    while len(found) < count:
        wire = Wire(door.accept()[0], patience)
        header, _ = wire.receive()
        found[int(header["seat"])] = wire
    return [found[seat] for seat in sorted(found)]


def _rest(engine: VllmEngine) -> float:
    engine.rest()
    return 0.0


class _Unread:
    """Tokenizer of the shared engine, which never decodes: each seat does."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.end_ids, self.end_id = tokenizer.end_ids, tokenizer.end_id

    def encode(self, text: str, special_tokens: bool) -> list[int]:
        raise NotImplementedError

    def decode(self, ids: Sequence[int]) -> str:
        return ""

    def chat(self, message: str) -> str:
        raise NotImplementedError
