"""An adapter in place of all weights: what is trained, what engines get, and what a checkpoint holds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from azr.cli.measure.plan import shape_of
from azr.config import resolve
from azr.errors import CheckpointError, ModelError
from azr.trainer.adapter import FOLDER, without_adapter
from azr.trainer.model import load_model
from azr.trainer.packing import pack
from azr.trainer.torch_policy import TorchPolicy
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from transformers import AutoModelForCausalLM

pytestmark = pytest.mark.torch

Make = Callable[..., TorchPolicy]
BASES = pytest.mark.parametrize("base", ["whole", "4bit"])
"""bitsandbytes packs on a CPU too: slowly, and by the same code for the trainer."""


@pytest.fixture
def make(vllm_model: Path) -> Make:
    def build(*overrides: str) -> TorchPolicy:
        settings = [f"model.name={vllm_model}", "model.lora.rank=4", "train.optim.lr=1e-2", *overrides]
        config = resolve({}, settings)
        return TorchPolicy(load_model(config.model, whole=False), config)

    return build


def batch(seed: int = 0) -> Batch:
    """Seven episodes of one to four attempts at a prompt."""
    rng = np.random.default_rng(seed)
    episodes = []
    for attempts in (1, 2, 4):
        ids = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 30)))
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        for _ in range(attempts):
            answer = tuple(int(x) for x in rng.integers(0, 256, rng.integers(1, 20)))
            done = Completion(prompt=prompt, text="", token_ids=answer, log_probs=(-5.0,) * len(answer), finished=True)
            episodes.append(Episode(completion=done, reward=0.0))
    total = sum(episode.length for episode in episodes)
    return Batch(episodes=tuple(episodes), advantages=rng.normal(size=7), weights=np.full(7, 1.0 / total))


@pytest.fixture
def given() -> Batch:
    return batch()


def scores(policy: TorchPolicy, batch: Batch) -> torch.Tensor:
    with torch.no_grad():
        return policy._scorer(pack(batch, list(range(len(batch.episodes))), "cpu"), 1.0)[0]


@BASES
def test_only_the_adapter_is_trained(make: Make, given: Batch, base: str) -> None:
    policy = make(f"model.lora.base={base}")
    before = {name: p.detach().clone() for name, p in policy._model.named_parameters()}
    policy.update(given)
    policy.update(given)  # at the first, B is zero, and so is A's gradient
    moved = {name for name, p in policy._model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name for name in before if ".lora_" in name}
    counted = shape_of(policy._config.model.name).adapter(4, policy._config.model.lora.targets)
    assert counted == sum(p.numel() for name, p in policy._model.named_parameters() if name in moved), "as azr plan"
    assert {id(p) for group in policy._optimizer.param_groups for p in group["params"]} == {
        id(p) for name, p in policy._model.named_parameters() if name in moved
    }


@BASES
def test_engines_sample_from_what_is_trained_as_a_plain_model(make: Make, given: Batch, base: str) -> None:
    policy = make(f"model.lora.base={base}")
    for _ in range(3):
        plain = TorchPolicy.__new__(TorchPolicy)
        plain._scorer = type(policy._scorer)(policy.model, policy._config)
        plain._scorer.model.set_attn_implementation("azr_packed")
        torch.testing.assert_close(scores(plain, given), scores(policy, given), atol=2e-5, rtol=1e-4)
        assert all(type(m) is torch.nn.Linear for n, m in policy.model.named_modules() if n.endswith("_proj"))
        policy.update(given)


@BASES
def test_the_starting_weights_are_the_base_without_the_adapter(make: Make, given: Batch, base: str) -> None:
    policy = make(f"model.lora.base={base}", "train.loss.kl=0.01")
    start = scores(policy, given)
    assert policy.update(given).kl == pytest.approx(0.0, abs=1e-6)
    assert policy.update(given).kl > 1e-5
    assert not torch.allclose(scores(policy, given), start, atol=1e-3)
    with without_adapter(policy._model):
        assert torch.equal(scores(policy, given), start)


def test_four_bits_take_a_seventh_of_float32_and_stay_near_the_weights(make: Make) -> None:
    whole, packed = make(), make("model.lora.base=4bit")
    for name, layer in packed._model.named_modules():
        if name.endswith("_proj"):
            own, wanted = layer.base_layer.weight, whole.model.get_submodule(name).weight
            assert own.nbytes * 7 < wanted.nbytes
            error = packed.model.get_submodule(name).weight - wanted
            assert 0.0 < error.abs().mean() < 0.12 * wanted.abs().mean()


@BASES
def test_a_restored_adapter_goes_on_bit_for_bit(make: Make, tmp_path: Path, base: str) -> None:
    policy = make(f"model.lora.base={base}")
    policy.update(batch(seed=1))
    policy.save(tmp_path)
    other = make(f"model.lora.base={base}", "seed=9")
    other.restore(tmp_path)
    for seed in (2, 3):
        one, two = policy.update(batch(seed=seed)), other.update(batch(seed=seed))
        assert (one.loss, one.grad_norm) == (two.loss, two.grad_norm)
    for ours, theirs in ((policy._model, other._model), (policy.model, other.model)):
        assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_a_checkpoint_is_a_merged_model_and_an_adapter_for_peft(
    make: Make, given: Batch, vllm_model: Path, tmp_path: Path
) -> None:
    from peft import PeftModel

    policy = make()
    policy.update(given)
    policy.save(tmp_path)
    ids = torch.arange(40)[None]
    with torch.no_grad():
        merged = AutoModelForCausalLM.from_pretrained(tmp_path)(ids).logits
        base = AutoModelForCausalLM.from_pretrained(vllm_model)
        alone = base(ids).logits
        apart = PeftModel.from_pretrained(base, tmp_path / FOLDER)(ids).logits
    torch.testing.assert_close(apart, merged, atol=1e-4, rtol=1e-4)
    assert (alone - merged).abs().max() > 1e-2


def test_an_adapter_of_another_rank_is_refused(make: Make, given: Batch, tmp_path: Path) -> None:
    policy = make()
    policy.update(given)
    policy.save(tmp_path)
    with pytest.raises(CheckpointError, match="another rank"):
        make("model.lora.rank=8").restore(tmp_path)


def test_layers_that_the_model_lacks_are_named(make: Make) -> None:
    with pytest.raises(ModelError, match=r"model\.lora\.targets = \['c_attn'\]"):
        make('model.lora.targets=["c_attn"]')
