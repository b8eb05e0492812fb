"""`azr review`: findings of the monitors, and decisions about them."""

import json
from pathlib import Path
from typing import Any

import click

from azr.oversight.control import Decision, decide, flagged, running
from azr.util.sanitize import one_line, visible


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--accept", multiple=True, metavar="ID", help="Accept the finding's task: it leaves quarantine.")
@click.option("--quarantine", multiple=True, metavar="ID", help="Confirm the finding: its task goes into quarantine.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show this many, the oldest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, ASCII.")
def review(run: Path, accept: tuple[str, ...], quarantine: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Show what was flagged in RUN and not decided yet, or decide by id.

    Decisions take effect before the trainer's next step, or when the run goes on.
    """
    alive = running(run)
    if both := sorted(set(accept) & set(quarantine)):
        raise click.UsageError(f"{', '.join(both)}: either accepted or quarantined, not both")
    if accept or quarantine:
        decisions = {**dict.fromkeys(accept, Decision.ACCEPT), **dict.fromkeys(quarantine, Decision.QUARANTINE)}
        decide(run, decisions)
        when = "before the next step" if alive else "when the run goes on"
        click.echo(f"{len(accept)} accepted, {len(quarantine)} quarantined; takes effect {when}")
        return
    rows = flagged(run)
    for row in rows[:limit]:
        click.echo(json.dumps(row) if as_json else describe(row))
    click.echo(f"{len(rows)} up for review", err=True)


def describe(row: dict[str, Any]) -> str:
    """A finding for people."""
    where = " ".join(str(row[name]) for name in ("role", "kind", "purpose") if row.get(name))
    task = f", task {row['task']}" if row.get("task") is not None else ""
    head = f"{row['id']}  step {row['step']}  {row['monitor']}/{row['rule']}  {where}{task}  ({row['action']})"
    return f"{one_line(head)}\n    {visible(row['evidence'], 600)}"
