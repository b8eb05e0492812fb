"""The programs that a warm-up shows."""

import ast
from collections import Counter

import numpy as np
import pytest
from azr.sandbox import InvalidRun, Sandbox
from azr.warmup.grammar import CLASSES, EXPRESSIONS, HELPERS, LOOPS, Program, draw_arguments, draw_program


def programs(count: int, seed: int = 0) -> list[Program]:
    rng = np.random.default_rng(seed)
    return [draw_program(rng) for _ in range(count)]


def test_same_seed_same_programs() -> None:
    assert programs(40) == programs(40) and programs(40) != programs(40, seed=1)


def test_nearly_every_program_runs_on_arguments_of_its_types() -> None:
    rng, drawn = np.random.default_rng(2), programs(300)
    items = [(p.source, [draw_arguments(p.takes, rng) for _ in range(4)]) for p in drawn]
    failed = [v for v in Sandbox().validate(items) if any(isinstance(r, InvalidRun) for r in v.results)]
    assert len(failed) <= 6


def test_there_are_loops_branches_helpers_classes_and_every_type() -> None:
    seen: Counter[str] = Counter()
    for program in programs(400):
        nodes = {type(node).__name__ for node in ast.walk(ast.parse(program.source))}
        seen.update(nodes)
        seen.update(program.takes)
        seen["helper"] += "def g(" in program.source
    wanted = ("For", "While", "If", "ClassDef", "DictComp", "ListComp", "Tuple", "Break", "Continue")
    for name in (*wanted, "helper", *EXPRESSIONS):
        assert seen[name] > 0, name


def test_programs_hardly_repeat() -> None:
    assert len({program.source for program in programs(1000)}) > 900


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_a_program_says_what_its_parts_do(kind: str) -> None:
    assert all(words and template for template, words in EXPRESSIONS[kind])
    known = {words for rows in EXPRESSIONS.values() for _, words in rows}
    known |= {row[-1] for table in (LOOPS, HELPERS, CLASSES) for row in table}
    said = [word for program in programs(200) for word in program.words]
    assert sum(word in known for word in said) > 0.6 * len(said)
