"""Open a model for evaluation: a folder, a name of the hub, a run of azr or one of its checkpoints."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from azr.config import resolve as checked
from azr.config.lineage import prompt_of, template_of
from azr.config.schema import PromptConfig
from azr.errors import ConfigError, ModelError
from azr.rollouts import ENGINES, Engine
from azr.run.folder import CHECKPOINTS, CONFIG, read_config
from azr.tasks.templates import FULL, Form
from azr.trainer import checkpoint
from azr.trainer.model import load_model, pick_device
from azr.util.registry import resolve

if TYPE_CHECKING:
    from azr.evals.ask import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A loaded model that answers."""

    engine: Engine
    model: str
    """What was loaded, in full: of a run, its checkpoint."""
    context: int
    """Context length in tokens; 0: unknown."""


def locate(name: str) -> str:
    """What to load: a run's newest checkpoint, verified; anything else unchanged.

    Raises:
        ModelError: the run has no checkpoint yet.
        CheckpointError: it is damaged.
    """
    folder = Path(name)
    if not (folder / CONFIG).is_file() or not (folder / CHECKPOINTS).is_dir():
        return name
    newest = checkpoint.newest(folder / CHECKPOINTS)
    if newest is None:
        raise ModelError(f"the run {name} has no checkpoint yet")
    checkpoint.verify(newest)
    return str(newest)


def pick_style(asked: str, name: str) -> "Style":
    """The template: as asked, or for `auto` the one that the model's run or its config names."""
    if asked == "auto":
        asked = _of_run(Path(name)) or template_of(locate(name))
    if asked not in ("think", "chat", "terse", "plain"):
        raise ConfigError(f"--template {asked!r}: known are auto, think, chat, terse, plain")
    return asked  # type: ignore[return-value]  # checked just now


def pick_form(asked: str, name: str) -> Form:
    """The words and the opening of prompts: for `auto` those that the model was trained with, else the full ones."""
    if asked != "auto":
        return FULL
    prompt = _prompt_of_run(Path(name))
    given = prompt.model_dump() if prompt else prompt_of(locate(name))
    return Form(short=given.get("words") == "short", opened=bool(given.get("opening")))


def _of_run(folder: Path) -> str | None:
    """The template that a run was trained with."""
    prompt = _prompt_of_run(folder)
    return None if prompt is None or prompt.template == "auto" else prompt.template


def _prompt_of_run(folder: Path) -> PromptConfig | None:
    """The prompts that a run was trained with, given the run's folder or one of its checkpoints."""
    for home in (folder, folder.parent.parent):
        if (home / CONFIG).is_file() and (home / CHECKPOINTS).is_dir():
            return read_config(home).prompt
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How to load a model."""

    engine: str = "transformers"
    batch: int = 256
    """Sequences sampled together."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str = "auto"
    max_tokens: int = 4096
    """Limit of the longest completion."""
    script: str = ""
    overrides: tuple[str, ...] = ()
    """Overrides of the engine's config: `engine.vllm.start_seconds=3600`."""


def open_model(name: str, wanted: Wanted) -> Opened:
    """Load a model into an engine.

    Raises:
        AzrError: the model or the engine cannot be had.
    """
    if wrong := [override for override in wanted.overrides if not override.startswith("engine.")]:
        raise ConfigError(f"--set {wrong[0]!r}: an evaluation only has settings of the engine, engine.vllm.memory=0.8")
    if wanted.engine == "scripted":
        from azr.rollouts.scripted import ScriptedEngine

        if not wanted.script:
            raise ConfigError("--engine scripted needs --script module:function")
        return Opened(engine=ScriptedEngine(resolve({}, wanted.script, "--script")), model=wanted.script, context=0)
    source = locate(name)
    device = _own_device(pick_device(wanted.device))
    dtype = wanted.dtype
    if dtype == "auto":
        dtype = "float32" if device == "cpu" else "bfloat16"
    given = {
        "model": {"name": source, "dtype": dtype, "compute": dtype, "device": device},
        "engine": {"name": wanted.engine, "batch": wanted.batch},
        "sampling": {"max_tokens": wanted.max_tokens},
    }
    config = checked(given, wanted.overrides, "--set")
    if config.engine.vllm.tensor_parallel > 1 and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("engine.vllm.tensor_parallel above 1 is for an evaluation by one process: each has an engine")
    loaded = load_model(config.model)
    make: Any = resolve(ENGINES, wanted.engine, "--engine")
    made: Engine = make(loaded.tokenizer, config)
    made.load(loaded.model)
    return Opened(engine=made, model=source, context=int(getattr(loaded.model.config, "max_position_embeddings", 0)))


def _own_device(device: str) -> str:
    """Under torchrun each process uses the device of its local rank."""
    rank = os.environ.get("LOCAL_RANK")
    if device != "cuda" or rank is None:
        return device
    import torch

    torch.cuda.set_device(int(rank))
    return f"cuda:{rank}"
