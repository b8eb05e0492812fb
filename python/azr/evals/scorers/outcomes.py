"""Maps outcomes in the sandbox to reasons: which are limitations of the sandbox, and which say the program is wrong."""

import re
import sys
from typing import TYPE_CHECKING

from azr.evals.scorers.base import Reason, Verdict, wrong

if TYPE_CHECKING:
    from azr.sandbox import Outcome

_MODULE = re.compile(r"No module named '([\w.]+)'|cannot import name '(\w+)' from '([\w.]+)'")
_ATTRIBUTE = re.compile(r"module '([\w.]+)' has no attribute '(\w+)'")
# Messages of the guest for what needs a host (see LIMITATIONS.md).
_HOST = re.compile(
    r"No such file or directory|Read-only file system|isn't supported on your platform|not supported on this platform"
    r"|unsupported on this platform|needs a host|fileno\(\) not supported|^fileno$"
)
_HOST_ERRORS = ("UnsupportedOperation", "OSError", "FileNotFoundError", "NotImplementedError")


def unsupported(outcome: "Outcome") -> str:
    """What the sandbox lacks for this program; empty if nothing known."""
    from azr.sandbox import OutcomeKind

    if outcome.kind is OutcomeKind.CRASHED:
        return "the guest crashed"
    if outcome.kind is OutcomeKind.STACK_OVERFLOW:
        return "the guest's stack ended"
    if outcome.kind is not OutcomeKind.RAISED:
        return ""
    message = outcome.message or ""
    if outcome.exception in ("ModuleNotFoundError", "ImportError"):
        return _import(message)
    if outcome.exception == "AttributeError" and (found := _ATTRIBUTE.search(message)):
        return f"{found[1]}.{found[2]}" if found[1].split(".")[0] in sys.stdlib_module_names else ""
    if outcome.exception in _HOST_ERRORS and _HOST.search(message):
        return "files or processes"
    return ""


def _import(message: str) -> str:
    found = _MODULE.search(message)
    if found is None:
        return f"import ({message[:60]})"
    return f"import {found[1]}" if found[1] else f"import {found[3]}.{found[2]}"


def failed(outcome: "Outcome") -> Verdict:
    """The verdict on a program that did not return."""
    from azr.sandbox import OutcomeKind

    lacking = unsupported(outcome)
    if lacking:
        return wrong(Reason.UNSUPPORTED, lacking)
    if outcome.kind is OutcomeKind.RAISED:
        return _raised(outcome)
    reasons = {
        OutcomeKind.SYNTAX_ERROR: Reason.SYNTAX_ERROR,
        OutcomeKind.INVALID_INPUT: Reason.SYNTAX_ERROR,
        OutcomeKind.OUT_OF_FUEL: Reason.OUT_OF_FUEL,
        OutcomeKind.OUT_OF_MEMORY: Reason.OUT_OF_MEMORY,
        OutcomeKind.OUTPUT_TOO_LONG: Reason.OUTPUT_TOO_LONG,
        OutcomeKind.NOT_A_TASK_VALUE: Reason.NOT_PLAIN_DATA,
        OutcomeKind.SANDBOX_FAILED: Reason.SANDBOX_FAILED,
    }
    limit = f"limit {outcome.limit:,}" if outcome.limit is not None else ""
    return wrong(reasons[outcome.kind], (outcome.message or limit)[:200])


def failed_by(name: str, message: str) -> Verdict:
    """The verdict on a program that raised an exception of a class of this name."""
    from azr.sandbox import Outcome, OutcomeKind

    return failed(Outcome(kind=OutcomeKind.RAISED, exception=name, message=message))


def _raised(outcome: "Outcome") -> Verdict:
    name, message = outcome.exception or "", (outcome.message or "")[:200]
    special = {
        "AssertionError": Reason.WRONG,
        "SyntaxError": Reason.SYNTAX_ERROR,
        "IndentationError": Reason.SYNTAX_ERROR,
        "MemoryError": Reason.OUT_OF_MEMORY,
    }
    if name == "NoFunction":  # raised by the programs around the answers, see `harness`
        return wrong(Reason.NO_FUNCTION, message)
    return wrong(special.get(name, Reason.RAISED), f"{name}: {message}".rstrip(": "))
