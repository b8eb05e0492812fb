"""Where the sandbox fails at a row, that row says so, and no reward follows; the neighbours keep what is theirs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from azr.buffer.fingerprint import signature
from azr.errors import GradingError, SandboxError
from azr.grading import NOT_A_TASK, Grader, dump_task
from azr.grading.trl import reward_function
from azr.metrics.step import StepReport, measure
from azr.oversight.base import Monitor
from azr.oversight.monitors.collapse import Collapse
from azr.oversight.overseer import UNSEEN, Overseer
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import roll_out
from azr.reward import reward
from azr.sandbox import Failed, InvalidReason, OutcomeKind, Request, Sandbox, ValidRun, Value
from azr.tasks.common import check_rows
from azr.trainer.policy import StillPolicy
from azr.types import FAILED, PROPOSE, Key, Kind, Reason, Rejected, Task, placed_answers, placed_trials, valids
from azr.update import update

POISON = "# the sandbox fails here"
GOOD = "def f(a):\n    return a + 1"
TWO = Value.of(2)
ENTRIES = ("run_batch", "validate", "check_output", "check_input", "check_program", "score", "literals", "imports")


class Failing:
    """The Rust half of a sandbox that fails at every row with the poison in it, so many times."""

    def __init__(self, inner: Any, code: str, times: int) -> None:
        self._inner, self._code, self.left = inner, code, times
        self.asked: list[int] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in ENTRIES:
            return found

        def call(items: Sequence[Any], *more: Any) -> list[Any]:
            self.asked.append(len(items))
            rows = found(list(items), *more)
            return [self._row(row, item) for row, item in zip(rows, items, strict=True)]

        return call

    def _row(self, row: Any, item: Any) -> Any:
        if POISON not in str(item) or not self.left:
            return row
        self.left -= 1
        error = SandboxError("it broke", self._code)
        return [error] if isinstance(row, list) else error


def failing(code: str = "guest_contract", times: int = 1 << 30) -> Sandbox:
    sandbox = Sandbox(threads=1)
    sandbox._inner = Failing(sandbox._inner, code, times)  # type: ignore[assignment]
    return sandbox


def test_a_failed_row_takes_no_other_row_s_outcome_away() -> None:
    sandbox, bad = failing(), GOOD + POISON
    first, second, third = sandbox.run_batch([Request(program=p, call="1") for p in (GOOD, bad, GOOD)])
    assert first.value == third.value == TWO
    assert second.kind is OutcomeKind.SANDBOX_FAILED and second.failed == Failed("guest_contract", "it broke")
    good, poisoned = sandbox.validate([(GOOD, ["1", "2"]), (bad, ["1"])])
    assert all(isinstance(result, ValidRun) for result in good.results)
    assert getattr(poisoned.results[0], "reason", None) is InvalidReason.SANDBOX_FAILED
    for checks in (
        sandbox.check_output([("2", TWO), (f"2 {POISON}", TWO)]),
        sandbox.check_input([(GOOD, "1", TWO), (bad, "1", TWO)]),
    ):
        assert [check.correct for check in checks] == [True, False]
        assert checks[0].failed is None and checks[1].failed is not None
    pairs = [("1", TWO)]
    right, unknown = sandbox.check_program([(GOOD, pairs), (bad, pairs)])
    assert right.passed == (True,) and right.failed is None and unknown.failed is not None
    verifier = "def verify(task, answer):\n    return 1.0"
    scored, unscored = sandbox.score([(verifier, TWO, TWO), (verifier + POISON, TWO, TWO)])
    assert getattr(scored, "score", None) == 1.0
    assert getattr(unscored, "reason", None) is InvalidReason.SANDBOX_FAILED
    assert isinstance(sandbox.literals(["2", f"2 {POISON}"])[1], Failed)
    assert isinstance(sandbox.imports(["import a", f"import a {POISON}"])[1], Failed)


def test_a_failure_alone_is_raised() -> None:
    with pytest.raises(SandboxError) as caught:
        failing().run(GOOD + POISON, call="1")
    assert caught.value.code == "guest_contract"


@pytest.mark.parametrize("code", ["wall_clock", "host", "runtime"])
def test_what_may_pass_is_tried_once_more_and_alone(code: str) -> None:
    sandbox = failing(code, 1)
    outcomes = sandbox.run_batch([Request(program=p, call="1") for p in (GOOD, GOOD + POISON)])
    assert [outcome.value for outcome in outcomes] == [TWO, TWO]
    assert sandbox._inner.asked == [2, 1]  # type: ignore[attr-defined]


def test_what_will_not_pass_is_not_tried_again() -> None:
    sandbox = failing()
    sandbox.run_batch([Request(program=GOOD + POISON, call="1")])
    assert sandbox._inner.asked == [1]  # type: ignore[attr-defined]


def test_a_program_on_which_the_sandbox_fails_has_no_signature() -> None:
    good, bad = failing().run_batch([Request(program=p, call="1") for p in (GOOD, GOOD + POISON)])
    assert signature([good] * 4) is not None and signature([good, good, good, bad]) is None


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(kind=Kind.DEDUCTION, program=GOOD, inputs=("1",), outputs=(TWO,))


def answered(text: str) -> str:
    return f"<answer>\n```output\n{text}\n```\n</answer>"


def test_a_grader_s_rows_have_their_own_errors(task: Task) -> None:
    grader, text = Grader(sandbox=failing()), dump_task(task)
    found = grader.grade(
        [(text, answered("2")), (text, answered(f"2 {POISON}")), ("[" * 100_000, ""), (text, answered("3"))]
    )
    assert [answer.score for answer in found] == [1.0, 0.0, 0.0, 0.0]
    assert [answer.reason for answer in found] == ["correct", FAILED, NOT_A_TASK, "wrong"]
    assert [answer.failed for answer in found] == [False, True, True, False]


def test_a_task_text_of_100000_brackets_is_a_grading_error(task: Task) -> None:
    with pytest.raises(GradingError):
        Grader().grade([("[" * 100_000, "")])


def test_trl_is_given_no_score_where_there_is_no_verdict(task: Task) -> None:
    text = dump_task(task)
    score = reward_function(Grader(sandbox=failing()))
    assert score(task=[text, text], completions=[answered("2"), answered(f"2 {POISON}")]) == [1.0, None]


class Brittle:
    """A kind whose check raises on one answer."""

    def home(self, plain: Sandbox) -> Sandbox:
        return plain

    def check(self, sandbox: Sandbox, answers: Sequence[tuple[Task, str]]) -> list[Any]:
        if any(text == "boom" for _, text in answers):
            raise ZeroDivisionError("a kind of a domain's")
        return [text for _, text in answers]


def test_a_kind_that_fails_on_one_answer_checks_the_others(task: Task) -> None:
    texts = ["a", "b", "boom", "c", "boom", "d", "e"]
    found = check_rows(Brittle(), Sandbox(threads=1), [(task, text) for text in texts])  # type: ignore[arg-type]
    assert [one if isinstance(one, str) else one.reason for one in found] == ["a", "b", FAILED, "c", FAILED, "d", "e"]


PROPOSAL = "</think><answer>```python\n{}\n```\n```input\n1\n```</answer>"


def stepped(make_parts: Callable[..., Parts], program: str, answer: str) -> tuple[Parts, StepReport]:
    """One step in which every second proposal is the program, and every second answer the answer."""
    texts = {"propose": (GOOD, program), "solve": ("2", answer)}

    def script(prompt: Any, draw: int) -> str:
        chosen = texts[str(prompt.role)][draw % 2]
        if prompt.role == "propose":
            return PROPOSAL.format(f"{chosen}  # {draw}")
        return f"</think><answer>```output\n{chosen}\n```</answer>"

    parts = make_parts(script, 'tasks.kinds=["deduction"]', "propose.batch=8", "solve.batch=4")
    parts = replace(parts, sandbox=failing())
    done = roll_out(parts, 1, parts.store.serve(1), lambda name, stage: stage())
    parts.store.record([(valid.task, valid.trials) for valid in valids(done.verdicts)], 1)
    episodes = reward(parts, done.verdicts, done.answers, 1)
    batch, stats = update(StillPolicy(), episodes, parts.config)
    report = StepReport(
        step=1, verdicts=done.verdicts, answers=done.answers, batch=batch, stats=stats,
        seconds={}, stored={kind: parts.store.count(kind) for kind in parts.config.tasks.kinds},
    )  # fmt: skip
    return parts, report


def test_a_step_counts_failed_rows_and_leaves_them_out_of_every_reward(make_parts: Callable[..., Parts]) -> None:
    _, report = stepped(make_parts, GOOD + POISON, f"2 {POISON}")
    failed = [v for v in report.verdicts if isinstance(v, Rejected) and v.reason is Reason.SANDBOX_FAILED]
    attempts = [attempt for rows in (*report.trials, *report.answers) for attempt in rows]
    bad = [attempt for attempt in attempts if attempt.failed]
    assert failed and bad and len(bad) < len(attempts)
    numbers = measure(report)
    assert numbers["sandbox/failed"] == len(failed) + len(bad)
    assert numbers["sandbox/failed_share"] == pytest.approx((len(failed) + len(bad)) / (8 + len(attempts)))
    trained = {episode.key for episode in report.batch.episodes}
    assert None not in trained
    assert not trained & {Key(PROPOSE, place) for place, verdict in enumerate(report.verdicts) if verdict in failed}
    answers = [*placed_trials(report.verdicts), *placed_answers(report.answers)]
    assert not trained & {answer.key for answer in answers if answer.attempt.failed}
    assert numbers["validate/propose/deduction/valid_rate"] == 1.0
    right = [attempt for rows in report.answers for attempt in rows if not attempt.failed]
    expected = sum(attempt.score for attempt in right) / len(right)
    assert numbers["solve/solve/deduction/score"] == pytest.approx(expected)


def test_a_step_in_which_everything_failed_passes_and_trains_on_nothing(make_parts: Callable[..., Parts]) -> None:
    parts, report = stepped(make_parts, GOOD, "2")
    nothing = replace(report, verdicts=[], answers=[])
    policy = StillPolicy()
    batch, stats = update(policy, reward(parts, [], [], 1), parts.config)
    assert policy.step == 1 and not batch.episodes and stats.tokens == 0
    assert measure(replace(nothing, batch=batch, stats=stats))["sandbox/failed"] == 0


def test_failed_rows_raise_an_alarm_and_stop_the_run_where_they_are_most(make_parts: Callable[..., Parts]) -> None:
    config = make_parts(lambda prompt, draw: "").config
    few, most = Collapse(config), Collapse(config)
    found = few.feed({"step": 1, "sandbox/failed_share": 0.01})
    assert [(one.rule, str(one.action)) for one in found] == [("sandbox", "flag")]
    found = most.feed({"step": 1, "sandbox/failed_share": 0.9})
    assert [(one.rule, str(one.action)) for one in found] == [("sandbox", "flag"), ("sandbox_ill", "stop")]
    assert not Collapse(config).feed({"step": 1, "sandbox/failed_share": 0.0})


class Touchy(Monitor):
    name = "touchy"

    def completions(self, seen: Sequence[Any]) -> Sequence[Sequence[Any]]:
        for one in seen:
            if "boom" in one:
                raise ValueError("a monitor's own")
        return [()] * len(seen)


def test_a_monitor_that_fails_on_one_text_sees_the_others_and_says_so() -> None:
    overseer = Overseer.__new__(Overseer)
    found = overseer._look(Touchy(), ["a", "boom", "b"])  # type: ignore[list-item]
    assert [[finding.rule for finding in row] for row in found] == [[], [UNSEEN], []]
    with pytest.raises(Exception, match="the monitor touchy failed"):
        overseer._look(Touchy(), ["boom", "boom"])  # type: ignore[list-item]
