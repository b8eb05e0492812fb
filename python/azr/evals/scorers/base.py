"""The scorer interface: verdicts and tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from azr.evals.benchmarks.base import Item

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


class Reason(StrEnum):
    """Why an answer scored as it did."""

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    """The completion has no readable answer."""
    NO_FUNCTION = "no_function"
    """The program does not define what the tests call."""
    RAISED = "raised"
    SYNTAX_ERROR = "syntax_error"
    FOREIGN_RESULT = "foreign_result"
    """Its result, or what the tests inspect, is not plain data: an instance of its own class, a function. Such an
    object controls its own comparisons, so it never reaches the tests."""
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_TOO_LONG = "output_too_long"
    NOT_PLAIN_DATA = "not_plain_data"
    UNSUPPORTED = "unsupported"
    """The sandbox cannot run it: a third-party import, or a known difference from CPython. Correctness is unknown."""
    SANDBOX_FAILED = "sandbox_failed"
    """The sandbox failed on it twice. Correctness is unknown."""
    TIMEOUT = "timeout"
    """The mathematics library did not finish, or took too much memory."""
    PROMPT_TOO_LONG = "prompt_too_long"
    """The prompt does not fit the model's context: it was never sampled."""


APART = frozenset(
    {Reason.UNSUPPORTED, Reason.SANDBOX_FAILED, Reason.TIMEOUT, Reason.PROMPT_TOO_LONG, Reason.FOREIGN_RESULT}
)
"""Neither right nor wrong: scored 0 like wrong answers, but counted and listed separately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer's score, 0 or 1."""

    score: float
    reason: Reason
    detail: str = ""


CORRECT = Verdict(score=1.0, reason=Reason.CORRECT)


def wrong(reason: Reason = Reason.WRONG, detail: str = "") -> Verdict:
    """A verdict with score 0."""
    return Verdict(score=0.0, reason=reason, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Shared by scorers."""

    sandbox: "Sandbox"
    fuel: int = 0
    """Of one test; 0: the scorer's own."""


class Scorer(Protocol):
    """Reads the answer from a text, and scores answers."""

    def __init__(self, tools: Tools) -> None: ...

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        """The answer in what the model wrote, None if there is none.

        Args:
            text: the completion, or the part of it that the template marks as the answer.
            stops: of a plain continuation: what ends the answer. None: the text is a conversation's reply.
        """
        ...

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        """One verdict for each answer, in order.

        Raises:
            AzrError: the means failed; no verdict follows.
        """
        ...


def until(text: str, stops: Sequence[str]) -> str:
    """The text up to the first of the stops."""
    ends = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(ends)] if ends else text
