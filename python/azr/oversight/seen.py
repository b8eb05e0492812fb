"""Verdicts and attempts in the form for monitors."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from azr.oversight.base import Seen
from azr.types import PROPOSE, Draft, Key, Kind, Placed, Rejected, Valid

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


def of_proposals(step: int, verdicts: Sequence[Valid | Rejected], sandbox: "Sandbox", first: int = 0) -> list[Seen]:
    """One for each proposal. The program of an induction proposal is not the model's, so it is left out.

    `first`: the place in the step of the first one.
    """
    codes = [_code(verdict) for verdict in verdicts]
    found = []
    for place, (verdict, code, names) in enumerate(
        zip(verdicts, codes, imports_of(codes, sandbox), strict=True), first
    ):
        draft = verdict.proposal.draft
        found.append(
            Seen(
                step=step, key=Key(PROPOSE, place), completion=verdict.proposal.completion, code=code,
                arguments=draft.inputs if isinstance(draft, Draft) else (), imports=names,
                task=verdict.task if isinstance(verdict, Valid) else None,
            )
        )  # fmt: skip
    return found


def of_attempts(step: int, attempts: Sequence[Placed], sandbox: "Sandbox") -> list[Seen]:
    """One for each attempt."""
    codes = [attempt.text if task.kind.base is Kind.INDUCTION else None for _, task, attempt in attempts]
    return [
        Seen(
            step=step, key=key, completion=attempt.completion, code=code, imports=names, task=task,
            arguments=(attempt.text,) if attempt.text and task.kind.base is Kind.ABDUCTION else (),
        )
        for (key, task, attempt), code, names in zip(attempts, codes, imports_of(codes, sandbox), strict=True)
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
