"""The tasks of a run, or of a file of `azr propose`, as records of a data set: with solve rate and provenance."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from azr import __version__
from azr.buffer.types import Filter
from azr.collection.task_file import Row, read_rows
from azr.config import Config, load_config
from azr.errors import RunError
from azr.grading import Grader
from azr.report.folder import Folder
from azr.report.stored import Stored
from azr.run.folder import CONFIG
from azr.sandbox import Value
from azr.tasks import KindOptions
from azr.tasks.io import read_tasks
from azr.types import Kind, Role, Task

CHUNK = 1000
"""Tasks read at a time."""

Origin = Literal["proposed", "seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One task and what is known of it."""

    task: Task
    solve_rate: float | None
    """Mean score of the attempts when it was last tried; None: it never was."""
    attempts: int
    origin: Origin
    """`seed`: there before the first step."""
    model: str
    """That proposed it."""
    azr: str
    """Version that verified it."""

    @property
    def id(self) -> str:
        """Names the task by its content."""
        content = [self.task.kind, self.task.program, self.task.inputs, self.task.message]
        return hashlib.sha256(json.dumps(content).encode("ascii")).hexdigest()[:16]

    @property
    def difficulty(self) -> str:
        """By thirds of the solve rate."""
        rate = self.solve_rate
        if rate is None:
            return "untried"
        if rate in (0.0, 1.0):
            return "unsolved" if rate == 0.0 else "always solved"
        return "hard" if rate < 1 / 3 else "medium" if rate < 2 / 3 else "easy"


class Source:
    """Where the tasks come from: a run's folder, or a file."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            RunError: it is neither.
            DomainError: a domain of the run cannot be found.
        """
        self.path = path
        self._stored: Stored | None = None
        self.notes: list[str] = []
        """What was left out, for people."""
        self._rows: list[Row] = []
        if path.is_file():
            self.grader, self.model = Grader(), ""
            self._rows = read_rows(path)
            if not self._rows:
                raise RunError(f"{path} has no task")
            return
        folder = Folder(path)
        config = load_config(path / CONFIG, written=True)
        self.grader, self.model = Grader(domains=_domains(config), options=_options(config)), config.model.name
        self._stored = folder.stored()
        self.notes += folder.notes.texts
        if self._stored is None:
            raise RunError(f"{path} has no task buffer that can be read")

    @property
    def kinds(self) -> list[str]:
        """Kinds that it may have."""
        return self._stored.kinds if self._stored is not None else sorted({row.kind for row in self._rows})

    def records(self, where: Filter) -> Iterator[Record]:
        """The tasks that fit, without those that are held back."""
        return self._of_run(self._stored, where) if self._stored is not None else self._of_file(where)

    def close(self) -> None:
        """Close the buffers."""
        if self._stored is not None:
            self._stored.close()

    def _of_file(self, where: Filter) -> Iterator[Record]:
        """Every program runs again, so that what is published is so."""
        tasks = read_tasks(self.path, self.grader.kinds, self.grader.sandbox)
        for row, task in zip(self._rows, tasks, strict=True):
            fits = where.low <= row.solve_rate <= where.high and where.first_step <= row.step <= where.last_step
            if fits and (not where.kinds or task.kind in where.kinds):
                yield Record(
                    task=replace(task, step=row.step), solve_rate=row.solve_rate, attempts=row.attempts,
                    origin="proposed", model=row.model, azr=row.azr,
                )  # fmt: skip

    def _of_run(self, stored: Stored, where: Filter) -> Iterator[Record]:
        ids = stored.find(where)
        held = 0
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            for task_id, row in zip(part, stored.rows(part), strict=True):
                kind, program, inputs, outputs, message, _, step, role, _, _, _ = row
                state = stored.state(task_id)
                if state.quarantined:
                    held += 1
                    continue
                task = Task(
                    kind=Kind(kind), program=program, inputs=tuple(inputs), message=message, step=step, role=Role(role),
                    outputs=tuple(Value.from_encoded(encoded) for encoded, _ in outputs), id=task_id,
                )  # fmt: skip
                yield Record(
                    task=task, solve_rate=stored.rate(task_id),
                    attempts=state.history[-1].attempts if state.history else 0,
                    origin="proposed" if step else "seed", model=self.model, azr=__version__,
                )  # fmt: skip
        if held:
            self.notes.append(f"{held} tasks are held back in the run, and were left out")


def _domains(config: Config) -> list[str]:
    return [given.path or given.name for given in config.domains if not given.plain]


def _options(config: Config) -> KindOptions:
    tasks = config.tasks
    return KindOptions(inputs=tasks.inputs, strict=tasks.comparison == "strict", induction_score=tasks.induction_score)
