"""Grade completions without azr's trainer: for trainers, services and scripts that have their own.

    grader = Grader()
    row = grader.row(task)                          # {"prompt": [...messages...], "task": "...json..."}
    [answer] = grader.grade([(row["task"], text)])  # score 1.0, reason "correct"

A task travels as text, with the answer that the sandbox found for it; whoever holds that text is trusted with it.
Adapters for particular trainers are in `azr.adapters`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from azr.config.domain_files import find, read
from azr.domains.domain import Domain, all_texts, make_domain
from azr.errors import GradingError, SandboxError
from azr.tasks import KindOptions, TaskKind, make_kinds
from azr.tasks.policy import Policy
from azr.tasks.render import Renderer
from azr.tasks.templates import Chat
from azr.types import Answer, Completion, Kind, Prompt, Role, Task, Unparsed

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

TRIES: Final = 2
"""A failure of the sandbox itself is no verdict: the batch is tried once more, then the error is the caller's."""


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
        from azr.sandbox import Sandbox

        self.sandbox = sandbox or Sandbox()
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

    def row(self, task: Task) -> dict[str, Any]:
        """A task as a row of a data set: `prompt`, one user message, and `task`, the text that `grade` takes."""
        return {"prompt": [{"role": "user", "content": self._renderer.solve(task).text}], "task": dump_task(task)}

    def grade(self, items: Sequence[tuple[str, str]]) -> list[Answer]:
        """One verdict for each (task text, completion), in order; all of a kind are checked in one batch.

        Raises:
            GradingError: a task text is none of `row`'s.
            SandboxError: the sandbox failed; there is no verdict.
        """
        return self.check([(self.read(text), completion) for text, completion in items])

    def check(self, items: Sequence[tuple[Task, str]]) -> list[Answer]:
        """The same for tasks that are tasks already."""
        tasks = [task for task, _ in items]
        prompts = [Prompt(role=Role.SOLVE, kind=task.kind, text="", token_ids=(), task=task) for task in tasks]
        verdicts = [
            self._parse(prompt, completion) for prompt, (_, completion) in zip(prompts, items, strict=True)
        ]
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

        try:
            row = json.loads(text)
            kind, inputs = Kind(row["kind"]), tuple(map(str, row["inputs"]))
            outputs = tuple(Value.from_encoded(bytes.fromhex(encoded)) for encoded in row["outputs"])
            program, message = str(row["program"]), str(row["message"])
        except (ValueError, KeyError, TypeError) as error:
            raise GradingError(f"not a task as Grader.row writes it: {error!r}") from error
        if kind not in self._kinds:
            raise GradingError(f"{kind} is a kind of no domain here: known are {', '.join(sorted(self._kinds))}")
        if not inputs or len(inputs) != len(outputs):
            raise GradingError(f"a task has an output for each input, not {len(outputs)} for {len(inputs)}")
        return Task(kind=kind, program=program, inputs=inputs, outputs=outputs, message=message)

    def _parse(self, prompt: Prompt, text: str) -> str | Answer:
        """The answer in a completion, or the verdict that there is none."""
        completion = Completion(prompt=prompt, text=text, token_ids=(), log_probs=(), finished=True)
        answer = self._renderer.read(completion).answer
        if isinstance(answer, Unparsed):
            return Answer(score=0.0, reason=str(answer.flaw))
        blocks = self._renderer.template.syntax.split(answer)
        read = blocks if isinstance(blocks, Unparsed) else self._kinds[prompt.kind].parse_answer(blocks)
        return Answer(score=0.0, reason=str(read.flaw)) if isinstance(read, Unparsed) else read

    def _check(self, kind: Kind, answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        if not answers:
            return []
        for left in reversed(range(TRIES)):
            try:
                return self._kinds[kind].check(self.sandbox, answers)
            except SandboxError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")


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
    from azr.sandbox import Sandbox

    path = str(given) if Path(given).is_dir() else ""
    return make_domain(read(find(path, str(given))), options, Policy(), lambda modules: Sandbox(modules=modules))


def _no_tokens(text: str, special_tokens: bool) -> list[int]:
    """Whoever trains on the prompt turns it into tokens."""
    return []
