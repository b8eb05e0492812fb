"""Answers to the training's own kinds of task, checked as in training."""

from collections.abc import Sequence

from azr.evals.benchmarks.base import Item
from azr.evals.scorers.base import CORRECT, Reason, Tools, Verdict, until, wrong
from azr.tasks import KindOptions, make_kinds
from azr.tasks.common import check_rows
from azr.types import Answer, Kind, Task


class TaskScorer:
    """Values compare as Python's `==` does: 1 is 1.0 and True."""

    strict = False

    def __init__(self, tools: Tools) -> None:
        self._sandbox = tools.sandbox
        self._kinds = make_kinds(KindOptions(strict=self.strict))

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        """Of a plain continuation; replies are read block by block by the template (see `azr.evals.ask`)."""
        if stops is None:
            return text
        line = until(text, stops).strip()
        if task_of(item).kind is Kind.ABDUCTION:
            return line[:-1] if line.endswith(")") else line or None
        return line or None

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        verdicts: dict[int, Verdict] = {}
        for kind, checker in self._kinds.items():
            mine = [(at, task_of(item), text) for at, (item, text) in enumerate(answers) if task_of(item).kind is kind]
            checked = check_rows(checker, self._sandbox, [(task, text) for _, task, text in mine])
            verdicts |= {at: _verdict(answer) for (at, _, _), answer in zip(mine, checked, strict=True)}
        return [verdicts[at] for at in range(len(answers))]


class StrictTaskScorer(TaskScorer):
    """Values of other types differ, as in the training's default."""

    strict = True


def task_of(item: Item) -> Task:
    """The task of an item that is one."""
    assert item.task is not None, "an item of a benchmark of tasks has its task"
    return item.task


def _verdict(answer: Answer) -> Verdict:
    if answer.failed:
        return wrong(Reason.SANDBOX_FAILED, answer.error)
    if answer.score >= 1.0:
        return CORRECT
    return wrong(Reason.WRONG, "" if answer.reason == "wrong" else answer.reason)
