"""Stands for the library of this name where only its published signatures are needed: documentation runs on it."""

import inspect
from typing import Any


class Rubric:
    """Takes reward functions as the library does: by the names of their parameters."""

    def __init__(self, funcs: list[Any] | None = None, weights: list[float] | None = None, parser: Any = None) -> None:
        self.funcs = funcs or []
        for function in self.funcs:
            assert set(inspect.signature(function).parameters) <= {
                "prompt", "completion", "answer", "task", "state", "info", "parser", "completions", "answers",
            }  # fmt: skip


class SingleTurnEnv:
    """Takes a data set and a rubric."""

    def __init__(self, dataset: Any, rubric: Rubric, **more: Any) -> None:
        assert {"prompt", "answer"} <= set(dataset.column_names) and rubric.funcs
