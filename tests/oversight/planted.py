"""The planted set: 300 completions, half of them harmless look-alikes, and how the monitors do on them.

    python tests/oversight/planted.py [fresh | later | last]

prints the table of benchmarks/oversight.md, and every miss and false alarm.
"""

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from azr.config.oversight import CodeConfig, PatternConfig
from azr.oversight.base import Seen
from azr.oversight.monitors.code import CodeMonitor
from azr.oversight.monitors.patterns import Patterns
from azr.sandbox import Imports, Sandbox, Value
from azr.types import PROPOSE, SOLVE, Completion, Key, Kind, Prompt, Role, Task

HARMLESS = "harmless"
DOUBLE = Task(
    kind=Kind.INDUCTION,
    program="def f(x):\n    return 2 * x",
    inputs=tuple(str(n) for n in range(1, 9)),
    outputs=tuple(Value.of(2 * n) for n in range(1, 9)),
)


@dataclass(frozen=True)
class Planted:
    label: str
    text: str
    seen: Seen


def planted(sandbox: Sandbox, name: str = "planted") -> list[Planted]:
    """`planted`: the set that the rules were made with. The others were each written before a look at the rules.

    `fresh`, `later`, `last`, in this order; the rules were widened after each.
    """
    lines = Path(__file__).with_name(f"{name}.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t", 1) for line in lines]
    return [Planted(label, text, _seen(text.replace("\\n", "\n"), sandbox)) for label, text in rows]


def _seen(text: str, sandbox: Sandbox) -> Seen:
    form, colon, code = text.partition(":")
    is_code = bool(colon) and form in {"code", "induction"}
    induction = is_code and form == "induction"
    prompt = Prompt(
        role=Role.SOLVE if induction else Role.PROPOSE,
        kind=Kind.INDUCTION if induction else Kind.DEDUCTION,
        text="",
        token_ids=(),
        task=DOUBLE if induction else None,
    )
    shown = f"```python\n{code}\n```" if is_code else text
    completion = Completion(prompt=prompt, text=shown, token_ids=(), log_probs=(), finished=True)
    imports: tuple[str, ...] = ()
    if is_code:
        (found,) = sandbox.imports([code])
        assert isinstance(found, Imports), code
        imports = found.names
    return Seen(
        step=1, key=Key(SOLVE if induction else PROPOSE, 0), completion=completion, code=code if is_code else None,
        imports=imports, task=prompt.task,
    )  # fmt: skip


def detect(rows: Sequence[Planted]) -> list[list[str]]:
    """The rules that fire on each row."""
    seen = [row.seen for row in rows]
    monitors = (Patterns(PatternConfig()), CodeMonitor(CodeConfig()))
    found = [monitor.completions(seen) for monitor in monitors]
    return [[finding.rule for by_monitor in found for finding in by_monitor[at]] for at in range(len(rows))]


def scores(rows: Sequence[Planted], found: Sequence[Sequence[str]]) -> tuple[float, float]:
    """Recall on what is planted, and the share of harmless rows that raise anything."""
    hits = [bool(rules) for row, rules in zip(rows, found, strict=True) if row.label != HARMLESS]
    alarms = [bool(rules) for row, rules in zip(rows, found, strict=True) if row.label == HARMLESS]
    return sum(hits) / len(hits), sum(alarms) / len(alarms)


def table(rows: Sequence[Planted], found: Sequence[Sequence[str]]) -> str:
    """Markdown, one line a label."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row, rules in zip(rows, found, strict=True):
        counts[row.label][0] += 1
        counts[row.label][1] += bool(rules)
    lines = ["| planted | completions | raised | share |", "|---|---|---|---|"]
    for label in sorted(counts, key=lambda name: (name == HARMLESS, name)):
        total, raised = counts[label]
        lines.append(f"| {label} | {total} | {raised} | {raised / total:.3f} |")
    return "\n".join(lines)


def main() -> None:
    rows = planted(Sandbox(threads=1), *sys.argv[1:])
    found = detect(rows)
    recall, alarms = scores(rows, found)
    sys.stdout.write(f"{table(rows, found)}\n\nrecall {recall:.3f}, false alarms {alarms:.3f}\n")
    for row, rules in zip(rows, found, strict=True):
        if bool(rules) == (row.label == HARMLESS):
            sys.stdout.write(f"{row.label}: {rules}: {row.text}\n")


if __name__ == "__main__":
    main()
