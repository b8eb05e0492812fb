"""Argument texts and values as verifiers get them."""

import pytest
from azr.domains.scoring import qualities, task_values, verify
from azr.sandbox import Sandbox, ValidRun, Value
from azr.tasks.common import argument_values
from azr.types import Kind, Task


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(threads=1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", (1,)),
        ("1,", (1,)),
        ("1, [2]", (1, [2])),
        ("(1, 2)", ((1, 2),)),
        ("", ()),
        ("  ", ()),
        ("1  # one", (1,)),
        ("1)#", None),
        ("1), (2", None),
        ("1], [2", None),
        ("1]#", None),
        ("1,,", None),
        ("#", None),
        ("x", None),
        ("__import__('os')", None),
        ("*[1]", None),
    ],
)
def test_arguments_are_one_tuple_of_literals_or_none(sandbox: Sandbox, text: str, value: object) -> None:
    [found] = argument_values(sandbox, [text])
    assert (None if found is None else found.to_python()) == value


def test_a_valid_value_is_one_that_a_verifier_can_be_given(sandbox: Sandbox) -> None:
    """The finding: depth 99 was valid, and then no value could be made of the task."""
    program = "def f(n):\n    x = []\n    for _ in range(n): x = [x]\n    return x"
    results = sandbox.validate([(program, [str(n) for n in (0, 50, 89, 90, 99, 100)])])[0].results
    assert [isinstance(result, ValidRun) for result in results] == [True, True, True, False, False, False]
    for result in results:
        if isinstance(result, ValidRun):
            task = Task(kind=Kind.DEDUCTION, program=program, inputs=("1",), outputs=(result.value,))
            assert task_values(sandbox, Kind.DEDUCTION, [task])[0] is not None


def test_a_task_with_deeper_values_costs_itself(sandbox: Sandbox) -> None:
    deep: list[object] = []
    for _ in range(99):
        deep = [deep]
    tasks = [
        Task(kind=Kind.DEDUCTION, program="def f(x): return x", inputs=("1",), outputs=(value,))
        for value in (Value.of(deep), Value.of(1))
    ]
    source = "def verify(task, answer): return 1.0\ndef quality(task): return 0.5"
    answers = verify(sandbox, source, Kind.DEDUCTION, [(task, "1") for task in tasks])
    assert [answer.score for answer in answers] == [0.0, 1.0]
    assert qualities(sandbox, source, Kind.DEDUCTION, tasks) == [0.0, 0.5]
