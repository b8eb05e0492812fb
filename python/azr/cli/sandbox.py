"""`azr sandbox`: run programs, compare with CPython's outcomes, measure speed."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from azr.sandbox import Limits, Outcome, Request, Sandbox, whole

if TYPE_CHECKING:
    from azr.sandbox.workbench import Workbench

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def sandbox() -> None:
    """Run untrusted Python in WebAssembly, or measure how well and how fast that goes."""


@sandbox.command(short_help="Run a Python program in a fresh sandbox.")
@click.argument("file", type=click.File("r"))
@click.option("--call", help="Call to evaluate after the program, as 'f(3)'; without it, FILE runs as a script.")
@click.option("--fuel", type=click.IntRange(min=1), help="Fuel limit; some twenty million take a millisecond.")
@click.option("--memory-mb", type=click.IntRange(1, 768), help="Memory limit in MiB.")
@_json
def run(file: TextIO, call: str | None, fuel: int | None, memory_mb: int | None, as_json: bool) -> None:
    """Run the Python program in FILE ('-' for standard input) in a fresh sandbox.

    Exits with 0 when the program returned, 1 when it ended otherwise.
    """
    given = {"fuel": fuel, "memory_bytes": memory_mb and memory_mb << 20}
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    entry, arguments = _split(call)
    request = Request(program=file.read(), call=arguments, entry=entry)
    [outcome] = whole(Sandbox(threads=1, limits=limits).run_batch([request]))
    if as_json:
        click.echo(json.dumps(_as_dict(outcome)))
    else:
        _show(outcome, call is not None)
    sys.exit(0 if outcome.value is not None else 1)


@sandbox.command(short_help="A Python prompt in the sandbox.")
@click.option("--files/--no-files", default=True, show_default=True, help="Files in the session's memory.")
def repl(files: bool) -> None:
    """A Python prompt in the sandbox: state lasts, and nothing of this machine can be reached."""
    from azr.sandbox import FileQuota, Session
    from azr.sandbox.repl import BANNER, Repl

    session = Session(Sandbox(threads=1), files=FileQuota() if files else None)
    Repl(session, write=lambda text: click.echo(text, nl=False)).interact(banner=BANNER, exitmsg="")


@sandbox.command(short_help="Serve the sandbox over HTTP, or as MCP tools.")
@click.option("--mcp", is_flag=True, help="Tools of the Model Context Protocol (needs the extra mcp).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen at; with --mcp and none, standard input.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the sandbox; every core if not given.")
@click.option("--fuel", type=click.IntRange(min=1), help="Fuel of a run; some twenty million take a millisecond.")
@click.option("--memory-mb", type=click.IntRange(1, 768), help="Memory of a session in MiB.")
@click.option("--files-mb", type=click.IntRange(0, 256), default=16, show_default=True, help="Files of a session, MiB.")
@click.option("--sessions", type=click.IntRange(min=1), default=64, show_default=True, help="Sessions kept at once.")
@click.option("--deadline", type=click.FloatRange(min=0, min_open=True), help="Seconds of wall clock for a run.")
def serve(  # noqa: PLR0913 - options of one command
    mcp: bool,
    host: str,
    port: int | None,
    threads: int | None,
    fuel: int | None,
    memory_mb: int | None,
    files_mb: int,
    sessions: int,
    deadline: float | None,
) -> None:
    """Run programs for others: over HTTP, or as tools for a model's client with --mcp.

    Anyone who can reach the address can run programs, each within the limits: bind it to a network that you trust.
    """
    from azr.sandbox import FileQuota
    from azr.sandbox.workbench import Workbench

    given = {"fuel": fuel, "memory_bytes": memory_mb and memory_mb << 20}
    limits = Limits(**{name: value for name, value in given.items() if value is not None})
    workbench = Workbench(
        sandbox=Sandbox(threads=threads, limits=limits),
        files=FileQuota(bytes=files_mb << 20),
        most_sessions=sessions,
        deadline=deadline,
    )
    if mcp:
        _serve_mcp(workbench, host, port)
        return
    import uvicorn

    from azr.sandbox.http_server import make

    uvicorn.run(make(workbench), host=host, port=8000 if port is None else port, log_level="warning")


def _serve_mcp(workbench: "Workbench", host: str, port: int | None) -> None:
    try:
        from azr.sandbox.mcp_server import make
    except ImportError as error:
        raise click.ClickException(f"the MCP SDK is missing ({error}): pip install 'azr[mcp]'") from error
    server = make(workbench)
    if port is None:
        server.run()
    else:
        server.run("streamable-http", host=host, port=port)


@sandbox.command()
@click.option("--data", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSONL rows.")
@_json
def fidelity(data: Path, as_json: bool) -> None:
    """Compare the sandbox with what CPython did, row by row.

    Rows are {code, input, output} with the output's repr, or {code, inputs, outcomes}, or HumanEval's, whose
    solutions run against their own tests.
    """
    from azr.cli.measure.fidelity import measure

    report = measure(data)
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(f"compared {report.compared}, agree {report.agree} ({report.agree / max(1, report.compared):.2%})")
    if report.unsupported:
        packages = ", ".join(sorted({row["package"] for row in report.unsupported}))
        click.echo(f"not compared, since they import what is not there ({packages}): {len(report.unsupported)}")
    click.echo(f"nondeterministic under CPython {report.nondeterministic}, rejected {report.rejected},")
    click.echo(f"  of them as nondeterministic {report.rejected_as_such}")
    click.echo(f"of what CPython returns, rejected by validate: {report.returned_but_rejected}")
    for row in report.differ[:20]:
        click.echo(f"differs on {row['input'][:60]!r}: want {row['want'][:80]}, got {row['got'][:80]}")
    if len(report.differ) > 20:
        click.echo(f"... and {len(report.differ) - 20} more: see --json")


@sandbox.command()
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Rows {code, input, ...}.")
@click.option("--peers", is_flag=True, help="Measure the other ways to run Python too, in the same run.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the sandbox; every core if not given.")
@click.option("--costs", is_flag=True, help="Only: fuel a millisecond by kind of program, constructs against CPython.")
@_json
def bench(data: Path | None, peers: bool, threads: int | None, costs: bool, as_json: bool) -> None:
    """Measure throughput and latency, and calibrate fuel."""
    from azr.cli.measure.speed import measure

    if costs:
        _show_costs(as_json)
        return
    report = measure(data, peers=peers, threads=threads, say=lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(report))
        return
    click.echo(f"{report['programs_per_s']:,.0f} programs a second, {report['programs_per_cpu_s']:,.0f} a CPU-second")
    click.echo(f"trivial program: p50 {report['p50_ms']:.3f} ms, p99 {report['p99_ms']:.3f} ms")
    click.echo(
        f"two threads against one: {report['two_threads']:.2f}x; fuel a millisecond: {report['fuel_per_ms']:,.0f}"
    )
    click.echo(f"start-up to the first result: {report['start_s']:.2f} s")
    for name, row in report["kernels"].items():
        click.echo(f"  {name}: {row:.1f}x CPython's time")
    for name, row in report["peers"].items():
        ratio = report["programs_per_cpu_s"] / row["programs_per_cpu_s"]
        click.echo(
            f"{name}: {row['programs_per_s']:,.0f}/s, {row['programs_per_cpu_s']:,.0f} a CPU-second; azr {ratio:.2f}x"
        )


def _show_costs(as_json: bool) -> None:
    from azr.cli.measure.costs import measure_costs

    report = measure_costs()
    if as_json:
        click.echo(json.dumps(report))
        return
    rates = report["fuel_per_ms"]
    for name, rate in sorted(rates.items(), key=lambda row: row[1]):
        click.echo(f"{rate / 1e6:6.1f} million a millisecond: {name}")
    click.echo(f"the most is {max(rates.values()) / min(rates.values()):.1f} times the least")
    for name, row in sorted(report["constructs"].items(), key=lambda row: row[1]["ratio"]):
        click.echo(f"{row['ratio']:6.1f}x CPython's time, {row['doubled']:.1f}x the fuel for twice the size: {name}")


def _split(call: str | None) -> tuple[str, str | None]:
    if call is None:
        return "f", None
    entry, bracket, rest = call.strip().partition("(")
    if not bracket or not rest.endswith(")") or not entry.strip().isidentifier():
        raise click.BadParameter(f"{call!r} is not a call such as 'f(3)'", param_hint="--call")
    return entry.strip(), rest[:-1]


def _as_dict(outcome: Outcome) -> dict[str, object]:
    row = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__ if name != "value"}
    return {**row, "kind": str(outcome.kind), "value": outcome.value.repr if outcome.value is not None else None}


def _show(outcome: Outcome, called: bool) -> None:
    click.echo(outcome.stdout, nl=False)
    click.echo(outcome.stderr, nl=False, err=True)
    if outcome.value is not None:
        if called:
            click.echo(outcome.value.repr)
        return
    for line, function in outcome.traceback:
        click.echo(f"  line {line}, in {function}", err=True)
    what = str(outcome.kind).replace("_", " ")
    detail = ": ".join(part for part in (outcome.exception, outcome.message) if part)
    limit = f" (limit {outcome.limit:,})" if outcome.limit is not None else ""
    click.echo(f"{what}{limit}" + (f": {detail}" if detail else ""), err=True)
