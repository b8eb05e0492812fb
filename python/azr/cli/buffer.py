"""`azr buffer`: show or export a run's task buffer. A live trainer is not disturbed."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from azr.buffer.client import Filter
from azr.errors import BufferError
from azr.report.folder import Folder
from azr.report.stored import Stored, open_part
from azr.run.folder import BUFFER, CONFIG
from azr.types import Kind

CHUNK = 1000
"""Tasks read at a time."""


@click.group()
def buffer() -> None:
    """Show or export a task buffer."""


def filters(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose tasks."""
    options = [
        click.option(
            "--kind",
            "kinds",
            multiple=True,
            help="Only this kind, such as deduction or a domain's tables.lookup; repeatable.",
        ),
        click.option(
            "--from-step",
            "first_step",
            type=click.IntRange(0),
            default=0,
            help="Only tasks made in this step or later.",
        ),
        click.option(
            "--to-step",
            "last_step",
            type=click.IntRange(0),
            default=2**32 - 1,
            help="Only tasks made in this step or earlier.",
        ),
        click.option(
            "--min-rate",
            "low",
            type=click.FloatRange(0, 1),
            default=0.0,
            help="Only tasks with at least this solve rate.",
        ),
        click.option(
            "--max-rate",
            "high",
            type=click.FloatRange(0, 1),
            default=1.0,
            help="Only tasks with at most this solve rate.",
        ),
        click.option("--tried", is_flag=True, help="Only tasks that have a solve rate."),
        click.option("--served", "servable", is_flag=True, help="Only tasks that can still be sampled (`buffer.cap`)."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def filter_of(chosen: dict[str, Any], known: Sequence[str]) -> Filter:
    """The filter from the options that `filters` adds. `known`: kinds that there are."""
    if unknown := sorted(set(chosen["kinds"]) - set(known)):
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(known)}", param_hint="--kind")
    kinds = tuple(Kind(kind) for kind in chosen["kinds"])
    return Filter(
        kinds=kinds, first_step=chosen["first_step"], last_step=chosen["last_step"], low=chosen["low"],
        high=chosen["high"], unknown=not chosen["tried"], servable=chosen["servable"],
    )  # fmt: skip


@contextmanager
def open_run(path: Path) -> Iterator[Stored]:
    """The buffers of a run folder, or one buffer's own folder, for reading; warns about what cannot be read.

    Raises:
        RunError: there is no buffer, or it or the run's config is damaged.
    """
    if (path / CONFIG).is_file():
        folder = Folder(path)
        found = folder.stored()
        for note in folder.notes.texts:
            click.echo(f"note: {note}", err=True)
        if found is None:
            raise BufferError(f"{path} has no task buffer that can be read", "missing")
    else:
        found = Stored([open_part(path / BUFFER if (path / BUFFER).is_dir() else path)])
    try:
        for cut in found.cuts:
            where = f"{cut.bytes} bytes at {cut.offset} of {cut.path.name}"
            click.echo(f"note: {where} are no whole record: {cut.why}", err=True)
        yield found
    finally:
        found.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One task as people and other programs read it."""

    id: int
    kind: str
    step: int
    role: str
    program: str
    inputs: list[str]
    outputs: list[str]
    message: str
    imports: list[str]
    references: list[int]
    parents: list[int]
    behaviour: str | None
    solve_rate: float | None
    history: list[dict[str, int]]
    served: int
    quarantined: bool
    excluded: bool
    servable: bool


def lines(stored: Stored, ids: list[int]) -> Iterator[Line]:
    """Tasks with their state, in order of `ids`."""
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        for task_id, row in zip(part, stored.rows(part), strict=True):
            kind, program, inputs, outputs, message, imports, step, role, references, parents, behaviour = row
            state = stored.state(task_id)
            yield Line(
                id=task_id, kind=kind, step=step, role=role, program=program, inputs=inputs,
                outputs=[text for _, text in outputs], message=message, imports=imports, references=references,
                parents=parents, behaviour=None if behaviour is None else f"{behaviour:032x}",
                solve_rate=stored.rate(task_id),
                history=[asdict(solved) for solved in state.history], served=state.served,
                quarantined=state.quarantined, excluded=state.excluded, servable=state.servable,
            )  # fmt: skip


run_argument = click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))


@buffer.command()
@run_argument
@filters
@click.option("--id", "task_ids", type=click.IntRange(0), multiple=True, help="Only this task; repeatable.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Show this many, the newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show(run: Path, task_ids: tuple[int, ...], limit: int, as_json: bool, **chosen: Any) -> None:
    """Print tasks of RUN, the newest last."""
    with open_run(run) as found:
        if unknown := [task_id for task_id in task_ids if not found.has(task_id)]:
            raise click.BadParameter(f"there is no task {unknown[0]}", param_hint="--id")
        ids = list(task_ids) or found.newest(filter_of(chosen, found.kinds), limit)
        for line in lines(found, ids):
            click.echo(json.dumps(asdict(line)) if as_json else describe(line))


def describe(line: Line) -> str:
    """A task as text."""
    rate = "untried" if line.solve_rate is None else f"solve rate {line.solve_rate:.2f}"
    states = {"held back": line.quarantined, "excluded": line.excluded, "evicted": not line.servable}
    flags = "".join(f", {flag}" for flag, on in states.items() if on)
    origin = f", shown {line.references}" if line.references else ""
    parents = f", calls {line.parents}" if line.parents else ""
    head = f"# {line.id} {line.kind}, step {line.step}, {rate}, served {line.served}{flags}{origin}{parents}"
    calls = [f"f({given}) -> {out}" for given, out in zip(line.inputs, line.outputs, strict=False)]
    return "\n".join([head, line.program.rstrip(), *calls, *([f"message: {line.message}"] if line.message else []), ""])


@buffer.command()
@run_argument
@filters
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def stats(run: Path, as_json: bool, **chosen: Any) -> None:
    """Count the tasks of RUN by kind, step and solve rate."""
    with open_run(run) as found:
        numbers = summary(found, filter_of(chosen, found.kinds))
    if as_json:
        click.echo(json.dumps(numbers))
        return
    click.echo(
        f"{numbers['tasks']} tasks, {numbers['tried']} tried, {numbers['quarantined']} held back,"
        f" {numbers['excluded']} excluded"
    )
    for name in ("kinds", "roles", "solve_rates"):
        click.echo(f"{name}: " + ", ".join(f"{key} {count}" for key, count in numbers[name].items()))
    click.echo(f"steps {numbers['first_step']} to {numbers['last_step']}")


def summary(found: Stored, where: Filter) -> dict[str, Any]:
    """What `stats` says, as JSON."""
    kinds: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    rates: Counter[str] = Counter()
    steps: list[int] = []
    held = excluded = 0
    for line in lines(found, found.find(where)):
        kinds[line.kind] += 1
        roles[line.role] += 1
        held += line.quarantined
        excluded += line.excluded
        steps.append(line.step)
        if line.solve_rate is not None:
            tenth = min(int(line.solve_rate * 10), 9)
            rates[f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}"] += 1
    return {
        "tasks": len(steps),
        "kinds": dict(sorted(kinds.items())),
        "roles": dict(sorted(roles.items())),
        "solve_rates": dict(sorted(rates.items())),
        "tried": rates.total(),
        "quarantined": held,
        "excluded": excluded,
        "first_step": min(steps, default=None),
        "last_step": max(steps, default=None),
        "records": found.records,
    }


@buffer.command(short_help="Write tasks of a run to Parquet or JSON lines.")
@run_argument
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@filters
def export(run: Path, out: Path, **chosen: Any) -> None:
    """Write tasks of RUN to OUT: Parquet if it ends in .parquet, else JSON lines."""
    with open_run(run) as found:
        ids = found.find(filter_of(chosen, found.kinds))
        write = write_parquet if out.suffix == ".parquet" else write_jsonl
        write(out, lines(found, ids))
    click.echo(f"{len(ids)} tasks in {out}", err=True)


def write_jsonl(out: Path, tasks: Iterator[Line]) -> None:
    """One object a line."""
    with out.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(line)) + "\n" for line in tasks)


def write_parquet(out: Path, tasks: Iterator[Line]) -> None:
    """One row a task.

    Raises:
        BufferError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        message = "Parquet needs pyarrow: `pip install pyarrow`, or give OUT another ending for JSON lines"
        raise BufferError(message, "missing_extra") from error
    solved = pa.struct([("step", pa.int64()), ("successes", pa.int32()), ("attempts", pa.int32())])
    texts, numbers = pa.list_(pa.string()), pa.list_(pa.int64())
    schema = pa.schema(
        [
            ("id", pa.int64()), ("kind", pa.string()), ("step", pa.int64()), ("role", pa.string()),
            ("program", pa.string()), ("inputs", texts), ("outputs", texts), ("message", pa.string()),
            ("imports", texts), ("references", numbers), ("parents", numbers), ("behaviour", pa.string()),
            ("solve_rate", pa.float64()), ("history", pa.list_(solved)), ("served", pa.int64()),
            ("quarantined", pa.bool_()), ("excluded", pa.bool_()), ("servable", pa.bool_()),
        ]
    )  # fmt: skip
    with parquet.ParquetWriter(out, schema) as writer:
        rows: list[dict[str, Any]] = []
        for line in tasks:
            rows.append(asdict(line))
            if len(rows) == CHUNK:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema))
