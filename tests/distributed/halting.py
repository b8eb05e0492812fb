"""A script for the scripted engine that comes to a halt in the middle of a step, and leaves a file that says so."""

import os
import time
from pathlib import Path

from azr.rollouts.demo import answer as demo
from azr.types import Prompt

calls = 0


def answer(prompt: Prompt, draw: int) -> str:
    global calls
    calls += 1
    if calls == 150:
        Path(f"halted.{os.environ['RANK']}").touch()
        time.sleep(3600)
    return demo(prompt, draw)
