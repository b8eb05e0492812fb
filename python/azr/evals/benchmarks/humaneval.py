"""HumanEval: complete a function from its signature and docstring; and HumanEval+, the same with more tests. 164 rows.

Sources: openai/openai_humaneval (MIT; Chen et al., arXiv 2107.03374) and evalplus/humanevalplus (Apache-2.0; Liu et
al., arXiv 2305.01210), split test of both. Prompt: the function's head in a code block, with the request to write all
of it; plain: the head alone, to be continued.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.types import Kind

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

QUESTION = (
    "Complete the following Python function. Work it out step by step, then give the whole function, with its head and"
    " the imports that it needs, in one block tagged python.\n\n```python\n{head}\n```"
)

STOPS = ("\nclass ", "\ndef ", "\n#", "\n@", "\nprint", "\nif ", "\nassert ", "\nfor ", "\nimport ", "\nfrom ", "\n```")
"""Starts of lines that cannot belong to the body of a function."""


def _build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
    items = []
    for number, row in enumerate(rows):
        head, name = column(row, number, "prompt"), column(row, number, "entry_point")
        facts = {
            "name": name,
            # Helpers and imports in front of the function are part of the task, even if the answer repeats them.
            "before": before(head, name),
            "continued": head,
            "tests": f"{column(row, number, 'test')}\n\ncheck({name})",
        }
        question = QUESTION.format(head=head.strip("\n"))
        items.append(Item(id=str(column(row, number, "task_id")), question=question, stem=head, facts=facts))
    return items


def before(head: str, name: str) -> str:
    """The text in front of a function's definition."""
    found = re.search(rf"^def {re.escape(name)}\b", head, re.MULTILINE)
    return head[: found.start()] if found else ""


HUMANEVAL = Benchmark(
    name="humaneval",
    title="HumanEval",
    source=Source(
        hub="openai/openai_humaneval",
        local="humaneval",
        licence="MIT",
        revision="7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
    ),
    scorer="asserts",
    kind=Kind.INDUCTION,
    build=_build,
    max_tokens=4096,
    stops=STOPS,
)
HUMANEVAL_PLUS = Benchmark(
    name="humaneval_plus",
    title="HumanEval+",
    source=Source(
        hub="evalplus/humanevalplus",
        local="humaneval_plus",
        licence="Apache-2.0",
        revision="d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
    ),
    scorer="asserts",
    kind=Kind.INDUCTION,
    build=_build,
    max_tokens=4096,
    stops=STOPS,
)
