"""Minerva: 272 undergraduate problems in science and mathematics (OCWCourses); answers are numbers and formulae.

Source: math-ai/minervamath, split test; licence as the hub's page says; Lewkowycz et al., arXiv 2206.14858. Prompt:
`math_items.QUESTION`.
"""

from azr.evals.benchmarks import math_items
from azr.evals.benchmarks.base import Benchmark, Source
from azr.types import Kind

MINERVA = Benchmark(
    name="minerva",
    title="Minerva",
    source=Source(
        hub="math-ai/minervamath",
        local="minerva",
        licence="see the hub's page",
        revision="ee46ddc498933b1977577953250ca5c66be64f96",
    ),
    scorer="math",
    kind=Kind.DEDUCTION,
    build=math_items.build("question", "answer"),
    max_tokens=math_items.MAX_TOKENS,
    stops=math_items.STOPS,
)
