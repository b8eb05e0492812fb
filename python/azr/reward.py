"""Stage 5: verdicts and attempts -> episodes. Only arithmetic: nothing is sampled or executed here.

A rejected proposal earns `invalid`. A valid one earns its learnability plus its extra terms, or `extremes` where the
learnability is 0. An answer earns by its score and format. Where the sandbox failed there is no verdict, so there is no
episode either.
"""

from collections.abc import Sequence

from azr.pipeline.parts import Parts
from azr.rewards import AttemptFacts, ProposalFacts
from azr.types import (
    PROPOSE,
    Attempt,
    Episode,
    Key,
    Placed,
    Rejected,
    Valid,
    placed_answers,
    placed_trials,
    solve_rate,
)
from azr.util.randomness import generator


def reward(
    parts: Parts, verdicts: Sequence[Valid | Rejected], answers: Sequence[Sequence[Attempt]], step: int
) -> list[Episode]:
    """The episodes of a step: proposals first, then answers.

    Args:
        verdicts: of all proposals; the valid ones have their trials.
        answers: for each of the solver's tasks, the attempts that are trained on.
    """
    config = parts.config
    proposals = reward_proposals(parts, verdicts, step) if config.propose.train else []
    trained = placed_answers(answers)
    if config.solve.train_on_trials:
        trained += placed_trials(verdicts)
    return proposals + reward_attempts(parts, trained, step)


def reward_proposals(parts: Parts, verdicts: Sequence[Valid | Rejected], step: int) -> list[Episode]:
    """One episode for each proposal that has a verdict and, if it is valid, a solve rate."""
    noise = generator(parts.config.seed, step, "proposer_noise").random(len(verdicts))
    episodes = []
    for place, (verdict, chance) in enumerate(zip(verdicts, noise, strict=True)):
        earned = _reward_proposal(parts, verdict, float(chance))
        if earned is not None:
            value, earned_by = earned
            key, completion = Key(PROPOSE, place), verdict.proposal.completion
            episodes.append(Episode(completion=completion, reward=value, parts=earned_by, key=key))
    return episodes


def reward_attempts(parts: Parts, attempts: Sequence[Placed], step: int) -> list[Episode]:
    """One episode for each attempt with a verdict; attempts at one task are one group."""
    noise = generator(parts.config.seed, step, "solver_noise").random(len(attempts))
    episodes = []
    for (key, task, attempt), chance in zip(attempts, noise, strict=True):
        if attempt.failed:
            continue
        facts = AttemptFacts(score=attempt.score, formatted=attempt.formatted, noise=float(chance))
        value = parts.rewards.solver(facts)
        assert task.id is not None, "tasks that the solver trains on come from the buffer"
        scores = {"score": attempt.score, "formatted": float(attempt.formatted)}
        episodes.append(Episode(completion=attempt.completion, reward=value, parts=scores, group=task.id, key=key))
    return episodes


Earned = tuple[float, dict[str, float]]
"""A reward and its parts."""


def _reward_proposal(parts: Parts, verdict: Valid | Rejected, noise: float) -> Earned | None:
    """None where the sandbox failed, on the proposal or on all of its trials."""
    if isinstance(verdict, Valid):
        assert verdict.trials, "a valid proposal has been tried"
        rate = solve_rate(verdict.trials)
        return None if rate is None else _reward_task(parts, verdict, rate, noise)
    value = parts.config.reward.proposer.invalid
    return None if verdict.failed else (value, {"invalid": value})


def _reward_task(parts: Parts, verdict: Valid, rate: float, noise: float) -> Earned:
    config = parts.config.reward.proposer
    prompt = verdict.proposal.completion.prompt
    facts = ProposalFacts(
        task=verdict.task,
        solve_rate=rate,
        references=prompt.references,
        target=prompt.target,
        history=parts.store,
        noise=noise,
        quality=verdict.quality,
    )
    learnability = parts.rewards.proposer(facts)
    earned_by = {"solve_rate": rate, "learnability": learnability}
    if learnability == 0.0:
        return config.extremes, earned_by
    terms = {
        given.name: min(given.coefficient * term(facts), given.maximum)
        for given, term in zip(config.terms, parts.rewards.terms, strict=True)
    }
    return learnability + sum(terms.values()), {**earned_by, **terms}
