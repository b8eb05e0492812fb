"""prime-rl and verifiers (v1): a proposer-solver environment that pays azr's rewards over azr's buffer.

An episode is one proposal: the proposer is shown earlier tasks, the sandbox validates what it writes, `n` solvers
attempt the new task, and both are paid as azr's own trainer pays them. What was found is shown to later proposers.

Each worker of the environment's server has a buffer of its own. With `buffer`, a folder, there can be one worker.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from azr.errors import AzrError, SandboxError
from azr.grading.versions import require
from azr.selfplay.session import Made, Session

require("verifiers")

import verifiers.v1 as vf  # noqa: E402
from pydantic import Field  # noqa: E402

from azr.grading.verifiers import OneTurnHarness, messages  # noqa: E402

try:
    # prime-rl's `hierarchical_grpo` takes environments of this shape alone, by their config's class.
    from proposer_solver import ProposerSolverEnvConfig as _Shape
except ImportError:

    class _Shape(vf.EnvConfig):  # type: ignore[no-redef]
        """The same fields, where the package with prime-rl's own environment is not installed."""

        proposer: vf.AgentConfig = vf.AgentConfig()
        solver: vf.AgentConfig = vf.AgentConfig()
        n: int = Field(4, ge=1)
        train_proposer: bool = True
        train_solver: bool = True


__all__ = ["OneTurnHarness", "SelfPlayEnv", "SelfPlayEnvConfig", "SelfPlayTaskset"]


class SelfPlayTasksetConfig(vf.TasksetConfig):
    """What is asked for."""

    kinds: list[str] = Field(["abduction", "deduction", "induction"], min_length=1)


class SelfPlayEnvConfig(_Shape):
    """How the episodes are played."""

    proposer: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())
    solver: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())
    n: int = Field(8, ge=1)
    """Attempts at each new task."""
    config: str = ""
    """TOML of differences to azr's defaults: rewards, domains, references."""
    overrides: list[str] = Field(default_factory=list)
    """`key=value`, on top of it."""
    buffer: str = ""
    """Folder of the task buffer; empty: in memory, and each worker its own."""
    seeds: str = ""
    """File of tasks that proposers are shown from the start."""


class KindData(vf.TaskData):
    """A row: which kind of task is asked for. The prompt is written when the episode begins."""

    kind: str


class KindTask(vf.Task[KindData]):
    """A row."""


class ProposeState(vf.State):
    """What became of the proposal, for the end of the episode."""

    made: Any = None


class ProposeTask(vf.Task[KindData, ProposeState]):
    """What the proposer is asked. It is paid at the end of the episode."""


class SolveData(vf.TaskData):
    """A new task."""

    kind: str
    task: str
    """With its answer: not for the model."""


class SolveTask(vf.Task[SolveData]):
    """What a solver is asked. It is paid at the end of the episode."""


class SelfPlayTaskset(vf.Taskset[KindTask, SelfPlayTasksetConfig]):
    """One row for each kind, again and again."""

    INFINITE = True

    def load(self) -> Iterator[KindTask]:
        """Rows without an end."""
        while True:
            for kind in self.config.kinds:
                yield KindTask(KindData(name=kind, kind=kind), self.config.task)


class SelfPlayEnv(vf.Env[SelfPlayEnvConfig]):
    """Propose, validate, solve, pay."""

    def __init__(self, config: SelfPlayEnvConfig) -> None:
        super().__init__(config)
        self._session: Session | None = None

    async def start(self) -> None:
        """Open the buffer."""
        given = self.config
        self._session = await asyncio.to_thread(
            Session, Path(given.config) if given.config else None,
            [f"tasks.kinds={list(self.taskset.config.kinds)}", *given.overrides],
            buffer=Path(given.buffer) if given.buffer else None, seeds=Path(given.seeds) if given.seeds else None,
        )  # fmt: skip

    async def stop(self) -> None:
        """Close the buffer."""
        session, self._session = self._session, None
        if session is not None:
            await asyncio.to_thread(session.close)

    async def setup(self, agents: vf.Agents) -> None:
        """Which role is trained."""
        agents.proposer.trainable = self.config.train_proposer
        agents.solver.trainable = self.config.train_solver

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        """One proposal and the attempts at it."""
        session = self._session
        assert session is not None, "inside of serving()"
        asked = await asyncio.to_thread(session.propose, task.data.kind)
        data = KindData(idx=task.data.idx, name=task.data.name, kind=asked.kind, prompt=messages(asked.messages))
        proposer = await agents.proposer.run(ProposeTask(data))
        if not proposer.ok:
            return
        made = await asyncio.to_thread(
            session.submit, asked, proposer.last_reply, finished=not proposer.is_truncated
        )  # fmt: skip
        proposer.state.made = made
        if made.task is None:
            return
        solving = SolveTask(
            SolveData(
                idx=task.data.idx, name=task.data.name, kind=asked.kind, prompt=messages(made.solve), task=made.text
            )
        )
        async with asyncio.TaskGroup() as group:
            for _ in range(self.config.n):
                group.create_task(agents.solver.run(solving))

    async def finalize(self, task: vf.Task, episode: vf.Episode) -> None:
        """Pay both roles.

        Raises:
            AzrError: no solver finished: the proposal has no solve rate.
            SandboxError: the sandbox failed somewhere. Nothing of this episode may be trained on then, either.
        """
        session = self._session
        assert session is not None, "inside of serving()"
        proposers = [trace for trace in episode.traces if trace.agent.name == "proposer"]
        solvers = [trace for trace in episode.traces if trace.agent.name == "solver" and trace.ok]
        (proposer,) = proposers
        made: Made | None = proposer.state.made
        if made is None:
            return  # the proposer's rollout failed
        attempts = []
        if made.task is not None:
            if not solvers:
                raise AzrError(f"no solver finished of {self.config.n}: the proposal has no solve rate")
            texts, ends = [trace.last_reply for trace in solvers], [not trace.is_truncated for trace in solvers]
            attempts = await asyncio.to_thread(session.attempt, made.task, texts, ends)
        paid = await asyncio.to_thread(session.settle, made, attempts)
        if paid.proposal is None or None in paid.attempts:
            raise SandboxError("the sandbox failed on a part of the episode")
        proposer.info["azr"] = made.reason or "valid"
        proposer.record_metric("valid", float(made.task is not None))
        if paid.solve_rate is not None:
            proposer.record_metric("solve_rate", paid.solve_rate)
        proposer.record_reward("proposer", paid.proposal)
        for trace, attempt, value in zip(solvers, attempts, paid.attempts, strict=True):
            trace.info["azr"] = attempt.reason
            trace.record_metric("score", attempt.score)
            trace.record_reward("solver", value)
