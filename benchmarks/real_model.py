"""A real model on a CPU: sampling beside `generate`, training beside float32, and agreement with greedy `generate`.

    python benchmarks/real_model.py decode|train|agree --model FOLDER_OR_GGUF [--threads 1]
    python benchmarks/real_model.py rows --model FOLDER --by azr|generate|vllm [--tokens 100]

Rates are tokens per second of the process's own CPU time, so other work on the machine counts little. `decode` samples
rows of one shared prompt in azr's engine with products in float32 and in bfloat16, and by the model's own cached
forward pass in bfloat16, which is what `generate` calls. `train` is whole updates. `agree` compares completions token
by token. `rows` samples 64 prompts of 600 tokens, 560 of them shared, from prompt to end, by one of three ways: azr's
engine, `generate`, and vLLM's CPU build, all with products in bfloat16.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from azr.config import load_config
from azr.pipeline.build import make_engine
from azr.rollouts import Sampling
from azr.rollouts.decoder import Decoder
from azr.rollouts.model_decoder import ModelDecoder
from azr.rollouts.transformers import TransformersEngine
from azr.sandbox import Sandbox
from azr.tasks import KindOptions, make_kinds
from azr.tasks.render import Renderer
from azr.tasks.templates import Chat, Form
from azr.trainer.model import load_model
from azr.types import Batch, Completion, Episode, Kind, Prompt, Role
from azr.warmup.examples import draw_tasks

STEPS = 8
"""Decoding steps that are measured."""


def rate(run: Callable[[], int]) -> float:
    """Tokens per second of CPU time."""
    begin = time.process_time()
    tokens = run()
    return tokens / (time.process_time() - begin)


def decode(model: Any, prompt: int, rows: tuple[int, ...]) -> None:
    low = load_model(load_config(None, [f"model.name={model.name_or_path}", "model.dtype=bfloat16"]).model).model
    for count in rows:
        found = {
            "azr float32": sampled(Decoder(model), prompt, count),
            "azr bfloat16": sampled(Decoder(model, torch.bfloat16), prompt, count),
            "generate's forward bfloat16": sampled(ModelDecoder(low), prompt, count),
        }
        for name, value in found.items():
            print(f"{count:4} rows of {prompt} tokens, {name}: {value:,.0f} tokens/s")


def sampled(decoder: Any, prompt: int, rows: int) -> float:
    ids = torch.randint(100, 40000, (1, prompt), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        _, cache = decoder.prefill(ids, torch.zeros(1, dtype=torch.long))
        cache = cache.select(torch.zeros(rows, dtype=torch.long))
        tokens = torch.arange(100, 100 + rows)
        decoder.step(tokens, cache)

        def run() -> int:
            for _ in range(STEPS):
                decoder.step(tokens, cache)
            return rows * STEPS

        return rate(run)


def rows(name: str, by: str, tokens: int, threads: int) -> None:
    rng = np.random.default_rng(0)
    shared = rng.integers(100, 40000, 560).tolist()
    prompts = [shared + rng.integers(100, 40000, 40).tolist() for _ in range(64)]
    run = {"azr": of_azr, "generate": of_generate, "vllm": of_vllm}[by](name, prompts, tokens, threads)
    print(f"64 rows of 600 + {tokens} tokens, {by}: {rate(run):,.0f} tokens/s")


def of_azr(name: str, prompts: list[list[int]], tokens: int, threads: int) -> Callable[[], int]:
    loaded = load_model(load_config(None, [f"model.name={name}", f"model.threads={threads}"]).model)
    engine = TransformersEngine(Endless(loaded.tokenizer), len(prompts), torch.bfloat16)
    engine.load(loaded.model.eval())
    asked = [Prompt(role=Role.PROPOSE, kind=Kind.DEDUCTION, text="", token_ids=tuple(ids)) for ids in prompts]

    def run() -> int:
        return sum(len(one.token_ids) for (one,) in engine.sample(asked, Sampling(seed=0, max_tokens=tokens)))

    return run


class Endless:
    """A tokenizer without ends, so that every row has as many tokens."""

    end_ids: frozenset[int] = frozenset()

    def __init__(self, own: Any) -> None:
        self.encode, self.decode, self.chat = own.encode, own.decode, own.chat


def of_generate(name: str, prompts: list[list[int]], tokens: int, threads: int) -> Callable[[], int]:
    model = load_model(load_config(None, [f"model.name={name}", "model.dtype=bfloat16"]).model).model.eval()
    torch.set_num_threads(threads)
    ids = torch.tensor(prompts)
    given = {"do_sample": True, "max_new_tokens": tokens, "min_new_tokens": tokens, "pad_token_id": 0}

    def run() -> int:
        with torch.inference_mode():
            found = model.generate(ids, attention_mask=torch.ones_like(ids), **given)  # type: ignore[operator]
        return int((found.shape[1] - ids.shape[1]) * len(prompts))

    return run


def of_vllm(name: str, prompts: list[list[int]], tokens: int, threads: int) -> Callable[[], int]:
    # In this process, whose time is measured; its threads are not bound to cores, where others work too.
    os.environ |= {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_KVCACHE_SPACE": "1",
                   "VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_WAIT_POLICY": "PASSIVE",
                   "OMP_NUM_THREADS": str(threads)}  # fmt: skip
    from vllm import LLM, SamplingParams

    model = LLM(model=name, dtype="bfloat16", max_model_len=1024, max_num_seqs=len(prompts), enforce_eager=True)
    given = SamplingParams(max_tokens=tokens, min_tokens=tokens, detokenize=False)

    def run() -> int:
        found = model.generate([{"prompt_token_ids": ids} for ids in prompts], given, use_tqdm=False)
        return sum(len(one.outputs[0].token_ids) for one in found)

    return run


def train(name: str, threads: int) -> None:
    rng = np.random.default_rng(0)
    for compute in ("float32", "bfloat16"):
        own = [f"model.name={name}", f"model.threads={threads}", f"model.compute={compute}", "train.loss.entropy=0.0"]
        policy = make_engine(load_config(None, own))[1]
        batch = episodes(rng, 8, 150, 70)
        policy.update(batch)
        found = rate(lambda policy=policy, batch=batch: policy.update(batch).tokens + 8 * 150)  # type: ignore[misc]
        print(f"updates of 8 episodes of 150 + 70 tokens, {compute}: {found:,.0f} tokens/s")


def episodes(rng: np.random.Generator, count: int, prompt: int, answer: int) -> Batch:
    made = []
    for _ in range(count):
        ids, text = (tuple(int(x) for x in rng.integers(100, 40000, size)) for size in (prompt, answer))
        asked = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=ids)
        done = Completion(prompt=asked, text="", token_ids=text, log_probs=(-9.0,) * answer, finished=True)
        made.append(Episode(completion=done, reward=1.0))
    return Batch(episodes=tuple(made), advantages=np.ones(count), weights=np.full(count, 1 / (count * answer)))


def agree(loaded: Any, count: int, most: int) -> None:
    kinds = make_kinds(KindOptions(inputs=4))
    wanted = dict.fromkeys((Kind.DEDUCTION, Kind.ABDUCTION), -(-count // 2))
    drawn = draw_tasks(0, "agree", wanted, kinds, Sandbox(), 4)
    renderer = Renderer(Chat(loaded.tokenizer.chat, form=Form(short=True)), kinds, loaded.tokenizer.encode, ())
    prompts = [renderer.solve(task) for own in drawn.values() for task in own][:count]
    engine = TransformersEngine(loaded.tokenizer, 16)
    engine.load(loaded.model)
    found = engine.sample(prompts, Sampling(seed=0, temperature=0.0, max_tokens=most))
    same = 0
    for prompt, (completion,) in zip(prompts, found, strict=True):
        ids = torch.tensor([prompt.token_ids])
        mask = torch.ones_like(ids)
        theirs = loaded.model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=most, pad_token_id=0)
        same += list(completion.token_ids) == theirs[0, ids.shape[1] :].tolist()
    print(f"{same} of {count} greedy completions of up to {most} tokens equal generate's, token by token, in float32")


def main() -> None:
    parser = argparse.ArgumentParser(description="A real model on a CPU.")
    parser.add_argument("what", choices=["decode", "rows", "train", "agree"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=600)
    parser.add_argument("--rows", default="16,64,256")
    parser.add_argument("--prompts", type=int, default=100)
    parser.add_argument("--tokens", type=int, help="of a completion at most (agree: 32, rows: 100)")
    parser.add_argument("--by", choices=["azr", "generate", "vllm"], default="azr")
    given = parser.parse_args()
    if given.what == "rows":
        rows(given.model, given.by, given.tokens or 100, given.threads)
        return
    if given.what == "train":
        train(given.model, given.threads)
        return
    loaded = load_model(load_config(None, [f"model.name={given.model}", f"model.threads={given.threads}"]).model)
    if given.what == "decode":
        decode(loaded.model.eval(), given.prompt, tuple(map(int, given.rows.split(","))))
    else:
        agree(loaded, given.prompts, given.tokens or 32)


if __name__ == "__main__":
    main()
