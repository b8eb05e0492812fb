"""A loaded domain: its kinds, its sandbox with its modules, its static filter and its prompts."""

import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from azr.config.domain import ALL
from azr.config.domain_files import DomainFolder
from azr.domains.kind import DomainKind, Rules
from azr.domains.protocol import NewKind, OwnBlocks
from azr.domains.types import MODULE, module_source
from azr.errors import DomainError, SandboxError
from azr.tasks import KINDS, KindOptions
from azr.tasks.base import TaskForm
from azr.tasks.render import Texts
from azr.tasks.static_filter import StaticFilter
from azr.tasks.templates import load_text
from azr.types import Kind, Role
from azr.util.registry import load_module

if TYPE_CHECKING:
    from azr.sandbox import Sandbox

WORDED = "fenced"
"""Syntax of the templates with words, to which prompt additions apply."""
MEMBERS = (
    "propose_slots", "show", "parse_proposal", "outputs", "solve_slots", "parse_answer", "check",
)  # fmt: skip
"""Members that a new kind's class must have besides `from_task`, `propose_text` and `solve_text`."""

MakeSandbox = Callable[[Mapping[str, str]], "Sandbox"]
"""From guest modules by name to a sandbox with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What a run needs of one domain."""

    folder: DomainFolder
    kinds: Mapping[Kind, DomainKind]
    static_filter: StaticFilter
    sandbox: "Sandbox"
    texts: Texts
    tags: tuple[str, ...]
    """Tags of blocks that only its kinds have."""

    @property
    def name(self) -> str:
        return self.folder.name


def make_domain(folder: DomainFolder, options: KindOptions, plain: StaticFilter, make_sandbox: MakeSandbox) -> Domain:
    """Load a domain. Its modules are loaded into its own guest once.

    Args:
        plain: the run's static filter, which the domain narrows.

    Raises:
        DomainError: a file, a class or a module cannot be used; names the domain and the key.
    """
    about = folder.about
    try:
        sandbox = make_sandbox(guest_modules(folder))
    except SandboxError as error:
        if error.code != "bad_module":
            raise
        raise DomainError(f"domain {folder.name}: modules: {error}") from error
    allowed = allowed_programs(folder, plain)
    verified = about.verifier.kinds or about.kind_names if about.verifier else ()
    verifier = folder.text(about.verifier.file, "verifier.file") if about.verifier else None
    quality = folder.text(about.quality.file, "quality.file") if about.quality else None
    plain_kinds: dict[str, TaskForm] = {name: KINDS[Kind(name)](options) for name in about.kinds}
    new_kinds = {name: new_kind(folder, name)(options) for name in about.new_kinds}
    inner: dict[str, TaskForm] = {**plain_kinds, **new_kinds}
    kinds = {}
    for name, kind in inner.items():
        rules = Rules(
            sandbox=sandbox,
            typed=bool(about.types),
            banned=", ".join(allowed.banned),
            verifier=verifier if name in verified else None,
            quality=quality,
            minimum=about.quality.minimum if about.quality else 0.0,
        )
        kinds[Kind(name).of(folder.name)] = DomainKind(Kind(name).of(folder.name), kind, rules)
    return Domain(
        folder=folder, kinds=kinds, static_filter=allowed, sandbox=sandbox, texts=_texts(folder, new_kinds, allowed),
        tags=tuple(sorted({tag for kind in new_kinds.values() if isinstance(kind, OwnBlocks) for tag in kind.tags})),
    )  # fmt: skip


def guest_modules(folder: DomainFolder) -> dict[str, str]:
    """Source of every module in the domain's guest, by name."""
    about = folder.about
    modules = {name: folder.text(file, f"modules.{name}") for name, file in about.modules.items()}
    return modules | ({MODULE: module_source(about.types)} if about.types else {})


def allowed_programs(folder: DomainFolder, plain: StaticFilter) -> StaticFilter:
    """The run's filter with the domain's imports: its own modules, and those on its allow-list."""
    about = folder.about
    listed = plain.allowed if about.allowed_imports is None else about.allowed_imports
    strict = bool(plain.allowed) or about.allowed_imports is not None
    own = tuple(about.modules)
    return StaticFilter(
        banned=tuple(name for name in plain.banned if name not in {*own, *listed}) if strict else plain.banned,
        allowed=(*own, *listed) or ("",) if strict else (),
        several_definitions=plain.several_definitions,
        max_chars=plain.max_chars,
    )


def new_kind(folder: DomainFolder, name: str) -> Callable[[KindOptions], NewKind]:
    """The class of a kind that only this domain knows."""
    what = f"domain {folder.name}: new_kinds.{name} = {folder.about.new_kinds[name]!r}"
    module, colon, attribute = folder.about.new_kinds[name].partition(":")
    if not colon:
        raise DomainError(f"{what}: expected file.py:Class or module:Class")
    try:
        place = str(folder.file(module, f"new_kinds.{name}")) if module.endswith(".py") else module
        found = getattr(load_module(place), attribute)
    except (ImportError, AttributeError, SyntaxError) as error:
        raise DomainError(f"{what}: {error}") from error
    lacking = [member for member in (*MEMBERS, "from_task", "propose_text", "solve_text") if not hasattr(found, member)]
    if not isinstance(found, type) or lacking:
        hint = "; outputs(results) replaces materialise" if hasattr(found, "materialise") else ""
        raise DomainError(f"{what} is no kind: it lacks {', '.join(lacking) or 'being a class'}{hint}")
    return found


def _texts(folder: DomainFolder, new_kinds: Mapping[str, NewKind], allowed: StaticFilter) -> Texts:
    texts = {}
    for name in folder.about.kind_names:
        whole = Kind(name).of(folder.name)
        for role in Role:
            added = _additions(folder, name, role, allowed)
            if name in new_kinds:
                body = new_kinds[name].propose_text if role is Role.PROPOSE else new_kinds[name].solve_text
                texts["terse", role, whole] = string.Template(body)
            else:
                body = load_text(f"{WORDED}/{role}_{name}").template
                # The terse texts have no words, so they have no additions.
                texts["terse", role, whole] = load_text(f"terse/{role}_{name}")
            texts[WORDED, role, whole] = string.Template(added + body)
    return texts


def _additions(folder: DomainFolder, name: str, role: Role, allowed: StaticFilter) -> str:
    """Prompt additions: for all kinds, for this one, and the allowed imports."""
    about = folder.about
    given = [about.prompts[key].of(role) for key in (ALL, name) if key in about.prompts]
    if role is Role.PROPOSE and name in about.kinds and allowed.allowed:
        given.append(f"The program may import nothing but: {', '.join(allowed.allowed)}.".replace("but: .", "at all."))
    parts = [text.strip().replace("$", "$$") for text in given if text.strip()]
    return "".join(part + "\n\n" for part in parts)


def all_texts(domains: Sequence[Domain]) -> Texts:
    """The prompt texts of several domains."""
    return {key: text for domain in domains for key, text in domain.texts.items()}
