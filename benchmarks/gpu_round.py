"""Everything that a GPU has to answer, in one command of a quarter of an hour; what is most wanted comes first.

    python benchmarks/gpu_round.py --out benchmarks/gpu_round.json                 # on a GPU
    python benchmarks/gpu_round.py --toy --out target/gpu_round.json               # the same on a CPU, at toy size
    python benchmarks/gpu_round.py --out FILE --only update-16k run                # some parts

Each part is a process with a limit of its own. The file is written after each part, so that what is cut off loses no
figures; a part that fails or runs too long is noted, and the next begins. The parts:

    check           gradients of the GPU's ways beside a CPU's
    update-16k      whole updates at the shape of prime-rl's published figures: all weights, Qwen3-0.6B, 16k
    update-65k      the same at 65k
    update-lora     the same at 16k with an adapter
    update-3b       3B at 4k, with a profile
    run             `azr train` with random weights of 0.5B: tokens/s of decoding and its share of a step
    resume          a run that is stopped and resumed, bit for bit as one that was not
    lora, qlora     two steps of `azr train` with an adapter, on a whole base and on one of 4 bits
    offload         two steps with sharded weights (FSDP2) in the CPU's memory, on one rank

prime-rl's figures (1 x H100, Qwen3-0.6B): 11,900 tokens/s, 11.1% MFU, 12.5 GiB at 16k; 10,150, 26.8%, 19.6 GiB at 65k;
LoRA 13,300, 10.9%, 5.1 GiB.
"""

import argparse
import datetime
import hashlib
import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = ("azr", "torch", "transformers", "peft", "bitsandbytes")
TOY = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 512,
}  # fmt: skip
HALF_BILLION = {
    "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
    "num_key_value_heads": 2, "vocab_size": 151936,
}  # fmt: skip
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round runs."""

    toy: bool
    folder: Path

    @property
    def device(self) -> str:
        return "cpu" if self.toy else "cuda"

    @property
    def model(self) -> Path:
        return self.folder / "model"


@dataclass(frozen=True, slots=True)
class Part:
    """One question."""

    name: str
    seconds: float
    """The most that it may take."""
    ask: Callable[[Place, float], Figures]
    needs: tuple[str, ...] = field(default=())
    """Packages without which it is left out."""


def main() -> None:
    """Run the parts in order."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--toy", action="store_true")
    options.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], default=None)
    options.add_argument("--seconds", type=float, default=None, help="for all parts together; 870 on a GPU")
    given = options.parse_args()
    given.seconds = given.seconds or (86_400.0 if given.toy else 870.0)
    end = time.monotonic() + given.seconds
    result: Figures = {
        "date": datetime.date.today().isoformat(), "command": " ".join(sys.argv), "python": platform.python_version(),
        "versions": {name: version for name in PACKAGES if (version := _version(name))}, "parts": {},
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(given.toy, Path(folder))
        result["device"] = _device(place)
        for part in PARTS:
            if given.only is None or part.name in given.only:
                result["parts"][part.name] = _answer(part, place, end - time.monotonic())
                given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
                sys.stderr.write(f"{part.name}: {json.dumps(result['parts'][part.name])[:400]}\n")


def _answer(part: Part, place: Place, left: float) -> Figures:
    missing = [name for name in part.needs if not _version(name)]
    if missing:
        return {"left_out": f"{', '.join(missing)} not installed"}
    if left < 20.0:
        return {"left_out": "no time was left"}
    begin = time.monotonic()
    try:
        # At toy size there is no hurry: a busy CPU decides how long a part takes.
        found = part.ask(place, left if place.toy else min(left, part.seconds))
    except subprocess.TimeoutExpired as error:
        found = {"failed": f"not done after {error.timeout:.0f} s"}
    except Exception as error:  # whatever one part does, the next begins
        said = getattr(error, "stderr", None) or ""
        found = {"failed": str(error)[-600:], "said": said[-2000:]}
    return {"wall_seconds": round(time.monotonic() - begin, 1), **found}


def _run(command: list[str], seconds: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=seconds)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _device(place: Place) -> str:
    if place.toy:
        return "cpu"
    code = "import torch; print(torch.cuda.get_device_name())"
    return _run([sys.executable, "-c", code], 120.0).stdout.strip()


def _gpu(*more: str, toy: tuple[str, ...], profile: bool = False) -> Callable[[Place, float], Figures]:
    """A part that `benchmarks/gpu.py` answers; `toy`: its options at toy size."""

    def ask(place: Place, seconds: float) -> Figures:
        chosen = ("--device", "cpu", "--repeat", "1", *toy) if place.toy else ("--repeat", "2", *more)
        done = _run([sys.executable, "benchmarks/gpu.py", *chosen, *(["--profile"] if profile else [])], seconds)
        found: Figures = json.loads(done.stdout)
        return {**found, **({"profile": done.stderr.splitlines()[-45:]} if profile else {})}

    return ask


def _make_model(place: Place) -> None:
    """Random weights, with a tokenizer of bytes whose other tokens are no text."""
    if place.model.is_dir():
        return
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM, set_seed

    shape = TOY if place.toy else HALF_BILLION
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = alphabet + [f"<{n}>" for n in range(len(alphabet), shape["vocab_size"] - 2)]
    inner = Tokenizer(models.BPE(vocab={word: n for n, word in enumerate(words)}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<pad>")
    set_seed(0)
    config = Qwen2Config(
        **shape, max_position_embeddings=8192, tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id
    )
    Qwen2ForCausalLM(config).save_pretrained(place.model)
    tokenizer.save_pretrained(place.model)


def _train(place: Place, name: str, steps: int, *more: str) -> list[str]:
    """The command of a run with random weights. Nothing that they write is a task: what is measured is the machine."""
    _make_model(place)
    sizes = (4, 2, 32) if place.toy else (32, 8, 512)
    given = [
        f"model.name={place.model}", f"model.device={place.device}", "model.compute=bfloat16",
        f"seeding.path={ROOT / 'python/azr/evals/grounded.jsonl'}", 'tasks.kinds=["abduction","deduction"]',
        f"propose.batch={sizes[0]}", f"solve.batch={sizes[0]}", f"solve.trials={sizes[1]}", "solve.answers=2",
        f"sampling.max_tokens={sizes[2]}", "prompt.max_tokens=6144", "prompt.template=think", "evals.every=0",
        "evals.grounded=none", f"run.steps={steps}", "run.save_every=1", "run.keep_last=9",
        "engine.batch=512", "train.advantage=trr_token", *more,
    ]  # fmt: skip
    command = [sys.executable, "-m", "azr", "train", "--run", str(place.folder / name)]
    return command + [part for value in given for part in ("--set", value)]


def _rows(place: Place, name: str) -> list[Figures]:
    text = (place.folder / name / "metrics.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _steps(place: Place, name: str) -> Figures:
    """What the run's metrics say of its last step: those before it compile and warm up."""
    rows = [row for row in _rows(place, name) if "seconds/step" in row]
    last = rows[-1]
    phases = {
        key.removeprefix("seconds/"): round(value, 3) for key, value in last.items() if key.startswith("seconds/")
    }
    decoding, step = phases.get("rollout", 0.0), phases["step"]
    lengths = {
        key: value for key, value in last.items() if key.startswith("engine/") and isinstance(value, int | float)
    }
    peaks = {key: value for key, value in last.items() if key.startswith("memory/")}
    return {
        "steps": len(rows), "seconds": phases, "rollout_share": round(decoding / step, 3), "engine": lengths,
        "memory": peaks, "trained_tokens": last.get("update/tokens"),
    }  # fmt: skip


def _whole_run(name: str, *more: str, steps: int = 2) -> Callable[[Place, float], Figures]:
    def ask(place: Place, seconds: float) -> Figures:
        _run(_train(place, name, steps, *more), seconds)
        return _steps(place, name)

    return ask


def _resume(place: Place, seconds: float) -> Figures:
    """Two steps at once, beside one step and its resumption."""
    end = time.monotonic() + seconds
    _run(_train(place, "at-once", 2), end - time.monotonic())
    _run(_train(place, "in-two", 2), end - time.monotonic())
    stopped = place.folder / "in-two"
    shutil.rmtree(stopped / "checkpoints" / "step_2")  # as a crash in the second step leaves it
    _run([sys.executable, "-m", "azr", "train", "--resume", str(stopped)], end - time.monotonic())
    first, second = (_digest(place.folder / name / "checkpoints" / "step_2") for name in ("at-once", "in-two"))
    assert first == second, f"the weights differ: {first} and {second}"
    return {"weights": first}


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.safetensors"))
    assert files, f"{folder} has no weights"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


SHAPE = "Qwen3-0.6B"
PARTS = (
    Part("check", 90, _gpu("--check", toy=("--check",))),
    Part(
        "update-16k", 120,
        _gpu("--shapes", SHAPE, "--lengths", "16384", toy=("--shapes", "toy", "--lengths", "128", "--batch", "256")),
    ),
    Part(
        "update-65k", 150,
        _gpu("--shapes", SHAPE, "--lengths", "65536", "--tokens", "65536",
             toy=("--shapes", "toy", "--lengths", "512", "--batch", "512")),
    ),
    Part(
        "update-lora", 120,
        _gpu("--shapes", SHAPE, "--lengths", "16384", "--lora", "16",
             toy=("--shapes", "toy", "--lengths", "128", "--batch", "256", "--lora", "4")),
        ("peft",),
    ),
    Part(
        "update-3b", 150,
        _gpu("--shapes", "3B", "--lengths", "4096",
             toy=("--shapes", "toy", "--lengths", "64", "--batch", "256"), profile=True),
    ),
    Part("run", 240, _whole_run("run", steps=3)),
    Part("resume", 240, _resume),
    Part("lora", 120, _whole_run("lora", "model.lora.rank=8"), ("peft",)),
    Part("qlora", 120, _whole_run("qlora", "model.lora.rank=8", "model.lora.base=4bit"), ("peft", "bitsandbytes")),
    Part("offload", 150, _whole_run("offload", "ranks.sharding=full", "ranks.offload=true")),
)  # fmt: skip

if __name__ == "__main__":
    main()
