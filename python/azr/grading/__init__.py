"""azr as the reward of other trainers: `Grader`, `AsyncGrader`, and adapters for TRL, verifiers and verl."""

from azr.grading.asynchronous import AsyncGrader
from azr.grading.grader import (
    NOT_A_TASK,
    TASK_CHARS,
    Grader,
    Message,
    Row,
    dump_task,
)
from azr.types import Answer

__all__ = [
    "NOT_A_TASK",
    "TASK_CHARS",
    "Answer",
    "AsyncGrader",
    "Grader",
    "Message",
    "Row",
    "dump_task",
]
