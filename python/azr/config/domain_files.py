"""The files of a domain: found by path or entry point, read once, never executed."""

import hashlib
import tomllib
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from pydantic import ValidationError

from azr.config.domain import DomainFile
from azr.config.explain import explain
from azr.errors import DomainError
from azr.types import Kind

TOML = "domain.toml"
GROUP = "azr.domains"
"""Entry points of this group name installed domains: `tables = "my_package.tables"`, a package with a domain.toml."""
IGNORED = {"__pycache__", ".git"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFolder:
    """A domain's folder."""

    path: Path
    about: DomainFile
    fingerprint: str
    """Hash of all files of the domain."""

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """All its kinds, under their names in a run."""
        return tuple(Kind(name).of(self.name) for name in self.about.kind_names)

    def text(self, file: str, what: str) -> str:
        """The text of one of its files. `what`: the key that names it, for errors."""
        path = self.file(file, what)
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DomainError(f"domain {self.name}: {what} = {file!r} cannot be read: {error}") from error

    def file(self, file: str, what: str) -> Path:
        """The path of one of its files; never outside of its folder."""
        path = (self.path / file).resolve()
        if not path.is_relative_to(self.path.resolve()):
            raise DomainError(f"domain {self.name}: {what} = {file!r} lies outside of the domain's folder")
        return path


def find(path: str, name: str) -> Path:
    """The folder of a domain: `path`, or that of the installed domain called `name`.

    Raises:
        DomainError: there is none; the text says what was looked for.
    """
    if path:
        folder = Path(path)
        if not (folder / TOML).is_file():
            raise DomainError(f"no domain at {folder}: it has no {TOML} (make one by `azr domain new`)")
        return folder
    installed = {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}
    if name not in installed:
        known = f"installed are {', '.join(sorted(installed))}" if installed else "none is installed"
        raise DomainError(f"no domain called {name!r}: {known}; give its path, or install its package")
    try:
        spec = util.find_spec(installed[name])
    except (ImportError, ValueError) as error:
        raise DomainError(f"the installed domain {name!r} ({installed[name]}): {error}") from error
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        if (Path(place) / TOML).is_file():
            return Path(place)
    raise DomainError(f"the installed domain {name!r} ({installed[name]}) is no package with a {TOML}")


def read(folder: Path) -> DomainFolder:
    """Read a domain's `domain.toml` and fingerprint its files.

    Raises:
        DomainError: names the key and what is allowed.
    """
    source = folder / TOML
    try:
        values = tomllib.loads(source.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DomainError(f"cannot read {source}: {error}") from error
    try:
        about = DomainFile.model_validate(values)
    except ValidationError as error:
        raise DomainError(f"{source}: " + "; ".join(explain(item, DomainFile) for item in error.errors())) from error
    return DomainFolder(path=folder, about=about, fingerprint=_fingerprint(folder, about))


def _fingerprint(folder: Path, about: DomainFile) -> str:
    """A hash of `domain.toml` and the files that it names. A README or a test does not count."""
    named = {TOML, about.seeds, about.heldout, *about.modules.values()}
    named |= {kind.split(":")[0] for kind in about.new_kinds.values() if kind.split(":")[0].endswith(".py")}
    named |= {section.file for section in (about.verifier, about.quality) if section}
    digest = hashlib.sha256()
    for name in sorted(named - {""}):
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
