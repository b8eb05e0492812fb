"""Other ways to run Python programs, to compare with the sandbox. azr itself uses none of them.

They run programs without the sandbox's protection: give them data that you trust.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from azr.cli.measure.clock import cpu_seconds

Programs = Sequence[tuple[str, str]]


def subprocesses(programs: Programs) -> dict[str, float]:
    """A CPython process a program, one after another."""
    few = programs[:60]

    def work() -> None:
        for program, call in few:
            text = f"{program}\nprint(repr(f({call})))"
            subprocess.run([sys.executable, "-I", "-c", text], capture_output=True, check=False)

    return _measure(work, len(few))


def warm_pool(programs: Programs) -> dict[str, float]:
    """A pool of one warm process that runs each program with exec: what the paper's code does."""

    def work() -> None:
        with ProcessPoolExecutor(1) as pool:
            for program, call in programs:
                pool.submit(_execute, program, call).result()

    return _measure(work, len(programs))


def monty(programs: Programs) -> dict[str, float]:
    """pydantic-monty's pool: a language-level sandbox without WebAssembly, in a worker process."""
    from pydantic_monty import Monty

    def work() -> None:
        with Monty() as pool:
            for program, call in programs:
                try:
                    with pool.checkout() as session:
                        session.feed_run(f"{program}\nf({call})")
                except Exception:  # a program that fails, or that Monty cannot run, counts its time too
                    continue

    return _measure(work, len(programs))


def _execute(program: str, call: str) -> str:
    namespace: dict[str, Any] = {}
    try:
        exec(program, namespace)
        return repr(eval(f"f({call})", namespace))
    except Exception as error:  # a program's failure is a result like any other
        return repr(error)


def _measure(work: Callable[[], None], programs: int) -> dict[str, float]:
    work()
    wall, cpu = time.perf_counter(), cpu_seconds()
    work()
    return {
        "programs_per_s": programs / (time.perf_counter() - wall),
        "programs_per_cpu_s": programs / (cpu_seconds() - cpu),
    }


PEERS: Final[dict[str, Callable[[Programs], dict[str, float]]]] = {
    "cpython subprocess": subprocesses,
    "warm process with exec": warm_pool,
    "pydantic-monty": monty,
}
