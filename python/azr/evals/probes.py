"""Probes of the weights during training, every `evals.every` steps.

Held-out tasks measure how well the model solves unseen tasks like the curriculum's. Grounded tasks guard against reward
drift: people wrote them and their answers, so they do not depend on the proposer. When the solver's score on its own
curriculum rises and the grounded one does not, the gap between both, `probe/grounded/gap`, shows it. Reach
(`azr.evals.reach`) takes many answers, so it is measured only at both ends of a run.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from azr.config.mixture import probed_kinds
from azr.evals import reach
from azr.evals.probe import as_numbers, held_out, probe
from azr.pipeline.parts import Parts
from azr.tasks.io import read_tasks
from azr.types import Task

OFF = "none"


class Probes:
    """The run's probes. Their tasks are read and verified once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._held_out = held_out(parts, parts.config.evals.limit)
        self._grounded = grounded(parts)
        self._strata = reach.read_strata(parts)

    def __bool__(self) -> bool:
        """Whether there is anything to measure."""
        return bool(self._held_out or self._grounded or self._strata)

    def measure(self, *, ends: bool = False) -> dict[str, float]:
        """Metrics of the engine's current weights: `probe/...`. No side effects on the run.

        Args:
            ends: before the first step, or after the last.
        """
        found = as_numbers(probe(self._parts, self._held_out)) if self._held_out else {}
        if self._grounded:
            found |= as_numbers(probe(self._parts, self._grounded), "probe/grounded")
        if ends and self._strata:
            found |= reach.as_numbers(reach.measure(self._parts, self._strata))
        return found


def grounded(parts: Parts) -> list[Task]:
    """The grounded tasks of the run's kinds: the config's file, or the package's; none if the config says `none`."""
    given = parts.config.evals.grounded
    if given == OFF:
        return []
    path = Path(given) if given else Path(str(resources.files("azr.evals"))) / "grounded.jsonl"
    kinds = probed_kinds(parts.config)
    return [task for task in read_tasks(path, parts.kinds, parts.sandbox) if task.kind in kinds]


def gap(numbers: Mapping[str, float]) -> dict[str, float]:
    """The gap: score on the run's own tasks minus score on the grounded tasks, mean over the kinds of both."""
    pairs = [
        (numbers[own], value)
        for key, value in numbers.items()
        if key.startswith("probe/grounded/solve/") and key.endswith("/sampled")
        if (own := f"solve/solve/{key.split('/')[3]}/score") in numbers
    ]
    return {"probe/grounded/gap": sum(own - value for own, value in pairs) / len(pairs)} if pairs else {}
