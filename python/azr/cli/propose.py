"""`azr propose`: a data set of verified tasks from a model behind an endpoint."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from azr.cli.lines import duration
from azr.errors import AzrError, ConfigError
from azr.rollouts.endpoint.client import KEY

if TYPE_CHECKING:
    from azr.collection.gather import Round
    from azr.collection.task_file import TaskFile
    from azr.config import Config
    from azr.rollouts.endpoint.client import Endpoint

EVERY_SECONDS = 10.0
"""While a round goes on, a line this often says how fast."""


@click.command()
@click.option(
    "--endpoint", "url", required=True, metavar="URL", help="URL of the endpoint, such as http://127.0.0.1:8000/v1."
)
@click.option("--model", help="Name of the model at the endpoint; needed where it has several.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of JSON lines to write; tasks that it has are kept and count.",
)
@click.option("--tasks", type=click.IntRange(1), default=100, show_default=True, help="Number of tasks in OUT, in all.")
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Attempts at each task, for its solve rate.",
)
@click.option(
    "--batch", type=click.IntRange(1), default=8, show_default=True, help="Proposals of each kind in a round."
)
@click.option("--concurrency", type=click.IntRange(1), default=32, show_default=True, help="Requests in flight.")
@click.option(
    "--retries", type=click.IntRange(0), default=6, show_default=True, help="Retries of a request that failed."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds without a byte of an answer.",
)
@click.option(
    "--key-env",
    default=KEY,
    show_default=True,
    metavar="NAME",
    help="Environment variable that holds the key, if one is needed.",
)
@click.option("--body", metavar="JSON", help="Further fields of each request; null leaves one out.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="TOML file with the keys that differ from the defaults.",
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one key.")
def propose(  # noqa: PLR0913 - one parameter for each option
    url: str, model: str | None, out: Path, tasks: int, attempts: int, batch: int, concurrency: int, retries: int,
    timeout: float, key_env: str, body: str | None, config_path: Path | None, overrides: tuple[str, ...],
) -> None:  # fmt: skip
    """Have a model propose tasks and attempt them; write what the sandbox verified to OUT, with solve rates."""
    from azr.collection.task_file import TaskFile
    from azr.config import load_config
    from azr.config.overrides import name_model
    from azr.rollouts.endpoint.client import Endpoint

    endpoint = Endpoint(
        url=url, model=model or "", key=os.environ.get(key_env, ""), key_name=key_env, concurrency=concurrency,
        timeout=timeout, retries=retries, body=_fields(body),
    )  # fmt: skip
    own = ["prompt.template=chat", f"solve.trials={attempts}", f"propose.batch={batch}"]
    config = load_config(config_path, [*own, *overrides, *name_model(model or "endpoint")])
    with closing(TaskFile(out)) as file:
        _propose(endpoint, config, file, tasks)


def _propose(endpoint: "Endpoint", config: "Config", file: "TaskFile", tasks: int) -> None:
    from azr.collection.gather import gather
    from azr.pipeline.build import assemble
    from azr.pipeline.context import fit
    from azr.rollouts.endpoint.engine import EndpointEngine

    lines = Lines(sys.stderr, tasks, len(file.rows), time.monotonic)
    if file.rows:
        lines.say(f"{len(file.rows)} tasks are in {file.path} already")
    if len(file.rows) >= tasks:
        click.echo(f"{len(file.rows)} tasks in {file.path}")
        return  # whether or not the endpoint is there
    with closing(EndpointEngine(endpoint)) as engine, tempfile.TemporaryDirectory() as folder:
        config, note = fit(config, engine.served.positions)
        lines.say(f"{engine.served.model} at {endpoint.base}: {endpoint.concurrency} requests at a time")
        if note:
            lines.say(note)
        engine.watch(lines.answered)
        parts = assemble(config, engine, Path(folder))
        with closing(parts.store):
            try:
                gather(parts, file, tasks, engine.served.model, lines.told)
            except KeyboardInterrupt:
                lines.say(f"stopped with {len(file.rows)} tasks; the same command goes on")
                raise click.exceptions.Exit(130) from None
            except AzrError:
                if file.rows:
                    lines.say(f"{len(file.rows)} tasks are in {file.path}; the same command goes on")
                raise
    click.echo(f"{len(file.rows)} tasks in {file.path}")


def _fields(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"--body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError("--body is not a JSON object, such as '{\"min_p\": 0.1}'")
    return found


class Lines:
    """What `azr propose` says: a line for each round, and how fast it goes in a long one."""

    def __init__(self, out: TextIO, wanted: int, had: int, clock: Callable[[], float]) -> None:
        self._out, self._wanted, self._had, self._clock = out, wanted, had, clock
        self._begin = self._said = clock()
        self._answers = self._tokens = self._before = 0

    def say(self, text: str) -> None:
        """A line of its own."""
        self._out.write(text + "\n")
        self._out.flush()
        self._said, self._before = self._clock(), self._answers

    def answered(self, tokens: int) -> None:
        """The endpoint gave one more completion."""
        self._answers += 1
        self._tokens += tokens
        now = self._clock()
        if now - self._said >= EVERY_SECONDS:
            rate = (self._answers - self._before) / (now - self._said)
            self.say(f"{self._answers:,} completions, {rate:.1f}/s")

    def told(self, found: "Round") -> None:
        """A round is over."""
        passed = max(self._clock() - self._begin, 1e-9)
        rate = "" if found.solve_rate is None else f"  solved {100 * found.solve_rate:.0f}%"
        speed = f"  {self._answers / passed:.1f} completions/s" + (
            f"  {self._tokens / passed:,.0f} tokens/s" if self._tokens else ""
        )
        made, left = found.tasks - self._had, self._wanted - found.tasks
        time_left = f"  {duration(passed / made * left)} left" if made and left > 0 else ""
        why = ", ".join(f"{reason} {count}" for reason, count in list(found.reasons.items())[:2])
        self.say(
            f"{found.tasks}/{self._wanted} tasks  valid {found.valid}/{found.proposals}"
            + (f" ({why})" if why else "") + rate + speed + time_left
        )  # fmt: skip
