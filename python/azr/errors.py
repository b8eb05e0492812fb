"""Errors of azr, one class per boundary.

The outcome of a model's program is never an error; it is a value (`azr.sandbox.client.Outcome`, `azr.types.Rejected`).
An `AzrError` means that azr, its configuration or its environment failed. The command line prints its text without a
traceback and exits with `exit_code`.
"""


class AzrError(Exception):
    """Base class of all errors of azr."""

    exit_code = 1


class ConfigError(AzrError):
    """Invalid configuration: names the key, the value and what is allowed."""

    exit_code = 2


class ModelError(AzrError):
    """A model or tokenizer cannot be found, loaded or used."""


class EngineError(AzrError):
    """A rollout engine failed or violated its contract; never rewarded."""


class SandboxError(AzrError):
    """The sandbox itself failed. It says nothing about any program, so nothing may be rewarded.

    `code` says how: wall_clock, cancelled, forked, bad_guest, bad_module, bad_package, guest_contract,
    bad_limit, host, runtime.
    """

    def __init__(self, message: str, code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class RunError(AzrError):
    """A run folder cannot be used: locked, not a run, damaged, full or read-only."""


class BufferError(RunError):
    """A task buffer cannot be opened, read or written. Its files are unchanged.

    `code` says how: in_use, missing, foreign, newer, damaged, lost, no_such_position, no_such_task, read_only, io, ...
    """

    def __init__(self, message: str, code: str = "other") -> None:
        super().__init__(message)
        self.code = code


class CheckpointError(RunError):
    """A checkpoint cannot be written or read; the last good one is unchanged."""


class TraceError(RunError):
    """A trace cannot be read or written, or is damaged; names the file and the position."""


class OversightError(AzrError):
    """A monitor, hook or sink failed, or left nothing to train on; names it."""


class HangError(AzrError):
    """A phase exceeded its time limit; names the phase and the file with the stack traces."""

    exit_code = 75


class RankError(AzrError):
    """A rank died, or the ranks desynchronised; the last checkpoint is unchanged."""

    exit_code = 3


class RegistryError(ConfigError):
    """A named part (reward, advantage, loss, engine) does not exist or has the wrong signature."""


class DomainError(ConfigError):
    """A domain cannot be found or used: names the domain, the key and what is allowed."""


class GradingError(AzrError):
    """The input of a grader is not a task, or of an unknown kind."""


class BenchmarkError(AzrError):
    """A benchmark's rows cannot be fetched or are invalid, or an evaluation cannot continue."""
