"""Metrics of parts merge into the metric of the whole."""

import numpy as np
import pytest
from azr.metrics.reductions import Count, Deviation, Max, Mean, Metric, Min, Quantiles, merge, numbers
from hypothesis import given
from hypothesis import strategies as st

floats = st.floats(-1e6, 1e6)


def of(values: list[float]) -> dict[str, Metric]:
    return {
        "mean": Mean.of(values), "count": Count(len(values)), "max": Max(max(values)), "min": Min(min(values)),
        "std": Deviation.of(values), "spread": Quantiles(tuple(values)),
    }  # fmt: skip


@given(st.lists(st.lists(floats, min_size=1, max_size=20), min_size=1, max_size=5))
def test_any_split_over_ranks_gives_the_numbers_of_the_whole(parts: list[list[float]]) -> None:
    whole = [value for part in parts for value in part]
    found = numbers(merge(of(part) for part in parts))
    assert found["count"] == len(whole) and found["max"] == max(whole) and found["min"] == min(whole)
    assert found["mean"] == pytest.approx(np.mean(whole), rel=1e-9, abs=1e-6)
    assert found["std"] == pytest.approx(np.std(whole), rel=1e-6, abs=1.0)
    assert [found[f"spread/p{q}"] for q in (10, 50, 90)] == pytest.approx(np.percentile(whole, (10, 50, 90)))


def test_unequal_ranks_count_by_their_weight_not_one_each() -> None:
    assert numbers(merge([{"x": Mean.of([1.0])}, {"x": Mean.of([0.0] * 9)}])) == {"x": 0.1}


def test_a_metric_that_only_one_rank_has_is_kept() -> None:
    assert numbers(merge([{"a": Count(1)}, {"b": Count(2)}, {"a": Count(3)}])) == {"a": 4, "b": 2}


def test_a_mean_of_nothing_is_no_number() -> None:
    assert numbers({"x": Mean.of([]), "y": Quantiles(()), "z": Deviation.of([])}) == {}


def test_two_kinds_under_one_name_are_an_error() -> None:
    with pytest.raises(TypeError, match="the metric x is a Mean in one part and a Max in another"):
        merge([{"x": Mean.of([1.0])}, {"x": Max(1.0)}])
