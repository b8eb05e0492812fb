"""What a program of a domain costs, beside the same program with its library written into it: plain Python.

    python benchmarks/domain_cost.py

The programs use the library of examples/domains/tables. Both sides run the same calls; rounds alternate, so that a busy
machine slows both alike. What is printed is a ratio of medians.
"""

import re
import statistics
import sys
import time
from pathlib import Path

from azr.domains.check import load
from azr.sandbox import Sandbox, ValidRun
from azr.tasks.io import read_drafts

TABLES = Path(__file__).parents[1] / "examples" / "domains" / "tables"
ROUNDS, COPIES = 9, 4


def main() -> None:
    """Measure and print."""
    domain = load(TABLES)
    drafts = read_drafts(TABLES / "seeds.jsonl", domain.kinds, "tables")
    library = re.sub(r'^"""[\s\S]*?"""', "", (TABLES / "modules" / "tables.py").read_text("utf-8"))
    kind = next(iter(domain.kinds.values()))
    with_library = [(draft.program, draft.inputs[:1]) for _, draft in drafts] * COPIES
    plain = [(re.sub(r"from tables import .*", lambda _: library, program), inputs) for program, inputs in with_library]
    trivial = [("def f(a):\n    return a + 1", ("1",))] * len(plain)
    bare = Sandbox(threads=domain.sandbox.threads)
    # A table is no value of plain Python: only programs that return plain data are compared.
    keep = [i for i, found in enumerate(bare.validate(plain)) if isinstance(found.results[0], ValidRun)]
    sides = {
        "domain, typed": (kind.sandbox, [with_library[i] for i in keep]),
        "domain, untyped": (domain.sandbox, [with_library[i] for i in keep]),
        "plain, library inside": (bare, [plain[i] for i in keep]),
        "trivial program in the domain's guest": (domain.sandbox, trivial[: len(keep)]),
        "trivial program in the plain guest": (bare, trivial[: len(keep)]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, (sandbox, items) in sides.items():
            begin = time.perf_counter()
            results = sandbox.validate(items)
            seconds[name].append(time.perf_counter() - begin)
            assert all(isinstance(result.results[0], ValidRun) for result in results), name
    medians = {name: statistics.median(found) / len(keep) * 1e3 for name, found in seconds.items()}
    for name, median in medians.items():
        sys.stdout.write(f"{name:40} {median:.3f} ms a validation\n")
    names = list(sides)
    for above, below in ((names[0], names[2]), (names[1], names[2]), (names[3], names[4])):
        pairs = [a / b for a, b in zip(seconds[above], seconds[below], strict=True)]
        sys.stdout.write(f"{above} / {below}: {statistics.median(pairs):.3f} (median of {ROUNDS} pairs)\n")


if __name__ == "__main__":
    main()
