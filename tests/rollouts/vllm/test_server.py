"""Ranks that share one engine, with a process in place of vLLM that does as it is told: what each rank is told."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azr.config import Config, resolve
from azr.errors import AzrError, EngineError
from azr.rollouts import Sampling
from azr.rollouts.base import requests_for
from azr.rollouts.vllm import process
from azr.rollouts.vllm.client import Seat
from azr.rollouts.vllm.engine import VllmEngine
from azr.rollouts.vllm.server import Hub
from azr.rollouts.vllm.wire import Wire
from azr.trainer.model import LoadedModel, load_model
from azr.types import Kind, Prompt, Role

pytestmark = pytest.mark.torch

WORKER = """
import os, signal, socket, sys
import numpy as np
from azr.rollouts.vllm.wire import Closed, Wire
wire = Wire(socket.socket(fileno=int(sys.argv[-1])))

def main(submitted):
    try:
        while True:
            header, payload = wire.receive()
            if header["op"] == "start":
                wire.send({"op": "ready", "length": 384, "direct": True})
            elif header["op"] == "submit":
                submitted(header["requests"])
    except Closed:
        os._exit(0)

def answer(requests):
    one_token = np.ones(1, "<i4").tobytes() + np.zeros(1, "<f4").tobytes()
    for row in requests:
        wire.send({"op": "done", "id": row["id"], "tokens": 1}, one_token)
"""
SILENT = "main(lambda requests: None)"
DIES_ONCE = """
def die_once(requests):
    if not os.path.exists(os.environ["AZR_TEST_DIED"]):
        open(os.environ["AZR_TEST_DIED"], "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    answer(requests)
main(die_once)
"""
DIES = "main(lambda requests: os.kill(os.getpid(), signal.SIGTERM))"
GREEDY = Sampling(seed=0, temperature=0.0, max_tokens=4)
PROMPT = Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text="x", token_ids=(1,))
Ranks = Callable[..., list[Seat]]


@pytest.fixture(scope="module")
def loaded(vllm_model: Path) -> LoadedModel:
    return load_model(resolve({}, [f"model.name={vllm_model}"]).model)


@pytest.fixture
def ranks(loaded: LoadedModel, vllm_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ranks]:
    """Two seats, both in this process, at an engine whose process runs a script."""
    made: list[Seat] = []

    def begin(script: str, *overrides: str) -> list[Seat]:
        monkeypatch.setattr(process, "PROGRAM", ("-c", WORKER + script))
        given = [f"model.name={vllm_model}", "engine.name=vllm", "engine.vllm.tensor_parallel=2", *overrides]
        config = resolve({}, given)
        made.extend(seats(VllmEngine(loaded.tokenizer, config), config, loaded))
        together(made, lambda seat: meet(seat, loaded))
        return made

    yield begin
    for seat in reversed(made):
        seat.close()


def seats(engine: Any, config: Config, loaded: LoadedModel) -> list[Seat]:
    pairs = [socket.socketpair() for _ in range(2)]
    hub = Hub(engine, [Wire(theirs) for _, theirs in pairs], 0)
    return [Seat(loaded.tokenizer, config, Wire(ours), 0, hub if n == 0 else None) for n, (ours, _) in enumerate(pairs)]


def meet(seat: Seat, loaded: LoadedModel) -> None:
    """As `load` does, without a comparison of what the engine computes."""
    seat._length = int(seat._meet(lambda engine: engine.update(loaded.model))["length"])


def together(all_seats: Sequence[Seat], work: Callable[[Seat], Any]) -> list[Any]:
    """What each rank gets, all at once."""
    with ThreadPoolExecutor(len(all_seats)) as pool:
        return list(pool.map(work, all_seats))


def told(seat: Seat) -> list[str]:
    """What a rank is told that asks for something, twice."""
    said = []
    for attempt in (lambda: seat.sample([PROMPT], GREEDY), seat.collect):
        try:
            attempt()
        except AzrError as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def test_every_rank_is_told_that_the_engine_was_silent_not_that_it_was_killed_for_it(ranks: Ranks) -> None:
    found = together(ranks(SILENT, "engine.vllm.restarts=0", "engine.vllm.stuck_seconds=0.2"), told)
    assert found[0] == found[1] and len(found[0]) == 2 and found[0][0] == found[0][1]
    assert found[0][0].startswith("EngineError: the engine's process said nothing for 0.2 s\n")
    assert "engine.vllm.stuck_seconds" in found[0][0] and "SIGKILL" not in found[0][0]


def test_every_rank_is_told_how_the_engine_died(ranks: Ranks) -> None:
    found = together(ranks(DIES, "engine.vllm.restarts=0"), told)
    assert found[0] == found[1] and len(found[0]) == 2 and found[0][0] == found[0][1]
    assert found[0][0].startswith("EngineError: the engine's process died by signal SIGTERM\n")


def test_an_engine_that_dies_at_work_is_started_again_and_does_all_of_it(
    ranks: Ranks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZR_TEST_DIED", str(tmp_path / "died"))
    both = ranks(DIES_ONCE)
    found = together(both, lambda seat: seat.sample([PROMPT] * 3, GREEDY))
    assert [[completion.token_ids for row in each for completion in row] for each in found] == [[(1,)] * 3] * 2
    assert both[0]._hub is not None and both[0]._hub._engine.restarts == 1


def test_an_engine_that_died_with_nothing_to_do_is_started_again_for_the_next_request(ranks: Ranks) -> None:
    both = ranks("main(answer)")
    assert both[0]._hub is not None
    engine = both[0]._hub._engine
    os.kill(engine.pid, signal.SIGKILL)
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
    assert len(together(both, lambda seat: seat.sample([PROMPT], GREEDY))) == 2
    assert engine.restarts == 1


STOPS_ONCE = DIES_ONCE.replace("SIGKILL", "SIGSTOP")


@pytest.mark.parametrize("script", [DIES_ONCE, STOPS_ONCE], ids=["killed", "stuck"])
def test_an_engine_of_one_rank_that_is_lost_comes_back_with_its_work_kept(
    loaded: LoadedModel, vllm_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setenv("AZR_TEST_DIED", str(tmp_path / "died"))
    monkeypatch.setattr(process, "PROGRAM", ("-c", WORKER + script))
    # On a busy machine one that works may seem stuck: it is started again as often as it takes.
    patience = ["engine.vllm.stuck_seconds=0.5", "engine.vllm.restarts=1000"]
    given = [f"model.name={vllm_model}", "engine.name=vllm", *patience]
    engine = VllmEngine(loaded.tokenizer, resolve({}, given))
    engine.update(loaded.model)
    first = engine.pid
    found = engine.sample([PROMPT] * 3, GREEDY)
    assert [completion.token_ids for row in found for completion in row] == [(1,)] * 3
    assert engine.restarts >= 1 and engine.pid != first
    engine.close()


class Closing:
    """An engine that is at work when it is closed, and fails for it before anything else is noticed."""

    busy = True
    length = 384
    restarts = 0
    patience = 60.0

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._closed = threading.Event()
        self._ours, self._theirs = socket.socketpair()
        self.listening = threading.Event()

    def fileno(self) -> int:
        return self._ours.fileno()

    def submit(self, requests: object) -> None:
        self._theirs.send(b"done")

    def listen(self, seconds: float) -> None:
        self.listening.set()
        self._closed.wait()
        raise self._error

    def finished(self) -> list[object]:
        return []

    def close(self) -> None:
        self._closed.set()


@pytest.mark.parametrize("error", [EngineError("the engine was closed"), ValueError("a closed file")], ids=repr)
def test_other_ranks_are_told_who_ended_the_engine_whatever_failed_for_it(
    loaded: LoadedModel, vllm_model: Path, error: Exception
) -> None:
    engine = Closing(error)
    first, second = seats(engine, resolve({}, [f"model.name={vllm_model}"]), loaded)
    first._length = second._length = 384
    second.submit(requests_for("solve", [(0, PROMPT)], GREEDY))
    engine.listening.wait()
    first.close()
    with pytest.raises(AzrError) as found:
        second.collect()
    assert str(found.value) == "rank 0 has ended the engine that it shares (engine.vllm.tensor_parallel)"
    second.close()
