"""Programs that wrap answers and tests for the sandbox.

An answer runs in an interpreter that holds only itself and the arguments of one call; its result comes back as plain
data. The tests run in another interpreter, where no answer ever ran (`azr.evals.guest.runner`). So an answer has no
tests to read, replace or skip: whatever it does to its own interpreter, it can only return data.
"""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from azr.evals.guest import modules

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

LIMIT_BYTES = 16 << 20
"""Maximum size of a program with its tests, the sandbox's maximum: some inputs are megabytes long."""

CANDIDATE = """
f, g = __import__("sys").modules["azr.evals.guest.candidate"].load(%(answer)s)
"""

RUNNER = """
f = __import__("sys").modules["azr.evals.guest.runner"].Tests(%(before)s, %(tests)s, %(names)s).run
"""

METHOD = """
f = __import__("sys").modules["azr.evals.guest.contest"].method(%(answer)s, %(name)r)
"""

SCRIPT = """
__import__("sys").modules["azr.evals.guest.contest"].script(%(answer)s, %(stdin)s)
"""

_WITH_MODULES: "WeakKeyDictionary[Sandbox, Sandbox]" = WeakKeyDictionary()


def sandbox_of(sandbox: "Sandbox") -> "Sandbox":
    """The sandbox with the graders' modules; made once for each sandbox."""
    made = _WITH_MODULES.get(sandbox)
    if made is None:
        made = _WITH_MODULES[sandbox] = sandbox.with_modules(modules())
    return made


def candidate_program(answer: str) -> str:
    """A program whose `f(name, args, keywords)` calls a function of the answer and gives result and arguments.

    `g(name, codes, items, keywords)` does the same for what is no plain data, see `azr.evals.guest.candidate`.
    """
    return CANDIDATE % {"answer": repr(answer)}


def runner_program(before: str, tests: str, names: list[str]) -> str:
    """A program whose `f(known, guess)` runs the tests, see `azr.evals.guest.runner`."""
    return RUNNER % {"before": repr(before), "tests": repr(tests), "names": repr(names)}


def method_program(answer: str, name: str) -> str:
    """A program whose `f(*args)` is the method of the answer's class Solution."""
    return METHOD % {"answer": repr(answer), "name": name}


def script_program(answer: str, stdin: str) -> str:
    """A script that runs the answer on a standard input."""
    return SCRIPT % {"answer": repr(answer), "stdin": repr(stdin)}
