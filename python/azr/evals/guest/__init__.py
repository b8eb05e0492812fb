"""Modules that the graders put into the sandbox: programs find them loaded (`azr.evals.scorers.harness`).

They run in the guest, trusted with nothing: a candidate may rewrite them in its own interpreter, and gains no more than
it could return anyway. `carry` is also used on the host.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

NAMES: Final = ("carry", "candidate", "runner", "contest")


def modules() -> Mapping[str, str]:
    """Source texts by the names under which the guest imports them."""
    folder = files(__name__)
    return {f"{__name__}.{name}": folder.joinpath(f"{name}.py").read_text("utf-8") for name in NAMES}
