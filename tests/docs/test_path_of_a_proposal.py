"""The architecture page names every function that a proposal passes from text to stored task, and no other."""

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import azr
import pytest
from azr.pipeline.parts import Parts
from azr.pipeline.rollout_step import roll_out

PACKAGE = Path(azr.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = "def f(a_name):\n    return a_name[::-1]"
TEXT = f"</think><answer>```python\n{PROGRAM}\n```\n```input\n'seman_fo_tsil'\n```</answer>"
MARKS = ("a_name", "list_of_names")
"""In the program, and in its output."""
BRANCHES = {"Renderer.solve", "TaskStore._remember"}
"""They end elsewhere, as the page says."""
MOST = 12

Step = tuple[str, str]
"""A function: its file below the package, and its name."""


def drawn() -> list[Step]:
    """The functions of the page's picture."""
    spec = spec_from_file_location("draw", DOCS / "pictures" / "draw.py")
    assert spec is not None and spec.loader is not None
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    return [(file, function) for file, function, _, _ in script.PROPOSAL_PATH]


def holds(value: object) -> bool:
    """Whether a value has the program or its output in it."""
    if isinstance(value, Mapping):
        return any(holds(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(map(holds, value))
    if is_dataclass(value) and not isinstance(value, type):
        return any(holds(getattr(value, field.name)) for field in fields(value))
    return any(mark in repr(value) for mark in MARKS)


def step_of(code: CodeType) -> Step | None:
    """The function of azr that the code is; None for others, and for what is part of the function around it:
    comprehensions, lambdas and properties."""
    *outer, name = code.co_qualname.split(".")
    path = Path(code.co_filename)
    # By the package's own folder: a clone may lie in a folder of the same name, with its environment inside.
    if not path.is_relative_to(PACKAGE) or "<" in name:
        return None
    file = path.relative_to(PACKAGE).as_posix()
    owner: Any = sys.modules["azr." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")]
    for part in outer:
        owner = getattr(owner, part, None)
    found = inspect.getattr_static(owner, name, None)
    return None if isinstance(found, property | cached_property) else (file, code.co_qualname)


class Follower:
    """A profile function that collects the path of what `holds` finds."""

    def __init__(self) -> None:
        self._calls = 0
        self._running: list[tuple[int, Step]] = []
        """The functions that run, the outermost first, each with the number of its call."""
        self._passed: dict[Step, int] = {}
        """The functions on the path, each with the number of its first call that hands the proposal on."""
        self._stored = False

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        if self._stored or (step := step_of(frame.f_code)) is None:
            return
        if event == "call" and (self._running or step[1] == "_Flow.take"):
            self._calls += 1
            self._running.append((self._calls, step))
        elif event == "c_call" and value.__name__ == "insert_many":
            self._stored = True
            self._pass()
        elif event == "return" and self._running:
            if holds(value) and BRANCHES.isdisjoint(name for _, (_, name) in self._running):
                self._pass()
            self._running.pop()

    def _pass(self) -> None:
        """All that run are on the path: the innermost hands the proposal on, the others call it."""
        for call, step in self._running:
            self._passed[step] = min(call, self._passed.get(step, call))

    def path(self) -> list[Step]:
        """In the order of the calls."""
        return sorted(self._passed, key=self._passed.__getitem__)


def path_of(parts: Parts) -> list[Step]:
    follower = Follower()
    sys.setprofile(follower)
    try:
        done = roll_out(parts, 1, [], lambda name, stage: stage())
    finally:
        sys.setprofile(None)
    (stored,) = done.verdicts
    assert stored.task.id is not None and stored.task.outputs[0].to_python() == "list_of_names", "it became a task"
    return follower.path()


@pytest.fixture
def parts(make_parts: Callable[..., Parts]) -> Parts:
    sizes = ("propose.batch=1", "solve.batch=1", "tasks.kinds=['deduction']")
    return make_parts(lambda prompt, draw: TEXT if prompt.role == "propose" else "", *sizes)


def test_it_passes_the_functions_of_the_picture_and_no_others(parts: Parts) -> None:
    path = path_of(parts)
    assert path == drawn()
    assert len(path) <= MOST
    assert "Twelve functions" in (DOCS / "architecture.md").read_text("utf-8")


def test_a_function_that_only_hands_it_on_is_found(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a longer path could go unseen."""
    before = path_of(parts)
    kind = type(parts.kinds[next(iter(parts.config.tasks.kinds))])
    namespace: dict[str, Any] = {"inner": kind.parse_proposal}
    source = "def hand_on(self, blocks, prompt):\n    return inner(self, blocks, prompt)\n"
    exec(compile(source, inspect.getfile(kind), "exec"), namespace)
    monkeypatch.setattr(kind, "parse_proposal", namespace["hand_on"])
    after = path_of(parts)
    assert set(after) - set(before) == {("tasks/deduction.py", "hand_on")}
