"""A domain's verifier and quality score: the domain author's Python, run in the guest on plain values.

Model output cannot reach them: an answer is passed as data, parsed as a literal, never as code.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azr.tasks import common
from azr.tasks.common import argument_values, failed_answer
from azr.types import FAILED, Answer, Kind, Task

if TYPE_CHECKING:
    from azr.sandbox import Failed, Sandbox, Score, Value

NOT_A_LITERAL = Answer(score=0.0, reason=common.NOT_A_LITERAL)
TOO_DEEP = Answer(score=0.0, reason="verifier_not_a_task_value")
"""The task's own values nest too deeply to fit into one value."""
ASK_QUALITY = "\n\ndef verify(task, answer):\n    return quality(task)\n"


def verify(sandbox: "Sandbox", source: str, kind: Kind, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
    """One verdict for each (task, answer text), from `verify(task, answer)`.

    An answer is its block, parsed as a literal: a value, the tuple of arguments (abduction), or the text of a program
    (induction). An answer that is no literal scores 0, and so does one on which the verifier fails.
    """
    from azr.sandbox import Value

    texts = [text for _, text in answers]
    given = [Value.of(text) for text in texts] if kind is Kind.INDUCTION else _read(sandbox, kind, texts)
    tasks = task_values(sandbox, kind, [task for task, _ in answers])
    both = list(zip(tasks, given, strict=True))
    asked = [(source, task, value) for task, value in both if isinstance(task, Value) and isinstance(value, Value)]
    scores = iter(sandbox.score(asked))
    return [_unasked(task, value) or _answer(next(scores)) for task, value in both]


def _unasked(task: "Value | Failed | None", value: "Value | Failed | None") -> Answer | None:
    """The verdict on an answer that cannot be passed to a verifier; None for all others."""
    from azr.sandbox import Failed

    if value is None:
        return NOT_A_LITERAL
    if task is None:
        return TOO_DEEP
    failed = next((each for each in (task, value) if isinstance(each, Failed)), None)
    return failed_answer(failed) if failed is not None else None


def qualities(sandbox: "Sandbox", source: str, kind: Kind, tasks: Sequence[Task]) -> list[float | None]:
    """`quality(task)` of each task; 0 where it raises, None where the sandbox fails."""
    scores = quality_scores(sandbox, source, kind, tasks)
    return [None if failure(score) == FAILED else number(score) or 0.0 for score in scores]


def quality_scores(sandbox: "Sandbox", source: str, kind: Kind, tasks: Sequence[Task]) -> "list[Score | None]":
    """The same with the kind of failure; None for a task that cannot be passed to it (`task_values`)."""
    from azr.sandbox import Failed, InvalidReason, Outcome, OutcomeKind, Unscored, Value

    nothing = Value.of(None)
    values = task_values(sandbox, kind, tasks)
    asked = [(source + ASK_QUALITY, value, nothing) for value in values if isinstance(value, Value)]
    scores = iter(sandbox.score(asked))
    found: list[Score | None] = []
    for value in values:
        if isinstance(value, Failed):
            outcome = Outcome(kind=OutcomeKind.SANDBOX_FAILED, message=value.message, failed=value)
            found.append(Unscored(InvalidReason.SANDBOX_FAILED, outcome))
        else:
            found.append(None if value is None else next(scores))
    return found


def number(score: "Score | None") -> float | None:
    """The score as a number; None without a score."""
    from azr.sandbox import Scored

    return score.score if isinstance(score, Scored) else None


def failure(score: "Score | None") -> str:
    """Why there is no score; empty with a score."""
    from azr.sandbox import Unscored

    if score is None:
        return "not_a_task_value"

    return str(score.reason) if isinstance(score, Unscored) else ""


def task_values(sandbox: "Sandbox", kind: Kind, tasks: Sequence[Task]) -> "list[Value | Failed | None]":
    """Each task as the dict for a verifier: kind, program, inputs, arguments, outputs, message.

    `inputs` are the argument texts; `arguments` the same as tuples of values, None for one that is no literal. None for
    a task whose values nest too deeply for that: `Sandbox.validate` finds no such task valid, but others may hold one.
    """
    from azr.sandbox import Failed, Value

    texts = [text for task in tasks for text in task.inputs]
    read = iter(_read(sandbox, Kind.ABDUCTION, texts))
    made: list[Value | Failed | None] = []
    for task in tasks:
        found = [next(read) for _ in task.inputs]
        failed = next((value for value in found if isinstance(value, Failed)), None)
        if failed is not None:
            made.append(failed)
            continue
        about: Mapping[str, Any] = {
            "kind": str(kind),
            "program": task.program,
            "inputs": list(task.inputs),
            "arguments": [value.to_python() if isinstance(value, Value) else None for value in found],
            "outputs": [value.to_python() for value in task.outputs],
            "message": task.message,
        }
        try:
            made.append(Value.of(about))
        except ValueError:
            made.append(None)
    return made


def literals(sandbox: "Sandbox", texts: Sequence[str]) -> "list[Value | Failed | None]":
    """The value of each text that is a literal; None for others. Nothing is executed."""
    from azr.sandbox import SyntaxProblem

    return [None if isinstance(value, SyntaxProblem) else value for value in sandbox.literals(texts)]


def _read(sandbox: "Sandbox", kind: Kind, texts: Sequence[str]) -> "list[Value | Failed | None]":
    if kind is Kind.ABDUCTION:
        return argument_values(sandbox, texts)
    return literals(sandbox, [text.strip() for text in texts])


def _answer(score: "Score") -> Answer:
    from azr.sandbox import Scored

    if not isinstance(score, Scored):
        if score.outcome.failed is not None:
            return failed_answer(score.outcome.failed)
        return Answer(score=0.0, reason=f"verifier_{failure(score)}", fuel=score.outcome.fuel_used)
    found = score.score
    reason = "correct" if found >= 1.0 else "graded" if found else "wrong"
    return Answer(score=found, reason=reason, fuel=score.fuel_used)
