"""Whether the scorers tell right from wrong, on rows of CRUXEval and HumanEval: python benchmarks/eval_truth.py DATA

DATA is a folder with cruxeval.jsonl and humaneval.jsonl (`azr eval fetch cruxeval humaneval --to DATA`). Mutants that
may be as good as the original run in a process of CPython each, too, and both have to agree.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from azr.evals.benchmarks import find
from azr.evals.benchmarks.base import Item
from azr.evals.data import load
from azr.evals.scorers import Tools, make_scorer
from azr.sandbox import Limits, Sandbox
from mutants import Mutant, broken, mutated
from process_per_test import passes

FUEL = 4_000_000_000
"""Of one answer; what hangs is to be seen as such quickly."""


def main(data: Path) -> None:
    """Print the figures, and everything that is not as it should be."""
    tools = Tools(sandbox=Sandbox(limits=Limits(wall_seconds=600.0)), fuel=FUEL)
    for name, column in (("cruxeval_i", "input"), ("cruxeval_o", "output")):
        benchmark = find(name)
        rows = load(benchmark, data).rows
        items = benchmark.build(rows, tools.sandbox)
        answers = [(item, str(row[column])) for item, row in zip(items, rows, strict=True)]
        verdicts = make_scorer(benchmark.scorer, tools).score(answers)
        print(f"{benchmark.title}: {sum(v.score for v in verdicts):.0f} of {len(rows)} reference answers are right")
    humaneval(data, tools)


def humaneval(data: Path, tools: Tools) -> None:
    """Canonical solutions, and mutants of each."""
    benchmark = find("humaneval")
    rows = load(benchmark, data).rows
    items = benchmark.build(rows, tools.sandbox)
    solutions = [item.facts["continued"] + row["canonical_solution"] for item, row in zip(items, rows, strict=True)]
    scorer = make_scorer(benchmark.scorer, tools)
    right = scorer.score(list(zip(items, solutions, strict=True)))
    print(f"HumanEval: {sum(v.score for v in right):.0f} of {len(rows)} canonical solutions pass")

    must_fail = [
        (item, mutant)
        for item, solution in zip(items, solutions, strict=True)
        for mutant in broken(solution, item.facts["name"])
    ]
    verdicts = scorer.score([(item, mutant.source) for item, mutant in must_fail])
    table(must_fail, [v.score > 0 for v in verdicts], [str(v.reason) for v in verdicts])

    may_fail = [
        (item, mutant)
        for item, solution in zip(items, solutions, strict=True)
        for mutant in mutated(solution, item.facts["name"], each=2)
    ]
    verdicts = scorer.score([(item, mutant.source) for item, mutant in may_fail])
    ours = [v.score > 0 for v in verdicts]
    theirs = [passes(f"{mutant.source}\n\n{item.facts['tests']}") for item, mutant in may_fail]
    table(may_fail, ours, [str(v.reason) for v in verdicts])
    differ = [(pair, a) for pair, a, b in zip(may_fail, ours, theirs, strict=True) if a is not b]
    print(f"of these {len(may_fail)} the sandbox and CPython score {len(may_fail) - len(differ)} alike;")
    print(f"  {sum(theirs)} pass the tests under CPython: they are as good as the original, as far as the tests look")
    for (item, mutant), passed in differ:
        print(f"  {item.id} {mutant.kind}: here {'passed' if passed else 'failed'}\n{mutant.source}\n")


def table(pairs: list[tuple[Item, Mutant]], passed: list[bool], reasons: list[str]) -> None:
    """Kinds of mutant, how many failed, and by what."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (_, mutant), through, reason in zip(pairs, passed, reasons, strict=True):
        counts[mutant.kind]["mutants"] += 1
        counts[mutant.kind]["failed"] += not through
        counts[mutant.kind][reason] += 1
    for kind, found in counts.items():
        by = {reason: n for reason, n in found.items() if reason not in ("mutants", "failed")}
        print(f"  {kind:11} {found['failed']} of {found['mutants']} fail  {json.dumps(by)}")
    total, failed = len(pairs), sum(not through for through in passed)
    print(f"  {len(counts)} kinds, {failed} of {total} mutants fail ({failed / total:.1%})")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
