"""What names every plain kind names the same ones, so that a new kind is missing nowhere."""

from typing import get_args

import pytest
from azr.config import resolve
from azr.config.domain import PlainKind
from azr.errors import ConfigError
from azr.pipeline.parts import make_task_kinds
from azr.run.seed import identity_tasks
from azr.sandbox import Sandbox
from azr.tasks import KINDS, TaskKind
from azr.tasks.templates import FIRST, Terse
from azr.types import Kind, Reason, Role

ALL = list(Kind)


def test_every_kind_has_its_class_its_fences_and_its_place_in_a_domain() -> None:
    assert set(KINDS) == set(ALL)
    assert {Kind(name) for name in get_args(PlainKind)} == set(ALL)
    assert set(FIRST) == {(role, kind) for role in Role for kind in ALL}


@pytest.mark.parametrize("kind", ALL)
def test_a_terse_prompt_opens_the_proposal(kind: Kind) -> None:
    assert Terse().wrap("", Role.PROPOSE, kind).startswith("<")


@pytest.mark.parametrize("inputs", [2, 6])
def test_the_identity_program_is_a_task_of_every_kind(inputs: int) -> None:
    kinds = make_task_kinds(resolve({}, [f"tasks.inputs={inputs}"]))
    assert {task.kind for task in identity_tasks(kinds, inputs, Sandbox())} == set(ALL)


def test_a_kind_that_rejects_the_identity_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: dict[Kind, TaskKind] = make_task_kinds(resolve({}))
    monkeypatch.setattr(type(kinds[Kind.ERROR]), "outputs", staticmethod(lambda results: Reason.RAISED))
    with pytest.raises(ConfigError, match=r"kind error rejects the identity program \(raised\)"):
        identity_tasks(kinds, 4, Sandbox())
