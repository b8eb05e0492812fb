"""docs/metrics.md lists every number that a run writes, with how it reduces."""

import json
import re
from pathlib import Path

import pytest
from azr.config import resolve
from azr.metrics.reductions import Metric, Numbers
from azr.metrics.step import StepReport, collect
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.types import Kind, Prompt

TABLE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `([^`]+)` \| (\w+) \|", re.MULTILINE)
SCORE = r"sampled|greedy|passed|error|tasks|pass_at_\d+"
SLOT = {"role": "propose|solve", "bin": r"\d+", "quantile": "p10|p50|p90", "kind": r"[a-z_.]+", "score": SCORE}


def listed() -> list[tuple[re.Pattern[str], str]]:
    """Each row's name as an expression, and its reduction."""
    rows = []
    for name, reduces in ROW.findall(TABLE.read_text("utf-8")):
        parts = re.split(r"\{(\w+)\}", name)
        text = "".join(
            f"(?:{SLOT.get(part, '[a-z_]+')})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
        )
        rows.append((re.compile(text), reduces))
    return rows


def varied(prompt: Prompt, draw: int) -> str:
    """Valid, unreadable, raising and repeated proposals; right, wrong and unreadable answers."""
    from azr.rollouts.demo import answer

    if prompt.role == "solve" and prompt.task is None:
        return "I'm sorry, I cannot help with that."
    if prompt.role == "propose" and prompt.kind is not Kind.INDUCTION:
        if draw % 5 == 0:
            return "nothing"
        if draw % 5 == 1:
            return " </think>\n<answer>\n```python\ndef f(a):\n    return 1 / 0\n```\n```input\n1\n```\n</answer>"
        if draw % 5 == 2:
            return " </think>\n<answer>\n```python\ndef f(a):\n    return a\n```\n```input\n1\n```\n</answer>"
    if prompt.role == "solve" and draw % 7 == 0:
        return "wait, no"
    return answer(prompt, draw)


class Watcher(Quiet):
    def __init__(self) -> None:
        self.reports: list[StepReport] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.reports.append(report)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StepReport]]:
    folder = tmp_path_factory.mktemp("run") / "r"
    tasks = folder.parent / "heldout.jsonl"
    task = {"kind": "deduction", "program": "def f(a):\n    return a - 1", "inputs": ["5"]}
    tasks.write_text(json.dumps(task), "utf-8")
    config = resolve(
        {},
        [
            "engine.name=scripted", f"engine.script={__name__}:varied", "propose.batch=5", "solve.batch=5",
            "solve.trials=3", "seeding.factor=2", "run.steps=3", f"run.folder={folder}", f"evals.tasks={tasks}",
            "evals.every=1", 'reward.proposer.terms=[{name="novelty"}]', "oversight.refusal.every=1",
        ],
    )  # fmt: skip
    watcher = Watcher()
    start_run(config, watcher, lambda: False)
    return folder, watcher.reports


def test_every_number_of_a_run_is_in_the_table_once(done: tuple[Path, list[StepReport]]) -> None:
    rows = [json.loads(line) for line in (done[0] / "metrics.jsonl").read_text("utf-8").splitlines()]
    names = {name for row in rows for name in row} - {"step"}
    assert len(names) > 150
    table = listed()
    for name in sorted(names):
        fits = [pattern.pattern for pattern, _ in table if pattern.fullmatch(name)]
        # `probe/sampled` and `seconds/step` also have general rows.
        assert fits, f"docs/metrics.md does not list {name}"


def test_the_table_says_how_each_number_reduces(done: tuple[Path, list[StepReport]]) -> None:
    table = listed()
    for report in done[1]:
        for name, metric in collect(report).items():
            shown = [part for part in metric.numbers(name)]
            kinds = {reduces for part in shown for pattern, reduces in table if pattern.fullmatch(part)}
            assert kinds <= {_word(metric)}, f"{name} is a {_word(metric)}, the table says {kinds}"


def test_the_varied_run_has_what_it_should(done: tuple[Path, list[StepReport]]) -> None:
    rows = [json.loads(line) for line in (done[0] / "metrics.jsonl").read_text("utf-8").splitlines()]
    names = {name for row in rows for name in row}
    for name in (
        "validate/propose/deduction/rejected/raised", "validate/propose/deduction/rejected/unparseable",
        "validate/propose/deduction/duplicate/canonical", "buffer/deduction/similarity", "oversight/refusal_rate",
        "update/solve/abduction/reflection_share", "update/propose/deduction/part/novelty", "probe/passed",
    ):  # fmt: skip
        assert any(found.startswith(name.rsplit("canonical", 1)[0]) for found in names), name


def _word(metric: Metric) -> str:
    return {"Deviation": "deviation"}.get(type(metric).__name__, type(metric).__name__.lower())
