"""Stage 5: verdicts and attempts -> episodes. Only arithmetic: nothing is sampled or executed here.

A rejected proposal earns `invalid`. A valid one earns its learnability plus its extra terms, or `extremes` where the
learnability is 0. An answer earns by its score and format. Where the sandbox failed there is no verdict, so there is no
episode either.
"""

from collections.abc import Sequence

from azr.pipeline.parts import Parts
from azr.rewards import AttemptFacts, ProposalFacts
from azr.rewards.combine import METHODS
from azr.types import Attempt, Completion, Episode, Rejected, Valid, solve_rate
from azr.util.randomness import generator


def reward(
    parts: Parts,
    verdicts: Sequence[Valid | Rejected],
    trials: Sequence[Sequence[Attempt]],
    answers: Sequence[Sequence[Attempt]],
    step: int,
) -> list[Episode]:
    """The episodes of a step: proposals first, then answers.

    Args:
        verdicts: of all proposals.
        trials: for each valid verdict, in order, the attempts that measure its solve rate.
        answers: for each of the solver's tasks, the attempts that are trained on.
    """
    config = parts.config
    proposals = reward_proposals(parts, verdicts, trials, step) if config.propose.train else []
    trained = [attempt for row in answers for attempt in row]
    if config.solve.train_on_trials:
        trained += [attempt for row in trials for attempt in row]
    return proposals + reward_attempts(parts, trained, step)


def reward_proposals(
    parts: Parts, verdicts: Sequence[Valid | Rejected], trials: Sequence[Sequence[Attempt]], step: int
) -> list[Episode]:
    """One episode for each proposal that has a verdict and, if it is valid, a solve rate."""
    noise = generator(parts.config.seed, step, "proposer_noise").random(len(verdicts))
    rates = iter([solve_rate(row) for row in trials])
    episodes = []
    for verdict, chance in zip(verdicts, noise, strict=True):
        completion = verdict.proposal.completion
        if isinstance(verdict, Valid):
            rate = next(rates)
            if rate is not None:
                episodes.append(_reward_task(parts, completion, verdict, rate, float(chance)))
        elif not verdict.failed:
            value = parts.config.reward.proposer.invalid
            episodes.append(Episode(completion=completion, reward=value, parts={"invalid": value}))
    assert next(rates, None) is None, "one row of trials for each valid proposal"
    return episodes


def reward_attempts(parts: Parts, attempts: Sequence[Attempt], step: int) -> list[Episode]:
    """One episode for each attempt with a verdict; attempts at one task are one group."""
    noise = generator(parts.config.seed, step, "solver_noise").random(len(attempts))
    episodes = []
    for attempt, chance in zip(attempts, noise, strict=True):
        if attempt.failed:
            continue
        facts = AttemptFacts(score=attempt.score, formatted=attempt.formatted, noise=float(chance))
        value = parts.rewards.solver(facts)
        group = attempt.task.id
        assert group is not None, "tasks that the solver trains on come from the buffer"
        scores = {"score": attempt.score, "formatted": float(attempt.formatted)}
        episodes.append(Episode(completion=attempt.completion, reward=value, parts=scores, group=group))
    return episodes


def _reward_task(parts: Parts, completion: Completion, verdict: Valid, rate: float, noise: float) -> Episode:
    config = parts.config.reward.proposer
    facts = ProposalFacts(
        task=verdict.task,
        solve_rate=rate,
        references=completion.prompt.references,
        target=completion.prompt.target,
        history=parts.store,
        noise=noise,
        quality=verdict.quality,
    )
    learnability = parts.rewards.proposer(facts)
    pieces = {"solve_rate": rate, "learnability": learnability}
    if learnability == 0.0:
        return Episode(completion=completion, reward=config.extremes, parts=pieces)
    terms = {
        given.name: min(given.coefficient * term(facts), given.maximum)
        for given, term in zip(config.terms, parts.rewards.terms, strict=True)
    }
    total = METHODS[config.combine](learnability, list(terms.values()))
    return Episode(completion=completion, reward=total, parts={**pieces, **terms})
