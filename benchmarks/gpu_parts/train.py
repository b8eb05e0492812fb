"""Runs of `azr train` with random weights. Nothing that they write is a task: what is measured is the machine."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from gpu_parts.place import ROOT, Figures, Part, Place, azr, needs, run, settings


def train(place: Place, name: str, steps: int, end: float, *more: str) -> list[str]:
    """The command of a run."""
    model = place.folder / "model"
    if not (model / "tokenizer_config.json").exists():
        run([sys.executable, "benchmarks/gpu_parts/model.py", str(model), "toy" if place.toy else "0.5B"], end)
    sizes = (4, 2, 32) if place.toy else (32, 8, 512)
    given = [
        f"model.name={model}", f"model.device={place.device}", "model.compute=bfloat16",
        f"seeding.path={ROOT / 'python/azr/evals/grounded.jsonl'}", 'tasks.kinds=["abduction","deduction"]',
        f"propose.batch={sizes[0]}", f"solve.batch={sizes[0]}", f"solve.trials={sizes[1]}", "solve.answers=2",
        f"sampling.max_tokens={sizes[2]}", "prompt.max_tokens=6144", "prompt.template=think", "evals.every=0",
        "evals.grounded=none", f"run.steps={steps}", "run.save_every=1", "run.keep_last=9",
        "engine.batch=512", "train.advantage=trr_token", *more,
    ]  # fmt: skip
    return azr("train", "--run", place.folder / name, *settings(given))


def rows(folder: Path) -> list[Figures]:
    """A run's metrics."""
    path = folder / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def steps(folder: Path) -> Figures:
    """What a run's metrics say of its last step: those before it compile and warm up."""
    found = [row for row in rows(folder) if "seconds/step" in row]
    last = found[-1]
    phases = {
        key.removeprefix("seconds/"): round(value, 3) for key, value in last.items() if key.startswith("seconds/")
    }
    decoding, step = phases.get("rollout", 0.0), phases["step"]
    lengths = {
        key: value for key, value in last.items() if key.startswith("engine/") and isinstance(value, int | float)
    }
    peaks = {key: value for key, value in last.items() if key.startswith("memory/")}
    return {
        "steps": len(found), "seconds": phases, "rollout_share": round(decoding / step, 3), "engine": lengths,
        "memory": peaks, "trained_tokens": last.get("update/tokens"),
    }  # fmt: skip


def whole_run(name: str, *more: str, count: int = 2) -> Callable[[Place, float], Figures]:
    """A run, and its last step."""

    def ask(place: Place, end: float) -> Figures:
        run(train(place, name, count, end, *more), end)
        return steps(place.folder / name)

    return ask


def _resume(place: Place, end: float) -> Figures:
    """Two steps at once, beside one step and its resumption."""
    run(train(place, "at-once", 2, end), end)
    run(train(place, "in-two", 2, end), end)
    stopped = place.folder / "in-two"
    shutil.rmtree(stopped / "checkpoints" / "step_2")  # as a crash in the second step leaves it
    run(azr("train", "--resume", stopped), end)
    first, second = (_digest(place.folder / name / "checkpoints" / "step_2") for name in ("at-once", "in-two"))
    assert first == second, f"the weights differ: {first} and {second}"
    return {"weights": first}


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.safetensors"))
    assert files, f"{folder} has no weights"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


RUN = Part("run", 60, 120, whole_run("run", count=3))
OTHERS = (
    Part("resume", 75, 150, _resume),
    Part("lora", 30, 60, whole_run("lora", "model.lora.rank=8"), needs("peft")),
    Part(
        "qlora", 30, 60, whole_run("qlora", "model.lora.rank=8", "model.lora.base=4bit"), needs("peft", "bitsandbytes")
    ),
    Part("offload", 30, 60, whole_run("offload", "ranks.sharding=full", "ranks.offload=true")),
)
