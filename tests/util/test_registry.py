"""Names of parts are looked up before anything heavy is loaded."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from azr.config import resolve as config_of
from azr.errors import ConfigError, RegistryError
from azr.pipeline import build
from azr.pipeline.build import check
from azr.trainer.losses import LOSSES
from azr.util.registry import locate

SOURCE = """raise SystemExit("it ran")
from somewhere import other as imported
if True:
    def loss(inputs): inner = 1
table = {}
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "own_loss.py"
    path.write_text(SOURCE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return path


@pytest.mark.parametrize("name", ["loss", "imported", "table"])
def test_what_a_file_binds_is_found_without_running_it(module: Path, name: str) -> None:
    locate(LOSSES, f"{module}:{name}", "train.loss.name")
    locate(LOSSES, f"own_loss:{name}", "train.loss.name")
    assert "own_loss" not in sys.modules


@pytest.mark.parametrize("name", ["losss", "inner", "inputs"])
def test_what_a_file_does_not_bind_is_an_error(module: Path, name: str) -> None:
    for place in (str(module), "own_loss"):
        with pytest.raises(RegistryError, match=f"train.loss.name = .*own_loss.py has no '{name}'"):
            locate(LOSSES, f"{place}:{name}", "train.loss.name")


@pytest.mark.parametrize("source", ["from torch import *", "def __getattr__(name): ..."])
def test_a_file_that_makes_its_names_as_it_runs_may_have_any(module: Path, source: str) -> None:
    module.write_text(source, "utf-8")
    locate(LOSSES, f"{module}:loss", "train.loss.name")


def test_a_file_that_is_no_python_is_an_error(module: Path) -> None:
    module.write_text("def", "utf-8")
    with pytest.raises(RegistryError, match=r"train\.loss\.name"):
        locate(LOSSES, f"{module}:loss", "train.loss.name")


@pytest.mark.parametrize("key", ["train.loss.name", "train.mismatch.name", "engine.name", "engine.script"])
@pytest.mark.parametrize(
    ("place", "words"), [("no.such:thing", "No module named 'no'"), ("no_such.py:thing", "No such file")]
)
def test_a_part_of_the_users_that_is_nowhere_fails_before_a_model_is_loaded(key: str, place: str, words: str) -> None:
    engine = ["engine.name=scripted"] if key == "engine.script" else []
    with pytest.raises(ConfigError, match=f"{key} = '.*{place}': .*{words}"):
        check(config_of({}, [*engine, f"{key}={place}"]))


def test_a_term_names_the_library_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of({"reward": {"proposer": {"terms": [{"name": "complexity"}]}}})
    check(config)
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"complexity needs complexipy, .*pip install 'azr\[terms\]'"):
        check(config)


def test_a_module_that_a_program_made_has_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("made_by_hand")
    made.there = len  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_by_hand", made)
    locate({}, "made_by_hand:there", "train.loss.name")
    with pytest.raises(RegistryError, match="has no 'elsewhere'"):
        locate({}, "made_by_hand:elsewhere", "train.loss.name")
