"""Quality scores of new tasks by their domains, and rejection below the domain's minimum."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from azr.domains.kind import DomainKind
from azr.tasks.base import TaskKind
from azr.types import Kind, Reason, Rejected, Valid


def appraise(kinds: Mapping[Kind, TaskKind], verdicts: Sequence[Valid | Rejected]) -> list[Valid | Rejected]:
    """Every verdict in order, valid ones with their quality."""
    found = list(verdicts)
    for kind in dict.fromkeys(verdict.proposal.kind for verdict in verdicts):
        task_kind = kinds[kind]
        if not isinstance(task_kind, DomainKind):
            continue
        rows = [(i, v) for i, v in enumerate(verdicts) if isinstance(v, Valid) and v.proposal.kind is kind]
        for (index, verdict), score in zip(rows, task_kind.quality([verdict.task for _, verdict in rows]), strict=True):
            if score is None and task_kind.scores:
                found[index] = Rejected(proposal=verdict.proposal, reason=Reason.SANDBOX_FAILED, fuel=verdict.fuel)
            elif score is not None and score < task_kind.minimum:
                detail = f"{score:g} < {task_kind.minimum:g}"
                found[index] = Rejected(
                    proposal=verdict.proposal, reason=Reason.LOW_QUALITY, detail=detail, fuel=verdict.fuel
                )
            else:
                found[index] = replace(verdict, quality=score)
    return found
