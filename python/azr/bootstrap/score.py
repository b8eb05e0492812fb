"""Scores of a starting model before self-play: does it generalise, and does every role and kind have a signal?"""

from dataclasses import dataclass, replace
from pathlib import Path

from azr.buffer.client import canonical
from azr.evals.probe import Scores, mean_of_kinds, probe
from azr.pipeline.parts import Parts
from azr.propose import ask, propose_prompts
from azr.tasks.io import read_tasks
from azr.types import Kind, Proposal, Rejected, Valid
from azr.validate import validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Results of the proposals of one kind, as shares of all of them."""

    valid: float
    distinct: float
    """Valid, and no other proposal of the sample has the same canonical form."""
    reasons: dict[str, int]


def score_solving(parts: Parts, path: Path) -> dict[str, Scores]:
    """Scores by kind, and `all` for their mean."""
    scores = probe(parts, read_tasks(path, parts.kinds, parts.sandbox))
    return {**{str(kind): found for kind, found in scores.items()}, "all": mean_of_kinds(scores)}


def score_proposing(parts: Parts, count: int) -> dict[str, Proposals]:
    """Proposals of each kind from the seeds in the buffer."""
    propose = parts.config.propose.model_copy(update={"batch": count})
    wide = replace(parts, config=parts.config.model_copy(update={"propose": propose}))
    return {str(kind): _score(wide, kind) for kind in parts.config.tasks.kinds}


def _score(parts: Parts, kind: Kind) -> Proposals:
    proposals = ask(parts, propose_prompts(parts, kind, 0, "score"), 0, f"score/{kind}")
    verdicts = validate(parts, proposals, 0)
    valid = [verdict for verdict in verdicts if isinstance(verdict, Valid)]
    reasons: dict[str, int] = {}
    for verdict in verdicts:
        if isinstance(verdict, Rejected):
            reasons[str(verdict.reason)] = reasons.get(str(verdict.reason), 0) + 1
    return Proposals(
        valid=len(valid) / len(verdicts),
        distinct=len({_key(verdict.proposal) for verdict in valid}) / len(verdicts),
        reasons=reasons,
    )


def _key(proposal: Proposal) -> tuple[str, tuple[str, ...]]:
    draft = proposal.draft
    return canonical(draft.program, draft.inputs)  # type: ignore[union-attr]  # valid proposals were read
