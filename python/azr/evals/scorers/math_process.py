"""The process that compares answers to mathematics: started on demand, replaced when it hangs."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from azr.errors import BenchmarkError


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold answer and the answer to compare, as LaTeX or plain text."""

    gold: str
    answer: str


class MathProcess:
    """One worker, used by one thread at a time. `seconds`: CPU-time limit for one pair."""

    def __init__(self, seconds: int = 5) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def compare(self, pairs: Sequence[Pair]) -> list[bool | str]:
        """For each pair whether both are the same, or why that could not be found out.

        Raises:
            BenchmarkError: the worker does not start; the library is not installed, for one.
        """
        with self._lock:
            return [self._one(pair) for pair in pairs]

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            _end(self._worker)
            self._worker = None

    def _one(self, pair: Pair) -> bool | str:
        worker = self._worker if self._worker is not None else self._start()
        assert worker.stdin is not None
        try:
            worker.stdin.write(json.dumps([pair.gold, pair.answer]) + "\n")
            worker.stdin.flush()
            # No wall-clock limit: the worker's own CPU-time limit ends it.
            line = self._lines.get()
        except OSError:
            line = ""
        if not line:
            code = worker.wait()
            self._worker = None
            return "the comparison came to no end" if code == -signal.SIGXCPU else f"the comparison ended by {code}"
        answer = json.loads(line)
        return bool(answer["same"]) if answer.get("problem") is None else str(answer["problem"])

    def _start(self) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "azr.evals.scorers.math_worker", str(self._seconds)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert worker.stdout is not None and worker.stderr is not None
        output = worker.stdout

        def read() -> None:
            for line in output:
                lines.put(line)
            lines.put("")  # it is gone

        threading.Thread(target=read, daemon=True).start()
        if lines.get() != "ready\n":
            worker.wait()
            raise BenchmarkError(
                f"answers to mathematics cannot be compared: {worker.stderr.read().strip().splitlines()[-1:]}."
                " Install the library: pip install 'azr[eval]'"
            )
        self._worker, self._lines = worker, lines
        # Whoever drops this object without a word leaves no process behind.
        weakref.finalize(self, _end, worker)
        return worker


def _end(worker: "subprocess.Popen[str]") -> None:
    worker.kill()
    worker.wait()
