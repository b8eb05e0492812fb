"""Score answers: make tasks of the three kinds, and see what each answer earns.

Step through the cells, or run the file: python examples/steps/score_answers.py
"""
# ruff: noqa: T201

# %% Three drafts, as a person writes them: programs and inputs, no outputs
from azr.grading import Grader
from azr.rewards.azr import reward as proposer_reward
from azr.rewards.base import ProposalFacts
from azr.tasks.io import verify
from azr.types import Draft, Kind, Reason

SECOND = "def f(numbers):\n    return sorted(set(numbers))[-2]"
drafts = [
    (Kind.DEDUCTION, Draft(program=SECOND, inputs=("[3, 1, 3, 2]",))),
    (Kind.ABDUCTION, Draft(program=SECOND, inputs=("[3, 1, 3, 2]",))),
    (
        Kind.INDUCTION,
        Draft(program=SECOND, inputs=("[3, 1, 3, 2]", "[9, 8]", "[5, 5, 4]", "[0, 7, 7]"), message="Which number?"),
    ),
]

# %% The sandbox runs each program on each input: now they are tasks with known outputs
grader = Grader()
tasks = [task for task in verify(drafts, grader.kinds, grader.sandbox) if not isinstance(task, Reason)]
for task in tasks:
    print(task.kind, [value.repr for value in task.outputs])

# %% What the model is shown
print(grader.row(tasks[1])["prompt"][0]["content"])

# %% What answers earn. Any input with the right output solves an abduction task
answers = {
    "deduction, right": (tasks[0], "```output\n2\n```"),
    "deduction, wrong": (tasks[0], "```output\n3\n```"),
    "deduction, an expression": (tasks[0], "```output\n1 + 1\n```"),
    "abduction, another input": (tasks[1], "```input\n[2, 100]\n```"),
    "induction, other code": (tasks[2], "```python\ndef f(x):\n    return max(set(x) - {max(x)})\n```"),
    "induction, only the shown pairs": (tasks[2], "```python\ndef f(x):\n    return 2 if 3 in x else 8\n```"),
}
rows = [(grader.row(task)["task"], f"Let me see.\n<answer>\n{text}\n</answer>") for task, text in answers.values()]
for name, answer in zip(answers, grader.grade(rows), strict=True):
    print(f"{name}: {answer.score} {answer.reason}")

# %% What the proposer earns for a task, by how often the current model solves it
for solved in range(0, 9, 2):
    print(f"solved {solved} of 8: learnability {proposer_reward(ProposalFacts(task=tasks[0], solve_rate=solved / 8))}")
