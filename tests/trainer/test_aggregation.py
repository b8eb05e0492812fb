"""How much one token counts."""

import numpy as np
import pytest
from azr.trainer.aggregation import AGGREGATIONS, PAPER_CHUNK, paper

LENGTHS = np.array([1, 3, 4])
CELLS = np.array([0, 0, 1])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("token_mean", [1 / 8, 1 / 8, 1 / 8]),
        ("sequence_mean", [1 / 3, 1 / 9, 1 / 12]),
        ("constant", [1 / 30, 1 / 30, 1 / 30]),
        # Two cells, so two chunks: 4 tokens in the first, 4 in the second.
        ("paper", [1 / 8, 1 / 8, 1 / 8]),
    ],
)
def test_weights(name: str, expected: list[float]) -> None:
    assert AGGREGATIONS[name](LENGTHS, CELLS, 10) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["token_mean", "sequence_mean", "paper"])
def test_a_loss_of_one_everywhere_adds_up_to_one(name: str) -> None:
    lengths = np.random.default_rng(0).integers(1, 99, 100)
    cells = np.repeat(np.arange(5), 20)
    assert (AGGREGATIONS[name](lengths, cells, 100) * lengths).sum() == pytest.approx(1.0)


def test_paper_averages_tokens_in_chunks_of_one_cell() -> None:
    lengths = np.array([2] * PAPER_CHUNK + [8] * PAPER_CHUNK + [1] * PAPER_CHUNK)
    cells = np.array([0] * 2 * PAPER_CHUNK + [1] * PAPER_CHUNK)
    weights = paper(lengths, cells, 10)
    assert weights[0] == pytest.approx(1 / (3 * 32))
    assert weights[PAPER_CHUNK] == pytest.approx(1 / (3 * 128))
    assert weights[-1] == pytest.approx(1 / (3 * 16))
