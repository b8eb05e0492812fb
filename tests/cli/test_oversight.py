"""`azr traces`, `azr review`, `azr pause|resume|stop` from the outside, and what a terminal gets to see."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from azr.cli import azr
from azr.cli.live import LiveView
from azr.cli.progress import Progress
from azr.cli.traces import parse_steps, parse_test
from azr.config import resolve
from azr.errors import RunError
from azr.metrics.step import Numbers, StepReport
from azr.oversight.traces import TraceWriter
from azr.run.events import Quiet
from azr.run.folder import CONFIG, TRACES
from azr.run.train import start_run
from azr.types import Prompt
from click.testing import CliRunner, Result

HOSTILE = "\x1b[2J\x1b[1;31m\u202egnp.exe\u2066 </script><script>alert(1)</script> [bold]x[/bold] " + "y" * 10_000_000


def call(*arguments: str) -> Result:
    return CliRunner().invoke(azr, arguments, catch_exceptions=False)


def escaping(prompt: Prompt, draw: int) -> str:
    from azr.rollouts.demo import answer

    return answer(prompt, draw).replace("Let me see.", "I will \x1b[31mescape the sandbox\u202e.")


class Recording(Quiet):
    def __init__(self) -> None:
        self.reports: list[tuple[StepReport, Numbers]] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.reports.append((report, numbers))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recording]:
    folder = tmp_path_factory.mktemp("runs") / "r"
    config = resolve(
        {},
        [
            "engine.name=scripted", f"engine.script={__name__}:escaping", "propose.batch=2", "solve.batch=2",
            "solve.trials=2", "seeding.factor=2", "run.steps=2", f"run.folder={folder}",
        ],
    )  # fmt: skip
    watcher = Recording()
    start_run(config, watcher, lambda: False)
    return folder, watcher


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / CONFIG).touch()
    with TraceWriter(tmp_path / TRACES) as trace:
        trace.append([{"step": 1, "role": "solve", "kind": "a\x1b[2J", "completion": HOSTILE, "verdict": HOSTILE}])
    return tmp_path


def test_traces_are_found_and_printed(done: tuple[Path, Recording]) -> None:
    folder = str(done[0])
    found = call("traces", folder, "--where", "kind=abduction", "--where", "score<1", "--json", "--limit", "100")
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert rows and all(row["kind"] == "abduction" and row["score"] < 1 for row in rows)
    assert [row["index"] for row in rows] == sorted((row["index"] for row in rows), reverse=True)
    only = call("traces", folder, "--steps", "2", "--oldest", "--limit", "1", "--json")
    assert json.loads(only.stdout)["step"] == 2
    one = call("traces", folder, "--id", "-1", "--id", "0")
    assert one.stdout.count("# ") >= 2 and "# 0  step 0" in one.stdout
    assert "0 of " in call("traces", folder, "--where", "completion~no such text").stderr
    assert call("traces", folder, "--id", "100000").exit_code == 2


def test_hostile_text_does_nothing_in_the_terminal(hostile: Path) -> None:
    shown = call("traces", str(hostile)).stdout
    assert "\x1b" not in shown and "\u202e" not in shown and "\u241b[2J" in shown and len(shown) < 20_000
    as_json = call("traces", str(hostile), "--json").stdout
    assert as_json.isascii() and json.loads(as_json)["completion"] == HOSTILE


@pytest.mark.parametrize(
    ("test", "fits", "fails"),
    [
        ("kind=abduction", {"kind": "abduction"}, {"kind": "deduction"}),
        ("reward<0", {"reward": -0.5}, {"reward": None}),
        ("parts.solve_rate>=0.5", {"parts": {"solve_rate": 0.5}}, {"parts": {}}),
        ("verdict!=valid", {"verdict": "raised"}, {"verdict": "valid"}),
        ("completion~IMPORT os", {"completion": "x import OS"}, {"completion": None}),
        ("finished=false", {"finished": False}, {"finished": True}),
        ("duplicate_of=null", {"duplicate_of": None}, {"duplicate_of": 3}),
        ("flags=patterns", {"flags": ["patterns"]}, {"flags": []}),
        ("task = 7", {"task": 7}, {"task": 8}),
        ("answer=5", {"answer": "5"}, {"answer": "6"}),
        ("answer=True", {"answer": "True"}, {"answer": None}),
        ("answer=[1, 2]", {"answer": "[1, 2]"}, {"answer": "[1]"}),
        ('answer="a"', {"answer": '"a"'}, {"answer": "b"}),
        ("answer!=5", {"answer": "6"}, {"answer": "5"}),
        ("inputs=5", {"inputs": ["5", "6"]}, {"inputs": ["6"]}),
        ("inputs!=5", {"inputs": ["6"]}, {"inputs": ["5", "6"]}),
        ("answer=null", {"answer": None}, {"answer": "5"}),
        ("completion~a=b", {"completion": "a=b"}, {"completion": "a"}),
    ],
)
def test_where(test: str, fits: dict[str, Any], fails: dict[str, Any]) -> None:
    check = parse_test(test)
    assert check(fits) and not check(fails)


@pytest.mark.parametrize("option", [("--where", "nonsense"), ("--where", "kind<abc"), ("--steps", "1-2")])
def test_a_test_that_cannot_be_meant_is_refused(done: tuple[Path, Recording], option: tuple[str, str]) -> None:
    refused = call("traces", str(done[0]), *option)
    assert refused.exit_code == 2 and option[1] in refused.stderr


def test_spans_of_steps() -> None:
    assert parse_steps("3..9") == (3, 9) and parse_steps("7") == (7, 7) and parse_steps("..4") == (0, 4)
    assert parse_steps("5..") == (5, 2**31) and parse_steps(None) is None


def test_review_lists_accepts_and_quarantines(done: tuple[Path, Recording]) -> None:
    folder = str(done[0])
    shown = call("review", folder)
    assert "patterns/escape/leave_the_sandbox" in shown.stdout and "\x1b" not in shown.stdout
    rows = [json.loads(line) for line in call("review", folder, "--json").stdout.splitlines()]
    first, second = (row["id"] for row in rows[:2])
    decided = call("review", folder, "--accept", first, "--quarantine", second)
    assert "1 accepted, 1 quarantined; takes effect when the run goes on" in decided.stdout
    left = [json.loads(line)["id"] for line in call("review", folder, "--json").stdout.splitlines()]
    assert first not in left and second not in left
    assert call("review", folder, "--accept", "1.3", "--quarantine", "1.3").exit_code == 2
    with pytest.raises(RunError, match=r"no finding '9\.9'"):
        call("review", folder, "--accept", "9.9")


def test_a_review_with_one_wrong_id_decides_nothing(done: tuple[Path, Recording]) -> None:
    folder = str(done[0])
    before = call("review", folder, "--json").stdout
    one = json.loads(before.splitlines()[-1])["id"]
    with pytest.raises(RunError, match=r"no finding '9\.9'"):
        call("review", folder, "--accept", one, "--quarantine", "9.9")
    assert call("review", folder, "--json").stdout == before


def test_traces_of_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        call("traces", str(tmp_path))


@pytest.mark.parametrize("command", ["pause", "resume", "stop"])
def test_commands_need_a_running_trainer(done: tuple[Path, Recording], command: str) -> None:
    with pytest.raises(RunError, match="no trainer runs in"):
        call(command, str(done[0]))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


ALARM = {
    "id": "1.1", "action": "flag", "monitor": "patterns", "rule": "escape", "role": "solve", "kind": "deduction",
    "evidence": HOSTILE, "count": 1,
}  # fmt: skip


def drawn(view: LiveView, width: int = 100) -> str:
    from rich.console import Console

    console = Console(file=io.StringIO(), width=width, height=50, color_system=None, force_terminal=False)
    console.print(view.draw())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_live_view_has_phases_rewards_the_last_program_and_alarms(done: tuple[Path, Recording]) -> None:
    view = LiveView(Terminal(), width=100, height=50)
    view.started(0, 2)
    for report, numbers in done[1].reports:
        view.stepped(report, numbers)
    view.alarmed(ALARM)
    shown = drawn(view)
    for words in ("step 2/2", "propose deduction", "solve induction", "reward", "def f(a):", "alarms (1)", "oversee"):
        assert words in shown, words


def test_hostile_programs_and_evidence_are_plain_text_in_the_live_view(done: tuple[Path, Recording]) -> None:
    view = LiveView(Terminal(), width=100, height=50)
    view.started(0, 2)
    view.alarmed(ALARM)
    view._program = HOSTILE
    shown = drawn(view)
    assert "\x1b" not in shown and "\u202e" not in shown and "\u241b[2J" in shown and "[bold]x[/bold]" in shown
    assert max(len(line) for line in shown.splitlines()) <= 100 and len(shown) < 10_000


def test_a_terminal_gets_the_live_view_and_is_left_as_it_was() -> None:
    out = Terminal()
    progress = Progress(out)
    assert isinstance(progress.view, LiveView)
    progress.view.phase("load")
    progress.close()
    assert out.getvalue().count("\x1b[?25l") == out.getvalue().count("\x1b[?25h") == 1


def test_elsewhere_there_are_plain_lines(done: tuple[Path, Recording]) -> None:
    out = io.StringIO()
    progress = Progress(out)
    assert progress.view is progress
    progress.started(0, 2)
    for report, numbers in done[1].reports:
        progress.stepped(report, numbers)
    progress.alarmed(ALARM)
    progress.phase("paused")
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["step", "step", "alarm", "paused;"]
    assert "\x1b" not in out.getvalue() and max(map(len, lines)) < 2000
