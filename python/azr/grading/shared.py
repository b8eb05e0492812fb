"""One grader for each process and set of domains: a sandbox does not survive a fork, and trainers fork."""

import os
import threading
from collections.abc import Sequence

from azr.grading.asynchronous import AsyncGrader
from azr.grading.grader import Grader

DOMAINS = "AZR_DOMAINS"
"""Environment variable that names domains, for trainers that take no more than a function's name."""

_graders: dict[tuple[int, tuple[str, ...]], AsyncGrader] = {}
_lock = threading.Lock()


def named_domains() -> list[str]:
    """The domains that the environment names."""
    return [name for name in os.environ.get(DOMAINS, "").split(os.pathsep) if name]


def shared(domains: Sequence[str] = ()) -> Grader:
    """The process's grader for these domains, folders or names of installed ones."""
    return shared_async(domains).grader


def shared_async(domains: Sequence[str] = ()) -> AsyncGrader:
    """The same, for event loops: what they ask at one time is graded together."""
    process, key = os.getpid(), tuple(domains)
    with _lock:
        for other in [known for known in _graders if known[0] != process]:
            del _graders[other]  # of the process that this one is a fork of
        if (process, key) not in _graders:
            _graders[process, key] = AsyncGrader(Grader(domains=key))
        return _graders[process, key]
