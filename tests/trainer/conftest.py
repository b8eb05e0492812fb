"""Every micro-batch, loss input and advantage input that a trainer test makes has its documented shape."""

import pytest
from azr.trainer.advantages.base import AdvantageInputs
from shapes import checking


@pytest.fixture(autouse=True)
def shapes_are_checked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[type] = [AdvantageInputs]
    # Quick tests have no torch.
    if request.node.get_closest_marker("torch"):
        from azr.trainer.losses.base import LossInputs
        from azr.trainer.packing import Layout, MicroBatch

        kinds += [Layout, LossInputs, MicroBatch]
    for kind in kinds:
        monkeypatch.setattr(kind, "__init__", checking(kind.__init__))  # type: ignore[misc]
