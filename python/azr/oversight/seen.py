"""Verdicts and attempts in the form for monitors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azr.oversight.base import Purpose, Seen
from azr.types import Attempt, Draft, Kind, Rejected, Valid

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


def of_proposals(step: int, verdicts: Sequence[Valid | Rejected], sandbox: "Sandbox") -> list[Seen]:
    """One for each proposal. The program of an induction proposal is not the model's, so it is left out."""
    codes = [_code(verdict) for verdict in verdicts]
    found = []
    for verdict, code, names in zip(verdicts, codes, imports_of(codes, sandbox), strict=True):
        draft = verdict.proposal.draft
        found.append(
            Seen(
                step=step, purpose="proposal", completion=verdict.proposal.completion, code=code,
                arguments=draft.inputs if isinstance(draft, Draft) else (), imports=names,
                task=verdict.task if isinstance(verdict, Valid) else None,
            )
        )  # fmt: skip
    return found


def of_attempts(step: int, attempts: Sequence[Attempt], purpose: Purpose, sandbox: "Sandbox") -> list[Seen]:
    """One for each attempt."""
    codes = [attempt.text if attempt.task.kind.base is Kind.INDUCTION else None for attempt in attempts]
    return [
        Seen(
            step=step, purpose=purpose, completion=attempt.completion, code=code, imports=names, task=attempt.task,
            arguments=(attempt.text,) if attempt.text and attempt.task.kind.base is Kind.ABDUCTION else (),
        )
        for attempt, code, names in zip(attempts, codes, imports_of(codes, sandbox), strict=True)
    ]  # fmt: skip


def imports_of(codes: Sequence[str | None], sandbox: "Sandbox") -> list[tuple[str, ...]]:
    """The modules that each program imports; none where it does not parse."""
    from azr.sandbox import Imports

    asked = [code for code in codes if code and "import" in code]
    answers = iter(sandbox.imports(asked) if asked else ())
    found = []
    for code in codes:
        answer = next(answers) if code and "import" in code else None
        found.append(answer.names if isinstance(answer, Imports) else ())
    return found


def _code(verdict: Valid | Rejected) -> str | None:
    draft = verdict.proposal.draft
    if not isinstance(draft, Draft) or verdict.proposal.kind.base is Kind.INDUCTION:
        return None
    return draft.program
