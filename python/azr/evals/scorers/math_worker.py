"""Compares answers to mathematics: pairs as JSON lines in, verdicts out. Run by `math_process`, in its own process.

Its bounds are of processor time and memory, not of the clock: a busy machine changes no verdict.
"""

import json
import logging
import resource
import signal
import sys
from typing import Any

from azr.evals.scorers.math_compare import same
from azr.evals.scorers.math_text import candidates

HARD = 2
"""So many times its bound, and the system ends the process: for computations that no signal interrupts."""
MEMORY = 4 << 30
LONGEST = 4_000
"""Characters of an answer that is read; a longer one is only the gold answer if it is that very text."""


class OutOfTime(BaseException):
    """Not an Exception: the library catches those."""


def main(seconds: int) -> None:
    """Serve until the input ends; `seconds` of the processor for one pair."""
    import math_verify  # noqa: F401  # so that a missing library is seen before "ready"

    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    signal.signal(signal.SIGVTALRM, _stop)
    _say("ready")
    for line in sys.stdin:
        gold, answer = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(
            resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + HARD * seconds, resource.RLIM_INFINITY)
        )
        _say(json.dumps(_compare(gold, answer, seconds)))


def _compare(gold: str, answer: str, seconds: int) -> dict[str, Any]:
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        return {"same": same_answer(gold, answer), "problem": None}
    except OutOfTime:
        return {"same": False, "problem": "the comparison came to no end"}
    except MemoryError:
        return {"same": False, "problem": "the comparison took too much memory"}
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)


def same_answer(gold: str, answer: str) -> bool:
    """Whether any reading of the answer is the gold answer in the corresponding reading."""
    if max(len(gold), len(answer)) > LONGEST:
        return gold.strip() == answer.strip()
    for of_gold, of_answer in candidates(gold, answer):
        if of_gold == of_answer:
            return True
        left, right = _parse(of_gold), _parse(of_answer)
        if left and right and same(left, right):
            return True
    return False


def _parse(text: str) -> list[Any]:
    from math_verify import LatexExtractionConfig, parse

    # Only the LaTeX grammar: the library's other way to read a text hands it to sympy's parser of Python expressions.
    return [_imaginary(found) for found in parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=None)]


def _imaginary(found: Any) -> Any:
    """`i` is the imaginary unit in an answer without any other letter; the library reads it as a variable."""
    from sympy import I

    letters: set[Any] = getattr(found, "free_symbols", set())
    return found.xreplace(dict.fromkeys(letters, I)) if {str(letter) for letter in letters} == {"i"} else found


def _stop(number: int, frame: object) -> None:
    raise OutOfTime


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
