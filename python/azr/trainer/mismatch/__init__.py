"""What is done where engine and trainer disagree about the policy: one correction a file. Only the names stand here."""

NAMES = ("none", "tis", "icepop", "sequence", "geometric")
CORRECTIONS = {name: f"azr.trainer.mismatch.{name}:correct" for name in NAMES}

__all__ = ["CORRECTIONS"]
