"""LLM judge: a user's function that scores a share of the completions, such as a call of another model.

The share is drawn by the seed and the step. The judge has to be deterministic, or a resumed run may take other actions.
"""

from collections.abc import Callable, Sequence

from azr.config.oversight import JudgeConfig
from azr.errors import OversightError
from azr.oversight.base import Finding, Monitor, Seen
from azr.util.randomness import generator
from azr.util.registry import resolve

Judge = Callable[[Sequence[str]], Sequence[float]]


class JudgeMonitor(Monitor):
    """Findings are scores at or above the threshold."""

    name = "judge"

    def __init__(self, config: JudgeConfig, seed: int) -> None:
        self._config = config
        self._seed = seed
        self._judge: Judge = resolve({}, config.function, "oversight.judge.function")

    def completions(self, seen: Sequence[Seen]) -> Sequence[Sequence[Finding]]:
        if not seen:
            return []
        chosen = generator(self._seed, seen[0].step, f"judge/{seen[0].purpose}").random(len(seen)) < self._config.rate
        texts = [one.text for one, keep in zip(seen, chosen, strict=True) if keep]
        scores = list(self._judge(texts)) if texts else []
        if len(scores) != len(texts):
            raise OversightError(f"{self._config.function} gave {len(scores)} scores for {len(texts)} texts")
        given = iter(scores)
        return [self._finding(one.text, next(given)) if keep else () for one, keep in zip(seen, chosen, strict=True)]

    def _finding(self, text: str, score: float) -> Sequence[Finding]:
        if not 0.0 <= score <= 1.0:
            raise OversightError(f"{self._config.function} gave the score {score}: it has to lie in [0, 1]")
        if score < self._config.threshold:
            return ()
        evidence = f"score {score:.2f}: {text[:300]}"
        return (Finding(rule="score", evidence=evidence, action=self._config.action),)
