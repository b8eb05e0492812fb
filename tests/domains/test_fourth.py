"""A fourth domain, built from docs/own-domain.md alone: addresses and blocks. It is right, trains, and holds out."""

from pathlib import Path

import pytest
from azr.config import load_config
from azr.domains.check import examine, load
from azr.domains.domain import Domain
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.tasks.common import check_rows
from azr.tasks.io import read_tasks
from azr.types import Task

pytestmark = pytest.mark.slow
FOURTH = Path(__file__).parent / "fourth"
PAGE = Path(__file__).parents[2] / "docs" / "own-domain.md"


@pytest.fixture(scope="module")
def subnets() -> Domain:
    return load(FOURTH)


@pytest.fixture(scope="module")
def cover(subnets: Domain) -> Task:
    """Cover 0 to 3 and 8: two blocks do."""
    tasks = read_tasks(FOURTH / "seeds.jsonl", subnets.kinds, subnets.sandbox, "subnets")
    return next(task for task in tasks if task.kind.base == "cover")


def test_its_check_finds_nothing_wrong() -> None:
    assert [finding.text for finding in examine(FOURTH) if not finding.ok] == []


def test_it_trains(tmp_path: Path) -> None:
    config = load_config(FOURTH / "train.toml", [f"run.folder={tmp_path / 'run'}"])
    result = start_run(config, Quiet(), lambda: False)
    assert result.complete and result.after["domain/subnets/propose/quality"] >= 0.2
    assert {f"probe/solve/subnets.{kind}/sampled" for kind in ("deduction", "abduction", "cover")} <= set(result.after)


def test_every_key_that_it_uses_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for line in (FOURTH / "domain.toml").read_text("utf-8").splitlines():
        key = line.split("=")[0].strip() if "=" in line and not line.startswith((" ", '"')) else ""
        if key.isidentifier() and key not in ("subnets", "cover"):  # names of its own
            assert f"{key} =" in page or f"`{key}`" in page or f"**`{key}`**" in page, key


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("[(0, 4), (8, 1)]", 1.0),
        ("[(8, 1), (0, 2), (2, 2)]", 2 / 3),
        ("[(0, 1), (1, 1), (2, 1), (3, 1), (8, 1)]", 0.4),
        ("[(0, 8), (8, 1)]", 0.0),
        ("[(0, 4)]", 0.0),
        ("[(0, 4), (0, 4), (8, 1)]", 0.0),
        ("[(1, 4), (8, 1)]", 0.0),
        ("[[0, 4], [8, 1]]", 0.0),
        ("[(False, 4), (8, True)]", 0.0),
        ("[(0, 4), (8, 1.0)]", 0.0),
        ("[]", 0.0),
        ("((0, 4), (8, 1))", 0.0),
        ("[(0, 4), (8, 1), (9, 0)]", 0.0),
        ("[(-256, 256), (0, 4), (8, 1)]", 0.0),
        ("__import__('subnets').__dict__.update(fewest=lambda a: 9) or [(0, 4), (8, 1)]", 0.0),
    ],
)
def test_what_an_answer_earns(subnets: Domain, cover: Task, answer: str, score: float) -> None:
    (verdict,) = check_rows(subnets.kinds[cover.kind], subnets.sandbox, [(cover, answer)])
    assert verdict.score == pytest.approx(score)
