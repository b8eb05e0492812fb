"""Packed micro-batches: every episode once, within the budget, and the hidden states of episodes taken one by one."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from azr.errors import ModelError
from azr.trainer import cpu_forward, packed_model
from azr.trainer.packing import cut, micro_batches, pack
from azr.trainer.scoring import score
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

pytestmark = pytest.mark.torch

SIZES = {
    "vocab_size": 97, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.3,
}  # fmt: skip

CLOSE: dict[str, float] = {"rtol": 1e-8, "atol": 1e-9}


def batch(prompts: int = 5, seed: int = 0) -> Batch:
    """Prompts with one to four completions each, in shuffled order."""
    rng = np.random.default_rng(seed)
    episodes = []
    for _ in range(prompts):
        ids = tuple(int(x) for x in rng.integers(0, 97, rng.integers(1, 30)))
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        for _ in range(int(rng.integers(1, 5))):
            answer = tuple(int(x) for x in rng.integers(0, 97, rng.integers(1, 20)))
            done = Completion(prompt=prompt, text="", token_ids=answer, log_probs=(-4.0,) * len(answer), finished=True)
            episodes.append(Episode(completion=done, reward=0.0))
    rng.shuffle(episodes)  # type: ignore[arg-type]
    count = len(episodes)
    return Batch(episodes=tuple(episodes), advantages=rng.normal(size=count), weights=rng.random(count))


def build(family: str, **more: Any) -> Any:
    torch.manual_seed(0)
    made = {
        "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, **more)),
        "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES, head_dim=8, **more)),
        "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, attention_bias=True, **more)),
        "tied": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=True, **more)),
    }
    model = made[family]().double()
    for name, value in model.named_parameters():
        if "norm" in name or "bias" in name:
            torch.nn.init.normal_(value, 1.0 if "norm" in name else 0.0, 0.3)
    for module in model.modules():
        if hasattr(module, "variance_epsilon"):
            module.forward = partial(exact_norm, module)
    return model


def exact_norm(norm: Any, x: torch.Tensor) -> torch.Tensor:
    """transformers takes norms in float32, whatever the weights are in."""
    return norm.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + norm.variance_epsilon)


def one_by_one(model: Any, given: Batch) -> list[torch.Tensor]:
    """log-softmax [L, V] of each episode's completion, by the model's own forward pass."""
    found = []
    for episode in given.episodes:
        prompt, answer = episode.completion.prompt.token_ids, episode.completion.token_ids
        logits = model(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
        found.append((logits / 0.7).log_softmax(-1))
    return found


@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama", "tied"])
@pytest.mark.parametrize("forward", ["cpu", "model"])
def test_packed_scores_and_gradients_are_those_of_the_episodes_one_by_one(
    family: str, forward: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, model = batch(), build(family)
    expected = torch.zeros((), dtype=torch.float64)
    wanted = one_by_one(model, given)
    for table, episode in zip(wanted, given.episodes, strict=True):
        ids = torch.tensor(episode.completion.token_ids)
        # Both outputs take part, each with a weight of its own at every token.
        expected = expected + (table[range(len(ids)), ids] * torch.arange(1, len(ids) + 1)).sum()
        expected = expected - 0.3 * (table.exp() * table).sum()
    expected.backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    assert cpu_forward.supports(model)
    if forward == "model":
        monkeypatch.setattr(cpu_forward, "supports", lambda model: False)
    packed_model.prepare(model)
    total = torch.zeros((), dtype=torch.float64)
    for micro_batch in micro_batches(given, 60, "cpu"):
        log_probs, entropy = score(model, micro_batch, 0.7)
        assert (log_probs[~micro_batch.mask] == 0).all() and log_probs.dtype is torch.float64
        for at, row in enumerate(micro_batch.rows.tolist()):
            ids = micro_batch.targets[at][micro_batch.mask[at]]
            torch.testing.assert_close(log_probs[at][micro_batch.mask[at]], wanted[row][range(len(ids)), ids], **CLOSE)
        total = total + (log_probs * torch.arange(1, log_probs.shape[1] + 1)).sum() + 0.3 * entropy.sum()
    torch.testing.assert_close(total, expected, **CLOSE)
    total.backward()
    for ours, theirs in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(ours.grad, theirs, **CLOSE)


@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama", "tied"])
def test_products_in_bfloat16_leave_weights_and_gradients_in_float32(family: str) -> None:
    """Rounded products: near the exact ones, in the residual stream's own type, and learnt into float32 weights."""
    given, model = batch(), build(family).float()
    micro_batch = pack(given, range(len(given.episodes)), "cpu")
    found = []
    for compute in (None, torch.bfloat16):
        model.zero_grad()
        log_probs, entropy = score(model, micro_batch, 0.7, compute, compute=compute)
        assert log_probs.dtype is torch.float32
        (log_probs.sum() + 0.3 * entropy.sum()).backward()
        assert all(p.grad.dtype is torch.float32 for p in model.parameters())
        found.append((log_probs.detach(), torch.cat([p.grad.flatten() for p in model.parameters()])))
    (exact, slope), (rounded, other) = found
    assert not torch.equal(exact, rounded) and (exact - rounded).abs().mean() < 0.05
    assert torch.cosine_similarity(slope, other, dim=0) > 0.995


def test_a_model_that_reads_packed_pieces_still_samples_as_before() -> None:
    model = build("qwen2").eval()
    ids, mask = torch.randint(0, 97, (3, 9)), torch.ones(3, 9, dtype=torch.long)
    mask[1, :4] = 0
    with torch.no_grad():
        before = model(input_ids=ids, attention_mask=mask).logits
        packed_model.prepare(model)
        torch.testing.assert_close(model(input_ids=ids, attention_mask=mask).logits, before)


def test_a_shared_prompt_is_in_a_piece_once() -> None:
    given = batch()
    micro_batch = pack(given, range(len(given.episodes)), "cpu")
    prompts = {episode.completion.prompt.token_ids for episode in given.episodes}
    answers = sum(episode.length for episode in given.episodes)
    assert len(micro_batch.ids) == sum(map(len, prompts)) + answers
    assert micro_batch.layout.shared and int(micro_batch.mask.sum()) == len(micro_batch.source) == answers


def test_no_piece_exceeds_the_budget_and_no_episode_is_lost() -> None:
    given = batch(40)
    rows: list[int] = []
    for micro_batch in micro_batches(given, 100, "cpu"):
        assert len(micro_batch.ids) <= 100 or len(micro_batch.rows) == 1
        rows += micro_batch.rows.tolist()
    assert sorted(rows) == list(range(len(given.episodes)))


def test_cutting_depends_on_what_the_batch_holds_alone() -> None:
    given = batch(40)
    assert list(cut(given, 100)) == list(cut(batch(40), 100))


def test_a_model_whose_logits_are_more_than_a_product_is_refused() -> None:
    model = build("qwen2")
    model.config.final_logit_softcapping = 30.0
    with pytest.raises(ModelError, match="final_logit_softcapping"):
        packed_model.prepare(model)


def test_a_sliding_window_is_refused() -> None:
    model = build("qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=0)
    with pytest.raises(ModelError, match="sliding window"):
        packed_model.prepare(model)
