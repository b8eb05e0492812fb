"""The whole loop, without a model: exact numbers, nothing lost, the same seed the same run."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from azr.config import Config, resolve
from azr.errors import RunError
from azr.metrics.step import Numbers, StepReport
from azr.oversight.traces import TraceReader
from azr.run.events import Quiet
from azr.run.folder import TRACES
from azr.run.train import Result, start_run
from azr.types import Kind, Prompt, Rejected, Valid

SMALL = [
    "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=4", "solve.batch=4",
    "solve.trials=4", "seeding.factor=2", "run.steps=3", "run.save_every=1",
]  # fmt: skip


def config(folder: Path, *overrides: str) -> Config:
    return resolve({}, [*SMALL, f"run.folder={folder}", *overrides])


class Watcher(Quiet):
    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.numbers: list[Numbers] = []
        self.phases: list[str] = []

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.reports.append(report)
        self.numbers.append(numbers)


def run(folder: Path, *overrides: str) -> tuple[Result, Watcher]:
    watcher = Watcher()
    return start_run(config(folder, *overrides), watcher, lambda: False), watcher


def rows(folder: Path, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def timeless(found: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return [{k: v for k, v in row.items() if not k.startswith(("seconds/", "memory/"))} for row in found]


def test_the_stages_run_in_order(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "run", "run.steps=1")
    begin = watcher.phases.index("propose")
    stages = ["propose", "rollout", "validate", "buffer", "solve", "rollout", "solve", "rollout", "oversee",
              "reward", "oversee", "update", "load"]  # fmt: skip
    assert watcher.phases[begin : begin + len(stages)] == stages


def test_a_step_has_six_batches_and_every_proposal_is_accounted_for(tmp_path: Path) -> None:
    result, watcher = run(tmp_path / "run")
    assert result.complete and result.step == 3
    for report, numbers in zip(watcher.reports, watcher.numbers, strict=True):
        assert len(report.batch.episodes) == 24
        for kind in report.stored:
            counted = sum(v for k, v in numbers.items() if k.startswith(f"validate/propose/{kind}/rejected/"))
            assert numbers[f"validate/propose/{kind}/count"] == 4 == counted + numbers[f"validate/propose/{kind}/valid"]
            answered = sum(v for k, v in numbers.items() if k.startswith(f"solve/solve/{kind}/reason/"))
            assert answered == numbers[f"solve/solve/{kind}/count"] == 4


def test_exact_numbers_of_the_demo(tmp_path: Path) -> None:
    """One in three answers is wrong: of four attempts at a task, one or two are."""
    _, watcher = run(tmp_path / "run")
    for report in watcher.reports:
        rates = {sum(a.score for a in row) / len(row) for row in report.trials}
        assert rates <= {0.5, 0.75}
        for verdict, episode in zip(report.verdicts, report.batch.episodes, strict=False):
            assert isinstance(verdict, Valid) and episode.reward in (0.5, 0.25)


def test_with_lag_the_solver_meets_new_tasks_a_step_later(tmp_path: Path) -> None:
    _, lagging = run(tmp_path / "lag")
    for report in lagging.reports:
        assert max(row[0].task.step for row in report.answers) == report.step - 1
    _, prompt = run(tmp_path / "same", "solve.lag=false")
    for report in prompt.reports:
        fresh = {v.task.id for v in report.verdicts if isinstance(v, Valid) and v.duplicate_of is None}
        assert fresh <= {row[0].task.id for row in report.answers}


def test_the_same_seed_gives_the_same_run(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tmp_path / name)
    run(tmp_path / "c", "seed=1")
    a, b, c = (timeless(rows(tmp_path / name, "metrics.jsonl")) for name in "abc")
    assert a == b
    traces = [list(TraceReader(tmp_path / name / TRACES)) for name in "abc"]
    assert traces[0] == traces[1] != traces[2] and len(c) == len(a)


def half_valid(prompt: Prompt, draw: int) -> str:
    from azr.rollouts.demo import answer

    return "nothing" if prompt.role == "propose" and draw % 2 else answer(prompt, draw)


def test_rejected_proposals_are_trained_on_and_not_stored(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "run", f"engine.script={__name__}:half_valid")
    for report in watcher.reports:
        rejected = [verdict for verdict in report.verdicts if isinstance(verdict, Rejected)]
        assert rejected and sum(e.reward == -1.0 for e in report.batch.episodes) >= len(rejected)
        assert len(report.trials) == len(report.verdicts) - len(rejected)


def silent(prompt: Prompt, draw: int) -> str:
    return "nothing"


def test_a_model_that_proposes_nothing_valid_is_told_so_and_does_not_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("azr.run.seed.MAX_PASSES", 3)
    settings = (f"engine.script={__name__}:silent", "seeding.least_readable=0")
    with pytest.raises(
        RunError, match=r"seeding abduction: 1 of 8 after 12 proposals, of which 0 were valid .*unparse"
    ):
        run(tmp_path / "run", *settings)


@pytest.mark.parametrize("kinds", ['["deduction"]', '["induction"]', '["abduction", "deduction"]', '["error"]'])
def test_any_choice_of_kinds_runs(tmp_path: Path, kinds: str) -> None:
    _, watcher = run(tmp_path / "run", f"tasks.kinds={kinds}")
    assert {e.kind for e in watcher.reports[-1].batch.episodes} == {Kind(k) for k in json.loads(kinds)}


@pytest.mark.parametrize(
    "setting",
    [
        "solve.mix=uniform", "solve.mix=half_new", "solve.mix=step", "propose.train=false", "propose.references=0",
        "solve.train_on_trials=true", "solve.answers=3", "train.advantage=rloo",
        "train.advantage=hierarchical", "reward.proposer.name=learnability", "reward.solver.name=random",
        "reward.proposer.duplicates=reject", "buffer.serve=non_one",
        "buffer.serve=non_extremes", "tasks.composite.at_most=2", "train.loss.aggregation=sequence_mean",
        'reward.proposer.terms=[{name="novelty"}, {name="cluster_share", coefficient=-1.0}, {name="halstead"}]',
    ],
)  # fmt: skip
def test_every_switch_of_the_algorithm_runs(tmp_path: Path, setting: str) -> None:
    extra = ["solve.answers=2"] if "rloo" in setting else []
    result, watcher = run(tmp_path / "run", setting, *extra)
    assert result.complete
    assert all(row[0].task.kind for report in watcher.reports for row in report.answers)


def test_the_probe_scores_held_out_tasks_before_and_after(tmp_path: Path) -> None:
    tasks = tmp_path / "heldout.jsonl"
    lines = [
        {"kind": kind, "program": f"def f(a):\n    return a - {n}", "inputs": ["5"]}
        for n in range(6)
        for kind in ("deduction", "abduction")
    ]
    tasks.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    result, _ = run(tmp_path / "run", f"evals.tasks={tasks}", "evals.samples=3", "evals.every=2")
    # Of three draws in a row exactly one is wrong.
    assert result.before["probe/sampled"] == pytest.approx(2 / 3) == result.after["probe/solve/deduction/sampled"]
    assert result.before["probe/passed"] == 1.0 and result.before["probe/tasks"] == 12
    probed = [row["step"] for row in rows(tmp_path / "run", "metrics.jsonl") if "probe/sampled" in row]
    assert probed == [0, 2, 3]
