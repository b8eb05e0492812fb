"""Quality scores of new tasks by their domains, and rejection below the domain's minimum."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace

from azr.tasks.base import TaskKind
from azr.types import Kind, Reason, Rejected, Valid


def appraise(kinds: Mapping[Kind, TaskKind], verdicts: MutableMapping[int, Valid | Rejected]) -> None:
    """Give valid verdicts their quality, in place, or reject them. Kinds without a score leave theirs as they are."""
    valid = {at: verdict for at, verdict in sorted(verdicts.items()) if isinstance(verdict, Valid)}
    for kind in dict.fromkeys(verdict.task.kind for verdict in valid.values()):
        rows = {at: verdict for at, verdict in valid.items() if verdict.task.kind is kind}
        scores = kinds[kind].quality([verdict.task for verdict in rows.values()])
        if scores is None:
            continue
        for (at, verdict), score in zip(rows.items(), scores, strict=True):
            verdicts[at] = _scored(verdict, score, kinds[kind].minimum)


def _scored(verdict: Valid, score: float | None, minimum: float) -> Valid | Rejected:
    if score is None:
        return Rejected(proposal=verdict.proposal, reason=Reason.SANDBOX_FAILED, fuel=verdict.fuel)
    if score < minimum:
        detail = f"{score:g} < {minimum:g}"
        return Rejected(proposal=verdict.proposal, reason=Reason.LOW_QUALITY, detail=detail, fuel=verdict.fuel)
    return replace(verdict, quality=score)
