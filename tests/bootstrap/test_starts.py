"""The models that come with the package."""

from pathlib import Path

import pytest
from azr.config import load_config
from azr.config.lineage import OWN
from azr.evals.probe import held_out
from azr.pipeline.build import assemble, make_engine
from azr.solve import solve
from azr.trainer.model import locate
from azr.types import Kind

pytestmark = pytest.mark.torch
THINKING = {"embedded": (0.1, 0.8), "embedded-steps": (0.8, 1.0)}
"""Between which shares of the answers to deduction begin with thoughts."""


@pytest.mark.parametrize("name", OWN)
def test_each_start_solves_held_out_tasks_in_the_way_that_it_was_taught(tmp_path: Path, name: str) -> None:
    config = load_config(None, [f"model.name={name}", "model.threads=1"])
    parts = assemble(config, make_engine(config)[0], tmp_path)
    tasks = held_out(parts, limit=24)
    assert {task.kind for task in tasks} == {Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION}
    rows = solve(parts, tasks, 4, parts.sampling(0, "test"))
    attempts = [attempt for row in rows for attempt in row]
    assert sum(attempt.correct for attempt in attempts) > 0.25 * len(attempts)
    followed = [row for row, task in zip(rows, tasks, strict=True) if task.kind is Kind.DEDUCTION]
    share = sum(a.completion.text.startswith("<think>") for row in followed for a in row) / (4 * len(followed))
    least, most = THINKING[name]
    assert least < share <= most


def test_all_starts_have_one_tokenizer_so_that_runs_of_one_are_read_by_the_other() -> None:
    texts = {(Path(locate(name)) / "tokenizer.json").read_text("utf-8") for name in OWN}
    assert len(texts) == 1
