"""Combination of the proposer's reward r > 0 with its extra terms. S and P: sum and product of the terms."""

import math
from collections.abc import Callable, Sequence
from typing import Final

Combine = Callable[[float, Sequence[float]], float]

METHODS: Final[dict[str, Combine]] = {
    "sum": lambda r, terms: r + sum(terms),
    "multiply": lambda r, terms: r * math.prod(terms),
    "sum_multiply": lambda r, terms: r + math.prod(terms) if terms else r,
    "multiply_sum": lambda r, terms: r * sum(terms) if terms else r,
}
