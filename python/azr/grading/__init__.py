"""azr as the reward of other trainers: `Grader`, and adapters for TRL, verifiers and verl."""

from azr.grading.grader import (
    NOT_A_TASK,
    TASK_CHARS,
    Grader,
    dump_task,
)

__all__ = [
    "NOT_A_TASK",
    "TASK_CHARS",
    "Grader",
    "dump_task",
]
