"""`azr traces`: search and print completions of a run, also while it trains."""

import json
import operator
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from azr.oversight.traces import Row, TraceReader
from azr.run.folder import TRACES, config_file
from azr.util.sanitize import one_line, visible

Test = Callable[[Row], bool]

OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_TEST: Final = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(!=|<=|>=|=|<|>|~)\s*(.*)", re.DOTALL)


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--where",
    "tests",
    multiple=True,
    metavar="TEST",
    help="Only rows like this: kind=abduction, reward<0, parts.solve_rate>=0.5, completion~import; repeatable.",
)
@click.option("--steps", metavar="A..B", help="Only these steps; A.. and ..B are open.")
@click.option("--id", "indices", type=int, multiple=True, help="Only this row; negative counts from the end.")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Show at most this many.")
@click.option("--oldest", is_flag=True, help="From the beginning instead of the end.")
@click.option(
    "--chars",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="Show at most this many characters of each text.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, ASCII, whole texts.")
def traces(  # noqa: PLR0913 - options of one command
    run: Path,
    tests: tuple[str, ...],
    steps: str | None,
    indices: tuple[int, ...],
    limit: int,
    oldest: bool,
    chars: int,
    as_json: bool,
) -> None:
    """Find and print completions of RUN, the newest first. Their text is shown with every control character escaped."""
    config_file(run)
    reader = TraceReader(run / TRACES)
    if reader.damage:
        click.echo(f"note: {reader.damage}; rows before it are shown", err=True)
    checks = [parse_test(text) for text in tests]
    if indices:
        try:
            found = [(index if index >= 0 else len(reader) + index, reader[index]) for index in indices]
        except IndexError as error:
            raise click.BadParameter(str(error), param_hint="--id") from error
    else:
        span = parse_steps(steps)
        rows = reader.where(
            lambda row: all(check(row) for check in checks), steps=span, limit=limit, newest_first=not oldest
        )
        found = list(rows)
    for index, row in found:
        click.echo(json.dumps({"index": index, **row}) if as_json else describe(index, row, chars))
    click.echo(f"{len(found)} of {len(reader)} rows", err=True)


def parse_test(text: str) -> Test:
    """Parse a test of a row. `~`: the field contains the value, case-insensitively. `=5` matches the number and the
    text 5.

    `~`: the field's text contains the value, without regard to case. `=5` fits the number and the text 5. A field that
    a row lacks, or that is null, fits only `=null` and `!=`.
    """
    match = _TEST.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r}: expected FIELD OP VALUE, such as reward<0", param_hint="--where")
    field, sign, given = match.groups()
    wanted = _value(given)
    if sign == "~":
        needle = given.casefold()
        return lambda row: needle in str(_field(row, field) or "").casefold()
    compare = OPERATORS[sign]
    if sign not in ("=", "!=") and not isinstance(wanted, int | float):
        raise click.BadParameter(f"{text!r}: {sign} compares numbers", param_hint="--where")

    def check(row: Row) -> bool:
        value = _field(row, field)
        if sign in ("=", "!="):
            among = value if isinstance(value, list) else [value]
            return compare(wanted in among or given in among, True)
        return isinstance(value, int | float) and compare(value, wanted)

    return check


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(value, dict | list) else value


def _field(row: Row, path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def parse_steps(text: str | None) -> tuple[int, int] | None:
    """`A..B`, or one step."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d*)\.\.(\d*)|(\d+)", text)
    if match is None:
        raise click.BadParameter(f"{text!r}: expected A..B", param_hint="--steps")
    first, last, one = match.groups()
    if one:
        return int(one), int(one)
    return int(first or 0), int(last) if last else 2**31


def describe(index: int, row: Row, chars: int) -> str:
    """A row for people, with all control characters escaped."""
    names = ("verdict", "score", "solve_rate", "reward", "advantage", "tokens", "fuel", "task", "duplicate_of")
    facts = [f"{name} {_short(row[name])}" for name in names if row.get(name) is not None]
    parts = [f"{name} {_short(value)}" for name, value in (row.get("parts") or {}).items()]
    flags = [f"FLAGGED by {', '.join(row['flags'])}"] if row.get("flags") else []
    head = f"# {index}  step {row['step']}  {row['role']} {row['kind']} {row.get('purpose', '')}"
    about = "  " + "  ".join([*facts, *parts, *flags])
    return "\n".join([one_line(head), one_line(about, 1000), visible(row["completion"], chars)]) + "\n"


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
