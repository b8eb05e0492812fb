"""From a completion of a solve prompt to the answer's text: the only place that reads it."""

from collections.abc import Mapping

from azr.tasks.base import TaskKind
from azr.tasks.common import unreadable
from azr.tasks.templates import Reading, Template
from azr.types import Kind, Role, Unparsed


def read_answer(template: Template, kinds: Mapping[Kind, TaskKind], kind: Kind, text: str) -> Reading:
    """The text of the answer block, or why it cannot be read, and whether the format is right."""
    if flaw := unreadable(text):
        return Reading(Unparsed(flaw=flaw), formatted=False)
    reading = template.read(text, Role.SOLVE, kind)
    if isinstance(reading.answer, Unparsed):
        return reading
    blocks = template.syntax.split(reading.answer)
    answer = blocks if isinstance(blocks, Unparsed) else kinds[kind].parse_answer(blocks)
    return Reading(answer, reading.formatted)
