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
from azr.oversight.base import PURPOSES
from azr.types import PROPOSE, TRIALS, Completion, Draft, Key, Placed, Rejected, Valid, placed_answers, solve_rate
from azr.util.randomness import generator

Rows = Iterator[dict[str, Any]]
Flags = Mapping[Key, Collection[str]]
"""Monitors that flagged a completion."""

NO_FLAGS: Flags = {}


def rows_of(report: StepReport, rate: float, seed: int, flags: Flags = NO_FLAGS) -> Rows:
    """A sample of a step's completions. A proposal is kept with its trials; flagged ones are always kept."""
    trained = _trained(report)
    rng = generator(seed, report.step, "trace")
    keep = rng.random(len(report.verdicts)) < rate
    for place, (verdict, kept) in enumerate(zip(report.verdicts, keep, strict=True)):
        for key, completion, row in _proposal(place, verdict):
            if kept or key in flags:
                yield _row(report.step, completion, row, trained.get(key, UNTRAINED), flags.get(key, ()))
    answers = placed_answers(report.answers)
    keep = rng.random(len(answers)) < rate
    for answer, kept in zip(answers, keep, strict=True):
        key, completion, row = _attempt(answer)
        if kept or key in flags:
            yield _row(report.step, completion, row, trained.get(key, UNTRAINED), flags.get(key, ()))


def rows_of_seeds(verdicts: Sequence[Valid | Rejected], rate: float, seed: int, flags: Flags = NO_FLAGS) -> Rows:
    """A sample of the proposals of seed tasks, and all flagged ones. They have no trials and are not trained on."""
    keep = generator(seed, 0, "trace").random(len(verdicts)) < rate
    for place, (verdict, kept) in enumerate(zip(verdicts, keep, strict=True)):
        for key, completion, row in _proposal(place, verdict):
            if kept or key in flags:
                yield _row(0, completion, row, UNTRAINED, flags.get(key, ()))


def _trained(report: StepReport) -> dict[Key, dict[str, Any]]:
    """Training data of each completion of the step."""
    return {
        episode.key: {
            "trained": True,
            "reward": float(episode.reward),
            "parts": {name: float(value) for name, value in episode.parts.items()},
            "advantage": float(advantage),
            "entropy": float(entropy),
        }
        for episode, advantage, entropy in zip(
            report.batch.episodes, report.batch.advantages, report.stats.entropy, strict=True
        )
        if episode.key is not None
    }


Shown = tuple[Key, Completion, dict[str, Any]]


def _proposal(place: int, verdict: Valid | Rejected) -> Iterator[Shown]:
    """The proposal's row, then those of its trials."""
    proposal = verdict.proposal
    draft = proposal.draft if isinstance(proposal.draft, Draft) else None
    yield (
        Key(PROPOSE, place),
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
            "solve_rate": solve_rate(verdict.trials) if isinstance(verdict, Valid) else None,
            "fuel": verdict.fuel,
            "task": verdict.task.id if isinstance(verdict, Valid) else None,
            "duplicate_of": verdict.duplicate_of,
            "duplicate_level": verdict.duplicate_level or None,
            "references": [task.id for task in proposal.completion.prompt.references],
        },
    )
    if isinstance(verdict, Valid):
        for draw, attempt in enumerate(verdict.trials):
            yield _attempt(Placed(Key(TRIALS, place, draw), verdict.task, attempt))


def _attempt(placed: Placed) -> Shown:
    key, task, attempt = placed
    row = {
        "purpose": PURPOSES[key.purpose],
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
        "task": task.id,
        "duplicate_of": None,
        "duplicate_level": None,
        "references": None,
    }
    return key, attempt.completion, row


UNTRAINED: Mapping[str, Any] = {"trained": False, "reward": None, "parts": {}, "advantage": None, "entropy": None}


def _row(
    step: int, completion: Completion, found: dict[str, Any], trained: Mapping[str, Any], flags: Collection[str]
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
        **trained,
        "flags": sorted(flags),
    }
