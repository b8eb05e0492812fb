"""A run over several domains: kinds to train, kinds to probe only, and each one's share of a step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azr.config.domain import PYTHON
from azr.config.domain_files import DomainFolder, find, read
from azr.config.schema import Config, DomainConfig, TasksConfig
from azr.errors import DomainError
from azr.types import Kind

PLAIN_KINDS = TasksConfig().kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Each kind's share of a step."""

    proposals: Mapping[Kind, int]
    answers: Mapping[Kind, int]
    """Tasks that the solver trains on."""


def with_domains(config: Config, folder: Path, kinds_given: bool) -> Config:
    """The config with every domain found, named and fingerprinted, and `tasks.kinds` filled in if it was left out.

    Raises:
        DomainError: one cannot be found, has changed since the run began, or does not fit the others.
    """
    found = [_settle(given, folder) for given in config.domains]
    names = [given.name for given, _ in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DomainError(f"domains: {', '.join(twice)} is listed more than once")
    trained = [kind for given, kinds in found if given.weight > 0 for kind in kinds]
    if not trained:
        raise DomainError("domains: at least one needs a weight above 0, or nothing is trained")
    chosen = config.tasks.kinds if kinds_given else tuple(trained)
    _agree(chosen, found)
    tasks = config.tasks.model_copy(update={"kinds": chosen})
    return config.model_copy(update={"tasks": tasks, "domains": tuple(given for given, _ in found)})


def folders(config: Config) -> list[DomainFolder]:
    """The domains of a resolved config, in order, without plain Python."""
    return [read(find(given.path, given.name)) for given in config.domains if not given.plain]


def probed_kinds(config: Config) -> tuple[Kind, ...]:
    """Kinds that the probe scores: those that are trained, and those of domains with weight 0."""
    more: list[Kind] = []
    for given in config.domains:
        if given.weight == 0:
            more += PLAIN_KINDS if given.plain else read(find(given.path, given.name)).kinds
    return (*config.tasks.kinds, *(kind for kind in more if kind not in config.tasks.kinds))


def shares(config: Config) -> Shares:
    """Each kind's share of a step: `batch` times the number of kinds, split over domains by weight and evenly over
    kinds.

    Rounded to whole numbers by the largest remainder; every kind gets at least one.
    """
    weights = _weights(config)
    return Shares(
        proposals=_split(weights, config.propose.batch * len(weights)),
        answers=_split(weights, config.solve.batch * len(weights)),
    )


def _settle(given: DomainConfig, folder: Path) -> tuple[DomainConfig, tuple[Kind, ...]]:
    """A domain with its name, its absolute path and its kinds."""
    if given.plain:
        return given, PLAIN_KINDS
    path = str((folder / given.path).resolve()) if given.path else ""
    domain = read(find(path, given.name))
    if given.name and given.name != domain.name:
        raise DomainError(f"domains: {given.path or given.name} is called {domain.name!r}, not {given.name!r}")
    if given.fingerprint and given.fingerprint != domain.fingerprint:
        raise DomainError(
            f"the domain {domain.name} at {domain.path} has changed since the run began: put its files back as they"
            " were, or start a new run"
        )
    update = {"path": path, "name": domain.name, "fingerprint": domain.fingerprint}
    return given.model_copy(update=update), domain.kinds


def _agree(chosen: Sequence[Kind], found: Sequence[tuple[DomainConfig, tuple[Kind, ...]]]) -> None:
    """Check that every chosen kind has a domain with a weight, and the reverse."""
    home = {kind: given for given, kinds in found for kind in kinds}
    for kind in chosen:
        if kind.domain and kind not in home:
            known = ", ".join(sorted(kind for kind in home if kind.domain))
            raise DomainError(f"tasks.kinds: no domain of this run has {kind}; there are {known}")
        if kind in home and home[kind].weight == 0:
            raise DomainError(f"tasks.kinds: {kind} cannot be trained, its domain has weight 0")
    for given, _ in found:
        name = "" if given.plain else given.name
        if given.weight > 0 and not any(kind.domain == name for kind in chosen):
            raise DomainError(f"tasks.kinds: none is of the domain {given.name}; give it weight 0 to only probe it")


def _weights(config: Config) -> dict[Kind, float]:
    """The weight of each trained kind."""
    given = {("" if domain.name == PYTHON else domain.name): domain.weight for domain in config.domains}
    kinds = config.tasks.kinds
    counts = {kind.domain: sum(other.domain == kind.domain for other in kinds) for kind in kinds}
    # Without domains all kinds have the same weight, so each gets its batch.
    return {kind: given.get(kind.domain, 1.0) / counts[kind.domain] if given else 1.0 for kind in kinds}


def _split(weights: Mapping[Kind, float], total: int) -> dict[Kind, int]:
    whole = sum(weights.values())
    exact = {kind: total * weight / whole for kind, weight in weights.items()}
    share = {kind: max(1, int(value)) for kind, value in exact.items()}
    by_remainder = sorted(exact, key=lambda kind: int(exact[kind]) - exact[kind])
    for kind in by_remainder[: max(0, total - sum(share.values()))]:
        share[kind] += 1
    return share
