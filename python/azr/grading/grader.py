"""Grade completions for other trainers, services and scripts.

    grader = Grader()
    row = grader.row(task)                          # {"prompt": [...messages...], "task": "...json..."}
    [answer] = grader.grade([(row["task"], text)])  # score 1.0, reason "correct"

A task is passed as text that includes its answer, so keep that text from the model. A row without a verdict has
`Answer.failed`; other rows keep theirs. Leave such a row out of every reward. Adapters for particular trainers are in
`azr.grading`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from azr.config.domain_files import find, read
from azr.config.schema import SandboxConfig
from azr.domains.domain import Domain, all_texts, make_domain
from azr.errors import GradingError, SandboxError
from azr.tasks import KindOptions, TaskKind, make_kinds
from azr.tasks.answer import read_answer
from azr.tasks.common import check_rows
from azr.tasks.render import Renderer
from azr.tasks.static_filter import StaticFilter
from azr.tasks.templates import Chat
from azr.types import Answer, Kind, Task, Unparsed
from azr.util.text import is_text

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

NOT_A_TASK: Final = "not_a_task"
"""Reason of a row whose task text does not come from `Grader.row`."""

TASK_CHARS: Final = 32 << 20
"""Maximum length of a task's text, three times what the sandbox's default limits allow."""


class Message(TypedDict):
    """One message of a conversation."""

    role: str
    content: str


class Row(TypedDict):
    """A task as a row of a data set."""

    prompt: list[Message]
    task: str


class Grader:
    """Prompts for tasks, and scores for what a model answered. Threads may share one; it does not survive a fork."""

    def __init__(
        self,
        *,
        sandbox: "Sandbox | None" = None,
        domains: Sequence[str | Path] = (),
        options: KindOptions = KindOptions(),  # noqa: B008 - frozen
    ) -> None:
        """`domains`: folders with a domain.toml, or names of installed domains.

        Raises:
            DomainError: a domain cannot be found or loaded.
        """
        self.sandbox = sandbox or _sandbox({})
        self._domains = [_domain(given, options) for given in domains]
        self._kinds: dict[Kind, TaskKind] = make_kinds(options)
        for domain in self._domains:
            self._kinds |= domain.kinds
        template = Chat(str, [tag for domain in self._domains for tag in domain.tags])
        self._renderer = Renderer(template, self._kinds, _no_tokens, (), all_texts(self._domains))

    @property
    def kinds(self) -> Mapping[Kind, TaskKind]:
        """Every kind of task that it can grade."""
        return self._kinds

    def row(self, task: Task) -> Row:
        """A task as a row of a data set: `prompt`, one user message, and `task`, the text that `grade` takes."""
        return {"prompt": [{"role": "user", "content": self._renderer.solve(task).text}], "task": dump_task(task)}

    def grade(self, items: Sequence[tuple[str, str]]) -> list[Answer]:
        """One verdict for each (task text, completion), in order; all of a kind are checked in one batch.

        A row has no verdict where its text is not a task or the sandbox failed twice: see `Answer.failed` and
        `Answer.error`. A batch without any verdict raises.

        Raises:
            GradingError: the first row has no verdict for its text is no task; no other row has one.
            SandboxError: it has none for the sandbox failed; no other row has one.
        """
        return _some(self.verdicts(items))

    def verdicts(self, items: Sequence[tuple[str | Task, str]]) -> list[Answer]:
        """As `grade`, for tasks and their texts, but all rows may lack a verdict.

        Raises:
            SandboxError: the sandbox cannot be used at all, such as after a fork.
        """
        tasks: list[Task | Answer] = []
        for given, text in items:
            try:
                if not isinstance(text, str) or not isinstance(given, str | Task):
                    types = f"{type(given).__name__} and {type(text).__name__}"
                    raise GradingError(f"a task and a text are wanted, not {types}")
                tasks.append(given if isinstance(given, Task) else self.read(given))
            except GradingError as error:
                tasks.append(Answer(score=0.0, reason=NOT_A_TASK, error=str(error)))
        both = list(zip(tasks, items, strict=True))
        checked = iter(self.answers([(task, text) for task, (_, text) in both if isinstance(task, Task)]))
        return [task if isinstance(task, Answer) else next(checked) for task in tasks]

    def check(self, items: Sequence[tuple[Task, str]]) -> list[Answer]:
        """As `grade`, for `Task` objects."""
        return _some(self.answers(items))

    def answers(self, items: Sequence[tuple[Task, str]]) -> list[Answer]:
        """As `check`, but all rows may lack a verdict.

        Raises:
            SandboxError: the sandbox cannot be used at all, such as after a fork.
        """
        tasks = [task for task, _ in items]
        verdicts = [self._parse(task.kind, completion) for task, completion in items]
        found: dict[int, Answer] = {}
        for kind in dict.fromkeys(task.kind for task in tasks):
            rows = [row for row, task in enumerate(tasks) if task.kind is kind and isinstance(verdicts[row], str)]
            answers = self._check(kind, [(tasks[row], str(verdicts[row])) for row in rows])
            found |= zip(rows, answers, strict=True)
        return [verdict if isinstance(verdict, Answer) else found[row] for row, verdict in enumerate(verdicts)]

    def read(self, text: str) -> Task:
        """The task of a text that `row` made.

        Raises:
            GradingError: the text is not one, or its kind is not known here.
        """
        from azr.sandbox import Value

        if len(text) > TASK_CHARS:
            raise GradingError(f"a task of {len(text):,} characters: the limit is {TASK_CHARS:,}")
        try:
            row = json.loads(text)
            kind, inputs = Kind(row["kind"]), tuple(map(str, row["inputs"]))
            outputs = tuple(Value.from_encoded(bytes.fromhex(encoded)) for encoded in row["outputs"])
            program, message = str(row["program"]), str(row["message"])
            if not all(map(is_text, (program, message, *inputs))):
                raise ValueError("it holds surrogates")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise GradingError(f"not a task as Grader.row writes it: {_cut(repr(error))}") from error
        if kind not in self._kinds:
            known = ", ".join(sorted(self._kinds))
            raise GradingError(f"{_cut(kind)} is a kind of no domain here: known are {known}")
        if not inputs or len(inputs) != len(outputs):
            raise GradingError(f"a task has an output for each input, not {len(outputs)} for {len(inputs)}")
        return Task(kind=kind, program=program, inputs=inputs, outputs=outputs, message=message)

    def _parse(self, kind: Kind, text: str) -> str | Answer:
        """The answer in a completion, or a verdict without points."""
        answer = read_answer(self._renderer.template, self._kinds, kind, text).answer
        return Answer(score=0.0, reason=str(answer.flaw)) if isinstance(answer, Unparsed) else answer

    def _check(self, kind: Kind, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        found = check_rows(self._kinds[kind], self.sandbox, answers)
        left = [row for row, answer in enumerate(found) if answer.failed]
        again = check_rows(self._kinds[kind], self.sandbox, [answers[row] for row in left])
        for row, answer in zip(left, again, strict=True):
            found[row] = answer
        return found


def _some(answers: list[Answer]) -> list[Answer]:
    """The answers, unless all of them lack a verdict: then raise the first failure."""
    if answers and all(answer.failed for answer in answers):
        first = answers[0]
        raise GradingError(first.error) if first.reason == NOT_A_TASK else SandboxError(first.error)
    return answers


def _cut(text: str) -> str:
    """A prefix of a text, for an error message."""
    return text if len(text) <= 200 else f"{text[:200]}..."


def dump_task(task: Task) -> str:
    """A task as text: JSON, outputs in the sandbox's canonical encoding."""
    row = {
        "kind": task.kind,
        "program": task.program,
        "inputs": list(task.inputs),
        "outputs": [value.encoded.hex() for value in task.outputs],
        "message": task.message,
    }
    return json.dumps(row)


def _domain(given: str | Path, options: KindOptions) -> Domain:
    path = str(given) if Path(given).is_dir() else ""
    return make_domain(read(find(path, str(given))), options, StaticFilter(), _sandbox)


def _sandbox(modules: Mapping[str, str]) -> "Sandbox":
    """With the fuel of azr's own trainer, since a batch waits for its slowest program."""
    from azr.sandbox import Limits, Sandbox

    return Sandbox(limits=Limits(fuel=SandboxConfig().fuel), modules=modules or None)


def _no_tokens(text: str, special_tokens: bool) -> list[int]:
    """The trainer tokenises prompts itself."""
    return []
