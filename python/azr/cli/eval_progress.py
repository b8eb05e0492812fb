"""Progress of `azr eval`: one line that changes on a terminal, one line per tenth elsewhere."""

import time
from collections.abc import Sequence
from typing import TextIO

from azr.evals.benchmarks import Benchmark
from azr.evals.records import Line
from azr.evals.run import Share
from azr.evals.scorers import APART

WIDTH = 24


class Progress:
    """Shows how far each benchmark is, with the score so far."""

    def __init__(self, out: TextIO, share: Share) -> None:
        self._out = out
        self._live = out.isatty() and share.world == 1
        self._mark = "" if share.world == 1 else f"[{share.rank}] "
        self._total = self._before = self._done = self._apart = self._shown = 0
        self._right = 0.0
        self._begin = 0.0

    def begun(self, benchmark: Benchmark, total: int, scores: Sequence[float]) -> None:
        self._total, self._before, self._done, self._apart, self._shown = total, len(scores), 0, 0, 0
        self._right = sum(scores)
        self._begin = time.monotonic()
        if scores:
            self._out.write(f"{self._mark}{benchmark.name}: {len(scores)} of {total} are there already\n")

    def scored(self, benchmark: Benchmark, lines: Sequence[Line]) -> None:
        self._done += len(lines)
        self._right += sum(line.score for line in lines)
        self._apart += sum(line.reason in APART for line in lines)
        there = self._before + self._done
        share = there / self._total
        last = there >= self._total
        if self._live:
            bar = "=" * round(WIDTH * share) + " " * (WIDTH - round(WIDTH * share))
            self._out.write(f"\r\x1b[K{benchmark.name} [{bar}] {self._text(there)}" + ("\n" if last else ""))
        elif last or int(10 * share) > self._shown:
            self._shown = int(10 * share)
            self._out.write(f"{self._mark}{benchmark.name}: {self._text(there)}\n")
        self._out.flush()

    def _text(self, there: int) -> str:
        rate = self._done / max(1e-9, time.monotonic() - self._begin)
        left = (self._total - there) / max(1e-9, rate)
        apart = f"  {self._apart} no verdict" if self._apart else ""
        minutes = f"  {left / 60:.0f} min left" if there < self._total else ""
        return f"{there}/{self._total}  score so far {100 * self._right / there:.1f}%{apart}  {rate:.1f}/s{minutes}"
