"""Letters of options."""

import pytest
from azr.evals.benchmarks import Item, find
from azr.evals.scorers import Tools, make_scorer

ITEM = Item(id="x", facts={"gold": "C", "letters": "ABCD"})


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("So \\boxed{C}.", "C"),
        ("\\boxed{\\text{C}}", "C"),
        ("\\boxed{(C)}", "C"),
        ("The answer is (C).", "C"),
        ("Not A. Thus the answer is **C**", "C"),
        ("answer: c", "C"),
        ("C", "C"),
        ("(B) 14", "B"),
        ("B. Because", "B"),
        ("\\boxed{A} no, wait: \\boxed{C}", "C"),
        ("Answer: B\n\nA more careful look: the answer is D.", "D"),
        ("The answer is A, since B is wrong.", "A"),
        ("Answer: A, B, C, D", None),
        ("\\boxed{A, B}", None),
        ("\\boxed{(A), (B)}", None),
        ("Answer: (A)(B)(C)", None),
        ("answer: A; B", None),
        ("The answer is C or D", None),
        ("The answer is Z", None),
        ("\\boxed{J}", None),
        ("Certainly not.", None),
        ("(c)", "C"),
        ("c", "C"),
        ("c.", "C"),
        ("Answer (C)", "C"),
        ("<answer>C</answer>", "C"),
        ("<answer>(b)</answer>\nA last word.", "B"),
        ("\\boxed{\\text{Option C}}", "C"),
        ("\\boxed{\\text{Answer: } C}", "C"),
        ("Answer\uff1aC", "C"),
        ("I would choose option D because A is false.", "D"),
        ("My answer: I choose C", "C"),
        ("I would not choose A. I pick C.", "C"),
        ("I choose a number at random", None),
        ("A? No.", None),
        ("A\nB", None),
        ("B\nIt follows from the text.", "B"),
        ("I cannot say", None),
        ("", None),
    ],
)
def test_the_letter_in_a_reply(tools: Tools, text: str, letter: str | None) -> None:
    assert make_scorer("letter", tools).read(text, ITEM, None) == letter


def test_a_continuation_begins_with_the_letter(tools: Tools) -> None:
    scorer = make_scorer("letter", tools)
    assert scorer.read(" C\nQuestion: next", ITEM, ("\nQuestion:",)) == "C"
    assert [v.score for v in scorer.score([(ITEM, "C"), (ITEM, "A")])] == [1.0, 0.0]


def test_a_row_shows_its_options_and_its_gold_is_one_of_them(tools: Tools) -> None:
    row = {"question_id": 7, "question": "2 + 2?", "options": ["3", "4"], "answer": "B"}
    [item] = find("mmlu_pro").build([row], tools.sandbox)
    assert "(A) 3\n(B) 4" in item.question and item.facts == {"gold": "B", "letters": "AB"}
