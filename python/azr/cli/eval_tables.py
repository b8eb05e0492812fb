"""Tables of evaluations, as text and as Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from azr.evals.compare import Cell, Change, Comparison, title
from azr.evals.estimate import Estimate
from azr.evals.paper import ROWS, row

PAPER_NOTE = "As printed in the paper (arXiv 2505.03335, tables 1 and 5), not measured here:"
SHOWN_APART = 10
SHOWN_CHANGES = 50

Table = list[list[str]]


def results_text(results: Mapping[str, Any]) -> str:
    """The table of one evaluation with its notes."""
    lines: Table = [["benchmark", "items", "score", "95% interval", "no verdict", "cut", "tokens"]]
    for name, summary in results["benchmarks"].items():
        low, high = summary["interval"]
        lines.append(
            [
                title(name), str(summary["items"]), _percent(summary["score"]), f"{_percent(low)} - {_percent(high)}",
                str(len(summary["apart"])), str(summary["cut"]), f"{summary['tokens']:.0f}",
            ]
        )  # fmt: skip
    for name, value in results["averages"].items():
        if "missing" not in value:
            lines.append(
                [
                    name,
                    "",
                    _percent(value["value"]),
                    f"{_percent(value['low'])} - {_percent(value['high'])}",
                    "",
                    "",
                    "",
                ]
            )
    text = _text(lines)
    for name, value in results["averages"].items():
        if "missing" in value and len(value["missing"]) < 3:
            text += f"{name}: not without {', '.join(value['missing'])}\n"
    for name, summary in results["benchmarks"].items():
        text += _pass_at(name, summary) + _apart(name, summary)
    return text + f"completions, verdicts and settings: {results['folder']}\n"


def _pass_at(name: str, summary: Mapping[str, Any]) -> str:
    if summary["samples"] == 1:
        return ""
    cells = [f"@{k} {_percent(found['value'])}" for k, found in summary["pass_at"].items()]
    return f"{title(name)}: pass {'  '.join(cells)}\n"


def _apart(name: str, summary: Mapping[str, Any]) -> str:
    """Answers that could not be scored, by reason."""
    if not summary["apart"]:
        return ""
    counted = Counter((line["reason"], line["detail"]) for line in summary["apart"])
    shown = [
        f"  {count} x {reason.replace('_', ' ')}{': ' + detail if detail else ''}"
        for (reason, detail), count in counted.most_common(SHOWN_APART)
    ]
    more = f"  and {len(counted) - SHOWN_APART} more kinds\n" if len(counted) > SHOWN_APART else ""
    head = f"{title(name)}: no verdict, counted as 0 (at most {_percent(summary['at_most'])} if all were right):\n"
    return head + "\n".join(shown) + "\n" + more


def paper_rows(wanted: Sequence[str], comparison: Comparison) -> dict[str, dict[str, float]]:
    """The paper's rows with one of these in their names; all if none is wanted; only columns that are compared."""
    if "none" in wanted:
        return {}
    names = [name for name in ROWS if not wanted or any(part.lower() in name.lower() for part in wanted)]
    kept = {name: {key: value for key, value in row(name).items() if key in comparison.rows} for name in names}
    return {name: values for name, values in kept.items() if values}


def comparison_text(comparison: Comparison, paper: Mapping[str, Mapping[str, float]]) -> str:
    """The comparison as aligned text."""
    text = _text(_table(comparison))
    text += "".join(f"note: {warning}\n" for warning in comparison.warnings)
    return text + (f"\n{PAPER_NOTE}\n{_text(_paper(comparison, paper))}" if paper else "")


def comparison_markdown(comparison: Comparison, paper: Mapping[str, Mapping[str, float]]) -> str:
    """The comparison as Markdown tables."""
    text = _markdown(_table(comparison))
    text += "".join(f"\nNote: {warning}.\n" for warning in comparison.warnings)
    return text + (f"\n{PAPER_NOTE}\n\n{_markdown(_paper(comparison, paper))}" if paper else "")


def differences_text(changed: Sequence[Change], names: Sequence[str]) -> str:
    """Completions with different scores, and the reasons."""
    lines = [
        f"{len(changed)} completions score differently, {sum(c.same_text for c in changed)} of them equal in text\n"
    ]
    for change in changed[:SHOWN_CHANGES]:
        of = f"{change.benchmark} {change.item}" + (f" sample {change.sample}" if change.sample else "")
        sides = [
            f"{name}: {reason} {_short(answer)}"
            for name, reason, answer in zip(names, change.reasons, change.answers, strict=True)
        ]
        lines.append(f"{of}\n  {sides[0]}\n  {sides[1]}\n")
    more = len(changed) - SHOWN_CHANGES
    return "".join(lines) + (f"... and {more} more: see --format json\n" if more > 0 else "")


def _table(comparison: Comparison) -> Table:
    first, *others = comparison.columns
    lines = [["", first.name, *(cell for column in others for cell in (column.name, "difference", "gained/lost"))]]
    for name in comparison.rows:
        cells = [title(name), _score(first.cells.get(name))]
        for column in others:
            cell = column.cells.get(name)
            cells += [_score(cell), _delta(cell), _moved(cell)]
        lines.append(cells)
    return lines


def _paper(comparison: Comparison, paper: Mapping[str, Mapping[str, float]]) -> Table:
    columns = [name for name in comparison.rows if any(name in values for values in paper.values())]
    lines = [["the paper's", *(title(name) for name in columns)]]
    return lines + [[name, *(f"{values[column]:.1f}" for column in columns)] for name, values in paper.items()]


def _score(cell: Cell | None) -> str:
    return "" if cell is None else f"{_percent(cell.score.value)} {_interval(cell.score)}"


def _delta(cell: Cell | None) -> str:
    return "" if cell is None or cell.delta is None else f"{100 * cell.delta.value:+.1f} {_interval(cell.delta, '+')}"


def _moved(cell: Cell | None) -> str:
    return "" if cell is None or cell.delta is None else f"+{cell.gained} -{cell.lost} of {cell.shared}"


def _interval(found: Estimate, sign: str = "") -> str:
    return f"[{100 * found.low:{sign}.1f}, {100 * found.high:{sign}.1f}]"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _short(answer: str | None) -> str:
    text = repr(answer)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _text(lines: Table) -> str:
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    return "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _markdown(lines: Table) -> str:
    head, *rest = lines
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, rule, *rest])
