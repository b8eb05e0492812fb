"""Static filter before execution: length, entry function, number of definitions, imports.

Imports are read from the syntax tree, in the sandbox. A ban on `os.path` covers `import os.path`, `import os.path.x`,
`from os import path` and `from os.path import join`, but not `import os`; a word inside a string, a comment or another
name bans nothing.

Programs are parsed with the guest's grammar, so the result does not depend on the trainer's Python version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azr import _azr
from azr.tasks.source import ENTRY
from azr.types import Reason
from azr.util.text import is_text

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFilter:
    """Requirements on a proposed program."""

    banned: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    """If not empty, every import must lie at or below one of these."""
    several_definitions: bool = True
    max_chars: int = 16_384

    def check(self, sandbox: "Sandbox", programs: Sequence[str]) -> list[Reason | None]:
        """The reason for rejection of each program, or None."""
        from azr.sandbox import Failed, SyntaxProblem

        # A text that is too long or not Unicode is not parsed.
        readable = [row for row, program in enumerate(programs) if len(program) <= self.max_chars and is_text(program)]
        texts = [programs[row] for row in readable]
        imports = dict(zip(readable, sandbox.imports(texts), strict=True))
        shapes = dict(zip(readable, _azr.shapes(texts, ENTRY), strict=True))
        verdicts: list[Reason | None] = []
        for row, program in enumerate(programs):
            found, shape = imports.get(row), shapes.get(row)
            if len(program) > self.max_chars:
                verdicts.append(Reason.TOO_LONG)
            elif isinstance(found, Failed):
                verdicts.append(Reason.SANDBOX_FAILED)
            elif found is None or shape is None or isinstance(found, SyntaxProblem):
                verdicts.append(Reason.SYNTAX_ERROR)
            elif not all(self._permits(name) for name in found.names):
                verdicts.append(Reason.FORBIDDEN_IMPORT)
            else:
                verdicts.append(self._shape(*shape))
        return verdicts

    def _permits(self, name: str) -> bool:
        if any(_covers(ban, name) for ban in self.banned):
            return False
        return not self.allowed or any(_covers(module, name) for module in self.allowed)

    def _shape(self, entry: bool, definitions: int) -> Reason | None:
        if not entry:
            return Reason.NO_ENTRY
        if not self.several_definitions and definitions > 1:
            return Reason.SEVERAL_DEFINITIONS
        return None


def _covers(rule: str, name: str) -> bool:
    return name == rule or name.startswith(rule + ".")
