"""A script for the scripted engine that breaks on one rank in the middle of a step."""

import os

from azr.errors import EngineError
from azr.rollouts.demo import answer as demo
from azr.types import Prompt

calls = 0


def answer(prompt: Prompt, draw: int) -> str:
    global calls
    calls += 1
    if calls == 150 and os.environ.get("RANK") == "1":
        raise EngineError("the script broke on rank 1")
    return demo(prompt, draw)
