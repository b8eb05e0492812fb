"""Every prompt file has its slots filled, in every template."""

from dataclasses import replace
from importlib import resources

import pytest
from azr.tasks import KindOptions, make_kinds
from azr.tasks.render import Renderer
from azr.tasks.templates import Chat, Form, Template, Terse, Think, load_text
from azr.types import Kind, Role, Task, Unparsed


class Shown:
    """A value as prompts see it."""

    repr = "[1, 'x']"

    def to_python(self) -> str:
        return "LABEL"


def task(kind: Kind) -> Task:
    count = 4 if kind is Kind.INDUCTION else 1
    outputs = (Shown(),) * count  # type: ignore[assignment]
    return Task(
        kind=kind, program="def f(a):\n    return PROGRAM", inputs=("INPUT",) * count, outputs=outputs,
        message="MESSAGE",
    )  # fmt: skip


def renderer(template: Template) -> Renderer:
    kinds = make_kinds(KindOptions(inputs=4))
    return Renderer(template, kinds, lambda text, special: list(text.encode()), ["random", "os.path"])


def chat(message: str) -> str:
    return f"<user>{message}<assistant>"


FORMS = [Form(short=short, opened=opened) for short in (False, True) for opened in (False, True)]
TEMPLATES = [Terse(), *(Think(form=form) for form in FORMS), *(Chat(chat, form=form) for form in FORMS)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
@pytest.mark.parametrize("kind", list(Kind))
def test_propose(template: Template, kind: Kind) -> None:
    source = task(Kind.DEDUCTION) if kind is Kind.INDUCTION else None
    references = [] if source else [task(kind), task(kind)]
    prompt = renderer(template).propose(kind, references, source)
    assert "$" not in prompt.text and prompt.text.count("PROGRAM") == (1 if source else 2)
    assert bytes(prompt.token_ids).decode() == prompt.text
    assert (prompt.role, prompt.kind, prompt.task) == (Role.PROPOSE, kind, source)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.name)
@pytest.mark.parametrize(
    ("kind", "shown", "hidden"),
    [
        (Kind.DEDUCTION, {"PROGRAM": 1, "INPUT": 1}, ["[1, 'x']"]),
        (Kind.ABDUCTION, {"PROGRAM": 1, "[1, 'x']": 1}, ["INPUT"]),
        (Kind.INDUCTION, {"INPUT": 2, "[1, 'x']": 2, "MESSAGE": 1}, ["PROGRAM"]),
        (Kind.ERROR, {"PROGRAM": 1, "INPUT": 1}, ["LABEL"]),
    ],
)
def test_solve_shows_what_is_given_and_hides_what_is_asked(
    template: Template, kind: Kind, shown: dict[str, int], hidden: list[str]
) -> None:
    text = renderer(template).solve(task(kind)).text
    assert {word: text.count(word) for word in shown} == shown
    assert not any(word in text for word in hidden) and "$" not in text


def test_every_role_and_kind_has_its_file_and_there_is_no_other() -> None:
    folder = resources.files("azr.tasks").joinpath("prompts")
    for family in ("fenced", "short", "terse"):
        names = {path.name for path in folder.joinpath(family).iterdir()}
        assert names == {f"{role}_{kind}.txt" for role in Role for kind in Kind}
        for role in Role:
            for kind in Kind:
                assert load_text(f"{family}/{role}_{kind}").is_valid()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("role", list(Role))
def test_a_short_prompt_has_the_slots_of_the_full_one_in_less_text(role: Role, kind: Kind) -> None:
    full, short = (load_text(f"{folder}/{role}_{kind}") for folder in ("fenced", "short"))
    assert len(short.template) < len(full.template) * (0.3 if role is Role.PROPOSE else 0.75)
    assert set(full.get_identifiers()) - set(short.get_identifiers()) <= {"banned"}


@pytest.mark.parametrize("template", TEMPLATES[1:], ids=lambda t: t.name)
@pytest.mark.parametrize("kind", [Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION])
def test_worked_examples_come_first_with_their_answers_and_never_the_one_asked(template: Template, kind: Kind) -> None:
    own = [replace(task(kind), program=f"def f(a):\n    return EXAMPLE{n}") for n in range(3)]
    kinds = make_kinds(KindOptions(inputs=4))
    others = [replace(example, kind=Kind.ERROR, program="ANOTHER KIND") for example in own]
    made = Renderer(template, kinds, lambda text, special: [0], [], examples=[*others, *own], count=2)
    asked = made.solve(task(kind)).text
    assert asked.index("EXAMPLE0" if kind is not Kind.INDUCTION else "Example 1:") < asked.index("What is asked:")
    assert "EXAMPLE2" not in asked and "ANOTHER KIND" not in asked
    about = made.solve(own[0]).text
    first = about.partition("What is asked:")[0]
    assert "EXAMPLE0" not in first and "EXAMPLE1" in first and "EXAMPLE2" in first
    proposal = made.propose(kind, source=own[1] if kind is Kind.INDUCTION else None).text
    before = proposal.partition("What is asked:")[0]
    assert before.count("</answer>") >= 2 and ("EXAMPLE1" in before) is (kind is not Kind.INDUCTION)


def test_answers_of_worked_examples_are_read_as_right_ones_would_be() -> None:
    """What stands between the tags of an example is what the parser wants of the model."""
    template = Chat(chat)
    kinds = make_kinds(KindOptions(inputs=4))
    for kind in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION):
        made = Renderer(template, kinds, lambda text, special: [0], [], examples=[task(kind)], count=1)
        shown = made.solve(replace(task(kind), program="def f(a):\n    return OTHER")).text
        example = shown.partition("What is asked:")[0]
        answer = template.syntax.split(example[example.rindex("<answer>") :])
        assert not isinstance(answer, Unparsed)
        wanted = {Kind.DEDUCTION: Shown.repr, Kind.ABDUCTION: "INPUT", Kind.INDUCTION: task(kind).program}[kind]
        assert kinds[kind].parse_answer(answer) == wanted
