"""A rank that hangs is found out: its stacks and those of whoever waited for it are in the run folder."""

import os
from pathlib import Path

import pytest
from azr.cli.ranks import exchange_limit
from azr.config import dump_config, resolve
from azr.distributed.launch import launch
from azr.errors import RankError
from processes import script

pytestmark = pytest.mark.ranks
HERE = Path(__file__).parent


def test_the_rank_that_hangs_leaves_its_stacks_before_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = ["propose.batch=6", "solve.batch=6", "solve.trials=4", "seeding.factor=1", "evals.every=0"]
    own = ["engine.name=scripted", "engine.script=stuck:answer", f"run.folder={tmp_path / 'run'}"]
    config = tmp_path / "given.toml"
    config.write_text(dump_config(resolve({}, [*sizes, *own])), "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{os.environ.get('PYTHONPATH', '')}:{HERE}")
    monkeypatch.setenv("AZR_TEST_STUCK", str(tmp_path / "is-stuck"))
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RankError, match=r"rank 0 died \(exit code 3\)"):
        launch(["--config", str(config)], tmp_path / "run", 2, 0, lambda line: None)
    assert "waits_for_ever" in (tmp_path / "run" / "hang.rank1.txt").read_text("utf-8")


def test_a_rank_that_waits_in_vain_says_where_before_it_ends(tmp_path: Path) -> None:
    script(HERE / "lost.py", tmp_path)
    stacks = (tmp_path / "hang.rank0.txt").read_text("utf-8")
    assert "rank 0 lost another rank" in stacks and "in _exchange" in stacks and "in gather" in stacks
    assert "hang.rank0.txt" in (tmp_path / "error.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ([], 3600 + 30 + 60),
        (["oversight.watchdog.seconds=100", "oversight.watchdog.phases={update=900}"], 900 + 30 + 60),
        (["oversight.watchdog.seconds=0", "oversight.watchdog.phases={update=90}"], 1800 + 30 + 60),
        (["oversight.watchdog.enabled=false"], 1800 + 30 + 60),
        (["ranks.exchange_limit_s=20"], 20),
    ],
)
def test_the_others_wait_until_the_watchdog_of_the_rank_that_hangs_has_spoken(
    settings: list[str], seconds: float
) -> None:
    assert exchange_limit(resolve({}, settings)) == seconds
