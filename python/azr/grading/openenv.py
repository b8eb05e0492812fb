"""OpenEnv: azr's sandbox and tasks as an environment server.

    AZR_DATA=my-data-set uvicorn azr.grading.openenv:app --port 8000

An episode is one task of a data set of `azr export`: `reset(index=3)`, or `reset(seed=7)` for a drawn one. An action
runs a program in the sandbox (`program`, and `call`, the arguments of its `f`), or gives the `answer`, which ends
the episode. Running is free; the answer's score, in [0, 1], is the reward. Domains are named in `AZR_DOMAINS`.
"""

import os
import threading
import uuid
from pathlib import Path
from typing import Any

from azr.errors import GradingError, SandboxError
from azr.grading.files import read_data_set
from azr.grading.shared import named_domains, shared
from azr.grading.versions import require
from azr.sandbox import Outcome
from azr.util.randomness import generator

require("openenv")

from openenv.core.env_server import Action, Environment, Observation, State, create_app  # noqa: E402
from pydantic import Field  # noqa: E402

DATA = "AZR_DATA"
"""Environment variable that names the data set."""
SHOWN = 20_000
"""Characters of an outcome that an observation has."""
SESSIONS = 256


class AzrAction(Action):
    """Run a program, or answer."""

    program: str = ""
    call: str = Field("", description="Arguments of f, as inside the parentheses of a call; empty: only load it.")
    answer: str | None = Field(None, description="The completion that answers the task; ends the episode.")


class AzrObservation(Observation):
    """The task at first, then what an action came to."""

    prompt: str = ""
    ended: str = Field("", description="How a program ended, such as returned or raised; of an answer, its verdict.")
    value: str = ""
    output: str = ""
    error: str = ""


class AzrState(State):
    """The task of the episode, without its answer."""

    task_id: str = ""
    kind: str = ""


class Tasks:
    """The rows of a data set, read once for all sessions."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            GradingError: there is no such data set, or it has no rows.
        """
        self.rows = list(read_data_set(path))
        if not self.rows:
            raise GradingError(f"{path} has no tasks")

    def row(self, index: int | None, seed: int | None) -> dict[str, Any]:
        """One row: that with the index, or one drawn by the seed."""
        if index is None:
            index = int(generator(seed or 0, 0, "openenv").integers(len(self.rows)))
        if not 0 <= index < len(self.rows):
            raise GradingError(f"there is no task {index}: there are {len(self.rows)}")
        row: dict[str, Any] = self.rows[index]
        return row


class AzrEnvironment(Environment):
    """One session. Sessions share the sandbox, in which no program sees another."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self._tasks = tasks
        self._row: dict[str, Any] | None = None
        self._state = AzrState()

    def reset(
        self, seed: int | None = None, episode_id: str | None = None, index: int | None = None, **more: Any
    ) -> AzrObservation:
        """Begin with a task.

        Raises:
            GradingError: there is no task with the index.
        """
        self._row = self._tasks.row(index, seed)
        self._state = AzrState(
            episode_id=episode_id or uuid.uuid4().hex, step_count=0, task_id=self._row["id"], kind=self._row["kind"]
        )
        return AzrObservation(prompt=self._row["prompt"][0]["content"])

    def step(self, action: AzrAction, timeout_s: float | None = None, **more: Any) -> AzrObservation:
        """Run or answer. Fuel ends a program, not `timeout_s`: what comes out is the same on every machine.

        Raises:
            GradingError: no task was begun, or its answer was given.
            SandboxError: the sandbox failed: there is neither a score nor an outcome.
        """
        if self._row is None:
            raise GradingError("begin with reset(): there is no task, or its answer was given")
        self._state.step_count += 1
        grader = shared(named_domains())
        if action.answer is None:
            return _shown(grader.sandbox.run(action.program, call=action.call or None))
        (found,) = grader.verdicts([(self._row["task"], action.answer)])
        if found.failed:
            raise SandboxError(found.error)
        self._row = None
        return AzrObservation(ended=found.reason, reward=found.score, done=True)

    @property
    def state(self) -> AzrState:
        return self._state


def _shown(outcome: Outcome) -> AzrObservation:
    """A program's outcome. Running earns nothing."""
    value = "" if outcome.value is None else outcome.value.repr
    error = ": ".join(part for part in (outcome.exception, outcome.message) if part)
    return AzrObservation(
        ended=str(outcome.kind), value=value[:SHOWN], output=(outcome.stdout + outcome.stderr)[:SHOWN],
        error=error[:SHOWN], reward=0.0,
    )  # fmt: skip


def make_app(path: Path) -> Any:
    """The server over a data set, as an ASGI application."""
    tasks = Tasks(path)
    return create_app(
        lambda: AzrEnvironment(tasks), AzrAction, AzrObservation, env_name="azr", max_concurrent_envs=SESSIONS,
        state_cls=AzrState,
    )  # fmt: skip


_made: list[Any] = []
_lock = threading.Lock()


def __getattr__(name: str) -> Any:
    """`app`, for ASGI servers: over the data set that the environment names, which is read when the server loads it.

    Raises:
        GradingError: the environment names none, or it cannot be read; the server does not start.
    """
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _lock:
        if not _made:
            if DATA not in os.environ:
                raise GradingError(f"{DATA} names no data set of `azr export`")
            _made.append(make_app(Path(os.environ[DATA])))
        return _made[0]
