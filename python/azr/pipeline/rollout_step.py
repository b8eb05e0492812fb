"""Stages 1 to 4 of a step as one queue, so that neither the engine nor the sandbox waits for the other.

All kinds of proposals go in together; each is validated when it is finished, and the attempts that measure its solve
rate start at once; the solver's own tasks fill what room is left. In what order things finish changes nothing that
comes out:

- Every completion draws on a stream of chance that its place in the step decides (proposal i; attempt j at proposal i's
  task; answer j to task i), never on when it was asked for.
- What is valid enters the buffer when all proposals have their verdicts, in the order of the proposals: which of two
  equal proposals is the duplicate, and the ids, follow from that order.
- So an attempt may start at a task that turns out to be a duplicate. It is dropped and counted (`dropped`); a
  duplicate that is paid gets its attempts at the stored task instead, from the same streams. Waiting for all verdicts
  would drop none and leave the engine idle, the more so the longer the longest proposal is.
- A task that no attempt solved is asked again (`solve.retries`). That depends on all its attempts, not on their order.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from azr.pipeline.parts import Parts
from azr.propose import read_proposal, step_prompts
from azr.rollouts.base import Finished, Key, requests_for
from azr.solve import check
from azr.types import Attempt, Prompt, Rejected, Task, Valid
from azr.validate import validate

T = TypeVar("T")
PROPOSE, TRIALS, SOLVE = "propose", "trials", "solve"
URGENCY = {PROPOSE: 2, TRIALS: 1, SOLVE: 0}
"""Proposals first, since attempts follow from them; the solver's own tasks can wait for room."""


class Timer(Protocol):
    """Runs a piece of work under a name and knows how long it took."""

    def __call__(self, name: str, stage: Callable[[], T]) -> T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """What a step sampled and checked, in the order of its prompts."""

    verdicts: list[Valid | Rejected]
    trials: list[list[Attempt]]
    """Of each valid verdict, in order, the attempts that measure its solve rate."""
    answers: list[list[Attempt]]
    """The solver's attempts at each of the step's tasks; trained on."""
    dropped: int
    """Attempts that were asked for and not used: their tasks were duplicates."""


def roll_out(parts: Parts, step: int, tasks: Sequence[Task], timed: Timer) -> Rollouts:
    """Propose, validate, store and try new tasks, and answer the solver's."""
    flow = _Flow(parts, step, timed)
    timed("propose", lambda: flow.propose())
    flow.solve(tasks)
    while True:
        while found := timed("rollout", parts.engine.collect):
            flow.take(found)
        if flow.settled:
            return flow.result()
        flow.settle()


class _Flow:
    """What is known of a step so far."""

    def __init__(self, parts: Parts, step: int, timed: Timer) -> None:
        self._parts, self._step, self._timed = parts, step, timed
        self._asked = 0
        self._verdicts: dict[int, Valid | Rejected] = {}
        self._final: list[Valid | Rejected] | None = None
        """The verdicts after the buffer had its say."""
        self._tried: dict[int, Task] = {}
        """By proposal: the task that attempts were asked for."""
        self._draws: dict[int, int] = {}
        """By proposal: how many attempts were asked for."""
        self._attempts: dict[Key, Attempt] = {}
        self._solving = 0
        self._dropped = 0

    def propose(self) -> None:
        """Ask for this step's proposals."""
        prompts = self._parts.ranks.first(lambda: step_prompts(self._parts, self._step))
        self._asked = len(prompts)
        if not prompts:
            self._final = []
        self._submit(PROPOSE, [(index, prompts[index]) for index in self._parts.ranks.share(len(prompts))], 1)

    def solve(self, tasks: Sequence[Task]) -> None:
        """Ask for the answers that the solver trains on."""
        self._solving = len(tasks)
        mine = self._parts.ranks.share(len(tasks))
        prompts = [(index, self._parts.renderer.solve(tasks[index])) for index in mine]
        self._submit(SOLVE, prompts, self._parts.config.solve.answers)

    def take(self, found: Sequence[Finished]) -> None:
        """Go on with what has finished."""
        proposals = [entry for entry in found if entry[0].key.purpose == PROPOSE]
        answers = [entry for entry in found if entry[0].key.purpose != PROPOSE]
        if proposals:
            self._validate(proposals)
        if answers:
            checked = self._timed("solve", lambda: check(self._parts, [completion for _, completion in answers]))
            self._attempts |= {request.key: done for (request, _), done in zip(answers, checked, strict=True)}
            self._ask_again({request.key.place for request, _ in answers if request.key.purpose == TRIALS})

    @property
    def settled(self) -> bool:
        """Whether the buffer had its say."""
        return self._final is not None

    def settle(self) -> None:
        """Admit what all ranks proposed. Waits for the others, so only when nothing of ours is under way."""
        for verdicts in self._parts.ranks.gather(self._verdicts):
            self._verdicts |= verdicts
        self._admit()

    def result(self) -> Rollouts:
        """Everything, in order."""
        everybody = self._parts.ranks.gather((self._attempts, self._dropped, self._draws))
        for attempts, _, draws in everybody:
            self._attempts |= attempts
            self._draws |= draws
        assert self._final is not None and len(self._verdicts) == self._asked, "every proposal has its verdict"
        config = self._parts.config.solve
        return Rollouts(
            verdicts=self._final,
            trials=[
                [_at(verdict.task, self._attempts[Key(TRIALS, index, draw)]) for draw in range(self._draws[index])]
                for index, verdict in enumerate(self._final)
                if isinstance(verdict, Valid)
            ],
            answers=[
                [self._attempts[Key(SOLVE, index, draw)] for draw in range(config.answers)]
                for index in range(self._solving)
            ],
            dropped=sum(dropped for _, dropped, _ in everybody),
        )

    def _validate(self, proposals: Sequence[Finished]) -> None:
        """Validate what was proposed, and try what is valid."""
        parts = self._parts
        read = [read_proposal(parts, completion) for _, completion in proposals]
        verdicts = self._timed("validate", lambda: validate(parts, read, self._step))
        indices = [request.key.place for request, _ in proposals]
        self._verdicts |= dict(zip(indices, verdicts, strict=True))
        if len(self._verdicts) == self._asked and self._parts.ranks.world == 1:
            self._admit()
        else:
            self._try({i: v.task for i, v in zip(indices, verdicts, strict=True) if isinstance(v, Valid)})

    def _admit(self) -> None:
        """All verdicts are known: store what is new, and settle which attempts count."""
        verdicts = [self._verdicts[index] for index in range(self._asked)]
        final = self._timed("buffer", lambda: self._parts.store.admit(verdicts))
        tasks = {index: verdict.task for index, verdict in enumerate(final) if isinstance(verdict, Valid)}
        stale = [
            index
            for index, verdict in enumerate(final)
            if index in self._tried and not (isinstance(verdict, Valid) and verdict.duplicate_of is None)
        ]
        for index in stale:
            keys = [Key(TRIALS, index, draw) for draw in range(self._draws.pop(index))]
            self._parts.engine.cancel(keys)
            self._dropped += len(keys)
            for key in keys:
                self._attempts.pop(key, None)
            del self._tried[index]
        self._final = final
        mine = set(self._parts.ranks.share(self._asked))
        self._try({index: task for index, task in tasks.items() if index in mine and index not in self._tried})

    def _try(self, tasks: dict[int, Task]) -> None:
        """Ask for the attempts that measure the tasks' solve rates."""
        config = self._parts.config.solve
        self._tried |= tasks
        self._draws |= dict.fromkeys(tasks, config.trials)
        prompts = [(index, self._parts.renderer.solve(task)) for index, task in tasks.items()]
        self._submit(TRIALS, prompts, config.trials, most=config.trials * (1 + config.retries))

    def _ask_again(self, indices: Collection[int]) -> None:
        """Tasks that all their attempts failed at teach nothing: try them again."""
        config = self._parts.config.solve
        for index in sorted(indices):
            asked, most = self._draws.get(index, 0), config.trials * (1 + config.retries)
            found = [self._attempts.get(Key(TRIALS, index, draw)) for draw in range(asked)]
            if 0 < asked < most and all(one is not None and one.score == 0.0 for one in found):
                self._draws[index] += config.trials
                prompts = [(index, self._parts.renderer.solve(self._tried[index]))]
                self._submit(TRIALS, prompts, config.trials, first=asked, most=most)

    def _submit(
        self, purpose: str, prompts: Sequence[tuple[int, Prompt]], count: int, *, first: int = 0, most: int = 0
    ) -> None:
        sampling, urgency = self._parts.sampling(self._step, purpose), URGENCY[purpose]
        self._parts.engine.submit(requests_for(purpose, prompts, sampling, count, urgency, first=first, most=most))


def _at(task: Task, attempt: Attempt) -> Attempt:
    """The attempt with its task as stored: it may have started before the task had its id."""
    if attempt.task is task:
        return attempt
    completion = replace(attempt.completion, prompt=replace(attempt.completion.prompt, task=task))
    return replace(attempt, task=task, completion=completion)
