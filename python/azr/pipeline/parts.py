"""The context of the stages: made once before the first step, and passed to every stage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from azr.config import Config
from azr.config.lineage import template_of
from azr.config.mixture import folders
from azr.distributed.ranks import ONE, Ranks
from azr.distributed.store import over
from azr.domains.domain import Domain, all_texts, make_domain
from azr.errors import ConfigError
from azr.rewards import PROPOSER, SOLVER, TERMS, ProposerReward, SolverReward
from azr.rollouts import Engine, Sampling
from azr.tasks import KindOptions, TaskKind, make_kinds
from azr.tasks.render import Renderer
from azr.tasks.static_filter import StaticFilter
from azr.tasks.templates import Chat, Form, Template, Terse, Think
from azr.types import Kind, Role, Task
from azr.util.randomness import derive
from azr.util.registry import resolve

if TYPE_CHECKING:
    from azr.buffer.store import Store
    from azr.rollouts import Tokenizer
    from azr.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewards:
    """The config's reward functions, resolved."""

    proposer: ProposerReward
    solver: SolverReward
    terms: tuple[ProposerReward, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of one run."""

    config: Config
    kinds: Mapping[Kind, TaskKind]
    """Plain kinds, and those of the run's domains."""
    renderer: Renderer
    plain_filter: StaticFilter
    """For programs over plain Python."""
    domains: tuple[Domain, ...] = ()
    rewards: Rewards
    engine: Engine
    sandbox: "Sandbox"
    store: "Store"
    ranks: Ranks = ONE

    def apart(self) -> "Parts":
        """The same parts for a second thread, with its own connections to other ranks."""
        ranks = self.ranks.apart()
        return replace(self, ranks=ranks, store=over(self.store, ranks))

    def static_filter(self, domain: str) -> StaticFilter:
        """The filter for a domain's programs; the plain one for plain Python."""
        return next((found.static_filter for found in self.domains if found.name == domain), self.plain_filter)

    def sampling(self, step: int, purpose: str, role: Role = Role.SOLVE) -> Sampling:
        """The config's sampling settings for a role, with a seed for this step and purpose."""
        given = self.config.sampling.of(role)
        return Sampling(
            seed=derive(self.config.seed, step, purpose),
            temperature=given.temperature,
            top_p=given.top_p,
            top_k=given.top_k,
            max_tokens=given.max_tokens,
        )


def make_rewards(config: Config) -> Rewards:
    """Resolve the reward functions; a wrong name fails before any model is loaded."""
    given = config.reward
    return Rewards(
        proposer=resolve(PROPOSER, given.proposer.name, "reward.proposer.name"),
        solver=resolve(SOLVER, given.solver.name, "reward.solver.name"),
        terms=tuple(resolve(TERMS, term.name, "reward.proposer.terms") for term in given.proposer.terms),
    )


def make_template(config: Config, tokenizer: "Tokenizer", tags: Sequence[str] = ()) -> Template:
    """The outer form of conversations. `auto`: the template that the model was trained with, or the paper's text."""
    name: str = config.prompt.template
    if name == "auto":
        name = "think" if config.engine.name == "scripted" else template_of(config.model.name)
    given = config.prompt
    if name == "terse":
        if given.words != "full" or given.opening or given.examples:
            raise ConfigError(
                "prompt.words, prompt.opening and prompt.examples are for templates of words, which terse is not"
            )
        return Terse(tags)
    form = Form(short=given.words == "short", opened=given.opening)
    return Chat(tokenizer.chat, tags, form) if name == "chat" else Think(tags, form)


def make_task_kinds(config: Config) -> dict[Kind, TaskKind]:
    """Every plain kind, with the config's options."""
    return make_kinds(_options(config))


def make_domains(config: Config, make_sandbox: "Callable[[Mapping[str, str]], Sandbox]") -> tuple[Domain, ...]:
    """The config's domains, each with a sandbox that has its modules."""
    programs, options = make_static_filter(config), _options(config)
    return tuple(make_domain(folder, options, programs, make_sandbox) for folder in folders(config))


def all_kinds(config: Config, domains: Sequence[Domain]) -> dict[Kind, TaskKind]:
    """Plain kinds and those of the domains."""
    kinds = make_task_kinds(config)
    for domain in domains:
        kinds |= domain.kinds
    return kinds


def make_renderer(
    config: Config, tokenizer: "Tokenizer", domains: Sequence[Domain], examples: Sequence[Task] = ()
) -> Renderer:
    """The prompts of a run. `examples`: of `prompt.examples`."""
    template = make_template(config, tokenizer, [tag for domain in domains for tag in domain.tags])
    kinds = all_kinds(config, domains)
    return Renderer(
        template, kinds, tokenizer.encode, config.tasks.banned_imports, all_texts(domains), examples=examples,
        count=config.prompt.examples,
    )  # fmt: skip


def _options(config: Config) -> KindOptions:
    tasks = config.tasks
    return KindOptions(inputs=tasks.inputs, strict=tasks.comparison == "strict", induction_score=tasks.induction_score)


def make_static_filter(config: Config) -> StaticFilter:
    """The config's filter of plain programs."""
    tasks = config.tasks
    return StaticFilter(
        banned=tasks.banned_imports,
        allowed=tasks.allowed_imports,
        several_definitions=tasks.several_definitions,
        max_chars=tasks.max_program_chars,
    )
