"""`azr bootstrap`: make the embedded model and its held-out tasks from nothing."""

import os
from pathlib import Path

import click

from azr.bootstrap.corpus import CORPORA


@click.group()
def bootstrap() -> None:
    """Make the embedded model and its held-out tasks from nothing: no outside data, one seed."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@bootstrap.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--chunks", default=92, show_default=True, help="Length of the training; 92 take an hour on one core.")
@click.option("--seed", default=0, show_default=True, help="Seed of all random numbers.")
@click.option("--rate", default=2e-3, show_default=True, help="Learning rate at its highest.")
@click.option("--start", help="Go on from this model, a folder or `embedded`.")
@click.option(
    "--corpus", type=click.Choice(list(CORPORA)), default="both", show_default=True,
    help="Answers with and without the steps before them (`both`), or with them (`steps`).",
)  # fmt: skip
@click.option("--threads", default=0, help="Torch threads; 0: torch's default.")
def model(out: Path, chunks: int, seed: int, rate: float, start: str | None, corpus: str, threads: int) -> None:
    """Train the model in OUT. A training that was stopped goes on where it was."""
    import torch

    from azr.bootstrap.pretrain import Plan, pretrain
    from azr.cli.bootstrap_parts import make_parts
    from azr.trainer.model import locate

    given = Path(locate(start)) if start else None
    if given and not (given / "config.json").is_file():
        raise click.BadParameter(f"{start}: no model is there", param_hint="--start")
    if threads:
        torch.set_num_threads(threads)
    out.mkdir(parents=True, exist_ok=True)
    config, renderer, sandbox = make_parts()
    plan = Plan(
        seed=seed, chunks=chunks, inputs=config.tasks.inputs, rate=rate, start=given, corpus=CORPORA[corpus]
    )  # fmt: skip

    def report(done: int, now: float, losses: dict[str, float]) -> None:
        shown = "  ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
        click.echo(f"chunk {done}/{chunks}  rate {now:.1e}  {shown}", err=True)

    pretrain(out, plan, sandbox, renderer, report)
    click.echo(str(out))


@bootstrap.command(short_help="Write held-out tasks.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", default=400, show_default=True, help="Tasks of each kind.")
@click.option("--seed", default=1, show_default=True, help="Seed of all random numbers.")
@click.option("--trained", is_flag=True, help="Take programs of the part that the model is trained on, to compare.")
@click.option(
    "--lengths", default="", help="Such as 2-6: one stratum for each length of chains, with `count` tasks of each kind."
)
def tasks(out: Path, count: int, seed: int, trained: bool, lengths: str) -> None:
    """Write held-out tasks to OUT (JSONL), and say what random answers of the right type score."""
    from azr.bootstrap.heldout import floor, make_tasks
    from azr.cli.bootstrap_parts import make_parts, range_of
    from azr.pipeline.parts import make_task_kinds
    from azr.tasks.io import write_tasks

    config, _, sandbox = make_parts()
    made, tags = [], []
    for length in range_of(lengths):
        found = make_tasks(seed, count, config.tasks.inputs, sandbox, held_out=not trained, length=length)
        made += found
        tags += [{"length": str(length)} if length else {}] * len(found)
    write_tasks(out, [measured.task for measured in made], tags)
    for kind, score in floor(made, make_task_kinds(config), sandbox, seed).items():
        click.echo(f"{kind}: {sum(m.task.kind is kind for m in made)} tasks, random answers score {100 * score:.2f}%")


@bootstrap.command(short_help="Score a starting model and its proposals.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--held-out", type=click.Path(path_type=Path), help="Tasks (JSONL); without it the package's own.")
@click.option("--trained", type=click.Path(path_type=Path), help="Tasks from the trained part, to compare.")
@click.option("--proposals", default=256, show_default=True, help="Proposals of each kind.")
@click.option("--threads", default=0, help="Torch threads; 0: torch's default.")
def score(folder: Path, held_out: Path | None, trained: Path | None, proposals: int, threads: int) -> None:
    """Score a starting model: held-out against trained programs, and its proposals. JSON on stdout."""
    import json
    import tempfile
    from dataclasses import asdict
    from importlib import resources

    from azr.bootstrap.score import score_proposing, score_solving
    from azr.config import load_config
    from azr.pipeline.build import assemble, make_engine
    from azr.run.seed import seed

    config = load_config(None, [f"model.name={folder}", f"model.threads={threads}"])
    own = Path(str(resources.files("azr.evals"))) / "heldout.jsonl"
    with tempfile.TemporaryDirectory() as scratch:
        parts = assemble(config, make_engine(config)[0], Path(scratch))
        found = {"held_out": {k: asdict(v) for k, v in score_solving(parts, held_out or own).items()}}
        if trained:
            found["trained"] = {k: asdict(v) for k, v in score_solving(parts, trained).items()}
        seed(parts, lambda kind, done, wanted: None)  # the references that its proposals begin from
        found["proposals"] = {k: asdict(v) for k, v in score_proposing(parts, proposals).items()}
    click.echo(json.dumps(found, indent=1))


@bootstrap.command(short_help="Measure pass@k of a model by stratum.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--tasks", "file", default="own", show_default=True, help="Tasks in strata (JSONL); own: the package's.")
@click.option("--by", default="length", show_default=True, help="A tag of the tasks, or `operations`.")
@click.option("--samples", default=32, show_default=True, help="Answers to each task.")
@click.option("--limit", default=0, help="Tasks of each kind and stratum; 0: all.")
@click.option("--threads", default=0, help="Torch threads; 0: torch's default.")
def reach(folder: Path, file: str, by: str, samples: int, limit: int, threads: int) -> None:
    """How far the model in FOLDER reaches: pass@k by stratum, mean of the kinds, in percent."""
    import tempfile

    from azr.config import load_config
    from azr.evals.reach import as_numbers, measure, read_strata, shown
    from azr.pipeline.build import assemble, make_engine

    given = {"model.name": folder, "model.threads": threads, "evals.reach": file, "evals.strata": by}
    settings = [f"{key}={value}" for key, value in given.items()]
    config = load_config(None, [*settings, f"evals.reach_samples={samples}"])
    with tempfile.TemporaryDirectory() as scratch:
        parts = assemble(config, make_engine(config)[0], Path(scratch))
        found = measure(parts, read_strata(parts, limit))
    numbers, ks = as_numbers(found), shown(config)
    click.echo("".join(f"{text:>12}" for text in (by, *(f"pass@{k}" for k in ks))))
    for name in found:
        row = (100 * numbers[f"probe/reach/{name}/pass_at_{k}"] for k in ks)
        click.echo(f"{name:>12}" + "".join(f"{value:12.1f}" for value in row))
