"""MATH500: 500 problems of the MATH test set, of seven subjects and five levels; answers are LaTeX.

Source: HuggingFaceH4/MATH-500, split test; MIT (MATH: Hendrycks et al., arXiv 2103.03874; the choice of 500: Lightman
et al., arXiv 2305.20050). Prompt: `math_items.QUESTION`.
"""

from azr.evals.benchmarks import math_items
from azr.evals.benchmarks.base import Benchmark, Source
from azr.types import Kind

MATH500 = Benchmark(
    name="math500",
    title="MATH500",
    source=Source(
        hub="HuggingFaceH4/MATH-500",
        local="math500",
        licence="MIT",
        revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("problem", "answer", by=("unique_id",)),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
