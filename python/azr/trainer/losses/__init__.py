"""Policy losses: one function a file. Only the names stand here, so that checking a config imports no torch."""

LOSSES = {name: f"azr.trainer.losses.{name}:loss" for name in ("ppo", "dual_clip", "cispo", "gspo", "reinforce")}

__all__ = ["LOSSES"]
