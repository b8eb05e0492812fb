"""One run over several domains: shares, buffers, baselines and numbers of each, and what resuming does to them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from azr.buffer.client import TaskBuffer
from azr.cli.domain import domain as command
from azr.config import Config, load_config, resolve
from azr.config.mixture import shares
from azr.domains.transfer import gains, of_rows, table
from azr.errors import ConfigError, RunError
from azr.metrics.step import Numbers, StepReport
from azr.run.events import Quiet
from azr.run.train import Result, resume_run, start_run
from azr.types import Kind, Prompt, Role
from click.testing import CliRunner

pytestmark = pytest.mark.slow
Make = Callable[..., Path]
SMALL = [
    "engine.name=scripted", f"engine.script={__name__}:answer", "propose.batch=2", "solve.batch=2", "solve.trials=2",
    "seeding.factor=1", "run.steps=2", "run.save_every=1", "tasks.inputs=4", "evals.samples=3", "sandbox.threads=1",
]  # fmt: skip


def answer(prompt: Prompt, draw: int) -> str:
    from azr.rollouts import demo

    return demo.answer(prompt, draw)


class Watcher(Quiet):
    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.numbers: list[Numbers] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.reports.append(report)
        self.numbers.append(numbers)


@pytest.fixture
def two(make_folder: Make) -> str:
    """A mixture of plain Python and two domains, one of them probed only."""
    shop, bank = make_folder(), make_folder(name="bank")
    return f'domains=[{{name="python"}}, {{path="{shop}", weight=3.0}}, {{path="{bank}", weight=0.0}}]'


def config(folder: Path, *overrides: str) -> Config:
    return resolve({}, [*SMALL, f"run.folder={folder}", *overrides])


def run(folder: Path, *overrides: str) -> tuple[Result, Watcher]:
    watcher = Watcher()
    return start_run(config(folder, *overrides), watcher, lambda: False), watcher


def timeless(folder: Path) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]
    return [{k: v for k, v in row.items() if not k.startswith(("seconds/", "memory/"))} for row in rows]


@pytest.mark.parametrize(
    ("weights", "batch", "expected"),
    [
        ((1.0, 1.0), 4, [3, 4, 3, 5, 5]),
        ((1.0, 3.0), 4, [2, 2, 2, 7, 7]),
        ((0.001, 1.0), 2, [1, 1, 1, 4, 4]),
    ],
)
def test_domains_share_a_step_by_weight_and_their_kinds_equally(
    make_folder: Make, weights: Sequence[float], batch: int, expected: list[int]
) -> None:
    domains = f'[{{name="python", weight={weights[0]}}}, {{path="{make_folder()}", weight={weights[1]}}}]'
    mixed = resolve({}, [f"domains={domains}", f"propose.batch={batch}"])
    given = shares(mixed).proposals
    assert sorted(given.values()) == sorted(expected)
    total = batch * len(expected)
    assert sum(given.values()) == total or min(given.values()) == 1
    shop = sum(count for kind, count in given.items() if kind.domain)
    assert shop == pytest.approx(total * weights[1] / sum(weights), abs=3)


def test_a_run_over_domains_keeps_each_ones_tasks_baselines_and_numbers_apart(two: str, tmp_path: Path) -> None:
    result, watcher = run(tmp_path / "run", two, "train.advantage=trr_sequence")
    assert result.complete
    kinds = {Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION, Kind("shop.deduction"), Kind("shop.abduction")}
    for report, numbers in zip(watcher.reports, watcher.numbers, strict=True):
        assert set(report.stored) == kinds
        for role in Role:
            assert {e.kind for e in report.batch.episodes if e.role is role} == kinds
        # A baseline for each (domain, role, kind): advantages add up to nothing in every one of them.
        for role in Role:
            for kind in kinds:
                rows = [i for i, e in enumerate(report.batch.episodes) if (e.role, e.kind) == (role, kind)]
                assert sum(report.batch.advantages[rows]) == pytest.approx(0.0, abs=1e-6)
        for name in ("python", "shop"):
            stored = sum(count for kind, count in report.stored.items() if (kind.domain or "python") == name)
            assert numbers[f"domain/{name}/stored"] == stored
            assert f"domain/{name}/solve/score" in numbers and f"domain/{name}/propose/reward" in numbers
        assert not any(key.startswith("domain/bank") for key in numbers)
    with TaskBuffer.open(tmp_path / "run" / "buffer-shop", access="read") as shop_tasks:
        assert shop_tasks.kinds() == [Kind("shop.abduction"), Kind("shop.deduction")], "under their own names"


def test_tasks_drawn_for_a_kind_are_of_its_domain(two: str, tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "run", two, "run.steps=2")
    for report in watcher.reports:
        for verdict in report.verdicts:
            prompt = verdict.proposal.completion.prompt
            shown = [*prompt.references, *([prompt.task] if prompt.task else [])]
            assert {task.kind.domain for task in shown} <= {prompt.kind.domain}


def test_a_plain_run_has_no_numbers_by_domain(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "run", "run.steps=1")
    assert not any(key.startswith("domain/") for key in watcher.numbers[0])


class Killed(BaseException):
    """Stands for a kill."""


class Killer(Quiet):
    def __init__(self, at: int) -> None:
        self._left = at

    def phase(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed(name)


@pytest.mark.parametrize("at", [3, 16, 27])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(two: str, tmp_path: Path, at: int) -> None:
    run(tmp_path / "whole", two)
    with pytest.raises(Killed):
        start_run(config(tmp_path / "cut", two), Killer(at), lambda: False)
    assert resume_run(tmp_path / "cut", Quiet(), lambda: False).complete
    assert timeless(tmp_path / "cut") == timeless(tmp_path / "whole")


def test_a_run_does_not_resume_with_other_domain_files(two: str, tmp_path: Path) -> None:
    run(tmp_path / "run", two, "run.steps=1")
    (tmp_path / "shop" / "prices.py").write_text("def tax(cents):\n    return 0\n", "utf-8")
    with pytest.raises(ConfigError, match=r"domain shop .* has changed"):
        resume_run(tmp_path / "run", Quiet(), lambda: False)


def test_trained_on_one_domain_and_probed_on_another(two: str, tmp_path: Path) -> None:
    result, _ = run(tmp_path / "run", two, 'tasks.kinds=["deduction", "shop.deduction"]')
    probed = {key for key in result.after if key.startswith("probe/solve/") and key.endswith("deduction/sampled")}
    assert probed == {
        "probe/solve/shop.deduction/sampled", "probe/solve/bank.deduction/sampled",
    }  # fmt: skip
    found = gains(tmp_path / "run")
    assert found.trained == ("python", "shop") and set(found.scores) == {"shop", "bank"}
    shown = CliRunner().invoke(command, ["transfer", str(tmp_path / "run")])
    assert shown.exit_code == 0 and "python, shop" in shown.output
    header, row = shown.output.splitlines()
    assert header.split() == ["run", "trained", "on", "bank", "shop"] and row.count("->") == 2 and row.endswith("*")


def test_the_report_has_the_transfer_table(two: str, tmp_path: Path) -> None:
    from azr.report.build import build

    run(tmp_path / "run", two)
    run(tmp_path / "plain", "run.steps=1", 'tasks.kinds=["deduction"]')
    html = build([tmp_path / "run", tmp_path / "plain"]).html
    data = json.loads(html.split('id="data">')[1].split("</script>")[0])
    mixed, plain = data["runs"]
    assert [(row["domain"], row["trained"]) for row in mixed["transfer"]] == [("bank", False), ("shop", True)]
    assert all(0.0 <= row[when] <= 1.0 for row in mixed["transfer"] for when in ("before", "after"))
    assert plain["transfer"] == [] and "Did one domain teach another?" in html


def test_the_transfer_table_says_what_was_gained_where() -> None:
    def row(shop: float, plain: float) -> dict[str, float]:
        scores = {"shop.deduction": (shop, 6), "shop.abduction": (shop / 2, 2), "deduction": (plain, 5)}
        made = {f"probe/solve/{kind}/sampled": score for kind, (score, _) in scores.items()}
        return made | {f"probe/solve/{kind}/tasks": float(tasks) for kind, (_, tasks) in scores.items()}

    found = of_rows("a", [Kind.DEDUCTION], [row(0.4, 0.5), {"step": 1}, row(0.8, 0.75)])
    assert found.scores["shop"] == pytest.approx((0.35, 0.7)) and found.scores["python"] == (0.5, 0.75)
    assert table([found]).splitlines()[1].split() == [
        "a", "python", "50.0", "->", "75.0", "(+25.0)*", "35.0", "->", "70.0", "(+35.0)",
    ]  # fmt: skip
    with pytest.raises(RunError, match="no held-out scores"):
        of_rows("a", [Kind.DEDUCTION], [row(0.4, 0.5)])


def test_the_config_of_a_run_names_all_that_it_learns(two: str, tmp_path: Path) -> None:
    run(tmp_path / "run", two, "run.steps=1")
    kept = load_config(tmp_path / "run" / "config.toml")
    assert [domain.name for domain in kept.domains] == ["python", "shop", "bank"]
    assert all(domain.fingerprint for domain in kept.domains[1:])
