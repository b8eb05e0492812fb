"""Wrong versions of other trainers get one line that says which is wanted."""

import asyncio
from importlib import metadata

import pytest
from azr.errors import GradingError
from azr.grading import trl, verl
from azr.grading.versions import SUPPORTED, fits, require, require_if_installed


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("0.4.0", True), ("0.4", True), ("0.4.7.dev3", True), ("0.4.1+cpu", True), ("0.4.0rc1", True), ("0.3.9", False),
        ("0.5", False), ("0.5.0", False), ("1.0", False), ("0.40", False), ("nonsense", False),
    ],
)  # fmt: skip
def test_versions_within_the_range(version: str, good: bool) -> None:
    assert fits("verifiers", version) is good


@pytest.mark.parametrize("package", SUPPORTED)
def test_a_wrong_version_says_which_is_wanted(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = SUPPORTED[package].requirement
    monkeypatch.setattr(metadata, "version", lambda name: "0.0.1")
    with pytest.raises(GradingError) as found:
        require(package)
    assert str(found.value) == f"this adapter needs {wanted}, and 0.0.1 is installed: pip install '{wanted}'"


@pytest.mark.parametrize("package", ["trl", "verl"])
def test_a_reward_refuses_the_wrong_version_of_its_trainer(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require_if_installed.cache_clear()
    monkeypatch.setattr(metadata, "version", lambda name: "0.0.1")
    with pytest.raises(GradingError, match=f"needs {package}>="):
        if package == "trl":
            trl.azr_reward(completions=[], task=[])
        else:
            asyncio.run(verl.compute_score("azr", "", ""))
    require_if_installed.cache_clear()


def test_a_missing_package_says_which_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", gone)
    with pytest.raises(GradingError, match=r"needs verifiers>=0\.4\.0,<0\.5, and it is not installed: pip install"):
        require("verifiers")
