"""Stages 1 to 4 of a step in one queue, so that neither the engine nor the sandbox waits for the other.

Proposals of all kinds are submitted together. Each is validated when it is finished, and its trials start at once. The
solver's own tasks fill the remaining capacity. The order in which things finish does not change the result:

- Every completion has a random stream given by its place in the step (proposal i; attempt j at proposal i's
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
from azr.rollouts.base import Finished, requests_for
from azr.solve import check
from azr.types import PROPOSE, SOLVE, TRIALS, Attempt, Key, Prompt, Rejected, Role, Task, Valid
from azr.validate import validate

T = TypeVar("T")
URGENCY = {PROPOSE: 2, TRIALS: 1, SOLVE: 0}
"""Proposals first, since trials follow from them; the solver's own tasks use the remaining capacity."""
ROLES = {PROPOSE: Role.PROPOSE, TRIALS: Role.SOLVE, SOLVE: Role.SOLVE}


class Timer(Protocol):
    """Runs a stage under a name and measures its time."""

    def __call__(self, name: str, stage: Callable[[], T]) -> T: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollouts:
    """Results of a step's stages 1 to 4, in the order of its prompts."""

    verdicts: list[Valid | Rejected]
    """Valid ones have their trials."""
    answers: list[list[Attempt]]
    """The solver's attempts at each of the step's tasks; trained on."""
    dropped: int
    """Trials that were requested and not used, since their tasks were duplicates."""


def roll_out(parts: Parts, step: int, tasks: Sequence[Task], timed: Timer) -> Rollouts:
    """Propose, validate, store and try new tasks, and answer the solver's tasks."""
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
    """The state of a step in flight."""

    def __init__(self, parts: Parts, step: int, timed: Timer) -> None:
        self._parts, self._step, self._timed = parts, step, timed
        self._asked = 0
        self._verdicts: dict[int, Valid | Rejected] = {}
        self._final: list[Valid | Rejected] | None = None
        """The verdicts after deduplication."""
        self._tried: dict[int, Prompt] = {}
        """By proposal: the prompt of its trials."""
        self._draws: dict[int, int] = {}
        """By proposal: the number of requested trials."""
        self._attempts: dict[Key, Attempt] = {}
        self._solving = 0
        self._dropped = 0

    def propose(self) -> None:
        """Submit this step's proposals."""
        prompts = self._parts.ranks.first(lambda: step_prompts(self._parts, self._step))
        self._asked = len(prompts)
        if not prompts:
            self._final = []
        self._submit(PROPOSE, [(index, prompts[index]) for index in self._parts.ranks.share(len(prompts))], 1)

    def solve(self, tasks: Sequence[Task]) -> None:
        """Submit the solver's tasks."""
        self._solving = len(tasks)
        mine = self._parts.ranks.share(len(tasks))
        prompts = [(index, self._parts.renderer.solve(tasks[index])) for index in mine]
        self._submit(SOLVE, prompts, self._parts.config.solve.answers)

    def take(self, found: Sequence[Finished]) -> None:
        """Process finished completions: validate proposals and start the trials of valid ones, check answers."""
        parts = self._parts
        read = {
            request.key.place: read_proposal(parts, one) for request, one in found if request.key.purpose == PROPOSE
        }
        if read:
            verdicts = self._timed("validate", lambda: validate(parts, list(read.values()), self._step))
            new = dict(zip(read, verdicts, strict=True))
            self._verdicts |= new
            if len(self._verdicts) == self._asked and parts.ranks.world == 1:
                known = [self._verdicts[place] for place in range(self._asked)]
                self._finish(self._timed("buffer", lambda: parts.store.admit(known)))
            else:
                self._try({place: verdict for place, verdict in new.items() if isinstance(verdict, Valid)})
        self._check([entry for entry in found if entry[0].key.purpose != PROPOSE])

    @property
    def settled(self) -> bool:
        """Whether the verdicts are final, after deduplication."""
        return self._final is not None

    def settle(self) -> None:
        """Store the tasks of all ranks. Collective, so only called when no request of this rank is in flight."""
        for verdicts in self._parts.ranks.gather(self._verdicts):
            self._verdicts |= verdicts
        known = [self._verdicts[place] for place in range(self._asked)]
        self._finish(self._timed("buffer", lambda: self._parts.store.admit(known)))

    def result(self) -> Rollouts:
        """Gather all results, in order."""
        everybody = self._parts.ranks.gather((self._attempts, self._dropped, self._draws))
        for attempts, _, draws in everybody:
            self._attempts |= attempts
            self._draws |= draws
        assert self._final is not None and len(self._verdicts) == self._asked, "every proposal has its verdict"
        config = self._parts.config.solve
        return Rollouts(
            verdicts=[self._with_trials(index, verdict) for index, verdict in enumerate(self._final)],
            answers=[
                [self._attempts[Key(SOLVE, index, draw)] for draw in range(config.answers)]
                for index in range(self._solving)
            ],
            dropped=sum(dropped for _, dropped, _ in everybody),
        )

    def _with_trials(self, index: int, verdict: Valid | Rejected) -> Valid | Rejected:
        if isinstance(verdict, Rejected):
            return verdict
        trials = tuple(self._attempts[Key(TRIALS, index, draw)] for draw in range(self._draws[index]))
        return replace(verdict, trials=trials)

    def _check(self, answers: Sequence[Finished]) -> None:
        if not answers:
            return
        checked = self._timed("solve", lambda: check(self._parts, [completion for _, completion in answers]))
        self._attempts |= {request.key: done for (request, _), done in zip(answers, checked, strict=True)}
        self._ask_again({request.key.place for request, _ in answers if request.key.purpose == TRIALS})

    def _finish(self, final: list[Valid | Rejected]) -> None:
        """The verdicts after deduplication: cancel the trials of duplicates, start those that are missing."""
        valid = {index: verdict for index, verdict in enumerate(final) if isinstance(verdict, Valid)}
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
        self._try({index: verdict for index, verdict in valid.items() if index in mine and index not in self._tried})

    def _try(self, valid: dict[int, Valid]) -> None:
        """Submit the trials of the tasks."""
        config = self._parts.config.solve
        prompts = [(index, v.prompt or self._parts.renderer.solve(v.task)) for index, v in valid.items()]
        self._tried |= dict(prompts)
        self._draws |= dict.fromkeys(valid, config.trials)
        self._submit(TRIALS, prompts, config.trials, most=config.trials * (1 + config.retries))

    def _ask_again(self, indices: Collection[int]) -> None:
        """Submit more trials for tasks that no trial solved: they have no learning signal."""
        config = self._parts.config.solve
        for index in sorted(indices):
            asked, most = self._draws.get(index, 0), config.trials * (1 + config.retries)
            found = [self._attempts.get(Key(TRIALS, index, draw)) for draw in range(asked)]
            if 0 < asked < most and all(one is not None and one.score == 0.0 for one in found):
                self._draws[index] += config.trials
                self._submit(TRIALS, [(index, self._tried[index])], config.trials, first=asked, most=most)

    def _submit(
        self, purpose: str, prompts: Sequence[tuple[int, Prompt]], count: int, *, first: int = 0, most: int = 0
    ) -> None:
        sampling, urgency = self._parts.sampling(self._step, purpose, ROLES[purpose]), URGENCY[purpose]
        self._parts.engine.submit(requests_for(purpose, prompts, sampling, count, urgency, first=first, most=most))
