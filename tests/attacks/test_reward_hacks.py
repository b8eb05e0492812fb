"""Ways in which a model could earn a reward that it has not deserved, or could reach the trainer. All of them fail.

Each was open in the paper's code; the comments name the hole.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from azr.pipeline.parts import Parts
from azr.propose import ask, step_prompts
from azr.solve import solve
from azr.tasks.error import label
from azr.tasks.io import verify
from azr.types import Draft, Kind, Reason, Rejected, Task, Valid
from azr.validate import validate

Make = Callable[..., Parts]


def judged(make_parts: Make, program: str, argument: str = "1") -> Valid | Rejected:
    text = f"</think><answer>```python\n{program}\n```\n```input\n{argument}\n```</answer>"
    parts = make_parts(lambda prompt, draw: text, 'tasks.kinds=["deduction"]', "propose.batch=1")
    (verdict,) = validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1)
    return verdict


def scored(make_parts: Make, kind: Kind, program: str, inputs: tuple[str, ...], answer: str) -> float:
    tag = {Kind.ABDUCTION: "input", Kind.INDUCTION: "python"}.get(kind, "output")
    parts = make_parts(lambda prompt, draw: f"</think><answer>```{tag}\n{answer}\n```</answer>")
    (task,) = verify([(kind, Draft(program=program, inputs=inputs, message="m"))], parts.kinds, parts.sandbox)
    assert isinstance(task, Task)
    ((attempt,),) = solve(parts, [task], 1, parts.sampling(1, "solve"))
    return attempt.score


@pytest.mark.parametrize(
    "statement",
    [
        "raise StopIteration",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "raise Exception('x is not deterministic')",
        "raise Warning('all good')",
        "return iter([]).__next__()",
        "import sys; sys.exit(0)",
    ],
)
def test_exceptions_without_error_in_their_name_are_not_valid(make_parts: Make, statement: str) -> None:
    """C2: validity was the absence of the word "error"."""
    verdict = judged(make_parts, f"def f(a):\n    {statement}")
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.RAISED


@pytest.mark.parametrize("value", ["float('nan')", "[1, float('nan')]", "{'a': (float('nan'),)}"])
def test_nan_is_handled_the_same_way_everywhere(make_parts: Make, value: str) -> None:
    """C2: a program that returns NaN never equalled itself, yet was valid. Here the own answer solves a task."""
    verdict = judged(make_parts, f"def f(a):\n    return {value}")
    if isinstance(verdict, Valid):
        assert scored(make_parts, Kind.ABDUCTION, verdict.task.program, ("1",), "1") == 1.0
    else:
        assert verdict.reason is Reason.NOT_A_TASK_VALUE


@pytest.mark.parametrize(
    "program",
    [
        "def f(a):\n    return list(set(['ab', 'cd', 'ef', 'gh', 'ij', 'kl']))",
        "def f(a):\n    return id(object())",
        "def f(a):\n    return hash('text')",
        "def f(a):\n    return str(object())",
    ],
    ids=["set-order", "id", "hash", "address"],
)
def test_what_depends_on_chance_is_rejected(make_parts: Make, program: str) -> None:
    """C3: hash order was not noticed; a failed determinism check was accepted."""
    verdict = judged(make_parts, program)
    assert isinstance(verdict, Rejected)
    assert verdict.reason in (Reason.NONDETERMINISTIC, Reason.RAISED)


def test_a_mutable_default_gives_the_same_answer_each_time(make_parts: Make) -> None:
    """C2: the second call saw what the first had left."""
    verdict = judged(make_parts, "def f(a, seen=[]):\n    seen.append(a)\n    return len(seen)")
    assert isinstance(verdict, Valid) and verdict.task.outputs[0].repr == "1"


def test_outputs_that_are_too_long_are_rejected_not_cut(make_parts: Make) -> None:
    """C4: a cut output made an unsolvable task."""
    verdict = judged(make_parts, "def f(a):\n    return list(range(1000000))")
    assert isinstance(verdict, Rejected)
    assert verdict.reason in (Reason.NOT_A_TASK_VALUE, Reason.OUT_OF_FUEL, Reason.OUT_OF_MEMORY)


def test_the_text_input_in_a_name_is_no_offence(make_parts: Make) -> None:
    """C5: the text `input(` anywhere rejected the program."""
    verdict = judged(make_parts, "def process_input(x):\n    return x\ndef f(a):\n    return process_input(a)")
    assert isinstance(verdict, Valid)


@pytest.mark.parametrize(
    "answer",
    [
        "1) or (True",
        "1) == f(1) or (1",
        "1)\nprint('x'",
        "1, *[2]",
        "*[1]",
        "a := 1",
        "(lambda: 1)()",
        "__import__('os').system('true')",
        "1 if True else 2",
        "[x for x in (1,)][0]",
    ],
)
def test_an_input_is_parsed_before_it_is_used(make_parts: Make, answer: str) -> None:
    """S3: the answer was spliced in as source, so closing the parenthesis won."""
    assert scored(make_parts, Kind.ABDUCTION, "def f(a):\n    return a == 12345", ("12345",), answer) == 0.0


@pytest.mark.parametrize(
    "answer",
    [
        "gold",
        "output",
        "gold_output",
        "self",
        "locals()",
        "task.outputs[0]",
        "__builtins__",
        "9 ** 9 ** 9",
        "f(1)",
        "open('/etc/hostname').read()",
        "(lambda: 2)()",
        "type('A', (), {'__eq__': lambda s, o: True})()",
    ],
)
def test_an_output_is_a_literal_and_nothing_else(make_parts: Make, answer: str) -> None:
    """S1: answers were evaluated in the trainer, with the gold value in sight."""
    assert scored(make_parts, Kind.DEDUCTION, "def f(a):\n    return a + 1", ("1",), answer) == 0.0


ALWAYS_EQUAL = """class Sly:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __repr__(self): return '2'
    def __index__(self): return 2
def f(a):
    return Sly()"""
SUBCLASS = """class Sly(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __repr__(self): return '2'
def f(a):
    return Sly(0)"""


@pytest.mark.parametrize("program", [ALWAYS_EQUAL, SUBCLASS], ids=["object", "int-subclass"])
def test_a_class_that_equals_everything_wins_nothing(make_parts: Make, program: str) -> None:
    """S4: hidden pairs were compared by the answer's own `__eq__`."""
    double = "def f(a):\n    return a * 2 + 5"
    assert scored(make_parts, Kind.INDUCTION, double, ("1", "2", "3", "4"), program) == 0.0
    verdict = judged(make_parts, program)
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.NOT_A_TASK_VALUE


def test_what_a_program_returns_is_never_evaluated(make_parts: Make, tmp_path: Path) -> None:
    """S2: a string that a worker returned was evaluated in the trainer."""
    target = tmp_path / "reached"
    text = f"__import__('pathlib').Path({str(target)!r}).write_text('x')"
    program = f"class Sly:\n    def __repr__(self): return {text!r}\n    __eq__ = __repr__\ndef f(a):\n    return Sly()"
    assert scored(make_parts, Kind.INDUCTION, "def f(a):\n    return a", ("1", "2"), program) == 0.0
    assert isinstance(judged(make_parts, program), Rejected)
    assert not target.exists()


def test_a_patched_module_is_whole_again_for_the_next_program(make_parts: Make) -> None:
    """S5: what one program patched stayed patched in the worker."""
    judged(make_parts, "import math\ndef f(a):\n    math.pi = 3\n    return math.pi")
    verdict = judged(make_parts, "import math\ndef f(a):\n    return math.pi > 3")
    assert isinstance(verdict, Valid) and verdict.task.outputs[0].repr == "True"


def test_patched_builtins_do_not_reach_the_check(make_parts: Make) -> None:
    """S5, C14: neither the encoding nor the comparison uses what the program can change."""
    program = (
        "import builtins\ndef f(a):\n    builtins.repr = lambda x: '99'\n    builtins.len = lambda x: 0\n    return 0"
    )
    assert scored(make_parts, Kind.INDUCTION, "def f(a):\n    return 99", ("1", "2"), program) == 0.0


def test_true_is_not_one(make_parts: Make) -> None:
    """C14: type-loose equality let True pass for 1."""
    assert scored(make_parts, Kind.DEDUCTION, "def f(a):\n    return a", ("1",), "True") == 0.0


@pytest.mark.parametrize(
    "line",
    [
        "import os.path",
        "from os import path",
        "from os import environ",
        "from sys import exit",
        "import random as r",
        "from random import *",
        "import calendar, math",
    ],
)
def test_dotted_bans_match(make_parts: Make, line: str) -> None:
    """S5: dotted entries of the list could never match."""
    verdict = judged(make_parts, f"{line}\ndef f(a):\n    return a")
    assert isinstance(verdict, Rejected) and verdict.reason is Reason.FORBIDDEN_IMPORT


def test_an_input_block_before_the_program_is_fine(make_parts: Make) -> None:
    """C8: the first block was taken for the code."""
    text = "</think><answer>```input\n1\n```\n```python\ndef f(a):\n    return a\n```</answer>"
    parts = make_parts(lambda prompt, draw: text, 'tasks.kinds=["deduction"]', "propose.batch=1")
    (verdict,) = validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1)
    assert isinstance(verdict, Valid)


def test_string_answers_of_any_nesting_can_be_right(make_parts: Make) -> None:
    """C6: the fall-back evaluated twice."""
    assert scored(make_parts, Kind.DEDUCTION, "def f(a):\n    return [a, '\"']", ("'x'",), "['x', '\"']") == 1.0


def test_a_hung_answer_is_wrong_and_costs_others_nothing(make_parts: Make) -> None:
    """One hanging program blocked everything for ten seconds."""
    loop = "def f(a):\n    while True:\n        a += 1"
    assert scored(make_parts, Kind.INDUCTION, "def f(a):\n    return a", ("1", "2"), loop) == 0.0


def test_a_program_that_recurses_for_ever_is_rejected_with_a_reason(make_parts: Make) -> None:
    verdict = judged(make_parts, "def f(a):\n    return f(a)")
    assert isinstance(verdict, Rejected)
    assert verdict.reason in (Reason.STACK_OVERFLOW, Reason.RAISED, Reason.OUT_OF_FUEL)


def test_markers_inside_answers_do_not_open_new_blocks(make_parts: Make) -> None:
    """A string that contains a fence or tags is data."""
    program = "def f(a):\n    return a"
    assert scored(make_parts, Kind.DEDUCTION, program, ("'``` <input>'",), "'``` <input>'") == 1.0


def test_an_error_task_with_two_different_exceptions_is_rejected(make_parts: Make) -> None:
    """C12: it was rejected only if status and output both differed."""
    program = (
        "def f(a):\n    if list({'ab', 'cd', 'ef', 'gh'})[0] < 'ce':\n        raise KeyError\n    raise ValueError"
    )
    text = f"</think><answer>```python\n{program}\n```\n```input\n1\n```</answer>"
    parts = make_parts(lambda prompt, draw: text, 'tasks.kinds=["error"]', "propose.batch=1")
    (verdict,) = validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1)
    assert isinstance(verdict, Rejected) or label(verdict.task) in ("KeyError", "ValueError")
