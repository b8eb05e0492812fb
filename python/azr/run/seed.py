"""Seed tasks: what the buffers hold before step 1, made by the untrained model from the identity program.

Kinds that bring their own program share one pool of proposals. It grows pass by pass, so that later prompts show what
earlier passes found. Induction tasks are then made from that pool. No weights change.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from azr.buffer.curriculum import POOLED
from azr.domains.domain import Domain
from azr.errors import ConfigError, RunError
from azr.pipeline.parts import Parts
from azr.propose import ask, propose_prompts
from azr.tasks import IDENTITY_PROGRAM, TaskKind
from azr.tasks.io import read_tasks, verify
from azr.types import Draft, Kind, Reason, Rejected, Role, Task, Valid
from azr.util.sanitize import visible
from azr.validate import validate

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

IDENTITY_INPUTS = ("'Hello world'", "1", "[1, 2, 3]", "{'a': 1}", "None", "(1, 'b')", "True", "2.5", "[]", "''")
IDENTITY_MESSAGE = "What comes out, compared to what goes in?"
MAX_PASSES = 200
"""Limit of the passes, for models that propose nothing valid."""
FIRST_PASSES = 2
"""After so many, a model that writes next to nothing that can be read is given up."""
EXAMPLE_CHARACTERS = 600

Progress = Callable[[Kind, int, int], None]
"""(kind, seed tasks so far, seed tasks wanted)"""

Review = Callable[[Sequence[Valid | Rejected]], Collection[int]]
"""Gets the verdicts after new tasks are stored, on rank 0; returns the tasks to quarantine."""


def unreviewed(verdicts: Sequence[Valid | Rejected]) -> Collection[int]:
    """No review: for seed tasks that no run resumes from."""
    return ()


class SeedingStopped(Exception):
    """Seeding was asked to stop before it was done."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


def seed(
    parts: Parts, progress: Progress, review: Review = unreviewed, should_stop: Callable[[], bool] = never
) -> None:
    """Fill the buffer to `seeding.factor x propose.batch` tasks of each kind.

    `review` gets the model's proposals. Tasks from a file or a domain were chosen by a person. `should_stop` is asked
    after every pass.

    Raises:
        RunError: too little of what the model proposes can be read, or is valid.
        SeedingStopped: it should stop.
    """
    config = parts.config
    for brought in parts.domains:
        parts.store.add(domain_seeds(brought, parts.kinds, parts.sandbox))
    if config.seeding.path:
        parts.store.add(read_tasks(Path(config.seeding.path), parts.kinds, parts.sandbox))
        return
    plain = [kind for kind in config.tasks.kinds if not kind.domain]
    if plain:
        identity = identity_tasks(parts.kinds, config.tasks.inputs, parts.sandbox)
        parts.store.add([task for task in identity if task.kind in {*plain, *POOLED}])
    wanted = config.seeding.factor * config.propose.batch
    for domain in dict.fromkeys(kind.domain for kind in config.tasks.kinds):
        kinds = [kind for kind in config.tasks.kinds if kind.domain == domain]
        own = [kind for kind in kinds if not parts.kinds[kind].from_task]
        own += [kind for kind in parts.store.pool(domain) if kind not in own and len(own) < len(kinds)]
        for kind in [*own, *(kind for kind in kinds if kind not in own)]:
            _fill(parts, kind, wanted, progress, review, should_stop)


def starting_tasks(
    domains: Sequence[Domain], kinds: Mapping[Kind, TaskKind], inputs: int, sandbox: "Sandbox"
) -> list[Task]:
    """What proposers are shown before any proposal: the identity tasks, then the seeds of all domains."""
    seeds = [task for domain in domains for task in domain_seeds(domain, kinds, sandbox)]
    return identity_tasks(kinds, inputs, sandbox) + seeds


def domain_seeds(domain: Domain, kinds: Mapping[Kind, TaskKind], sandbox: "Sandbox") -> list[Task]:
    """A domain's seed tasks, verified by running them, and their twins."""
    about = domain.folder.about
    if not about.seeds:
        return []
    tasks = read_tasks(domain.folder.file(about.seeds, "seeds"), kinds, sandbox, domain.name)
    twins = [replace(task, kind=other) for task in tasks for other in _twins(task.kind, domain.kinds)]
    return tasks + twins


def identity_tasks(kinds: Mapping[Kind, TaskKind], inputs: int, sandbox: "Sandbox") -> list[Task]:
    """The identity task in each plain kind; `inputs`: of an induction task."""
    more = (str(number) for number in range(2, inputs))
    several = (*IDENTITY_INPUTS, *more)[:inputs]
    drafts = [
        (
            kind,
            Draft(
                program=IDENTITY_PROGRAM,
                inputs=several if kinds[kind].from_task else IDENTITY_INPUTS[:1],
                message=IDENTITY_MESSAGE if kinds[kind].from_task else "",
            ),
        )
        for kind in kinds
        if not kind.domain
    ]
    made = verify(drafts, kinds, sandbox)
    for (kind, _), task in zip(drafts, made, strict=True):
        if not isinstance(task, Task):
            raise ConfigError(f"kind {kind} rejects the identity program ({task}); every run begins with it as a task")
    return [task for task in made if isinstance(task, Task)]


def _fill(
    parts: Parts, kind: Kind, wanted: int, progress: Progress, review: Review, should_stop: Callable[[], bool]
) -> None:
    """Propose until the kind has enough seed tasks, not counting quarantined ones."""
    asked = valid = 0
    unread: list[Rejected] = []
    for turn in range(MAX_PASSES):
        progress(kind, min(parts.store.count(kind), wanted), wanted)
        missing = wanted - parts.store.count(kind)
        if missing <= 0:
            return
        purpose = f"seed/{kind}/{turn}"
        prompts = parts.ranks.first(lambda: propose_prompts(parts, kind, 0, purpose))  # noqa: B023  # called at once
        verdicts = validate(parts, ask(parts, prompts, 0, purpose), 0)
        asked, valid = asked + len(verdicts), valid + sum(isinstance(verdict, Valid) for verdict in verdicts)
        parts.ranks.first(lambda: _store(parts, verdicts, missing, review))  # noqa: B023  # called at once
        if turn < FIRST_PASSES:
            unread += [v for v in verdicts if isinstance(v, Rejected) and v.reason is Reason.UNPARSEABLE]
            readable = 1.0 - len(unread) / max(asked, 1)
            if turn + 1 == FIRST_PASSES and readable < parts.config.seeding.least_readable:
                raise RunError(_unreadable(parts, kind, asked, unread))
        if should_stop():
            raise SeedingStopped
    if parts.store.count(kind) < wanted:
        raise RunError(_poor(parts, kind, wanted, asked, valid, verdicts))


def _store(parts: Parts, verdicts: Sequence[Valid | Rejected], missing: int, review: Review) -> None:
    """Store new tasks, up to the missing number; pooled kinds share them, unless quarantined."""
    settled: list[Valid | Rejected] = []
    fresh: list[Task] = []
    for verdict in verdicts:
        if isinstance(verdict, Valid) and len(fresh) < missing:
            (verdict,) = parts.store.admit([verdict])
            if isinstance(verdict, Valid) and verdict.duplicate_of is None:
                fresh.append(verdict.task)
        settled.append(verdict)
    held = review(settled)
    shared = [task for task in fresh if task.id not in held]
    parts.store.add([replace(task, kind=kind, id=None) for task in shared for kind in _twins(task.kind, parts.kinds)])


def _twins(kind: Kind, kinds: Iterable[Kind]) -> list[Kind]:
    """The domain's other kinds for which this program and input make a task."""
    if kind.base not in POOLED:
        return []
    return [other.of(kind.domain) for other in POOLED if other is not kind.base and other.of(kind.domain) in kinds]


def _unreadable(parts: Parts, kind: Kind, asked: int, unread: Sequence[Rejected]) -> str:
    """What a model whose proposals cannot be read did instead, and which settings to try."""
    reasons = Counter(v.detail.partition(":")[0] for v in unread).most_common(3)
    example = unread[-1].proposal.completion
    sampling, template = parts.config.sampling.of(Role.PROPOSE), parts.renderer.template.name
    other = "chat" if template == "think" else "think"
    cut = sum(not v.proposal.completion.finished for v in unread)
    tries = [f"--set prompt.template={other}"] if template in ("think", "chat") else []
    if 2 * cut > len(unread):
        tries.insert(0, f"--set sampling.max_tokens={2 * sampling.max_tokens}")
    tries += ["--set sampling.temperature=0.7", "--set seeding.path=SEEDS.jsonl", "--set seeding.least_readable=0"]
    return (
        f"seeding {kind}: {asked - len(unread)} of {asked} proposals could be read, fewer than seeding.least_readable"
        f" asks for. The commonest reasons: {', '.join(f'{reason} ({count})' for reason, count in reasons)}."
        f" {cut} of them were cut at sampling.max_tokens = {sampling.max_tokens}. The last one:\n"
        f"{visible(example.text, EXAMPLE_CHARACTERS)}\n"
        "Look at more of them with `azr train --try`. What may help, one at a time:\n  " + "\n  ".join(tries)
    )


def _poor(parts: Parts, kind: Kind, wanted: int, asked: int, valid: int, last: Sequence[Valid | Rejected]) -> str:
    reasons = sorted({str(verdict.reason) for verdict in last if isinstance(verdict, Rejected)})
    return (
        f"seeding {kind}: {parts.store.count(kind)} of {wanted} after {asked} proposals, of which {valid} were valid"
        f" (the last ones failed by: {', '.join(reasons) or 'being duplicates'}). The model is too weak for this"
        " template, or too uniform; lower seeding.factor, give seeding.path, or take another model."
    )
