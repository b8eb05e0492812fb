"""Domains: folders with a `domain.toml`, which extend a run beyond plain Python.

The API for authors of domains; `azr domain new NAME` makes a folder to start from.
"""

from azr.domains.problem import Problem
from azr.domains.protocol import NewKind
from azr.tasks.base import KindOptions
from azr.tasks.common import answer_of, returned
from azr.tasks.parsing import INPUT, MESSAGE, OUTPUT, PROGRAM, Block, BlockSyntax, last, only
from azr.types import Answer, Completion, Draft, Kind, Prompt, Reason, Task, Unparsed

__all__ = [
    "INPUT", "MESSAGE", "OUTPUT", "PROGRAM", "Answer", "Block", "BlockSyntax", "Completion", "Draft", "Kind",
    "KindOptions", "NewKind", "Problem", "Prompt", "Reason", "Task", "Unparsed", "answer_of", "last", "only",
    "returned",
]  # fmt: skip
