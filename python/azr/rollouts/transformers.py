"""Batched sampling from a transformers model in this process.

Completions of one prompt share its prefill; finished rows leave the batch; the cache grows in place. Small Qwen2, Qwen3
and Llama models on a CPU use `decoder.Decoder`, all others the model's own forward pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from azr.config import Config
from azr.errors import EngineError
from azr.rollouts import decoder
from azr.rollouts.base import Request, Sampling, Tokenizer
from azr.rollouts.batched import BatchedEngine
from azr.rollouts.draw import Uniforms, draw
from azr.rollouts.model_decoder import Decoding, ModelDecoder
from azr.types import Completion, Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SMALLEST = 0.25
"""A chunk of one kind that fills at least this share of the batch is sampled separately."""
SHRINK_BELOW = 0.75
"""The batch is compacted when fewer than this share of its rows are unfinished."""


def make(tokenizer: Tokenizer, config: Config) -> "TransformersEngine":
    """The engine that a config asks for."""
    return TransformersEngine(tokenizer, config.engine.batch, getattr(torch, config.model.compute))


@dataclass(frozen=True, slots=True)
class _Group:
    """Requests for completions of one prompt: they share its prefill."""

    requests: list[tuple[int, Request]]
    """Each with its index among all requests."""

    @property
    def prompt(self) -> Prompt:
        return self.requests[0][1].prompt

    @property
    def likeness(self) -> tuple[str, str, int, int]:
        """Sort key: adjacent groups have the same kind and similar length."""
        return (self.prompt.role, self.prompt.kind, len(self.prompt.token_ids), self.requests[0][0])


class TransformersEngine(BatchedEngine):
    """Samples from the trainer's model in place."""

    def __init__(self, tokenizer: Tokenizer, batch: int, compute: torch.dtype | None = None) -> None:
        """`batch`: sequences that are sampled together; `compute`: of products on a CPU; None: the weights' type."""
        super().__init__(tokenizer)
        self._batch = batch
        self._compute = compute
        self._model: PreTrainedModel | None = None
        self._decoder: Decoding[Any] | None = None
        self._ends = torch.tensor(sorted(tokenizer.end_ids))

    def load(self, model: "PreTrainedModel | None") -> None:
        if model is None:
            raise EngineError("the transformers engine needs a model")
        if model is not self._model:
            fast = model.device.type == "cpu" and decoder.supports(model)
            self._model = model
            self._decoder = decoder.Decoder(model, self._compute) if fast else ModelDecoder(model)
        assert self._decoder is not None
        self._decoder.refresh()

    def _complete(self, requests: Sequence[Request]) -> list[Completion]:
        if self._model is None:
            raise EngineError("sample before load: the engine has no weights")
        found: dict[int, Completion] = {}
        training = self._model.training
        self._model.train(False)
        with torch.inference_mode():
            for chunk in self._chunks(_groups(requests)):
                found.update(self._sample_chunk(chunk))
        self._model.train(training)
        return [found[place] for place in range(len(requests))]

    def _chunks(self, groups: Sequence[_Group]) -> Iterator[list[_Group]]:
        """Groups of the same kind and similar length, as many as fit the batch."""
        chunk: list[_Group] = []
        rows = 0
        for group in sorted(groups, key=lambda group: group.likeness):
            # Kinds differ in prompt length, so they are mixed only where a chunk would be too small.
            other = chunk and chunk[-1].likeness[:2] != group.likeness[:2]
            unlike = chunk and _settings(chunk[-1]) != _settings(group)
            full = rows + len(group.requests) > self._batch
            if chunk and (full or unlike or (other and rows >= self._batch * SMALLEST)):
                yield chunk
                chunk, rows = [], 0
            chunk.append(group)
            rows += len(group.requests)
        if chunk:
            yield chunk

    def _sample_chunk(self, chunk: list[_Group]) -> dict[int, Completion]:
        assert self._model is not None and self._decoder is not None
        device = self._model.device
        longest = max(len(group.prompt.token_ids) for group in chunk)
        room = self._model.config.max_position_embeddings - longest
        if room < 1:
            raise EngineError(f"a prompt of {longest} tokens fills the model's {longest + room} positions")
        ids = torch.zeros(len(chunk), longest, dtype=torch.long)
        padding = torch.tensor([longest - len(group.prompt.token_ids) for group in chunk])
        for row, group in enumerate(chunk):
            ids[row, int(padding[row]) :] = torch.tensor(group.prompt.token_ids)
        logits, cache = self._decoder.prefill(ids.to(device), padding.to(device))
        counts = [len(group.requests) for group in chunk]
        if max(counts) > 1:
            shared = torch.arange(len(chunk)).repeat_interleave(torch.tensor(counts)).to(logits.device)
            logits, cache = logits.index_select(0, shared), cache.select(shared)
        requests = [entry for group in chunk for entry in group.requests]
        limit = min(room, requests[0][1].sampling.max_tokens)
        tokens, log_probs, lengths = self._decode(logits, cache, [request for _, request in requests], limit)
        result: dict[int, Completion] = {}
        for row, (place, request) in enumerate(requests):
            written = tokens[row, : lengths[row]].tolist()
            finished = written[-1] in self.tokenizer.end_ids
            result[place] = Completion(
                prompt=request.prompt,
                text=self.tokenizer.decode(written[:-1] if finished else written),
                token_ids=tuple(written),
                log_probs=tuple(log_probs[row, : lengths[row]].tolist()),
                finished=finished,
            )
        return result

    def _decode(
        self, logits: torch.Tensor, cache: Any, requests: Sequence[Request], limit: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Decode all rows to their end: tokens [rows, limit], log-probabilities [rows, limit], lengths [rows]."""
        assert self._decoder is not None
        rows, sampling = len(requests), requests[0].sampling
        uniforms = Uniforms([(request.sampling.seed, request.row) for request in requests])
        tokens = np.zeros((rows, limit), dtype=np.int64)
        log_probs = np.zeros((rows, limit), dtype=np.float32)
        lengths = np.full(rows, limit)
        active = torch.arange(rows)  # row at each place of the batch
        ends = self._ends.to(logits.device)
        writing = np.ones(rows, dtype=bool)
        for position in range(limit):
            token, log_prob = draw(logits, sampling, uniforms.at(position, active))
            place = active.numpy()
            tokens[place, position], log_probs[place, position] = token.cpu().numpy(), log_prob.cpu().numpy()
            ended = torch.isin(token, ends).cpu().numpy()
            newly = place[ended & writing[place]]
            lengths[newly], writing[newly] = position + 1, False
            self._pulse(int(writing[place].sum()) + len(newly))
            left = writing[place]
            if not left.any() or position + 1 == limit:
                break
            if left.mean() < SHRINK_BELOW:
                keep = torch.from_numpy(np.flatnonzero(left))
                active, moved = active[keep], keep.to(logits.device)
                token, cache = token.index_select(0, moved), cache.select(moved)
            logits = self._decoder.step(token, cache)
        return tokens, log_probs, lengths


def _groups(requests: Sequence[Request]) -> list[_Group]:
    """Consecutive requests with one prompt and the same settings."""

    def shared(entry: tuple[int, Request]) -> object:
        _, request = entry
        return request.key.purpose, request.key.place, _bounds(request.sampling)

    return [_Group(list(group)) for _, group in groupby(enumerate(requests), key=shared)]


def _settings(group: _Group) -> tuple[float, float, int, int]:
    return _bounds(group.requests[0][1].sampling)


def _bounds(sampling: Sampling) -> tuple[float, float, int, int]:
    """The settings that rows of one batch must share: all except the seed."""
    return (sampling.temperature, sampling.top_p, sampling.top_k, sampling.max_tokens)
