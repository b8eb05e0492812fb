"""Every piece, loss input and advantage input that a trainer test makes has its documented shape."""

import pytest
from azr.trainer.advantages.base import AdvantageInputs
from azr.trainer.losses.base import LossInputs
from azr.trainer.packing import Layout, MicroBatch
from shapes import checking


@pytest.fixture(autouse=True)
def shapes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (AdvantageInputs, Layout, LossInputs, MicroBatch):
        monkeypatch.setattr(kind, "__init__", checking(kind.__init__))
