"""Kinds of tasks, one file each, and their prompts."""

from collections.abc import Callable

from azr.tasks.abduction import Abduction
from azr.tasks.base import KindOptions, TaskKind
from azr.tasks.deduction import Deduction
from azr.tasks.error import ErrorPrediction
from azr.tasks.induction import Induction
from azr.types import Kind

KINDS: dict[Kind, Callable[[KindOptions], TaskKind]] = {
    Kind.DEDUCTION: Deduction,
    Kind.ABDUCTION: Abduction,
    Kind.INDUCTION: Induction,
    Kind.ERROR: ErrorPrediction,
}

IDENTITY_PROGRAM = "def f(a):\n    return a"

__all__ = ["IDENTITY_PROGRAM", "KINDS", "KindOptions", "TaskKind", "make_kinds"]


def make_kinds(options: KindOptions) -> dict[Kind, TaskKind]:
    """Make every plain kind."""
    return {kind: make(options) for kind, make in KINDS.items()}
