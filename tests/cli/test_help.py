"""Each command and each option says what it is, in whole words."""

from collections.abc import Iterator

import click
import pytest
from azr.cli import azr


def commands(group: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """All commands with their names as they are typed."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


ALL = dict(commands(azr, "azr"))


@pytest.mark.parametrize("path", ALL)
def test_every_option_says_what_it_is(path: str) -> None:
    options = [option for option in ALL[path].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", [path for path, command in ALL.items() if isinstance(command, click.Group)])
def test_no_line_of_a_list_of_commands_is_cut(path: str) -> None:
    group = ALL[path]
    assert isinstance(group, click.Group)
    lines = group.get_help(click.Context(group, info_name=path)).partition("Commands:")[2].splitlines()
    assert lines and [line for line in lines if line.endswith("...")] == []
