"""Prompts and readings under each template."""

import pytest
from azr.evals.ask import Asker, Style
from azr.evals.benchmarks import Item, find
from azr.evals.scorers import Tools, make_scorer
from azr.rollouts.tokens import ByteTokenizer
from azr.sandbox import Sandbox
from azr.tasks.templates import Form

MATH = Item(id="m", question="How many? Put it in a box.", stem="Problem: How many?\nSolution:", facts={"gold": "4"})


@pytest.mark.parametrize(
    ("style", "text", "answer"),
    [
        ("think", "hm 3 </think><answer>so \\boxed{4}</answer>", "4"),
        ("think", "hm </think> <answer>4</answer>", "4"),
        ("think", "no tags but \\boxed{4}", "4"),
        ("think", "hm </think><answer></answer>", None),
        ("chat", "<think>\\boxed{3}?</think>So \\boxed{4}.", "4"),
        ("chat", "<think>\\boxed{3}?</think>I give up.", None),
        ("plain", " It is \\boxed{4}.\n\nProblem: next \\boxed{5}", "4"),
        ("terse", " The answer is 4", "4"),
    ],
)
def test_mathematics_is_read_from_where_the_template_puts_it(
    sandbox: Sandbox, style: Style, text: str, answer: str | None
) -> None:
    asker, benchmark = Asker(style, ByteTokenizer()), find("amc23")
    assert asker.read(benchmark, MATH, make_scorer("math", Tools(sandbox=sandbox)), text) == answer
    prompt = asker.prompt(benchmark, MATH).text
    assert (MATH.question in prompt) == (style in ("think", "chat"))
    assert (prompt == MATH.stem) == (style in ("plain", "terse"))


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("think", "hm </think><answer>\n```output\n10\n```\n</answer>"),
        ("chat", "Let me see. <answer>\n```output\n10\n```\n</answer>"),
        ("plain", "10\n# done"),
        ("terse", "<output>10"),
    ],
)
def test_tasks_are_asked_and_read_as_in_training(sandbox: Sandbox, items: list[Item], style: Style, text: str) -> None:
    asker, benchmark, item = Asker(style, ByteTokenizer()), find("cruxeval_o"), items[5]
    scorer = make_scorer("task", Tools(sandbox=sandbox))
    answer = asker.read(benchmark, item, scorer, text)
    assert answer is not None and scorer.score([(item, answer)])[0].score == 1.0
    prompt = asker.prompt(benchmark, item)
    assert (
        "return a + 5" in prompt.text
        and prompt.task is item.task
        and list(prompt.text.encode()) == list(prompt.token_ids)
    )


@pytest.mark.parametrize("style", ["chat", "think"])
def test_an_answer_that_the_prompt_opens_is_read_from_there(sandbox: Sandbox, items: list[Item], style: Style) -> None:
    asker = Asker(style, ByteTokenizer(), Form(short=True, opened=True))
    benchmark, item = find("cruxeval_o"), items[5]
    prompt = asker.prompt(benchmark, item)
    full = Asker(style, ByteTokenizer()).prompt(benchmark, item)
    assert prompt.text.endswith("<answer>\n```output\n") and len(prompt.text) < len(full.text)
    scorer = make_scorer("task", Tools(sandbox=sandbox))
    answer = asker.read(benchmark, item, scorer, "10\n```\n</answer>")
    assert answer is not None and scorer.score([(item, answer)])[0].score == 1.0


def test_an_answer_with_two_blocks_is_none(sandbox: Sandbox, items: list[Item]) -> None:
    asker = Asker("think", ByteTokenizer())
    text = "</think><answer>```output\n10\n```\n```output\n11\n```</answer>"
    assert asker.read(find("cruxeval_o"), items[5], make_scorer("task", Tools(sandbox=sandbox)), text) is None
