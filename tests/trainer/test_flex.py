"""The GPU's attention sees what the CPU's sees. Its gradient needs a GPU: `benchmarks/gpu.py --check` compares it."""

import numpy as np
import pytest
import torch
from azr.trainer.attention import attend, grids_of
from azr.trainer.flex import attend as attend_blocks
from azr.trainer.flex import blocks_of
from azr.trainer.packing import Layout, pack
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role

pytestmark = pytest.mark.torch


def layout(prompts: int, longest: int) -> Layout:
    rng = np.random.default_rng(prompts)
    episodes = []
    for _ in range(prompts):
        prompt = Prompt(
            role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(rng.integers(0, 9, rng.integers(1, longest)))
        )
        for _ in range(int(rng.integers(1, 5))):
            ids = tuple(rng.integers(0, 9, rng.integers(1, longest)))
            done = Completion(prompt=prompt, text="", token_ids=ids, log_probs=(0.0,) * len(ids), finished=True)
            episodes.append(Episode(completion=done, reward=0.0))
    count = len(episodes)
    batch = Batch(episodes=tuple(episodes), advantages=np.zeros(count), weights=np.zeros(count))
    return pack(batch, range(count), "cpu").layout


@pytest.mark.parametrize(("prompts", "longest", "heads", "key_heads"), [(1, 5, 2, 2), (4, 30, 4, 2), (7, 150, 2, 1)])
def test_both_attentions_are_equal(prompts: int, longest: int, heads: int, key_heads: int) -> None:
    given = layout(prompts, longest)
    generator = torch.Generator().manual_seed(0)
    tokens = int(given.completions[-1])
    query, key, value = (torch.randn(tokens, n, 16, generator=generator) for n in (heads, key_heads, key_heads))
    found = attend_blocks(query, key, value, blocks=blocks_of(given), scale=0.25)
    torch.testing.assert_close(found, attend(query, key, value, grids_of(given), 0.25), atol=1e-5, rtol=1e-5)
