"""The engine samples what the model says: against `generate`, against the model's own log-probabilities."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from azr.errors import EngineError
from azr.rollouts import Sampling
from azr.rollouts.decoder import Decoder, supports
from azr.rollouts.draw import Uniforms, draw
from azr.rollouts.model_decoder import ModelDecoder
from azr.rollouts.tokens import HuggingFaceTokenizer
from azr.rollouts.transformers import TransformersEngine
from azr.types import Completion, Kind, Prompt, Role
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

pytestmark = pytest.mark.torch

TEXTS = ["def f(a):", "x", "a long prompt, longer than all the others by far", "def f(a):\n    return a"]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(tiny_model).eval()


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> HuggingFaceTokenizer:
    return HuggingFaceTokenizer(AutoTokenizer.from_pretrained(tiny_model))


def prompts(tokenizer: HuggingFaceTokenizer, texts: Sequence[str] = TEXTS) -> list[Prompt]:
    return [
        Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text=text, token_ids=tuple(tokenizer.encode(text, False)))
        for text in texts
    ]


def engine(model: torch.nn.Module, tokenizer: HuggingFaceTokenizer, batch: int = 64) -> TransformersEngine:
    made = TransformersEngine(tokenizer, batch)
    made.load(model)
    return made


def ids(found: list[list[Completion]]) -> list[list[tuple[int, ...]]]:
    return [[completion.token_ids for completion in row] for row in found]


def test_greedy_equals_generate(model: torch.nn.Module, tokenizer: HuggingFaceTokenizer) -> None:
    found = engine(model, tokenizer).sample(prompts(tokenizer), Sampling(seed=0, temperature=0.0, max_tokens=80))
    for (completion,), prompt in zip(found, prompts(tokenizer), strict=True):
        given = torch.tensor([prompt.token_ids])
        expected = model.generate(given, max_new_tokens=80, do_sample=False, pad_token_id=0)[0, given.shape[1] :]
        assert completion.token_ids == tuple(expected.tolist())


def test_log_probs_are_the_models_own(model: torch.nn.Module, tokenizer: HuggingFaceTokenizer) -> None:
    found = engine(model, tokenizer).sample(prompts(tokenizer), Sampling(seed=3, max_tokens=40), count=2)
    for completion in (c for row in found for c in row):
        whole = torch.tensor([[*completion.prompt.token_ids, *completion.token_ids]])
        logits = model(whole).logits[0, len(completion.prompt.token_ids) - 1 : -1].log_softmax(-1)
        expected = logits.gather(1, torch.tensor(completion.token_ids)[:, None])[:, 0]
        torch.testing.assert_close(torch.tensor(completion.log_probs), expected, atol=2e-4, rtol=1e-4)


def test_completions_do_not_depend_on_the_batch(model: torch.nn.Module, tokenizer: HuggingFaceTokenizer) -> None:
    sampling = Sampling(seed=5, max_tokens=60)
    wide = ids(engine(model, tokenizer, batch=64).sample(prompts(tokenizer), sampling, count=3))
    narrow = ids(engine(model, tokenizer, batch=3).sample(prompts(tokenizer), sampling, count=3))
    assert wide == narrow


def test_attempts_at_temperature_one_differ_and_a_seed_repeats_them(
    model: torch.nn.Module, tokenizer: HuggingFaceTokenizer
) -> None:
    one = engine(model, tokenizer)
    first = ids(one.sample(prompts(tokenizer), Sampling(seed=1, max_tokens=20), count=8))
    assert all(len(set(row)) == 8 for row in first)
    assert first == ids(one.sample(prompts(tokenizer), Sampling(seed=1, max_tokens=20), count=8))
    assert first != ids(one.sample(prompts(tokenizer), Sampling(seed=2, max_tokens=20), count=8))


def test_a_completion_ends_at_its_end_token_or_at_the_limit(
    model: torch.nn.Module, tokenizer: HuggingFaceTokenizer
) -> None:
    found = engine(model, tokenizer).sample(prompts(tokenizer), Sampling(seed=1, max_tokens=300), count=16)
    end = min(tokenizer.end_ids)
    completions = [c for row in found for c in row]
    assert any(c.finished for c in completions)
    for c in completions:
        assert (c.token_ids[-1] == end) == c.finished and end not in c.token_ids[:-1]
        assert c.finished or len(c.token_ids) == 300
        assert c.text == tokenizer.decode([i for i in c.token_ids if i != end])


def test_new_weights_are_used_after_load(tiny_model: Path, tokenizer: HuggingFaceTokenizer) -> None:
    changing = AutoModelForCausalLM.from_pretrained(tiny_model)
    one = engine(changing, tokenizer)
    greedy = Sampling(seed=0, temperature=0.0, max_tokens=10)
    before = ids(one.sample(prompts(tokenizer), greedy))
    with torch.no_grad():
        for parameter in changing.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)) * 0.1)
    one.load(changing)
    after = ids(one.sample(prompts(tokenizer), greedy))
    assert before != after and after == ids(engine(changing, tokenizer).sample(prompts(tokenizer), greedy))


def test_a_prompt_that_fills_the_context_is_an_error(model: torch.nn.Module, tokenizer: HuggingFaceTokenizer) -> None:
    with pytest.raises(EngineError, match="positions"):
        engine(model, tokenizer).sample(prompts(tokenizer, ["x" * 5000]), Sampling(seed=0))


SHAPE = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.3,
}


FAMILIES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=8)),
    "llama-bias": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, attention_bias=True)),
}


@pytest.fixture(params=FAMILIES)
def other(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    return FAMILIES[request.param]().eval()


def test_fast_decoder_gives_the_models_logits(other: torch.nn.Module) -> None:
    assert supports(other)
    given = torch.randint(0, 64, (3, 9), generator=torch.Generator().manual_seed(1))
    padding = torch.tensor([0, 4, 8])
    fast, slow = Decoder(other), ModelDecoder(other)
    with torch.inference_mode():
        logits, cache = fast.prefill(given, padding)
        expected, expected_cache = slow.prefill(given, padding)
        for _ in range(70):
            torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-3)
            token = expected.argmax(-1)
            logits, expected = fast.step(token, cache), slow.step(token, expected_cache)


@pytest.mark.parametrize("lengths", [(30, 33, 47), (40, 40, 40)], ids=["padded", "equal"])
def test_what_all_prompts_begin_with_is_read_once(
    other: torch.nn.Module, lengths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = torch.Generator().manual_seed(1)
    common, longest = torch.randint(0, 64, (20,), generator=draw), max(lengths)
    given = torch.randint(0, 64, (3, longest), generator=draw)
    padding = torch.tensor([longest - length for length in lengths])
    for row, start in zip(given, padding.tolist(), strict=True):
        row[start : start + 20] = common
        row[start + 20] = row[start] + start  # here they part, if not before
    fast, slow, read = Decoder(other), ModelDecoder(other), []
    forward = fast._forward
    monkeypatch.setattr(fast, "_forward", lambda ids, cache: (read.append(tuple(ids.shape)), forward(ids, cache))[1])
    with torch.inference_mode():
        logits, cache = fast.prefill(given, padding)
        expected, expected_cache = slow.prefill(given, padding)
        assert read == [(1, cache.shared), (3, longest - cache.shared)] and cache.shared >= 20
        for turn in range(70):
            torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-3)
            if turn == 10:
                kept = torch.tensor([2, 0])
                cache, expected_cache, expected = cache.select(kept), expected_cache.select(kept), expected[kept]
            token = expected.argmax(-1)
            logits, expected = fast.step(token, cache), slow.step(token, expected_cache)


def test_equal_prompts_and_short_ones_are_read_whole(model: torch.nn.Module) -> None:
    """Each row keeps a token of its own to read, and a short beginning is not worth a pass."""
    fast, slow = Decoder(model), ModelDecoder(model)
    for rows, length in ((3, 40), (3, 9), (1, 40)):
        given, padding = torch.randint(0, 64, (1, length)).repeat(rows, 1), torch.zeros(rows, dtype=torch.long)
        with torch.inference_mode():
            logits, cache = fast.prefill(given, padding)
            torch.testing.assert_close(logits, slow.prefill(given, padding)[0], atol=1e-4, rtol=1e-3)
        assert cache.shared == (39 if (rows, length) == (3, 40) else 0)


def test_products_in_bfloat16_are_as_near_the_models_logits_as_a_model_in_bfloat16(other: torch.nn.Module) -> None:
    given = torch.randint(0, 64, (3, 9), generator=torch.Generator().manual_seed(1))
    padding = torch.tensor([0, 4, 8])
    decoders = Decoder(other, torch.bfloat16), ModelDecoder(deepcopy(other).to(torch.bfloat16)), ModelDecoder(other)
    errors, errors_in_bfloat16 = [], []
    with torch.inference_mode():
        found = [decoder.prefill(given, padding) for decoder in decoders]
        caches = [cache for _, cache in found]
        logits, rounded, expected = (row.float() for row, _ in found)
        assert caches[0].keys[0].dtype is caches[0].values[0].dtype is torch.bfloat16
        for _ in range(20):
            errors.append((logits - expected).abs().mean())
            errors_in_bfloat16.append((rounded - expected).abs().mean())
            token = expected.argmax(-1)
            logits, rounded, expected = (
                decoder.step(token, cache).float() for decoder, cache in zip(decoders, caches, strict=True)
            )
    assert 0 < sum(errors) < 1.5 * sum(errors_in_bfloat16)


def test_drawn_tokens_follow_the_distribution() -> None:
    probs = torch.tensor([0.5, 0.3, 0.15, 0.05, 0.0])
    count = 20_000
    uniforms = torch.from_numpy(np.random.default_rng(0).random(count))
    tokens, log_probs = draw(probs.log().expand(count, 5), Sampling(seed=0), uniforms)
    shares = torch.bincount(tokens, minlength=5) / count
    torch.testing.assert_close(shares, probs, atol=0.01, rtol=0.0)
    torch.testing.assert_close(log_probs, probs.log()[tokens])


@pytest.mark.parametrize(
    ("settings", "allowed"), [({"top_k": 2}, {0, 1}), ({"top_p": 0.6}, {0, 1}), ({"top_p": 0.4}, {0})]
)
def test_truncation_removes_the_tail(settings: dict[str, float], allowed: set[int]) -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log().expand(500, 4)
    uniforms = torch.from_numpy(np.random.default_rng(0).random(500))
    tokens, _ = draw(logits, Sampling(seed=0, **settings), uniforms)
    assert set(tokens.tolist()) == allowed


def test_uniforms_depend_on_seed_and_row_alone() -> None:
    both = Uniforms([(7, 3), (7, 9)]).at(100, torch.tensor([0, 1]))
    assert Uniforms([(7, 9)]).at(100, torch.tensor([0]))[0] == both[1] != both[0]
