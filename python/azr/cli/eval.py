"""`azr eval`: score a model on benchmarks, compare evaluations, fetch data."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from azr.errors import ConfigError

_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True)
@click.pass_context
@click.option(
    "--model", help="A folder, a Hugging Face name, a run of azr or a checkpoint; without it the embedded model."
)
@click.option(
    "--benchmark", "-b", "names", multiple=True, help="A benchmark or a group; repeatable. See `azr eval list`."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="A local copy: a file, or a folder with a file for each set."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="The folder of the evaluation; an unfinished one is resumed."
)
@click.option("--engine", default="transformers", show_default=True, help="transformers, vllm, ... as in training.")
@click.option("--template", default="auto", show_default=True, help="auto (as trained), think, chat, terse or plain.")
@click.option(
    "--n", "--samples", "samples", type=click.IntRange(1), default=1, help="Completions of each item; default: 1."
)
@click.option("--temperature", type=click.FloatRange(0), help="0 is greedy; default 0, or 0.6 with --n above 1.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Default 1, or 0.95 with --n above 1.")
@click.option("--top-k", type=click.IntRange(0), default=0, help="0: off.")
@click.option(
    "--max-tokens", type=click.IntRange(0), default=0, help="Tokens of a completion; 0: as the benchmark sets it."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the samples.")
@click.option(
    "--limit", type=click.IntRange(0), default=0, help="Only this many items of each benchmark, the first ones; 0: all."
)
@click.option(
    "--revision", "revisions", multiple=True, metavar="NAME=COMMIT", help="Another commit of a data set; repeatable."
)
@click.option("--batch", type=click.IntRange(1), default=256, show_default=True, help="Sequences sampled together.")
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Type of the weights.",
)
@click.option("--device", default="auto", show_default=True, help="Device of torch, such as cpu or cuda:1.")
@click.option(
    "--fuel", type=click.IntRange(0), default=0, help="Fuel of one test in the sandbox; 0: as the scorer sets it."
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one key of the engine: engine.vllm.memory=0.8.",
)
@click.option("--script", help="With --engine scripted: module:function that answers.")
@_json
def evaluate(context: click.Context, /, **given: Any) -> None:
    """Score a model on benchmarks.

    `azr eval -b code,math --model DIR` gives the paper's table. Under torchrun the processes share the work.
    """
    if context.invoked_subcommand is not None:
        return
    if not given["names"]:
        raise ConfigError("say which benchmarks: --benchmark code, or another of `azr eval list`")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from azr.cli.eval_run import Request, run
    from azr.cli.eval_tables import results_text

    several = given["samples"] > 1
    defaults = {"temperature": 0.6 if several else 0.0, "top_p": 0.95 if several else 1.0}
    given |= {name: value for name, value in defaults.items() if given[name] is None}
    as_json = given.pop("as_json")
    results = run(Request(**{**given, "names": _split(given["names"])}))
    if results is not None:
        click.echo(json.dumps(results) if as_json else results_text(results), nl=as_json)


def _split(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for name in names for part in name.split(",") if part.strip())


@evaluate.command(short_help="Compare finished evaluations, and with the paper.")
@click.argument("evaluations", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", "names", multiple=True, help="Name of each evaluation, in order; default: its folder's name.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Form of the table.",
)
@click.option(
    "--paper", "paper", multiple=True, help="Only rows of the paper whose name contains this; `none`: no rows."
)
@click.option(
    "--differences", is_flag=True, help="List the completions of the second that score otherwise than the first's."
)
@click.option("--seed", type=click.IntRange(0), default=0, help="Seed of the bootstrap intervals.")
def compare(
    evaluations: tuple[Path, ...],
    names: tuple[str, ...],
    form: str,
    paper: tuple[str, ...],
    differences: bool,
    seed: int,
) -> None:
    """Compare finished evaluations with the first of them, and with what the paper prints."""
    from azr.cli.eval_tables import comparison_markdown, comparison_text, differences_text, paper_rows
    from azr.evals.compare import changes
    from azr.evals.compare import compare as compared

    if names and len(names) != len(evaluations):
        raise ConfigError(f"{len(names)} names for {len(evaluations)} evaluations")
    labels = list(names) or [path.resolve().name for path in evaluations]
    found = compared(evaluations, labels, seed)
    if differences and len(evaluations) != 2:
        raise ConfigError("--differences is between two evaluations")
    changed = changes(*evaluations) if differences else []
    rows = paper_rows(paper, found)
    if form == "json":
        click.echo(json.dumps({**asdict(found), "paper": rows, "differences": [asdict(change) for change in changed]}))
        return
    click.echo((comparison_markdown if form == "markdown" else comparison_text)(found, rows), nl=False)
    if differences:
        click.echo(differences_text(changed, labels), nl=False)


@evaluate.command("list", short_help="List the benchmarks.")
@_json
def list_(as_json: bool) -> None:
    """Show the benchmarks: source, licence, commit, how they are scored."""
    from azr.evals.benchmarks import BENCHMARKS, GROUPS, find

    found = [find(name) for name in BENCHMARKS]
    if as_json:
        click.echo(
            json.dumps([{"name": b.name, "title": b.title, "scorer": b.scorer, **asdict(b.source)} for b in found])
        )
        return
    for benchmark in found:
        source = benchmark.source
        commit = source.revision or "of this package"
        click.echo(f"{benchmark.name:27} {source.hub or source.local + '.jsonl'}  {source.licence}  {commit}")
    for group, members in GROUPS.items():
        click.echo(f"group {group}: {', '.join(members)}")


@evaluate.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder to fill."
)
def fetch(names: tuple[str, ...], folder: Path) -> None:
    """Get data sets from the hub into a folder for --data. NAMES: benchmarks, groups or their files' names."""
    from azr.evals.benchmarks import BENCHMARKS, choose, find
    from azr.evals.data import load, write_jsonl

    by_file = {find(name).source.local: name for name in BENCHMARKS}
    folder.mkdir(parents=True, exist_ok=True)
    written = set()
    for name in choose([by_file.get(name, name) for name in names]):
        benchmark = find(name)
        if benchmark.source.hub and benchmark.source.local not in written:
            rows = load(benchmark)
            written.add(benchmark.source.local)
            path = folder / f"{benchmark.source.local}.jsonl"
            write_jsonl(path, rows.rows)
            click.echo(f"{path}: {len(rows.rows)} rows of {rows.origin} at {rows.revision}", file=sys.stderr)
