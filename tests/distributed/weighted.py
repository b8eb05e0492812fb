"""An engine for the embedded model with weights of its own, as vLLM has: it can sample while the trainer's change."""

import copy
from typing import TYPE_CHECKING

import torch
from azr.config import Config
from azr.rollouts import Tokenizer
from azr.rollouts.transformers import TransformersEngine

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Weighted(TransformersEngine):
    """Copies the trainer's weights where `transformers` shares them."""

    own: "PreTrainedModel | None" = None

    def load(self, model: "PreTrainedModel | None") -> None:
        assert model is not None
        if self.own is None:
            self.own = copy.deepcopy(model)
        with torch.no_grad():
            for mine, theirs in zip(self.own.parameters(), model.parameters(), strict=True):
                mine.copy_(theirs)
        super().load(self.own)


def make(tokenizer: Tokenizer, config: Config) -> Weighted:
    return Weighted(tokenizer, config.engine.batch)
