"""AMC 2023: 40 problems of the AMC 12, rewritten so that each has one number as its answer.

Source: math-ai/amc23, split test; licence as the hub's page says, the problems are the Mathematical
Association of America's. Prompt: `math_items.QUESTION`.
"""

from azr.evals.benchmarks import math_items
from azr.evals.benchmarks.base import Benchmark, Source
from azr.types import Kind

AMC23 = Benchmark(
    name="amc23",
    title="AMC 2023",
    source=Source(
        hub="math-ai/amc23",
        local="amc23",
        licence="see the hub's page",
        revision="80815d37005feb82cd7f8fbc6901d5d3eff43057",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("question", "answer"),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
