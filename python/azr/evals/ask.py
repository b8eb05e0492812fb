"""Build the prompt of an item, and read the answer from a completion.

`think`: the paper's text, as in training. `chat`: the tokenizer's chat template around the question. `plain`: no words,
the model continues the item's stem. `terse`: the embedded model's own form. The benchmarks that are tasks of the
training (CRUXEval, LiveCodeBench execution, held-out tasks) are put as in training by all but `plain`; the terse form
knows only those, so everything else is plain under it.
"""

from typing import Literal

from azr.evals.benchmarks import Benchmark, Item
from azr.evals.scorers import Scorer
from azr.rollouts import Tokenizer
from azr.tasks import KindOptions, make_kinds
from azr.tasks.answer import read_answer
from azr.tasks.render import Renderer
from azr.tasks.templates import FULL, Chat, Form, Template, Terse, Think
from azr.types import Prompt, Role, Unparsed

Style = Literal["think", "chat", "terse", "plain"]


class Asker:
    """Builds prompts and reads answers under one template."""

    def __init__(self, style: Style, tokenizer: Tokenizer, form: Form = FULL) -> None:
        """`form`: of prompts for tasks, under a template of words."""
        self.style = style
        self._tokenizer = tokenizer
        self._kinds = make_kinds(KindOptions())
        self._template = _template(style, tokenizer, form)
        self._renderer = None if self._template is None else Renderer(self._template, self._kinds, tokenizer.encode, ())

    def style_of(self, benchmark: Benchmark) -> Style:
        """The style of a benchmark: `plain` where the terse form has no words for it."""
        of_tasks = benchmark.scorer in ("task", "task_strict")
        return "plain" if self.style == "terse" and not of_tasks else self.style

    def prompt(self, benchmark: Benchmark, item: Item) -> Prompt:
        """The prompt of an item."""
        if item.task is not None and self._renderer is not None:
            return self._renderer.solve(item.task)
        style = self.style_of(benchmark)
        text, special = item.stem, True
        if style == "chat":
            text, special = self._tokenizer.chat(item.question), False
        elif style == "think":
            text = Think().wrap(item.question, Role.SOLVE, benchmark.kind)
        ids = tuple(self._tokenizer.encode(text, special))
        return Prompt(role=Role.SOLVE, kind=benchmark.kind, text=text, token_ids=ids, task=item.task)

    def read(self, benchmark: Benchmark, item: Item, scorer: Scorer, text: str) -> str | None:
        """The answer in a completion's text."""
        style = self.style_of(benchmark)
        if style == "plain":
            return scorer.read(text, item, benchmark.stops)
        if item.task is not None:
            return self._read_task(item, text)
        if style == "chat":
            return scorer.read(text.rpartition("</think>")[2], item, None)
        reading = Think().read(text, Role.SOLVE, benchmark.kind).answer
        if isinstance(reading, Unparsed):
            return scorer.read(text, item, None)
        found = scorer.read(reading, item, None)
        # An answer inside the answer tags needs no box.
        return reading or None if found is None and benchmark.scorer == "math" else found

    def _read_task(self, item: Item, text: str) -> str | None:
        template, task = self._template, item.task
        assert template is not None and task is not None, "a task has a template"
        answer = read_answer(template, self._kinds, task.kind, text).answer
        return None if isinstance(answer, Unparsed) else answer


def _template(style: Style, tokenizer: Tokenizer, form: Form) -> Template | None:
    """The training template of a style; None for plain text."""
    if style == "chat":
        return Chat(tokenizer.chat, form=form)
    if style == "think":
        return Think(form=form)
    return Terse() if style == "terse" else None
