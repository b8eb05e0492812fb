"""The learning rate of each step."""

import pytest
from azr.config.schema import OptimConfig
from azr.trainer.optim import learning_rate

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [0.5, 1.0, 1.0, 1.0]), ("linear", [0.5, 1.0, 1.0, 0.5]), ("cosine", [0.5, 1.0, 1.0, 0.5])],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    config = OptimConfig(lr=1.0, warmup_steps=2, schedule=schedule)
    assert [learning_rate(config, step, 6) for step in (1, 2, 3, 5)] == pytest.approx(expected)
