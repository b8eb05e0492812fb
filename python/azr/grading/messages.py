"""Completions in the forms that trainers use."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from azr.errors import GradingError
from azr.types import Answer


def text_of(completion: Any) -> str:
    """The text of a completion: a string, or the last assistant message of a list of messages.

    Raises:
        GradingError: it is neither.
    """
    if isinstance(completion, str):
        return completion
    if isinstance(completion, list | tuple):
        for message in reversed(completion):
            role, content = _field(message, "role"), _field(message, "content")
            if role == "assistant":
                return _content(content)
        return ""
    raise GradingError(f"a completion is a text or a list of messages, not {type(completion).__name__}")


def scores(answers: Sequence[Answer]) -> list[float]:
    """The scores, 0 where there is no verdict; a warning has their number."""
    failed = [answer for answer in answers if answer.failed]
    if failed:
        warnings.warn(f"{len(failed)} of {len(answers)} answers have no verdict: {failed[0].error}", stacklevel=3)
    return [0.0 if answer.failed else answer.score for answer in answers]


def _field(message: Any, name: str) -> Any:
    return message.get(name) if isinstance(message, Mapping) else getattr(message, name, None)


def _content(content: Any) -> str:
    """A message's text; of parts, all that are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list | tuple):
        return "".join(str(_field(part, "text") or "") for part in content)
    return ""
