"""The outer form of an answer."""

import pytest
from azr.tasks.templates import Chat, Form, Template, Terse, Think
from azr.types import Flaw, Kind, Role, Unparsed

ASK = (Role.SOLVE, Kind.DEDUCTION)


def test_think_answer_is_read_from_the_answer_tags() -> None:
    reading = Think().read(" hm </think>\n<answer>```output\n1\n```</answer>", *ASK)
    assert reading.formatted and reading.answer == "```output\n1\n```"


@pytest.mark.parametrize(
    "text",
    ["no tags", "<answer>1</answer>", " hm </think> so <answer>1</answer>", " hm </think><answer>1"],
)
def test_think_wants_thoughts_then_answer_and_nothing_between(text: str) -> None:
    assert not Think().read(text, *ASK).formatted


def test_think_without_answer_tag_has_no_answer() -> None:
    assert Think().read(" hm </think> 42", *ASK).answer == Unparsed(flaw=Flaw.NO_ANSWER)


def test_think_prompt_opens_the_thoughts() -> None:
    prompt = Think().wrap("TASK", *ASK)
    assert "User: TASK\n" in prompt and prompt.endswith("Assistant: <think>")


def test_chat_uses_the_tokenizers_own_form_and_wants_one_answer_at_the_end() -> None:
    chat = Chat(lambda message: f"[user]{message}[assistant]")
    assert chat.wrap("TASK", *ASK).startswith("[user]TASK\n") and chat.wrap("TASK", *ASK).endswith("[assistant]")
    assert chat.read("thoughts\n<answer>1</answer>\n", *ASK).formatted
    assert not chat.read("<answer>1</answer> and more", *ASK).formatted
    assert not chat.read("<answer>1</answer><answer>2</answer>", *ASK).formatted


@pytest.mark.parametrize(("role", "kind"), [(role, kind) for role in Role for kind in Kind])
def test_terse_prompt_ends_where_the_answer_begins(role: Role, kind: Kind) -> None:
    opening = Terse().wrap("", role, kind)
    assert Terse().read("rest", role, kind).answer == opening + "rest"


def test_terse_solver_may_think_before_it_answers_and_the_thoughts_are_no_answer() -> None:
    reading = Terse().read("<think>[1]\n2\n<output>3", *ASK)
    assert isinstance(reading.answer, str)
    blocks = Terse().syntax.split(reading.answer)
    assert not isinstance(blocks, Unparsed)
    assert [(block.tag, block.body) for block in blocks] == [("think", "[1]\n2"), ("output", "3")]


@pytest.mark.parametrize("kind", list(Kind))
def test_terse_solve_prompt_leaves_the_first_marker_to_the_solver(kind: Kind) -> None:
    assert Terse().wrap("", Role.SOLVE, kind) == ""


OPENED = Form(opened=True)
MADE = [Think(), Think(form=OPENED), Chat(str), Chat(str, form=OPENED), Terse()]
IDS = ["think", "think-opened", "chat", "chat-opened", "terse"]


@pytest.mark.parametrize("template", MADE, ids=IDS)
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("role", list(Role))
def test_what_a_template_writes_it_reads_as_the_same_blocks(template: Template, role: Role, kind: Kind) -> None:
    tags = {
        Role.PROPOSE: ["input", "input", "message"] if kind is Kind.INDUCTION else ["program", "input"],
        Role.SOLVE: {Kind.ABDUCTION: ["input"], Kind.INDUCTION: ["program"]}.get(kind, ["output"]),
    }[role]
    blocks = "\n".join(template.syntax.render(tag, f"{tag} text") for tag in tags)
    for thoughts in ("", "first this, then that"):
        reading = template.read(template.write(blocks, role, kind, thoughts), role, kind)
        assert reading.formatted and isinstance(reading.answer, str)
        found = template.syntax.split(reading.answer)
        assert not isinstance(found, Unparsed)
        assert [(b.tag, b.body) for b in found if b.tag != "think"] == [(tag, f"{tag} text") for tag in tags]


@pytest.mark.parametrize("template", [Think(form=OPENED), Chat(lambda text: f"[u]{text}[a]", form=OPENED)])
def test_an_opened_prompt_ends_where_the_answer_goes_on(template: Template) -> None:
    """The model writes what follows the fence; what it writes is read with the fence before it."""
    prompt = template.wrap("TASK", *ASK)
    assert prompt.endswith("<answer>\n```output\n") and prompt.count("TASK") == 1
    assert "Think first" not in prompt
    reading = template.read("42\n```\n</answer>", *ASK)
    assert reading.formatted and reading.answer == "```output\n42\n```"
    assert not template.read("42", *ASK).formatted


def test_an_opened_answer_of_a_domains_own_kind_has_no_fence_yet() -> None:
    assert Chat(str, form=OPENED).wrap("TASK", Role.SOLVE, Kind("chess.mate")).endswith("<answer>\n")


def test_a_second_opening_tag_after_the_prompts_own_is_no_right_format() -> None:
    assert not Chat(str, form=OPENED).read("1\n```\n</answer><answer>```output\n2\n```</answer>", *ASK).formatted
