"""Pure-Python packages out of wheels, as modules of a sandbox.

A wheel is opened only if its bytes have the hash that the caller names. Nothing of it is written to disk or imported by
this process: its sources go to the guest as texts. What is read of it is bounded, whatever its headers say.
"""

import base64
import hashlib
import io
import keyword
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.util import decode_source
from pathlib import Path
from typing import Final

from azr.errors import SandboxError

MOST_WHEEL: Final = 16 << 20
"""Bytes of a wheel."""
MOST_BYTES: Final = 16 << 20
"""Bytes of all that is in a wheel, unpacked."""
MOST_FILES: Final = 10_000
MOST_LEFT_OUT: Final = 100
"""Modules that cannot be imported, before the packages are given up."""

NATIVE: Final = (".so", ".pyd", ".dll", ".dylib")
# Of types, which no program sees.
FOR_CHECKERS: Final = (".pyi", "py.typed")
BAD_MODULE: Final = re.compile(r"module `([^`, ]+)`, line (\d+): (.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of pure Python: its file, and the SHA-256 of its bytes in hex, as lock files have it."""

    file: str | Path
    sha256: str

    def sources(self) -> "Sources":
        """What is in it.

        Raises:
            SandboxError: code bad_package: another hash, not a wheel of pure Python, damaged, or too large.
        """
        name = Path(self.file).name
        try:
            with open(self.file, "rb") as file:
                data = file.read(MOST_WHEEL + 1)
        except OSError as error:
            raise _bad(name, f"cannot be read: {error.strerror}") from error
        if len(data) > MOST_WHEEL:
            raise _bad(name, f"has more than {MOST_WHEEL} bytes")
        found = hashlib.sha256(data).hexdigest()
        if found != self.sha256.lower().removeprefix("sha256:"):
            raise _bad(name, f"has the SHA-256 {found}, not {self.sha256}")
        return _read(name, data)


@dataclass(frozen=True, slots=True)
class Sources:
    """What of wheels a program can import, and by name what it cannot, with the reason."""

    modules: dict[str, str]
    left_out: dict[str, str]


def gather(wheels: Iterable[Wheel]) -> Sources:
    """What is in all of them.

    Raises:
        SandboxError: code bad_package: one cannot be used, or two bring one module.
    """
    whole = Sources({}, {})
    for wheel in wheels:
        one = wheel.sources()
        if twice := whole.modules.keys() & one.modules.keys():
            raise _bad(Path(wheel.file).name, f"brings `{min(twice)}`, which another wheel has brought")
        whole.modules.update(one.modules)
        whole.left_out.update(one.left_out)
    return whole


def importable(sources: Sources, load: Callable[[dict[str, str]], None]) -> Sources:
    """Those modules that `load` imports together. One that it cannot import is left out, with the reason.

    Raises:
        SandboxError: code bad_package: a whole package cannot be imported, or very many of their modules.
    """
    modules, left_out = dict(sources.modules), dict(sources.left_out)
    failed: list[str] = []
    while True:
        try:
            load(modules)
            return Sources(modules, left_out)
        except SandboxError as error:
            found = BAD_MODULE.fullmatch(str(error))
            if error.code != "bad_module" or found is None or found[1] not in sources.modules:
                raise
            name, reason = found[1], f"line {found[2]}: {found[3]}"
        failed.append(f"`{name}`, {reason}")
        if "." not in name:
            raise SandboxError(f"the package cannot be imported: {'; '.join(failed[::-1])}", "bad_package")
        if len(failed) > MOST_LEFT_OUT:
            raise SandboxError(f"many modules cannot be imported: {'; '.join(failed[:3])} ...", "bad_package")
        # A package goes with what is in it: the guest makes an empty one for a module without its package.
        for one in [one for one in modules if one == name or one.startswith(name + ".")]:
            left_out[one] = reason if one == name else f"`{name}` cannot be imported"
            del modules[one]


def _bad(wheel: str, why: str) -> SandboxError:
    return SandboxError(f"{wheel} {why}", "bad_package")


def _read(wheel: str, data: bytes) -> Sources:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            contents = _contents(wheel, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise _bad(wheel, f"is damaged: {error}") from error
    _vouched(wheel, contents)
    modules: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for path, content in contents.items():
        place = _importable_place(path)
        if place is None or place.endswith(FOR_CHECKERS):
            continue
        name = _module(place)
        if name is None:
            left_out[place] = "no module: programs cannot read it"
        elif name.rpartition(".")[2] == "__main__":
            left_out[name] = "a program of its own, not imported"
        elif name in modules:
            raise _bad(wheel, f"has `{name}` twice")
        else:
            try:
                modules[name] = decode_source(content)
            except (SyntaxError, UnicodeDecodeError) as error:
                left_out[name] = f"cannot be decoded: {error}"
        # The guest takes what has a module below it for a package: one without any could not import relatively.
        if name in modules and place.endswith("/__init__.py"):
            modules[f"{name}.__init__"] = ""
    if not modules:
        raise _bad(wheel, "has no modules")
    return Sources(dict(sorted(modules.items())), left_out)


def _contents(wheel: str, archive: zipfile.ZipFile) -> dict[str, bytes]:
    """All files, by their paths. What headers say of sizes is not believed."""
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise _bad(wheel, f"has more than {MOST_FILES} files")
    contents: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in entries:
        path = entry.filename
        if path.startswith("/") or "\\" in path or ".." in path.split("/") or ":" in path:
            raise _bad(wheel, f"has a file outside of it: {path!r}")
        if path in contents:
            raise _bad(wheel, f"has {path!r} twice")
        if entry.flag_bits & 1:
            raise _bad(wheel, f"has {path!r} encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _bad(wheel, f"has {path!r} packed in another way than wheels are")
        if path.endswith(NATIVE):
            raise _bad(wheel, f"is not pure Python: it has native code, {path!r}")
        if entry.is_dir():
            continue
        with archive.open(entry) as file:
            contents[path] = file.read(left + 1)
        left -= len(contents[path])
        if left < 0:
            raise _bad(wheel, f"unpacks to more than {MOST_BYTES} bytes")
    return contents


def _vouched(wheel: str, contents: dict[str, bytes]) -> None:
    """The wheel says that it is pure, and its RECORD has each file with this hash."""
    folders = {path.split("/")[0] for path in contents if path.split("/")[0].endswith(".dist-info")}
    if len(folders) != 1:
        raise _bad(wheel, f"is no wheel: it has {len(folders)} folders .dist-info, not one")
    [folder] = folders
    about = HeaderParser().parsestr(contents.get(f"{folder}/WHEEL", b"").decode("utf-8", "replace"))
    if about.get("Root-Is-Purelib", "").strip().lower() != "true":
        raise _bad(wheel, "is not pure Python: Root-Is-Purelib is not true")
    record = contents.get(f"{folder}/RECORD", b"").decode("utf-8", "replace")
    # Path, hash, size; a path with a comma or a quote is quoted.
    rows = [re.fullmatch(r'(?:"((?:[^"]|"")*)"|([^",]*)),([^,]*),\d*', line) for line in record.splitlines()]
    hashes = {(row[1].replace('""', '"') if row[1] is not None else row[2]): row[3] for row in rows if row}
    for path, content in contents.items():
        if path.rpartition("/")[2].startswith("RECORD") and path.startswith(f"{folder}/"):
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
        if hashes.get(path) != f"sha256={digest}":
            raise _bad(wheel, f"has {path!r}, of which its RECORD has not this hash")


def _importable_place(path: str) -> str | None:
    """Where a file of the wheel is installed among modules; None where it is not."""
    first, _, rest = path.partition("/")
    if first.endswith(".dist-info"):
        return None
    if not first.endswith(".data"):
        return path
    scheme, _, rest = rest.partition("/")
    return rest if scheme in ("purelib", "platlib") else None


def _module(place: str) -> str | None:
    """The dotted name of a source file; None for what is none."""
    stem, suffix = posixpath.splitext(place)
    parts = stem.split("/")
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    fits = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return ".".join(parts) if suffix == ".py" and fits else None
