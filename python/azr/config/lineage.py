"""What a model was made for, by its name alone: nothing is loaded."""

import json
from pathlib import Path
from typing import Final

EMBEDDED: Final = "embedded"
"""Name of the model that comes with the package."""
EMBEDDED_TEMPLATE: Final = "terse"
"""What the embedded model speaks, and so do the checkpoints of runs that began with it."""


def template_of(name: str) -> str:
    """The template that a model was made for: its config's `azr_template`, or the paper's text."""
    if name == EMBEDDED:
        return EMBEDDED_TEMPLATE
    try:
        config = json.loads((Path(name) / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return "think"  # not a folder here: a name of the hub
    return str(config.get("azr_template", "think"))
