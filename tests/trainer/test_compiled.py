"""Compiled layers give the gradients of layers that are not, and one compilation serves every length."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from azr.config import resolve
from azr.trainer.compiled import compile_layers, wanted
from azr.trainer.packed_model import prepare
from azr.trainer.packing import pack
from azr.trainer.scoring import score
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from torch import Tensor
from transformers import Qwen2Config, Qwen2ForCausalLM

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def make_model() -> Qwen2ForCausalLM:
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=97, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config).train()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    prepare(model)
    return model


def gradients(model: Qwen2ForCausalLM, prompt: int, lengths: list[int]) -> Tensor:
    """Of the log-probabilities of completions that share a prompt."""
    rng = np.random.default_rng(prompt)
    shared = Prompt(
        role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(rng.integers(0, 97, prompt).tolist())
    )
    episodes = []
    for length in lengths:
        ids = tuple(rng.integers(0, 97, length).tolist())
        done = Completion(prompt=shared, text="", token_ids=ids, log_probs=(0.0,) * length, finished=True)
        episodes.append(Episode(completion=done, reward=0.0))
    count = len(episodes)
    batch = Batch(episodes=tuple(episodes), advantages=np.zeros(count), weights=np.zeros(count))
    model.zero_grad()
    log_probs, _ = score(model, pack(batch, range(count), torch.device("cpu")), 1.0, direct=False)
    log_probs.sum().backward()  # type: ignore[no-untyped-call]
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def test_one_compilation_serves_pieces_of_every_length_with_the_same_gradients() -> None:
    plain, fast = make_model(), make_model()
    # What is tested is how the layers are cut and what is compiled again; the code itself is the compiler's.
    compile_layers(fast, backend="aot_eager")
    torch.testing.assert_close(gradients(fast, 20, [7, 30]), gradients(plain, 20, [7, 30]))
    with torch.compiler.set_stance("fail_on_recompile"):
        for prompt, lengths in ((33, [5]), (8, [40, 2, 9, 9]), (64, [11, 12])):
            torch.testing.assert_close(gradients(fast, prompt, lengths), gradients(plain, prompt, lengths))


@pytest.mark.parametrize(
    ("device", "settings", "expected"),
    [
        ("cuda", ["engine.name=vllm"], True),
        ("cuda", ["engine.name=vllm", "model.lora.rank=8"], True),
        ("cuda", ["engine.name=vllm", "train.compile=false"], False),
        ("cuda", ["engine.name=transformers"], False),
        ("cuda", ["engine.name=vllm", "model.lora.rank=8", "model.lora.base=4bit"], False),
        ("cpu", ["engine.name=vllm"], False),
    ],
)
def test_only_a_gpu_s_trainer_that_nothing_samples_from_is_compiled(
    device: str, settings: list[str], expected: bool
) -> None:
    assert wanted(resolve({}, settings), device) is expected
