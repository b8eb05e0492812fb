"""What the embedded model is shown."""

import numpy as np
import pytest
from azr.bootstrap.corpus import CORPORA, Sample, draw_runs, samples
from azr.bootstrap.split import is_held_out
from azr.bootstrap.tokenizer import make_tokenizer
from azr.sandbox import Sandbox
from azr.tasks import KindOptions, make_kinds
from azr.tasks.render import Renderer
from azr.tasks.templates import Terse
from azr.types import Kind, Role, Unparsed

pytestmark = pytest.mark.torch
INPUTS = 4
KINDS = make_kinds(KindOptions(inputs=INPUTS))


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def renderer() -> Renderer:
    tokenizer = make_tokenizer()
    return Renderer(Terse(), KINDS, lambda text, special: list(tokenizer.encode(text, add_special_tokens=special)), ())


@pytest.fixture(scope="module")
def drawn(sandbox: Sandbox) -> list[Sample]:
    rng = np.random.default_rng(0)
    return list(samples(draw_runs(rng, 200, INPUTS, sandbox), renderer(), rng, INPUTS))


def test_same_seed_same_corpus(sandbox: Sandbox, drawn: list[Sample]) -> None:
    rng = np.random.default_rng(0)
    assert list(samples(draw_runs(rng, 200, INPUTS, sandbox), renderer(), rng, INPUTS)) == drawn


def test_no_held_out_program_is_ever_shown(sandbox: Sandbox) -> None:
    rng = np.random.default_rng(1)
    assert not any(is_held_out(run.chain) for run in draw_runs(rng, 300, INPUTS, sandbox))
    kept = draw_runs(rng, 300, INPUTS, sandbox, held_out=True)
    assert kept and all(is_held_out(run.chain) for run in kept)


def test_every_role_and_kind_is_shown_and_solving_in_both_ways(drawn: list[Sample]) -> None:
    pairs = {(sample.role, sample.kind) for sample in drawn}
    assert pairs == {(role, kind) for role in Role for kind in (Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION)}
    thought = [sample for sample in drawn if sample.completion.startswith("<think>")]
    solved = [sample for sample in drawn if sample.role is Role.SOLVE]
    assert 0.1 < len(thought) / len(solved) < 0.5


def test_the_corpus_of_steps_writes_them_down_where_a_program_is_followed_and_nowhere_else(sandbox: Sandbox) -> None:
    rng, corpus = np.random.default_rng(0), CORPORA["steps"]
    runs = draw_runs(rng, 200, INPUTS, sandbox, weights=corpus.lengths)
    assert {len(run.chain.steps) for run in runs} == {1, 2, 3}
    found = [sample for sample in samples(runs, renderer(), rng, INPUTS, corpus) if sample.role is Role.SOLVE]
    thinking = {(sample.kind, sample.completion.startswith("<think>")) for sample in found}
    assert (Kind.INDUCTION, True) not in thinking and (Kind.DEDUCTION, True) in thinking
    followed = [sample for sample in found if sample.kind is not Kind.INDUCTION]
    # Four chains of five have something to write down.
    assert 0.7 < sum(sample.completion.startswith("<think>") for sample in followed) / len(followed) < 0.85


def test_completions_are_read_by_the_parser_of_their_kind(drawn: list[Sample]) -> None:
    reader = renderer()
    for sample in drawn:
        reading = reader.template.read(sample.completion, sample.role, sample.kind)
        assert isinstance(reading.answer, str)
        blocks = reader.template.syntax.split(reading.answer)
        assert not isinstance(blocks, Unparsed), sample
        if sample.role is Role.SOLVE:
            assert isinstance(KINDS[sample.kind].parse_answer(blocks), str), sample
