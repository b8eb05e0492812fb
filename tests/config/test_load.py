"""Configuration fails early, and says what is wrong."""

import json
import re
from pathlib import Path

import pytest
from azr.config import Config, dump_config, load_config, resolve
from azr.config.renamed import REMOVED, RENAMED
from azr.errors import ConfigError

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.toml")), ids=lambda p: str(p.relative_to(CONFIGS)))
def test_every_shipped_file_loads(path: Path) -> None:
    assert isinstance(load_config(path), Config)


def test_defaults_are_those_of_the_published_runs() -> None:
    config = Config()
    assert (config.propose.batch, config.propose.references, config.tasks.inputs, config.solve.trials) == (
        64, 6, 10, 8,
    )  # fmt: skip
    assert config.reward.proposer.extremes == -0.5
    assert (config.train.optim.lr, config.train.optim.weight_decay, config.train.loss.entropy) == (1e-6, 0.01, 0.001)
    assert (config.train.loss.clip_low, config.train.loss.clip_high, config.train.updates) == (0.2, 0.2, 1)
    assert config.sampling.temperature == 1.0
    assert config.solve.lag and config.solve.mix == "max_new"


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown key train\.optim\.learning_rat.*|did you mean lr"):
        resolve({"train": {"optim": {"learning_rat": 1.0}}})
    with pytest.raises(ConfigError, match=r"unknown key propose\.refrences: did you mean references\?"):
        resolve({"propose": {"refrences": 3}})


def test_a_file_about_the_embedded_model_stands_on_its_defaults() -> None:
    own, control = load_config(), load_config(CONFIGS / "controls" / "random_reward.toml")
    assert control.reward.solver.name == "random" and own.reward.solver.name != "random"
    assert (control.tasks.inputs, control.train.optim, control.run) == (own.tasks.inputs, own.train.optim, own.run)
    assert own.tasks.inputs != Config().tasks.inputs


def test_another_model_or_a_script_gets_the_published_defaults(tmp_path: Path) -> None:
    """A rate for a million parameters would ruin a model of billions."""
    for overrides in (["model.name=org/name"], ["engine.name=scripted"]):
        config = load_config(None, overrides)
        assert (config.train.optim, config.tasks.inputs) == (Config().train.optim, Config().tasks.inputs)


def test_what_grew_from_the_embedded_model_gets_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"azr_template": "terse"}', "ascii")
    assert load_config(None, [f"model.name={tmp_path}"]).train.optim == load_config().train.optim
    assert load_config(None, ["engine.name=vllm"]).train.optim == load_config().train.optim


def test_unknown_key_inside_a_list_of_tables_is_named() -> None:
    with pytest.raises(ConfigError, match=r"terms\.0\.coeficient: did you mean coefficient\?"):
        resolve({"reward": {"proposer": {"terms": [{"name": "halstead", "coeficient": 1.0}]}}})


def test_bad_value_names_key_value_and_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"solve\.mix = 'newest': .*'max_new', .*'uniform', 'step' or 'edge'"):
        resolve({"solve": {"mix": "newest"}})


def test_overrides_win_and_are_typed() -> None:
    config = resolve({"seed": 1}, ["seed=7", "train.optim.lr=3e-4", "solve.mix=uniform", 'tasks.kinds=["deduction"]'])
    assert (config.seed, config.train.optim.lr, config.solve.mix, config.tasks.kinds) == (
        7, 3e-4, "uniform", ("deduction",),
    )  # fmt: skip


@pytest.mark.parametrize("override", ["seed", "=3", "seed.x=3", "a..b=1"])
def test_malformed_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        resolve({"seed": 1}, [override])


def test_written_config_is_read_back_the_same(tmp_path: Path) -> None:
    config = resolve({"reward": {"proposer": {"terms": [{"name": "halstead"}]}}}, ["seed=3"])
    path = tmp_path / "config.toml"
    path.write_text(dump_config(config), "utf-8")
    assert load_config(path) == config


def test_config_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().seed = 3  # type: ignore[misc]


def test_a_missing_or_broken_file_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = ", "utf-8")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(broken)


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_key_that_was_renamed_is_refused_with_its_new_name(old: str, new: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"unknown key {old}: it is called {new} now")):
        load_config(None, [f"{old}=1"])


@pytest.mark.parametrize(("old", "instead"), [(old, instead) for old, (_, instead) in REMOVED.items()])
def test_a_key_that_was_removed_is_refused_with_what_holds_instead(old: str, instead: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"unknown key {old}: it was removed; {instead}")):
        load_config(None, [f"{old}=1"])


@pytest.mark.parametrize("old", [old for old, (works, _) in REMOVED.items() if works is not None])
def test_a_run_that_did_without_a_removed_key_goes_on_and_another_does_not(tmp_path: Path, old: str) -> None:
    file, (section, _, key) = tmp_path / "config.toml", old.rpartition(".")
    for value, fine in ((REMOVED[old][0], True), ("other", False)):
        file.write_text(f"[{section}]\n{key} = {json.dumps(value)}\n", "utf-8")
        if fine:
            assert load_config(file, written=True) == load_config()
        else:
            with pytest.raises(ConfigError, match=re.escape(f"{old} = 'other': the key was removed")):
                load_config(file, written=True)


def test_a_config_that_an_older_azr_wrote_is_read_under_the_new_names(tmp_path: Path) -> None:
    config = resolve({}, ["solve.trials=3", "engine.vllm.sync_tolerance=0.5", "solve.train_on_trials=true"])
    text = dump_config(config)
    for old, new in RENAMED.items():
        if old.rpartition(".")[0] != new.rpartition(".")[0]:
            continue
        key, renamed = old.rpartition(".")[2], new.rpartition(".")[2]
        assert f"\n{renamed} = " in text
        text = text.replace(f"\n{renamed} = ", f"\n{key} = ")
    (tmp_path / "config.toml").write_text(text, "utf-8")

    with pytest.raises(ConfigError, match="it is called"):
        load_config(tmp_path / "config.toml")
    assert load_config(tmp_path / "config.toml", written=True) == config


def test_windows_of_an_older_run_become_the_one_window(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        "[oversight.alarms.duplicates]\nwindow = 7\n[oversight.alarms.sandbox]\nwindow = 2\n", "utf-8"
    )
    assert load_config(tmp_path / "config.toml", written=True).oversight.alarms.window == 7
    with pytest.raises(ConfigError, match=r"duplicates\.window: it is called oversight\.alarms\.window now.*removed"):
        load_config(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("override", "blamed"),
    [("tasks.inputs=0", "--set"), ("tasks={ inputs = 0 }", "--set"), ("propose.batch=3", "FILE")],
    ids=["the key", "its section", "another key"],
)
def test_a_wrong_value_is_blamed_on_the_file_or_on_the_override_that_gave_it(
    tmp_path: Path, override: str, blamed: str
) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[tasks]\ninputs = 0\n", "utf-8")
    with pytest.raises(ConfigError) as raised:
        load_config(file, [override])
    assert str(raised.value).startswith(f"{blamed.replace('FILE', str(file))}: tasks.inputs = 0: ")
