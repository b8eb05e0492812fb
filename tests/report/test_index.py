"""Finding rows of a trace by their numbers."""

from azr.report.index import Filter, TraceIndex
from hypothesis import given, settings
from hypothesis import strategies as st

ROWS = [
    {"step": 1, "purpose": "proposal", "kind": "deduction", "verdict": "valid", "reward": 0.5, "task": 4, "flags": []},
    {"step": 1, "purpose": "trial", "kind": "deduction", "verdict": "correct", "reward": None, "task": 4, "flags": "x"},
    {"step": 2, "purpose": "answer", "kind": "abduction", "verdict": "wrong", "reward": -0.5, "task": 7, "flags": []},
]


def index() -> TraceIndex:
    made = TraceIndex()
    for row in ROWS:
        made.add(row)
    return made


def test_each_filter_keeps_what_fits() -> None:
    found = index()
    assert list(found.find(Filter())) == [0, 1, 2]
    assert list(found.find(Filter(kind="deduction", purpose="trial"))) == [1]
    assert list(found.find(Filter(verdict="wrong"))) == [2] and list(found.find(Filter(verdict="no such"))) == []
    assert list(found.find(Filter(first_step=2))) == [2] and list(found.find(Filter(last_step=1))) == [0, 1]
    assert list(found.find(Filter(flagged=True))) == [1]
    assert list(found.find(Filter(task=4))) == [0, 1]
    assert list(found.find(Filter(low=0.0, high=1.0))) == [0]


anything = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=3)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(["step", "purpose", "kind", "verdict", "reward", "task", "flags"]), anything))
def test_any_row_can_be_indexed(row: dict[str, object]) -> None:
    made = TraceIndex()
    made.add(row)
    assert len(made) == 1 and list(made.find(Filter())) == [0]


def test_it_grows_past_its_first_size() -> None:
    made = TraceIndex()
    for step in range(5000):
        made.add({"step": step, "kind": f"k{step % 3}"})
    assert len(made.find(Filter(kind="k1"))) == 1667 and made.rows["step"][4999] == 4999
