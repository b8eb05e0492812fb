"""Failures of ours, one class per boundary.

How a model's program ended is never an error: that is a value (`azr.sandbox.client.Outcome`, `azr.types.Rejected`).
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


class SandboxError(AzrError):
    """The sandbox itself failed: no verdict about any program follows, and nothing may be rewarded for it.

    `code` says how: wall_clock, cancelled, forked, bad_guest, bad_module, guest_contract, bad_limit, host, runtime.
    """

    def __init__(self, message: str, code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class RunError(AzrError):
    """A run folder cannot be used: locked, foreign, damaged, full or read-only."""


class BufferError(RunError):
    """A task buffer cannot be opened, read or written. Its files are as they were.

    `code` says how: in_use, missing, foreign, newer, damaged, lost, no_such_position, no_such_task, read_only, io, ...
    """

    def __init__(self, message: str, code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class CheckpointError(RunError):
    """A checkpoint could not be written or read; the last good one is left as it was."""


class TraceError(RunError):
    """A trace cannot be read or written, or is damaged; names the file and the place."""


class OversightError(AzrError):
    """A monitor, hook or sink failed, or left nothing to train on; names it."""


class HangError(AzrError):
    """A phase took longer than its limit; names the phase and the file with the stacks."""

    exit_code = 75


class RankError(AzrError):
    """A process of the run is gone, or the processes have come apart; the last checkpoint stands."""

    exit_code = 3


class RegistryError(ConfigError):
    """A named part (reward, advantage, loss, engine) does not exist or does not fit its signature."""


class DomainError(ConfigError):
    """A domain cannot be found or used: names the domain, the key and what is allowed."""


class GradingError(AzrError):
    """What was handed to a grader is no task, or of a kind that it does not know."""


class ScriptError(AzrError):
    """A scripted engine has no answer for a prompt."""


class BenchmarkError(AzrError):
    """A benchmark's rows cannot be had, are not what they should be, or an evaluation cannot go on."""
