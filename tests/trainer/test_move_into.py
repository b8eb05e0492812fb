"""A model's weights can live in storage that somebody else reads, such as the engine's process."""

import pytest
import torch
from azr.trainer.model import move_into

pytestmark = pytest.mark.torch


def test_an_update_of_a_moved_model_is_seen_in_its_storage() -> None:
    model = torch.nn.Linear(2, 2)
    storage = {"weight": model.weight.detach().clone(), "lm_head.weight": torch.zeros(1)}
    before = storage["weight"].clone()
    move_into(model, storage)
    with torch.no_grad():
        model.weight += 1.0
    assert torch.equal(storage["weight"], before + 1.0)
    assert model.bias.data_ptr() != storage["lm_head.weight"].data_ptr()
