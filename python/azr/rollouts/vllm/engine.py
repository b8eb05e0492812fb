"""vLLM in its own process: it can die, run out of memory or hang without losing the step's work.

Requests go in as token ids and come out as token ids with the log-probability of each sampled token. In-flight requests
are kept here: a lost process is restarted with the weights and these requests. Weights are in shared memory (`arena`):
an update is one copy. Every update is followed by a check: the engine's log-probabilities of fixed tokens against the
trainer's.

Reproducibility: a completion's seed depends on its request alone. But which requests share a batch depends on timing,
and rounding depends on the batch, so two runs agree only up to rounding.
"""

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from azr.config import Config
from azr.errors import EngineError
from azr.rollouts.arena import Arena, weights_of, whole
from azr.rollouts.base import Finished, Pulse, Request, Sampling, Scores, Tokenizer, sample_all
from azr.rollouts.sync import Score, Sync, compare, log_probs_of
from azr.rollouts.vllm.pending import Pending
from azr.rollouts.vllm.process import EngineProcess, Lost, give_up
from azr.rollouts.vllm.wire import IDS, NUMBERS, pack_ids
from azr.trainer.model import move_into, pick_device
from azr.types import Completion, Key, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def make(tokenizer: Tokenizer, config: Config) -> "VllmEngine":
    """The engine that a config asks for; its process starts with the first weights."""
    return VllmEngine(tokenizer, config)


class VllmEngine:
    """The trainer's side of a vLLM process: a queue of requests."""

    def __init__(self, tokenizer: Tokenizer, config: Config) -> None:
        self.tokenizer = tokenizer
        self.sync: Sync | None = None
        """Result of the last load of weights."""
        self.trainer: Score | None = None
        """The trainer's log-probabilities, to compare with the engine's. None: those of the loaded model, which may be
        a copy in CPU memory."""
        self.restarts = 0
        self.direct = False
        """Whether updates are plain copies, instead of vLLM's own loader."""
        self._config = config
        self._given = config.engine.vllm
        self._process: EngineProcess | None = None
        self._arena: Arena | None = None
        self._cpu = pick_device(config.model.device).startswith("cpu")
        self.length = 0
        """Context length of the engine; known after its process has started."""
        self._futile = 0
        self._heard = 0.0
        """When the process last sent something, or got work after being idle."""
        self._closed = False
        self._pending = Pending(tokenizer)

    # The queue.

    def submit(self, requests: Sequence[Request]) -> None:
        """See `Engine.submit`."""
        if not self._pending:
            self._heard = time.monotonic()
        numbers = self._pending.enter(requests, self.length)
        try:
            self._send(numbers)
        except Lost as lost:
            self._revive(lost)

    def collect(self) -> list[Finished]:
        """See `Engine.collect`."""
        while self._pending and not self._pending.ready:
            self.listen(self.patience)
        return self.finished()

    def finished(self) -> list[Finished]:
        """The finished completions, without reading from the process."""
        return self._pending.collect()

    @property
    def busy(self) -> bool:
        """Whether requests are in flight."""
        return bool(self._pending)

    def fileno(self) -> int:
        """For `select`: readable when the process has sent something."""
        return self._running().fileno()

    @property
    def patience(self) -> float:
        """Seconds for which the busy process may stay silent."""
        return max(0.0, self._heard + self._given.stuck_seconds - time.monotonic())

    def listen(self, seconds: float) -> None:
        """Read messages of the process for up to `seconds`. A process that is silent for too long is restarted.

        Raises:
            EngineError: it failed and could not be restarted.
        """
        try:
            message = self._running().poll(seconds)
            if message is None and not self.patience:
                raise self._running().silent(self._given.stuck_seconds)
            if message is not None:
                self._heard = time.monotonic()
            while message is not None:
                self._take(message)
                message = self._running().poll()
        except Lost as lost:
            self._revive(lost)

    def cancel(self, keys: Collection[Key]) -> None:
        """See `Engine.cancel`."""
        gone = self._pending.forget(keys)
        try:
            if gone and self._process is not None:
                self._process.send({"op": "cancel", "ids": gone})
        except Lost as lost:
            self._revive(lost)

    def watch(self, pulse: Pulse) -> None:
        """See `Engine.watch`: it is called as completions are collected."""
        self._pending.pulse = pulse

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        """See `Engine.sample`."""
        return sample_all(self, prompts, sampling, count)

    # Weights.

    def load(self, model: "PreTrainedModel | None") -> None:
        """See `Engine.load`: update, then compare with the trainer.

        Raises:
            EngineError: the engine's log-probabilities are not the trainer's.
        """
        seconds = self.update(model)
        assert model is not None
        trainer = self.trainer or partial(log_probs_of, model)
        self.sync = compare(self.score, trainer, model.config.vocab_size, self._given.sync_tolerance, seconds)

    def update(self, model: "PreTrainedModel | None") -> float:
        """Load the model's weights without the comparison; returns the seconds it took after they were published.

        Raises:
            EngineError: there is no model, or the engine broke.
        """
        if model is None:
            raise EngineError("the vllm engine needs a model")
        self._publish(model)
        begin = time.perf_counter()
        try:
            self._update()
        except Lost as lost:
            self._revive(lost)
        return time.perf_counter() - begin

    def attach(self, policy: Scores) -> None:
        """See `Engine.attach`."""
        self.trainer = policy.log_probs

    def rest(self) -> None:
        """Give the GPU's memory to the trainer until the next `load`, if the config says so."""
        if self._given.sleep and self._process is not None:
            try:
                self._process.ask({"op": "sleep"}, "asleep", self._given.stuck_seconds)
            except Lost as lost:
                self._revive(lost)

    def numbers(self) -> dict[str, float]:
        """See `Engine.numbers`."""
        return {"restarts": float(self.restarts)} | (self.sync.numbers if self.sync is not None else {})

    def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        process, self._process = self._process, None
        if process is not None:
            process.close()

    @property
    def pid(self) -> int:
        """Of the engine's process."""
        return self._running().pid

    def _publish(self, model: Any) -> None:
        """Write the weights into memory shared with the engine's process."""
        weights = weights_of(model)
        fresh = self._arena is None
        if self._arena is None:
            self._arena = Arena.like(weights)
        for name, tensor in weights:
            # Where the trainer's parameters are views of the arena there is nothing to do.
            if tensor.device.type != "cpu" or tensor.data_ptr() != self._arena[name].data_ptr():
                self._arena[name].copy_(whole(tensor))
        # An engine that samples during the change must find the old weights if it restarts.
        shared = model.device.type == "cpu" and not self._config.engine.ahead
        if fresh and shared and not any(hasattr(tensor, "full_tensor") for _, tensor in weights):
            move_into(model, dict(self._arena))

    def _update(self) -> None:
        if self._process is None:
            self._start()
        else:
            self._process.ask({"op": "update"}, "updated", self._given.stuck_seconds)

    def score(self, rows: Sequence[Sequence[int]]) -> np.ndarray:
        """log p of each token but the first, of each row, under the engine, one row after the other.

        Only while nothing is in flight.
        """
        header = {"op": "score", "lengths": [len(row) for row in rows]}
        payload = pack_ids([tuple(row) for row in rows])
        try:
            _, found = self._running().ask(header, "scored", self._given.stuck_seconds, payload)
        except Lost as lost:
            self._revive(lost)
            return self.score(rows)
        return np.frombuffer(found, dtype=NUMBERS)

    # The process.

    def _running(self) -> EngineProcess:
        if self._process is None:
            raise EngineError(
                "the engine was closed" if self._closed else "sample before load: the engine has no weights"
            )
        return self._process

    def _start(self) -> None:
        from azr.rollouts.vllm.options import engine_arguments, environment

        assert self._arena is not None, "weights are published before the process starts"
        handle = self._arena.handle
        self._process = EngineProcess(environment(self._config, self._cpu), [handle], self._given.stuck_seconds)
        if self._closed:
            self._process.close()  # closed by another thread before this process was known
        slots = [[slot.name, slot.dtype, slot.shape, slot.offset] for slot in self._arena.slots]
        self._process.send(
            {
                "op": "start",
                "args": engine_arguments(self._config, cpu=self._cpu),
                "arena": {"handle": handle, "slots": slots},
                "ends": sorted(self.tokenizer.end_ids),
                "repeatable": self._given.repeatable,
                "threads": self._given.threads,
            }
        )
        header, _ = self._process.receive(self._given.start_seconds)
        self._process.note_shared_memory()
        self.length, self.direct = int(header["length"]), bool(header["direct"])
        self._heard = time.monotonic()

    def _revive(self, lost: Lost) -> None:
        """Restart with the weights and all in-flight requests.

        Raises:
            EngineError: it was tried `engine.vllm.restarts` times since a completion last came out.
        """
        while True:
            if self._process is not None:
                self._process.close()
                self._process = None
            if self._closed:
                raise EngineError("the engine was closed") from lost
            if self._futile >= self._given.restarts:
                raise give_up(lost, self._futile) from lost
            self._futile += 1
            self.restarts += 1
            try:
                self._update()
                self._send(self._pending.numbers)
                return
            except Lost as again:
                lost = again

    def _send(self, numbers: Sequence[int]) -> None:
        """Send requests to the process."""
        if not numbers:
            return
        requests = self._pending.requests(numbers)
        rows = [
            {
                "id": number, "length": len(request.prompt.token_ids), "seed": _seed(request),
                "temperature": request.sampling.temperature, "top_p": request.sampling.top_p,
                "top_k": request.sampling.top_k, "urgency": request.urgency,
                "max_tokens": min(request.sampling.max_tokens, self.length - len(request.prompt.token_ids)),
            }
            for number, request in zip(numbers, requests, strict=True)
        ]  # fmt: skip
        payload = pack_ids([request.prompt.token_ids for request in requests])
        self._running().send({"op": "submit", "requests": rows}, payload)

    def _take(self, message: tuple[dict[str, Any], bytes]) -> None:
        header, payload = message
        if header["op"] != "done":
            return  # any message is a sign of life
        ids = np.frombuffer(payload, dtype=IDS, count=header["tokens"]).tolist()
        log_probs = np.frombuffer(payload, dtype=NUMBERS, offset=IDS.itemsize * len(ids)).tolist()
        if self._pending.done(header["id"], ids, log_probs):
            self._futile = 0


def _seed(request: Request) -> int:
    """A 63-bit number from (seed, row)."""
    state = np.random.SeedSequence([request.sampling.seed, request.row]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))
