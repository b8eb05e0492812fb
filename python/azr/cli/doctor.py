"""`azr doctor`: what is installed, what a config lacks, and how to install it."""

from pathlib import Path

import click

from azr.config import load_config
from azr.config.overrides import name_model


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="The config to look at; else the default.")
@click.option("--model", help="The model, as for `azr train`.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key.")
def doctor(path: Path | None, model: str | None, overrides: tuple[str, ...]) -> None:
    """Say what is installed, what the config lacks, and how to get it; exits with 1 if it lacks something."""
    from azr.cli.doctor_checks import examine

    config = load_config(path, [*overrides, *name_model(model)])
    findings = examine(config)
    for finding in findings:
        state = "ok" if finding.good else "MISSING" if finding.needed else "absent"
        click.echo(f"{state:8} {finding.what}: {finding.detail}")
        if not finding.good:
            click.echo(f"         {'get it' if finding.needed else 'if you want it'}: {finding.remedy}")
    lacking = [finding for finding in findings if finding.needed and not finding.good]
    if lacking:
        click.echo(f"\nThis config cannot run here: {len(lacking)} thing(s) missing.")
        raise SystemExit(1)
    click.echo("\nEverything that this config needs is here.")
