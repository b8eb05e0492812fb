"""How fast samples are graded, beside a process for every test: python benchmarks/eval_grading.py DATA [SECONDS]

DATA is a folder with humaneval.jsonl. The load is that of 164 problems with 200 samples each: the canonical solutions
and broken ones in turn, without those that hang, since these cost what the limit says in either way. Both ways get the
same programs in the same order and as many seconds each, azr first; what is compared is the rate.
"""

import itertools
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from azr.evals.benchmarks import find
from azr.evals.benchmarks.base import Item
from azr.evals.data import load
from azr.evals.scorers import Tools, make_scorer
from azr.sandbox import Limits, Sandbox
from mutants import broken
from process_per_test import passes

PROBLEMS, SAMPLES, BATCH = 164, 200, 256

Pair = tuple[Item, str]


def main(data: Path, seconds: float) -> None:
    """Print both rates, their ratio, and what the whole load would take."""
    cores = os.cpu_count() or 1
    tools = Tools(sandbox=Sandbox(threads=cores, limits=Limits(wall_seconds=600.0)))
    benchmark = find("humaneval")
    rows = load(benchmark, data).rows
    items = benchmark.build(rows, tools.sandbox)
    scorer = make_scorer(benchmark.scorer, tools)
    pairs = list(answers(items, [str(row["canonical_solution"]) for row in rows]))
    scorer.score(pairs[:BATCH])  # threads, snapshot and caches are warm

    def ours(batch: Sequence[Pair]) -> int:
        return sum(verdict.score > 0 for verdict in scorer.score(batch))

    pool = ThreadPoolExecutor(cores)  # as many processes at a time as there are cores

    def theirs(batch: Sequence[Pair]) -> int:
        return sum(pool.map(passes, [f"{source}\n\n{item.facts['tests']}" for item, source in batch]))

    results = {"azr": rate(ours, pairs, seconds, BATCH), "a process a test": rate(theirs, pairs, seconds, 4 * cores)}
    for name, (each, busy, right, done) in results.items():
        whole, alone = (PROBLEMS * SAMPLES / found / 60 for found in (each, busy * cores))
        print(
            f"{name}: {each:,.1f}/s, {busy:,.1f} a CPU-second ({done} graded, {right} right);"
            f" {PROBLEMS} x {SAMPLES} take {whole:.1f} min here, {alone:.1f} with {cores} cores to itself"
        )
    first, second = results.values()
    print(f"ratio {first[0] / second[0]:.2f} by the clock, {first[1] / second[1]:.2f} by processor time; {cores} cores")


def answers(items: Sequence[Item], solutions: Sequence[str]) -> Iterator[Pair]:
    """A right one and a wrong one in turn, of every problem."""
    for item, solution in zip(items, solutions, strict=True):
        right = item.facts["continued"] + solution
        wrong = [mutant.source for mutant in broken(right, item.facts["name"]) if mutant.kind != "hangs"]
        for source in wrong:
            yield from ((item, right), (item, source))


def rate(
    grade: Callable[[Sequence[Pair]], int], pairs: Sequence[Pair], seconds: float, size: int
) -> tuple[float, float, int, int]:
    """(graded a second, graded a CPU-second, right ones, graded) over about so many seconds."""
    endless = itertools.cycle(pairs)
    begin, busy, right, done = time.monotonic(), processor(), 0, 0
    while (spent := time.monotonic() - begin) < seconds:
        right += grade(list(itertools.islice(endless, size)))
        done += size
    return done / spent, done / (processor() - busy), right, done


def processor() -> float:
    """Seconds of the processor that this process and its ended children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 8.0)
