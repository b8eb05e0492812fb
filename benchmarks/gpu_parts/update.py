"""Whole updates, and their gradients: what `benchmarks/gpu.py` measures."""

import json
import sys
from collections.abc import Callable

from gpu_parts.place import Figures, Part, Place, needs, run

SHAPE = "Qwen3-0.6B"


def _gpu(*more: str, toy: tuple[str, ...], profile: bool = False) -> Callable[[Place, float], Figures]:
    """`toy`: the options at toy size."""

    def ask(place: Place, end: float) -> Figures:
        chosen = ("--device", "cpu", "--repeat", "1", *toy) if place.toy else ("--repeat", "2", *more)
        done = run([sys.executable, "benchmarks/gpu.py", *chosen, *(["--profile"] if profile else [])], end)
        found: Figures = json.loads(done.stdout)
        return {**found, **({"profile": done.stderr.splitlines()[-45:]} if profile else {})}

    return ask


FIGURES = (
    Part(
        "update-16k", 45, 90,
        _gpu("--shapes", SHAPE, "--lengths", "16384", toy=("--shapes", "toy", "--lengths", "128", "--batch", "256")),
    ),
    Part(
        "update-65k", 50, 100,
        _gpu("--shapes", SHAPE, "--lengths", "65536", "--tokens", "65536",
             toy=("--shapes", "toy", "--lengths", "512", "--batch", "512")),
    ),
    Part(
        "update-lora", 40, 80,
        _gpu("--shapes", SHAPE, "--lengths", "16384", "--lora", "16",
             toy=("--shapes", "toy", "--lengths", "128", "--batch", "256", "--lora", "4")),
        needs("peft"),
    ),
    Part(
        "update-3b", 50, 100,
        _gpu("--shapes", "3B", "--lengths", "4096",
             toy=("--shapes", "toy", "--lengths", "64", "--batch", "256"), profile=True),
    ),
)  # fmt: skip
CHECK = Part("check", 30, 60, _gpu("--check", toy=("--check",)))
