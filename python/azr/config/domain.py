"""`domain.toml`: the description of a domain. Files are named relative to its folder.

Everything except `new_kinds` is data or guest code; none of it runs on the host.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from azr.config.base import Fraction, Section
from azr.types import Role

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Module = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
GuestName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*:[A-Za-z_][A-Za-z0-9_]*$")]
PlainKind = Literal["deduction", "abduction", "induction", "error"]

PYTHON = "python"
"""Name of the domain that is always there: plain Python."""
ALL = "all"


class PromptAdditions(Section):
    """Text put before the task in worded templates (`think`, `chat`), by role."""

    propose: str = ""
    solve: str = ""

    def of(self, role: Role) -> str:
        """The text for one role."""
        return self.propose if role is Role.PROPOSE else self.solve


class VerifierSection(Section):
    """Python that runs in the guest: `verify(task, answer)` gives a score in [0, 1]."""

    file: str
    kinds: tuple[Name, ...] = ()
    """Kinds whose answers it scores; empty: all of the domain's."""


class QualitySection(Section):
    """Python that runs in the guest: `quality(task)` gives a score in [0, 1], for the reward term `quality`."""

    file: str
    minimum: Fraction = 0.0
    """A proposal with a lower score is rejected."""


class TypeSection(Section):
    """A class of a guest module whose instances programs may return."""

    type: GuestName
    """`module:Class`."""
    encode: GuestName
    """`module:function` from an instance to plain data. Equal instances must give equal data."""


class DomainFile(Section):
    """A whole domain."""

    name: Name
    description: str = ""
    kinds: tuple[PlainKind, ...] = ()
    """Plain kinds whose programs use the domain's modules."""
    new_kinds: dict[Name, str] = Field(default_factory=dict)
    """Kinds of its own: name -> `file.py:Class` in the folder, or `module:Class`. Runs on the host: it is your code."""
    modules: dict[Module, str] = Field(default_factory=dict)
    """Modules that programs may import: name -> file. They exist only in the guest."""
    allowed_imports: tuple[str, ...] | None = None
    """Other modules that programs may import; left out: the run's config decides."""
    types: dict[Module, TypeSection] = Field(default_factory=dict)
    prompts: dict[Name, PromptAdditions] = Field(default_factory=dict)
    """By kind; `all` for every one."""
    seeds: str = ""
    """JSONL of seed tasks: kind, program, inputs, message."""
    heldout: str = ""
    """JSONL of tasks for the probe, never trained on."""
    verifier: VerifierSection | None = None
    quality: QualitySection | None = None

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name == PYTHON:
            raise ValueError("'python' is the name of plain Python")
        return name

    @model_validator(mode="after")
    def _agree(self) -> "DomainFile":
        names = self.kind_names
        if not names:
            raise ValueError("kinds and new_kinds: at least one kind between them")
        if len(set(names)) != len(names):
            raise ValueError(f"kinds and new_kinds: each name once, not {', '.join(names)}")
        for where, named in (("prompts", set(self.prompts) - {ALL}), ("verifier.kinds", self._verified())):
            if unknown := named - set(names):
                raise ValueError(
                    f"{where}: {', '.join(sorted(unknown))} is no kind of this domain ({', '.join(names)})"
                )
        for name, given in self.types.items():
            modules = {given.type.split(":")[0], given.encode.split(":")[0]}
            if missing := modules - set(self.modules):
                raise ValueError(f"types.{name}: {', '.join(sorted(missing))} is no module of this domain")
        return self

    @property
    def kind_names(self) -> tuple[str, ...]:
        """All its kinds, plain ones first."""
        return (*self.kinds, *self.new_kinds)

    def _verified(self) -> set[str]:
        return set(self.verifier.kinds) if self.verifier else set()
