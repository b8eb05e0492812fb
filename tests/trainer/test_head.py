"""The chunked head equals the one that has all logits in memory."""

import pytest
import torch
from azr.trainer import head
from azr.trainer.head import log_probs_and_entropy
from torch import Tensor

pytestmark = pytest.mark.torch


def whole(hidden: Tensor, weight: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    table = (hidden @ weight.t() / temperature).log_softmax(-1)
    return table.gather(-1, targets[:, None]).squeeze(1), -(table.exp() * table).sum(-1)


@pytest.mark.parametrize("chunk", [1, 500, 1 << 24])
def test_values_and_gradients_do_not_depend_on_the_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(head.CHUNK, "cpu", chunk)
    torch.manual_seed(0)
    hidden = torch.randn(23, 12, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(101, 12, dtype=torch.float64, requires_grad=True)
    targets, slopes = torch.randint(0, 101, (23,)), torch.randn(2, 23, dtype=torch.float64)
    results = []
    for function in (whole, log_probs_and_entropy):
        values = function(hidden, weight, targets, 0.7)
        (values[0] @ slopes[0] + values[1] @ slopes[1]).backward()  # type: ignore[no-untyped-call]
        results.append([*values, hidden.grad, weight.grad])
        hidden.grad = weight.grad = None
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_only_the_head_in_full_precision_is_closer_to_the_truth_than_bfloat16() -> None:
    torch.manual_seed(0)
    hidden, weight = torch.randn(64, 32).bfloat16(), torch.randn(300, 32).bfloat16()
    targets = torch.randint(0, 300, (64,))
    truth = whole(hidden.double(), weight.double(), targets, 1.0)[0]
    found = [log_probs_and_entropy(hidden, weight, targets, 1.0, product)[0] for product in (None, torch.float32)]
    errors = [(values - truth).abs().max() for values in found]
    assert errors[1] < 1e-4 < errors[0]


def test_temperature_zero_counts_as_one() -> None:
    hidden, weight, targets = torch.randn(4, 8), torch.randn(20, 8), torch.tensor([0, 3, 7, 19])
    torch.testing.assert_close(
        log_probs_and_entropy(hidden, weight, targets, 0.0), log_probs_and_entropy(hidden, weight, targets, 1.0)
    )
