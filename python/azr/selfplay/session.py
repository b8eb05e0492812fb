"""Self-play without azr's trainer: whoever samples and trains asks for prompts, and brings texts.

    session = Session()
    asked = session.propose()                         # asked.messages: to the model
    made = session.submit(asked, text)                # made.task is None where it is no task: made.reason
    tried = session.attempt(made.task, texts)         # texts: the model's answers to made.solve
    paid = session.settle(made, tried)                # paid.proposal, paid.attempts: the rewards of azr's trainer

Proposals are validated in the sandbox, deduplicated against the buffer and shown to later proposers. Threads may share
a session.
"""

import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from azr.config import Config, load_config
from azr.errors import ConfigError, EngineError, SandboxError
from azr.grading import Message, dump_task
from azr.pipeline.build import assemble, check
from azr.propose import propose_prompts, read_proposal
from azr.reward import reward_attempts, reward_proposals
from azr.rollouts import Tokenizer
from azr.rollouts.base import Request
from azr.rollouts.batched import BatchedEngine
from azr.rollouts.endpoint.engine import Estimate
from azr.run.seed import starting_tasks
from azr.solve import check as check_attempts
from azr.tasks.io import read_tasks
from azr.types import Attempt, Completion, Kind, Prompt, Rejected, Task, Valid, placed_answers, solve_rate
from azr.validate import validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a proposal."""

    prompt: Prompt
    step: int

    @property
    def kind(self) -> Kind:
        return self.prompt.kind

    @property
    def messages(self) -> list[Message]:
        """What the model is sent."""
        return [{"role": "user", "content": self.prompt.text}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of a proposal."""

    asked: Asked
    verdict: Valid | Rejected
    solve: list[Message]
    """What a solver is sent; nothing where there is no task."""

    @property
    def task(self) -> Task | None:
        """The task; of a duplicate, the stored one."""
        return self.verdict.task if isinstance(self.verdict, Valid) else None

    @property
    def text(self) -> str:
        """The task with its answer, as graders take it; not for the model."""
        return dump_task(self.verdict.task) if isinstance(self.verdict, Valid) else ""

    @property
    def reason(self) -> str:
        """Why it is no task; empty where it is one."""
        return "" if isinstance(self.verdict, Valid) else str(self.verdict.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Rewards of an episode. None: the sandbox failed there, so nothing may be trained on it."""

    proposal: float | None
    attempts: list[float | None]
    solve_rate: float | None
    """Mean score of the attempts; None without any."""


class _Nobody(BatchedEngine):
    """The engine of a session: others sample."""

    def __init__(self) -> None:
        tokenizer: Tokenizer = Estimate()
        super().__init__(tokenizer)

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        raise EngineError("a session has no engine: its user samples")


class Session:
    """The curriculum, the sandbox and the rewards of azr, around somebody else's model."""

    def __init__(
        self, config: Path | None = None, overrides: Sequence[str] = (), *, buffer: Path | None = None,
        seeds: Path | None = None,
    ) -> None:  # fmt: skip
        """
        Args:
            config: TOML of differences to azr's defaults: kinds, domains, rewards, references.
            overrides: `key=value`, as `--set` takes them.
            buffer: folder of the task buffer; one process at a time. None: it ends with the session.
            seeds: a file of tasks that proposers are shown from the start, such as one of `azr propose`.

        Raises:
            ConfigError: the config is wrong.
            RunError: the buffer or the seeds cannot be used.
        """
        own = ["model.name=not-known", "prompt.template=chat", "propose.batch=1"]
        self.config: Config = load_config(config, [*own, *overrides])
        if self.config.propose.batch != 1:
            raise ConfigError("a session asks for one proposal at a time: propose.batch is 1")
        check(self.config)
        self._lock = threading.Lock()
        self._place = tempfile.TemporaryDirectory() if buffer is None else None
        self._parts = assemble(self.config, _Nobody(), buffer or Path(self._place.name if self._place else ""))
        self._step = 0
        parts = self._parts
        parts.store.add(starting_tasks(parts.domains, parts.kinds, self.config.tasks.inputs, parts.sandbox))
        if seeds is not None:
            parts.store.add(read_tasks(seeds, parts.kinds, parts.sandbox))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of task that it asks for."""
        return tuple(self.config.tasks.kinds)

    def propose(self, kind: Kind | str | None = None) -> Asked:
        """Ask for a proposal. `kind`: None takes the session's kinds in turn.

        Raises:
            ConfigError: the session has no such kind.
        """
        with self._lock:
            self._step += 1
            wanted = self.kinds[self._step % len(self.kinds)] if kind is None else kind
            known = next((one for one in self.kinds if one == wanted), None)
            if known is None:
                raise ConfigError(f"{wanted} is no kind of this session, which has {', '.join(self.kinds)}")
            # One prompt with random numbers of its own: the step is the number of the proposal.
            return Asked(prompt=propose_prompts(self._parts, known, self._step)[0], step=self._step)

    def submit(self, asked: Asked, text: str, *, finished: bool = True) -> Made:
        """What the model proposed: a task, or the reason why it is none. `finished`: not cut at a length limit."""
        proposal = read_proposal(self._parts, _completion(asked.prompt, text, finished))
        verdicts = validate(self._parts, [proposal], asked.step)
        with self._lock:
            (verdict,) = self._parts.store.admit(verdicts)
        prompt = self._parts.renderer.solve(verdict.task).text if isinstance(verdict, Valid) else ""
        return Made(asked=asked, verdict=verdict, solve=[{"role": "user", "content": prompt}] if prompt else [])

    def attempt(self, task: Task, texts: Sequence[str], finished: Sequence[bool] | None = None) -> list[Attempt]:
        """The verdicts on answers to a task, in order."""
        prompt = self._parts.renderer.solve(task)
        ends = [True] * len(texts) if finished is None else finished
        completions = [_completion(prompt, text, end) for text, end in zip(texts, ends, strict=True)]
        return check_attempts(self._parts, completions)

    def settle(self, made: Made, attempts: Sequence[Attempt]) -> Paid:
        """The rewards of a proposal and of the attempts at its task; the buffer learns the solve rate.

        Raises:
            SandboxError: the task was tried, and the sandbox failed on every attempt.
        """
        parts, step = self._parts, made.asked.step
        rate = solve_rate(attempts) if attempts else None
        if attempts and rate is None:
            raise SandboxError("the sandbox failed on every attempt at a task")
        with self._lock:
            verdict = _tried(made.verdict, attempts)
            if isinstance(verdict, Valid) and attempts:
                parts.store.record([(verdict.task, attempts)], step)
            is_paid = isinstance(verdict, Rejected) or bool(attempts)
            proposals = reward_proposals(parts, [verdict], step) if is_paid else []
            paid = [reward_attempts(parts, [placed], step) for placed in placed_answers([attempts])]
            self._commit()
        return Paid(
            proposal=proposals[0].reward if proposals else None,
            attempts=[found[0].reward if found else None for found in paid], solve_rate=rate,
        )  # fmt: skip

    def tasks(self) -> list[Task]:
        """All tasks of the buffer."""
        with self._lock:
            return self._parts.store.everything()

    def close(self) -> None:
        """Close the buffer."""
        with self._lock:
            self._commit()
        self._parts.store.close()
        if self._place is not None:
            self._place.cleanup()

    def _commit(self) -> None:
        """Make a buffer durable that outlives the session."""
        if self._place is None:
            self._parts.store.positions()


def _tried(verdict: Valid | Rejected, attempts: Sequence[Attempt]) -> Valid | Rejected:
    return replace(verdict, trials=tuple(attempts)) if isinstance(verdict, Valid) else verdict


def _completion(prompt: Prompt, text: str, finished: bool) -> Completion:
    return Completion(prompt=prompt, text=text, token_ids=(), log_probs=(), finished=finished)
