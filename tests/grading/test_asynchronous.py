"""The grader for event loops: verdicts as `Grader` gives them, in few calls, whoever asks and gives up."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from azr.errors import SandboxError
from azr.grading import AsyncGrader, Grader, dump_task
from azr.types import Answer, Kind, Task


@pytest.fixture
def counted(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the batches that reach the sandbox."""
    sizes: list[int] = []
    original = grader.verdicts

    def verdicts(items: Any) -> list[Answer]:
        sizes.append(len(items))
        return original(items)

    monkeypatch.setattr(grader, "verdicts", verdicts)
    return sizes


@pytest.fixture
def held(grader: Grader, monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Grading waits: one event says that it began, the other one lets it go on."""
    entered, leave = threading.Event(), threading.Event()
    original = grader.verdicts

    def slow(items: Any) -> list[Answer]:
        entered.set()
        leave.wait()
        return original(items)

    monkeypatch.setattr(grader, "verdicts", slow)
    return entered, leave


def test_verdicts_are_those_of_the_grader(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    items = [(task, right[task.kind]) for task in tasks] + [(dump_task(tasks[0]), "nothing"), ("no task", "x")]
    found = asyncio.run(AsyncGrader(grader).grade(items))
    assert found == grader.verdicts(items)
    assert [answer.score for answer in found[:-1]] == [1.0] * len(tasks) + [0.0]
    assert found[-1].failed and not found[-2].failed


def test_many_callers_cost_few_calls(
    grader: Grader, tasks: list[Task], right: dict[Kind, str], counted: list[int]
) -> None:
    both = AsyncGrader(grader)

    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(*[both.answer(tasks[0], right[tasks[0].kind]) for _ in range(200)])

    assert [answer.score for answer in asyncio.run(all_at_once())] == [1.0] * 200
    assert counted == [200]


def test_what_comes_while_a_batch_is_graded_is_the_next_batch(
    grader: Grader, tasks: list[Task], counted: list[int], held: tuple[threading.Event, threading.Event]
) -> None:
    entered, leave = held
    both = AsyncGrader(grader)

    async def run() -> None:
        first = asyncio.create_task(both.answer(tasks[0], "a"))
        await asyncio.to_thread(entered.wait)
        others = [asyncio.create_task(both.answer(tasks[0], "b")) for _ in range(5)]
        await asyncio.sleep(0)
        leave.set()
        await asyncio.gather(first, *others)

    asyncio.run(run())
    assert counted == [1, 5]


def test_a_caller_that_gives_up_takes_no_verdict_of_another_away(grader: Grader, tasks: list[Task]) -> None:
    both = AsyncGrader(grader)

    async def run() -> Answer:
        gone = asyncio.create_task(both.answer(tasks[0], "a"))
        stays = asyncio.create_task(both.answer(tasks[0], "b"))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(run()).reason == "no_answer"


def test_whoever_still_waits_is_answered_after_other_tasks_were_cancelled(
    grader: Grader, tasks: list[Task], right: dict[Kind, str], held: tuple[threading.Event, threading.Event]
) -> None:
    """A loop that cancels all tasks but its own cancels the one that grades, too."""
    entered, leave = held
    both = AsyncGrader(grader)

    async def run() -> list[Answer]:
        first = asyncio.create_task(both.answer(tasks[0], right[tasks[0].kind]))
        await asyncio.to_thread(entered.wait)
        second = asyncio.create_task(both.answer(tasks[0], "nothing"))
        await asyncio.sleep(0)
        gone = asyncio.all_tasks() - {asyncio.current_task(), first, second}
        for task in gone:
            task.cancel()
        await asyncio.wait(gone)
        leave.set()
        for _ in range(100):  # what waits for nobody is known after a few turns of the loop
            await asyncio.sleep(0)
        assert first.done() or asyncio.all_tasks() - {asyncio.current_task(), first, second}, "nobody grades"
        return [await first, await second]

    assert [answer.score for answer in asyncio.run(run())] == [1.0, 0.0]


def test_a_grader_that_loses_a_verdict_is_an_error_of_those_without_one(
    grader: Grader, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = grader.verdicts
    monkeypatch.setattr(grader, "verdicts", lambda items: original(items)[:-1])
    with pytest.raises(ValueError, match="shorter"):
        asyncio.run(AsyncGrader(grader).grade([(tasks[0], "a"), (tasks[0], "b")]))


def test_an_unusable_sandbox_is_an_error_of_every_caller(
    grader: Grader, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(items: Any) -> list[Answer]:
        raise SandboxError("forked", "forked")

    monkeypatch.setattr(grader, "verdicts", broken)
    both = AsyncGrader(grader)

    async def run() -> list[Any]:
        return await asyncio.gather(*[both.answer(tasks[0], "a") for _ in range(3)], return_exceptions=True)

    assert [type(found) for found in asyncio.run(run())] == [SandboxError] * 3


def test_several_event_loops_share_one(grader: Grader, tasks: list[Task], right: dict[Kind, str]) -> None:
    both = AsyncGrader(grader)
    found: list[float] = []

    def run() -> None:
        found.append(asyncio.run(both.answer(tasks[0], right[tasks[0].kind])).score)

    threads: list[threading.Thread] = [threading.Thread(target=run) for _ in range(8)]
    start: Callable[[threading.Thread], None] = threading.Thread.start
    for thread in threads:
        start(thread)
    for thread in threads:
        thread.join()
    assert found == [1.0] * 8


def test_nothing_to_grade_is_nothing(grader: Grader) -> None:
    assert asyncio.run(AsyncGrader(grader).grade([])) == []


@pytest.mark.parametrize("item", [(None, "x"), ("{}", None), ("{}", b"x"), (5, 5)])
def test_an_item_of_other_types_fails_its_row_alone(
    grader: Grader, tasks: list[Task], right: dict[Kind, str], item: tuple[Any, Any]
) -> None:
    found = asyncio.run(AsyncGrader(grader).grade([item, (tasks[0], right[tasks[0].kind])]))
    assert found[0].failed and "a task and a text are wanted" in found[0].error and found[1].score == 1.0
