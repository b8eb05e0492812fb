"""Functions judged by assertions: HumanEval, MBPP and their plus versions."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from azr.evals.benchmarks.base import Item
from azr.evals.scorers import harness
from azr.evals.scorers.base import CORRECT, Reason, Tools, Verdict, wrong
from azr.evals.scorers.code import read_program
from azr.evals.scorers.outcomes import failed
from azr.sandbox import Outcome, Request

FUEL = 40_000_000_000
"""Of one answer with all of its tests: some four seconds."""

_NUMPY = re.compile(r"^import numpy as np\s*$", re.MULTILINE)


class AssertScorer:
    """Runs each answer with all tests of its item, in one fresh interpreter."""

    def __init__(self, tools: Tools) -> None:
        self._sandbox = tools.sandbox
        self._limits = replace(
            tools.sandbox.limits,
            fuel=tools.fuel or FUEL,
            source_bytes=harness.LIMIT_BYTES,
            output_bytes=8 << 20,
            wall_seconds=600.0,
        )

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        program = read_program(text, f"def {item.facts['name']}", stops)
        if program is None:
            return None
        return str(item.facts["continued" if stops is not None else "before"]) + program

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        token = secrets.token_hex(8)
        requests = [
            Request(
                program=harness.function_program(
                    answer, item.facts["name"], _NUMPY.sub(harness.ARRAYS, item.facts["tests"])
                ),
                call=repr(token),
                limits=self._limits,
            )
            for item, answer in answers
        ]
        outcomes = self._sandbox.run_batch(requests)
        return [_verdict(outcome, item, token) for outcome, (item, _) in zip(outcomes, answers, strict=True)]


def _verdict(outcome: Outcome, item: Item, token: str) -> Verdict:
    if outcome.value is None:
        return failed(outcome)
    said = outcome.value.to_python()
    if said == token:
        return CORRECT
    if said == f"{token} has no function":
        return wrong(Reason.NO_FUNCTION, item.facts["name"])
    return wrong(detail="the tests did not come to their end")
