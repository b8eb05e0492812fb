"""`azr domain`: make a domain, check one, compare runs over domains."""

from pathlib import Path

import click


@click.group()
def domain() -> None:
    """Make and check domains of your own."""


@domain.command(short_help="Make a small domain that works, to start from.")
@click.argument("name")
@click.option("--at", "parent", type=click.Path(path_type=Path), default=Path(), help="Folder to make it in.")
def new(name: str, parent: Path) -> None:
    """Make a domain called NAME: a small one that works, to be changed into yours."""
    from azr.domains.starter import make

    folder = make(name, parent)
    click.echo(f"made {folder}; look at {folder / 'domain.toml'}, then:")
    click.echo(f"  azr domain check {folder}\n  azr train --config {folder / 'train.toml'}")


@domain.command(short_help="Check a domain's seeds, verifier and prompts.")
@click.argument("path", type=click.Path(path_type=Path))
def check(path: Path) -> None:
    """Run the seeds of the domain at PATH, its verifier and its prompts, and say what is wrong."""
    from azr.domains.check import examine

    findings = examine(path)
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.text}")
    wrong = sum(not finding.ok for finding in findings)
    click.echo("nothing is wrong" if not wrong else f"{wrong} to put right")
    if wrong:
        raise SystemExit(1)


@domain.command(short_help="Compare held-out scores of all domains, before and after.")
@click.argument("runs", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
def transfer(runs: tuple[Path, ...]) -> None:
    """What training on one domain did to the others: held-out scores of RUNS, before and after, in percent."""
    from azr.domains.transfer import gains, table

    click.echo(table([gains(run) for run in runs]))
