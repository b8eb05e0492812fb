"""azr's trainer against a plain Hugging Face loop: forward and backward over the same episodes, tokens/s of both.

    python benchmarks/trainer.py [--hidden 256 --layers 4 --vocabulary 512 --episodes 96 --attempts 1 8 --threads 1]

The plain loop takes the episodes as they come, `--rows` at a time, pads them to the longest, computes all logits, and
the log-probabilities and entropies from them. Both losses are the same, and so are both gradients (checked here). The
two take turns; the clock is the process's own CPU time, so that other work on the machine does not count, and tokens
are those of all prompts and completions, however often they are computed. `--attempts`: completions that share a
prompt, as the attempts at one task do.

    python benchmarks/trainer.py --run RUN [--step 5]

The same on what a step of a run trained on, with the embedded model.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pathlib import Path
from typing import Any

import numpy as np
import torch
from azr.config.schema import ModelConfig
from azr.oversight.traces import TraceReader
from azr.trainer.model import load_model
from azr.trainer.packed_model import prepare
from azr.trainer.packing import micro_batches
from azr.trainer.scoring import score
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from transformers import Qwen2Config, Qwen2ForCausalLM

ENTROPY = 0.001


def make_batch(episodes: int, attempts: int, vocabulary: int, longest: int) -> Batch:
    """Mixed lengths: prompts of a fifth of `longest` to all of it, completions of up to a third."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(episodes // attempts):
        ids = tuple(int(x) for x in rng.integers(0, vocabulary, rng.integers(longest // 5, longest)))
        prompt = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        for _ in range(attempts):
            answer = tuple(int(x) for x in rng.integers(0, vocabulary, rng.integers(4, longest // 3)))
            done = Completion(prompt=prompt, text="", token_ids=answer, log_probs=(0.0,) * len(answer), finished=True)
            found.append(Episode(completion=done, reward=0.0))
    found = [found[i] for i in rng.permutation(len(found))]
    total = sum(episode.length for episode in found)
    return Batch(
        episodes=tuple(found), advantages=rng.normal(size=len(found)), weights=np.full(len(found), 1.0 / total)
    )


def read_step(run: Path, step: int, tokenizer: Any) -> Batch:
    """What a step trained on, from the run's trace."""
    rng, found, prompts = np.random.default_rng(0), [], {}
    for row in TraceReader(run / "traces.jsonl.zst"):
        if row["step"] != step or not row["trained"]:
            continue
        if row["prompt"] not in prompts:
            ids = tuple(tokenizer.encode(row["prompt"], special_tokens=True))
            prompts[row["prompt"]] = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        answer = tuple(tokenizer.encode(row["completion"], special_tokens=False))
        zeros = (0.0,) * len(answer)
        done = Completion(prompt=prompts[row["prompt"]], text="", token_ids=answer, log_probs=zeros, finished=True)
        if answer:
            found.append(Episode(completion=done, reward=0.0))
    total = sum(episode.length for episode in found)
    return Batch(
        episodes=tuple(found), advantages=rng.normal(size=len(found)), weights=np.full(len(found), 1.0 / total)
    )


def plain(model: Qwen2ForCausalLM, batch: Batch, rows: int) -> None:
    """The loop that one writes first."""
    for at in range(0, len(batch.episodes), rows):
        part = batch.episodes[at : at + rows]
        texts = [[*e.completion.prompt.token_ids, *e.completion.token_ids] for e in part]
        longest = max(map(len, texts))
        ids, mask = torch.zeros(len(part), longest, dtype=torch.long), torch.zeros(len(part), longest)
        trained = torch.zeros(len(part), longest)
        for row, (text, episode) in enumerate(zip(texts, part, strict=True)):
            ids[row, : len(text)], mask[row, : len(text)] = torch.tensor(text), 1.0
            trained[row, len(text) - episode.length : len(text)] = 1.0
        table = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float().log_softmax(-1)
        chosen = table.gather(-1, ids[:, 1:, None]).squeeze(-1)
        entropy = -(table.exp() * table).sum(-1)
        advantages = torch.from_numpy(batch.advantages[at : at + rows]).float()[:, None]
        weights = torch.from_numpy(batch.weights[at : at + rows]).float()[:, None]
        (-(advantages * chosen + ENTROPY * entropy) * weights * trained[:, 1:]).sum().backward()


def packed(model: Qwen2ForCausalLM, batch: Batch, tokens: int) -> None:
    """azr's: packed micro-batches, shared prompts once, the chunked head."""
    for micro_batch in micro_batches(batch, tokens, "cpu"):
        chosen, entropy = score(model, micro_batch, 1.0)
        gain = micro_batch.advantages * chosen + ENTROPY * entropy
        (-gain * micro_batch.weights * micro_batch.mask).sum().backward()


def gradient(model: Qwen2ForCausalLM, run: Callable[[], None]) -> torch.Tensor:
    """Of all parameters, as one vector."""
    model.zero_grad()
    run()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


def compare(ours: Any, theirs: Any, batch: Batch, given: argparse.Namespace) -> dict[str, Any]:
    """Tokens/s of both loops on one batch."""
    tokens = sum(len(e.completion.prompt.token_ids) + e.length for e in batch.episodes)
    ways: dict[str, Callable[[], None]] = {
        "azr": partial(packed, ours, batch, given.tokens), "plain": partial(plain, theirs, batch, given.rows),
    }  # fmt: skip
    one, other = gradient(ours, ways["azr"]), gradient(theirs, ways["plain"])
    difference = float((one - other).norm() / other.norm())
    assert difference < 1e-4, f"the gradients differ by {difference}"
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.repeat):
        for name, run in ways.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    rates = {name: tokens / statistics.median(found) for name, found in seconds.items()}
    return {
        "episodes": len(batch.episodes), "tokens": tokens, "azr": round(rates["azr"]), "plain": round(rates["plain"]),
        "ratio": round(rates["azr"] / rates["plain"], 2), "gradients_differ_by": difference,
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser()
    sizes = {"hidden": 256, "layers": 4, "vocabulary": 512, "episodes": 96, "longest": 180, "rows": 16, "tokens": 2048}
    for name, default in (*sizes.items(), ("threads", 1), ("repeat", 3), ("step", 5)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--attempts", type=int, nargs="+", default=[1, 8])
    options.add_argument("--run", type=Path)
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    result: dict[str, Any] = {"threads": given.threads}
    if given.run:
        loaded, theirs = load_model(ModelConfig()), load_model(ModelConfig()).model
        prepare(loaded.model)
        batch = read_step(given.run, given.step, loaded.tokenizer)
        result[f"step_{given.step}"] = compare(loaded.model, theirs, batch, given)
    else:
        config = Qwen2Config(
            vocab_size=given.vocabulary, hidden_size=given.hidden, intermediate_size=3 * given.hidden,
            num_hidden_layers=given.layers, num_attention_heads=given.hidden // 32,
            num_key_value_heads=max(1, given.hidden // 64), tie_word_embeddings=True, max_position_embeddings=4096,
        )  # fmt: skip
        theirs, ours = Qwen2ForCausalLM(config), Qwen2ForCausalLM(config)
        ours.load_state_dict(theirs.state_dict())
        prepare(ours)
        result["parameters"] = sum(p.numel() for p in ours.parameters())
        for attempts in given.attempts:
            batch = make_batch(given.episodes, attempts, given.vocabulary, given.longest)
            result[f"attempts_{attempts}"] = compare(ours, theirs, batch, given)
    json.dump(result, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
