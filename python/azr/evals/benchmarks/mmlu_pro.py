"""MMLU-Pro: 12,032 questions of 14 subjects with up to ten options.

Source: TIGER-Lab/MMLU-Pro, split test; MIT; Wang et al., arXiv 2406.01574. Prompt: the question with lettered options,
without examples; the original shows five worked ones, so its figures are not comparable with these.
"""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.types import Kind

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

QUESTION = "{text}\n\n{options}\n\nWork it out step by step, and put the letter of the right option within \\boxed{{}}."
STEM = "Question: {text}\n{options}\nAnswer:"


def _build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
    items = []
    for number, row in enumerate(rows):
        text, options = str(column(row, number, "question")).strip(), list(column(row, number, "options"))
        letters, gold = ascii_uppercase[: len(options)], str(column(row, number, "answer"))
        if gold not in tuple(letters):
            raise BenchmarkError(f"row {number}: the answer {gold!r} is none of its {len(options)} options")
        listed = "\n".join(f"({letter}) {option}" for letter, option in zip(letters, options, strict=True))
        items.append(
            Item(
                id=str(row.get("question_id", number)),
                question=QUESTION.format(text=text, options=listed),
                stem=STEM.format(text=text, options=listed),
                facts={"gold": gold, "letters": letters},
            )
        )
    return items


MMLU_PRO = Benchmark(
    name="mmlu_pro",
    title="MMLU-Pro",
    source=Source(
        hub="TIGER-Lab/MMLU-Pro",
        local="mmlu_pro",
        licence="MIT",
        revision="b189ec765aa7ed75c8acfea42df31fdae71f97be",
    ),
    scorer="letter",
    kind=Kind.DEDUCTION,
    build=_build,
    max_tokens=4096,
    stops=("\nQuestion:",),
)
