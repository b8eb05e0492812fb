"""What a warm-up shows is verified, readable, and never what it is measured by."""

import numpy as np
import pytest
from azr.sandbox import Sandbox
from azr.tasks import IDENTITY_PROGRAM, KindOptions, make_kinds
from azr.tasks.answer import read_answer
from azr.tasks.render import Renderer
from azr.tasks.templates import Chat, Form, Template, Terse, Think
from azr.types import Kind, Role, Task, Unparsed
from azr.warmup.examples import Example, draw_tasks, examples, is_held_out

INPUTS = 4
KINDS = make_kinds(KindOptions(inputs=INPUTS))
WANTED = dict.fromkeys((Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION), 12)
TEMPLATES: list[Template] = [
    Think(),
    Chat(lambda text: f"[{text}]"),
    Terse(),
    Think(form=Form(short=True, opened=True)),
    Chat(lambda text: f"[{text}]", form=Form(short=True, opened=True)),
]


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(scope="module")
def tasks(sandbox: Sandbox) -> dict[Kind, list[Task]]:
    return draw_tasks(0, "round/0", WANTED, KINDS, sandbox, INPUTS)


def made(tasks: dict[Kind, list[Task]], template: Template) -> list[Example]:
    renderer = Renderer(template, KINDS, lambda text, special: list(text.encode()), ())
    return list(examples(tasks, renderer, KINDS, 2, np.random.default_rng(0)))


def test_a_round_is_a_function_of_the_seed_and_its_number(sandbox: Sandbox, tasks: dict[Kind, list[Task]]) -> None:
    assert draw_tasks(0, "round/0", WANTED, KINDS, sandbox, INPUTS) == tasks
    assert draw_tasks(0, "round/1", WANTED, KINDS, sandbox, INPUTS) != tasks


def test_what_is_measured_by_is_never_shown(sandbox: Sandbox, tasks: dict[Kind, list[Task]]) -> None:
    kept = draw_tasks(0, "heldout", WANTED, KINDS, sandbox, INPUTS, held_out=True)
    assert all(is_held_out(task.program) for own in kept.values() for task in own)
    for example in made(tasks, TEMPLATES[1]):
        shown = [*example.prompt.references, *([example.prompt.task] if example.prompt.task else [])]
        assert not any(is_held_out(task.program) for task in shown if task.program != IDENTITY_PROGRAM)


@pytest.mark.parametrize("template", TEMPLATES, ids=["think", "chat", "terse", "think-short", "chat-short"])
def test_every_answer_is_read_and_the_sandbox_finds_it_right(
    sandbox: Sandbox, tasks: dict[Kind, list[Task]], template: Template
) -> None:
    solved = [example for example in made(tasks, template) if example.prompt.role is Role.SOLVE]
    assert len(solved) == sum(WANTED.values())
    for example in solved:
        kind, task = example.prompt.kind, example.prompt.task
        assert task is not None
        reading = read_answer(template, KINDS, kind, example.completion)
        assert reading.formatted and isinstance(reading.answer, str)
        (answer,) = KINDS[kind].check(sandbox, [(task, reading.answer)])
        assert answer.score == 1.0, example.completion


@pytest.mark.parametrize("template", TEMPLATES, ids=["think", "chat", "terse", "think-short", "chat-short"])
def test_every_proposal_is_read_as_the_task_that_it_is(tasks: dict[Kind, list[Task]], template: Template) -> None:
    asked = [example for example in made(tasks, template) if example.prompt.role is Role.PROPOSE]
    for example, task in zip(asked, [task for own in tasks.values() for task in own], strict=True):
        reading = template.read(example.completion, Role.PROPOSE, task.kind)
        assert reading.formatted and isinstance(reading.answer, str)
        blocks = template.syntax.split(reading.answer)
        assert not isinstance(blocks, Unparsed)
        draft = KINDS[task.kind].parse_proposal(blocks, example.prompt)
        assert not isinstance(draft, Unparsed)
        assert (draft.program, draft.inputs, draft.message) == (task.program, task.inputs, task.message)


def test_a_proposal_s_prompt_never_shows_the_task_that_is_asked_for(tasks: dict[Kind, list[Task]]) -> None:
    for example in made(tasks, TEMPLATES[1]):
        if example.prompt.role is Role.PROPOSE and example.prompt.kind is not Kind.INDUCTION:
            program = example.completion.partition("```python\n")[2].partition("\n```")[0]
            assert program and program not in example.prompt.text
