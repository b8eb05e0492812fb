"""Scorers, one file each."""

import importlib
from typing import Final, cast

from azr.evals.scorers.base import APART, Reason, Scorer, Tools, Verdict

SCORERS: Final[dict[str, str]] = {
    "task": "azr.evals.scorers.tasks:TaskScorer",
    "task_strict": "azr.evals.scorers.tasks:StrictTaskScorer",
    "asserts": "azr.evals.scorers.asserts:AssertScorer",
    "programs": "azr.evals.scorers.programs:ProgramScorer",
    "math": "azr.evals.scorers.math:MathScorer",
    "letter": "azr.evals.scorers.letter:LetterScorer",
}

__all__ = ["APART", "SCORERS", "Reason", "Scorer", "Tools", "Verdict", "make_scorer"]


def make_scorer(name: str, tools: Tools) -> Scorer:
    """The scorer of a name."""
    module, _, attribute = SCORERS[name].partition(":")
    return cast(Scorer, getattr(importlib.import_module(module), attribute)(tools))
