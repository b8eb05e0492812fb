"""A prompt whose Python runs in the sandbox: `azr sandbox repl`."""

import code
import sys
from collections.abc import Callable

from azr.errors import SandboxError
from azr.sandbox.client import Outcome, OutcomeKind
from azr.sandbox.session import Session

BANNER = "Python in the azr sandbox. Ctrl-D leaves, Ctrl-C stops what runs."


class Repl(code.InteractiveConsole):
    """The console of the standard library, whose statements run in a session and nowhere else."""

    def __init__(self, session: Session, write: Callable[[str], object] | None = None) -> None:
        super().__init__(filename="<program>")
        self._session = session
        self._write = write or sys.stdout.write

    def runsource(self, source: str, filename: str = "<input>", symbol: str = "single") -> bool:
        """Run what was typed, unless more must follow: of that the compiler here is asked, and of nothing else."""
        try:
            if self.compile(source, filename, symbol) is None:
                return True
        except (SyntaxError, ValueError, OverflowError):
            # The sandbox's Python says what is wrong, if that is wrong there.
            pass
        try:
            outcome = self._session.run(source, mode="prompt", on_output=lambda _, text: self._write(text))
        except SandboxError as error:
            self._write(f"{error}\n")
        except KeyboardInterrupt:
            self._write("KeyboardInterrupt\n")
        else:
            self._say(outcome)
        return False

    def _say(self, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.RETURNED:
            return
        if outcome.exception == "SystemExit":
            raise SystemExit
        for line, function in outcome.traceback:
            self._write(f"  line {line}, in {function}\n")
        what = outcome.exception or outcome.kind.value.replace("_", " ")
        self._write(f"{what}: {outcome.message}\n" if outcome.message else f"{what}\n")
