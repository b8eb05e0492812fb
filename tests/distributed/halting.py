"""A script for the scripted engine that comes to a halt in the middle of a step, and says so."""

import os
import threading

from azr.rollouts.demo import answer as demo
from azr.types import Prompt

calls = 0


def answer(prompt: Prompt, draw: int) -> str:
    global calls
    calls += 1
    if calls == 150:
        os.write(1, f"halted: rank {os.environ['RANK']}\n".encode())
        threading.Event().wait()
    return demo(prompt, draw)
