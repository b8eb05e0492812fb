#!/usr/bin/env python3
"""Whether this is ready to be released. Prints each check, and fails where one does.

    python3 tools/release_check.py [--tag v0.1.0] [--quick]    all of them; --quick builds nothing
    python3 tools/release_check.py --notes                     the newest section of CHANGELOG.md
    python3 tools/release_check.py --released CRATE            whether the registry has the crate: 0 if so

Runs in the environment that `make release-check` makes, with cargo and git at hand.
"""

import argparse
import datetime
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_WHEEL = 40 * 10**6
MOST_CRATE = 10 * 10**6
CRATES = ("azr-wire", "azr-sandbox-build", "azr-sandbox", "azr-buffer")
HEADING = re.compile(r"^## \[?(\d+\.\d+\.\d+)\]? - (\S+)$", re.MULTILINE)


class Wrong(Exception):
    """A check failed: why, in one line."""


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """What a command prints; a failure is the check's."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise Wrong(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def cargo() -> dict[str, object]:
    """The workspace's manifest."""
    return tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]  # type: ignore[no-any-return]


def version() -> str:
    """The version, from the one place that has it."""
    return str(cargo()["package"]["version"])  # type: ignore[index]


def one_version() -> str:
    """All that Cargo and people are told follows the workspace's version."""
    wanted = version()
    told = {
        f"Cargo.toml: {name}": one["version"]
        for name, one in cargo()["dependencies"].items()  # type: ignore[attr-defined]
        if "path" in one
    }
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))
    told |= {f"Cargo.lock: {one['name']}": one["version"] for one in lock["package"] if "source" not in one}
    cited = re.search(r'^version: "?([^"\n]+)"?$', (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    told["CITATION.cff"] = cited[1] if cited else "none"
    differ = {place: found for place, found in told.items() if found != wanted}
    if differ:
        raise Wrong(f"Cargo.toml says {wanted}, but {differ}")
    return wanted


def changelog() -> str:
    """The newest section is this version's, with a date that has come."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    newest = HEADING.search(text)
    if newest is None or newest[1] != version():
        raise Wrong(f"CHANGELOG.md's newest section is not `## {version()} - DATE`")
    try:
        date = datetime.date.fromisoformat(newest[2])
    except ValueError:
        raise Wrong(f"CHANGELOG.md: {newest[2]} is no date") from None
    if date > datetime.datetime.now(datetime.UTC).date():
        raise Wrong(f"CHANGELOG.md: {date} has not come")
    if not notes().strip():
        raise Wrong("CHANGELOG.md's newest section is empty")
    return str(date)


def notes() -> str:
    """What the newest section says."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = list(HEADING.finditer(text))
    return text[headings[0].end() : headings[1].start() if len(headings) > 1 else len(text)] if headings else ""


def tag(name: str | None) -> str:
    """The tag is the version's, and this commit's."""
    if name is None:
        return "none asked for"
    if name != f"v{version()}":
        raise Wrong(f"the tag is {name}, the version {version()}")
    if run("git", "rev-parse", f"{name}^{{commit}}") != run("git", "rev-parse", "HEAD"):
        raise Wrong(f"{name} is another commit than this")
    return name


def clean() -> str:
    """What is built is what is committed."""
    changed = run("git", "status", "--porcelain").strip()
    if changed:
        raise Wrong(f"not committed: {changed.splitlines()[:5]}")
    return "all is committed"


def readme() -> str:
    """PyPI shows the README: it renders, links lead somewhere, and every badge is a workflow of ours."""
    text = (ROOT / "README.md").read_text("utf-8")
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in link and not link.startswith("#") and not (ROOT / link.split("#")[0]).exists():
            raise Wrong(f"README.md: {link} is nowhere")
    for workflow in re.findall(r"actions/workflows/([\w.-]+\.yml)", text):
        if not (ROOT / ".github" / "workflows" / workflow).exists():
            raise Wrong(f"README.md: a badge of {workflow}, which is no workflow")
    return "links and badges lead somewhere"


def licences() -> str:
    """Both lock files hold to deny.toml, and the licences that are named are there."""
    run(sys.executable, ROOT / "rust" / "deny.py")
    for file in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license-files"]:
        if not (ROOT / file).exists():
            raise Wrong(f"{file} is nowhere")
    return "as deny.toml wants"


def guest() -> str:
    """The guest was built from these sources."""
    run("bash", ROOT / "rust" / "guest" / "check.sh")
    return "of these sources"


def archive() -> str:
    """The source archive alone builds a wheel, whose metadata is right and whose size is bounded."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(sys.executable, "-m", "maturin", "sdist", "--out", folder)
        [packed] = folder.glob("*.tar.gz")
        with tarfile.open(packed) as content:
            content.extractall(folder, filter="data")
        [source] = [one for one in folder.iterdir() if one.is_dir()]
        # Apart from this repository, but with its compiled dependencies: they are the same by Cargo.lock.
        run(sys.executable, "-m", "maturin", "build", "--release", "--locked", "--out", folder / "wheels",
            "--target-dir", ROOT / "target", folder=source)  # fmt: skip
        [wheel] = (folder / "wheels").glob("*.whl")
        if wheel.stat().st_size > MOST_WHEEL:
            raise Wrong(f"{wheel.name} has {wheel.stat().st_size} bytes, more than {MOST_WHEEL}")
        run(sys.executable, "-m", "twine", "check", "--strict", packed, wheel)
        return f"{packed.name} {packed.stat().st_size / 1e6:.1f} MB, {wheel.name} {wheel.stat().st_size / 1e6:.1f} MB"


def crates() -> str:
    """Every crate packs what it needs and fits the registry; they build from what they pack."""
    run("cargo", "package", "--locked", "--allow-dirty", *(part for name in CRATES for part in ("-p", name)))
    sizes = []
    for name in CRATES:
        packed = ROOT / "target" / "package" / f"{name}-{version()}.crate"
        if packed.stat().st_size > MOST_CRATE:
            raise Wrong(f"{packed.name} has {packed.stat().st_size} bytes, more than the registry takes")
        sizes.append(f"{name} {packed.stat().st_size / 1e6:.2f} MB")
    return ", ".join(sizes)


def benchmarks() -> str:
    """This version has been measured, and nothing is worse than it was by more than noise."""
    return run(sys.executable, ROOT / "benchmarks" / "history.py", "--check", version()).strip()


def checks(given: argparse.Namespace) -> list[tuple[str, Callable[[], str]]]:
    """All of them, cheap ones first."""
    quick: list[tuple[str, Callable[[], str]]] = [
        ("version", one_version),
        ("changelog", changelog),
        ("tag", lambda: tag(given.tag)),
        ("readme", readme),
        ("licences", licences),
        ("guest", guest),
        ("benchmarks", benchmarks),
    ]
    return quick if given.quick else [*quick, ("clean", clean), ("crates", crates), ("archive", archive)]


def released(crate: str) -> bool:
    """Whether the registry has any version of the crate."""
    # Asked from outside the workspace, which has a crate of that name.
    command = ["cargo", "info", "--quiet", crate]
    asked = subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True)
    if asked.returncode != 0 and "could not find" not in asked.stderr:
        raise Wrong(asked.stderr.strip())
    return asked.returncode == 0


def main() -> int:
    """All checks, and how many failed."""
    parser = argparse.ArgumentParser(description="Is this ready to be released?")
    parser.add_argument("--tag")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--notes", action="store_true")
    parser.add_argument("--released", metavar="CRATE")
    given = parser.parse_args()
    if given.notes:
        print(notes().strip())
        return 0
    if given.released:
        there = released(given.released)
        print(f"{given.released}: {'released' if there else 'never released, so there is nothing to compare with'}")
        return 0 if there else 1
    failed = 0
    for name, check in checks(given):
        try:
            print(f"ok      {name:<11} {check()}", flush=True)
        except Wrong as wrong:
            failed += 1
            print(f"FAILED  {name:<11} {wrong}", flush=True)
    print(json.dumps({"version": version(), "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
