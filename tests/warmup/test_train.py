"""A warm-up teaches, ends when there is enough, and goes on where it was."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from azr.cli import azr
from azr.config import Config, load_config, resolve
from azr.errors import ConfigError
from azr.pipeline.build import make_engine
from azr.run.folder import METRICS, RunFolder
from azr.trainer import checkpoint
from azr.types import Kind
from azr.warmup.examples import Example
from azr.warmup.train import Outcome, Shares, batch_of, is_enough, supervised, warm_up
from click.testing import CliRunner

pytestmark = pytest.mark.torch

SMALL = [
    "warmup.rounds=2", "warmup.examples=12", "warmup.batch=4", "warmup.samples=2", "warmup.lr=0.003",
    "run.save_every=2", "tasks.inputs=2", "sampling.max_tokens=6", "propose.references=1",
    "prompt.template=think", "prompt.words=short", "prompt.opening=true", "prompt.max_tokens=900",
    "tasks.kinds=['deduction','induction']",
]  # fmt: skip


class Watch:
    """What was said."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.turns: list[int] = []

    def loaded(self, note: str) -> None: ...

    def learnt(self, turn: int, step: int, of: int, loss: float, tokens: int, seconds: float) -> None:
        self.losses.append(loss)

    def sampled(self, tokens: int) -> None: ...

    def looks(self, turn: int) -> None: ...

    def looked(self, turn: int, shares: Mapping[Kind, Shares], enough: bool) -> None:
        self.turns.append(turn)


def config(model: Path, *more: str) -> Config:
    return load_config(None, [f"model.name={model}", *SMALL, *more])


def run(folder: RunFolder, stop: Callable[[Watch], bool] = lambda watch: False) -> tuple[Outcome, Watch]:
    watch = Watch()
    try:
        return warm_up(folder, watch, lambda: stop(watch)), watch
    finally:
        folder.close()


def weights(folder: Path) -> bytes:
    newest = checkpoint.newest(folder / "checkpoints")
    assert newest is not None
    return (newest / "model.safetensors").read_bytes()


def test_a_warm_up_learns_and_ends_after_its_rounds(tiny_model: Path, tmp_path: Path) -> None:
    outcome, watch = run(RunFolder.create(tmp_path / "w", config(tiny_model)))
    assert (outcome.step, outcome.stopped, outcome.enough) == (6, False, False)
    assert watch.turns == [0, 1, 2] and len(watch.losses) == 6
    assert sum(watch.losses[3:]) < sum(watch.losses[:3])
    rows = [json.loads(line) for line in (tmp_path / "w" / METRICS).read_text().splitlines()]
    assert sum("warmup/loss" in row for row in rows) == 6
    assert sum("warmup/deduction/valid" in row for row in rows) == 3


def test_one_that_was_stopped_goes_on_to_the_same_weights(tiny_model: Path, tmp_path: Path) -> None:
    run(RunFolder.create(tmp_path / "whole", config(tiny_model)))
    first, before = run(RunFolder.create(tmp_path / "w", config(tiny_model)), lambda watch: len(watch.losses) == 2)
    assert first.stopped and first.step == 2
    second, after = run(RunFolder.open(tmp_path / "w"))
    assert not second.stopped and second.step == 6
    assert before.turns + after.turns == [0, 1, 2]
    assert weights(tmp_path / "w") == weights(tmp_path / "whole")
    rows = [(tmp_path / name / METRICS).read_text() for name in ("w", "whole")]
    assert rows[0] == rows[1]


def test_one_that_is_stopped_while_it_samples_samples_anew(tiny_model: Path, tmp_path: Path) -> None:
    first, before = run(RunFolder.create(tmp_path / "w", config(tiny_model)), lambda watch: len(watch.losses) == 3)
    assert first.stopped and before.turns == [0]
    _, after = run(RunFolder.open(tmp_path / "w"))
    assert after.turns == [1, 2]


def test_it_ends_when_there_is_enough(tiny_model: Path, tmp_path: Path) -> None:
    outcome, watch = run(RunFolder.create(tmp_path / "w", config(tiny_model, "warmup.enough=0")))
    assert outcome.enough and outcome.step == 3 and watch.turns == [0, 1]
    again, _ = run(RunFolder.open(tmp_path / "w"))
    assert again.enough and again.step == 3


@pytest.mark.parametrize(
    ("valid", "enough"),
    [([0.6, 0.6, 0.6], True), ([0.8, 0.5, 0.5], True), ([0.8, 0.5, 0.4], False), ([1.0, 1.0, 0.2], False)],
)
def test_there_is_enough_in_the_mean_of_kinds_and_half_as_much_in_each(valid: list[float], enough: bool) -> None:
    proposals = [Shares(readable=1.0, valid=share, answered=1.0, right=0.0, reasons={}) for share in valid]
    answers = [Shares(readable=1.0, valid=1.0, answered=share, right=0.0, reasons={}) for share in valid]
    assert is_enough(proposals, 0.6) is is_enough(answers, 0.6) is enough


def test_an_adapter_can_be_taught_in_place_of_the_weights(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("peft")
    given = config(tiny_model, "model.lora.rank=4", "warmup.rounds=1", "warmup.lr=0.01")
    outcome, watch = run(RunFolder.create(tmp_path / "w", given))
    assert outcome.step == 3 and watch.losses[-1] < watch.losses[0]


def test_the_loss_is_the_models_own_cross_entropy(tiny_model: Path) -> None:
    import torch
    from azr.types import Prompt, Role

    engine, policy = make_engine(supervised(config(tiny_model, "sampling.temperature=0.5")))
    ids = tuple(engine.tokenizer.encode("Say a number:", False))
    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
    batch = batch_of([Example(prompt, " one"), Example(prompt, " twenty-two")], engine.tokenizer)
    model, wanted = policy.model, []
    assert model is not None
    for episode in batch.episodes:
        row = torch.tensor([[*ids, *episode.completion.token_ids]])
        assert episode.completion.token_ids[-1] == engine.tokenizer.end_id
        with torch.no_grad():
            table = model(row).logits[0, len(ids) - 1 : -1].log_softmax(-1)
        wanted.append(table.gather(1, row[0, len(ids) :, None]))
    assert policy.update(batch).loss == pytest.approx(-float(torch.cat(wanted).mean()), rel=1e-4)


def test_a_run_from_a_warm_up_takes_its_model_and_its_prompts(tiny_model: Path, tmp_path: Path) -> None:
    from azr.cli.models import named

    run(RunFolder.create(tmp_path / "w", config(tiny_model, "warmup.rounds=1")))
    given = load_config(None, named(str(tmp_path / "w")))
    assert given.model.name == str(tmp_path / "w" / "checkpoints" / "step_3")
    assert (given.prompt.words, given.prompt.opening) == ("short", True)
    other = load_config(None, [*named(str(tmp_path / "w")), "prompt.opening=false"])
    assert (other.prompt.words, other.prompt.opening) == ("short", False)


def test_a_kind_that_azr_makes_no_tasks_of_is_refused_before_the_model_is_loaded(tmp_path: Path) -> None:
    given = resolve({}, ["model.name=nowhere", "tasks.kinds=['error']"])
    with pytest.raises(ConfigError, match="no tasks of the kind error"):
        run(RunFolder.create(tmp_path / "w", given))


def test_it_writes_to_standard_error_as_it_is_when_it_begins(capsys: pytest.CaptureFixture[str]) -> None:
    from azr.cli import progress, warmup

    # Both modules were imported before this test began to look at what is written.
    warmup.Progress().begins("a model")
    assert "loading a model" in capsys.readouterr().err
    assert progress.Progress()._out is sys.stderr


def test_the_command_says_what_it_does_and_what_to_do_next(tiny_model: Path, tmp_path: Path) -> None:
    sets = [part for each in [*SMALL, "warmup.rounds=1"] for part in ("--set", each)]
    done = CliRunner().invoke(azr, ["warmup", "--model", str(tiny_model), "--run", str(tmp_path / "w"), *sets])
    assert done.exit_code == 0, done.output
    for text in (
        "round 1  step 1/3  loss ",
        "tokens/s",
        "after round 0  deduction: proposals 0% read",
        "azr train --model",
    ):
        assert text in done.output
    again = CliRunner().invoke(azr, ["warmup", "--model", str(tiny_model), "--run", str(tmp_path / "w")])
    assert isinstance(again.exception, ConfigError)
