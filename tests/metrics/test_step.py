"""Numbers of a step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from azr.distributed.ranks import Ranks
from azr.metrics.reductions import Max
from azr.metrics.step import StepReport, measure
from azr.trainer.policy import UpdateStats
from azr.types import (
    Attempt,
    Batch,
    Completion,
    Draft,
    Episode,
    Kind,
    Prompt,
    Proposal,
    Reason,
    Rejected,
    Role,
    Task,
    Valid,
)

TASK = Task(kind=Kind.DEDUCTION, program="def f(a):\n    return -a", inputs=("1",), outputs=(), id=4)


def completion(role: Role, length: int = 3) -> Completion:
    prompt = Prompt(
        role=role, kind=Kind.DEDUCTION, text="", token_ids=(1, 2), task=TASK if role is Role.SOLVE else None
    )
    return Completion(prompt=prompt, text="", token_ids=(1,) * length, log_probs=(0.0,) * length, finished=length < 5)


def report() -> StepReport:
    draft = Draft(program=TASK.program, inputs=("1",))
    proposals = [Proposal(completion=completion(Role.PROPOSE), draft=draft, formatted=True) for _ in range(4)]

    def attempt(score: float, reason: str) -> Attempt:
        return Attempt(completion=completion(Role.SOLVE), text="1", formatted=True, score=score, reason=reason)

    half = (attempt(1.0, "correct"), attempt(0.0, "wrong"))
    none = (attempt(0.0, "wrong"), attempt(0.0, "no_answer"))
    verdicts = [
        Valid(proposal=proposals[0], task=TASK, trials=half),
        Valid(proposal=proposals[1], task=TASK, duplicate_of=4, trials=none),
        Rejected(proposal=proposals[2], reason=Reason.RAISED),
        Rejected(proposal=proposals[3], reason=Reason.RAISED),
    ]

    episodes = [Episode(completion=completion(Role.SOLVE, length), reward=float(length)) for length in (2, 3, 5)]
    zeros = np.zeros(3)
    stats = UpdateStats(
        loss=0.5, grad_norm=1.0, lr=1e-6, kl=0.0, clip_share=0.0, mismatch_mean=0.1, mismatch_max=0.2,
        entropy=np.array([1.0, 2.0, 3.0]), tokens=10,
    )  # fmt: skip
    return StepReport(
        step=1,
        verdicts=verdicts,
        answers=[[attempt(1.0, "correct")], [attempt(0.0, "no_answer")]],
        batch=Batch(episodes=tuple(episodes), advantages=zeros, weights=zeros),
        stats=stats,
        seconds={"propose": 1.0, "solve": 2.0},
        stored={Kind.DEDUCTION: 17},
    )


def test_numbers_of_a_step() -> None:
    found = measure(report())
    expected = {
        "validate/propose/deduction/count": 4,
        "validate/propose/deduction/valid": 2,
        "validate/propose/deduction/valid_rate": 0.5,
        "validate/propose/deduction/duplicates": 1,
        "validate/propose/deduction/rejected/raised": 2,
        "validate/propose/deduction/program_lines": 2,
        "validate/propose/deduction/operations": 1,
        "validate/propose/deduction/operations_max": 1,
        "solve/propose/deduction/solve_rate": 0.25,
        "solve/propose/deduction/unsolved_share": 0.5,
        "solve/propose/deduction/learnable_share": 0.5,
        "solve/solve/deduction/score": 0.5,
        "solve/solve/deduction/reason/no_answer": 1,
        "update/solve/deduction/reward": 10 / 3,
        "update/solve/deduction/length_max": 5,
        "update/solve/deduction/truncated_share": 1 / 3,
        "update/solve/deduction/entropy": 2.0,
        "update/mismatch_max": 0.2,
        "buffer/deduction/stored": 17,
        "seconds/step": 3.0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert found["memory/peak_bytes"] > 1e6
    assert not any(name.startswith("update/propose/") for name in found)


class Beside(Ranks):
    """Two ranks that measure this process, the other of which took longer and has more memory."""

    world = 2
    exchanges = 0

    def gather(self, value: Any) -> list[Any]:
        self.exchanges += 1
        slower = {name: Max(2.0 * metric.value) for name, metric in value.items()}
        return [value, slower]


def test_what_a_rank_measures_of_itself_is_taken_of_all_and_what_all_know_counts_once() -> None:
    ranks = Beside()
    engine = {"restarts": 3.0}
    found, alone = measure(replace(report(), engine=engine), ranks), measure(replace(report(), engine=engine))
    own = {"seconds/propose", "seconds/solve", "seconds/step", "rollout/restarts"}
    assert {name: found[name] for name in own} == {name: 2.0 * alone[name] for name in own}
    memory = {name for name in alone if name.startswith("memory/")}
    assert memory and all(found[name] > 1.5 * alone[name] for name in memory)
    assert {name: found[name] for name in set(alone) - own - memory} == {
        name: alone[name] for name in set(alone) - own - memory
    }
    assert found.keys() == alone.keys() and ranks.exchanges == 1
