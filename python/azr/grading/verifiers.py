"""prime-rl and verifiers (v1): azr's tasks as a taskset, with an environment and a harness for one turn.

    [env.taskset]
    id = "azr-tasks"          # environments/azr_tasks, which exports what is here
    path = "my-data-set"      # of `azr export`

A completion scores in [0, 1]. Where there is no verdict, the rollout has an error and no score, and is not trained on.
"""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from azr.errors import AzrError, GradingError, SandboxError
from azr.grading.files import read_data_set
from azr.grading.grader import Message
from azr.grading.shared import shared, shared_async
from azr.grading.versions import require
from azr.tasks.io import verify
from azr.types import Draft, Task

require("verifiers")

import httpx  # noqa: E402 - verifiers depends on it
import verifiers.v1 as vf  # noqa: E402
from pydantic import Field  # noqa: E402

__all__ = ["AzrEnv", "AzrEnvConfig", "AzrTaskset", "AzrTasksetConfig", "OneTurnHarness"]


class AzrTaskConfig(vf.TaskConfig):
    """How tasks are scored."""

    domains: list[str] = Field(default_factory=list)
    """Folders or names of domains that the tasks are of; none: plain Python."""


class AzrTasksetConfig(vf.TasksetConfig):
    """Which tasks are loaded."""

    path: str = ""
    """A data set of `azr export`, or one Parquet file of it."""
    split: str = "train"
    kinds: list[str] = Field(default_factory=list)
    """Only these; none: all."""
    min_rate: float = 0.0
    max_rate: float = 1.0
    """Only tasks with a solve rate in this range; those that were never tried are always in."""
    task: AzrTaskConfig = AzrTaskConfig()


class AzrData(vf.TaskData):
    """One task."""

    task: str
    """With its answer, as `Grader.row` writes it: for the reward, not for the model."""
    kind: str


class AzrTask(vf.Task[AzrData, vf.State, AzrTaskConfig]):
    """Scored in azr's sandbox."""

    @property
    def key(self) -> str:
        """By its content, wherever it stands in a data set."""
        return str(self.data.id or self.hash)

    @vf.reward
    async def azr(self, trace: vf.Trace) -> float:
        """The score of the last reply, in [0, 1].

        Raises:
            SandboxError: there is no verdict: the rollout has no score.
        """
        answer = await shared_async(self.config.domains).answer(self.data.task, trace.last_reply)
        if answer.failed:
            raise SandboxError(answer.error)
        trace.info["azr"] = answer.reason
        return answer.score

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether its program still gives its outputs."""
        return await asyncio.to_thread(self._holds)

    def _holds(self) -> bool:
        grader = shared(self.config.domains)
        task = grader.read(self.data.task)
        draft = Draft(program=task.program, inputs=task.inputs, message=task.message)
        (again,) = verify([(task.kind, draft)], grader.kinds, grader.sandbox)
        return isinstance(again, Task) and again.outputs == task.outputs


class AzrTaskset(vf.Taskset[AzrTask, AzrTasksetConfig]):
    """The tasks of a data set."""

    def load(self) -> Iterator[AzrTask]:
        """
        Raises:
            GradingError: there is no such data set, or no task of it fits.
        """
        given = self.config
        if not given.path:
            raise GradingError("the taskset has no data set: set taskset.path: the folder that `azr export` wrote")
        seen: set[str] = set()
        for row in read_data_set(Path(given.path), given.split):
            rate = row["solve_rate"]
            if given.kinds and row["kind"] not in given.kinds:
                continue
            if row["id"] in seen:
                continue  # the same task, since ids are of the content; keys of tasks are unique
            if rate is None or given.min_rate <= rate <= given.max_rate:
                seen.add(row["id"])
                data = AzrData(id=row["id"], prompt=messages(row["prompt"]), task=row["task"], kind=row["kind"])
                yield AzrTask(data, given.task)
        if not seen:
            kinds = ", ".join(given.kinds) or "any"
            raise GradingError(
                f"no task of {given.path} fits: kinds {kinds}, solve rates {given.min_rate} to {given.max_rate}"
            )


class OneTurnHarnessConfig(vf.HarnessConfig):
    """Nothing to set."""


class OneTurnHarness(vf.Harness[OneTurnHarnessConfig]):
    """Asks the model once, in this process: no program is started for a rollout."""

    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(
        self,
        ctx: vf.ModelContext,
        trace: vf.Trace,
        runtime: vf.Runtime,
        endpoint: str,
        secret: str,
        mcp_urls: dict[str, str],
        data: vf.TaskData,
    ) -> vf.ProgramResult:
        """One chat completion; the interception server applies the run's sampling, and writes the trace."""
        system, prompt = self.resolve_prompt(data)
        given = [vf.UserMessage(content=prompt)] if isinstance(prompt, str) else list(prompt or [])
        asked = ([vf.SystemMessage(content=system)] if system else []) + given
        body = {
            "model": ctx.model,
            "messages": [{"role": message.role, "content": message.content} for message in asked],
        }
        async with httpx.AsyncClient(timeout=None) as client:  # the run has its own limits
            headers = {"Authorization": f"Bearer {secret}"}
            answer = await client.post(f"{endpoint.rstrip('/')}/chat/completions", json=body, headers=headers)
        failed = answer.status_code != 200
        return vf.ProgramResult(exit_code=int(failed), stdout="", stderr=answer.text if failed else "")


class AzrEnvConfig(vf.EnvConfig):
    """One model that answers."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig())
    """Its harness is `OneTurnHarness` if none is named."""


class AzrEnv(vf.Env[AzrEnvConfig]):
    """One turn on one task."""

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        """One answer."""
        await agents.agent.run(task)


def messages(found: Sequence[Message]) -> list[Any]:
    """A row's prompt as verifiers has it."""
    if any(message["role"] != "user" for message in found):
        raise AzrError("a prompt of azr is one message of the user")
    return [vf.UserMessage(content=message["content"]) for message in found]
