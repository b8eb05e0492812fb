"""Mutants: right solutions pass, every broken one fails, and changed ones are scored as their results say."""

import json
from pathlib import Path

import pytest
from azr.evals.benchmarks import Item, find
from azr.evals.scorers import Tools, make_scorer
from azr.sandbox import Limits, Sandbox
from azr.util.registry import load_module

mutants = load_module(str(Path(__file__).parents[2] / "benchmarks" / "mutants.py"))
CHANGES, WRAPPERS, broken, mutated = mutants.CHANGES, mutants.WRAPPERS, mutants.broken, mutants.mutated

# Functions of ours, in the form of HumanEval's rows.
SOLUTIONS = {
    "clamp": (
        "def clamp(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n        return high\n"
        "    return x\n",
        [((5, 0, 3), 3), ((-1, 0, 3), 0), ((2, 0, 3), 2), ((0, 0, 0), 0)],
    ),
    "evens": (
        "def evens(xs):\n    out = []\n    for x in xs:\n        if x % 2 == 0 and x > 0:\n            out.append(x)\n"
        "    return out\n",
        [(([1, 2, 3, 4],), [2, 4]), (([],), []), (([-2, 0, 6],), [6])],
    ),
    "mean": (
        "def mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total / len(xs)\n",
        [(([1, 2, 3],), 2.0), (([5],), 5.0), (([0, 1],), 0.5)],
    ),
    "shout": ("def shout(text):\n    return text.upper() + '!' * 2\n", [(("hi",), "HI!!"), (("",), "!!")]),
    "longer": ("def longer(a, b):\n    return len(a) > len(b)\n", [(("ab", "a"), True), (("a", "ab"), False)]),
}


@pytest.fixture(scope="module")
def tools() -> Tools:
    return Tools(sandbox=Sandbox(threads=2, limits=Limits(wall_seconds=600.0)), fuel=1_000_000_000)


def item_of(name: str, tools: Tools) -> Item:
    source, cases = SOLUTIONS[name]
    lines = "\n".join(f"    assert candidate(*{arguments!r}) == {result!r}" for arguments, result in cases)
    row = {
        "task_id": name,
        "prompt": source.split("\n")[0] + "\n",
        "entry_point": name,
        "test": f"def check(candidate):\n{lines}",
    }
    [item] = find("humaneval").build([row], tools.sandbox)
    return item


@pytest.mark.parametrize("name", SOLUTIONS)
def test_the_solution_passes_and_each_of_at_least_ten_kinds_of_mutant_fails(tools: Tools, name: str) -> None:
    item, (source, _) = item_of(name, tools), SOLUTIONS[name]
    kinds = broken(source, name)
    assert len({mutant.kind for mutant in kinds}) == len(WRAPPERS) >= 10
    right, *verdicts = make_scorer("asserts", tools).score([(item, source), *((item, m.source) for m in kinds)])
    assert right.score == 1.0
    assert [m.kind for m, v in zip(kinds, verdicts, strict=True) if v.score > 0] == []


@pytest.mark.parametrize("name", SOLUTIONS)
def test_changed_solutions_are_judged_as_their_results_say(tools: Tools, name: str) -> None:
    """The other way: the results of the mutant's own function, run by itself, beside the wanted ones."""
    item, (source, cases) = item_of(name, tools), SOLUTIONS[name]
    found = mutated(source, name, each=3)
    calls = [", ".join(repr(argument) for argument in arguments) for arguments, _ in cases]
    verdicts = make_scorer("asserts", tools).score([(item, mutant.source) for mutant in found])
    for mutant, verdict in zip(found, verdicts, strict=True):
        outcomes = [tools.sandbox.run(f"{mutant.source}\nf = {name}", call=call) for call in calls]
        values = [outcome.value.to_python() if outcome.value else "failed" for outcome in outcomes]
        assert verdict.score == float(values == [result for _, result in cases]), (mutant, json.dumps(str(values)))


def test_every_change_finds_a_place() -> None:
    found = {mutant.kind for name, (source, _) in SOLUTIONS.items() for mutant in mutated(source, name)}
    assert found == set(CHANGES)
