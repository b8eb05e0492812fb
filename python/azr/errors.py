"""Failures of ours, one class per boundary.

How a model's program ended is never an error: that is a value (`azr.sandbox.Outcome`, `azr.types.Rejected`).
An `AzrError` means that azr, its configuration or its surroundings failed; the command line prints its text
without a traceback and exits with `exit_code`.
"""


class AzrError(Exception):
    """Base of every failure that azr raises on purpose."""

    exit_code = 1


class ConfigError(AzrError):
    """What the user typed cannot be meant: names the key, the value and what is allowed."""

    exit_code = 2


class ModelError(AzrError):
    """A model or tokenizer cannot be found, loaded or used."""


class EngineError(AzrError):
    """A rollout engine failed or broke its contract; never a reward."""


class RunError(AzrError):
    """A run folder cannot be used: locked, foreign, damaged, full or read-only."""


class CheckpointError(RunError):
    """A checkpoint could not be written or read; the last good one is left as it was."""


class RegistryError(ConfigError):
    """A named part (reward, advantage, loss, engine) does not exist or does not fit its signature."""


class ScriptError(AzrError):
    """A scripted engine has no answer for a prompt."""
