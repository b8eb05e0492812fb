"""Advantages: one function a file. Nothing here imports torch."""

from azr.trainer.advantages.base import Advantage, AdvantageInputs

ADVANTAGES = {
    name: f"azr.trainer.advantages.{name}:advantage"
    for name in (
        "trr_token", "trr_sequence", "hierarchical", "grpo", "dr_grpo", "rloo", "maxrl", "pass_at_k", "reinforce_half",
    )
}  # fmt: skip
NEED_GROUPS = frozenset({"grpo", "dr_grpo", "rloo", "maxrl", "pass_at_k", "reinforce_half"})
"""These give zero for a task with a single answer."""

__all__ = ["ADVANTAGES", "NEED_GROUPS", "Advantage", "AdvantageInputs"]
