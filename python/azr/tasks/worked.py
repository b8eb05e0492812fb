"""A verified task as the wanted completion: the blocks of its answer, and of its proposal."""

from azr.tasks.parsing import INPUT, MESSAGE, OUTPUT, PROGRAM, BlockSyntax
from azr.types import Kind, Task


def answer_blocks(syntax: BlockSyntax, task: Task) -> str:
    """The right answer to a task of a plain kind."""
    if task.kind.base is Kind.ABDUCTION:
        return syntax.render(INPUT, task.inputs[0])
    if task.kind.base is Kind.INDUCTION:
        return syntax.render(PROGRAM, task.program)
    return syntax.render(OUTPUT, task.outputs[0].repr)


def proposal_blocks(syntax: BlockSyntax, task: Task) -> str:
    """The task as a proposal."""
    if task.kind.base is Kind.INDUCTION:
        parts = [(INPUT, text) for text in task.inputs] + [(MESSAGE, task.message)]
    else:
        parts = [(PROGRAM, task.program), (INPUT, task.inputs[0])]
    return "\n".join(syntax.render(tag, body) for tag, body in parts)
