"""Load a causal language model and its tokenizer."""

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azr.config.lineage import GGUF, OWN
from azr.config.schema import ModelConfig
from azr.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from azr.rollouts.tokens import HuggingFaceTokenizer


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model on its device, with its tokenizer."""

    model: "PreTrainedModel"
    tokenizer: "HuggingFaceTokenizer"


def locate(name: str) -> str:
    """The folder or hub name to load from; the embedded models are folders of the package."""
    if name not in OWN:
        return name
    return str(Path(str(resources.files("azr"))) / OWN[name])


def load_model(config: ModelConfig, whole: bool = True) -> LoadedModel:
    """Load the config's model; `whole`: onto its device, else into CPU memory.

    Raises:
        ModelError: it is not there, not reachable, or no causal language model.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    from azr.rollouts.tokens import HuggingFaceTokenizer

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # progress is the command line's to show
    source = locate(config.name)
    device = pick_device(config.device)
    if config.threads:
        torch.set_num_threads(config.threads)
    try:
        where, options = _place(source)
        tokenizer = AutoTokenizer.from_pretrained(where, **options)
        with _without_bars(bool(options)):
            model = AutoModelForCausalLM.from_pretrained(where, dtype=getattr(torch, config.dtype), **options)
        if options:
            model = _plain(model)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(_explain(source, error)) from error
    if config.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if whole:
        model.to(torch.device(device))  # type: ignore[arg-type]  # transformers hides torch's signature
    return LoadedModel(model, HuggingFaceTokenizer(tokenizer, _end_ids(model)))


def load_tokenizer(config: ModelConfig) -> "HuggingFaceTokenizer":
    """The tokenizer alone, for callers that only render prompts."""
    from transformers import AutoTokenizer

    from azr.rollouts.tokens import HuggingFaceTokenizer

    source = locate(config.name)
    try:
        where, options = _place(source)
        return HuggingFaceTokenizer(AutoTokenizer.from_pretrained(where, **options))
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ModelError(_explain(source, error)) from error


def _place(source: str) -> tuple[str, dict[str, str]]:
    """Where transformers loads from, and with which options: a GGUF file is named apart from its folder.

    Raises:
        ModelError: packages that read such a file are missing.
    """
    path = Path(source)
    if path.suffix != GGUF:
        return source, {}
    if not path.is_file():
        raise ModelError(f"model.name = {source!r}: there is no such file")
    missing = [name for name in ("gguf", "accelerate") if importlib.util.find_spec(name) is None]
    if missing:
        raise ModelError(f"to read {path.name} take: pip install {' '.join(missing)}")
    return str(path.parent), {"gguf_file": path.name}


@contextmanager
def _without_bars(gguf: bool) -> Iterator[None]:
    """No progress bar of transformers' reader of GGUF files, which no setting of it silences."""
    if not gguf:
        yield
        return
    reader: Any = importlib.import_module("transformers.modeling_gguf_pytorch_utils")
    bars = reader.tqdm
    reader.tqdm = lambda rows, **_: rows
    try:
        yield
    finally:
        reader.tqdm = bars


def _plain(model: Any) -> Any:
    """A model of the same weights that does not remember its file: one read from GGUF refuses to be saved."""
    config = type(model.config).from_dict(
        {name: value for name, value in model.config.to_dict().items() if name != "quantization_config"}
    )
    fresh = type(model)(config).to(model.dtype)
    fresh.load_state_dict(model.state_dict())
    fresh.generation_config = model.generation_config
    fresh.tie_weights()
    return fresh


def pick_device(name: str) -> str:
    """`auto`: the GPU if there is one."""
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def move_into(model: Any, storage: Mapping[str, "Tensor"]) -> None:
    """Make the parameters views of tensors that hold the same values: an update of the model is then one of these."""
    for name, parameter in model.named_parameters():
        if name in storage:
            parameter.data = storage[name]


def _end_ids(model: Any) -> list[int]:
    ends = model.generation_config.eos_token_id
    if ends is None:
        return []
    return [int(end) for end in ends] if isinstance(ends, list) else [int(ends)]


def _explain(source: str, error: Exception) -> str:
    if Path(source).exists():
        return f"cannot load a model from the folder {source}: {error}"
    return (
        f"model.name = {source!r} is no folder here, and it could not be had from the Hugging Face hub either"
        f" ({str(error).splitlines()[0]}). Give a folder, or check the name and the network."
    )
