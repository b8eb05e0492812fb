"""A domain's verifier and its quality score: Python of the domain's author, run in the guest on plain values.

Neither can be reached by what a model wrote: an answer comes to it as data, read as a literal, never as code.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azr.tasks import common
from azr.tasks.common import literal_text
from azr.types import Answer, Kind, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox, Score, Value

NOT_A_LITERAL = Answer(score=0.0, reason=common.NOT_A_LITERAL)
ASK_QUALITY = "\n\ndef verify(task, answer):\n    return quality(task)\n"


def verify(sandbox: "Sandbox", source: str, kind: Kind, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
    """One verdict for each (task, answer text): what `verify(task, answer)` says of them.

    An answer is what its block says, read as a literal: a value, the tuple of arguments (abduction), or the text of a
    program (induction). What is no literal scores 0, and so does an answer on which the verifier fails.
    """
    from azr.sandbox import Value

    texts = [text for _, text in answers]
    given = [Value.of(text) for text in texts] if kind is Kind.INDUCTION else _read(sandbox, kind, texts)
    tasks = task_values(sandbox, kind, [task for task, _ in answers])
    asked = [(source, task, value) for task, value in zip(tasks, given, strict=True) if value is not None]
    scores = iter(sandbox.score(asked))
    return [NOT_A_LITERAL if value is None else _answer(next(scores)) for value in given]


def qualities(sandbox: "Sandbox", source: str, kind: Kind, tasks: Sequence[Task]) -> list[float]:
    """What `quality(task)` says of each task; 0 where it fails."""
    return [number(score) or 0.0 for score in quality_scores(sandbox, source, kind, tasks)]


def quality_scores(sandbox: "Sandbox", source: str, kind: Kind, tasks: Sequence[Task]) -> "list[Score]":
    """The same, with how it failed."""
    from azr.sandbox import Value

    nothing = Value.of(None)
    return sandbox.score([(source + ASK_QUALITY, value, nothing) for value in task_values(sandbox, kind, tasks)])


def number(score: "Score") -> float | None:
    """The score itself; None where there is none."""
    from azr.sandbox import Scored

    return score.score if isinstance(score, Scored) else None


def failure(score: "Score") -> str:
    """Why there is no score; empty where there is one."""
    from azr.sandbox import Unscored

    return str(score.reason) if isinstance(score, Unscored) else ""


def task_values(sandbox: "Sandbox", kind: Kind, tasks: Sequence[Task]) -> "list[Value]":
    """Each task as the dict that a verifier gets: kind, program, inputs, arguments, outputs, message.

    `inputs` are the argument texts; `arguments` the same as tuples of values, None for one that is no literal.
    """
    from azr.sandbox import Value

    texts = [text for task in tasks for text in task.inputs]
    read = iter(_read(sandbox, Kind.ABDUCTION, texts))
    made = []
    for task in tasks:
        found = [next(read) for _ in task.inputs]
        about: Mapping[str, Any] = {
            "kind": str(kind),
            "program": task.program,
            "inputs": list(task.inputs),
            "arguments": [value.to_python() if value is not None else None for value in found],
            "outputs": [value.to_python() for value in task.outputs],
            "message": task.message,
        }
        made.append(Value.of(about))
    return made


def literals(sandbox: "Sandbox", texts: Sequence[str]) -> "list[Value | None]":
    """Each text as the value that it is a literal of; None for any other text. Nothing is executed."""
    from azr.sandbox import Value

    return [value if isinstance(value, Value) else None for value in sandbox.literals(texts)]


def _read(sandbox: "Sandbox", kind: Kind, texts: Sequence[str]) -> "list[Value | None]":
    return literals(sandbox, [literal_text(text) if kind is Kind.ABDUCTION else text.strip() for text in texts])


def _answer(score: "Score") -> Answer:
    from azr.sandbox import Scored

    if not isinstance(score, Scored):
        return Answer(score=0.0, reason=f"verifier_{failure(score)}", fuel=score.outcome.fuel_used)
    found = score.score
    reason = "correct" if found >= 1.0 else "graded" if found else "wrong"
    return Answer(score=found, reason=reason, fuel=score.fuel_used)
