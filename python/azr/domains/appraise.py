"""Quality scores of new tasks by their domains, and rejection below the domain's minimum."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from azr.tasks.base import TaskKind
from azr.types import Kind, Reason, Rejected, Valid


def appraise(kinds: Mapping[Kind, TaskKind], verdicts: Sequence[Valid | Rejected]) -> list[Valid | Rejected]:
    """Every verdict in order, valid ones with their quality."""
    found = list(verdicts)
    for kind in dict.fromkeys(verdict.proposal.kind for verdict in verdicts):
        rows = [(i, v) for i, v in enumerate(verdicts) if isinstance(v, Valid) and v.proposal.kind is kind]
        scores = kinds[kind].quality([verdict.task for _, verdict in rows])
        if scores is None:
            continue
        for (index, verdict), score in zip(rows, scores, strict=True):
            found[index] = _scored(verdict, score, kinds[kind].minimum)
    return found


def _scored(verdict: Valid, score: float | None, minimum: float) -> Valid | Rejected:
    if score is None:
        return Rejected(proposal=verdict.proposal, reason=Reason.SANDBOX_FAILED, fuel=verdict.fuel)
    if score < minimum:
        detail = f"{score:g} < {minimum:g}"
        return Rejected(proposal=verdict.proposal, reason=Reason.LOW_QUALITY, detail=detail, fuel=verdict.fuel)
    return replace(verdict, quality=score)
