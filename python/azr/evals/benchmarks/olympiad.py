"""OlympiadBench: its 674 text-only English mathematics problems with open answers.

Source: math-ai/olympiadbench, split test; licence as the hub's page says; He et al., arXiv 2402.14008. Prompt:
`math_items.QUESTION`. An answer of several values is compared as a set of them.
"""

from azr.evals.benchmarks import math_items
from azr.evals.benchmarks.base import Benchmark, Source
from azr.types import Kind

OLYMPIAD = Benchmark(
    name="olympiad",
    title="OlympiadBench",
    source=Source(
        hub="math-ai/olympiadbench",
        local="olympiad",
        licence="see the hub's page",
        revision="4faaf1e6ec17d11a4218a9bf4c049ecaf954dd84",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("question", "final_answer", "answer"),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
