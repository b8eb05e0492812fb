"""What the proposer is asked, and how its text is read."""

from collections.abc import Callable

import pytest
from azr.pipeline.parts import Parts
from azr.propose import ask, fitting_prompt, propose_prompts, step_prompts
from azr.types import Draft, Kind, Prompt, Proposal, Role, Task, Unparsed
from azr.util.randomness import generator

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


def test_before_the_start_step_nothing_is_proposed(make_parts: Make) -> None:
    parts = make_parts(lambda prompt, draw: "", "propose.start_step=5")
    assert propose(parts, 4) == [] and len(propose(parts, 5)) == 9


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


def test_prompts_ask_for_what_the_paper_asks(make_parts: Make) -> None:
    parts = make_parts()
    texts = {kind: propose_prompts(parts, kind, 1)[0].text for kind in parts.config.tasks.kinds}
    assert "input" in texts[Kind.ABDUCTION] and "calendar" in texts[Kind.DEDUCTION]
    assert "4 inputs" in texts[Kind.INDUCTION]
    assert all("$" not in text for text in texts.values())
    assert isinstance(propose_prompts(parts, Kind.DEDUCTION, 1)[0], Prompt)
    assert propose_prompts(parts, Kind.DEDUCTION, 1)[0].role is Role.PROPOSE
