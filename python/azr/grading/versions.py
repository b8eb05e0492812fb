"""Which versions of other trainers the adapters are for. `make adapters` tests the ends of each range."""

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Final

from azr.errors import GradingError


@dataclass(frozen=True, slots=True)
class Supported:
    """A package, and its versions from `least` up to below `below`."""

    package: str
    least: str
    below: str

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.package}>={self.least},<{self.below}"


SUPPORTED: Final = {
    one.package: one
    for one in (
        Supported("verifiers", "0.4.0", "0.5"),
        Supported("verl", "0.9.0", "0.10"),
        Supported("trl", "1.0.0", "2"),
        Supported("openenv", "0.10.0", "0.11"),
    )
}


def require(package: str) -> None:
    """Check that a trainer's package is there, in a version that the adapter is for.

    Raises:
        GradingError: it is not; names the version that is wanted.
    """
    wanted = SUPPORTED[package].requirement
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        raise GradingError(f"this adapter needs {wanted}, and it is not installed: pip install '{wanted}'") from None
    if not fits(package, found):
        raise GradingError(f"this adapter needs {wanted}, and {found} is installed: pip install '{wanted}'")


@cache
def require_if_installed(package: str) -> None:
    """Refuse a version of a trainer's package that the adapter is not for; one that is not installed is not asked for.

    Raises:
        GradingError: names the version that is wanted.
    """
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return
    require(package)


def fits(package: str, version: str) -> bool:
    """Whether a version is within the range."""
    one = SUPPORTED[package]
    return _numbers(one.least) <= _numbers(version) < _numbers(one.below)


def _numbers(version: str) -> tuple[int, ...]:
    """The release's numbers; what follows them, as in 1.2rc1 or 1.2+cpu, does not count."""
    found: list[int] = []
    for part in version.split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)
