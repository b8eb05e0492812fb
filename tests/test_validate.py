"""A proposal is a task only if the sandbox says so; everything else has a reason."""

from collections.abc import Callable

import pytest
from azr.pipeline.parts import Parts
from azr.propose import ask, step_prompts
from azr.tasks.error import label
from azr.types import Kind, Reason, Rejected, Valid
from azr.validate import validate

Make = Callable[..., Parts]


def proposal(program: str, argument: str = "1") -> str:
    return f"</think><answer>```python\n{program}\n```\n```input\n{argument}\n```</answer>"


def verdicts(make_parts: Make, text: str, *overrides: str, kind: str = "deduction") -> list[Valid | Rejected]:
    parts = make_parts(lambda prompt, draw: text, f'tasks.kinds=["{kind}"]', *overrides)
    return validate(parts, ask(parts, step_prompts(parts, 7), 7, "propose"), 7)


def reason(make_parts: Make, text: str, *overrides: str) -> Reason | None:
    found = {v.reason if isinstance(v, Rejected) else None for v in verdicts(make_parts, text, *overrides)}
    assert len(found) == 1
    return found.pop()


def test_a_valid_proposal_becomes_a_task_with_its_provenance(make_parts: Make) -> None:
    (first, *_) = verdicts(make_parts, proposal("def f(a, b=2):\n    return [a, b]", "'x'"))
    assert isinstance(first, Valid)
    assert (first.task.kind, first.task.inputs, first.task.step) == (Kind.DEDUCTION, ("'x'",), 7)
    assert [value.repr for value in first.task.outputs] == ["['x', 2]"]
    assert first.task.references == tuple(task.id for task in first.proposal.completion.prompt.references)


@pytest.mark.parametrize(
    ("program", "argument", "expected"),
    [
        ("def g(a):\n    return a", "1", Reason.NO_ENTRY),
        ("def f(a:\n    return a", "1", Reason.SYNTAX_ERROR),
        ("import random\ndef f(a):\n    return a", "1", Reason.FORBIDDEN_IMPORT),
        ("from os import path\ndef f(a):\n    return a", "1", Reason.FORBIDDEN_IMPORT),
        ("import os.path as p\ndef f(a):\n    return a", "1", Reason.FORBIDDEN_IMPORT),
        ("def f(a):\n    from datetime import date\n    return a", "1", Reason.FORBIDDEN_IMPORT),
        ("def f(a):\n    return 1 // a", "0", Reason.RAISED),
        ("def f(a):\n    while True: pass", "1", Reason.OUT_OF_FUEL),
        ("def f(a):\n    return a", "1)(", Reason.INVALID_INPUT),
        ("def f(a):\n    return range(a)", "1", Reason.NOT_A_TASK_VALUE),
        # Its text shows an address.
        ("def f(a):\n    return lambda: a", "1", Reason.NONDETERMINISTIC),
    ],
)
def test_each_way_to_fail_has_its_reason(make_parts: Make, program: str, argument: str, expected: Reason) -> None:
    assert reason(make_parts, proposal(program, argument), "sandbox.fuel=100_000_000") is expected


def test_words_in_strings_comments_and_names_ban_nothing(make_parts: Make) -> None:
    program = "def f(time):\n    # random input(\n    process_input = 'import random'\n    return process_input + time"
    assert reason(make_parts, proposal(program, "'x'")) is None


def test_the_wrong_outer_form_rejects_even_a_good_task(make_parts: Make) -> None:
    text = proposal("def f(a):\n    return a").removeprefix("</think>")
    assert reason(make_parts, text) is Reason.BAD_FORMAT
    assert reason(make_parts, "nothing") is Reason.UNPARSEABLE


NESTED = "def f(a):\n    def g(x):\n        return x + 1\n    return g(a)"


def test_nested_definitions_are_allowed_unless_the_reproducing_switch_is_on(make_parts: Make) -> None:
    assert reason(make_parts, proposal(NESTED)) is None
    assert reason(make_parts, proposal(NESTED), "tasks.several_definitions=false") is Reason.SEVERAL_DEFINITIONS


def test_an_allow_list_excludes_everything_else(make_parts: Make) -> None:
    program = "import math\ndef f(a):\n    return math.floor(a)"
    assert reason(make_parts, proposal(program)) is None
    assert reason(make_parts, proposal(program), 'tasks.allowed_imports=["re"]') is Reason.FORBIDDEN_IMPORT


def test_too_long_to_be_served_or_read_is_rejected(make_parts: Make) -> None:
    long = "def f(a):\n    return a + '" + "x" * 300 + "'"
    assert reason(make_parts, proposal(long, "'y'"), "tasks.max_program_chars=200") is Reason.TOO_LONG
    assert reason(make_parts, proposal(long, "'y'"), "prompt.max_tokens=800") is Reason.TOO_LONG


def induction(count: int) -> str:
    inputs = "\n".join(f"```input\n{n}\n```" for n in range(count))
    return f"</think><answer>{inputs}\n```message\nhint\n```</answer>"


def test_induction_tasks_have_all_their_pairs(make_parts: Make) -> None:
    (first, *_) = verdicts(make_parts, induction(4), kind="induction")
    assert isinstance(first, Valid)
    assert first.task.inputs == ("0", "1", "2", "3") and first.task.message == "hint"
    assert [value.repr for value in first.task.outputs] == ["0", "1", "2", "3"]
    source = first.proposal.completion.prompt.task
    assert source is not None and first.task.program == source.program and source.id in first.task.references


def test_one_bad_input_rejects_the_induction_task(make_parts: Make) -> None:
    (first, *_) = verdicts(
        make_parts, induction(3).replace("```message", "```input\nunknown\n```\n```message"), kind="induction"
    )
    assert isinstance(first, Rejected) and first.reason is Reason.INVALID_INPUT


def test_order_and_number_are_kept(make_parts: Make) -> None:
    texts = [proposal("def f(a):\n    return a"), "nothing", proposal("def f(a):\n    return 1 / 0"), proposal(NESTED)]
    parts = make_parts(lambda prompt, draw: texts[draw % 4], "propose.batch=16")
    proposals = ask(parts, step_prompts(parts, 1), 1, "propose")
    found = validate(parts, proposals, 1)
    assert [verdict.proposal for verdict in found] == proposals


def test_error_tasks_know_the_exception_or_that_there_is_none(make_parts: Make) -> None:
    labels = []
    for program in ("def f(a):\n    return {}[a]", "def f(a):\n    return a", "def f(a):\n    raise StopIteration"):
        (first, *_) = verdicts(make_parts, proposal(program), kind="error")
        assert isinstance(first, Valid)
        labels.append(label(first.task))
    assert labels == ["KeyError", "NoError", "StopIteration"]


def test_composites_are_run_with_the_programs_that_they_call(make_parts: Make) -> None:
    def script(prompt: object, draw: int) -> str:
        return proposal("def f(x):\n    return [g_0(x)]", "5")

    settings = ('tasks.kinds=["deduction"]', "tasks.composite.at_most=1", "tasks.composite.chance=1.0")
    parts = make_parts(script, *settings)
    for verdict in validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1):
        assert isinstance(verdict, Valid)
        assert verdict.task.program.startswith("def g_0(a):") and verdict.task.outputs[0].repr == "[5]"
        assert verdict.task.parents


def test_a_composite_that_does_not_call_its_parts_is_rejected(make_parts: Make) -> None:
    text = proposal("def f(x):\n    return x")
    settings = ("tasks.composite.at_most=1", "tasks.composite.chance=1.0")
    assert reason(make_parts, text, *settings) is Reason.BAD_COMPOSITE
