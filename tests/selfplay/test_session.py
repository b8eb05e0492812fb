"""Self-play around somebody else's model: what it asks, what it takes, and that it pays what azr's trainer pays."""

import threading
from pathlib import Path

import pytest
from azr.collection.task_file import Row, TaskFile
from azr.errors import ConfigError
from azr.grading import Grader
from azr.selfplay.session import Made, Session
from azr.types import Kind
from endpoint import scripted

SMALL = ["tasks.inputs=4"]


def propose(session: Session, seed: int, kind: str = "deduction") -> Made:
    asked = session.propose(kind)
    return session.submit(asked, scripted(asked.messages[0]["content"], seed))


def answers(made: Made, *right: bool) -> list[str]:
    """Answers of the scripted model, which is wrong at seeds that are multiples of three."""
    return [scripted(made.solve[0]["content"], 1 if good else 3) for good in right]


@pytest.mark.parametrize("kind", ["deduction", "abduction", "induction"])
def test_a_proposal_becomes_a_task_and_both_are_paid(kind: str) -> None:
    with Session(overrides=SMALL) as session:
        made = propose(session, 5, kind)
        assert made.task is not None and made.task.id is not None and made.reason == ""
        tried = session.attempt(made.task, answers(made, True, True, True, False))
        paid = session.settle(made, tried)
        assert (paid.solve_rate, paid.proposal, paid.attempts) == (0.75, 0.25, [1.0, 1.0, 1.0, -0.5])
        # What graders take is the same task.
        (verdict,) = Grader().grade([(made.text, answers(made, True)[0])])
        assert verdict.score == 1.0


@pytest.mark.parametrize(("right", "reward"), [((True, True), -0.5), ((False, False), -0.5), ((True, False), 0.5)])
def test_tasks_that_are_always_or_never_solved_earn_the_extreme(right: tuple[bool, ...], reward: float) -> None:
    with Session(overrides=SMALL) as session:
        made = propose(session, 5)
        assert made.task is not None
        assert session.settle(made, session.attempt(made.task, answers(made, *right))).proposal == reward


def test_what_is_no_task_costs_the_proposer() -> None:
    with Session(overrides=SMALL) as session:
        for text, reason in (
            ("no", "unparseable"),
            ("<answer>\n```python\ndef f(a):\n    return 1 / 0\n```\n```input\n1\n```\n</answer>", "raised"),
        ):
            made = session.submit(session.propose("deduction"), text)
            assert (made.task, made.solve, made.text, made.reason) == (None, [], "", reason)
            paid = session.settle(made, [])
            assert (paid.proposal, paid.attempts, paid.solve_rate) == (-1.0, [], None)


def test_the_config_s_rewards_are_paid() -> None:
    with Session(overrides=[*SMALL, "reward.proposer.extremes=0.0", "reward.solver.name=addition"]) as session:
        made = propose(session, 5)
        assert made.task is not None
        paid = session.settle(made, session.attempt(made.task, answers(made, True)))
        assert paid.proposal == 0.0 and paid.attempts[0] not in (None, -0.5)


def test_kinds_take_turns_and_earlier_tasks_are_shown() -> None:
    with Session(overrides=SMALL) as session:
        kinds = [session.propose().kind for _ in range(6)]
        assert set(kinds) == set(session.kinds) and kinds[:3] == kinds[3:]
        assert "return a + 41" not in session.propose("deduction").messages[0]["content"]
        propose(session, 41)
        assert "return a + 41" in session.propose("deduction").messages[0]["content"]
        with pytest.raises(ConfigError, match="cooking is no kind of this session, which has abduction"):
            session.propose("cooking")


def test_a_duplicate_is_the_stored_task() -> None:
    with Session(overrides=SMALL) as session:
        first, second = propose(session, 5), propose(session, 5)
        assert first.task is not None and second.task is not None and first.task.id == second.task.id
        assert sum(task.program == first.task.program for task in session.tasks()) == 1


def test_a_buffer_in_a_folder_is_there_the_next_time(tmp_path: Path) -> None:
    with Session(overrides=SMALL, buffer=tmp_path / "buffer") as session:
        made = propose(session, 5)
    with Session(overrides=SMALL, buffer=tmp_path / "buffer") as session:
        assert made.task is not None and made.task.program in {task.program for task in session.tasks()}


def test_a_file_of_tasks_seeds_it(tmp_path: Path) -> None:
    file = TaskFile(tmp_path / "tasks.jsonl")
    file.append(
        [
            Row(kind="deduction", program="def f(a):\n    return a * 77", inputs=["2"], outputs=["154"], message="",
                attempts=1, solve_rate=1.0, step=1, model="m", azr="0")
        ]
    )  # fmt: skip
    file.close()
    with Session(overrides=SMALL, seeds=file.path) as session:
        assert "a * 77" in session.propose("deduction").messages[0]["content"]


def test_threads_share_it() -> None:
    with Session(overrides=SMALL) as session:
        found: list[float | None] = []

        def play(seed: int) -> None:
            made = propose(session, seed)
            assert made.task is not None
            found.append(session.settle(made, session.attempt(made.task, answers(made, True, False))).proposal)

        threads = [threading.Thread(target=play, args=(seed,)) for seed in range(1, 33)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [0.5] * 32
        assert sum(task.kind is Kind.DEDUCTION for task in session.tasks()) == 33
