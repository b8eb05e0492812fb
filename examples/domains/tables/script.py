"""Stands for a model: proposes one query in many sizes, and knows two answers in three."""

from azr.rollouts import demo
from azr.types import Kind, Prompt, Role

PROGRAM = """from tables import Table

def f(rows):
    t = Table(["item", "count"], rows)
    return t.where("count", lambda n: n > {least}).group("item", "count", sum)"""


def answer(prompt: Prompt, draw: int) -> str:
    """The completion of a prompt."""
    if prompt.role is Role.SOLVE:
        return demo.answer(prompt, draw)
    if prompt.kind.base is Kind.INDUCTION:
        # What a stored program takes is not known here: its own input, ten times over, is always right.
        assert prompt.task is not None
        blocks = "".join(f"```input\n{prompt.task.inputs[0]}\n```\n" for _ in range(10))
        return demo.think(f"{blocks}```message\nA query, number {draw % 1000}.\n```")
    rows = [["tea", draw % 7], ["rice", draw % 5], ["tea", 3]]
    return demo.think(f"```python\n{PROGRAM.format(least=draw % 997)}\n```\n```input\n{rows}\n```")
