"""What the curriculum draws from the buffer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from azr.buffer.client import TaskBuffer
from azr.buffer.curriculum import TaskStore
from azr.config import resolve
from azr.errors import RunError
from azr.pipeline.build import assemble
from azr.pipeline.parts import Parts
from azr.sandbox import Value
from azr.solve import solve
from azr.tasks.io import verify
from azr.types import Attempt, Completion, Draft, Kind, Prompt, Role, Task
from azr.util.randomness import generator

Make = Callable[..., Parts]
ONE_KIND = ('tasks.kinds=["deduction"]', "solve.batch=8")


def sums(parts: Parts, numbers: Sequence[int], step: int, kind: Kind = Kind.DEDUCTION) -> list[Task]:
    drafts = [(kind, Draft(program=f"def f(a):\n    return a + {n}", inputs=("1",))) for n in numbers]
    made = verify(drafts, parts.kinds, parts.sandbox)
    return [replace(task, step=step) for task in made if isinstance(task, Task)]


def steps(tasks: Sequence[Task]) -> list[int]:
    return sorted(task.step for task in tasks)


def test_a_batch_is_never_short(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND)
    assert len(parts.store.serve(1)) == 8  # of the one identity task
    parts.store.add(sums(parts, range(3), 0))
    served = parts.store.serve(1)
    assert len(served) == 8 and len({task.id for task in served}) == 4


def rated(parts: Parts, rates: Sequence[float]) -> list[int]:
    """Tasks that were solved so often; their ids."""
    before = {task.id for task in parts.store.everything()}
    parts.store.add(sums(parts, range(100, 100 + len(rates)), 1))
    tasks = [task for task in parts.store.everything() if task.id not in before]
    for task, rate in zip(tasks, rates, strict=True):
        note(parts, task, rate, 1)
    return [task.id for task in tasks if task.id is not None]


def note(parts: Parts, task: Task, rate: float, step: int) -> None:
    prompt = Prompt(role=Role.SOLVE, kind=task.kind, text="", token_ids=(), task=task)
    nothing = Completion(prompt=prompt, text="", token_ids=(), log_probs=(), finished=True)
    right = [float(at < 8 * rate) for at in range(8)]
    parts.store.record(
        [(task, [Attempt(completion=nothing, text="", formatted=True, score=s, reason="") for s in right])], step
    )


def test_the_edge_is_what_is_solved_half_of_the_time_and_a_share_of_what_nobody_solves(make_parts: Make) -> None:
    given = ('tasks.kinds=["deduction"]', "solve.batch=8", "solve.mix=edge", "solve.unsolved=0.25")
    parts = make_parts(lambda prompt, draw: "", *given)
    ids = rated(parts, [0.0] * 20 + [0.5] * 20 + [1.0] * 20)
    served = [ids.index(task.id) // 20 for task in parts.store.serve(2) if task.id in ids]
    assert served.count(0) == 2 and served.count(1) >= 5


def test_the_edge_moves_with_what_is_measured_anew(make_parts: Make) -> None:
    given = ('tasks.kinds=["deduction"]', "solve.batch=8", "solve.mix=edge", "solve.unsolved=0")
    parts = make_parts(lambda prompt, draw: "", *given)
    ids = rated(parts, [0.5] * 20 + [0.0] * 20)
    for task in parts.store.everything():
        if task.id in ids:
            note(parts, task, 1.0 if task.id in ids[:20] else 0.5, 2)
    assert sum(task.id in ids[20:] for task in parts.store.serve(3)) >= 6


def test_without_unsolved_tasks_the_edge_is_never_short(make_parts: Make) -> None:
    given = ('tasks.kinds=["deduction"]', "solve.batch=8", "solve.mix=edge", "solve.unsolved=1.0")
    parts = make_parts(lambda prompt, draw: "", *given)
    rated(parts, [0.5] * 10)
    assert len({task.id for task in parts.store.serve(2)}) == 8


def test_what_is_always_solved_need_not_be_built_on(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', "tasks.composite.easiest=0.9")
    ids = rated(parts, [1.0, 0.75, 1.0, 0.25])
    for step in range(20):
        assert [task.id for task in parts.store.mastered(generator(0, step, "x"))] == [ids[1]]


def test_of_several_that_are_solved_the_largest_is_built_on(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', "tasks.composite.candidates=40")
    rated(parts, [1.0, 0.25])
    drafts = [(Kind.DEDUCTION, Draft(program="def f(a):\n    return a + 1 + 1 + 1", inputs=("1",)))]
    parts.store.add([task for task in verify(drafts, parts.kinds, parts.sandbox) if isinstance(task, Task)])
    (deep,) = [task for task in parts.store.everything() if "1 + 1" in task.program]
    (first,) = parts.store.mastered(generator(0, 1, "x"))
    assert first.program == "def f(a):\n    return a + 100"
    note(parts, deep, 0.5, 1)
    (then,) = parts.store.mastered(generator(0, 1, "x"))
    assert then.id == deep.id


def test_what_was_made_last_comes_first(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND)
    for step in (1, 2, 3):
        parts.store.add(sums(parts, range(10 * step, 10 * step + 5), step))
        served = parts.store.serve(step + 1)
        assert len({task.id for task in served if task.step == step}) == 5


def test_without_lag_the_own_step_is_new(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND, "solve.lag=false")
    for step in (1, 2, 3):
        parts.store.add(sums(parts, range(10 * step, 10 * step + 5), step))
    assert steps(parts.store.serve(3)).count(3) == 5


def test_half_new_takes_at_most_half_from_the_window(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', "solve.batch=6", "solve.mix=half_new")
    parts.store.add(sums(parts, range(100, 150), 1))
    parts.store.add(sums(parts, range(40), 2))
    assert steps(parts.store.serve(3)).count(2) == 3


def test_past_its_cap_the_newest_tasks_are_served(make_parts: Make) -> None:
    """The paper's code kept the oldest, and served the same few hundred for ever."""
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND, "buffer.cap=10")
    for step in range(1, 8):
        parts.store.add(sums(parts, range(10 * step, 10 * step + 5), step))
        assert len({task.id for task in parts.store.serve(step + 1) if task.step == step}) == 5
        assert parts.store.count(Kind.DEDUCTION) <= 10


def test_draws_depend_on_the_content_and_the_seed_alone(make_parts: Make, tmp_path: Path) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND)
    parts.store.add(sums(parts, range(30), 1))
    position = parts.store.position()
    first = [task.id for task in parts.store.serve(2)]
    assert first == [task.id for task in parts.store.serve(2)] != [task.id for task in parts.store.serve(3)]
    parts.store.add(sums(parts, range(30, 60), 2))
    parts.store.close()
    again = assemble(parts.config, parts.engine, tmp_path / "buffer", position)
    assert [task.id for task in again.store.serve(2)] == first
    assert {task.step for task in again.store.everything()} == {0, 1}


def test_tasks_come_back_as_they_went_in(make_parts: Make, tmp_path: Path) -> None:
    parts = make_parts()
    before = parts.store.everything()
    position = parts.store.position()
    parts.store.close()
    assert assemble(parts.config, parts.engine, tmp_path / "buffer", position).store.everything() == before
    assert {task.kind for task in before} == set(parts.config.tasks.kinds)


@pytest.mark.parametrize(
    ("serve", "left"), [("all", {"all", "some", "none"}), ("non_one", {"some", "none"}), ("non_extremes", {"some"})]
)
def test_tasks_can_leave_by_their_solve_rate(make_parts: Make, serve: str, left: set[str]) -> None:
    right = {"all": 4, "some": 2, "none": 0}

    def script(prompt: object, draw: int) -> str:
        name = prompt.task.outputs[0].to_python()  # type: ignore[attr-defined]
        answer = repr(name) if draw % 4 < right[name] else "None"
        return f"</think><answer>```output\n{answer}\n```</answer>"

    parts = make_parts(script, *ONE_KIND, f"buffer.serve={serve}")
    drafts = [(Kind.DEDUCTION, Draft(program=f"def f(a):\n    return {name!r}", inputs=("1",))) for name in right]
    parts.store.add([replace(t, step=1) for t in verify(drafts, parts.kinds, parts.sandbox) if isinstance(t, Task)])
    tasks = [task for task in parts.store.everything() if task.step == 1]
    rows = solve(parts, tasks, 4, replace(parts.sampling(1, "trials"), seed=0))
    parts.store.record(list(zip(tasks, rows, strict=True)), 1)
    served = {task.outputs[0].to_python() for task in parts.store.serve(2)}
    assert served - {"Hello world"} == left
    for task in tasks:
        assert task.id is not None
        parts.store.hold([task.id])
        parts.store.release(task.id)
    # A person's release from quarantine does not undo it.
    assert {task.outputs[0].to_python() for task in parts.store.serve(3)} == served


def test_surprise_counts_equal_answers(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND)
    drafts = [(Kind.DEDUCTION, Draft(program=f"def f(a):\n    return {n} * 0", inputs=("1",))) for n in range(4)]
    parts.store.add([task for task in verify(drafts, parts.kinds, parts.sandbox) if isinstance(task, Task)])
    (zero, *_) = [task for task in parts.store.everything() if task.outputs[0].repr == "0"]
    identity = next(task for task in parts.store.everything() if task.outputs[0].repr != "0")
    assert parts.store.surprise(identity) == 1.0
    assert parts.store.surprise(zero) == pytest.approx(1 - 3 / 4)


def test_near_copies_are_near_whatever_their_names(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", *ONE_KIND)
    body = "    total = 0\n    for item in a:\n        if item % 3 == 1:\n            total += item * item\n"
    body += "    return total"
    other = "    return ''.join(sorted(a, key=lambda letter: (letter.lower(), a.count(letter)))).swapcase()"
    programs = [
        ("def f(a):\n" + body, "[1, 2]"),
        ("def f(b):\n" + body.replace("a:", "b:").replace("total", "s").replace("item", "x"), "[4, 5]"),
        ("def f(a):\n" + other, "'ab'"),
    ]
    drafts = [(Kind.DEDUCTION, Draft(program=program, inputs=(text,))) for program, text in programs]
    parts.store.add([task for task in verify(drafts, parts.kinds, parts.sandbox) if isinstance(task, Task)])
    near = {task.program: parts.store.nearest(task) for task in parts.store.everything()}
    assert near[programs[0][0]] > 0.9 > 0.5 > near[programs[2][0]]
    shares = {task.program: parts.store.cluster_share(task) for task in parts.store.everything()}
    assert shares[programs[0][0]] > shares[programs[2][0]]


def test_sources_come_from_the_kinds_that_bring_programs(make_parts: Make) -> None:
    parts = make_parts()
    parts.store.add(sums(parts, range(5), 0, Kind.ABDUCTION))
    kinds = {task.kind for task in parts.store.sources(6, generator(0, 1, "test"))}
    assert kinds <= {Kind.ABDUCTION, Kind.DEDUCTION} and len(parts.store.sources(6, generator(0, 1, "test"))) == 6


def test_tasks_that_do_the_same_are_one_where_behaviour_says_so(make_parts: Make) -> None:
    """The level was accepted and did nothing in training: tasks came to the buffer without their signatures."""
    programs = ["def f(x): return x + x", "def f(x): return 2 * x", "def f(x):\n    y = [x]\n    return y[0] * 2"]
    tasks = [
        Task(kind=Kind.DEDUCTION, program=program, inputs=("[1]",), outputs=(Value.of([1, 1]),)) for program in programs
    ]
    for level, new in (("exact", 3), ("canonical", 3), ("behaviour", 1)):
        store = make_parts(lambda prompt, draw: "", f'buffer.deduplicate="{level}"').store
        before = len(store.everything())
        assert store.add(tasks) == new
        assert len(store.everything()) == before + new
        store.close()


def test_a_store_by_behaviour_without_a_sandbox_is_refused() -> None:
    config = resolve({}, ['buffer.deduplicate="behaviour"'])
    with pytest.raises(RunError, match="behaviour"):
        TaskStore(TaskBuffer.in_memory(deduplicate="behaviour"), config)
