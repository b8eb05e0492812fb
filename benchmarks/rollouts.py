"""Sampling with azr's transformers engine against `generate`, same model, same prompts, one process.

    python benchmarks/rollouts.py [--hidden 256] [--layers 6] [--batch 64]

Two cases: all completions of one length (greedy; the tokens must be equal), and completions of mixed lengths with eight
attempts a prompt, as in a step of self-play. Prints tokens/s of both and the ratio.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from azr.rollouts.base import Sampling
from azr.rollouts.tokens import ByteTokenizer
from azr.rollouts.transformers import TransformersEngine
from azr.types import Kind, Prompt, Role
from transformers import Qwen2Config, Qwen2ForCausalLM

ATTEMPTS, LENGTH, ENDS = 8, 64, 24


class Ends(ByteTokenizer):
    """A share of the vocabulary ends a completion, so that lengths vary as those of answers do."""

    end_ids = frozenset(range(256, 256 + ENDS))

    def decode(self, ids: object) -> str:
        return ""


class Endless(Ends):
    """No token of the model ends a completion."""

    end_ids = frozenset({1 << 20})


def timed(run: Callable[[], int]) -> float:
    """Tokens per second: the best of three, after one to warm up."""
    run()
    rates = []
    for _ in range(3):
        begin = time.perf_counter()
        rates.append(run() / (time.perf_counter() - begin))
    return max(rates)


def main() -> None:
    options = argparse.ArgumentParser()
    for name, default in (("hidden", 256), ("layers", 6), ("batch", 64)):
        options.add_argument(f"--{name}", type=int, default=default)
    given = options.parse_args()
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=512, hidden_size=given.hidden, intermediate_size=3 * given.hidden, num_hidden_layers=given.layers,
        num_attention_heads=given.hidden // 64, num_key_value_heads=max(1, given.hidden // 128),
        tie_word_embeddings=True, max_position_embeddings=2048,
    )  # fmt: skip
    model = Qwen2ForCausalLM(config).eval()
    ids = torch.randint(0, 256, (given.batch, LENGTH))
    prompts = [Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(row)) for row in ids.tolist()]
    shared = prompts[: given.batch // ATTEMPTS]

    def generate_equal() -> int:
        with torch.inference_mode():
            out = model.generate(ids, max_new_tokens=LENGTH, do_sample=False, eos_token_id=None, pad_token_id=0)
        return int(out.shape[0] * LENGTH)

    def engine_equal() -> int:
        engine = TransformersEngine(Endless(), given.batch)
        engine.load(model)
        found = engine.sample(prompts, Sampling(seed=0, temperature=0.0, max_tokens=LENGTH))
        return sum(len(c.token_ids) for row in found for c in row)

    def generate_mixed() -> int:
        rows = ids[: len(shared)].repeat_interleave(ATTEMPTS, 0)
        ends = sorted(Ends.end_ids)
        with torch.inference_mode():
            out = model.generate(rows, max_new_tokens=LENGTH, do_sample=True, eos_token_id=ends, pad_token_id=511)
        written = out[:, LENGTH:]
        ended = torch.isin(written, torch.tensor(ends))
        lengths = torch.where(ended.any(1), ended.int().argmax(1) + 1, written.shape[1])
        return int(lengths.sum())

    def engine_mixed() -> int:
        engine = TransformersEngine(Ends(), given.batch)
        engine.load(model)
        found = engine.sample(shared, Sampling(seed=0, max_tokens=LENGTH), ATTEMPTS)
        return sum(len(c.token_ids) for row in found for c in row)

    result = {"parameters": sum(p.numel() for p in model.parameters()), "batch": given.batch}
    for case, ours, theirs in (("equal", engine_equal, generate_equal), ("mixed", engine_mixed, generate_mixed)):
        rates = timed(ours), timed(theirs)
        result[case] = {"azr": round(rates[0]), "generate": round(rates[1]), "ratio": round(rates[0] / rates[1], 2)}
    json.dump(result, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
