"""A script for the scripted engine: one rank waits for ever in the middle of a step, and the other gives up on it."""

import os
import threading
from pathlib import Path

from azr.errors import RankError
from azr.rollouts.demo import answer as demo
from azr.types import Prompt

HERE = Path(os.environ["AZR_TEST_STUCK"])
calls = 0


def answer(prompt: Prompt, draw: int) -> str:
    global calls
    calls += 1
    if calls == 150:
        if os.environ["RANK"] == "1":
            waits_for_ever()
        while not HERE.exists():
            threading.Event().wait(0.01)
        raise RankError("rank 0 lost another rank (a time-out)")
    return demo(prompt, draw)


def waits_for_ever() -> None:
    HERE.write_text("stuck", "ascii")
    threading.Event().wait()
