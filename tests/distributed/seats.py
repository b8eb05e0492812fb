"""Ranks that share one vLLM on two devices; each writes down what it got, and what its own model says.

python seats.py engine OUT CONFIG RUN_CONFIG ...
python seats.py groups OUT CONFIG
"""

import json
import os
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch
from azr.config import Config, load_config
from azr.distributed.group import Group
from azr.distributed.ranks import Ranks
from azr.errors import AzrError
from azr.rollouts import Sampling
from azr.rollouts.base import Tokenizer, requests_for
from azr.rollouts.vllm import client
from azr.rollouts.vllm.client import Seat
from azr.rollouts.vllm.engine import VllmEngine
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.trainer.model import LoadedModel, load_model
from azr.types import Completion, Key, Kind, Prompt, Role
from forks import fork

TEXTS = [["def f(a):", "x"], ["a long prompt, longer than all the others by far", "def f(a):\n    return a", "y"]]
"""Of each rank."""
LIMIT = timedelta(hours=2)
"""Of an exchange. Only a rank that never comes fails, however busy the machine is."""
GREEDY = Sampling(seed=0, temperature=0.0, max_tokens=24)


class Kept:
    """One seat for all that a rank does here: an engine on two devices takes a minute to start."""

    def __init__(self) -> None:
        self._seat: Seat | None = None
        self._take = client.take_seat

    def take(self, tokenizer: Tokenizer, config: Config, ranks: Ranks) -> Seat:
        """In place of `take_seat`. The first config is the engine's."""
        if self._seat is None:
            self._seat = self._take(tokenizer, config, ranks)
            self.close, self._seat.close = self._seat.close, lambda: None  # type: ignore[method-assign]
        self._seat._given, self._seat.trainer = config.engine.vllm, None
        return self._seat


def generated(model: Any, prompts: Sequence[Prompt]) -> list[list[int]]:
    """What transformers itself writes, greedily."""
    found = []
    for prompt in prompts:
        given = torch.tensor([prompt.token_ids])
        written = model.generate(given, max_new_tokens=24, do_sample=False, pad_token_id=0)
        found.append(written[0, given.shape[1] :].tolist())
    return found


def scored(model: Any, completion: Completion) -> list[float]:
    whole = torch.tensor([[*completion.prompt.token_ids, *completion.token_ids]])
    with torch.no_grad():
        logits = model(whole).logits[0, len(completion.prompt.token_ids) - 1 : -1].log_softmax(-1)
    return [float(row[token]) for row, token in zip(logits, completion.token_ids, strict=True)]


def moved(model: Any) -> None:
    """Change every weight in place, alike on every rank."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)


def engine(out: Path, path: Path, run_paths: Sequence[Path]) -> None:
    torch.set_num_threads(1)
    ranks, kept, config = Group("cpu", LIMIT), Kept(), load_config(path, [])
    client.take_seat = kept.take
    for run_path in run_paths:
        start_run(load_config(run_path, []), Quiet(), lambda: False, ranks)
    loaded = load_model(config.model)
    seat = kept.take(loaded.tokenizer, config, ranks)
    seat.load(loaded.model)
    prompts = [
        Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text=text, token_ids=tuple(loaded.tokenizer.encode(text, False)))
        for text in TEXTS[ranks.rank]
    ]
    found = {
        "first": greedy(seat, loaded, prompts), "again": updated(seat, loaded, prompts),
        "drawn": drawn(seat, loaded, prompts), "cancelled": cancelled(seat, prompts),
        "killed": killed(seat, prompts, ranks), "stuck": stuck(seat, prompts, ranks),
    }  # fmt: skip
    (out / f"{ranks.rank}.json").write_text(json.dumps(found), "utf-8")
    kept.close()
    ranks.close()


def greedy(seat: Seat, loaded: LoadedModel, prompts: Sequence[Prompt]) -> dict[str, Any]:
    assert seat.sync is not None
    texts = [list(row[0].token_ids) for row in seat.sample(prompts, GREEDY)]
    return {"engine": texts, "model": generated(loaded.model, prompts), "gap": seat.sync.mismatch_max}


def updated(seat: Seat, loaded: LoadedModel, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """After an update of the weights."""
    before = inner(seat).pid if seat._hub else 0
    moved(loaded.model)
    seat.load(loaded.model)
    in_place = not seat._hub or (inner(seat).pid == before and inner(seat).direct)
    return greedy(seat, loaded, prompts) | {"in_place": in_place}


def drawn(seat: Seat, loaded: LoadedModel, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """By chance, twice under one seed; and the log-probabilities of both sides."""
    sampling = Sampling(seed=3, max_tokens=24)
    found = [[c for row in seat.sample(prompts, sampling, 4) for c in row] for _ in range(2)]
    gaps = [
        abs(one - other)
        for completion in found[0]
        for one, other in zip(completion.log_probs, scored(loaded.model, completion), strict=True)
    ]
    once, twice = ([list(c.token_ids) for c in each] for each in found)
    return {"once": once, "twice": twice, "gap": max(gaps), "texts": [c.text for c in found[0]],
            "decoded": [loaded.tokenizer.decode(ids[:-1] if c.finished else ids)
                        for ids, c in zip(once, found[0], strict=True)]}  # fmt: skip


def cancelled(seat: Seat, prompts: Sequence[Prompt]) -> list[int]:
    """The places that come out when the first was cancelled."""
    seat.submit(requests_for("solve", list(enumerate(prompts)), Sampling(seed=1, max_tokens=100)))
    seat.cancel([Key("solve", 0)])
    return sorted(place for place, _ in collected(seat))


def killed(seat: Seat, prompts: Sequence[Prompt], ranks: Group) -> dict[str, Any]:
    """The engine's process dies with work of both ranks under way, which it was stopped from doing."""
    sampling = Sampling(seed=2, max_tokens=100)
    expected = [list(row[0].token_ids) for row in seat.sample(prompts, sampling)]
    ranks.gather(None)
    if seat._hub:
        before = inner(seat).restarts
        os.kill(inner(seat).pid, signal.SIGSTOP)
    ranks.gather(None)
    seat.submit(requests_for("solve", list(enumerate(prompts)), sampling))
    ranks.gather(None)
    if seat._hub:
        os.kill(inner(seat).pid, signal.SIGKILL)
    found = [ids for _, ids in sorted(collected(seat))]
    # What follows takes the engine's patience away: not before every rank has its work.
    ranks.gather(None)
    return {"expected": expected, "found": found, "restarts": inner(seat).restarts - before if seat._hub else None}


def stuck(seat: Seat, prompts: Sequence[Prompt], ranks: Group) -> list[str]:
    """The engine's process says nothing more, and is not started again: what each rank is told, twice."""
    if seat._hub:
        own = inner(seat)
        own._given = own._given.model_copy(update={"restarts": 0, "stuck_seconds": 3.0})
        os.kill(own.pid, signal.SIGSTOP)
    ranks.gather(None)
    said = []
    for attempt in (partial(seat.sample, prompts, GREEDY), seat.collect):
        try:
            attempt()
        except AzrError as error:
            said.append(f"{type(error).__name__}: {error}")
    ranks.gather(None)
    return said


def collected(seat: Seat) -> list[tuple[int, list[int]]]:
    found = []
    while done := seat.collect():
        found += [(request.key.place, list(completion.token_ids)) for request, completion in done]
    return found


def inner(seat: Seat) -> VllmEngine:
    assert seat._hub is not None
    return seat._hub._engine


def groups(out: Path, path: Path) -> None:
    """Four ranks, two groups; the first rank of one and the second of the other go without a word."""
    ranks, config = Group("cpu", LIMIT), load_config(path, [])
    seat = client.take_seat(load_model(config.model).tokenizer, config, ranks)
    seat._meet()
    ranks.gather(None)
    if ranks.rank in (0, 3):
        os._exit(0)
    try:
        seat._meet()
    except AzrError as error:
        (out / f"{ranks.rank}.txt").write_text(f"{type(error).__name__}: {error}", "utf-8")
    seat.close()


if __name__ == "__main__":
    place, given, *runs = map(Path, sys.argv[2:])
    if sys.argv[1] == "engine":
        fork(2, partial(engine, place, given, runs))
    else:
        fork(4, partial(groups, place, given))
