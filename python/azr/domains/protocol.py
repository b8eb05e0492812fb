"""The protocol of a domain's own kinds: the kind protocol (`azr.tasks.base`) and two prompts."""

from typing import ClassVar, Protocol, runtime_checkable

from azr.tasks.base import TaskForm


class NewKind(TaskForm, Protocol):
    """A kind that only a domain knows. Its class is called with the run's `KindOptions`."""

    propose_text: ClassVar[str]
    """Prompt that asks for a task, a `string.Template` with the slots of `propose_slots` and `$references`."""
    solve_text: ClassVar[str]
    """Prompt that asks for an answer, with the slots of `solve_slots`."""


@runtime_checkable
class OwnBlocks(Protocol):
    """A kind that reads blocks of its own."""

    tags: ClassVar[tuple[str, ...]]
    """Their tags, besides those of plain kinds."""
