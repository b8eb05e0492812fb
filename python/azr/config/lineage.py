"""Infer the prompt template from the model's name or its config.json, without loading anything."""

import json
from pathlib import Path
from typing import Final

EMBEDDED: Final = "embedded"
"""Name of the model that comes with the package."""
EMBEDDED_TEMPLATE: Final = "terse"
"""The template of the embedded model and of runs that started from it."""


def template_of(name: str) -> str:
    """The template that a model was made for: its config's `azr_template`, or the paper's text."""
    if name == EMBEDDED:
        return EMBEDDED_TEMPLATE
    try:
        config = json.loads((Path(name) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "think"  # not a local folder: a hub name
    return str(config.get("azr_template", "think"))
