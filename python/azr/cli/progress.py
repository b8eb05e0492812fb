"""Output of `azr train`: a live view on a terminal (`azr.cli.live`), one line a step elsewhere."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from azr.cli.lines import alarm_line, duration
from azr.metrics.step import Numbers, StepReport
from azr.run.events import Observer
from azr.run.train import Result
from azr.types import Kind, Role

PROBE = ("sampled", "greedy", "passed")
EVERY_SECONDS = 10.0
"""While nothing else is printed, a line this often says what goes on, and how fast."""


class Progress:
    """Renders a run's events. With the live view, the only place that prints during training."""

    def __init__(self, out: TextIO | None = None) -> None:
        """`out`: standard error, as it is now, where none is given."""
        self._out = out or sys.stderr
        self._begin, self._first, self._steps = time.monotonic(), 0, 0
        self._phase, self._said, self._tokens = "load", self._begin, 0
        self._seeds: tuple[Kind, int, int] | None = None
        self._seeding = 0.0
        """When the seeds of this kind began."""
        self.view: Observer = self
        """The observer of the run's events."""
        self._stop: Callable[[], None] | None = None
        if self._out.isatty():
            from azr.cli.live import LiveView

            live = LiveView(self._out)
            self.view, self._stop = live, live.stop

    def started(self, step: int, steps: int) -> None:
        self._begin, self._first, self._steps = time.monotonic(), step, steps

    def phase(self, name: str) -> None:
        self._phase = name
        if name == "load" and not self._steps:  # in a step, the engine takes the new weights under that name
            self._say("loading the model")
        if name == "paused":
            self._say("paused; go on with: azr resume RUN")

    def sampled(self, tokens: int) -> None:
        self._tokens += tokens
        now = time.monotonic()
        if (passed := now - self._said) >= EVERY_SECONDS:
            self._say(f"{self._phase}{self._sown(now)}: {self._tokens:,} tokens, {self._tokens / passed:,.0f} tokens/s")

    def _sown(self, now: float) -> str:
        """How far the seeds are, and the time that the kind's others will take at the rate so far."""
        if self._phase != "seed" or self._seeds is None:
            return ""
        kind, found, wanted = self._seeds
        each = (now - self._seeding) / found if found else 0.0
        left = f", {duration(each * (wanted - found))} left" if found else ""
        return f" {kind} {found}/{wanted}{left}"

    def noted(self, text: str) -> None:
        self._say(text)

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        if self._seeds is None or self._seeds[0] is not kind:
            self._seeding = time.monotonic()
        self._seeds = (kind, found, wanted)
        if found == wanted:
            self._say(f"seeds  {kind} {found}/{wanted}")

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        valid = _mean(numbers, [f"validate/propose/{kind}/valid_rate" for kind in report.stored])
        rewards = "  ".join(
            f"{role} " + " ".join(f"{short(kind)} {value:+.2f}" for kind, value in found)
            for role in Role
            if (found := _rewards(numbers, role, list(report.stored)))
        )
        probe = f"  held-out {100 * numbers['probe/sampled']:.1f}%" if "probe/sampled" in numbers else ""
        seconds, left = numbers["seconds/step"], self._left(report.step)
        self._say(f"step {report.step}  {rewards}  valid {100 * valid:.0f}%{probe}  {seconds:.1f} s{left}")

    def probed(self, step: int, numbers: Numbers) -> None:
        if step == 0 and "probe/sampled" in numbers:
            self._say(f"held-out before: {100 * numbers['probe/sampled']:.1f}%")

    def saved(self, step: int, path: str) -> None: ...

    def alarmed(self, row: Mapping[str, Any]) -> None:
        self._say(f"alarm {alarm_line(row)}")

    def close(self) -> None:
        """Restore the terminal, however the run ended."""
        if self._stop is not None:
            self._stop()

    def finish(self, result: Result) -> None:
        """Where the result is, how to resume, and the gain."""
        self.close()
        if not result.complete:
            self._out.write(f"stopped at step {result.step}; go on with: azr train --resume {result.folder}\n")
        self._out.write(f"run: {result.folder}\n")
        if result.before:
            self._out.write(f"model: {result.folder}/checkpoints/step_{result.step}\n")
        if "probe/sampled" in result.before and result.after:
            self._out.write(table(result))

    def _left(self, step: int) -> str:
        each = (time.monotonic() - self._begin) / (step - self._first)
        return f"  {duration(each * (self._steps - step))} left" if step < self._steps else ""

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
        self._said, self._tokens = time.monotonic(), 0


def table(result: Result) -> str:
    """Held-out scores before and after, in percent."""
    kinds = sorted(
        key.split("/")[2] for key in result.before if key.startswith("probe/solve/") and key.endswith("/tasks")
    )
    rows = [("held-out", "tasks", *(f"{name}" for name in PROBE))]
    for prefix, label in [*((f"probe/solve/{kind}", kind) for kind in kinds), ("probe", "all")]:
        cells = [
            f"{100 * result.before[f'{prefix}/{name}']:.1f} -> {100 * result.after[f'{prefix}/{name}']:.1f}"
            for name in PROBE
        ]
        rows.append((label, str(int(result.before[f"{prefix}/tasks"])), *cells))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + "\n" for row in rows)


def _rewards(numbers: Numbers, role: Role, kinds: list[Kind]) -> list[tuple[Kind, float]]:
    return [(kind, numbers[key]) for kind in kinds if (key := f"update/{role}/{kind}/reward") in numbers]


def short(kind: Kind) -> str:
    """A kind in three letters, preceded by three letters of its domain, if any."""
    return f"{kind.domain[:3]}.{kind.base[:3]}" if kind.domain else kind[:3]


def _mean(numbers: Numbers, keys: list[str]) -> float:
    found = [numbers[key] for key in keys if key in numbers]
    return sum(found) / len(found) if found else 0.0
