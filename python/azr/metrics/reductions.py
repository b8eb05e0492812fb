"""Reduction of metrics over micro-batches and ranks: each metric keeps what an exact merge needs.

merge([of_rank_0, of_rank_1])        # dicts of metrics -> one dict
numbers(merged)                      # -> what is written down
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

Numbers = dict[str, float]


class Metric(Protocol):
    """A metric with its reduction."""

    def merge(self, other: Self) -> Self:
        """The metric over both parts, as if computed over all data at once."""
        ...

    def numbers(self, name: str) -> Numbers:
        """The values to write."""
        ...


Metrics = dict[str, Metric]


@dataclass(frozen=True, slots=True)
class Mean:
    """Weighted mean: exact over ranks of unequal size."""

    total: float
    weight: float = 1.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        found = list(values)
        return cls(float(sum(found)), len(found))

    def merge(self, other: Self) -> Self:
        return type(self)(self.total + other.total, self.weight + other.weight)

    def numbers(self, name: str) -> Numbers:
        return {name: self.total / self.weight} if self.weight else {}


@dataclass(frozen=True, slots=True)
class Count:
    """A sum."""

    value: float

    def merge(self, other: Self) -> Self:
        return type(self)(self.value + other.value)

    def numbers(self, name: str) -> Numbers:
        return {name: self.value}


@dataclass(frozen=True, slots=True)
class Max:
    """A maximum; for times over ranks, the slowest rank."""

    value: float

    def merge(self, other: Self) -> Self:
        return type(self)(max(self.value, other.value))

    def numbers(self, name: str) -> Numbers:
        return {name: self.value}


@dataclass(frozen=True, slots=True)
class Min:
    """A minimum."""

    value: float

    def merge(self, other: Self) -> Self:
        return type(self)(min(self.value, other.value))

    def numbers(self, name: str) -> Numbers:
        return {name: self.value}


@dataclass(frozen=True, slots=True)
class Deviation:
    """Standard deviation, exact when merged."""

    count: int
    total: float
    squares: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        found = np.asarray(values, dtype=np.float64)
        return cls(len(found), float(found.sum()), float((found**2).sum()))

    def merge(self, other: Self) -> Self:
        return type(self)(self.count + other.count, self.total + other.total, self.squares + other.squares)

    def numbers(self, name: str) -> Numbers:
        if not self.count:
            return {}
        mean = self.total / self.count
        return {name: math.sqrt(max(self.squares / self.count - mean * mean, 0.0))}


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The 10th, 50th and 90th percentile, as `name/p10`, `name/p50`, `name/p90`. Keeps every value until then."""

    values: tuple[float, ...]

    def merge(self, other: Self) -> Self:
        return type(self)((*self.values, *other.values))

    def numbers(self, name: str) -> Numbers:
        if not self.values:
            return {}
        found = np.percentile(self.values, (10, 50, 90))
        return {f"{name}/p{q}": float(value) for q, value in zip((10, 50, 90), found, strict=True)}


def merge(parts: Iterable[Mapping[str, Metric]]) -> Metrics:
    """Merge the metrics of several parts. Metrics of the same name must have the same type.

    Raises:
        TypeError: they are not.
    """
    found: Metrics = {}
    for part in parts:
        for name, metric in part.items():
            if name not in found:
                found[name] = metric
                continue
            if type(found[name]) is not type(metric):
                one, other = type(found[name]).__name__, type(metric).__name__
                raise TypeError(f"the metric {name} is a {one} in one part and a {other} in another")
            found[name] = found[name].merge(metric)
    return found


def numbers(metrics: Mapping[str, Metric]) -> Numbers:
    """The values to write, in order of the names' first appearance."""
    found: Numbers = {}
    for name, metric in metrics.items():
        found.update(metric.numbers(name))
    return found
