"""Episodes as rows of the trace."""

from collections.abc import Iterator
from typing import Any

from azr.metrics import StepReport
from azr.randomness import generator


def rows_of(report: StepReport, rate: float, seed: int) -> Iterator[dict[str, Any]]:
    """A share of a step's episodes, with what became of them."""
    reasons = {id(verdict.proposal.completion): _reason(verdict) for verdict in report.verdicts}
    for row in [*report.trials, *report.attempts]:
        reasons |= {id(attempt.completion): attempt.reason for attempt in row}
    chosen = generator(seed, report.step, "trace").random(len(report.batch.episodes)) < rate
    for episode, advantage, keep in zip(report.batch.episodes, report.batch.advantages, chosen, strict=True):
        if keep:
            completion = episode.completion
            task = completion.prompt.task
            yield {
                "step": report.step,
                "role": episode.role,
                "kind": episode.kind,
                "prompt": completion.prompt.text,
                "completion": completion.text,
                "finished": completion.finished,
                "verdict": reasons[id(completion)],
                "reward": episode.reward,
                "parts": dict(episode.parts),
                "advantage": float(advantage),
                "task": task.id if task else None,
            }


def _reason(verdict: object) -> str:
    return str(getattr(verdict, "reason", "valid"))
