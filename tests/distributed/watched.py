"""A run of 2 ranks whose hook answers otherwise on each; every rank writes down what it saw.

python watched.py OUT CONFIG
"""

import json
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from azr.config import Config, load_config
from azr.config.oversight import Action
from azr.distributed.group import Group
from azr.metrics.step import Numbers, StepReport
from azr.oversight.base import Finding, Monitor, Seen
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.types import Task
from forks import fork

CALLS: list[str] = []


class Torn(Monitor):
    """Finds what its rank's number says: another completion, another task, and a reason to stop."""

    name = "torn"

    def __init__(self) -> None:
        self.rank = int(os.environ["RANK"])

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        CALLS.append("completions")
        return [self._on(one.step > 0 and index == self.rank, Action.DROP) for index, one in enumerate(seen)]

    def tasks(self, step: int, tasks: Sequence[Task]) -> Sequence[Sequence[Finding]]:
        CALLS.append("tasks")
        return [self._on(step > 0 and index == 2 + self.rank, Action.QUARANTINE) for index in range(len(tasks))]

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        CALLS.append("step")
        return self._on(report.step == 3 - self.rank, Action.STOP)

    def _on(self, found: bool, action: Action) -> Sequence[Finding]:
        return [Finding(rule="torn", evidence=f"rank {self.rank}", action=action)] if found else []


def make(config: Config) -> Monitor:
    return Torn()


class Notes(Quiet):
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        texts = [episode.completion.text for episode in report.batch.episodes]
        own = {"seconds": dict(report.seconds), "engine": dict(report.engine)}
        self.rows.append({"step": report.step, "texts": texts, "numbers": numbers, **own})


def run(out: Path, config_path: Path) -> None:
    config = load_config(config_path, [f"run.folder={out / 'run'}"])
    ranks, notes = Group("cpu", timedelta(hours=2), out / "run"), Notes()
    done = start_run(config, notes, lambda: False, ranks)
    ranks.close()
    found = {"steps": done.step, "rows": notes.rows, "calls": CALLS}
    (out / f"{ranks.rank}.json").write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    # The hook is named as a module, and not as the program that was started.
    sys.modules["watched"] = sys.modules["__main__"]
    fork(2, partial(run, Path(sys.argv[1]), Path(sys.argv[2])))
