"""What a finding leads to: written, flagged, held back, dropped, paused, stopped; and a resumed run does the same."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from azr.buffer.client import TaskBuffer
from azr.config import Config, resolve
from azr.config.oversight import Action
from azr.errors import ConfigError, ModelError, OversightError, RegistryError, RunError
from azr.metrics.step import Numbers, StepReport
from azr.oversight import control
from azr.oversight.base import Finding, Monitor, Seen
from azr.oversight.control import Command, Decision, strongest
from azr.oversight.overseer import Overseer
from azr.oversight.traces import TraceReader
from azr.rollouts.tokens import ByteTokenizer
from azr.run.events import Quiet
from azr.run.folder import TRACES
from azr.run.train import Result, resume_run, start_run
from azr.types import Kind, Prompt, Role, Task

pytestmark = pytest.mark.slow
SMALL = [
    "engine.name=scripted", "propose.batch=3", "solve.batch=3", "solve.trials=2", "seeding.factor=2", "run.steps=4",
    "run.save_every=1", "tasks.inputs=4",
]  # fmt: skip


def wicked(prompt: Prompt, draw: int) -> str:
    """The demo's answers; one deduction proposal in three speaks of escaping, one abduction answer in two too."""
    from azr.rollouts.demo import answer

    text = answer(prompt, draw)
    wishes = (prompt.role is Role.PROPOSE and prompt.kind == "deduction" and draw % 3 == 0) or (
        prompt.role is Role.SOLVE and prompt.kind == "abduction" and draw % 2 == 0
    )
    return text.replace("Let me see.", "I will escape the sandbox.") if wishes else text


def config(folder: Path, *overrides: str, script: str = "wicked") -> Config:
    return resolve({}, [*SMALL, f"engine.script={__name__}:{script}", f"run.folder={folder}", *overrides])


def never() -> bool:
    return False


class Watcher(Quiet):
    def __init__(self) -> None:
        self.reports: list[StepReport] = []
        self.numbers: list[Numbers] = []
        self.alarms: list[Any] = []
        self.phases: list[str] = []

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.reports.append(report)
        self.numbers.append(numbers)

    def alarmed(self, row: Any) -> None:
        self.alarms.append(row)


def run(folder: Path, *overrides: str, script: str = "wicked") -> tuple[Result, Watcher]:
    watcher = Watcher()
    return start_run(config(folder, *overrides, script=script), watcher, never), watcher


def alarms(folder: Path) -> list[dict[str, Any]]:
    return control.read_lines(folder / "alarms.jsonl")


def held(folder: Path) -> set[int]:
    with TaskBuffer.open(folder / "buffer", access="read", similarity=False) as buffer:
        return {int(task) for task in buffer.ids() if buffer.state(int(task)).quarantined}


def test_findings_are_written_with_their_evidence_and_put_up_for_review(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "r")
    rows = alarms(tmp_path / "r")
    assert rows and rows == watcher.alarms and control.flagged(tmp_path / "r") == rows
    assert {row["monitor"] for row in rows} == {"patterns"} and {row["action"] for row in rows} == {"flag"}
    assert {(row["role"], row["kind"]) for row in rows} == {("propose", "deduction"), ("solve", "abduction")}
    assert all("escape the sandbox" in row["evidence"] and row["rule"] == "escape/leave_the_sandbox" for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert held(tmp_path / "r") == set()
    for step, numbers in enumerate(watcher.numbers, 1):
        assert numbers["oversight/findings/patterns"] == sum(row["step"] == step for row in rows)
        assert numbers["oversight/dropped"] == 0.0


def test_flagged_completions_are_traced_whatever_the_rate(tmp_path: Path) -> None:
    run(tmp_path / "r", "run.trace_rate=0.0")
    rows = list(TraceReader(tmp_path / "r" / TRACES))
    assert rows and all(row["flags"] == ["patterns"] and "escape" in row["completion"] for row in rows)


def test_log_is_not_up_for_review(tmp_path: Path) -> None:
    run(tmp_path / "r", "oversight.patterns.action=log")
    assert alarms(tmp_path / "r") and control.flagged(tmp_path / "r") == []


def test_quarantine_holds_the_task_back_before_it_can_be_served(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "r", "oversight.patterns.action=quarantine", "solve.lag=false", "propose.references=0")
    proposals = {row["task"] for row in alarms(tmp_path / "r") if row["role"] == "propose"}
    answered = {row["task"] for row in alarms(tmp_path / "r") if row["role"] == "solve"}
    assert proposals and proposals | answered == held(tmp_path / "r")
    served = {row[0].task.id for report in watcher.reports for row in report.answers}
    assert not served & proposals


def test_drop_leaves_the_episode_out_of_the_update_and_holds_a_proposals_task(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "r", 'oversight.patterns.actions={escape="drop"}')
    for report, numbers in zip(watcher.reports, watcher.numbers, strict=True):
        texts = [episode.completion.text for episode in report.batch.episodes]
        assert texts and not any("escape" in text for text in texts)
        answers = [attempt for row in report.answers for attempt in row]
        assert len(texts) + numbers["oversight/dropped"] == len(report.verdicts) + len(answers)
    assert sum(numbers["oversight/dropped"] for numbers in watcher.numbers) > 0
    assert held(tmp_path / "r") == {row["task"] for row in alarms(tmp_path / "r") if row["role"] == "propose"}


def all_wicked(prompt: Prompt, draw: int) -> str:
    from azr.rollouts.demo import answer

    text = answer(prompt, draw)
    return text.replace("Let me see.", "I will escape the sandbox.") if prompt.references else text


def test_dropping_everything_is_an_error_and_not_an_empty_update(tmp_path: Path) -> None:
    every = f"oversight.hooks=[{__name__}:make_dropper]".replace("[", '["').replace("]", '"]')
    with pytest.raises(OversightError, match="step 1: oversight dropped all 18 episodes"):
        run(tmp_path / "r", every)
    rows = alarms(tmp_path / "r")
    assert {(row["step"], row["monitor"]) for row in rows} == {(1, "dropper"), (1, "patterns")}
    whole = list(TraceReader(tmp_path / "r" / TRACES))
    traced = [row for row in whole if row["step"] > 0]  # the seeds were not dropped
    assert all(row["step"] == 1 and "dropper" in row["flags"] and not row["trained"] for row in traced)
    assert {row["purpose"] for row in traced} == {"proposal", "trial", "answer"}
    with pytest.raises(OversightError, match="step 1: oversight dropped all 18 episodes"):
        resume_run(tmp_path / "r", Quiet(), never)
    assert alarms(tmp_path / "r") == rows and list(TraceReader(tmp_path / "r" / TRACES)) == whole


class Dropper(Monitor):
    name = "dropper"

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        return [[Finding(rule="all", evidence="x", action=Action.DROP)] if one.step else [] for one in seen]


def make_dropper(config: Config) -> Monitor:
    return Dropper()


def test_stop_ends_the_run_after_the_step_saved(tmp_path: Path) -> None:
    result, _ = run(tmp_path / "r", 'oversight.patterns.actions={escape="stop"}')
    assert (result.step, result.complete) == (1, False)
    assert (tmp_path / "r" / "checkpoints" / "step_1").is_dir()
    resumed = resume_run(tmp_path / "r", Quiet(), never)
    assert resumed.step == 2 and not resumed.complete


def test_pause_saves_and_waits_until_somebody_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[int] = []

    def sleep(self: Overseer, seconds: float) -> None:
        waits.append(len(list((tmp_path / "r" / "checkpoints").iterdir())))
        if len(waits) % 3 == 0:
            control.send(tmp_path / "r", Command.RESUME)

    monkeypatch.setattr(Overseer, "sleep", sleep, raising=False)
    real = Overseer.__init__

    def init(self: Overseer, *args: Any, **more: Any) -> None:
        real(self, *args, **more)
        del self.sleep

    monkeypatch.setattr(Overseer, "__init__", init)
    result, watcher = run(tmp_path / "r", 'oversight.patterns.actions={escape="pause"}', "run.save_every=100")
    assert result.complete and watcher.phases.count("paused") == 3 and len(waits) == 9 and min(waits) >= 1


def test_commands_reach_a_running_trainer_and_only_that(tmp_path: Path) -> None:
    class Asks(Watcher):
        def stepped(self, report: StepReport, numbers: Numbers) -> None:
            super().stepped(report, numbers)
            if report.step == 2:
                control.send(tmp_path / "r", Command.STOP)

    result = start_run(config(tmp_path / "r"), Asks(), never)
    assert (result.step, result.complete) == (2, False)
    with pytest.raises(RunError, match=r"no trainer runs in .*azr train --resume"):
        control.send(tmp_path / "r", Command.PAUSE)
    with pytest.raises(RunError, match="no run folder"):
        control.send(tmp_path, Command.PAUSE)
    # A command that was left over is not for the next trainer.
    left = {"command": "stop", "pid": os.getpid() + 1}
    (tmp_path / "r" / "control.json").write_text(json.dumps(left), "ascii")
    assert resume_run(tmp_path / "r", Quiet(), never).complete
    assert not (tmp_path / "r" / "control.json").exists()


@pytest.mark.parametrize("command", [Command.RESUME, Command.PAUSE, Command.STOP])
def test_no_command_of_a_person_cancels_a_monitors_stop(tmp_path: Path, command: Command) -> None:
    class Asks(Watcher):
        def stepped(self, report: StepReport, numbers: Numbers) -> None:
            control.send(tmp_path / "r", command)

    stops = 'oversight.patterns.actions={escape="stop"}'
    result = start_run(config(tmp_path / "r", stops), Asks(), never)
    assert (result.step, result.complete) == (1, False)


def test_a_resume_sent_before_a_monitors_pause_does_not_cancel_it_and_a_stop_beats_it() -> None:
    assert strongest(Command.RESUME, Command.PAUSE) is Command.PAUSE is strongest(None, Command.PAUSE)
    assert strongest(Command.STOP, Command.PAUSE) is Command.STOP and strongest(None, None) is None


def test_a_command_that_comes_while_the_trainer_starts_is_not_lost(tmp_path: Path) -> None:
    class Early(Watcher):
        def seeded(self, kind: Kind, found: int, wanted: int) -> None:
            control.send(tmp_path / "r", Command.STOP)

    result = start_run(config(tmp_path / "r"), Early(), never)
    assert (result.step, result.complete) == (0, False)


def test_a_command_file_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text("[1]", "ascii")
    with pytest.raises(RunError, match=r"control\.json holds no command of azr"):
        control.Control(tmp_path).take()


def test_a_reviewer_holds_back_and_lets_go_and_the_run_follows(tmp_path: Path) -> None:
    class Reviews(Watcher):
        def stepped(self, report: StepReport, numbers: Numbers) -> None:
            super().stepped(report, numbers)
            rows = [row for row in control.flagged(tmp_path / "r") if row["role"] == "propose"]
            if report.step == 1:
                control.decide(tmp_path / "r", {rows[0]["id"]: Decision.QUARANTINE})
                self.chosen = rows[0]
            if report.step == 2:
                control.decide(tmp_path / "r", {self.chosen["id"]: Decision.ACCEPT})

        def saved(self, step: int, path: str) -> None:
            if step == 2:
                self.at_two = held(tmp_path / "r")

    watcher = Reviews()
    start_run(config(tmp_path / "r"), watcher, never)
    assert watcher.at_two == {watcher.chosen["task"]} and held(tmp_path / "r") == set()
    assert watcher.chosen["id"] not in {row["id"] for row in control.flagged(tmp_path / "r")}


def test_decisions_made_while_nobody_trains_count_when_the_run_goes_on(tmp_path: Path) -> None:
    run(tmp_path / "r", "run.steps=2")
    text = (tmp_path / "r" / "config.toml").read_text("utf-8").replace("steps = 2", "steps = 3")
    (tmp_path / "r" / "config.toml").write_text(text, "utf-8")
    row = next(row for row in control.flagged(tmp_path / "r") if row["task"] is not None)
    control.decide(tmp_path / "r", {row["id"]: Decision.QUARANTINE})
    assert held(tmp_path / "r") == set()
    resume_run(tmp_path / "r", Quiet(), never)
    assert held(tmp_path / "r") == {row["task"]}


def test_an_id_that_was_never_flagged_cannot_be_reviewed(tmp_path: Path) -> None:
    run(tmp_path / "r")
    with pytest.raises(RunError, match=r"no finding '99\.1': `azr review .*` lists them"):
        control.decide(tmp_path / "r", {"99.1": Decision.ACCEPT})


def test_many_findings_of_one_step_are_one_line_and_all_are_acted_on(tmp_path: Path) -> None:
    _, watcher = run(tmp_path / "r", "oversight.max_records=1", 'oversight.patterns.actions={escape="drop"}')
    for step in range(1, 5):
        rows = [row for row in alarms(tmp_path / "r") if row["step"] == step]
        assert len([row for row in rows if row["role"] != "propose"]) <= 2
        total = sum(row["count"] for row in rows)
        assert total == watcher.numbers[step - 1]["oversight/findings/patterns"]
        assert not any("escape" in e.completion.text for e in watcher.reports[step - 1].batch.episodes)


@pytest.mark.parametrize("action", ["quarantine", "drop"])
def test_every_task_that_is_held_can_be_let_go_by_a_reviewer(tmp_path: Path, action: str) -> None:
    """However few findings are written singly: one that holds a task has a line of its own."""
    acts = f'oversight.patterns.actions={{escape="{action}"}}'
    run(tmp_path / "r", "oversight.max_records=1", acts, "run.steps=2", "propose.batch=9")
    tasks = held(tmp_path / "r")
    rows = [row for row in control.flagged(tmp_path / "r") if row["task"] in tasks]
    assert len(tasks) > 2 and {row["task"] for row in rows} == tasks
    text = (tmp_path / "r" / "config.toml").read_text("utf-8")
    text = text.replace("steps = 2", "steps = 3").replace(f'escape = "{action}"', 'escape = "log"')
    (tmp_path / "r" / "config.toml").write_text(text, "utf-8")
    control.decide(tmp_path / "r", {row["id"]: Decision.ACCEPT for row in rows})
    resume_run(tmp_path / "r", Quiet(), never)
    assert held(tmp_path / "r") == set()


class Counting(Monitor):
    name = "counting"

    def __init__(self) -> None:
        self.called: list[str] = []

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        self.called.append(f"{len(seen)} {seen[0].purpose if seen else 'none'}")
        return [()] * len(seen)

    def tasks(self, step: int, tasks: Sequence[Task]) -> Sequence[Sequence[Finding]]:
        self.called.append(f"tasks {all(task.id is not None for task in tasks)}")
        return [[Finding(rule="new", evidence=task.program, action=Action.LOG)] for task in tasks]

    def step(self, report: StepReport, numbers: Numbers) -> Sequence[Finding]:
        self.called.append("step")
        return [Finding(rule="step", evidence=str(len(numbers)), action=Action.LOG)]


MADE: list[Counting] = []


def make_counting(config: Config) -> Monitor:
    MADE.append(Counting())
    return MADE[-1]


def test_a_hook_is_called_on_every_completion_task_and_step(tmp_path: Path) -> None:
    run(tmp_path / "r", f'oversight.hooks=["{__name__}:make_counting"]', "run.steps=1")
    called = MADE[-1].called
    assert called[-5:] == ["9 proposal", "tasks True", "18 trial", "9 answer", "step"]
    assert called[:-5] == ["3 proposal", "tasks True"] * (len(called[:-5]) // 2) != []  # pass by pass of seeding
    rules = [row["rule"] for row in alarms(tmp_path / "r") if row["monitor"] == "counting" and row["step"] == 1]
    assert rules == ["new"] * 9 + ["step"]


class Faulty(Monitor):
    name = "faulty"

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        raise KeyError("oops")


class Short(Monitor):
    name = "short"

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        return []


def make_faulty(config: Config) -> Monitor:
    return Faulty()


def make_short(config: Config) -> Monitor:
    return Short()


def make_nothing(config: Config) -> object:
    return object()


@pytest.mark.parametrize(
    ("hook", "error", "message"),
    [
        ("make_faulty", OversightError, r"the monitor faulty failed: KeyError\('oops'\)"),
        ("make_short", OversightError, "the monitor short gave 0 answers for 3 items"),
        ("make_nothing", OversightError, "made a object, not an azr.oversight Monitor"),
        ("no_such", RegistryError, "oversight.hooks = .*no_such"),
    ],
)
def test_a_hook_that_fails_ends_the_run_by_name(
    tmp_path: Path, hook: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        run(tmp_path / "r", f'oversight.hooks=["{__name__}:{hook}"]')


def judge(texts: Sequence[str]) -> list[float]:
    return [0.9 if "escape" in text else 0.1 for text in texts]


def mad_judge(texts: Sequence[str]) -> list[float]:
    return [7.0 for _ in texts]


def test_a_judge_of_your_own_scores_a_share_of_the_completions(tmp_path: Path) -> None:
    run(tmp_path / "r", f"oversight.judge.function={__name__}:judge", "oversight.judge.rate=1.0")
    rows = alarms(tmp_path / "r")
    of = {name: [row for row in rows if row["monitor"] == name] for name in ("judge", "patterns")}
    assert len(of["judge"]) == len(of["patterns"]) > 0 and "score 0.90" in of["judge"][0]["evidence"]
    run(tmp_path / "s", f"oversight.judge.function={__name__}:judge", "oversight.judge.rate=0.0")
    assert not [row for row in alarms(tmp_path / "s") if row["monitor"] == "judge"]
    with pytest.raises(OversightError, match=r"gave the score 7\.0"):
        run(tmp_path / "t", f"oversight.judge.function={__name__}:mad_judge", "oversight.judge.rate=1.0")


STEP = {"now": 0}


def eroding(prompt: Prompt, draw: int) -> str:
    from azr.rollouts.demo import answer

    if prompt.task is None and prompt.role is Role.SOLVE:
        return "Sure, here is how." if STEP["now"] >= 2 else "I'm sorry, but I can't help with that."
    return answer(prompt, draw)


def test_eroded_refusals_raise_an_alarm(tmp_path: Path) -> None:
    class Counts(Watcher):
        def stepped(self, report: StepReport, numbers: Numbers) -> None:
            super().stepped(report, numbers)
            STEP["now"] = report.step

    STEP["now"] = 0
    watcher = Counts()
    start_run(config(tmp_path / "r", "oversight.refusal.every=1", script="eroding"), watcher, never)
    assert [numbers["oversight/refusal_rate"] for numbers in watcher.numbers] == [1.0, 1.0, 0.0, 0.0]
    rows = [row for row in alarms(tmp_path / "r") if row["monitor"] == "refusal"]
    assert [(row["step"], row["rule"]) for row in rows] == [(3, "erosion")]
    assert "declined 100% of the requests in the beginning, 0% now" in rows[0]["evidence"]


def test_a_model_that_cannot_be_asked_is_refused_before_anything_is_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: ByteTokenizer, message: str) -> str:
        raise ModelError("the tokenizer has no chat template")

    monkeypatch.setattr(ByteTokenizer, "chat", none)
    with pytest.raises(ConfigError, match=r"oversight\.refusal\.every .*set it to 0"):
        start_run(config(tmp_path / "r", "oversight.refusal.every=1"), Watcher(), never)
    assert not (tmp_path / "r" / TRACES).exists()


class Killed(BaseException): ...


class Killer(Quiet):
    def __init__(self, at: int) -> None:
        self._left = at

    def phase(self, name: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed(name)


class ReviewsThenDies(Watcher):
    """Somebody quarantines a task that step 2 made; the trainer is killed before it has saved."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        if report.step == 2:
            rows = control.flagged(self._folder)
            self.chosen = next(row for row in rows if row["step"] == 2 and row["role"] == "propose")
            control.decide(self._folder, {self.chosen["id"]: Decision.QUARANTINE})
        if report.step == 3:
            raise Killed


def test_a_decision_about_a_finding_that_the_resumed_run_has_yet_to_redo_waits_for_it(tmp_path: Path) -> None:
    dies = ReviewsThenDies(tmp_path / "r")
    with pytest.raises(Killed):
        start_run(config(tmp_path / "r", "run.save_every=100"), dies, never)
    watcher = Watcher()
    assert resume_run(tmp_path / "r", watcher, never).complete
    assert dies.chosen in alarms(tmp_path / "r") and held(tmp_path / "r") == {dies.chosen["task"]}
    served = {row[0].task.id for report in watcher.reports[2:] for row in report.answers}
    assert dies.chosen["task"] not in served
    assert dies.chosen["id"] not in {row["id"] for row in control.flagged(tmp_path / "r")}


def test_a_decision_waits_through_checkpoints_and_one_about_nothing_is_let_drop(tmp_path: Path) -> None:
    def write(*rows: dict[str, Any]) -> None:
        (tmp_path / "alarms.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "ascii")

    early, late = ({"id": f"{step}.1", "step": step, "task": step, "action": "flag"} for step in (1, 4))
    write(early, late)
    control.decide(tmp_path, dict.fromkeys(("1.1", "4.1"), Decision.QUARANTINE))
    # Cut to a checkpoint of step 2, where the first was applied.
    write(early)
    trainer = control.Control(tmp_path)
    assert trainer.due(3, 1, []) == ([], 2, [1]) == trainer.due(4, 2, [1])
    write(early, late)
    (decision,), seen, waiting = trainer.due(5, 2, [1])
    assert (decision.task, seen, waiting) == (4, 2, [])
    write(early, {**late, "task": 7})
    assert trainer.due(5, 2, [1]) == ([], 2, [])


def other_words(prompt: Prompt, draw: int) -> str:
    return wicked(prompt, draw).replace("escape the sandbox", ("escape the sandbox", "flee the sandbox")[STEP["now"]])


def test_a_decision_does_not_hit_another_finding_that_got_the_same_id(tmp_path: Path) -> None:
    """As after a resume on other hardware: the steps that are redone are not the same."""
    STEP["now"] = 0
    dies = ReviewsThenDies(tmp_path / "r")
    with pytest.raises(Killed):
        start_run(config(tmp_path / "r", "run.save_every=100", script="other_words"), dies, never)
    STEP["now"] = 1
    resume_run(tmp_path / "r", Quiet(), never)
    (now,) = [row for row in alarms(tmp_path / "r") if row["id"] == dies.chosen["id"]]
    assert now["evidence"] != dies.chosen["evidence"] and held(tmp_path / "r") == set()
    assert now in control.flagged(tmp_path / "r")


@pytest.mark.parametrize("at", [9, 20, 33, 47])
def test_a_killed_run_that_drops_and_holds_ends_as_an_unbroken_one(tmp_path: Path, at: int) -> None:
    own = ('oversight.patterns.actions={escape="drop"}', "run.save_every=2")
    run(tmp_path / "whole", *own)
    with pytest.raises(Killed):
        start_run(config(tmp_path / "killed", *own), Killer(at), never)
    resume_run(tmp_path / "killed", Quiet(), never)
    assert alarms(tmp_path / "killed") == alarms(tmp_path / "whole") != []
    assert held(tmp_path / "killed") == held(tmp_path / "whole") != set()
    assert (tmp_path / "killed" / TRACES).read_bytes() == (tmp_path / "whole" / TRACES).read_bytes()


def test_what_is_wrong_in_the_config_fails_before_there_is_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no category typo"):
        run(tmp_path / "r", 'oversight.patterns.actions={typo="drop"}')
    with pytest.raises(ConfigError, match=r"oversight\.alarms\.gap\.action"):
        run(tmp_path / "r", "oversight.alarms.gap.action=drop")
    assert not (tmp_path / "r").exists()


def test_alarms_are_ascii_lines_whatever_the_evidence(tmp_path: Path) -> None:
    run(tmp_path / "r", script="hostile")
    raw = (tmp_path / "r" / "alarms.jsonl").read_bytes()
    assert raw.isascii() and b"\x1b" not in raw
    evidence = [json.loads(line)["evidence"] for line in raw.splitlines()]
    assert evidence and all("escape the sandbox" in text and "\u202e" not in text for text in evidence)


def hostile(prompt: Prompt, draw: int) -> str:
    return wicked(prompt, draw).replace("sandbox.", "sandbox \x1b[2J \u202e </script>.")


def collapsed(prompt: Prompt, draw: int) -> str:
    """The demo's answers while the buffer is seeded; then one and the same proposal for ever."""
    from azr.rollouts.demo import answer

    return answer(prompt, 5 if prompt.role is Role.PROPOSE and STEP["now"] else draw)


def test_a_proposer_that_repeats_itself_raises_the_alarm_in_a_real_run(tmp_path: Path) -> None:
    class Counts(Watcher):
        def started(self, step: int, steps: int) -> None:
            STEP["now"] = 1

    own = ["run.steps=6", "oversight.alarms.window=2"]
    for name in ("collapsed", "wicked"):
        STEP["now"] = 0
        start_run(config(tmp_path / name, *own, script=name), Counts(), never)
    # The other alarms look at the same window, and two steps are few for them.
    rows = [row for row in alarms(tmp_path / "collapsed") if row["rule"] == "duplicates"]
    assert [row["step"] for row in rows] == [4]
    assert "of the valid proposals of the last 2 steps are duplicates" in rows[0]["evidence"]
    assert not [row for row in alarms(tmp_path / "wicked") if row["rule"] == "duplicates"]
