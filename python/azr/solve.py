"""Stage 4: tasks -> prompts -> completions -> checked attempts.

Used twice in a step: for the trials of new tasks, and for the answers that the solver trains on. The sampling settings
are explicit in each call. Answers are checked in the sandbox, all of a kind at once.
"""

from collections.abc import Sequence

from azr.pipeline.parts import Parts
from azr.rollouts import Sampling
from azr.tasks.answer import read_answer
from azr.tasks.common import check_rows
from azr.types import FAILED, Answer, Attempt, Completion, Task, Unparsed


def solve(parts: Parts, tasks: Sequence[Task], count: int, sampling: Sampling) -> list[list[Attempt]]:
    """`count` attempts at each task, in order."""
    prompts = [parts.renderer.solve(task) for task in tasks]
    answers = parts.engine.sample(prompts, sampling, count)
    flat = check(parts, [completion for row in answers for completion in row])
    return [flat[at : at + count] for at in range(0, len(flat), count)]


def check(parts: Parts, completions: Sequence[Completion]) -> list[Attempt]:
    """One attempt for each completion of a solve prompt, in order."""
    template = parts.renderer.template
    readings = [read_answer(template, parts.kinds, one.prompt.kind, one.prompt.start + one.text) for one in completions]
    verdicts = [
        Answer(score=0.0, reason=FAILED, error=one.error)
        if one.error
        else Answer(score=0.0, reason=str(reading.answer.flaw if isinstance(reading.answer, Unparsed) else ""))
        for one, reading in zip(completions, readings, strict=True)
    ]
    for kind in parts.kinds:
        answers = [
            (index, _task(completion), reading.answer)
            for index, (completion, reading) in enumerate(zip(completions, readings, strict=True))
            if completion.prompt.kind is kind and isinstance(reading.answer, str)
        ]
        checked = check_rows(parts.kinds[kind], parts.sandbox, [(task, text) for _, task, text in answers])
        for (index, _, _), verdict in zip(answers, checked, strict=True):
            verdicts[index] = verdict
    return [
        Attempt(
            completion=completion,
            text=None if isinstance(reading.answer, Unparsed) else reading.answer,
            formatted=reading.formatted and not isinstance(reading.answer, Unparsed),
            score=verdict.score,
            reason=verdict.reason,
            fuel=verdict.fuel,
        )
        for completion, reading, verdict in zip(completions, readings, verdicts, strict=True)
    ]


def _task(completion: Completion) -> Task:
    task = completion.prompt.task
    assert task is not None, "a solve prompt has its task"
    return task
