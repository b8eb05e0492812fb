"""Right answers of earlier steps to hard tasks, learnt again: supervised replay (`train.replay`).

What was found once in many attempts is soon lost again among what is likely. Every step trains on some such answers
besides its own, each with an advantage of 1: its likelihood rises, whatever the policy gives it by now.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any

from azr.config import Config
from azr.types import Attempt, Completion, Episode, Kind, Prompt, Role, solve_rate
from azr.util.randomness import generator

HARD = 0.5
"""Largest solve rate of a task whose right answers are kept."""
KEPT = 512
"""Answers; older ones make room."""
ADVANTAGE = 1.0

Row = tuple[str, list[int], list[int], str]
"""Kind, ids of the prompt, ids of the answer, text of the answer."""


class Replay:
    """The memory of answers. The same on every rank."""

    def __init__(self, config: Config, rows: Sequence[Sequence[Any]] = ()) -> None:
        """`rows`: of the checkpoint that a run goes on from."""
        self._config = config
        self._rows: deque[Row] = deque(((str(k), list(p), list(a), str(t)) for k, p, a, t in rows), KEPT)

    def note(self, tried: Sequence[Sequence[Attempt]]) -> None:
        """Keep a right answer to each task that few attempts solved. `tried`: attempts by task."""
        if not self._config.train.replay:
            return
        for row in tried:
            rate, right = solve_rate(row), [attempt for attempt in row if attempt.correct]
            if right and rate is not None and rate <= HARD:
                done = right[0].completion
                prompt = done.prompt
                self._rows.append((str(prompt.kind), list(prompt.token_ids), list(done.token_ids), done.text))

    def draw(self, step: int) -> list[Episode]:
        """`train.replay` of the answers, or all there are."""
        count = min(self._config.train.replay, len(self._rows))
        places = generator(self._config.seed, step, "replay").permutation(len(self._rows))[:count]
        return [_episode(self._rows[place]) for place in sorted(places.tolist())]

    def state(self) -> list[Row]:
        """What a checkpoint has to hold."""
        return list(self._rows)


def _episode(row: Row) -> Episode:
    kind, prompt, answer, text = row
    asked = Prompt(role=Role.SOLVE, kind=Kind(kind), text="", token_ids=tuple(prompt))
    return Episode(completion=Completion.unsampled(asked, text, answer), reward=ADVANTAGE, replayed=True)
