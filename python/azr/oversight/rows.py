"""Completions of a step as rows of the trace.

Every row has these keys; None stands for what does not apply.

    step, role, kind      as in the config's words; the seeds are proposals of step 0
    purpose               proposal; trial (an attempt that measures a new task's solve rate); answer (solver training)
    prompt, completion    texts; they are what the model saw and wrote, and may be hostile
    finished              False: cut at the token limit
    prompt_tokens, tokens number of token ids of each
    verdict               proposal: valid or the rejection's reason; else: correct, wrong, a flaw, or how checking ended
    detail                more about the verdict, such as the exception's class
    formatted             whether the outer form was right
    program, inputs, message   proposal: what was read from it, if it could be read
    answer                trial and answer: what was read from it
    outputs               proposal: the outputs of its task as text, if it is valid
    score                 trial and answer: 0 to 1
    solve_rate            proposal: mean score of its trials
    fuel                  of the sandbox, in validation or checking; 0 where nothing ran
    task                  id of the task that it made, repeated, or answers
    duplicate_of, duplicate_level   proposal: what it repeats, and how alike
    references            proposal: ids of the tasks that it was shown
    trained               whether it was part of the update
    reward, parts, advantage, entropy   only if trained
    flags                 names of the monitors that flagged it
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from azr.metrics.step import StepReport
from azr.types import Attempt, Completion, Draft, Rejected, Valid, solve_rate
from azr.util.randomness import generator

Rows = Iterator[dict[str, Any]]
Flags = Mapping[int, Collection[str]]
"""Monitors that flagged a completion, by the completion's `id`."""

NO_FLAGS: Flags = {}


def rows_of(report: StepReport, rate: float, seed: int, flags: Flags = NO_FLAGS) -> Rows:
    """A sample of a step's completions. A proposal is kept with its trials; flagged ones are always kept."""
    trained = _trained(report)
    rng = generator(seed, report.step, "trace")
    keep = rng.random(len(report.verdicts)) < rate
    trials = iter(report.trials)
    for verdict, kept in zip(report.verdicts, keep, strict=True):
        row_of_trials = next(trials, []) if isinstance(verdict, Valid) else []
        for completion, row in _proposal(verdict, row_of_trials):
            if kept or id(completion) in flags:
                yield _row(report.step, completion, row, trained, flags)
    answers = [attempt for row in report.answers for attempt in row]
    keep = rng.random(len(answers)) < rate
    for attempt, kept in zip(answers, keep, strict=True):
        if kept or id(attempt.completion) in flags:
            yield _row(report.step, attempt.completion, _attempt(attempt, "answer"), trained, flags)


def rows_of_seeds(verdicts: Sequence[Valid | Rejected], rate: float, seed: int, flags: Flags = NO_FLAGS) -> Rows:
    """A sample of the proposals of seed tasks, and all flagged ones. They have no trials and are not trained on."""
    keep = generator(seed, 0, "trace").random(len(verdicts)) < rate
    for verdict, kept in zip(verdicts, keep, strict=True):
        for completion, row in _proposal(verdict, ()):
            if kept or id(completion) in flags:
                yield _row(0, completion, row, {}, flags)


def _trained(report: StepReport) -> dict[int, dict[str, Any]]:
    """Training data of each completion."""
    return {
        id(episode.completion): {
            "trained": True,
            "reward": float(episode.reward),
            "parts": {name: float(value) for name, value in episode.parts.items()},
            "advantage": float(advantage),
            "entropy": float(entropy),
        }
        for episode, advantage, entropy in zip(
            report.batch.episodes, report.batch.advantages, report.stats.entropy, strict=True
        )
    }


def _proposal(verdict: Valid | Rejected, trials: Sequence[Attempt]) -> Iterator[tuple[Completion, dict[str, Any]]]:
    """The proposal's row, then those of its trials."""
    proposal = verdict.proposal
    draft = proposal.draft if isinstance(proposal.draft, Draft) else None
    yield (
        proposal.completion,
        {
            "purpose": "proposal",
            "verdict": "valid" if isinstance(verdict, Valid) else str(verdict.reason),
            "detail": "" if isinstance(verdict, Valid) else verdict.detail,
            "formatted": proposal.formatted,
            "program": draft.program if draft else None,
            "inputs": list(draft.inputs) if draft else None,
            "message": draft.message if draft else None,
            "answer": None,
            "outputs": [value.repr for value in verdict.task.outputs] if isinstance(verdict, Valid) else None,
            "score": None,
            "solve_rate": solve_rate(trials),
            "fuel": verdict.fuel,
            "task": verdict.task.id if isinstance(verdict, Valid) else None,
            "duplicate_of": verdict.duplicate_of,
            "duplicate_level": verdict.duplicate_level or None,
            "references": [task.id for task in proposal.completion.prompt.references],
        },
    )
    for attempt in trials:
        yield attempt.completion, _attempt(attempt, "trial")


def _attempt(attempt: Attempt, purpose: str) -> dict[str, Any]:
    return {
        "purpose": purpose,
        "verdict": attempt.reason,
        "detail": "",
        "formatted": attempt.formatted,
        "program": None,
        "inputs": None,
        "message": None,
        "answer": attempt.text,
        "outputs": None,
        "score": attempt.score,
        "solve_rate": None,
        "fuel": attempt.fuel,
        "task": attempt.task.id,
        "duplicate_of": None,
        "duplicate_level": None,
        "references": None,
    }


UNTRAINED: Mapping[str, Any] = {"trained": False, "reward": None, "parts": {}, "advantage": None, "entropy": None}


def _row(
    step: int,
    completion: Completion,
    found: dict[str, Any],
    trained: Mapping[int, dict[str, Any]],
    flags: Flags,
) -> dict[str, Any]:
    prompt = completion.prompt
    return {
        "step": step,
        "role": str(prompt.role),
        "kind": str(prompt.kind),
        "prompt": prompt.text,
        "completion": completion.text,
        "finished": completion.finished,
        "prompt_tokens": len(prompt.token_ids),
        "tokens": len(completion.token_ids),
        **found,
        **trained.get(id(completion), UNTRAINED),
        "flags": sorted(flags.get(id(completion), ())),
    }
