"""The benchmarks, one file each, and their groups. A lookup imports only that benchmark's file."""

import difflib
import importlib
from collections.abc import Sequence
from typing import Final

from azr.errors import ConfigError
from azr.evals.benchmarks.base import Benchmark, Item, Source

BENCHMARKS: Final[dict[str, str]] = {
    "heldout": "azr.evals.benchmarks.heldout:HELDOUT",
    "cruxeval_i": "azr.evals.benchmarks.cruxeval:CRUXEVAL_I",
    "cruxeval_o": "azr.evals.benchmarks.cruxeval:CRUXEVAL_O",
    "livecodebench_execution_o": "azr.evals.benchmarks.livecodebench_execution:EXECUTION_O",
    "livecodebench_execution_i": "azr.evals.benchmarks.livecodebench_execution:EXECUTION_I",
    "humaneval": "azr.evals.benchmarks.humaneval:HUMANEVAL",
    "humaneval_plus": "azr.evals.benchmarks.humaneval:HUMANEVAL_PLUS",
    "mbpp": "azr.evals.benchmarks.mbpp:MBPP",
    "mbpp_plus": "azr.evals.benchmarks.mbpp:MBPP_PLUS",
    "livecodebench": "azr.evals.benchmarks.livecodebench:LIVECODEBENCH",
    "aime24": "azr.evals.benchmarks.aime:AIME24",
    "aime25": "azr.evals.benchmarks.aime:AIME25",
    "amc23": "azr.evals.benchmarks.amc:AMC23",
    "math500": "azr.evals.benchmarks.math500:MATH500",
    "minerva": "azr.evals.benchmarks.minerva:MINERVA",
    "olympiad": "azr.evals.benchmarks.olympiad:OLYMPIAD",
    "mmlu_pro": "azr.evals.benchmarks.mmlu_pro:MMLU_PRO",
}

CODE: Final = ("humaneval_plus", "mbpp_plus", "livecodebench")
MATH: Final = ("aime24", "aime25", "amc23", "math500", "minerva", "olympiad")
IN_DISTRIBUTION: Final = ("cruxeval_i", "cruxeval_o", "livecodebench_execution_o")
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "code": CODE,
    "math": MATH,
    "in-distribution": IN_DISTRIBUTION,
    "cruxeval": ("cruxeval_i", "cruxeval_o"),
    "paper": (*CODE, *MATH),
    "all": tuple(name for name in BENCHMARKS if name != "heldout"),
}

__all__ = ["BENCHMARKS", "CODE", "GROUPS", "IN_DISTRIBUTION", "MATH", "Benchmark", "Item", "Source", "choose", "find"]


def find(name: str) -> Benchmark:
    """The benchmark of a name."""
    module, _, attribute = BENCHMARKS[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    assert isinstance(found, Benchmark) and found.name == name, f"{BENCHMARKS[name]} is not the benchmark {name}"
    return found


def choose(names: Sequence[str]) -> list[str]:
    """Names and groups to names, each once, in order.

    Raises:
        ConfigError: there is no such benchmark or group; names the nearest.
    """
    chosen: dict[str, None] = {}
    for name in names:
        if name not in GROUPS and name not in BENCHMARKS:
            known = [*BENCHMARKS, *GROUPS]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ConfigError(f"no benchmark or group {name!r}{hint}: known are {', '.join(known)}")
        chosen |= dict.fromkeys(GROUPS.get(name, (name,)))
    return list(chosen)
