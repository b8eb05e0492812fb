"""The summary of an evaluation: `results.json`, and its tables."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from azr.errors import BenchmarkError
from azr.evals.benchmarks import CODE, MATH
from azr.evals.estimate import estimate, ks, mean_estimate, values
from azr.evals.records import Line
from azr.evals.scorers import APART

AVERAGES: Final = {"CAvg": (CODE,), "MAvg": (MATH,), "AVG": (CODE, MATH)}
"""As the paper defines them: means of a group's benchmarks; AVG is the mean of the two."""


def summarise(lines: Iterable[Line], items: Sequence[str], samples: int, seed: int) -> dict[str, Any]:
    """One benchmark's numbers.

    Raises:
        BenchmarkError: a completion is missing.
    """
    rows: dict[str, dict[int, Line]] = {item: {} for item in items}
    for line in lines:
        if line.item in rows and line.sample < samples:
            rows[line.item][line.sample] = line
    short = [item for item, of_item in rows.items() if len(of_item) != samples]
    if short:
        raise BenchmarkError(f"{len(short)} items have fewer than {samples} completions, {short[0]} for one")
    counts = {item: (samples, sum(line.score >= 1.0 for line in found.values())) for item, found in rows.items()}
    flat = [line for found in rows.values() for line in found.values()]
    apart = [line for line in flat if line.reason in APART]
    one = estimate(values(counts), seed)
    return {
        "items": len(items),
        "samples": samples,
        "score": one.value,
        "interval": [one.low, one.high],
        "pass_at": {str(k): asdict(estimate(values(counts, k), seed)) for k in ks(samples)},
        "reasons": dict(Counter(line.reason for line in flat).most_common()),
        "cut": sum(not line.finished for line in flat),
        "tokens": float(np.mean([line.tokens for line in flat])),
        # Upper bound of the score: if all answers without a verdict were right.
        "at_most": one.value + len(apart) / len(flat),
        "apart": [
            {"item": line.item, "sample": line.sample, "reason": line.reason, "detail": line.detail} for line in apart
        ],
        "counts": {item: list(count) for item, count in counts.items()},
    }


def averages(benchmarks: Mapping[str, Mapping[str, Any]], seed: int) -> dict[str, Any]:
    """The paper's averages; for an incomplete one, the missing benchmark."""
    found: dict[str, Any] = {}
    for name, groups in AVERAGES.items():
        missing = [member for group in groups for member in group if member not in benchmarks]
        if missing:
            found[name] = {"missing": missing}
        else:
            scores = [[scores_of(benchmarks[member]["counts"]) for member in group] for group in groups]
            found[name] = asdict(mean_estimate(scores, seed))
    return found


def scores_of(counts: Mapping[str, Sequence[int]]) -> NDArray[np.float64]:
    """pass@1 of each item, from a summary's counts."""
    return values({item: (count[0], count[1]) for item, count in counts.items()})
