"""Cost of programs: fuel against CPU time over many kinds of program, and constructs against CPython.

Processor time, not the clock: a busy machine changes it little.
"""

import time
from typing import Any, Final

from azr.cli.measure.constructs import CONSTRUCTS
from azr.cli.measure.kinds import KINDS
from azr.sandbox import Limits, Outcome, Sandbox

ROUNDS: Final = 3


def measure_costs() -> dict[str, Any]:
    """Fuel per millisecond of each kind; for each construct the ratio to this CPython, and the growth of fuel with
    size."""
    sandbox = Sandbox(threads=1, limits=Limits(fuel=1 << 50))
    return {
        "fuel_per_ms": {name: _rate(sandbox, program, size) for name, (program, size) in KINDS.items()},
        "constructs": {name: _construct(sandbox, program, size) for name, (program, size) in CONSTRUCTS.items()},
    }


def _rate(sandbox: Sandbox, program: str, size: int) -> float:
    """The fastest of several runs: interference only makes a run slower."""
    runs = [_run(sandbox, program, size) for _ in range(ROUNDS)]
    return runs[0][1].fuel_used / min(seconds for seconds, _ in runs) / 1e3


def _construct(sandbox: Sandbox, program: str, size: int) -> dict[str, float]:
    namespace: dict[str, Any] = {}
    # Text of azr, not of a model.
    exec(program, namespace)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_run(sandbox, program, size)[0])
        started = time.process_time()
        namespace["f"](size)
        theirs.append(time.process_time() - started)
    empty, once, twice = (_run(sandbox, program, n)[1].fuel_used for n in (1, size, 2 * size))
    return {"ratio": min(ours) / min(theirs), "doubled": (twice - empty) / (once - empty)}


def _run(sandbox: Sandbox, program: str, size: int) -> tuple[float, Outcome]:
    started = time.process_time()
    outcome = sandbox.run(program, call=str(size))
    seconds = time.process_time() - started
    if outcome.kind not in ("returned", "not_a_task_value"):
        raise RuntimeError(f"a program of the benchmark ends as {outcome.kind}: {program}")
    return seconds, outcome
