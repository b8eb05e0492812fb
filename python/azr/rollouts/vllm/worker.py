"""The engine's process: vLLM, fed over one socket. Started by `azr.rollouts.vllm.engine`, never by hand.

It ends when the connection closes, so it never outlives the trainer. A thread reads incoming messages, so that the two
sides cannot block each other.
"""

import faulthandler
import os
import queue
import signal
import socket
import sys
import threading
import time
from typing import Any

import numpy as np
import torch

from azr.rollouts.vllm import weights  # before vLLM builds a model
from azr.rollouts.vllm.process_group import end_own
from azr.rollouts.vllm.wire import IDS, NUMBERS, Closed, Header, Message, Wire, unpack

BEAT_SECONDS = 0.5
EXTENSION = f"{weights.__name__}:{weights.Weights.__name__}".replace(":", ".")
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "no available memory")


class Worker:
    """One vLLM engine and its queue."""

    def __init__(self, wire: Wire, start: Header) -> None:
        from vllm.engine.arg_utils import EngineArgs
        from vllm.v1.engine.llm_engine import LLMEngine

        self._wire = wire
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._beat = 0.0
        self._ends = list(start["ends"])
        self._repeatable = bool(start["repeatable"])
        self._engine = LLMEngine.from_engine_args(EngineArgs(**start["args"], worker_extension_cls=EXTENSION))
        path = f"/proc/{os.getpid()}/fd/{start['arena']['handle']}"
        direct = all(self._rpc("azr_attach", path, start["arena"]["slots"]))
        threading.Thread(target=self._read, daemon=True).start()
        self._wire.send({"op": "ready", "direct": direct, "length": self._engine.model_config.max_model_len})

    def serve(self) -> None:
        """Serve until the connection ends."""
        while True:
            busy = self._engine.has_unfinished_requests()
            while not busy or not self._inbox.empty():
                self._handle(*self._inbox.get())
                busy = self._engine.has_unfinished_requests()
            self._step()

    def _read(self) -> None:
        try:
            while True:
                self._inbox.put(self._wire.receive())
        except Closed:
            end_own()  # the trainer is gone; nothing here is worth keeping

    def _handle(self, header: Header, payload: bytes) -> None:
        handlers = {
            "submit": self._submit, "cancel": self._cancel, "update": self._update, "score": self._score,
            "sleep": self._sleep, "stale": self._stale,
        }  # fmt: skip
        handlers[header["op"]](header, payload)

    def _submit(self, header: Header, payload: bytes) -> None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        rows = header["requests"]
        prompts = unpack(payload, IDS, [row["length"] for row in rows])
        for row, prompt in zip(rows, prompts, strict=True):
            parameters = SamplingParams(
                temperature=row["temperature"], top_p=row["top_p"], top_k=row["top_k"], max_tokens=row["max_tokens"],
                seed=row["seed"] if self._repeatable else None, logprobs=0, stop_token_ids=self._ends, ignore_eos=True,
                detokenize=False, output_kind=RequestOutputKind.FINAL_ONLY,
            )  # fmt: skip
            self._add(str(row["id"]), prompt.tolist(), parameters, -row["urgency"])

    def _add(self, name: str, prompt: list[int], parameters: Any, priority: int = 0) -> None:
        given = {"prompt_token_ids": prompt}
        self._engine.add_request(name, given, parameters, priority=priority)

    def _step(self) -> None:
        done = [output for output in self._engine.step() if output.finished]
        for output in done:
            self._finish(output)
        if not done and time.monotonic() - self._beat > BEAT_SECONDS:
            self._beat = time.monotonic()
            self._wire.send({"op": "beat"})

    def _finish(self, output: Any) -> None:
        written = output.outputs[0]
        ids = np.asarray(written.token_ids, dtype=IDS)
        chosen = [place[token].logprob for place, token in zip(written.logprobs, written.token_ids, strict=True)]
        header = {"op": "done", "id": int(output.request_id), "tokens": len(ids), "reason": written.finish_reason}
        self._wire.send(header, ids.tobytes() + np.asarray(chosen, dtype=NUMBERS).tobytes())

    def _cancel(self, header: Header, payload: bytes) -> None:
        # vLLM gives requests ids of its own, derived from ours.
        self._engine.abort_request([str(number) for number in header["ids"]])

    def _update(self, header: Header, payload: bytes) -> None:
        begin, cpu = time.perf_counter(), time.process_time()
        self._wake("weights")
        self._rpc("azr_update")
        self._wake("kv_cache")
        self._engine.reset_prefix_cache()
        spent = {"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - cpu}
        self._wire.send({"op": "updated", **spent})

    def _score(self, header: Header, payload: bytes) -> None:
        """log p of each token but the first, of each row, at temperature 1."""
        from vllm import SamplingParams

        rows = unpack(payload, IDS, header["lengths"])
        for index, row in enumerate(rows):
            parameters = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0, detokenize=False)
            self._add(f"score-{index}", row.tolist(), parameters)
        found: dict[int, list[float]] = {}
        while self._engine.has_unfinished_requests():
            for output in self._engine.step():
                if output.finished:
                    index = int(output.request_id.removeprefix("score-"))
                    places = zip(output.prompt_logprobs[1:], rows[index].tolist()[1:], strict=True)
                    found[index] = [place[token].logprob for place, token in places]
        numbers = np.concatenate([np.asarray(found[index], dtype=NUMBERS) for index in range(len(rows))])
        self._wire.send({"op": "scored"}, numbers.tobytes())

    def _sleep(self, header: Header, payload: bytes) -> None:
        self._engine.reset_prefix_cache()
        if self._engine.model_config.enable_sleep_mode:
            self._engine.sleep(level=2)  # the trainer has the weights
        self._wire.send({"op": "asleep"})

    def _wake(self, tag: str) -> None:
        if self._engine.model_config.enable_sleep_mode and self._engine.is_sleeping():
            self._engine.wake_up([tag])

    def _stale(self, header: Header, payload: bytes) -> None:
        self._wire.send({"op": "stale", "slices": sum(self._rpc("azr_stale"))})

    def _rpc(self, method: str, *arguments: Any) -> list[Any]:
        return list(self._engine.collective_rpc(method, args=arguments))


def main() -> None:
    """Serve the connection whose file descriptor is the first argument."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    wire = Wire(socket.socket(fileno=int(sys.argv[1])))
    start, _ = wire.receive()
    if start["threads"]:
        torch.set_num_threads(start["threads"])
    try:
        Worker(wire, start).serve()
    except Closed:
        return
    except Exception as error:
        memory = isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in OUT_OF_MEMORY)
        faulthandler.dump_traceback()
        wire.send({"op": "broken", "memory": memory, "text": f"{type(error).__name__}: {error}"})
        raise


if __name__ == "__main__":
    main()
