"""The recipes for prime-rl, whole, by its own schema: `prime-rl-configs` of the versions in tools/adapters.py.

That is everything that prime-rl checks before it starts processes. For what they do then see test_prime_rl_step.py.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

pytest.importorskip("prime_rl.configs.rl", reason="needs prime-rl-configs, from GitHub: `make adapters` runs it")
pytest.importorskip("proposer_solver", reason="needs proposer-solver, from GitHub: `make adapters` runs it")

import azr.grading.verifiers as tasks_module
import azr.selfplay.verifiers as self_play_module
from prime_rl.configs.rl import RLConfig
from pydantic_config import ConfigFileError, cli

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "environments"
ENVIRONMENTS = {"azr_tasks": tasks_module.AzrEnvConfig, "azr_self_play": self_play_module.SelfPlayEnvConfig}
TABLES = [
    (), ("orchestrator",), ("orchestrator", "train"), ("orchestrator", "train", "sampling"),
    ("orchestrator", "train", "source", 0), ("orchestrator", "train", "source", 0, "env"),
    ("orchestrator", "train", "source", 0, "env", "taskset"), ("trainer", "optim"), ("deployment",), ("model",),
    ("ckpt",), ("inference",),
]  # fmt: skip


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they were installed."""
    for name in ENVIRONMENTS:
        monkeypatch.syspath_prepend(str(PACKAGES / name))


def read(path: Path) -> RLConfig:
    """As prime-rl's command `rl @ PATH` reads it."""
    return cli(RLConfig, args=["@", str(path)])


def table(given: dict[str, Any], where: tuple[str | int, ...]) -> dict[str, Any]:
    found: Any = given
    for step in where:
        found = found[step]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_whole_recipe_is_one_of_prime_rl(name: str) -> None:
    given = tomllib.loads((PACKAGES / name / "rl.toml").read_text("utf-8"))
    config = read(PACKAGES / name / "rl.toml")
    (source,) = config.orchestrator.train.source
    assert type(source.env) is ENVIRONMENTS[name]
    # What the recipe says arrives in each process's own settings.
    for part in (config.trainer, config.orchestrator):
        assert (part.max_steps, part.model.name) == (given["max_steps"], given["model"]["name"])
    assert config.trainer.optim.lr == given["trainer"]["optim"]["lr"]
    assert config.orchestrator.seq_len == config.trainer.model.seq_len == given["seq_len"]
    assert source.group_size == given["orchestrator"]["group_size"]
    assert source.sampling.max_completion_tokens == given["orchestrator"]["train"]["sampling"]["max_completion_tokens"]
    for key, value in given["orchestrator"]["train"]["source"][0]["env"]["taskset"].items():
        assert getattr(source.env.taskset, key) == value
    assert config.orchestrator.batch_size % source.group_size == 0


@pytest.mark.parametrize("where", TABLES, ids=lambda where: ".".join(map(str, where)) or "top")
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_key_that_prime_rl_does_not_have_is_refused(name: str, where: tuple[str | int, ...], tmp_path: Path) -> None:
    """So no key of a recipe is only ignored."""
    given = tomllib.loads((PACKAGES / name / "rl.toml").read_text("utf-8"))
    table(given, where)["no_such_key"] = 1
    (tmp_path / "rl.toml").write_text(tomli_w.dumps(given))
    with pytest.raises(ConfigFileError, match="no-such-key\n  Extra inputs are not permitted"):
        read(tmp_path / "rl.toml")


def test_self_play_is_a_proposer_solver_environment_and_tasks_are_not(tmp_path: Path) -> None:
    """What `hierarchical_grpo` demands."""
    config = read(PACKAGES / "azr_self_play" / "rl.toml")
    (source,) = config.orchestrator.train.source
    assert source.algo.type == "hierarchical_grpo" and set(source.algo.episode_agents) == {"solver"}
    given = tomllib.loads((PACKAGES / "azr_tasks" / "rl.toml").read_text("utf-8"))
    given["orchestrator"]["algo"] = {"type": "hierarchical_grpo", "episode_agents": ["solver"]}
    (tmp_path / "rl.toml").write_text(tomli_w.dumps(given))
    with pytest.raises(ConfigFileError, match="needs a proposer-solver env"):
        read(tmp_path / "rl.toml")


@pytest.mark.parametrize("name", ["tasks.toml", "self-play.toml"])
def test_the_blocks_of_the_page_are_ones_of_prime_rl(name: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "trainer.md").read_text("utf-8")
    (block,) = re.findall(rf'```toml title="{re.escape(name)}"\n(.*?)```', page, re.S)
    (tmp_path / name).write_text(f"{block}\n[trainer]\n[inference]\n")
    (source,) = read(tmp_path / name).orchestrator.train.source
    assert source.env.taskset.id == source.name
