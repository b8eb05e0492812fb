"""The domain's quality score of the proposal; 0 where the domain has none."""

from azr.rewards.base import ProposalFacts


def term(facts: ProposalFacts) -> float:
    """In [0, 1], from the guest: see `quality` in a domain's `domain.toml`."""
    return facts.quality or 0.0
