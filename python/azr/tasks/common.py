"""Shared by all kinds."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from azr.errors import SandboxError
from azr.tasks.base import TaskKind
from azr.types import FAILED, Answer, Flaw, Kind, Reason, Task
from azr.util.text import is_text

if TYPE_CHECKING:
    from azr.sandbox import Check, Failed, RunResult, Sandbox, Value

NOT_A_LITERAL: Final = "not_a_literal"
"""Reason for an answer text that is not a literal. Fixed, since verdicts are counted by reason."""


MAX_TEXT: Final = 8 << 20
"""Characters of a completion that is read, about two million tokens."""


def unreadable(text: str) -> Flaw | None:
    """Why a completion is not even parsed; None for all but a few hostile ones."""
    if len(text) > MAX_TEXT:
        return Flaw.TOO_LONG
    return None if is_text(text) else Flaw.NOT_UNICODE


def check_rows(kind: TaskKind, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
    """`kind.check` where its programs run, with failures isolated to single answers; `sandbox`: the run's.

    If the check of a batch fails, its halves are checked separately, down to the answer that causes the failure. That
    answer has no verdict and is counted so. Kinds may come from users, and model output must not end a run through
    them.

    Raises:
        SandboxError: the sandbox cannot be used at all.
    """
    if not answers:
        return []
    try:
        return kind.check(kind.home(sandbox), answers)
    except SandboxError as error:
        if error.code in UNUSABLE:
            raise
        why = str(error)
    except Exception as error:
        why = f"{type(kind).__name__}.check failed: {error!r}"[:MAX_WHY]
    if len(answers) == 1:
        return [Answer(score=0.0, reason=FAILED, error=why)]
    half = len(answers) // 2
    return check_rows(kind, sandbox, answers[:half]) + check_rows(kind, sandbox, answers[half:])


UNUSABLE: Final = frozenset({"bad_guest", "bad_module", "cancelled", "forked", "bad_limit"})
"""Error codes about a sandbox or a call, not about one row."""

MAX_WHY: Final = 500


def argument_values(sandbox: "Sandbox", texts: Sequence[str]) -> "list[Value | Failed | None]":
    """Each argument text as a tuple of values; None for a text that is not all literals.

    A text has to parse equally inside of parentheses and square brackets: one that closes the bracket around it, or
    hides it behind a comment, is not a list of arguments.
    """
    from azr.sandbox import Failed, Value

    # The newline ends a comment at the end of the text.
    stripped = [text.strip().removesuffix(",") for text in texts]
    tuples = sandbox.literals([f"({text}\n,)" if text else "()" for text in stripped])
    lists = sandbox.literals([f"[{text}\n,]" if text else "[]" for text in stripped])
    found: list[Value | Failed | None] = []
    for row, other in zip(tuples, lists, strict=True):
        failed = next((each for each in (row, other) if isinstance(each, Failed)), None)
        both = isinstance(row, Value) and isinstance(other, Value)
        found.append(failed or (row if both and isinstance(row, Value) else None))
    return found


def by_domain(kinds: Iterable[Kind], places: Iterable[int]) -> list[list[int]]:
    """The places, grouped by the domain of their kinds: programs of one domain run in one sandbox, in one batch."""
    groups: dict[str, list[int]] = {}
    for kind, place in zip(kinds, places, strict=True):
        groups.setdefault(kind.domain, []).append(place)
    return list(groups.values())


def returned(results: Sequence["RunResult"]) -> "Sequence[Value] | Reason":
    """What the program returned for each input; or, if it failed on one, why. The sandbox's reasons equal ours by
    name."""
    from azr.sandbox import InvalidRun

    values: list[Value] = []
    for result in results:
        if isinstance(result, InvalidRun):
            return Reason(result.reason.value)
        values.append(result.value)
    return values


def fuel_of(results: Sequence["RunResult"]) -> int:
    """Fuel of the draft, all inputs together."""
    from azr.sandbox import InvalidRun

    return sum(result.outcome.fuel_used if isinstance(result, InvalidRun) else result.fuel_used for result in results)


def exception_of(results: Sequence["RunResult"]) -> str:
    """Class name of the first exception; the program may have defined it itself."""
    from azr.sandbox import InvalidRun

    return next((r.outcome.exception for r in results if isinstance(r, InvalidRun) and r.outcome.exception), "")


def failed_answer(failed: "Failed") -> Answer:
    """An answer without a verdict, after a failure of the sandbox."""
    return Answer(score=0.0, reason=FAILED, error=f"{failed.code}: {failed.message}")


def answer_of(check: "Check") -> Answer:
    """A sandbox check as an answer."""
    if check.failed is not None:
        return failed_answer(check.failed)
    fuel = check.outcome.fuel_used if check.outcome else 0
    if check.correct:
        return Answer(score=1.0, reason="correct", fuel=fuel)
    return Answer(score=0.0, reason=NOT_A_LITERAL if check.reason else "wrong", fuel=fuel)
