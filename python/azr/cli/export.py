"""`azr export`: a data set of verified tasks, for trainers of any kind and for the hub."""

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from azr.cli.buffer import filter_of, filters
from azr.errors import RunError

CARD = "README.md"
UNKNOWN = "unknown"
"""Of a license."""


@click.command()
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--license", "license", default=UNKNOWN, show_default=True, help="Licence by its name on the hub, such as mit."
)
@click.option("--name", help="Name of the data set; default: the name of OUT.")
@click.option(
    "--test", type=click.FloatRange(0, 1, max_open=True), default=0.0, help="Share of the programs for a split `test`."
)
@click.option(
    "--against",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A benchmark's file (JSON lines, JSON, Parquet): mark tasks that overlap; repeatable.",
)
@click.option("--field", default="", help="Column of --against with the programs; default: code, program or solution.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.7,
    show_default=True,
    help="Similarity from which a program is near.",
)
@click.option("--leave-out", is_flag=True, help="Leave out what overlaps, instead of marking it.")
@click.option("--replace", is_flag=True, help="Write into a folder that holds something already.")
@filters
def export(  # noqa: PLR0913 - one parameter for each option
    source: Path, out: Path, license: str, name: str | None, test: float, against: tuple[Path, ...], field: str,
    threshold: float, leave_out: bool, replace: bool, **chosen: Any,
) -> None:  # fmt: skip
    """Write the tasks of SOURCE, a run or a file of `azr propose`, to OUT: Parquet and a data-set card."""
    from azr.collection.card import card
    from azr.collection.overlap import Benchmarks
    from azr.collection.publish import EQUAL, Wanted, write
    from azr.collection.records import Source

    license = license.strip() or UNKNOWN
    if out.is_dir() and any(out.iterdir()) and not replace:
        raise RunError(f"{out} is not empty: give another folder, or --replace")
    if leave_out and not against:
        raise click.UsageError("--leave-out needs --against FILE")
    benchmarks = Benchmarks(against, field, threshold) if against else None
    with closing(Source(source)) as found:
        where = filter_of(chosen, found.kinds)
        wanted = Wanted(license=license, test=test, benchmarks=benchmarks, leave_out=leave_out, threshold=threshold)
        written = write(out, found.records(where), found.grader, wanted)
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
    if written.repeats[EQUAL]:
        click.echo(f"note: {written.repeats[EQUAL]} tasks repeat an earlier one: left out", err=True)
    if written.repeats["near"]:
        click.echo(f"note: {written.repeats['near']} tasks have nearly the program of an earlier one: marked", err=True)
    counts = {} if benchmarks is None else benchmarks.counts
    (out / CARD).write_text(card(name or out.resolve().name, written, license, counts, leave_out), "utf-8")
    if license == UNKNOWN:
        click.echo("note: the card says that the license is unknown; --license names it", err=True)
    for level in ("exact", "near"):
        if written.overlaps[level]:
            what = "left out" if leave_out else "marked"
            click.echo(f"note: {written.overlaps[level]} tasks overlap with a benchmark ({level}): {what}", err=True)
    click.echo(f"{written.rows} tasks in {out}")
