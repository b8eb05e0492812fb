"""Batched sampling from a transformers model in this process.

Completions of one prompt share its prefill; rows that end leave the batch; the cache grows in place. Small Qwen2, Qwen3
and Llama models on a CPU are read by `decoder.Decoder`, everything else by the model's own forward pass.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from azr.errors import EngineError
from azr.rollouts import decoder
from azr.rollouts.base import Sampling, Tokenizer
from azr.rollouts.draw import Uniforms, draw
from azr.rollouts.model_decoder import Decoding, ModelDecoder
from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SMALLEST = 0.25
"""A chunk of one kind that fills this share of the batch is sampled by itself."""
SHRINK_BELOW = 0.75
"""The batch is cut down when fewer than this share of its rows are still being written."""


class TransformersEngine:
    """Shares the trainer's model: after `load` it samples from the weights as they are."""

    def __init__(self, tokenizer: Tokenizer, batch: int) -> None:
        """`batch`: sequences that are sampled together."""
        self.tokenizer = tokenizer
        self._batch = batch
        self._model: PreTrainedModel | None = None
        self._decoder: Decoding[Any] | None = None
        self._ends = torch.tensor(sorted(tokenizer.end_ids))

    def load(self, model: "PreTrainedModel | None") -> None:
        if model is None:
            raise EngineError("the transformers engine needs a model")
        if model is not self._model:
            fast = model.device.type == "cpu" and decoder.supports(model)
            self._model = model
            self._decoder = decoder.Decoder(model) if fast else ModelDecoder(model)
        assert self._decoder is not None
        self._decoder.refresh()

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, count: int = 1) -> list[list[Completion]]:
        if self._model is None:
            raise EngineError("sample before load: the engine has no weights")
        found: dict[int, list[Completion]] = {}
        training = self._model.training
        self._model.train(False)
        with torch.inference_mode():
            for chunk in self._chunks(prompts, count):
                found.update(self._sample_chunk(prompts, chunk, sampling, count))
        self._model.train(training)
        return [found[index] for index in range(len(prompts))]

    def _chunks(self, prompts: Sequence[Prompt], count: int) -> Iterator[list[int]]:
        """Prompts that ask for the same thing and are of like length, as many as fit the batch."""

        def likeness(index: int) -> tuple[str, str, int, int]:
            prompt = prompts[index]
            return (prompt.role, prompt.kind, len(prompt.token_ids), index)

        size = max(1, self._batch // count)
        chunk: list[int] = []
        for index in sorted(range(len(prompts)), key=likeness):
            # Another kind of prompt has another length: mixed only where a chunk would be too small to be worth it.
            other = chunk and likeness(chunk[-1])[:2] != likeness(index)[:2]
            if len(chunk) == size or (other and len(chunk) >= size * SMALLEST):
                yield chunk
                chunk = []
            chunk.append(index)
        if chunk:
            yield chunk

    def _sample_chunk(
        self, prompts: Sequence[Prompt], chunk: list[int], sampling: Sampling, count: int
    ) -> dict[int, list[Completion]]:
        assert self._model is not None and self._decoder is not None
        device = self._model.device
        longest = max(len(prompts[index].token_ids) for index in chunk)
        room = self._model.config.max_position_embeddings - longest
        if room < 1:
            raise EngineError(f"a prompt of {longest} tokens fills the model's {longest + room} positions")
        ids = torch.zeros(len(chunk), longest, dtype=torch.long)
        padding = torch.tensor([longest - len(prompts[index].token_ids) for index in chunk])
        for row, index in enumerate(chunk):
            ids[row, int(padding[row]) :] = torch.tensor(prompts[index].token_ids)
        logits, cache = self._decoder.prefill(ids.to(device), padding.to(device))
        tokens, log_probs, lengths = self._decode(logits, cache, chunk, sampling, count, min(room, sampling.max_tokens))
        result: dict[int, list[Completion]] = {index: [] for index in chunk}
        for row, length in enumerate(lengths):
            index = chunk[row // count]
            written = tokens[row, :length].tolist()
            finished = written[-1] in self.tokenizer.end_ids
            result[index].append(
                Completion(
                    prompt=prompts[index],
                    text=self.tokenizer.decode(written[:-1] if finished else written),
                    token_ids=tuple(written),
                    log_probs=tuple(log_probs[row, :length].tolist()),
                    finished=finished,
                )
            )
        return result

    def _decode(
        self, logits: torch.Tensor, cache: Any, chunk: list[int], sampling: Sampling, count: int, limit: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Write all rows to their end: tokens [rows, limit], log-probabilities [rows, limit], lengths [rows]."""
        assert self._decoder is not None
        rows = len(chunk) * count
        uniforms = Uniforms(sampling.seed, [index * count + j for index in chunk for j in range(count)])
        if count > 1:
            shared = torch.arange(len(chunk), device=logits.device).repeat_interleave(count)
            logits, cache = logits.index_select(0, shared), cache.select(shared)
        tokens = np.zeros((rows, limit), dtype=np.int64)
        log_probs = np.zeros((rows, limit), dtype=np.float32)
        lengths = np.full(rows, limit)
        active = torch.arange(rows)  # which row stands where in the batch
        ends = self._ends.to(logits.device)
        writing = np.ones(rows, dtype=bool)
        for position in range(limit):
            token, log_prob = draw(logits, sampling, uniforms.at(position, active))
            place = active.numpy()
            tokens[place, position], log_probs[place, position] = token.cpu().numpy(), log_prob.cpu().numpy()
            ended = torch.isin(token, ends).cpu().numpy()
            newly = place[ended & writing[place]]
            lengths[newly], writing[newly] = position + 1, False
            left = writing[place]
            if not left.any() or position + 1 == limit:
                break
            if left.mean() < SHRINK_BELOW:
                keep = torch.from_numpy(np.flatnonzero(left))
                active, moved = active[keep], keep.to(logits.device)
                token, cache = token.index_select(0, moved), cache.select(moved)
            logits = self._decoder.step(token, cache)
        return tokens, log_probs, lengths
