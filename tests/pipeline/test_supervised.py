"""Verified answers are learnt beside the policy gradient, with the values between the steps as thoughts."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from azr.config import resolve
from azr.pipeline.parts import Parts
from azr.pipeline.supervised import supervised
from azr.propose import read_proposal
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.solve import solve
from azr.tasks import source
from azr.tasks.answer import read_answer
from azr.tasks.io import verify
from azr.types import Attempt, Draft, Episode, Kind, Prompt, Role, Task

PROGRAM = "def f(x):\n    x = sorted(x)\n    x = x[1:]\n    return sum(x)"
LONG = "def f(x):\n    x = [x[0]] * 40\n    return len(x)"


def attempted(parts: Parts, drafts: Sequence[tuple[Kind, str, Sequence[str]]]) -> list[list[Attempt]]:
    """Two attempts at each task, as the parts' script answers."""
    given = [(kind, Draft(program=program, inputs=tuple(inputs))) for kind, program, inputs in drafts]
    tasks = [task for task in verify(given, parts.kinds, parts.sandbox) if isinstance(task, Task)]
    assert len(tasks) == len(drafts)
    return solve(parts, tasks, 2, parts.sampling(1, "solve"))


def texts(episodes: Sequence[Episode]) -> list[str]:
    return [episode.completion.text for episode in episodes]


TERSE = ("prompt.template=terse", "train.supervised.examples=8")


def test_thoughts_are_the_values_between_the_steps_forwards_for_deduction_and_backwards_for_abduction(
    make_parts: Callable[..., Parts],
) -> None:
    parts = make_parts(lambda prompt, draw: "", *TERSE)
    tried = attempted(parts, [(Kind.DEDUCTION, PROGRAM, ["[3, 1, 2]"]), (Kind.ABDUCTION, PROGRAM, ["[3, 1, 2]"])])
    forwards, backwards = texts(supervised(parts, tried, 1))
    assert forwards == "<think>[1, 2, 3]\n[2, 3]\n<output>5"
    assert backwards == "<think>[2, 3]\n[1, 2, 3]\n<input>[3, 1, 2]"


def test_a_task_to_induce_is_learnt_from_right_attempts_alone(make_parts: Callable[..., Parts]) -> None:
    right = "<program>\ndef f(x):\n    return sum(sorted(x)[1:])"
    asked = [(Kind.INDUCTION, PROGRAM, ["[2, 9, 3]", "[1]", "[]", "[4, 4]"])]
    for answer, learnt in ((right, [right]), ("<program>\ndef f(x):\n    return 0", [])):
        parts = make_parts(lambda prompt, draw, answer=answer: answer, *TERSE)
        assert texts(supervised(parts, attempted(parts, asked), 1)) == learnt


def test_values_too_long_to_write_down_leave_the_answer_alone(make_parts: Callable[..., Parts]) -> None:
    parts = make_parts(lambda prompt, draw: "", *TERSE)
    (found,) = texts(supervised(parts, attempted(parts, [(Kind.DEDUCTION, LONG, ["[3]"])]), 1))
    assert found == "<output>40"


def test_a_task_that_was_solved_is_learnt_in_the_solvers_own_words(make_parts: Callable[..., Parts]) -> None:
    own = "<think>why not\n<output>3"
    parts = make_parts(lambda prompt, draw: own, *TERSE)
    asked = [(Kind.DEDUCTION, "def f(x):\n    return x + 1", [text]) for text in ("2", "3")]
    assert texts(supervised(parts, attempted(parts, asked), 1)) == [own, "<output>4"]


def test_of_right_attempts_at_a_task_the_shortest_is_learnt(make_parts: Callable[..., Parts]) -> None:
    answers = iter(["<think>a longer way\n<output>3", "<think>short\n<output>3"])
    parts = make_parts(lambda prompt, draw: next(answers), *TERSE)
    tried = attempted(parts, [(Kind.DEDUCTION, "def f(x):\n    return x + 1", ["2"])])
    assert texts(supervised(parts, tried, 1)) == ["<think>short\n<output>3"]


@pytest.mark.parametrize("template", ["terse", "think"])
@pytest.mark.parametrize("kind", [Kind.DEDUCTION, Kind.ABDUCTION])
def test_what_is_learnt_reads_as_a_right_answer(make_parts: Callable[..., Parts], template: str, kind: Kind) -> None:
    parts = make_parts(lambda prompt, draw: "", f"prompt.template={template}", "train.supervised.examples=8")
    tried = attempted(parts, [(kind, PROGRAM, ["[5]"])])
    (learnt,) = supervised(parts, tried, 1)
    answer = read_answer(parts.renderer.template, parts.kinds, kind, learnt.completion.text).answer
    assert isinstance(answer, str)
    (verdict,) = parts.kinds[kind].check(parts.sandbox, [(tried[0][0].task, answer)])
    assert verdict.score == 1.0
    assert learnt.completion.token_ids[-1] in parts.engine.tokenizer.end_ids


def test_a_step_learns_as_many_as_the_config_says_and_the_same_in_every_run(make_parts: Callable[..., Parts]) -> None:
    parts = make_parts(lambda prompt, draw: "", "prompt.template=terse", "train.supervised.examples=12")
    tried = attempted(parts, [(Kind.DEDUCTION, f"def f(x):\n    return x + {n}", ["2"]) for n in range(8)])
    first = texts(supervised(parts, tried, 1))
    assert len(first) == 3 and first == texts(supervised(parts, tried, 1))
    assert any(texts(supervised(parts, tried, step)) != first for step in (2, 3, 4))


def test_nothing_is_learnt_so_unless_it_is_asked_for(make_parts: Callable[..., Parts]) -> None:
    parts = make_parts(lambda prompt, draw: "", "prompt.template=terse")
    assert supervised(parts, attempted(parts, [(Kind.DEDUCTION, PROGRAM, ["[1]"])]), 1) == []


def test_chains_of_stored_programs_are_longer_than_any_of_them_and_their_answers_right(
    make_parts: Callable[..., Parts],
) -> None:
    parts = make_parts(lambda prompt, draw: "", "prompt.template=terse", "train.supervised.examples=40")
    bodies = ["x = x[1:]\n    return sorted(x)", "return x[::-1]", "x = [v * 2 for v in x]\n    return x + [7]"]
    given = [(Kind.DEDUCTION, Draft(program=f"def f(x):\n    {body}", inputs=("[3, 1, 2]",))) for body in bodies]
    stored = [task for task in verify(given, parts.kinds, parts.sandbox) if isinstance(task, Task)]
    parts.store.add(stored)
    everything = supervised(parts, [], 1)
    learnt = [episode for episode in everything if episode.role is Role.SOLVE]
    tasks = [episode.completion.prompt.task for episode in learnt]
    assert len(everything) == 40 and {task.kind for task in tasks if task} == {Kind.DEDUCTION, Kind.ABDUCTION}
    sizes = [source.size(task.program) for task in tasks if task]
    assert max(source.size(task.program) for task in stored) < max(sizes) <= 8
    for task, episode in zip(tasks, learnt, strict=True):
        assert task is not None
        answer = read_answer(parts.renderer.template, parts.kinds, task.kind, episode.completion.text).answer
        assert isinstance(answer, str)
        (verdict,) = parts.kinds[task.kind].check(parts.sandbox, [(task, answer)])
        assert verdict.score == 1.0


@pytest.mark.parametrize(
    "line",
    [
        "globals()['_azr_values'].append('\\ud800')",
        "globals()['_azr_values'].append(3)",
        "globals()['_azr_values'] = 'no list'",
        "globals()['_azr_record'] = len",
    ],
    ids=["surrogate", "number", "no list", "other recorder"],
)
def test_a_program_that_reaches_into_its_trace_costs_its_own_thoughts_alone(
    make_parts: Callable[..., Parts], line: str
) -> None:
    parts = make_parts(lambda prompt, draw: "", *TERSE)
    hostile = f"def f(x):\n    if '_azr_values' in globals():\n        {line}\n    x = x + 1\n    return x * 2"
    tried = attempted(parts, [(Kind.DEDUCTION, hostile, ["1"]), (Kind.DEDUCTION, PROGRAM, ["[3, 1, 2]"])])
    forged, honest = texts(supervised(parts, tried, 1))
    assert forged.endswith("<output>4") and honest == "<think>[1, 2, 3]\n[2, 3]\n<output>5"


def test_proposals_are_stored_tasks_and_a_rare_type_of_input_is_drawn_more_often_than_it_is_stored(
    make_parts: Callable[..., Parts],
) -> None:
    parts = make_parts(lambda prompt, draw: "", "prompt.template=terse", "train.supervised.examples=2400")
    shapes = [*((f"x + '{n}'", f"'{n}'") for n in range(9)), *((f"x + {n}", str(n - 40)) for n in range(81))]
    # No literal: a type of its own once, which a quarter of the examples came from.
    shapes.append(("x + 100", "1-3"))
    given = [(Kind.DEDUCTION, Draft(program=f"def f(x):\n    return {body}", inputs=(text,))) for body, text in shapes]
    parts.store.add([task for task in verify(given, parts.kinds, parts.sandbox) if isinstance(task, Task)])
    everything = supervised(parts, [], 1)
    proposed = [episode for episode in everything if episode.role is Role.PROPOSE]
    on_text = sum(episode.completion.text.endswith("'") for episode in proposed)
    # A tenth of the tasks, and the root of a ninth is a third: a quarter of the examples.
    assert len(proposed) == 200 and 30 < on_text < 70
    assert not any("1-3" in episode.completion.prompt.text + episode.completion.text for episode in everything)
    read = [read_proposal(parts, episode.completion).draft for episode in proposed]
    assert all(isinstance(draft, Draft) for draft in read)


def test_what_reads_entropy_or_fails_is_not_learnt(make_parts: Callable[..., Parts]) -> None:
    parts = make_parts(lambda prompt, draw: "", *TERSE)
    tried = attempted(parts, [(Kind.DEDUCTION, "def f(x):\n    return len({x, 'a'})", ["'b'"])])
    (plain,) = texts(supervised(parts, tried, 1))
    assert plain == "<output>2"  # a set of texts has no order that a thought could show


@pytest.mark.torch
def test_a_run_learns_verified_answers_and_counts_them(tiny_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    given = [
        "engine.name=scripted", "engine.script=azr.rollouts.demo:answer", "propose.batch=3", "solve.batch=3",
        "solve.trials=2", "seeding.factor=1", "evals.every=0", "run.steps=2",
        "train.supervised.examples=8", f"run.folder={tmp_path / 'run'}",
    ]  # fmt: skip
    start_run(resolve({}, given), Quiet(), lambda: False)
    metrics = (tmp_path / "run" / "metrics.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in metrics.splitlines()]
    counted = [row["supervised/examples"] for row in rows if "supervised/examples" in row]
    assert len(counted) == 2 and all(0 < count <= 8 for count in counted)
    # What is learnt so is no answer of the solver's: it changes none of its numbers.
    own = sum(row.get(f"update/solve/{kind}/episodes", 0) for row in rows for kind in Kind)
    assert own == sum(row.get(f"solve/solve/{kind}/count", 0) for row in rows for kind in Kind)


NAMED = {"sort": "sorted", "tail": "[1:]", "plus": "+ 1"}
"""What each word of a message stands for in the program."""


def test_chains_to_induce_are_made_of_tasks_that_were_induced_and_name_their_steps_in_order(
    make_parts: Callable[..., Parts],
) -> None:
    bodies = {
        "sort": "return sorted(x)",
        "tail": "return x[1:]",
        "plus": "return [v + 1 for v in x]",
        "what": "return x * 2",
    }
    messages = {f"def f(x):\n    {body}": message for message, body in bodies.items()}

    def answer(prompt: Prompt, draw: int) -> str:
        assert prompt.task is not None
        return "<program>\n" + ("def f(x):\n    0" if prompt.task.message == "what" else prompt.task.program)

    parts = make_parts(answer, "prompt.template=terse", "train.supervised.examples=60", "tasks.inputs=4")
    inputs = ("[3, 1, 2]", "[9]", "[4, 4, 0]", "[5, 2]")
    given = [
        (Kind.INDUCTION, Draft(program=program, inputs=inputs, message=message))
        for program, message in messages.items()
    ]
    parts.store.add([task for task in verify(given, parts.kinds, parts.sandbox) if isinstance(task, Task)])
    stored = [task for task in parts.store.everything() if task.kind is Kind.INDUCTION]
    parts.store.record([(row[0].task, row) for row in solve(parts, stored, 2, parts.sampling(1, "solve"))], 1)
    everything = [episode for episode in supervised(parts, [], 1) if episode.kind is Kind.INDUCTION]
    proposed = [episode.completion.text for episode in everything if episode.role is Role.PROPOSE]
    assert proposed and not any("what" in text for text in proposed)
    learnt = [episode for episode in everything if episode.role is Role.SOLVE]
    lengths = set()
    for episode in learnt:
        task = episode.completion.prompt.task
        assert task is not None
        words = task.message.split()
        lengths.add(len(words))
        assert all(NAMED[word] in task.program for word in words)
        text = read_answer(parts.renderer.template, parts.kinds, Kind.INDUCTION, episode.completion.text).answer
        assert isinstance(text, str)
        (verdict,) = parts.kinds[Kind.INDUCTION].check(parts.sandbox, [(task, text)])
        assert verdict.score == 1.0
    assert {1, 2, 3} <= lengths
