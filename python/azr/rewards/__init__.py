"""Rewards: one function a file, found by name or by a user's `module:function`."""

from azr.rewards.base import AttemptFacts, History, ProposalFacts, ProposerReward, SolverReward

PROPOSER = {
    "azr": "azr.rewards.azr:reward",
    "inverse": "azr.rewards.inverse:reward",
    "learnability": "azr.rewards.learnability:reward",
    "rzero": "azr.rewards.rzero:reward",
    "stepping_stone": "azr.rewards.stepping_stone:reward",
    "random": "azr.rewards.random_proposer:reward",
    "format_only": "azr.rewards.format_only_proposer:reward",
}
SOLVER = {
    "conditional": "azr.rewards.conditional:reward",
    "addition": "azr.rewards.addition:reward",
    "multiply": "azr.rewards.multiply:reward",
    "random": "azr.rewards.random_solver:reward",
    "format_only": "azr.rewards.format_only_solver:reward",
}
TERMS = {
    name: f"azr.rewards.{name}:term"
    for name in ("complexity", "edit_distance", "halstead", "answer_diversity", "cluster_share", "novelty", "quality")
}

__all__ = ["PROPOSER", "SOLVER", "TERMS", "AttemptFacts", "History", "ProposalFacts", "ProposerReward", "SolverReward"]
