"""How a number adds up over micro-batches and ranks: each metric keeps what it needs to be merged exactly.

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
    """A number that knows how it reduces."""

    def merge(self, other: Self) -> Self:
        """The metric of both parts together, as if it had been taken over all of it at once."""
        ...

    def numbers(self, name: str) -> Numbers:
        """What is written down."""
        ...


Metrics = dict[str, Metric]


@dataclass(frozen=True, slots=True)
class Mean:
    """Weighted mean; parts count by their weight, so a mean of unequal ranks is the mean of all."""

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
    """How many; parts add up."""

    value: float

    def merge(self, other: Self) -> Self:
        return type(self)(self.value + other.value)

    def numbers(self, name: str) -> Numbers:
        return {name: self.value}


@dataclass(frozen=True, slots=True)
class Max:
    """The largest; of times over ranks: the slowest rank."""

    value: float

    def merge(self, other: Self) -> Self:
        return type(self)(max(self.value, other.value))

    def numbers(self, name: str) -> Numbers:
        return {name: self.value}


@dataclass(frozen=True, slots=True)
class Min:
    """The smallest."""

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
    """The 10th, 50th and 90th percentile, under `name/p10`, `name/p50`, `name/p90`; keeps every value until then."""

    values: tuple[float, ...]

    def merge(self, other: Self) -> Self:
        return type(self)((*self.values, *other.values))

    def numbers(self, name: str) -> Numbers:
        if not self.values:
            return {}
        found = np.percentile(self.values, (10, 50, 90))
        return {f"{name}/p{q}": float(value) for q, value in zip((10, 50, 90), found, strict=True)}


def merge(parts: Iterable[Mapping[str, Metric]]) -> Metrics:
    """One set of metrics of several parts. Two metrics of one name have to be of one kind.

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
                raise TypeError(f"{name} is a {type(found[name]).__name__} in one part, {type(metric).__name__} here")
            found[name] = found[name].merge(metric)
    return found


def numbers(metrics: Mapping[str, Metric]) -> Numbers:
    """What is written down, in order of the names' first appearance."""
    found: Numbers = {}
    for name, metric in metrics.items():
        found.update(metric.numbers(name))
    return found
