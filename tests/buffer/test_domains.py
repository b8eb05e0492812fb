"""Several buffers as one: ids say whose a task is, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from azr.buffer.client import Duplicate, Inserted, TaskBuffer
from azr.buffer.domains import BITS, Shard, Shards, note_slots, slots_of
from azr.errors import RunError
from azr.types import Kind, Task

PLAN, BUY = Kind("farm.plan"), Kind("shop.deduction")


def task(kind: Kind, number: int, step: int = 0) -> Task:
    return Task(kind=kind, program=f"def f(a):\n    return a + {number}", inputs=("1",), outputs=(), step=step)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Shards]:
    def open_all(positions: dict[str, int] | None = None) -> Shards:
        kinds = {"": tuple(Kind), "shop": (BUY,), "farm": (PLAN,)}
        shards = {}
        for number, (name, own) in enumerate(kinds.items()):
            at = None if positions is None else positions[name]
            buffer = TaskBuffer.open(tmp_path / (name or "plain"), position=at)
            shards[name] = Shard(number, buffer, slots_of(own))
        return Shards(shards)

    return open_all


def test_order_kinds_and_ids_are_kept(make: Callable[..., Shards]) -> None:
    shards = make()
    given = [task(PLAN, 1), task(Kind.DEDUCTION, 1), task(BUY, 1), task(PLAN, 2), task(PLAN, 1)]
    found = shards.insert_many(given)
    ids = [verdict.id for verdict in found[:4] if isinstance(verdict, Inserted)]
    assert ids == [2 << BITS, 0, 1 << BITS, (2 << BITS) + 1]
    assert found[4] == Duplicate("exact", 2 << BITS)
    assert [(t.kind, t.id) for t in shards.get(reversed(ids))] == [
        (t.kind, i) for t, i in zip(reversed(given[:4]), reversed(ids), strict=True)
    ]
    assert shards.count(PLAN) == 2 and list(shards.ids(PLAN)) == [ids[0], ids[3]]


def test_the_same_program_in_two_domains_is_two_tasks(make: Callable[..., Shards]) -> None:
    found = make().insert_many([task(BUY, 1), task(Kind.DEDUCTION, 1), task(PLAN, 1)])
    assert all(isinstance(verdict, Inserted) for verdict in found)


def test_what_is_noted_of_a_task_is_noted_in_its_domain(make: Callable[..., Shards]) -> None:
    shards = make()
    shards.insert_many([task(PLAN, n) for n in range(4)] + [task(BUY, n) for n in range(4)])
    first = 2 << BITS
    shards.record_solve_rate(first, 0.5, 1, attempts=4)
    shards.mark_served([first, 1 << BITS])
    shards.quarantine(first)
    assert first not in shards.uniform([PLAN], 9, 1) and len(shards.uniform([BUY], 9, 1)) == 4
    assert shards.nearest(first).id == first + 1 or shards.nearest(first).id is not None
    assert 0.0 <= shards.cluster_share(first) <= 1.0


def test_draws_are_a_domains_own_and_the_same_for_a_seed(make: Callable[..., Shards]) -> None:
    shards = make()
    shards.insert_many([task(PLAN, n, step=n % 3) for n in range(9)] + [task(Kind.DEDUCTION, n) for n in range(9)])
    for draw in (shards.uniform, shards.weighted):
        assert np.array_equal(draw([PLAN], 5, 7), draw([PLAN], 5, 7))
        assert {t.kind for t in shards.get(draw([PLAN], 5, 7))} == {PLAN}
    assert {t.step for t in shards.get(shards.max_new([PLAN], 3, 7, since=2))} == {2}
    assert len(shards.half_new([PLAN], 4, 7, since=2)) == 4


def test_every_domain_goes_back_to_its_position(make: Callable[..., Shards]) -> None:
    shards = make()
    shards.insert_many([task(PLAN, 1), task(BUY, 1)])
    at = shards.checkpoint()
    shards.insert_many([task(PLAN, 2), task(Kind.DEDUCTION, 2)])
    shards.checkpoint()
    shards.close()
    again = make(at)
    assert (again.count(PLAN), again.count(BUY), again.count(Kind.DEDUCTION)) == (1, 1, 0)


def test_a_kind_has_the_same_name_in_the_buffer_every_time(tmp_path: Path) -> None:
    kinds = [Kind("farm.deduction"), Kind("farm.plan"), Kind("farm.price")]
    slots = slots_of(kinds)
    assert slots[kinds[0]] is Kind.DEDUCTION and len(set(slots.values())) == 3
    note_slots(tmp_path, slots)
    note_slots(tmp_path, slots)
    with pytest.raises(RunError, match="tasks of other kinds"):
        note_slots(tmp_path, slots_of([kinds[2], kinds[1]]))
