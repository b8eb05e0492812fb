"""Reading answers out of replies: programs in blocks, letters, boxes; and that no text makes it slow."""

# ruff: noqa: E501 - replies are data, one a line

import time
from collections.abc import Callable

import pytest
from azr.evals.benchmarks import Item
from azr.evals.scorers import Tools, make_scorer
from azr.evals.scorers.code import blocks, read_program
from azr.evals.scorers.math import boxed
from azr.evals.scorers.math_text import candidates
from azr.evals.scorers.programs import same_text

ADD = "def add(a, b):\n    return a + b\n"


@pytest.mark.parametrize(
    ("reply", "program"),
    [
        (f"```python\n{ADD}```\nUsage:\n```python\ndef add_demo():\n    add(1, 2)\n```", ADD),
        (f"```python\n{ADD}```\nor\n```python\nadd = lambda a, b: a + b\n```", "add = lambda a, b: a + b\n"),
        (f"```\n{ADD}```\n```python\nprint(add(1, 2))\n```", ADD),
        (f"```python\n{ADD}```\n```\ndef add(a, b): ...\n```", ADD),
        (f"```python\nclass T:\n    def add(self): pass\n```\n```python\n{ADD}```", ADD),
        (f"```python\n{ADD}```\n```python\nclass T:\n    def add(self): pass\n```", ADD),
        (f"```py\n{ADD}```\n```text\ndef add(a, b): text\n```", ADD),
        ("```python\nasync def add(a, b): pass\n```", "async def add(a, b): pass\n"),
        ("```python\nadd: object = print\n```\n```python\nadd == 3\n```", "add: object = print\n"),
        ("1. So:\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Done.", ADD),
        (f"~~~python\n{ADD}~~~", ADD),
        (f"````python\n{ADD}```\n````", f"{ADD}```\n"),
        (f"```python\n{ADD}", ADD),
        (f"```python title='a.py'\n{ADD}```", ADD),
        (f"As in ```code``` here:\n```python\n{ADD}```", ADD),
        ("no block", None),
        ("```python\n\n```", None),
    ],
)  # fmt: skip
def test_the_block_that_defines_the_function_is_the_program(reply: str, program: str | None) -> None:
    assert read_program(reply, "add", None) == program


def test_a_fence_within_a_docstring_does_not_end_the_block() -> None:
    body = 'def add(a, b):\n    """Add.\n\n    ```\n    >>> add(1, 2)\n    3\n    ```\n    """\n    return a + b\n'
    assert blocks(f"Here:\n```python\n{body}```\nDone.") == [("python", body)]


def test_a_contest_program_is_the_last_one_with_a_tag() -> None:
    program, sample = "n = int(input())\nprint(n + 1)\n", "```\n4\n```\nit prints\n```\n5\n```"
    assert read_program(f"```python\n{program}```\nFor\n{sample}", "", None) == program
    assert read_program(f"```\n{program}```", "", None) == program
    assert read_program(f"```python\n1\n```\n```python\n{program}```", "", None) == program


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("The answer is (C). It agrees with the answer I computed at first.", "C"),
        ("The answer is (D). A different answer a student might give is wrong.", "D"),
        ("The answer is C because I computed the integral.", "C"),
        ("So \\boxed{\\langle H\\rangle \\ll \\Delta E}.\n\n**Answer: D**", "D"),
        ("So \\boxed{E = mc^2}.\n\nThe answer is B.", "B"),
        ("\\boxed{x^2}", None),
        ("\\boxed{\\text{(E) } 14}", "E"),
        ("\\boxed{\\textbf{(B)}\\ 12}", "B"),
        ("\\boxed{\\mathrm{F}}", "F"),
        ("\\boxed{$C$}", "C"),
        ("\\boxed{C. \\text{the third}}", "C"),
        ("\\boxed{A} or so, then \\boxed{C", None),
        ("Answer seems to be A.\n\nAnswer: A", "A"),
        ("The answer is I.", "I"),
        ("The answer is A, since the sum is odd.", "A"),
        ("The answer is A because it fits.", "A"),
        ("The answer is a number.", None),
        ("The answer is I think hard to find.", None),
        ("Answer: A triangle has three sides.", None),
        ("I am sure that a cat is an animal.", None),
        ("A cat is an animal.", None),
        ("I think so", None),
        ("**Answer:** (C)", "C"),
        ("answer: $\\textbf{C}$", "C"),
        ("The correct option is C.", "C"),
        ("The correct choice is therefore (B).", "B"),
        ("The answer isn't B. It was hard.", None),
        ("The answer is not B.", None),
        ("The answer is\n\n(C)", "C"),
        ("The answer is option C", "C"),
        ("The answer is 5.", None),
        ("Thus all is clear.\n\n**C**", "C"),
        ("Let A be a set.\nThe answer is empty.", None),
        ("The answer is C'", None),
        ("The answer is E = 3", None),
        ("The answer must be G.", "G"),
    ],
)
def test_a_pronoun_an_article_or_a_formula_is_no_choice(tools: Tools, reply: str, letter: str | None) -> None:
    item = Item(id="x", facts={"gold": "C", "letters": "ABCDEFGHIJ"})
    assert make_scorer("letter", tools).read(reply, item, None) == letter


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("\\boxed{2} no: \\boxed{3", None),
        ("\\boxed{2} ... \\boxed{}", ""),
        ("\\boxed{" * 6000, None),
        ("\\boxed{" * 6000 + "}" * 6000, ""),
        ("\\boxed{\\{1\\}}", "\\{1\\}"),
        ("\\boxed{a \\\\ b}", "a \\\\ b"),
    ],
)
def test_the_last_box_counts_and_is_found_in_one_pass(text: str, inside: str | None) -> None:
    assert boxed(text) == inside


def test_a_reply_cut_inside_its_last_box_has_no_answer(tools: Tools) -> None:
    math = make_scorer("math", tools)
    assert math.read("The answer is 5. \\boxed{2} no: \\boxed{3", Item(id="x"), None) is None
    assert math.read("\\boxed{2} \\boxed{}", Item(id="x"), None) is None


PIECES = (
    "\\boxed{", "{", "}", "\\", "[", "(", "answer is ", "answer:", "answer", "the answer is a ", "\\boxed{a}", "```python\n",
    "```\n", "`", "~", "    ```\n", "def add", "def add(a, b): pass\n", "class Solution:\n", "option is ", " ", "\n", "\t", "A ",
    "I ", "\\text{", "\\text{A}", "$", "*", "_", "1", "1 ", "1,", "1,000", "-", "\u00e9", "\U0001f600", "\x00", "a", "=", ":", "%", "\\%",
    "\\sin ", "\\frac", "^\\circ", "1/", ".", "e1", "secur", "\ud800", "add = ", "answer is (B) ", "\\fbox {",
)  # fmt: skip
ITEM = Item(
    id="x", facts={"name": "add", "before": "", "continued": "", "letters": "ABCDEFGHIJ", "method": "m", "row": 0}
)


def readers(tools: Tools) -> dict[str, Callable[[str], object]]:
    """Everything of the scorers that reads what a model wrote."""
    found: dict[str, Callable[[str], object]] = {
        name: lambda text, name=name: make_scorer(name, tools).read(text, ITEM, None)
        for name in ("asserts", "programs", "math", "letter")
    }
    found["lines"] = lambda text: same_text(text, text[::-1])
    return found


def seconds(read: Callable[[str], object], text: str) -> float:
    """Of the processor."""
    begin = time.process_time()
    read(text)
    return time.process_time() - begin


def grows_too_fast(read: Callable[[str], object], text: str) -> bool:
    """Whether twice the text takes far more than twice the time; what else the machine does is no reason."""
    return all(seconds(read, text) > 4 * seconds(read, text[: len(text) // 2]) + 0.05 for _ in range(20))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["asserts", "programs", "math", "letter", "lines"])
def test_no_text_takes_longer_than_its_length(tools: Tools, name: str) -> None:
    """Twice the text takes about twice the time: 1 MB of any piece, repeated or nested."""
    read = readers(tools)[name]
    size = 1 << 20
    for piece in PIECES:
        half = piece * (size // len(piece) // 2)
        for text in (2 * half, half + "}" * (size // 2), f"{piece}answer:" + "\n" * size):
            assert not grows_too_fast(read, text), (piece, text[-1])


@pytest.mark.parametrize("piece", PIECES)
def test_the_text_of_an_answer_to_mathematics_is_tidied_in_bounded_time(piece: str) -> None:
    """What is longer than the bound of the comparison is not read at all: see `math_worker`."""
    assert not grows_too_fast(lambda given: list(candidates("5", given)), piece * (4_000 // len(piece)))
