"""Train-inference mismatch corrections, one file each. Only their names are here."""

NAMES = ("none", "tis", "icepop", "sequence", "geometric")
CORRECTIONS = {name: f"azr.trainer.mismatch.{name}:correct" for name in NAMES}

__all__ = ["CORRECTIONS"]
