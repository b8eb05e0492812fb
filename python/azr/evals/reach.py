"""Reach of the weights: pass@k on tasks in strata, from familiar ones to ever larger ones.

Training makes likely answers likelier. Whether it also makes hard tasks solvable shows in pass@k at large k, and in
strata beyond the training data. The mean over all tasks hides both. A stratum is a tag of the task's line in its file,
or else how many operations its program has.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from azr.config import Config
from azr.config.mixture import probed_kinds
from azr.errors import RunError
from azr.evals.estimate import pass_at_k
from azr.pipeline.parts import Parts
from azr.solve import solve
from azr.tasks import source
from azr.tasks.io import read_tags, read_tasks
from azr.types import Kind, Task, with_verdict

KS = (1, 8, 32)
OWN = "own"
"""Value of `evals.reach` for the package's file, whose strata are chains of two to six operations."""
OPERATIONS = "operations"
SIZES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32)
"""Upper bounds of the strata by number of operations; one more stratum has no bound."""

Strata = Mapping[str, Sequence[Task]]
Reach = dict[str, dict[Kind, dict[int, float]]]
"""Stratum -> kind -> k -> pass@k, in [0, 1]."""


def read_strata(parts: Parts, limit: int = 0) -> Strata:
    """The tasks of the config's file by stratum, in the file's order; none if it names none.

    Args:
        limit: of each kind and stratum, 0 for all.

    Raises:
        RunError: the file cannot be read, or not one of its tasks has the tag that the config names.
    """
    given = parts.config.evals
    if not given.reach:
        return {}
    own = given.reach == OWN
    path = Path(str(resources.files("azr.evals"))) / "reach.jsonl" if own else Path(given.reach)
    tasks = read_tasks(path, parts.kinds, parts.sandbox)
    names = _names(path, tasks, given.strata)
    found: dict[str, list[Task]] = {}
    for task, name in sorted(zip(tasks, names, strict=True), key=lambda pair: _order(pair[1])):
        of_kind = sum(other.kind is task.kind for other in found.get(name, []))
        if name and task.kind in probed_kinds(parts.config) and (not limit or of_kind < limit):
            found.setdefault(name, []).append(task)
    return found


def measure(parts: Parts, strata: Strata) -> Reach:
    """Unbiased pass@k of the engine's current weights. No side effects on the run; the same draws each time."""
    samples = parts.config.evals.reach_samples
    found: Reach = {}
    for name, tasks in strata.items():
        rows = solve(parts, tasks, samples, parts.sampling(0, f"reach/{name}"))
        for kind in dict.fromkeys(task.kind for task in tasks):
            # A task on which the sandbox failed at any answer says nothing about the weights.
            of_kind = [row for task, row in zip(tasks, rows, strict=True) if task.kind is kind]
            right = [sum(a.correct for a in row) for row in of_kind if len(with_verdict(row)) == samples]
            if right:
                found.setdefault(name, {})[kind] = {
                    k: float(np.mean([pass_at_k(samples, count, k) for count in right])) for k in shown(parts.config)
                }
    return found


def shown(config: Config) -> list[int]:
    """The reported k: 1, 8 and 32, as far as there are samples."""
    return [k for k in KS if k <= config.evals.reach_samples]


def as_numbers(reach: Reach) -> dict[str, float]:
    """For the metrics: `probe/reach/<stratum>/pass_at_<k>` for the mean of the kinds, and by kind."""
    numbers: dict[str, float] = {}
    for name, kinds in reach.items():
        for kind, passed in kinds.items():
            numbers |= {f"probe/reach/{name}/solve/{kind}/pass_at_{k}": value for k, value in passed.items()}
        numbers |= {
            f"probe/reach/{name}/pass_at_{k}": float(np.mean([passed[k] for passed in kinds.values()]))
            for k in next(iter(kinds.values()))
        }
    return numbers


def size_of(program: str) -> str:
    """The stratum of a program by its number of operations; empty if it cannot be parsed."""
    tree = source.parse(program)
    if tree is None:
        return ""
    count, below = source.operations(tree), 0
    for size in SIZES:
        if count <= size:
            return str(size) if size - below <= 1 else f"{below + 1}-{size}"
        below = size
    return f"{below + 1}+"


def _names(path: Path, tasks: Sequence[Task], by: str) -> list[str]:
    if by == OPERATIONS:
        return [size_of(task.program) for task in tasks]
    names = read_tags(path, by)
    if tasks and not any(names):
        raise RunError(f"evals.strata = {by!r}: no task of {path} has such a tag")
    return names


def _order(name: str) -> tuple[int, str]:
    """Sort key: numbers by value, other names as they are."""
    digits = name.rstrip("+").partition("-")[0]
    return (int(digits) if digits.isdecimal() else 0, name)
