"""TRL: a Python tool for the model while it answers a task, for trainers that take an `environment_factory`.

    GRPOTrainer(..., reward_funcs=[azr.grading.trl.azr_reward], environment_factory=PythonEnvironment)

The reward is the reward function's alone: running earns nothing. `functools.partial(PythonEnvironment, fuel=...)` sets
limits, and can be pickled, as TRL's asynchronous trainer needs. Domains are named in `AZR_DOMAINS`.
"""

from typing import Any, Final

from azr.config.schema import SandboxConfig
from azr.grading.shared import named_domains, shared
from azr.sandbox import Limits, Outcome, OutcomeKind
from azr.sandbox.session import Session
from azr.util.sanitize import visible

FUEL: Final = 4 * SandboxConfig().fuel
"""Of all programs of an episode: four that take all that one may."""
SHOWN: Final = 4_000
"""Characters of what a program came to that the model sees."""


class PythonEnvironment:
    """One conversation at a time: a session of the sandbox, which each episode begins afresh.

    TRL takes every public method for a tool, and describes it to the model by its docstring. Where the sandbox itself
    fails, the tool raises: TRL tells the model, and counts it among the tool's failures.
    """

    def __init__(self, *, limits: Limits | None = None, fuel: int = FUEL, shown: int = SHOWN) -> None:
        """`limits`: of each program, the grader's by default; `fuel`: of all programs of an episode."""
        self._limits = limits
        self._fuel = fuel
        self._shown = shown
        self._session: Session | None = None

    def reset(self, **row: Any) -> None:
        """Begin an episode. The row holds the answer, so nothing of it is kept or shown."""
        self._session = None

    def run_python(self, program: str) -> str:
        """Run Python in a sandbox. Variables stay from call to call. There are no files and no network.

        Args:
            program: The program. The value of its last expression is shown after what it prints.

        Returns:
            What it printed, its value, and how it ended where it did not end well.
        """
        if self._session is None:
            self._session = Session(shared(named_domains()).sandbox, limits=self._limits, fuel=self._fuel)
        return visible(_told(self._session.run(program)), self._shown)


def _told(outcome: Outcome) -> str:
    """A program's outcome as text, never empty."""
    told = [outcome.stdout, outcome.stderr]
    if outcome.value is not None and outcome.value.repr != "None":
        told.append(outcome.value.repr)
    if outcome.kind is not OutcomeKind.RETURNED:
        told += [f"line {line}, in {function}" for line, function in outcome.traceback]
        told.append(": ".join(part for part in (outcome.exception or str(outcome.kind), outcome.message) if part))
    return "\n".join(part.removesuffix("\n") for part in told if part) or "It printed nothing."
