"""Stands for a model: proposes small fields, and plans them season by season without looking ahead."""

from azr.rollouts import demo
from azr.types import Prompt, Role


def answer(prompt: Prompt, draw: int) -> str:
    """The completion of a prompt."""
    if prompt.role is Role.PROPOSE:
        field = {
            "seasons": 2 + draw % 3,
            "yields": {"wheat": [draw % 11 + 1, draw % 7], "beans": [draw % 5, draw % 13]},
            "family": {"wheat": "grass", "beans": "pulse"},
            "most": 1,
        }
        return demo.think(f"```input\n{field}\n```")
    assert prompt.task is not None
    field = prompt.task.outputs[0].to_python()
    assert isinstance(field, dict)
    return demo.think(f"```output\n{greedy(field, idle=draw % 2)}\n```")


def greedy(field: dict[str, dict[str, list[int]]], idle: int) -> list[list[str]]:
    """Each season the crop that yields most on the first plot, of another family than the last; then `idle` rest."""
    plan: list[list[str]] = []
    plots = len(next(iter(field["yields"].values())))
    last = ""
    for _ in range(int(field["seasons"])):  # type: ignore[call-overload]
        allowed = [crop for crop in field["yields"] if not last or field["family"][crop] != field["family"][last]]
        last = max(allowed, key=lambda crop: field["yields"][crop][0], default="")
        plan.append([last] + [""] * (plots - 1))
    return plan if not idle else [*plan[:-1], [""] * plots]
