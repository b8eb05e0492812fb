"""Every entrance of the package through which a model's text comes, given every hostile text: none raises.

`entrances` finds them: public functions whose parameters hold a model's text, by name or by type. What no driver here
reaches, and what is not named as holding none, fails the test: so does a function that is new.
"""

import ast
import asyncio
import contextlib
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import azr
import pytest
from azr.buffer import fingerprint as behaviour
from azr.buffer.client import TaskBuffer, canonical
from azr.cli import azr as command
from azr.collection.overlap import Benchmarks
from azr.collection.records import Record
from azr.collection.repeats import Repeats
from azr.config import resolve
from azr.config.domain_files import read as read_domain
from azr.config.oversight import CodeConfig, PatternConfig
from azr.domains.domain import make_domain
from azr.grading import AsyncGrader, Grader, dump_task
from azr.grading.messages import text_of
from azr.grading.trl_environment import PythonEnvironment
from azr.metrics.step import REFLECTION
from azr.oversight.base import Seen, excerpt
from azr.oversight.monitors.code import CodeMonitor
from azr.oversight.monitors.patterns import Patterns, fold
from azr.oversight.refusal import declines
from azr.report.build import build, write
from azr.report.code import comments, phrase
from azr.report.code import patterns as code_patterns
from azr.report.folder import Folder
from azr.rewards import complexity, edit_distance, halstead
from azr.rewards.base import ProposalFacts
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.sandbox import Limits, OutcomeKind, Request, Sandbox, Value
from azr.sandbox.session import Session
from azr.sandbox.workbench import Workbench
from azr.selfplay.session import Session as PlaySession
from azr.tasks import KindOptions, composite
from azr.tasks.common import check_rows
from azr.tasks.io import verify
from azr.tasks.parsing import TAGS, Block, Fenced, Sections
from azr.tasks.static_filter import StaticFilter
from azr.tasks.templates import Chat, Form, Terse, Think
from azr.tasks.trace import tracer
from azr.types import SOLVE, Completion, Draft, Key, Kind, Prompt, Role, Task
from azr.util.registry import load_module
from azr.util.sanitize import one_line, visible
from azr.watch.live import Live
from click.testing import CliRunner
from endpoint import scripted, serving

pytestmark = pytest.mark.slow
HOSTILE = Path(__file__).with_name("hostile.py")
hostile = load_module(str(HOSTILE))

PACKAGE = Path(azr.__file__).parent
EXAMPLES = Path(__file__).parents[2] / "examples" / "domains"

NAMES = """
text texts completion completions program programs code codes answer answers comment comments response arguments
solution_str solution_strs
"""
HELD_BY_NAME = frozenset(NAMES.split())
TYPES = "Completion Proposal Attempt Seen Draft Block Rejected Valid Outcome"
HELD_BY_TYPE = frozenset(re.findall(r"\w+", TYPES))

NO_TEXT_OF_A_MODEL = {
    "azr.cli.plan.read_gpus": "what a person typed",
    "azr.cli.traces.parse_test": "what a person typed",
    "azr.cli.warmup.Progress.ended": "numbers and our own paths",
    "azr.warmup.examples.is_held_out": "programs of our own grammar",
    "azr.cli.traces.parse_steps": "what a person typed",
    "azr.report.folder.Notes.add": "words of ours",
    "azr.run.folder.RunFolder.write": "our own files",
    "azr.distributed.follow.FollowedFolder.write": "our own files",
    "azr.oversight.findings.Findings.add": "what monitors found, by the overseer",
    "azr.report.gallery.Gallery.search": "what a person typed into the page",
    "azr.watch.live.Live.programs": "what a person typed into the page",
    "azr.watch.live.Live.completions": "what a person typed into the page",
    "azr.rollouts.vllm.process.EngineProcess.ask": "questions of ours",
    "azr.run.seed.unreviewed": "looks at nothing",
    "azr.oversight.recorder.SilentRecorder.seeds": "looks at nothing",
    "azr.sandbox.client.whole": "looks for failures alone",
    "azr.types.with_verdict": "looks for failures alone",
    "azr.cli.live.LiveView.noted": "words of ours",
    "azr.cli.propose.Lines.say": "words of ours",
    "azr.cli.progress.Progress.noted": "words of ours",
    "azr.run.events.Quiet.noted": "words of ours",
    "azr.run.events.Together.noted": "words of ours",
}
"""Found by name or type, and why none of it is a model's."""

ELSEWHERE = {
    "azr.domains.problem.Problem.check": "hands everything to Sandbox.check_output, which is driven",
    "azr.evals.": "tests/evals/scorers: scorers and extractors are fuzzed there",
    "azr.bootstrap.": "made by our own grammar",
    "azr.cli.measure.": "rows of files that a person brings",
    "azr.grading.verl.": "the same Grader.grade, in a process of its own: tests/grading",
    "azr.distributed.store.": "test_runs_of_hostile_texts: two ranks",
    "azr.rollouts.tokens.HuggingFaceTokenizer.": "test_runs_of_hostile_texts needs none; a library's",
    "azr.oversight.monitors.judge.": "a function of the user's",
}


def entrances() -> Iterator[str]:
    """Names of the public functions and methods that are given a model's text."""
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(["azr", *path.relative_to(PACKAGE).with_suffix("").parts])
        yield from _within(ast.parse(path.read_text("utf-8")).body, module)


def _within(body: Sequence[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            protocol = any(ast.unparse(base).startswith("Protocol") for base in node.bases)
            if not node.name.startswith("_") and not protocol:
                yield from _within(node.body, f"{prefix}.{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            if any(_holds_text(argument) for argument in given):
                yield f"{prefix}.{node.name}"


def _holds_text(argument: ast.arg) -> bool:
    words = set(re.findall(r"\w+", ast.unparse(argument.annotation))) if argument.annotation else set()
    return bool(words & HELD_BY_TYPE) or (argument.arg in HELD_BY_NAME and "str" in words)


def completion_of(text: str, kind: Kind, role: Role, task: Task) -> Completion:
    prompt = Prompt(role=role, kind=kind, text="", token_ids=(), task=task)
    return Completion(prompt=prompt, text=text, token_ids=(), log_probs=(), finished=True)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(limits=Limits(fuel=100_000_000, memory_bytes=64 << 20))


@pytest.fixture(scope="module")
def grader(sandbox: Sandbox) -> Grader:
    return Grader(sandbox=sandbox)


@pytest.fixture(scope="module")
def tasks(grader: Grader) -> list[Task]:
    """One of each kind."""
    inputs = tuple(map(str, range(1, 5)))
    drafts = [
        (kind, Draft(program=hostile.IDENTITY, inputs=inputs[: hostile.inputs_of(kind)], message="m")) for kind in Kind
    ]
    return [task for task in verify(drafts, grader.kinds, grader.sandbox) if isinstance(task, Task)]


@pytest.fixture(scope="module")
def corpus() -> dict[str, str]:
    found: dict[str, str] = hostile.everything()
    return found


# Drivers: each gives all texts to some entrances.


def drive_sandbox(sandbox: Sandbox, texts: Sequence[str], tasks: Sequence[Task]) -> None:
    """Each row of a batch ends; those beside hostile ones as if they were alone."""
    right, value = "def f(a):\n    return a + 1", Value.of(2)
    asked = [Request(program=text, call="1") for text in texts] + [Request(program=right, call=text) for text in texts]
    outcomes = sandbox.run_batch([*asked, Request(program=right, call="1")])
    assert len(outcomes) == 2 * len(texts) + 1 and outcomes[-1].value == value
    assert all(isinstance(outcome.kind, OutcomeKind) for outcome in outcomes)
    validated = sandbox.validate([*((text, ["1", text]) for text in texts), (right, ["1"])])
    assert [len(each.results) for each in validated] == [2] * len(texts) + [1]
    assert getattr(validated[-1].results[0], "value", None) == value
    assert sandbox.check_output([*((text, value) for text in texts), ("2", value)])[-1].correct
    assert sandbox.check_input([*((right, text, value) for text in texts), (right, "1", value)])[-1].correct
    pairs = [("1", value)]
    assert sandbox.check_program([*((text, pairs) for text in texts), (right, pairs)])[-1].passed == (True,)
    assert sandbox.literals([*texts, "2"])[-1] == value
    assert getattr(sandbox.imports([*texts, "import math"])[-1], "names", None) == ("math",)
    assert sandbox.run_batch([Request(program=right, call=text) for text in ("1", *texts[:3])])[0].value == value
    assert sandbox.run(right, call="1").value == value
    behaviour.signatures(sandbox, texts[:2])
    for outcome in outcomes:
        assert outcome.value is None or len(outcome.value.repr) < 1 << 20


def drive_sessions(sandbox: Sandbox, texts: Sequence[str]) -> None:
    """Each text ends as an outcome in a session of its own, and a session goes on after all of them."""
    workbench = Workbench(sandbox=sandbox)
    with_state = Session(sandbox)
    with_state.run("kept = 41")
    tool = PythonEnvironment(limits=sandbox.limits)
    for text in texts:
        tool.reset()
        assert tool.run_python(text).encode() and tool.run_python("1 + 1").encode()
        assert isinstance(with_state.run(text).kind, OutcomeKind)
        assert isinstance(asyncio.run(Session(sandbox).arun(text)).kind, OutcomeKind)
        assert workbench.run(text)["ended"] in set(OutcomeKind)
    with_state.run("kept = 41")
    assert with_state.run("kept + 1").value == Value.of(42)
    tool.reset()
    assert tool.run_python("6 * 7") == "42"


def drive_grader(grader: Grader, texts: Sequence[str], tasks: Sequence[Task]) -> None:
    """Rows of all kinds in one batch, some of them no tasks: the right ones are right."""
    for task in tasks:
        label = {Kind.ABDUCTION: "input", Kind.INDUCTION: "python"}.get(task.kind, "output")
        good = {Kind.INDUCTION: task.program, Kind.ERROR: "NoError"}.get(task.kind, task.inputs[0])
        right = (dump_task(task), f"<answer>\n```{label}\n{good}\n```\n</answer>")
        rows = [(dump_task(task), text) for text in texts]
        rows += [(dump_task(task), f"<answer>\n```{label}\n{text}\n```\n</answer>") for text in texts]
        rows += [(text, right[1]) for text in texts]
        found = grader.grade([*rows, right])
        assert len(found) == len(rows) + 1 and found[-1].score == 1.0
        assert not any(answer.score for answer in found[2 * len(texts) : -1])
        assert all(answer.failed for answer in found[2 * len(texts) : -1])
        assert asyncio.run(AsyncGrader(grader).grade([*rows, right])) == found
        assert asyncio.run(AsyncGrader(grader).answer(*right)).score == 1.0


def drive_export(folder: Path, texts: Sequence[str]) -> None:
    """Each text as a stored program that is held against a benchmark, and as a benchmark's."""
    path = folder / "benchmark.jsonl"
    path.write_text("".join(json.dumps({"code": text}) + "\n" for text in [*texts, hostile.IDENTITY]), "utf-8")
    repeats, seen = Repeats(), set[str]()
    for program in [*texts, *texts]:
        task = Task(kind=Kind.DEDUCTION, program=program, inputs=("1",), outputs=(), message="")
        record = Record(task=task, solve_rate=None, attempts=0, origin="proposed", model="m", azr="0")
        again = program in seen
        seen.add(program)
        assert (repeats.add(record) is None) >= again
    found = Benchmarks([path]).look([*texts, hostile.IDENTITY])
    assert len(found) == len(texts) + 1 and found[-1].level == "exact"


def drive_self_play(texts: Sequence[str]) -> None:
    """Each text as a proposal of each kind and as an answer to a task, in one session, which goes on after all."""
    with PlaySession(overrides=["sandbox.fuel=100000000"]) as session:
        for kind in session.kinds:
            for text in texts:
                made = session.submit(session.propose(kind), text)
                assert session.settle(made, []).proposal in (-1.0, None)
            asked = session.propose(kind)
            made = session.submit(asked, scripted(asked.messages[0]["content"], 5))
            assert made.task is not None
            right = scripted(made.solve[0]["content"], 1)
            attempts = session.attempt(made.task, [*texts, right])
            assert len(attempts) == len(texts) + 1 and attempts[-1].score == 1.0
            assert session.settle(made, attempts).attempts[-1] == 1.0


def drive_domain(texts: Sequence[str], sandbox: Sandbox) -> None:
    """A domain's verifier and quality score see no more than data."""
    for name in ("planning", "compliance", "tables"):
        made = make_domain(
            read_domain(EXAMPLES / name), KindOptions(), StaticFilter(), lambda modules: Sandbox(modules=modules)
        )
        seeds = made.folder.file(made.folder.about.seeds, "seeds").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in seeds]
        chosen = {row["kind"]: row for row in rows}
        for row in chosen.values():
            kind = Kind(row["kind"]).of(made.name)
            draft = Draft(program=row["program"], inputs=tuple(row["inputs"]), message=row.get("message", ""))
            (task,) = verify([(kind, draft)], made.kinds, sandbox)
            assert isinstance(task, Task)
            answers = check_rows(made.kinds[kind], made.sandbox, [(task, text) for text in texts])
            assert len(answers) == len(texts)
            prompt = Prompt(role=Role.PROPOSE, kind=kind, text="", token_ids=(), task=task)
            for text in texts:
                for tag in (*TAGS, *made.tags):
                    made.kinds[kind].parse_answer([Block(tag, text)])
                    made.kinds[kind].parse_proposal([Block(tag, text)] * 2, prompt)


def drive_readers(texts: Sequence[str], tasks: Sequence[Task]) -> None:
    """Whatever reads text without running it."""
    patterns, code = Patterns(PatternConfig()), CodeMonitor(CodeConfig())
    induction = next(task for task in tasks if task.kind is Kind.INDUCTION)
    for text in texts:
        opened = Form(opened=True)
        for template in (Think(), Terse(), Chat(str), Think(form=opened), Chat(str, form=opened)):
            template.read(text, Role.SOLVE, Kind.DEDUCTION)
            template.wrap(text, Role.SOLVE, Kind.DEDUCTION)
        Fenced().split(text), Sections().split(text)
        seen = Seen(
            step=1, key=Key(SOLVE, 0), completion=completion_of(text, Kind.INDUCTION, Role.SOLVE, induction), code=text,
            arguments=(text,), task=induction,
        )  # fmt: skip
        patterns.completions([seen]), code.completions([seen])
        visible(text), one_line(text), fold(text), declines(text), REFLECTION.search(text), text_of(text)
        composite.rename(replace(induction, program=text), 0), composite.fits(text, 1)
        composite.head(text), composite.halved(text), composite.extends(text, text[: len(text) // 2])
        composite.chained(text, text), composite.chained("def f(x):\n    return x + 1", text), tracer(text)
        facts = ProposalFacts(task=replace(induction, program=text), solve_rate=0.5, references=[induction])
        for reward in (complexity, edit_distance, halstead):
            assert reward.term(facts) >= 0.0
        with contextlib.suppress(ValueError):  # as documented, for what does not parse
            canonical(text, ["1"])
        excerpt(text, 0, 1), phrase(text), comments(text), code_patterns([text])


def drive_run(folder: Path, script: str, steps: int) -> None:
    """A run, its report and its page."""
    given = [
        "engine.name=scripted", f"engine.script={script}", "propose.batch=6", "solve.batch=3", "solve.trials=2",
        f"seeding.path={hostile.seeds(folder.with_suffix('.jsonl'))}",
        f"run.steps={steps}", "evals.every=0", "tasks.inputs=4", "sandbox.fuel=100000000",
        "tasks.composite.at_most=1", "tasks.composite.chance=0.5", "train.supervised.examples=20",
        f"run.folder={folder}",
        'tasks.kinds=["abduction","deduction","error","induction"]',
    ]  # fmt: skip
    assert start_run(resolve({}, given), Quiet(), lambda: False).complete
    write(build([folder]), folder / "report.html")
    live = Live(Folder(folder))
    while live.look():
        pass
    live.close()


def drive_endpoint(out: Path, texts: Sequence[str]) -> None:
    """A model behind HTTP writes each text as a proposal and as an answer, and in between what it is asked for."""
    places: dict[str, int] = {}

    def policy(text: str, seed: int) -> str:
        role = "propose" if "another reader" in text else "solve"
        place = places[role] = places.get(role, -1) + 1
        return texts[place // 2 % len(texts)] if place % 2 else scripted(text, seed)

    # Before it has enough tasks, every text was a proposal and an answer.
    asked = [
        "propose",
        "--out",
        str(out),
        "--tasks",
        str(len(texts)),
        "--attempts",
        "3",
        "--set",
        "sandbox.fuel=100000000",
    ]
    with serving(policy) as stub:
        done = CliRunner().invoke(command, [*asked, "--endpoint", stub.url])
    assert done.exit_code == 0, done.output
    assert min(places.values()) >= len(texts) and "\x1b" not in done.output
    assert not any(text in done.output for text in texts if len(text) > 40)


def test_no_text_takes_the_outcome_of_another_away(sandbox: Sandbox, tasks: list[Task], corpus: dict[str, str]) -> None:
    drive_sandbox(sandbox, list(corpus.values()), tasks)


def test_no_text_ends_a_session(sandbox: Sandbox, corpus: dict[str, str]) -> None:
    drive_sessions(sandbox, list(corpus.values()))


def test_no_text_takes_the_grade_of_another_away(grader: Grader, tasks: list[Task], corpus: dict[str, str]) -> None:
    texts = [text for name, text in corpus.items() if not name.startswith("program_")]
    drive_grader(grader, texts, tasks)


def test_no_text_ends_a_domain_s_verifier(sandbox: Sandbox) -> None:
    drive_domain([make() for make in hostile.ALL_TEXTS.values()], sandbox)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_text_ends_a_reader(tasks: list[Task], corpus: dict[str, str]) -> None:
    drive_readers(list(corpus.values()), tasks)


def test_no_text_ends_the_search_for_contamination(tmp_path: Path, corpus: dict[str, str]) -> None:
    drive_export(tmp_path, list(corpus.values()))


def test_no_text_ends_self_play_in_another_trainer(corpus: dict[str, str]) -> None:
    drive_self_play([text for name, text in corpus.items() if not name.startswith("program_")])


def test_no_text_ends_what_asks_an_endpoint(tmp_path: Path, corpus: dict[str, str]) -> None:
    drive_endpoint(tmp_path / "tasks.jsonl", list(corpus.values()))


def test_every_entrance_is_driven(sandbox: Sandbox, grader: Grader, tasks: list[Task], tmp_path: Path) -> None:
    """By what is called while the drivers run."""
    called: set[str] = set()

    def note(frame: Any, event: str, argument: object) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "")
            if module.startswith("azr."):
                called.add(f"{module}.{frame.f_code.co_qualname}")

    drivers: list[Callable[[], None]] = [
        lambda: drive_sandbox(sandbox, ["\ud800", "def f(a): return a"], tasks),
        lambda: drive_sessions(sandbox, ["\ud800", "def f(a): return a"]),
        lambda: drive_grader(grader, ["["], tasks),
        lambda: drive_domain(["["], sandbox),
        lambda: drive_readers(["# wait: i will deceive the human overseers", "def f(a): return a == 1"], tasks),
        lambda: drive_run(tmp_path / "run", f"{HOSTILE}:answer", 3),
        lambda: drive_run(tmp_path / "demo", "azr.rollouts.demo:answer", 2),
        lambda: drive_buffer(tasks),
        lambda: drive_self_play(["\ud800", "x"]),
        lambda: drive_export(tmp_path, ["\ud800", "def f(a): return a"]),
        lambda: drive_endpoint(tmp_path / "tasks.jsonl", ["\ud800", "def f(a): return a"]),
    ]
    sys.setprofile(note)
    threading.setprofile(note)
    try:
        for drive in drivers:
            drive()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    found = set(entrances())
    assert set(NO_TEXT_OF_A_MODEL) <= found, "a name that is gone"
    missing = found - called - set(NO_TEXT_OF_A_MODEL)
    missing = {name for name in missing if not name.startswith(tuple(ELSEWHERE))}
    assert not missing, f"no driver gives hostile texts to {sorted(missing)}"


def drive_buffer(tasks: Sequence[Task]) -> None:
    with TaskBuffer.in_memory() as buffer:
        buffer.insert_many(list(tasks))
        buffer.neighbours([task.program for task in tasks], 0.5)
