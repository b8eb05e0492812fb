"""The scripted engine keeps the engine's promises."""

from azr.rollouts import Sampling
from azr.rollouts.scripted import ScriptedEngine
from azr.types import Kind, Prompt, Role


def test_order_and_count_are_kept_and_ids_are_those_of_the_text() -> None:
    engine = ScriptedEngine(lambda prompt, draw: f"{prompt.text}-{draw}")
    prompts = [Prompt(role=Role.SOLVE, kind=Kind.DEDUCTION, text=text, token_ids=(1,)) for text in "ab"]
    found = engine.sample(prompts, Sampling(seed=10), count=2)
    assert [[c.text for c in row] for row in found] == [["a-10", "a-11"], ["b-12", "b-13"]]
    for completion in (c for row in found for c in row):
        assert engine.tokenizer.decode(completion.token_ids[:-1]) == completion.text
        assert completion.token_ids[-1] in engine.tokenizer.end_ids
