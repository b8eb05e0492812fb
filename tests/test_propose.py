"""What the proposer is asked, and how its text is read."""

from collections.abc import Callable, Sequence

import pytest
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import roll_out
from azr.propose import ask, fitting_prompt, propose_prompts, step_prompts
from azr.rollouts.base import Request
from azr.run.seed import identity_tasks
from azr.types import (
    Attempt,
    Completion,
    Draft,
    Kind,
    Prompt,
    Proposal,
    Reason,
    Rejected,
    Role,
    Task,
    Unparsed,
    Valid,
)  # fmt: skip
from azr.util.randomness import generator
from azr.validate import validate

Make = Callable[..., Parts]


def propose(parts: Parts, step: int) -> list[Proposal]:
    return ask(parts, step_prompts(parts, step), step, "propose")


def sums(count: int, kind: Kind = Kind.DEDUCTION) -> list[tuple[Kind, Draft]]:
    return [(kind, Draft(program=f"def f(a):\n    return a + {n}", inputs=("1",))) for n in range(count)]


def fill(parts: Parts, count: int) -> None:
    from azr.tasks.io import verify

    for kind in (Kind.DEDUCTION, Kind.ABDUCTION):
        parts.store.add(
            [task for task in verify(sums(count, kind), parts.kinds, parts.sandbox) if isinstance(task, Task)]
        )


def test_every_kind_gets_its_batch_in_one_call(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "")
    proposals = propose(parts, 1)
    kinds = [proposal.kind for proposal in proposals]
    assert kinds == [kind for kind in parts.config.tasks.kinds for _ in range(3)]


def test_references_are_distinct_tasks_of_the_same_kind(make_parts: Make) -> None:
    parts = make_parts()
    fill(parts, 20)
    for prompt in propose_prompts(parts, Kind.ABDUCTION, 1):
        ids = [task.id for task in prompt.references]
        assert len(ids) == len(set(ids)) == 6
        assert all(task.kind is Kind.ABDUCTION and task.program in prompt.text for task in prompt.references)


def test_no_references_is_the_papers_ablation(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", "propose.references=0")
    fill(parts, 5)
    assert all(not prompt.references for prompt in propose_prompts(parts, Kind.DEDUCTION, 1))


def test_induction_proposals_are_about_a_stored_program(make_parts: Make) -> None:
    parts = make_parts()
    for prompt in propose_prompts(parts, Kind.INDUCTION, 1):
        assert prompt.task is not None and prompt.task.program in prompt.text
        assert prompt.task.kind in (Kind.DEDUCTION, Kind.ABDUCTION)


def test_a_prompt_that_is_too_long_shows_fewer_references(make_parts: Make) -> None:
    parts = make_parts()
    fill(parts, 6)
    references = parts.store.references(Kind.DEDUCTION, generator(0, 1, "test"))
    longest = len(fitting_prompt(parts, Kind.DEDUCTION, references[:3], None).token_ids)
    narrow = make_parts(lambda prompt, draw: "", f"prompt.max_tokens={longest}")
    prompt = fitting_prompt(narrow, Kind.DEDUCTION, references, None)
    assert prompt.references == tuple(references[:3])


def test_seed_proposals_are_built_on_nothing(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", "tasks.composite.at_most=1", "tasks.composite.chance=1.0")
    fill(parts, 30)
    built = [[bool(p.composites) for p in propose_prompts(parts, Kind.DEDUCTION, step)] for step in (0, 1)]
    assert built == [[False] * 3, [True] * 3]


def test_references_depend_on_seed_and_step_alone(make_parts: Make) -> None:
    parts = make_parts()
    fill(parts, 30)

    def shown(step: int) -> list[tuple[int | None, ...]]:
        prompts = propose_prompts(parts, Kind.DEDUCTION, step)
        return [tuple(task.id for task in prompt.references) for prompt in prompts]

    assert shown(1) == shown(1) != shown(2)


def test_composites_are_shown_and_named(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", "tasks.composite.at_most=2", "tasks.composite.chance=1.0")
    fill(parts, 10)
    prompt = propose_prompts(parts, Kind.DEDUCTION, 1)[0]
    assert 1 <= len(prompt.composites) <= 2
    assert all(
        task.program in prompt.text and f"def g_{n}(" in task.program for n, task in enumerate(prompt.composites)
    )


SOLVED, UNSOLVED = "def f(a):\n    return a + 1", "def f(a):\n    return a + 2"


def record(parts: Parts, rates: dict[str, float]) -> None:
    """Store tasks of these programs, solved so often."""
    from azr.tasks.io import verify

    drafts = [(Kind.DEDUCTION, Draft(program=program, inputs=("1",))) for program in rates]
    made = [task for task in verify(drafts, parts.kinds, parts.sandbox) if isinstance(task, Task)]
    for verdict, rate in zip(made, rates.values(), strict=True):
        parts.store.add([verdict])
        (stored,) = [task for task in parts.store.everything() if task.program == verdict.program]
        attempt = Attempt(completion=nothing(stored), text="", formatted=True, score=rate, reason="")
        parts.store.record([(stored, [attempt])], 1)


def nothing(task: Task) -> Completion:
    prompt = Prompt(role=Role.SOLVE, kind=task.kind, text="", token_ids=(), task=task)
    return Completion(prompt=prompt, text="", token_ids=(), log_probs=(), finished=True)


TERSE = ("prompt.template=terse", "tasks.composite.at_most=1", "tasks.composite.chance=1.0")


def test_a_terse_composite_goes_on_from_a_program_that_is_solved(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "\n    return a * 3\n<input>4", 'tasks.kinds=["deduction"]', *TERSE)
    record(parts, {SOLVED: 1.0, UNSOLVED: 0.0})
    start = "def f(a):\n    a = a + 1"
    for prompt in propose_prompts(parts, Kind.DEDUCTION, 1):
        assert prompt.start == start and prompt.text.endswith(f"<program>\n{start}")
    for verdict in validate(parts, propose(parts, 1), 1):
        assert isinstance(verdict, Valid)
        assert verdict.task.program == f"{start}\n    return a * 3" and verdict.task.outputs[0].repr == "15"
        (parent,) = verdict.task.parents
        assert [task.program for task in parts.store.everything() if task.id == parent] == [SOLVED]


def test_a_terse_composite_that_does_nothing_more_is_rejected(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "\n    return a\n<input>4", 'tasks.kinds=["deduction"]', *TERSE)
    record(parts, {SOLVED: 1.0})
    verdicts = validate(parts, propose(parts, 1), 1)
    assert [v.reason for v in verdicts if isinstance(v, Rejected)] == [Reason.BAD_COMPOSITE] * 3


def test_nothing_goes_on_from_programs_that_nobody_solves(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', *TERSE)
    record(parts, {UNSOLVED: 0.0})
    assert all(not prompt.composites and not prompt.start for prompt in propose_prompts(parts, Kind.DEDUCTION, 1))


def test_proposals_can_aim_at_what_nobody_solves(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', *TERSE, "tasks.composite.aimed=1.0")
    far = "def f(a):\n    a = a + 1\n    a = a * 3\n    a = a - 4\n    return a % 7"
    record(parts, {SOLVED: 1.0, far: 0.0})
    (target,) = [task.id for task in parts.store.everything() if task.program == far]
    for prompt in propose_prompts(parts, Kind.DEDUCTION, 1):
        assert prompt.start == "def f(a):\n    a = a + 1\n    a = a * 3"
        assert [task.id for task in prompt.composites] == [target]
        assert prompt.target is not None and prompt.target.program == far


def test_where_all_is_solved_proposals_build_on_it(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", 'tasks.kinds=["deduction"]', *TERSE, "tasks.composite.aimed=1.0")
    record(parts, {SOLVED: 1.0})
    assert {prompt.start for prompt in propose_prompts(parts, Kind.DEDUCTION, 1)} == {"def f(a):\n    a = a + 1"}


GOOD = "```python\ndef f(a):\n    return a\n```\n```input\n1\n```"


@pytest.mark.parametrize(
    ("text", "formatted", "read"),
    [
        (f"hm </think> <answer>{GOOD}</answer>", True, True),
        (f"hm <answer>{GOOD}</answer>", False, True),
        (f"hm </think> {GOOD}", False, False),
        ("hm </think> <answer>no blocks</answer>", True, False),
    ],
)
def test_reading_keeps_form_and_content_apart(make_parts: Make, text: str, formatted: bool, read: bool) -> None:
    parts = make_parts(lambda prompt, draw: text, 'tasks.kinds=["deduction"]')
    for proposal in propose(parts, 1):
        assert proposal.formatted is formatted
        assert isinstance(proposal.draft, Unparsed) is not read


def test_propose_prompts_are_sampled_at_the_configured_temperature(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", "sampling.temperature=0.7")
    assert parts.sampling(1, "propose").temperature == 0.7
    assert parts.sampling(1, "propose").seed != parts.sampling(2, "propose").seed != parts.sampling(2, "solve").seed


def test_each_role_samples_by_its_own_settings_in_a_step(make_parts: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ["sampling.propose.temperature=1.3", "sampling.propose.max_tokens=77", "sampling.top_p=0.9"]
    parts = make_parts(lambda prompt, draw: GOOD, *own, 'tasks.kinds=["deduction"]', "propose.batch=1", "solve.batch=1")
    asked: dict[str, set[tuple[float, float, int]]] = {}
    submit = parts.engine.submit

    def note(requests: Sequence[Request]) -> None:
        for request in requests:
            given = request.sampling
            asked.setdefault(request.key.purpose, set()).add((given.temperature, given.top_p, given.max_tokens))
        submit(requests)

    monkeypatch.setattr(parts.engine, "submit", note)
    (task,) = [t for t in identity_tasks(parts.kinds, 4, parts.sandbox) if t.kind is Kind.DEDUCTION]
    roll_out(parts, 1, [task], lambda name, stage: stage())
    assert asked["propose"] == {(1.3, 0.9, 77)} and asked["solve"] == {(1.0, 0.9, parts.config.sampling.max_tokens)}


def test_prompts_ask_for_what_the_paper_asks(make_parts: Make) -> None:
    parts = make_parts()
    texts = {kind: propose_prompts(parts, kind, 1)[0].text for kind in parts.config.tasks.kinds}
    assert "input" in texts[Kind.ABDUCTION] and "calendar" in texts[Kind.DEDUCTION]
    assert "4 inputs" in texts[Kind.INDUCTION]
    assert all("$" not in text for text in texts.values())
    assert isinstance(propose_prompts(parts, Kind.DEDUCTION, 1)[0], Prompt)
    assert propose_prompts(parts, Kind.DEDUCTION, 1)[0].role is Role.PROPOSE
