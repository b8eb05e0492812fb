"""The outer form of an answer."""

import pytest
from azr.tasks.templates import Chat, Terse, Think
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
