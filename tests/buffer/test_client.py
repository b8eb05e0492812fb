"""The task buffer from Python: verdicts, batches, durability, threads. The crate has tests of its own promises."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from azr.buffer.client import Duplicate, Extras, Filter, Inserted, Solved, TaskBuffer, Unusable, canonical
from azr.errors import BufferError
from azr.types import Kind, Role, Task


def task(number: int, kind: Kind = Kind.DEDUCTION, **more: object) -> Task:
    fields: dict[str, object] = {
        "kind": kind, "program": f"def f(x):\n    # {number}\n    return x + {number}", "inputs": (f"{number}",),
        "outputs": (), "step": number // 10, "message": "adds \u00e9", "role": Role.PROPOSE, "references": (number,),
        "parents": (1, 2),
    }  # fmt: skip
    return Task(**(fields | more))  # type: ignore[arg-type]


def filled(count: int, **options: object) -> TaskBuffer:
    buffer = TaskBuffer.in_memory(**options)  # type: ignore[arg-type]
    assert buffer.insert_many([task(number) for number in range(count)]) == [Inserted(n) for n in range(count)]
    return buffer


def test_a_task_comes_back_as_it_went_in() -> None:
    buffer = TaskBuffer.in_memory()
    original = task(3, Kind.INDUCTION, inputs=("1", "[2, 3]"))
    assert buffer.insert(original, Extras(imports=("import math",), behaviour=2**127 + 5)) == Inserted(0)
    (back,) = buffer.get([0])
    assert back.id == 0
    assert {name: getattr(back, name) for name in Task.__slots__ if name != "id"} == {
        name: getattr(original, name) for name in Task.__slots__ if name != "id"
    }
    assert buffer.extras([0]) == [Extras(("import math",), 2**127 + 5)]


def test_each_level_rejects_what_it_names() -> None:
    renamed = task(1, program="def f(other): return other+1")
    for level, expected in [("exact", Inserted(1)), ("canonical", Duplicate("canonical", 0))]:
        buffer = TaskBuffer.in_memory(deduplicate=level)  # type: ignore[arg-type]
        assert buffer.insert(task(1)) == Inserted(0)
        assert buffer.insert(task(1)) == Duplicate("exact", 0)
        assert buffer.insert(renamed) == expected
        assert isinstance(buffer.insert(task(1, Kind.ABDUCTION)), Inserted)
    buffer = TaskBuffer.in_memory(deduplicate="behaviour")
    assert buffer.insert(task(1), Extras(behaviour=7)) == Inserted(0)
    alike = task(1, program="def f(x): return 1 + x")
    assert buffer.insert(alike, Extras(behaviour=7)) == Duplicate("behaviour", 0)
    assert buffer.insert(alike, Extras(behaviour=8)) == Inserted(1)


def test_a_program_that_does_not_parse_is_unusable_not_an_exception() -> None:
    buffer = TaskBuffer.in_memory()
    verdicts = buffer.insert_many([task(1), task(2, program="def f(:"), task(3), task(4, inputs=("1) + (2",))])
    assert [type(verdict) for verdict in verdicts] == [Inserted, Unusable, Inserted, Unusable]
    with pytest.raises(ValueError, match="does not parse"):
        buffer.insert(task(2, program="def f(:"))
    with pytest.raises(ValueError, match="nests deeper"):
        canonical("(" * 100_000)


def test_batches_are_distinct_complete_and_repeatable() -> None:
    buffer = filled(100)
    draws: list[Callable[[int, int], np.ndarray]] = [
        lambda count, seed: buffer.uniform([], count, seed),
        lambda count, seed: buffer.max_new([Kind.DEDUCTION], count, seed, since=9),
        lambda count, seed: buffer.half_new([Kind.DEDUCTION], count, seed, since=9),
        lambda count, seed: buffer.weighted([Kind.DEDUCTION], count, seed),
        lambda count, seed: buffer.prioritised([Kind.DEDUCTION], count, seed),
        lambda count, seed: buffer.in_band([Kind.DEDUCTION], count, seed, low=0.2, high=0.4),
    ]
    for draw in draws:
        batch = draw(30, 5)
        assert batch.dtype == np.int64
        assert len(set(batch.tolist())) == 30
        assert (draw(30, 5) == batch).all()
        assert sorted(draw(1000, 1).tolist()) == list(range(100))
    assert set(buffer.max_new([], 20, 3, since=9)[:10].tolist()) == set(range(90, 100))
    assert 7 not in buffer.uniform([], 99, 1, exclude=[7])
    assert len(buffer.uniform([Kind.ABDUCTION], 5, 1)) == 0


def test_the_same_seed_gives_the_same_batch_in_every_version() -> None:
    assert filled(100).uniform([], 8, 42).tolist() == [34, 28, 49, 36, 82, 6, 48, 26]


def test_the_newest_are_served_and_the_rest_can_be_read() -> None:
    buffer = filled(100, cap=10)
    assert sorted(buffer.uniform([], 50, 1).tolist()) == list(range(90, 100))
    assert (buffer.count(Kind.DEDUCTION), buffer.stored(Kind.DEDUCTION)) == (10, 100)
    assert not buffer.state(3).servable
    assert buffer.get([3])[0].program == task(3).program
    assert filled(100, cap=10, eviction="none").count(Kind.DEDUCTION) == 100
    assert filled(100, cap=10, eviction="reservoir").count(Kind.DEDUCTION) == 10


def test_what_happens_to_a_task_is_kept() -> None:
    buffer = filled(5)
    buffer.record_solve_rate(2, 0.625, step=3)
    buffer.record_solve_rate(2, 0.5, step=4, attempts=8)
    buffer.mark_served(np.array([2, 2, 1]))
    buffer.quarantine(1)
    state = buffer.state(2)
    assert state.history == (Solved(3, 5, 8), Solved(4, 4, 8))
    assert (state.served, state.quarantined, state.excluded, state.servable) == (2, False, False, True)
    assert buffer.solve_rates([2, 3]) == [0.5, None]
    assert buffer.count(Kind.DEDUCTION) == 4
    assert 1 not in buffer.uniform([], 5, 1)
    buffer.quarantine(1, held=False)
    assert buffer.count(Kind.DEDUCTION) == 5


def test_who_releases_a_task_does_not_undo_its_exclusion() -> None:
    buffer = filled(5)
    buffer.exclude(1)
    buffer.quarantine(1)
    buffer.quarantine(1, held=False)
    state = buffer.state(1)
    assert (state.quarantined, state.excluded) == (False, True)
    assert buffer.count(Kind.DEDUCTION) == 4 and 1 not in buffer.uniform([], 5, 1)


def test_ids_can_be_filtered() -> None:
    buffer = filled(50)
    buffer.insert(task(999, Kind.ABDUCTION))
    for number in range(10):
        buffer.record_solve_rate(number, number / 10, step=1)
    assert buffer.ids().tolist() == list(range(51))
    assert buffer.ids(Kind.ABDUCTION).tolist() == [50]
    assert buffer.ids(where=Filter(first_step=2, last_step=3)).tolist() == list(range(20, 40))
    assert buffer.ids(where=Filter(low=0.3, high=0.5, unknown=False)).tolist() == [3, 4, 5]


def test_neighbours_follow_the_program_not_its_names() -> None:
    buffer = TaskBuffer.in_memory()
    body = "\n".join(f"    y{k} = x * {k} + y{k - 1}" for k in range(1, 12))
    buffer.insert(task(0, program=f"def f(x, y0=0):\n{body}\n    return y11"))
    buffer.insert(task(1, program="def f(s):\n    return ''.join(c for c in s if c.isalpha()).upper()[::-1]"))
    renamed = f"def f(x, y0=0):\n{body}\n    return y11".replace("y", "value")
    near, far, broken = buffer.neighbours([renamed, "def f(a): return {k: v for k, v in a.items()}", "def f(:"])
    assert near is not None and (near.id, near.share) == (0, 0.5) and near.similarity > 0.99
    assert far is not None and far.similarity < 0.3
    assert broken is None
    assert buffer.nearest(0).similarity < 0.3
    assert buffer.cluster_share(0) == 0.0


def test_a_checkpoint_is_restored_exactly_and_later_tasks_are_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "buffer"
    with TaskBuffer.open(folder, position=0) as buffer:
        buffer.insert_many([task(number) for number in range(20)])
        buffer.record_solve_rate(3, 0.5, step=1)
        position = buffer.checkpoint()
        batch = buffer.uniform([], 8, 1).tolist()
        buffer.insert_many([task(number) for number in range(20, 30)])
        buffer.record_solve_rate(3, 1.0, step=2)
        buffer.commit()
    assert position == int(str(position))
    with TaskBuffer.open(folder, position=position) as buffer:
        assert len(buffer) == 20
        assert buffer.solve_rates([3]) == [0.5]
        assert buffer.uniform([], 8, 1).tolist() == batch
        assert buffer.opened is not None and len(buffer.opened.set_aside) == 1
        assert buffer.insert(task(25)) == Inserted(20)
    with TaskBuffer.open(folder, position=0) as buffer:
        assert len(buffer) == 0


def test_the_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    with TaskBuffer.open(tmp_path) as buffer:
        buffer.insert(task(1))
        buffer.commit()
        code = "import pathlib, sys, azr.buffer.client; azr.buffer.client.TaskBuffer.open(pathlib.Path(sys.argv[1]))"
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert f"in use by process {os.getpid()}" in done.stderr
        with TaskBuffer.open(tmp_path, access="read") as reader:
            assert len(reader) == 1
            with pytest.raises(BufferError, match="read-only") as caught:
                reader.insert(task(2))
            assert caught.value.code == "read_only"


def test_a_forked_child_cannot_write_beside_its_parent(tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from azr.buffer.client import TaskBuffer
from azr.errors import BufferError
from azr.types import Kind, Task
def task(n): return Task(kind=Kind.DEDUCTION, program=f"def f(x): return {n}", inputs=("1",), outputs=())
buffer = TaskBuffer.open(Path(sys.argv[1]), group_commit=(1000, 1000.0))
buffer.insert(task(1))
if os.fork() == 0:
    buffer.insert(task(2))
    try: buffer.commit()
    except BufferError as error: os._exit(0 if error.code == "forked" else 1)
    os._exit(2)
assert os.wait()[1] == 0
buffer.insert(task(3))
buffer.commit()
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], check=True)
    with TaskBuffer.open(tmp_path) as buffer:
        assert [row[1] for row in buffer.rows(buffer.ids())] == ["def f(x): return 1", "def f(x): return 3"]


def test_a_damaged_log_is_an_error_with_its_offset_until_it_is_salvaged(tmp_path: Path) -> None:
    with TaskBuffer.open(tmp_path) as buffer:
        buffer.insert_many([task(number) for number in range(10)])
        buffer.commit()
    (segment,) = tmp_path.glob("segment-*")
    whole = bytearray(segment.read_bytes())
    whole[len(whole) // 2] ^= 1
    segment.write_bytes(bytes(whole))
    with pytest.raises(BufferError, match="damaged at byte") as caught:
        TaskBuffer.open(tmp_path)
    assert caught.value.code == "damaged"
    assert segment.read_bytes() == bytes(whole)
    with TaskBuffer.open(tmp_path, salvage=True) as buffer:
        assert 0 < len(buffer) < 10
        assert buffer.opened is not None and buffer.opened.cut is not None
        assert buffer.get([len(buffer) - 1])[0].program == task(len(buffer) - 1).program


def test_compaction_drops_evicted_tasks_and_voids_older_positions(tmp_path: Path) -> None:
    with TaskBuffer.open(tmp_path, cap=5) as buffer:
        buffer.insert_many([task(number) for number in range(50)])
        before = buffer.checkpoint()
        buffer.compact()
    with TaskBuffer.open(tmp_path, cap=5) as buffer:
        assert buffer.ids().tolist() == list(range(45, 50))
        with pytest.raises(BufferError) as missing:
            buffer.get([3])
        assert missing.value.code == "no_such_task"
    with pytest.raises(BufferError) as void:
        TaskBuffer.open(tmp_path, cap=5, position=before)
    assert void.value.code == "no_such_position"


def test_python_threads_lose_nothing_and_add_nothing_twice() -> None:
    buffer = TaskBuffer.in_memory()
    found: list[list[object]] = [[] for _ in range(8)]

    def work(index: int) -> None:
        for start in range(0, 200, 20):
            found[index] += buffer.insert_many(
                [task(n) for n in range(index // 2 * 200 + start, index // 2 * 200 + start + 20)]
            )
            buffer.uniform([], 16, start)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdicts = [verdict for part in found for verdict in part]
    assert sorted(v.id for v in verdicts if isinstance(v, Inserted)) == list(range(800))
    assert sum(isinstance(v, Duplicate) for v in verdicts) == 800


def test_a_closed_buffer_says_so() -> None:
    buffer = filled(1)
    buffer.close()
    with pytest.raises(ValueError, match="closed"):
        len(buffer)


def test_canonical_forms_are_equal_for_programs_that_differ_in_names_only() -> None:
    assert canonical("def f(a): return a # x", ["1,2"]) == canonical("def f(b):\n  return b", ["1, 2"])
    assert canonical("def f(a): return locals()") != canonical("def f(b): return locals()")
