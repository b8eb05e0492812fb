"""Rows, a script and an evaluation of a few small functions: no model, no data of others."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.evals.ask import Asker
from azr.evals.benchmarks import Benchmark, Item, find
from azr.evals.run import Decoding, Evaluation, Share
from azr.evals.scorers import Tools
from azr.rollouts.scripted import Script, ScriptedEngine
from azr.sandbox import Limits, Sandbox

ROWS = [
    {"id": f"sample_{n}", "code": f"def f(a):\n    return a + {n}", "input": str(n), "output": str(2 * n)}
    for n in range(6)
]


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox(threads=2, limits=Limits(wall_seconds=600.0))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for --data with one data set."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "cruxeval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return folder


@pytest.fixture
def benchmark() -> Benchmark:
    return find("cruxeval_o")


@pytest.fixture
def items(benchmark: Benchmark, sandbox: Sandbox) -> list[Item]:
    return benchmark.build(ROWS, sandbox)


@pytest.fixture
def make_evaluation(sandbox: Sandbox) -> Callable[..., Evaluation]:
    """An evaluation by a script."""

    def make(script: Script, samples: int = 1, batch: int = 4, share: Share | None = None) -> Evaluation:
        engine = ScriptedEngine(script)
        return Evaluation(
            engine=engine,
            asker=Asker("think", engine.tokenizer),
            tools=Tools(sandbox=sandbox),
            decoding=Decoding(samples=samples, temperature=1.0),
            batch=batch,
            share=share or Share(),
        )

    return make
