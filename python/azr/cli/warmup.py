"""`azr warmup`: fine-tune a model on the form of tasks and answers, until it keeps to it."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from azr.cli.lines import duration
from azr.cli.stop import Stop
from azr.errors import ConfigError
from azr.types import Kind

if TYPE_CHECKING:
    from azr.warmup.train import Outcome, Shares

EVERY_SECONDS = 10.0
"""At most so often a line says how far a round is; the first and the last step of a round always do."""


@click.command()
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with the keys that differ from the defaults.",
)
@click.option("--model", help="A folder, a GGUF file or a Hugging Face name.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key: warmup.lr=1e-4.")
@click.option("--run", "run_path", type=click.Path(path_type=Path), help="The folder to make, or to go on with.")
def warmup(config_path: Path | None, model: str | None, overrides: tuple[str, ...], run_path: Path | None) -> None:
    """Fine-tune a model on the form of proposals and answers, from verified tasks that azr makes by itself.

    It ends when enough of what the model writes can be used. The folder is then a model: azr train --model FOLDER.
    A folder that holds a warm-up goes on where it was, by its own config.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from azr.cli.models import named
    from azr.config import load_config
    from azr.run.folder import CONFIG, RunFolder
    from azr.warmup.train import warm_up

    if run_path is None:
        raise ConfigError("azr warmup needs a folder: --run runs/warm")
    if (run_path / CONFIG).exists():
        if config_path or model or overrides:
            raise ConfigError(f"{run_path} goes on by its own config: leave out --config, --model and --set")
        folder = RunFolder.open(run_path)
    else:
        folder = RunFolder.create(run_path, load_config(config_path, [*overrides, *named(model)]))
    stop, progress = Stop("stopping after this step; once more to drop what is not saved"), Progress()
    try:
        progress.begins(folder.config.model.name)
        progress.ended(warm_up(folder, progress, stop))
    finally:
        folder.close()


class Progress:
    """One line now and then: what goes on, how fast, and how long yet."""

    def __init__(self, out: TextIO | None = None) -> None:
        """`out`: standard error, as it is now, where none is given."""
        self._out = out or sys.stderr
        self._said = time.monotonic()
        self._tokens, self._seconds, self._steps = 0, 0.0, 0
        """Of this round."""
        self._written = 0

    def begins(self, name: str) -> None:
        self._say(f"loading {name}")

    def loaded(self, note: str) -> None:
        if note:
            self._say(note)

    def looks(self, turn: int) -> None:
        self._say(
            f"looking at what the model writes after round {turn}" if turn else "looking at what the model writes"
        )

    def learnt(self, turn: int, step: int, of: int, loss: float, tokens: int, seconds: float) -> None:
        self._tokens, self._seconds = self._tokens + tokens, self._seconds + seconds
        self._steps += 1
        if step not in (1, of) and time.monotonic() - self._said < EVERY_SECONDS:
            return
        rate = self._tokens / max(self._seconds, 1e-9)
        left = f"  {duration((of - step) * self._seconds / self._steps)} to the round's end" if step < of else ""
        self._say(f"round {turn}  step {step}/{of}  loss {loss:.3f}  {rate:,.0f} tokens/s{left}")

    def sampled(self, tokens: int) -> None:
        self._written += tokens
        if (passed := time.monotonic() - self._said) >= EVERY_SECONDS:
            self._say(f"sampling  {self._written:,} tokens, {self._written / passed:,.0f} tokens/s")
            self._written = 0

    def looked(self, turn: int, shares: "Mapping[Kind, Shares]", enough: bool) -> None:
        self._tokens, self._seconds, self._steps, self._written = 0, 0.0, 0, 0
        for kind, each in shares.items():
            why = ", ".join(f"{reason} {count}" for reason, count in sorted(each.reasons.items(), key=lambda r: -r[1]))
            self._say(
                f"after round {turn}  {kind}: proposals {_percent(each.readable)} read, {_percent(each.valid)} valid;"
                f" answers {_percent(each.answered)} read, {_percent(each.right)} right" + (f"  ({why})" if why else "")
            )
        if enough:
            self._say("enough")

    def ended(self, outcome: "Outcome") -> None:
        """Where the model is, and what to do with it."""
        if outcome.stopped:
            self._say(f"stopped at step {outcome.step}; go on with: azr warmup --run {outcome.folder}")
            return
        if not outcome.enough:
            self._say("the last round was done before there was enough: raise warmup.rounds, or lower warmup.enough")
        tasks = outcome.folder / "heldout.jsonl"
        self._say(f"model: {outcome.folder}; train it: azr train --model {outcome.folder} --set evals.tasks={tasks}")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()
        self._said = time.monotonic()


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
