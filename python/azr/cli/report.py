"""`azr report`: runs as one HTML file."""

from pathlib import Path

import click


@click.command()
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), help="The file to make; by default report.html in the run.")
def report(runs: tuple[Path, ...], out: Path | None) -> None:
    """Make one HTML file of a run, or of several beside each other. A run that goes on is not disturbed.

    It needs nothing but the run folder, and the file needs nothing but a browser.
    """
    from azr.report.build import build, write
    from azr.util.sanitize import one_line

    made = build(runs, lambda text: click.echo(one_line(text), err=True))
    path = out or (runs[0] / "report.html" if len(runs) == 1 else Path("report.html"))
    write(made, path)
    part = "" if made.programs == made.of else f" of {made.of:,}"
    size = f"{path.stat().st_size / 2**20:.1f} MiB"
    click.echo(f"{one_line(str(path))}: {size}, {made.programs:,}{part} programs and refused proposals")
