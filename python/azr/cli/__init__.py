"""The command group. A command's module is imported only when that command is called.

To add a command: write `azr/cli/NAME.py` with a click command, and add one line to `COMMANDS`.
"""

import importlib
import importlib.util
import sys
from typing import Final

import click

from azr.errors import AzrError

# name -> (module, attribute, one line of help). The help stands here so that `azr --help` imports nothing.
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "train": ("azr.cli.train", "train", "Train a model by self-play, from nothing or from a run folder."),
    "plan": ("azr.cli.plan", "plan", "Say what a run needs, before any model is loaded."),
    "warmup": ("azr.cli.warmup", "warmup", "Fine-tune a model on the form of tasks and answers."),
    "seed": ("azr.cli.seed", "seed", "Fill and save the seed buffers of a model."),
    "propose": ("azr.cli.propose", "propose", "Make verified tasks by a model behind an HTTP endpoint."),
    "export": ("azr.cli.export", "export", "Write verified tasks as a data set: Parquet and a card."),
    "bootstrap": ("azr.cli.bootstrap", "bootstrap", "Make the embedded model from nothing."),
    "eval": ("azr.cli.eval", "evaluate", "Score a model on held-out tasks."),
    "report": ("azr.cli.report", "report", "Make one HTML file of a run, or of several."),
    "watch": ("azr.cli.watch", "watch", "Show a run as it goes on, on this machine, in a browser."),
    "traces": ("azr.cli.traces", "traces", "Find and print completions of a run."),
    "review": ("azr.cli.review", "review", "Accept or quarantine what the monitors of a run flagged."),
    "pause": ("azr.cli.control", "pause", "Let a running trainer wait after its step."),
    "resume": ("azr.cli.control", "resume", "Let a paused trainer go on."),
    "stop": ("azr.cli.control", "stop", "Let a running trainer save after its step and end."),
    "config": ("azr.cli.config", "config", "Print all config keys with meaning and default."),
    "doctor": ("azr.cli.doctor", "doctor", "Say what is installed, what a config lacks, and how to get it."),
    "sandbox": ("azr.cli.sandbox", "sandbox", "Run programs in the sandbox, or measure it."),
    "domain": ("azr.cli.domain", "domain", "Make and check domains of your own."),
    "buffer": ("azr.cli.buffer", "buffer", "Show or export a task buffer."),
}


class LazyGroup(click.Group):
    """A click group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS or not _exists(COMMANDS[cmd_name][0]):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), f"{module}.{attribute} is not a click command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][2]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def _exists(module: str) -> bool:
    """Whether the module's file exists; its parent package `azr.cli` is light, so nothing heavy is imported."""
    return importlib.util.find_spec(module) is not None


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Also in a checkout, which has no metadata of a package."""
    if wanted:
        import azr

        click.echo(f"azr {azr.__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
def azr() -> None:
    """Absolute zero self-play: a model proposes tasks, a sandbox verifies them, the model learns to solve them."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of the `azr` command: an `AzrError` becomes one line and an exit code."""
    try:
        azr.main(args=argv, prog_name="azr", standalone_mode=True)
    except AzrError as error:
        click.echo(f"azr: {error}", err=True)
        sys.exit(error.exit_code)
