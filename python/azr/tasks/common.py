"""What the kinds share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from azr.errors import SandboxError
from azr.tasks.base import TaskKind
from azr.tasks.parsing import INPUT, PROGRAM, Block, only
from azr.types import FAILED, Answer, Completion, Draft, Flaw, Kind, Prompt, Reason, Task, Unparsed
from azr.util.text import is_text

if TYPE_CHECKING:
    from azr.sandbox import Check, Failed, RunResult, Sandbox, Validation, Value

NOT_A_LITERAL: Final = "not_a_literal"
"""Verdict on an answer text that is no value. Not the parser's words: verdicts are counted by name."""


def parse_program_and_input(blocks: Sequence[Block]) -> Draft | Unparsed:
    """One program and one input; the input may be empty only for a program that the sandbox then finds to fail."""
    program = only(blocks, PROGRAM)
    if isinstance(program, Unparsed):
        return program
    argument = only(blocks, INPUT)
    if isinstance(argument, Unparsed):
        return argument
    return Draft(program=program, inputs=(argument.strip(),))


def whole_program(draft: Draft, prompt: Prompt) -> str:
    """What is run: the composites' sources, then what the model wrote, which may begin with the composite itself."""
    if prompt.start:
        return draft.program
    return "\n\n".join([*(task.program for task in prompt.composites), draft.program])


MAX_TEXT: Final = 8 << 20
"""Characters of a completion that is read: some two million tokens."""


def unreadable(text: str) -> Flaw | None:
    """Why a model's text is not even looked at; None for all but a hostile few."""
    if len(text) > MAX_TEXT:
        return Flaw.TOO_LONG
    return None if is_text(text) else Flaw.NOT_UNICODE


def check_rows(kind: TaskKind, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
    """`kind.check`, so that no answer takes the verdicts of others away.

    Where the check of a batch fails, its halves are checked apart, down to the answer that it fails on: that one has no
    verdict, and is counted as such. Kinds are not ours alone, and what a model wrote must not end a run through them.

    Raises:
        SandboxError: the sandbox cannot be used at all.
    """
    if not answers:
        return []
    try:
        return kind.check(sandbox, answers)
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
"""Codes of errors that are about a sandbox or a call, not about one row of it."""

MAX_WHY: Final = 500


def argument_values(sandbox: "Sandbox", texts: Sequence[str]) -> "list[Value | Failed | None]":
    """The arguments of a call, each text as one tuple of values; None for a text that is not all literals.

    A text has to be the inside of any kind of bracket, and to mean the same there: what closes a bracket of its own
    making, or hides one behind a comment, is no list of arguments.
    """
    from azr.sandbox import Failed, Value

    # The newline ends a comment that the text may close with.
    stripped = [text.strip().removesuffix(",") for text in texts]
    tuples = sandbox.literals([f"({text}\n,)" if text else "()" for text in stripped])
    lists = sandbox.literals([f"[{text}\n,]" if text else "[]" for text in stripped])
    found: list[Value | Failed | None] = []
    for row, other in zip(tuples, lists, strict=True):
        failed = next((each for each in (row, other) if isinstance(each, Failed)), None)
        both = isinstance(row, Value) and isinstance(other, Value)
        found.append(failed or (row if both and isinstance(row, Value) else None))
    return found


def home(kind: TaskKind, plain: "Sandbox") -> "Sandbox":
    """Where a kind's programs run: a domain's in the sandbox that has its modules."""
    own: Sandbox = getattr(kind, "sandbox", plain)
    return own


def run_drafts(
    kinds: Mapping[Kind, TaskKind], plain: "Sandbox", drafts: Sequence[tuple[Kind, str, Sequence[str]]]
) -> "list[Validation]":
    """Validate (kind, program, inputs), in order: all of one domain in one batch, each on its own sandbox."""
    batches: dict[str, list[int]] = {}
    for index, (kind, _, _) in enumerate(drafts):
        batches.setdefault(kind.domain, []).append(index)
    found: dict[int, Validation] = {}
    for rows in batches.values():
        sandbox = home(kinds[drafts[rows[0]][0]], plain)
        results = sandbox.validate([(drafts[row][1], drafts[row][2]) for row in rows])
        found |= zip(rows, results, strict=True)
    return [found[index] for index in range(len(drafts))]


def first_failure(results: Sequence["RunResult"]) -> Reason | None:
    """Why the draft is no task, if any input failed. The sandbox's reasons have the same words as ours."""
    from azr.sandbox import InvalidRun

    for result in results:
        if isinstance(result, InvalidRun):
            return Reason(result.reason.value)
    return None


def fuel_of(results: Sequence["RunResult"]) -> int:
    """What running the draft took, all inputs together."""
    from azr.sandbox import InvalidRun

    return sum(
        result.outcome.fuel_used if isinstance(result, InvalidRun) else result.fuel_used
        for result in results
    )


def exception_of(results: Sequence["RunResult"]) -> str:
    """The class of the first exception; the program may have named it itself."""
    from azr.sandbox import InvalidRun

    return next((r.outcome.exception for r in results if isinstance(r, InvalidRun) and r.outcome.exception), "")


def values(results: Sequence["RunResult"]) -> list["Value"]:
    """The outputs of results among which none failed."""
    from azr.sandbox import ValidRun

    return [result.value for result in results if isinstance(result, ValidRun)]


def make_task(kind: Kind, draft: Draft, completion: Completion, outputs: Sequence["Value"]) -> Task:
    """A task with its provenance; the step and the id are given where it is stored."""
    prompt = completion.prompt
    source = prompt.task
    shown = prompt.references if source is None else (*prompt.references, source)
    return Task(
        kind=kind,
        program=whole_program(draft, prompt),
        inputs=draft.inputs,
        outputs=tuple(outputs),
        message=draft.message,
        references=tuple(task.id for task in shown if task.id is not None),
        parents=tuple(task.id for task in prompt.composites if task.id is not None),
    )


def failed_answer(failed: "Failed") -> Answer:
    """What stands for a verdict where the sandbox failed."""
    return Answer(score=0.0, reason=FAILED, error=f"{failed.code}: {failed.message}")


def answer_of(check: "Check") -> Answer:
    """A single check as a verdict."""
    if check.failed is not None:
        return failed_answer(check.failed)
    fuel = check.outcome.fuel_used if check.outcome else 0
    if check.correct:
        return Answer(score=1.0, reason="correct", fuel=fuel)
    return Answer(score=0.0, reason=NOT_A_LITERAL if check.reason else "wrong", fuel=fuel)
