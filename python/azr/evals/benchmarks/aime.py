"""AIME: the American Invitational Mathematics Examination of 2024 and of 2025, 30 problems each; answers 0 to 999.

Sources: math-ai/aime24 and math-ai/aime25, split test; Apache-2.0 by the hub's pages, the problems are the
Mathematical Association of America's. Prompt: `math_items.QUESTION`.
"""

from azr.evals.benchmarks import math_items
from azr.evals.benchmarks.base import Benchmark, Source
from azr.types import Kind

AIME24 = Benchmark(
    name="aime24",
    title="AIME 2024",
    source=Source(
        hub="math-ai/aime24",
        local="aime24",
        licence="Apache-2.0",
        revision="83a7f387baaa524a8bda0022eac0541582297103",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("problem", "answer", "solution"),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
AIME25 = Benchmark(
    name="aime25",
    title="AIME 2025",
    source=Source(
        hub="math-ai/aime25",
        local="aime25",
        licence="Apache-2.0",
        revision="563bb8404243c5f09de6ec262f2db674fe5bce9b",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("problem", "answer"),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
