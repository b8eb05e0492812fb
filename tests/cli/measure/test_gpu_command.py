"""The command that measures the trainer on a GPU, at toy size on a CPU: it runs, and counts what it says it counts."""

import json
import runpy
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
COMMAND = Path(__file__).parents[3] / "benchmarks" / "gpu.py"
TOY = ["--device", "cpu", "--shapes", "toy", "--lengths", "64", "128", "--batch", "256", "--repeat", "1"]


@pytest.mark.parametrize("more", [[], ["--lora", "4"]])
def test_the_gpu_command_runs_at_toy_size_on_a_cpu(
    more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(COMMAND), *TOY, *more])
    runpy.run_path(str(COMMAND), run_name="__main__")
    found = json.loads(capsys.readouterr().out)["measured"]
    assert [(row["length"], row["tokens"]) for row in found] == [(64, 256), (128, 256)]
    assert all(row["tokens_per_second"] > 0 for row in found)
