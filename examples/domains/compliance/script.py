"""Stands for a model: proposes rules about amounts, breaks two in three, and knows two rules in three."""

from azr.rollouts import demo
from azr.types import Prompt, Role


def payment(amount: int, approved: bool) -> dict[str, object]:
    """A payment that a rule about amounts and approval is about."""
    return {"amount": amount, "age": 30, "items": 2, "country": "DE", "approved": approved}


def answer(prompt: Prompt, draw: int) -> str:
    """The completion of a prompt."""
    wrong = draw % demo.HIDE_EVERY == 0
    if prompt.role is Role.SOLVE:
        assert prompt.task is not None
        task = prompt.task
        if prompt.kind.base == "breach":
            return demo.think(f"```input\n{'{}' if wrong else task.inputs[0]}\n```")
        return demo.think(f"```rule\n{'approved or not approved' if wrong else task.message}\n```")
    if prompt.kind.base == "breach":
        most = 100 + draw % 10_000
        return demo.think(f"```rule\namount <= {most} or approved\n```\n```input\n{payment(most + 1, False)}\n```")
    # Of these some keep nearly every rule, and some break it.
    assert prompt.task is not None
    broken = prompt.task.inputs[0]
    kept = [payment(amount, True) for amount in range(1, 10)]
    texts = [str(kept[draw % 9]) if place % 2 else broken for place in range(10)]
    return demo.think("".join(f"```input\n{text}\n```\n" for text in texts))
