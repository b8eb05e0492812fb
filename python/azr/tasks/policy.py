"""Which programs are looked at at all: length, entry function, number of definitions, imports.

Imports are read from the syntax tree, in the sandbox. A ban on `os.path` covers `import os.path`, `import os.path.x`,
`from os import path` and `from os.path import join`, but not `import os`; a word inside a string, a comment or another
name bans nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azr.tasks import source
from azr.types import Reason

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a proposed program may be."""

    banned: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """If not empty, every import must lie at or below one of these."""
    several_definitions: bool = True
    max_chars: int = 16_384

    def judge(self, sandbox: "Sandbox", programs: Sequence[str]) -> list[Reason | None]:
        """Why each program is refused before it is run, or None."""
        from azr.sandbox import SyntaxProblem

        verdicts: list[Reason | None] = []
        for program, found in zip(programs, sandbox.imports(programs), strict=True):
            if len(program) > self.max_chars:
                verdicts.append(Reason.TOO_LONG)
            elif isinstance(found, SyntaxProblem):
                verdicts.append(Reason.SYNTAX_ERROR)
            elif not all(self._permits(name) for name in found.names):
                verdicts.append(Reason.FORBIDDEN_IMPORT)
            else:
                verdicts.append(self._shape(program))
        return verdicts

    def _permits(self, name: str) -> bool:
        if any(_covers(ban, name) for ban in self.banned):
            return False
        return not self.allowed or any(_covers(module, name) for module in self.allowed)

    def _shape(self, program: str) -> Reason | None:
        tree = source.parse(program)
        if tree is None:
            return Reason.SYNTAX_ERROR
        if not source.has_entry(tree):
            return Reason.NO_ENTRY
        if not self.several_definitions and source.count_definitions(tree) > 1:
            return Reason.SEVERAL_DEFINITIONS
        return None


def _covers(rule: str, name: str) -> bool:
    return name == rule or name.startswith(rule + ".")
