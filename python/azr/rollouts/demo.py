"""A script that proposes sums and answers most tasks correctly, for the smoke config and the documentation."""

from azr.tasks.error import label
from azr.types import Kind, Prompt, Role

HIDE_EVERY = 3
"""Every third answer is wrong, so that solve rates are between 0 and 1."""


def answer(prompt: Prompt, draw: int) -> str:
    """An answer in the paper's think/answer form."""
    blocks = _proposal(prompt, draw) if prompt.role is Role.PROPOSE else _solution(prompt, draw)
    return think(blocks)


def think(blocks: str) -> str:
    """The blocks as a completion."""
    return f" Let me see. </think>\n<answer>\n{blocks}\n</answer>"


def _proposal(prompt: Prompt, draw: int) -> str:
    if prompt.kind.base is Kind.INDUCTION:
        inputs = "\n".join(f"```input\n{draw % 7 + n}\n```" for n in range(10))
        return f"{inputs}\n```message\nAdd something.\n```"
    return f"```python\ndef f(a):\n    return a + {draw % 1000}\n```\n```input\n{draw % 11}\n```"


def _solution(prompt: Prompt, draw: int) -> str:
    task = prompt.task
    assert task is not None, "a solve prompt has its task"
    wrong = draw % HIDE_EVERY == 0
    if prompt.kind.base is Kind.INDUCTION:
        return f"```python\n{'def f(a): return None' if wrong else task.program}\n```"
    if prompt.kind.base is Kind.ABDUCTION:
        return f"```input\n{'None' if wrong else task.inputs[0]}\n```"
    right = label(task) if prompt.kind.base is Kind.ERROR else task.outputs[0].repr
    return f"```output\n{'None' if wrong else right}\n```"
