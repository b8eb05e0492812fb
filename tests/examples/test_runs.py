"""Every example domain passes its check and trains, by the config that its README names."""

from pathlib import Path

import pytest
from azr.config import load_config
from azr.domains.check import examine
from azr.run.events import Quiet
from azr.run.train import start_run

pytestmark = pytest.mark.slow
EXAMPLES = Path(__file__).parents[2] / "examples" / "domains"
NAMES = ("tables", "compliance", "planning")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_it(name: str) -> None:
    assert [finding.text for finding in examine(EXAMPLES / name) if not finding.ok] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_trains(name: str, tmp_path: Path) -> None:
    config = load_config(EXAMPLES / name / "train.toml", [f"run.folder={tmp_path / 'run'}", "run.steps=2"])
    result = start_run(config, Quiet(), lambda: False)
    assert result.complete and result.after["probe/tasks"] == result.before["probe/tasks"] > 0
    assert {key.split("/")[2].split(".")[0] for key in result.after if key.startswith("probe/solve/")} == {name}


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_names_its_files_and_commands(name: str) -> None:
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    for word in (f"azr domain check examples/domains/{name}", f"--config examples/domains/{name}/train.toml"):
        assert word in text
