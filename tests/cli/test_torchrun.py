"""torchrun reads the whole command line: it refuses an option that begins several of its own."""

import click
import pytest
from azr.cli.eval import evaluate
from azr.cli.train import train
from torch.distributed.run import get_args_parser

pytestmark = pytest.mark.torch
BY_CONFIG = {"--run": "run.folder"}
"""Options that a command has under torchrun by `--set` alone."""


def taken(option: str) -> bool:
    try:
        return option in get_args_parser().parse_args(["-m", "azr", "train", option]).training_script_args
    except SystemExit:
        return False


@pytest.mark.parametrize("command", [train, evaluate], ids=lambda command: str(command.name))
def test_every_option_has_a_name_that_torchrun_lets_through(command: click.Command) -> None:
    options = [param.opts for param in command.params if isinstance(param, click.Option)]
    refused = [names for names in options if not any(taken(name) for name in names)]
    assert [name for names in refused for name in names if name not in BY_CONFIG] == []
