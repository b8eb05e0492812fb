"""`azr config` prints every key of the schema."""

import tomllib
from pathlib import Path

from azr.cli import azr
from azr.config import dump_config, resolve
from azr.config.describe import keys
from click.testing import CliRunner


def leaves(tree: dict[str, object], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in tree.items():
        found |= leaves(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {f"{prefix}{name}"}
    return found


def test_every_key_of_a_written_config_is_listed() -> None:
    written = leaves(tomllib.loads(dump_config(resolve({}))))
    assert {key.name for key in keys()} == written


def test_a_key_has_its_default_its_meaning_and_the_files_that_set_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[solve]\ntrials = 3\n", "utf-8")
    result = CliRunner().invoke(azr, ["config", "solve.trials", "--files", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("solve.trials = 8\n    Attempts of the current policy")
    assert "Set by mine.toml." in result.output
