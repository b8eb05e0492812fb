"""The work of `azr eval`, between its options and its results."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from azr.cli.eval_progress import Progress
from azr.config.lineage import EMBEDDED
from azr.errors import ConfigError
from azr.evals.ask import Asker
from azr.evals.benchmarks import BENCHMARKS, Benchmark, Item, choose, find
from azr.evals.data import Rows, load
from azr.evals.engine import Wanted, locate, open_model, pick_form, pick_style
from azr.evals.ranks import meet, part, share
from azr.evals.records import RESULTS, SETTINGS, Folder, read_json, write_json
from azr.evals.run import Decoding, Evaluation
from azr.evals.scorers import Tools
from azr.evals.summary import averages, summarise
from azr.run.folder import CHECKPOINTS, CONFIG
from azr.sandbox import Limits, Sandbox
from azr.tasks.templates import FULL, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `azr eval`."""

    model: str | None
    names: tuple[str, ...]
    data: Path | None
    out: Path | None
    engine: str
    template: str
    samples: int
    temperature: float
    top_p: float
    top_k: int
    max_tokens: int
    seed: int
    limit: int
    revisions: tuple[str, ...]
    batch: int
    dtype: Any
    device: str
    fuel: int
    overrides: tuple[str, ...]
    script: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A benchmark with its items."""

    benchmark: Benchmark
    rows: Rows
    items: list[Item]


def run(request: Request) -> dict[str, Any] | None:
    """Evaluate; the results in the first process, None in the others."""
    own = share()
    chosen = [find(name) for name in choose(request.names)]
    revisions = _revisions(request.revisions)
    if request.data is not None and request.data.is_file() and len({each.source.local for each in chosen}) > 1:
        raise ConfigError(f"--data {request.data} is one file, but the benchmarks are of several: give a folder")
    name = request.model or EMBEDDED
    style = pick_style(request.template, name) if request.engine != "scripted" else _scripted_style(request.template)
    form = FULL if request.engine == "scripted" else pick_form(request.template, name)
    sandbox = Sandbox(limits=Limits(wall_seconds=600.0))
    # Data before the model: missing data should be reported before minutes of loading.
    loaded = [_load(benchmark, request, revisions, sandbox) for benchmark in chosen]
    folder = Folder(request.out or _default_folder(name), own.rank)
    try:
        settings = _settings(request, name, style, form, loaded)
        if own.rank == 0:
            folder.settle(settings)
            _say_origins(loaded)
        meet(own)
        opened = open_model(name, _wanted(request, chosen))
        evaluation = Evaluation(
            engine=opened.engine,
            asker=Asker(style, opened.engine.tokenizer, form),
            tools=Tools(sandbox=sandbox, fuel=request.fuel),
            decoding=_decoding(request),
            context=opened.context,
            batch=request.batch,
            share=own,
            watcher=Progress(sys.stderr, own),
        )
        try:
            for each in loaded:
                evaluation.run(each.benchmark, each.items, folder)
        finally:
            opened.engine.close()
        meet(own)
        return _results(evaluation, loaded, folder) if own.rank == 0 else None
    finally:
        part(own)
        folder.close()


def _load(benchmark: Benchmark, request: Request, revisions: Mapping[str, str], sandbox: Sandbox) -> Loaded:
    # A file of tasks is not a copy of the package's own.
    data = request.data if benchmark.source.hub or (request.data and not request.data.is_dir()) else None
    rows = load(benchmark, data, revisions.get(benchmark.name))
    first = rows.rows[: request.limit] if request.limit else rows.rows
    items = benchmark.build(first, sandbox)
    names = {item.id for item in items}
    if len(names) != len(items):
        # Rows with the same name get their number appended.
        items = [replace(item, id=f"{item.id}#{number}") for number, item in enumerate(items)]
    return Loaded(benchmark=benchmark, rows=rows, items=items)


def _revisions(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in given:
        name, equals, commit = text.partition("=")
        if not equals or name not in BENCHMARKS or not commit:
            raise ConfigError(f"--revision {text!r}: expected BENCHMARK=COMMIT")
        found[name] = commit
    return found


def _scripted_style(template: str) -> Any:
    return "think" if template == "auto" else template


def _default_folder(name: str) -> Path:
    """Inside the run of a checkpoint, where the report looks. The same model gives the same folder, so it resumes."""
    found = Path(locate(name))
    run = found.parent.parent
    if found.parent.name == CHECKPOINTS and (run / CONFIG).is_file():
        return run / "evals" / found.name
    return Path("evals") / "-".join(part for part in found.parts[-2:] if part not in ("/", "..", "."))


def _decoding(request: Request) -> Decoding:
    return Decoding(
        samples=request.samples,
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        max_tokens=request.max_tokens,
        seed=request.seed,
    )


def _wanted(request: Request, chosen: Sequence[Benchmark]) -> Wanted:
    return Wanted(
        engine=request.engine,
        batch=request.batch,
        dtype=request.dtype,
        device=request.device,
        max_tokens=request.max_tokens or max(benchmark.max_tokens for benchmark in chosen),
        script=request.script or "",
        overrides=request.overrides,
    )


def _settings(request: Request, name: str, style: str, form: Form, loaded: Sequence[Loaded]) -> dict[str, Any]:
    """Settings that must be equal when an evaluation resumes."""
    decoding = _decoding(request)
    return {
        "model": request.script if request.engine == "scripted" else locate(name),
        "engine": request.engine,
        "set": list(request.overrides),
        "template": style,
        **({"prompt": asdict(form)} if form != FULL else {}),
        "decoding": {field: getattr(decoding, field) for field in decoding.__dataclass_fields__},
        "batch": request.batch,
        "dtype": request.dtype,
        "fuel": request.fuel,
        "limit": request.limit,
        "benchmarks": {
            each.benchmark.name: {
                "origin": each.rows.origin,
                "revision": each.rows.revision,
                "pinned": each.rows.pinned,
                "split": each.benchmark.source.split,
                "licence": each.benchmark.source.licence,
            }
            for each in loaded
        },
    }


def _say_origins(loaded: Sequence[Loaded]) -> None:
    for each in loaded:
        name, rows = each.benchmark.name, each.rows
        click.echo(f"{name}: {len(each.items)} items of {rows.origin} at {rows.revision}", err=True)
        if not rows.pinned and not rows.revision.startswith("sha256:"):
            pinned = each.benchmark.source.revision
            click.echo(f"warning: {name}: azr pins {pinned}; scores on other rows are not comparable", err=True)


def _results(evaluation: Evaluation, loaded: Sequence[Loaded], folder: Folder) -> dict[str, Any]:
    order = {each.benchmark.name: [item.id for item in each.items] for each in loaded}
    # Benchmarks evaluated earlier under the same settings stay in the summary.
    path = folder.path / RESULTS
    earlier = read_json(path)["benchmarks"] if path.exists() else {}
    earlier = {name: summary for name, summary in earlier.items() if name not in order}
    folder.put_together({**{name: list(summary["counts"]) for name, summary in earlier.items()}, **order})
    decoding = evaluation.decoding
    summaries = earlier | {
        name: summarise(folder.lines(name), items, decoding.samples, decoding.seed) for name, items in order.items()
    }
    settings = read_json(folder.path / SETTINGS)
    results = {
        "settings": settings,
        "benchmarks": summaries,
        "averages": averages(summaries, decoding.seed),
        "seconds": evaluation.seconds,
        "finished": datetime.now().astimezone().isoformat(timespec="seconds"),
        "versions": _versions(),
    }
    write_json(folder.path / RESULTS, results)
    return {**results, "folder": str(folder.path)}


def _versions() -> dict[str, str]:
    found = {}
    for package in ("azr", "torch", "transformers", "vllm", "math-verify", "datasets"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
