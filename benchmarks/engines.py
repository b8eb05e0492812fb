"""The vLLM engine against `transformers.generate`, a whole step with each engine, and updates of the engine's weights.

    python benchmarks/engines.py [--hidden 256] [--layers 6] [--batch 64] [--repeat 5]

One model, one process beside vLLM's own, the same prompts and lengths for all. Prints, as JSON:
- tokens/s of `generate`, of azr's transformers engine and of the vLLM engine, and the ratios to `generate`: one
  completion of each prompt, and eight of each, as in a step of self-play;
- seconds of one step of `azr train` on the embedded model (proposals, validation, attempts, answers, update, weights
  into the engine);
- milliseconds until the engine has new weights, those of copying as many bytes within memory, and the ratio; the same
  of the CPU time of both processes.

Runs of the parts to be compared alternate; each figure is the median of its runs.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from azr.config import Config, load_config, resolve
from azr.metrics.step import Numbers, StepReport
from azr.rollouts import Engine, Sampling
from azr.rollouts.transformers import TransformersEngine
from azr.rollouts.vllm.engine import VllmEngine
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.trainer.model import load_model
from azr.types import Kind, Prompt, Role
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

ATTEMPTS, LENGTH = 8, 64


def make_model(folder: Path, hidden: int, layers: int) -> int:
    """A random Qwen2 shape with a byte tokenizer; returns its number of parameters."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    inner = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(alphabet)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<pad>")
    torch.manual_seed(0)
    heads = max(1, hidden // 32)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers,
            num_attention_heads=heads, num_key_value_heads=max(1, heads // 2), max_position_embeddings=4096,
            tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(parameter.numel() for parameter in model.parameters())


def alternate(runs: dict[str, Callable[[], float]], repeat: int) -> dict[str, float]:
    """The median of each, after one of each to warm up."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeat + 1):
        for name, run in runs.items():
            value = run()
            if turn:
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def rate(work: Callable[[], int]) -> Callable[[], float]:
    """Units of work a second."""

    def run() -> float:
        begin = time.perf_counter()
        return work() / (time.perf_counter() - begin)

    return run


def measure_sampling(model: Any, ours: TransformersEngine, vllm: VllmEngine, batch: int, repeat: int) -> dict[str, Any]:
    """Tokens/s, both cases."""
    ids = torch.randint(0, 256, (batch, LENGTH))
    prompts = [Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="", token_ids=tuple(row)) for row in ids.tolist()]
    shared = prompts[: batch // ATTEMPTS]
    ends = sorted(vllm.tokenizer.end_ids)

    def generate(rows: torch.Tensor) -> int:
        with torch.inference_mode():
            out = model.generate(rows, max_new_tokens=LENGTH, do_sample=True, eos_token_id=ends, pad_token_id=257)
        written = out[:, LENGTH:]
        ended = torch.isin(written, torch.tensor(ends))
        lengths = torch.where(ended.any(1), ended.int().argmax(1) + 1, written.shape[1])
        return int(lengths.sum())

    def sample(engine: Engine, given: list[Prompt], count: int) -> int:
        found = engine.sample(given, Sampling(seed=0, max_tokens=LENGTH), count)
        return sum(len(completion.token_ids) for row in found for completion in row)

    cases = {"one_a_prompt": (prompts, 1), "eight_a_prompt": (shared, ATTEMPTS)}
    result: dict[str, Any] = {}
    for case, (given, count) in cases.items():
        rows = torch.tensor([prompt.token_ids for prompt in given]).repeat_interleave(count, 0)
        runs = {
            "generate": rate(lambda rows=rows: generate(rows)),  # type: ignore[misc]
            "transformers": rate(lambda given=given, count=count: sample(ours, given, count)),  # type: ignore[misc]
            "vllm": rate(lambda given=given, count=count: sample(vllm, given, count)),  # type: ignore[misc]
        }
        rates = alternate(runs, repeat)
        result[case] = {name: round(value) for name, value in rates.items()}
        for name in ("transformers", "vllm"):
            result[case][f"{name}_ratio"] = round(rates[name] / rates["generate"], 2)
    return result


def measure_updates(model: Any, engine: VllmEngine, repeat: int) -> dict[str, Any]:
    """Milliseconds of an update, its check not counted, and of a copy: by the clock, and of CPU time.

    On a machine with other work the clock counts how long the processes waited for their turn; CPU time does not.
    """
    assert engine._arena is not None and engine._process is not None
    process = engine._process
    source = torch.rand(engine._arena.bytes // 4)
    target = torch.empty_like(source)
    apart: dict[str, list[float]] = {"inside_ms": [], "update_cpu_ms": [], "copy_cpu_ms": []}

    def update() -> float:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(1e-6)
        begin, cpu = time.perf_counter(), time.process_time()
        engine._publish(model)
        header, _ = process.ask({"op": "update"}, "updated", 600.0)
        spent, own = time.perf_counter() - begin, time.process_time() - cpu
        apart["inside_ms"].append(1000.0 * header["seconds"])
        apart["update_cpu_ms"].append(1000.0 * (own + header["cpu_seconds"]))
        return 1000.0 * spent

    def copy() -> float:
        begin, cpu = time.perf_counter(), time.process_time()
        target.copy_(source)
        spent = time.perf_counter() - begin
        apart["copy_cpu_ms"].append(1000.0 * (time.process_time() - cpu))
        return 1000.0 * spent

    found = alternate({"update_ms": update, "copy_ms": copy}, 4 * repeat)
    cpu = {name: statistics.median(values[1:]) for name, values in apart.items()}
    result = {"MiB": engine._arena.bytes / 2**20, **found, **cpu}
    result["ratio"] = found["update_ms"] / found["copy_ms"]
    result["cpu_ratio"] = cpu["update_cpu_ms"] / cpu["copy_cpu_ms"]
    more = {"direct": engine.direct, "load_average": round(os.getloadavg()[0], 1)}
    return {name: round(value, 2) for name, value in result.items()} | more


class Steps(Quiet):
    """Seconds of each step, and of its parts."""

    def __init__(self) -> None:
        self.numbers: list[Numbers] = []

    def stepped(self, report: StepReport, numbers: Numbers) -> None:
        self.numbers.append(numbers)


def measure_steps(folder: Path, steps: int) -> dict[str, Any]:
    """Median seconds of a step of the embedded model with each engine; the first step is not counted."""
    result: dict[str, Any] = {}
    for engine in ("transformers", "vllm"):
        watcher = Steps()
        start_run(step_config(folder / engine, engine, steps), watcher, lambda: False)
        rows = watcher.numbers[1:]
        keys = ("step", "rollout", "update", "load")
        result[engine] = {key: round(statistics.median(row[f"seconds/{key}"] for row in rows), 3) for key in keys}
        verified = [sum(row.get(f"seconds/{stage}", 0.0) for stage in ("validate", "buffer", "solve")) for row in rows]
        shares = [spent / row["seconds/step"] for spent, row in zip(verified, rows, strict=True)]
        result[engine]["sandbox_and_buffer_share"] = round(statistics.median(shares), 3)
    result["step_ratio"] = round(result["transformers"]["step"] / result["vllm"]["step"], 2)
    return result


def step_config(folder: Path, engine: str, steps: int) -> Config:
    """`azr train` as it comes, without probes: 72 proposals, 8 attempts at each new task, 72 answers."""
    threads = torch.get_num_threads()
    settings = [
        f"run.folder={folder}", f"engine.name={engine}", f"run.steps={steps}", f"run.save_every={steps}",
        "evals.every=0", "evals.limit=1", "evals.samples=1", "evals.grounded=none", f"model.threads={threads}",
        f"engine.vllm.threads={threads}",
    ]  # fmt: skip
    return load_config(None, settings)


def main() -> None:
    options = argparse.ArgumentParser()
    for name, default in (("hidden", 256), ("layers", 6), ("batch", 64), ("repeat", 5), ("steps", 4)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--only", choices=["sampling", "updates", "steps"], default=None)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result: dict[str, Any] = {
            "parameters": make_model(folder / "model", given.hidden, given.layers),
            "threads": torch.get_num_threads(),
        }
        config = resolve(
            {},
            [
                f"model.name={folder / 'model'}", "prompt.max_tokens=512", "sampling.max_tokens=64",
                f"engine.vllm.threads={torch.get_num_threads()}",
            ],
        )  # fmt: skip
        if given.only != "steps":
            loaded = load_model(config.model)
            model = loaded.model.eval()
            ours, vllm = TransformersEngine(loaded.tokenizer, given.batch), VllmEngine(loaded.tokenizer, config)
            vllm.load(model)
            ours.load(model)
            if given.only != "updates":
                result["tokens_per_second"] = measure_sampling(model, ours, vllm, given.batch, given.repeat)
            if given.only != "sampling":
                result["weights"] = measure_updates(model, vllm, given.repeat)
            vllm.close()
        sys.stderr.write(json.dumps(result) + "\n")
        if given.only in (None, "steps"):
            result["step_seconds"] = measure_steps(folder, given.steps)
    json.dump(result, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
