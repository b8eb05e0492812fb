"""CPU time of a measurement."""

import resource


def cpu_seconds() -> float:
    """User and system time of this process, all threads, and of its children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
