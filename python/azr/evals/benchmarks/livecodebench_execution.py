"""LiveCodeBench, code execution: what does a solution of a contest problem return? 479 rows.

Source: livecodebench/execution-v2, split test; licence as the hub's page says (CC); Jain et al., arXiv 2403.07974. The
commit is the newest of its history (13 June 2024; the rows are of 11 April 2024).

`livecodebench_execution_o` is the benchmark as it was made: predict the output. The paper's code builds
these rows as input prediction instead; `livecodebench_execution_i` is that. Prompts as for CRUXEval.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from azr.errors import BenchmarkError
from azr.evals.benchmarks.base import Benchmark, Item, Row, Source, column
from azr.evals.benchmarks.cruxeval import items_of
from azr.types import Kind

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

SOURCE = Source(
    hub="livecodebench/execution-v2",
    local="livecodebench_execution",
    licence="CC (see the hub's page)",
    revision="e3bbac6d5da0043c4a0b4e4f4b678f1f6497cc86",
)

IMPORTS = (
    "import bisect, collections, functools, heapq, itertools, math, operator, re, string\n"
    "from bisect import *\nfrom collections import *\nfrom functools import *\nfrom heapq import *\n"
    "from itertools import *\nfrom math import *\nfrom typing import *\n"
)
"""What the contest's own set-up imports for every solution."""

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\((.*)\)\s*\Z", re.DOTALL)


def _build(kind: Kind) -> Callable[[Sequence[Row], "Sandbox"], list[Item]]:
    def build(rows: Sequence[Row], sandbox: "Sandbox") -> list[Item]:
        read = []
        for number, row in enumerate(rows):
            call = _CALL.match(column(row, number, "input"))
            if call is None:
                raise BenchmarkError(f"row {number}: the input {row['input'][:60]!r} is no call")
            program = f"{IMPORTS}\n{column(row, number, 'code').strip()}\n\nf = {call[1]}"
            # One problem has several rows, each with its own id.
            name = f"{row.get('question_id', '')}/{row.get('id', number)}".lstrip("/")
            read.append((name, program, call[2], column(row, number, "output")))
        return items_of(read, kind, sandbox)

    return build


EXECUTION_O = Benchmark(
    name="livecodebench_execution_o",
    title="LiveCodeBench execution (output)",
    source=SOURCE,
    scorer="task",
    kind=Kind.DEDUCTION,
    build=_build(Kind.DEDUCTION),
    max_tokens=2048,
    stops=("\n",),
)
EXECUTION_I = Benchmark(
    name="livecodebench_execution_i",
    title="LiveCodeBench execution (input)",
    source=SOURCE,
    scorer="task",
    kind=Kind.ABDUCTION,
    build=_build(Kind.ABDUCTION),
    max_tokens=2048,
    stops=("\n",),
)
