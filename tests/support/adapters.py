"""Tests with other trainers' own packages: `make adapters` makes the environments in which they run."""

from importlib import metadata

import pytest
from azr.grading.versions import SUPPORTED, fits


def needs(package: str) -> str:
    """Skip the file where the package is not installed in a version that the adapter is for; else that version."""
    if why := _missing(package):
        pytest.skip(why, allow_module_level=True)
    return metadata.version(package)


def installed(package: str) -> str:
    """The same for one test."""
    if why := _missing(package):
        pytest.skip(why)
    return metadata.version(package)


def _missing(package: str) -> str:
    wanted = SUPPORTED[package].requirement
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"needs {wanted}: `make adapters` runs it"
    return "" if fits(package, found) else f"needs {wanted}, and {found} is installed: `make adapters` runs it"
