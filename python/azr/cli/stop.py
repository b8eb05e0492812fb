"""SIGINT and SIGTERM of a long command: the first asks it to end, the second ends it at once."""

import os
import signal

import click


class Stop:
    """Whether a signal has asked for the end. The second one raises `KeyboardInterrupt`."""

    def __init__(self, answer: str) -> None:
        """`answer`: what rank 0 says to the first signal."""
        self._answer = answer
        self._asked = False
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._interrupt)

    def __call__(self) -> bool:
        return self._asked

    def _interrupt(self, number: int, frame: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if os.environ.get("RANK", "0") == "0":
            click.echo(f"\n{self._answer}", err=True)
