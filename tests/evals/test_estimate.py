"""pass@k and intervals."""

from itertools import combinations

import numpy as np
import pytest
from azr.evals.estimate import difference, estimate, ks, mean_estimate, pass_at_k


@pytest.mark.parametrize("samples", [1, 3, 6, 8])
def test_pass_at_k_is_the_share_of_all_choices_of_k_samples_that_hold_a_right_one(samples: int) -> None:
    for correct in range(samples + 1):
        right = [index < correct for index in range(samples)]
        for k in range(1, samples + 1):
            chosen = [any(choice) for choice in combinations(right, k)]
            assert pass_at_k(samples, correct, k) == pytest.approx(np.mean(chosen))


def test_pass_at_512_of_512_samples_needs_one_right_one() -> None:
    assert pass_at_k(512, 1, 512) == 1.0 and pass_at_k(512, 0, 512) == 0.0
    assert pass_at_k(1024, 1, 512) == pytest.approx(0.5)


@pytest.mark.parametrize("k", [0, 5, -1])
def test_no_estimate_from_fewer_samples_than_k(k: int) -> None:
    with pytest.raises(ValueError, match="of 4 samples"):
        pass_at_k(4, 2, k)


def test_reported_k_are_powers_of_two_and_the_samples_up_to_512() -> None:
    assert ks(1) == [1] and ks(10) == [1, 2, 4, 8, 10] and ks(1000)[-2:] == [256, 512]


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """300 benchmarks of 100 items with a true score of 0.3: some 285 intervals hold it."""
    generator = np.random.default_rng(1)
    draws = [estimate((generator.random(100) < 0.3).astype(float), seed) for seed in range(300)]
    assert 0.90 <= np.mean([found.low <= 0.3 <= found.high for found in draws]) <= 0.98


def test_a_paired_difference_is_surer_than_two_intervals() -> None:
    """The second is right wherever the first is, and on 5 items more."""
    first = (np.arange(100) < 50).astype(float)
    second = (np.arange(100) < 55).astype(float)
    found = difference(first, second, 0)
    assert found.value == pytest.approx(0.05) and found.low > 0
    assert estimate(first, 0).high > estimate(second, 0).low


def test_an_average_counts_every_benchmark_the_same_and_then_every_group() -> None:
    parts = [np.ones(10), np.zeros(1000), np.ones(3)]
    assert mean_estimate([parts], 0).value == pytest.approx(2 / 3)
    assert mean_estimate([parts[:2], parts[2:]], 0).value == pytest.approx(0.75)


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = np.random.default_rng(0).random(40)
    assert estimate(scores, 5) == estimate(scores, 5) != estimate(scores, 6)
