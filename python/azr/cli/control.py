"""`azr pause`, `azr resume`, `azr stop`: send a command to a running trainer."""

from collections.abc import Callable
from pathlib import Path

import click

from azr.oversight.control import Command, send


def _command(command: Command, what: str, done: str) -> click.Command:
    def act(run: Path) -> None:
        send(run, command)
        click.echo(f"{done} (asked of the trainer of {run})")

    act.__doc__ = what
    argument: Callable[[Callable[[Path], None]], Callable[[Path], None]] = click.argument(
        "run", type=click.Path(exists=True, file_okay=False, path_type=Path)
    )
    return click.command(name=str(command))(argument(act))


pause = _command(
    Command.PAUSE, "Let the trainer of RUN save and wait after its step.", "it waits after the step; go on: azr resume"
)
resume = _command(Command.RESUME, "Let a paused trainer of RUN go on.", "it goes on")
stop = _command(Command.STOP, "Let the trainer of RUN save and end after its step.", "it ends after the step, saved")
