"""Several buffers as one: ids say whose a task is, and nothing else changes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from azr.buffer.client import Duplicate, Inserted, TaskBuffer
from azr.buffer.domains import BITS, KINDS_FILE, Shard, Shards, stored_names
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
            shards[name] = Shard(number, buffer, own)
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
    shards.exclude(first + 2)
    assert not {first, first + 2} & set(shards.uniform([PLAN], 9, 1).tolist()) and len(shards.uniform([BUY], 9, 1)) == 4
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


def test_a_domain_may_have_any_number_of_kinds(tmp_path: Path) -> None:
    kinds = [Kind(f"farm.kind{number}") for number in range(9)]
    with TaskBuffer.open(tmp_path) as buffer:
        shards = Shards({"farm": Shard(0, buffer, kinds)})
        shards.insert_many([task(kind, 1) for kind in kinds])
        assert [shards.count(kind) for kind in kinds] == [1] * 9
        assert buffer.kinds() == kinds, "under their own names"
        shards.checkpoint()
    with TaskBuffer.open(tmp_path) as buffer:
        assert [stored.kind for stored in Shards({"farm": Shard(0, buffer, kinds)}).get(range(9))] == kinds


def test_an_old_log_keeps_the_names_that_it_has_for_its_kinds_and_takes_new_kinds(tmp_path: Path) -> None:
    plan, price = Kind("farm.plan"), Kind("farm.price")
    with TaskBuffer.open(tmp_path) as buffer:
        buffer.insert(task(Kind.DEDUCTION, 1))
        buffer.commit()
    (tmp_path / KINDS_FILE).write_text('{"deduction": "farm.plan"}\n', "ascii")
    old = stored_names(tmp_path)
    assert old == {plan: Kind.DEDUCTION}
    with TaskBuffer.open(tmp_path) as buffer:
        shards = Shards({"farm": Shard(0, buffer, [plan, price], old)})
        found = shards.insert_many([task(plan, 1), task(price, 1)])
        assert found == [Duplicate("exact", 0), Inserted(1)]
        assert [stored.kind for stored in shards.get([0, 1])] == [plan, price]
        assert buffer.kinds() == [Kind.DEDUCTION, price]


def test_tasks_of_a_kind_that_the_domain_has_no_more_are_an_error_that_names_it(tmp_path: Path) -> None:
    with TaskBuffer.open(tmp_path) as buffer:
        buffer.insert(task(PLAN, 1))
        with pytest.raises(RunError, match=r"kinds that the domain does not have: farm\.plan"):
            Shard(0, buffer, [Kind("farm.price")])


@pytest.mark.parametrize("text", ["{", "[]", '{"deduction": "Not a kind"}'])
def test_an_old_logs_note_that_cannot_be_read_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / KINDS_FILE).write_text(text, "ascii")
    with pytest.raises(RunError, match=r"cannot read .*kinds\.json"):
        stored_names(tmp_path)
