"""Live view of `azr train` on a terminal: phase, rewards per role and kind, the last accepted program, alarms.

Everything that a model wrote goes through `azr.util.sanitize` first, and is shown as text, never as markup.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from azr.cli.lines import alarm_line, duration
from azr.metrics.step import Numbers, StepReport
from azr.types import Kind, Role, Valid
from azr.util.sanitize import visible

PROGRAM_LINES = 14
ALARMS = 5
PHASES = ("propose", "rollout", "validate", "buffer", "solve", "oversee", "reward", "update", "load")
COLUMNS = (
    ("reward", "update/{role}/{kind}/reward", "{:+.2f}"),
    ("tokens", "update/{role}/{kind}/length", "{:.0f}"),
    ("cut", "update/{role}/{kind}/truncated_share", "{:.0%}"),
    ("entropy", "update/{role}/{kind}/entropy", "{:.2f}"),
    ("valid", "validate/{role}/{kind}/valid_rate", "{:.0%}"),
    ("solve rate", "solve/{role}/{kind}/solve_rate", "{:.2f}"),
    ("learnable", "solve/{role}/{kind}/learnable_share", "{:.0%}"),
    ("score", "solve/{role}/{kind}/score", "{:.2f}"),
)


class LiveView:
    """A panel that is redrawn several times a second."""

    def __init__(self, out: TextIO, width: int | None = None, height: int | None = None) -> None:
        console = Console(file=out, width=width, height=height)
        self._begin = time.monotonic()
        self._phase, self._since = "", self._begin
        self._first, self._step, self._steps = 0, 0, 0
        self._note = ""
        self._tokens, self._counted_since = 0, self._begin
        self._numbers: Numbers = {}
        self._kinds: tuple[Kind, ...] = ()
        self._program = ""
        self._alarms: deque[str] = deque(maxlen=ALARMS)
        self._count = 0
        self._live = Live(
            console=console, refresh_per_second=4, transient=True, get_renderable=self.draw, redirect_stdout=False,
            redirect_stderr=False,
        )  # fmt: skip
        self._running = False

    def stop(self) -> None:
        """Remove the panel; later output is ordinary."""
        if self._running:
            self._live.stop()
            self._running = False

    # Events of the run.

    def started(self, step: int, steps: int) -> None:
        self._begin, self._first, self._step, self._steps = time.monotonic(), step, step, steps

    def phase(self, name: str) -> None:
        if not self._running:
            self._live.start()
            self._running = True
        self._phase, self._since = name, time.monotonic()

    def seeded(self, kind: Kind, found: int, wanted: int) -> None:
        self._note = f"seeds {kind} {found}/{wanted}"

    def sampled(self, tokens: int) -> None:
        self._tokens += tokens

    def noted(self, text: str) -> None:
        self._note = text

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self._step, self._numbers, self._kinds, self._note = report.step, numbers, tuple(report.stored), ""
        self._tokens, self._counted_since = 0, time.monotonic()
        accepted = [v for v in report.verdicts if isinstance(v, Valid) and v.duplicate_of is None]
        if accepted:
            task = accepted[-1].task
            self._program = f"# {task.kind}, task {task.id}\n{task.program}\nf({', '.join(task.inputs[:1])})"

    def probed(self, step: int, numbers: Numbers) -> None:
        if "probe/sampled" in numbers:
            self._note = f"held-out {100 * numbers['probe/sampled']:.1f}% at step {step}"

    def saved(self, step: int, path: str) -> None:
        self._note = f"saved step {step}"

    def alarmed(self, row: Mapping[str, Any]) -> None:
        self._count += int(row.get("count", 1))
        self._alarms.append(alarm_line(row))

    # Rendering.

    def draw(self) -> RenderableType:
        """The panel as it is now."""
        parts: list[RenderableType] = [Text(self._headline()), Text(self._phases(), style="dim")]
        if self._numbers:
            parts.append(self._table())
        if self._program:
            lines = visible(self._program, 2000).expandtabs(4).split("\n")
            shown = [line[:200] for line in lines[:PROGRAM_LINES]]
            text = Text("\n".join(shown), overflow="ellipsis", no_wrap=True)
            parts.append(Panel(text, title="last accepted program"))
        if self._alarms:
            title = f"alarms ({self._count})"
            parts.append(Panel(Text("\n".join(self._alarms), overflow="ellipsis", no_wrap=True), title=title))
        return Group(*parts)

    def _headline(self) -> str:
        now = time.monotonic()
        parts = [f"step {self._step}/{self._steps}" if self._steps else "starting", f"{self._phase}"]
        parts[-1] += f" {now - self._since:.0f} s"
        if self._step > self._first:
            each = (now - self._begin) / (self._step - self._first)
            parts.append(f"{duration(each * (self._steps - self._step))} left")
        if self._tokens:
            parts.append(f"{self._tokens / max(now - self._counted_since, 1e-9):,.0f} tokens/s")
        if "probe/sampled" in self._numbers:
            parts.append(f"held-out {100 * self._numbers['probe/sampled']:.1f}%")
        return "  ".join([*parts, self._note])

    def _phases(self) -> str:
        spent = [(name, self._numbers.get(f"seconds/{name}")) for name in PHASES]
        marked = [
            f"{'>' if name == self._phase else ''}{name}{'' if seconds is None else f' {seconds:.1f}s'}"
            for name, seconds in spent
        ]
        return "  ".join(marked)

    def _table(self) -> Table:
        columns = [column for column in COLUMNS if any(self._cell(column, role, kind) for role, kind in self._cells())]
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for name, _, _ in columns:
            table.add_column(name, justify="right")
        for role, kind in self._cells():
            cells = [self._cell(column, role, kind) for column in columns]
            if any(cells):
                table.add_row(f"{role} {kind}", *cells)
        return table

    def _cells(self) -> Sequence[tuple[Role, Kind]]:
        return [(role, kind) for role in Role for kind in self._kinds]

    def _cell(self, column: tuple[str, str, str], role: Role, kind: Kind) -> str:
        value = self._numbers.get(column[1].format(role=role, kind=kind))
        return "" if value is None else column[2].format(value)
