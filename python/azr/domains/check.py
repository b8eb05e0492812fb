"""`azr domain check`: tests of a domain for its author, before any model sees it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from azr.config import resolve
from azr.config.domain_files import find, read
from azr.domains.domain import Domain, make_domain
from azr.domains.scoring import failure, number, quality_scores, task_values
from azr.errors import AzrError
from azr.pipeline.build import make_sandbox
from azr.rollouts.tokens import ByteTokenizer
from azr.tasks import KindOptions, make_kinds
from azr.tasks.io import read_drafts, verify
from azr.tasks.render import Renderer
from azr.tasks.static_filter import StaticFilter
from azr.tasks.templates import Think
from azr.types import Draft, Role, Task

EDGES: Final[tuple[Any, ...]] = (
    None, True, -1, 0.5, 10**30, "", "answer", [], [[]], {}, (), {"answer": [1, "b"]},
)  # fmt: skip
"""Unusual answers. A verifier has to score each of them, deterministically."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    ok: bool
    text: str


def examine(path: Path) -> list[Finding]:
    """Load the domain at `path` and check everything in it. Errors of the domain are findings, not exceptions."""
    try:
        domain = load(path)
    except AzrError as error:
        return [Finding(False, str(error))]
    about = domain.folder.about
    modules = ", ".join(about.modules) or "none"
    found = [Finding(True, f"{about.name}: kinds {', '.join(about.kind_names)}; modules {modules}")]
    tasks: list[Task] = []
    for file, what in ((about.seeds, "seeds"), (about.heldout, "heldout")):
        if file:
            rows, good = _tasks(domain, file, what)
            found += rows
            tasks += good
        else:
            found.append(Finding(what != "seeds", f"{what}: no file is named{_needed(what)}"))
    found += _prompts(domain, tasks)
    found += _verifier(domain, tasks)
    found += _quality(domain, tasks)
    return found


def load(path: Path) -> Domain:
    """The domain at a path with default options, outside of any run."""
    return make_domain(read(find(str(path), "")), KindOptions(), StaticFilter(), partial(make_sandbox, resolve({})))


def _tasks(domain: Domain, file: str, what: str) -> tuple[list[Finding], list[Task]]:
    """Every line of a task file, verified one at a time so that one bad line hides no other."""
    try:
        drafts = read_drafts(domain.folder.file(file, what), domain.kinds, domain.name)
    except AzrError as error:
        return [Finding(False, f"{what}: {error}")], []
    made = verify(drafts, domain.kinds, domain.sandbox)
    rows = enumerate(zip(drafts, made, strict=True), 1)
    bad = [f"line {n}: {_why(draft, task)}" for n, ((_, draft), task) in rows if not isinstance(task, Task)]
    good = [task for task in made if isinstance(task, Task)]
    kinds = ", ".join(sorted({str(task.kind.base) for task in good})) or "no kind"
    first = Finding(not bad, f"{what}: {len(good)} of {len(made)} are tasks, of {kinds}")
    return [first, *(Finding(False, f"{what}, {text}") for text in bad)], good


def _why(draft: Draft, reason: object) -> str:
    return f"the sandbox says {reason} for the input {draft.inputs[0]!r} of:\n{draft.program}"


def _needed(what: str) -> str:
    return "; a proposer starts best from a few" if what == "seeds" else "; the probe has nothing to score"


def _prompts(domain: Domain, tasks: Sequence[Task]) -> Iterator[Finding]:
    """Render the prompts of each role and kind."""
    kinds = {**make_kinds(KindOptions()), **domain.kinds}
    renderer = Renderer(Think(domain.tags), kinds, ByteTokenizer().encode, domain.static_filter.banned, domain.texts)
    for kind in domain.kinds:
        own = [task for task in tasks if task.kind is kind]
        source = next(iter(own or tasks), None)
        for role in Role:
            if (role is Role.SOLVE and not own) or (domain.kinds[kind].from_task and source is None):
                yield Finding(True, f"prompt of {role} {kind.base}: there is no task to show in it")
                continue
            try:
                if role is Role.SOLVE:
                    prompt = renderer.solve(own[0])
                else:
                    prompt = renderer.propose(kind, own[:2], source if domain.kinds[kind].from_task else None)
                yield Finding(True, f"prompt of {role} {kind.base}: {len(prompt.text)} characters")
            except (KeyError, ValueError) as error:
                yield Finding(False, f"prompt of {role} {kind.base}: the slot {error} of its text is not filled")


def _verifier(domain: Domain, tasks: Sequence[Task]) -> Iterator[Finding]:
    """Score unusual answers: a verifier returns a number in [0, 1], the same one every time."""
    from azr.sandbox import Failed, Value

    about = domain.folder.about.verifier
    if about is None:
        return
    source = domain.folder.text(about.file, "verifier.file")
    scored = [task for task in tasks if not about.kinds or task.kind.base in about.kinds]
    if not scored:
        yield Finding(False, "verifier: there is no task to try it on; add seeds")
        return
    items = [
        (source, value, Value.of(edge))
        for task in scored
        for value in task_values(domain.sandbox, task.kind.base, [task])
        if value is not None and not isinstance(value, Failed)
        for edge in EDGES
    ]
    scores = domain.sandbox.score(items)
    failed = [(item, score) for item, score in zip(items, scores, strict=True) if number(score) is None]
    for (_, _, answer), score in failed[:3]:
        yield Finding(False, f"verifier: {failure(score)} on the answer {answer.repr}")
    earned = [(item, score) for item, score in zip(items, scores, strict=True) if number(score)]
    for (_, _, answer), score in earned[:3]:
        yield Finding(True, f"verifier: note that the answer {answer.repr} earns {number(score):g} somewhere")
    yield Finding(not failed, f"verifier: {len(items) - len(failed)} of {len(items)} odd answers got a score")


def _quality(domain: Domain, tasks: Sequence[Task]) -> Iterator[Finding]:
    about = domain.folder.about.quality
    if about is None or not tasks:
        return
    source = domain.folder.text(about.file, "quality.file")
    scores = [score for task in tasks for score in quality_scores(domain.sandbox, source, task.kind.base, [task])]
    failed = [score for score in scores if number(score) is None]
    if failed:
        yield Finding(False, f"quality: {failure(failed[0])} on {len(failed)} of {len(tasks)} tasks")
        return
    values = [number(score) or 0.0 for score in scores]
    yield Finding(True, f"quality: {min(values):.2f} to {max(values):.2f} over {len(tasks)} tasks")
