"""Agreement of the sandbox with CPython on given programs."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from azr.errors import AzrError
from azr.sandbox import (
    InvalidReason,
    Outcome,
    OutcomeKind,
    Request,
    Sandbox,
    SyntaxProblem,
    ValidRun,
    Value,
    read,
    whole,
)


@dataclass(slots=True)
class Report:
    """What was compared, and the results."""

    compared: int = 0
    """Calls that return or raise under CPython."""
    agree: int = 0
    returned: int = 0
    """Of the compared, those that return under CPython."""
    returned_agree: int = 0
    nondeterministic: int = 0
    """Calls that differ from run to run under CPython."""
    rejected: int = 0
    """Of these, rejected by `validate`."""
    rejected_as_such: int = 0
    returned_but_rejected: int = 0
    """Calls that return under CPython and are rejected by `validate` as nondeterministic."""
    differ: list[dict[str, str]] = field(default_factory=list)
    unsupported: list[dict[str, str]] = field(default_factory=list)
    """Calls of programs that import a third-party package, by package: not compared, since the sandbox has none."""


@dataclass(frozen=True, slots=True)
class _Row:
    code: str
    input: str
    want: dict[str, object]


_PASSES: Final[dict[str, object]] = {"returns": "True"}
"""What a HumanEval row requires: its solution passes its tests."""


def measure(data: Path) -> Report:
    """Run every row of a JSONL file. Raises AzrError for a row that is of neither form."""
    rows = list(_rows(data))
    sandbox = Sandbox()
    report = Report()
    outcomes = whole(sandbox.run_batch([Request(program=row.code, call=row.input) for row in rows]))
    returns = [str(row.want["returns"]) for row in rows if "returns" in row.want]
    gold = iter(read(sandbox.literals(returns)))
    for row, outcome in zip(rows, outcomes, strict=True):
        value = next(gold) if "returns" in row.want else None
        package = _missing_package(outcome) if value is not None else None
        if package is not None:
            report.unsupported.append({"code": row.code, "input": row.input, "package": package})
        else:
            _compare(report, row, outcome, value)
    verdicts = sandbox.validate([(row.code, [row.input]) for row in rows])
    for row, verdict in zip(rows, verdicts, strict=True):
        [result] = verdict.results
        as_such = not isinstance(result, ValidRun) and result.reason is InvalidReason.NONDETERMINISTIC
        if "nondeterministic" in row.want:
            report.nondeterministic += 1
            report.rejected += not isinstance(result, ValidRun)
            report.rejected_as_such += as_such
        elif "returns" in row.want:
            report.returned_but_rejected += as_such
    return report


def _rows(data: Path) -> Iterator[_Row]:
    for number, line in enumerate(data.read_bytes().splitlines(), 1):
        row = json.loads(line)
        if {"code", "input", "output"} <= row.keys():
            yield _Row(row["code"], row["input"], {"returns": row["output"]})
        elif {"prompt", "canonical_solution", "test", "entry_point"} <= row.keys():
            # The solution may be called f itself.
            program = f"{row['prompt']}{row['canonical_solution']}{row['test']}\nsolution = {row['entry_point']}"
            yield _Row(f"{program}\ndef f():\n    check(solution)\n    return True", "", _PASSES)
        elif {"code", "inputs", "outcomes"} <= row.keys():
            for text, outcome in zip(row["inputs"], row["outcomes"], strict=True):
                yield _Row(row["code"], text, outcome)
        else:
            raise AzrError(
                f"{data}, line {number}: needs code, input, output, or code, inputs, outcomes, or HumanEval's keys"
            )


def _missing_package(outcome: Outcome) -> str | None:
    """The third-party package whose absence ended the program."""
    if outcome.exception != "ModuleNotFoundError":
        return None
    package = (outcome.message or "").rpartition("named ")[2].strip("'").partition(".")[0]
    return package if package and package not in sys.stdlib_module_names else None


def _compare(report: Report, row: _Row, outcome: Outcome, gold: Value | SyntaxProblem | None) -> None:
    if gold is not None:
        report.compared += 1
        report.returned += 1
        if _returns_gold(outcome, gold):
            report.agree += 1
            report.returned_agree += 1
            return
        want = str(row.want["returns"])
    elif "raises" in row.want:
        report.compared += 1
        if outcome.exception == row.want["raises"]:
            report.agree += 1
            return
        want = f"raises {row.want['raises']}"
    else:
        return
    report.differ.append({"code": row.code, "input": row.input, "want": want, "got": _text(outcome)})


def _returns_gold(outcome: Outcome, gold: Value | SyntaxProblem) -> bool:
    if isinstance(gold, Value):
        return outcome.value is not None and outcome.value.equals(gold, "strict")
    # Not plain data under CPython either (an object, NaN): agreement means that it is not a value here.
    return outcome.kind is OutcomeKind.NOT_A_TASK_VALUE


def _text(outcome: Outcome) -> str:
    if outcome.value is not None:
        return outcome.value.repr
    return ": ".join(str(part) for part in (outcome.kind, outcome.exception, outcome.message) if part)
