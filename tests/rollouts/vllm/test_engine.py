"""The real vLLM, in its CPU build: samples what the trainer's model says, takes new weights, and survives."""

import copy
import resource
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
import torch
from azr.config import Config, resolve
from azr.errors import ConfigError, EngineError
from azr.rollouts import Sampling
from azr.rollouts.base import requests_for
from azr.rollouts.sync import compare, log_probs_of
from azr.rollouts.vllm.engine import VllmEngine
from azr.rollouts.vllm.options import check
from azr.trainer.model import LoadedModel, load_model
from azr.types import Completion, Key, Kind, Prompt, Role

pytestmark = pytest.mark.vllm

TEXTS = ["def f(a):", "x", "a long prompt, longer than all the others by far", "def f(a):\n    return a"]
GREEDY = Sampling(seed=0, temperature=0.0, max_tokens=40)


@pytest.fixture(scope="module")
def config(vllm_model: Path) -> Config:
    settings = [
        f"model.name={vllm_model}", "engine.name=vllm", "prompt.max_tokens=256", "sampling.max_tokens=128",
        "engine.batch=64", "engine.vllm.start_seconds=3600", "engine.vllm.stuck_seconds=3600",
    ]  # fmt: skip
    return resolve({}, settings)


@pytest.fixture(scope="module")
def loaded(config: Config) -> LoadedModel:
    return load_model(config.model)


@pytest.fixture(scope="module")
def engine(config: Config, loaded: LoadedModel) -> Iterator[VllmEngine]:
    made = VllmEngine(loaded.tokenizer, config)
    made.load(loaded.model)
    yield made
    made.close()


@pytest.fixture
def prompts(loaded: LoadedModel) -> list[Prompt]:
    return [
        Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text=text, token_ids=tuple(loaded.tokenizer.encode(text, False)))
        for text in TEXTS
    ]


def ids(found: Sequence[Sequence[Completion]]) -> list[list[tuple[int, ...]]]:
    return [[completion.token_ids for completion in row] for row in found]


def generated(model: torch.nn.Module, prompts: Sequence[Prompt], length: int) -> list[list[tuple[int, ...]]]:
    """What transformers itself writes, greedily."""
    found = []
    for prompt in prompts:
        given = torch.tensor([prompt.token_ids])
        written = model.generate(given, max_new_tokens=length, do_sample=False, pad_token_id=0)[0, given.shape[1] :]
        found.append([tuple(written.tolist())])
    return found


def moved(model: torch.nn.Module, seed: int) -> None:
    """Change every weight in place, as an optimizer does."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)


def test_greedy_equals_generate_after_every_update_of_the_weights(
    engine: VllmEngine, loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    process = engine.pid
    seen = []
    for seed in range(4):
        found = ids(engine.sample(prompts, GREEDY))
        assert found == generated(loaded.model, prompts, 40)
        seen.append(found)
        moved(loaded.model, seed)
        engine.load(loaded.model)
        assert engine.sync is not None and engine.sync.mismatch_max < 1e-4
    assert engine.pid == process and engine.restarts == 0, "updated in place"
    assert engine.direct, "by plain copies, though the vocabulary is padded"
    assert all(seen[a] != seen[b] for a in range(4) for b in range(a))


def test_log_probs_are_those_of_the_trainers_model(
    engine: VllmEngine, loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    for completion in (c for row in engine.sample(prompts, Sampling(seed=3, max_tokens=40), 2) for c in row):
        whole = torch.tensor([[*completion.prompt.token_ids, *completion.token_ids]])
        with torch.no_grad():
            logits = loaded.model(whole).logits[0, len(completion.prompt.token_ids) - 1 : -1].log_softmax(-1)
        expected = logits.gather(1, torch.tensor(completion.token_ids)[:, None])[:, 0]
        torch.testing.assert_close(torch.tensor(completion.log_probs), expected, atol=2e-4, rtol=1e-4)


def test_a_seed_repeats_its_completions_in_any_company(engine: VllmEngine, prompts: list[Prompt]) -> None:
    sampling = Sampling(seed=1, max_tokens=20)
    first = ids(engine.sample(prompts, sampling, 8))
    assert all(len(set(row)) == 8 for row in first)
    assert first == ids(engine.sample(prompts, sampling, 8))
    assert first != ids(engine.sample(prompts, Sampling(seed=2, max_tokens=20), 8))
    alone = [request for request in requests_for("one", [(2, prompts[2])], sampling, 8) if request.key.draw == 5]
    engine.submit(alone)
    ((_, completion),) = engine.collect()
    assert completion.token_ids == first[2][5]


def test_a_completion_ends_at_its_end_token_or_at_the_limit(
    engine: VllmEngine, loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    ends = loaded.tokenizer.end_ids
    found = [c for row in engine.sample(prompts, Sampling(seed=4, max_tokens=100), 16) for c in row]
    assert {c.finished for c in found} == {True, False}
    for completion in found:
        assert completion.finished == (completion.token_ids[-1] in ends)
        assert completion.finished or len(completion.token_ids) == 100
        assert not ends & set(completion.token_ids[:-1])
        assert len(completion.log_probs) == len(completion.token_ids)


def test_cancelled_requests_never_come_out(engine: VllmEngine, prompts: list[Prompt]) -> None:
    engine.submit(requests_for("solve", list(enumerate(prompts)), Sampling(seed=1, max_tokens=120), 4))
    engine.cancel([Key("solve", place, draw) for place in (0, 2) for draw in range(4)])
    found: list[Key] = []
    while done := engine.collect():
        found += [request.key for request, _ in done]
    assert sorted(found) == [Key("solve", place, draw) for place in (1, 3) for draw in range(4)]


def test_a_prompt_that_fills_the_context_is_an_error(engine: VllmEngine) -> None:
    prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=(1,) * 5000)
    with pytest.raises(EngineError, match="5000 tokens fills the engine's 384 positions"):
        engine.submit(requests_for("solve", [(0, prompt)], GREEDY))


def test_other_weights_than_the_trainers_stop_the_run(engine: VllmEngine, loaded: LoadedModel) -> None:
    other = copy.deepcopy(loaded.model)
    moved(other, 9)
    with pytest.raises(EngineError, match=r"off by .* engine\.vllm\.sync_tolerance = 0\.05"):
        compare(engine.score, partial(log_probs_of, other), other.config.vocab_size, 0.05, 0.0)


def test_what_cannot_be_combined_is_refused_before_a_model_is_loaded(config: Config) -> None:
    check(config)
    bad = config.model_copy(update={"sampling": config.sampling.model_copy(update={"temperature": 0.7, "top_p": 0.9})})
    with pytest.raises(ConfigError, match=r"sampling\.temperature = 0\.7 .*sampling\.top_p"):
        check(bad)


def starve(engine: VllmEngine) -> None:
    """No more memory than it has."""
    size = int(Path(f"/proc/{engine.pid}/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.prlimit(engine.pid, resource.RLIMIT_AS, (size, size))


def test_an_engine_that_is_out_of_memory_comes_back_with_the_steps_work_kept(
    engine: VllmEngine, loaded: LoadedModel, prompts: list[Prompt]
) -> None:
    """Other ways to lose it are tested without vLLM: see `test_server.py`."""
    expected = ids(engine.sample(prompts, GREEDY))
    process, restarts = engine.pid, engine.restarts
    engine.submit(requests_for("solve", list(enumerate(prompts)), GREEDY))
    found = {request.key: completion.token_ids for request, completion in engine.collect()}
    starve(engine)
    # Enough that a process without memory to spare cannot do it.
    crowd = [Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple([n] * 250)) for n in range(1, 65)]
    engine.submit(requests_for("crowd", list(enumerate(crowd)), Sampling(seed=0, max_tokens=8)))
    while done := engine.collect():
        found |= {request.key: completion.token_ids for request, completion in done}
    assert [[found[Key("solve", place)]] for place in range(len(prompts))] == expected
    assert sum(key.purpose == "crowd" for key in found) == 64
    assert engine.pid != process and engine.restarts == restarts + 1
    assert expected == generated(loaded.model, prompts, 40), "the trainer's current weights, not those of the start"
