"""A script for the scripted engine, one of whose ranks kills itself in the middle of the third step, once."""

import os
import signal

from azr.distributed.launch import RESTARTS
from azr.rollouts.demo import answer as demo
from azr.types import Prompt

FATAL = int(os.environ.get("AZR_TEST_FATAL_CALL", "0"))
calls = 0


def answer(prompt: Prompt, draw: int) -> str:
    global calls
    calls += 1
    if calls == FATAL and os.environ.get("RANK") == "1" and os.environ.get(RESTARTS) == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    return demo(prompt, draw)
