"""What the mathematics benchmarks share: a problem in, an answer in a box out."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Item, Row, column

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

QUESTION = "{text}\n\nWork it out step by step, and put the final answer within \\boxed{{}}."
STEM = "Problem: {text}\nSolution:"
MAX_TOKENS = 16_384
"""As in the paper."""
STOPS = ("\nProblem:",)


def build(
    question: str, *answers: str, by: Sequence[str] = ("id", "unique_id")
) -> Callable[[Sequence[Row], "Sandbox"], list[Item]]:
    """A builder of items from the column of the problem and the columns of its answer, the first that the row has.

    `by`: columns to name the item by; the row's number if it has none of them.
    """

    def items(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
        made = []
        for number, row in enumerate(rows):
            text = str(column(row, number, question)).strip()
            name = next((str(row[key]) for key in by if row.get(key) is not None), str(number))
            gold = gold_of(column(row, number, *answers), number)
            facts = {"gold": gold}
            made.append(Item(id=name, question=QUESTION.format(text=text), stem=STEM.format(text=text), facts=facts))
        return made

    return items


def gold_of(answer: object, number: int) -> str:
    """The answer's text: out of its box; a list's values with commas between.

    Raises:
        BenchmarkError: there is none.
    """
    from azr.evals.scorers.math import boxed

    text = ", ".join(str(part) for part in answer) if isinstance(answer, list) else str(answer).strip()
    text = boxed(text) or text
    if not text:
        raise BenchmarkError(f"row {number} has an empty answer")
    return text
