"""Loggers besides metrics.jsonl: TensorBoard and Weights & Biases, both optional."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from azr.config import Config, dump_config
from azr.errors import OversightError
from azr.metrics.step import Numbers

WANDB_ID = "wandb.json"


class Sink(Protocol):
    """Takes the numbers of each step."""

    def write(self, step: int, numbers: Numbers) -> None: ...

    def close(self) -> None: ...


class TensorBoard:
    """Event files in the run folder: `tensorboard --logdir RUN/tensorboard`."""

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise OversightError("oversight.sinks: `pip install tensorboard`, or leave it out") from error
        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(folder / "tensorboard"))
        if step:
            # A resumed run: events after the checkpoint do not count.
            start = Event(step=step + 1, session_log=SessionLog(status=SessionLog.START))
            self._writer.add_event(start)

    def write(self, step: int, numbers: Numbers) -> None:
        values = [self._summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        self._writer.add_event(self._event(step=step, summary=self._summary(value=values)))

    def close(self) -> None:
        self._writer.close()


class Wandb:
    """One W&B run for one run folder, resumed under its id."""

    def __init__(self, folder: Path, config: Config) -> None:
        try:
            import wandb
        except ImportError as error:
            raise OversightError("oversight.sinks: `pip install wandb`, or leave it out") from error
        known = folder / WANDB_ID
        run_id = json.loads(known.read_text("ascii"))["id"] if known.exists() else secrets.token_hex(4)
        known.write_text(json.dumps({"id": run_id}), "ascii")
        # azr has one renderer; the library's own output follows its own settings.
        silent = wandb.Settings(silent=True)
        wandb.setup(silent)
        self._run: Any = wandb.init(
            project=config.oversight.project, id=run_id, resume="allow", dir=str(folder), name=folder.name,
            config={"toml": dump_config(config)}, settings=silent,
        )  # fmt: skip

    def write(self, step: int, numbers: Numbers) -> None:
        self._run.log(dict(numbers), step=step)

    def close(self) -> None:
        self._run.finish()


def make_sinks(config: Config, folder: Path, step: int) -> list[Sink]:
    """The sinks of the config.

    Raises:
        OversightError: a library is not installed.
    """
    make: Mapping[str, Any] = {
        "tensorboard": lambda: TensorBoard(folder, step),
        "wandb": lambda: Wandb(folder, config),
    }
    return [make[name]() for name in config.oversight.sinks]
