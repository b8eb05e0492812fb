"""A sandbox that the scorers share."""

import pytest
from azr.evals.scorers import Tools
from azr.sandbox import Limits, Sandbox


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools(sandbox=Sandbox(threads=2, limits=Limits(wall_seconds=600.0)), fuel=5_000_000_000)
