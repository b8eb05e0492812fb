"""Infer the prompt template from the model's name or its config.json, without loading anything."""

import json
from pathlib import Path
from typing import Any, Final

GGUF: Final = ".gguf"
HEAD_BYTES: Final = 32 << 20
"""So much of a GGUF file is looked at for its metadata, which stands at its beginning."""
EMBEDDED: Final = "embedded"
"""Name of the model that comes with the package and is trained unless another is named."""
OWN: Final = {EMBEDDED: "model", "embedded-steps": "model_steps"}
"""Name of each model that comes with the package -> its folder in the package."""
EMBEDDED_TEMPLATE: Final = "terse"
"""The template of the embedded model and of runs that started from it."""


def template_of(name: str) -> str:
    """The template that a model was made for.

    Its config's `azr_template`; or its chat template, where its tokenizer has one; or else the paper's text. Of a name
    of the hub nothing is known before it is loaded: the paper's text.
    """
    if name in OWN:
        return EMBEDDED_TEMPLATE
    path = Path(name)
    if path.suffix == GGUF:
        return "chat" if _gguf_has_chat(path) else "think"
    found = _json(path / "config.json").get("azr_template")
    if found is not None:
        return str(found)
    chat = (path / "chat_template.jinja").is_file() or "chat_template" in _json(path / "tokenizer_config.json")
    return "chat" if chat else "think"


def prompt_of(name: str) -> dict[str, Any]:
    """The settings of `[prompt]` that a model was warmed up with; empty for all others."""
    found = _json(Path(name) / "config.json").get("azr_prompt")
    return dict(found) if isinstance(found, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _gguf_has_chat(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"tokenizer.chat_template" in file.read(HEAD_BYTES)
    except OSError:
        return False
