"""`make adapters`: the adapters' tests with other trainers' own packages, the newest and the oldest that are supported.

    python tools/adapters.py [--only verifiers ...] [--torch ENVIRONMENT] [--sources FOLDER]

Each package and version has an environment of its own in target/adapters, kept between runs. A run of all writes what
was tested as a table into docs/trainer.md. `--torch`: an environment whose torch is used, in place of copies of it.
`--sources`: where GitHub cannot be reached, a folder with its repositories that are named here, such as prime-rl-TAG.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "python"))

from azr.grading.versions import SUPPORTED  # noqa: E402

PLACE = ROOT / "target" / "adapters"
PAGE = ROOT / "docs" / "trainer.md"
BEGIN, END = "<!-- adapters: written by make adapters -->", "<!-- end of adapters -->"
OWN = (
    "click>=8.1", "numpy>=1.26", "pydantic>=2.9", "rich>=13.7", "tomli-w>=1.0", "zstandard>=0.23", "radon>=6",
    "starlette>=0.46", "uvicorn>=0.34", "pyarrow>=18", "httpx>=0.27,<1", "pytest>=8", "pytest-timeout>=2.3",
    "hypothesis>=6",
)  # fmt: skip
"""What azr and its tests need, without torch."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """How a package is tested."""

    package: str
    tests: tuple[str, ...]
    more: tuple[str, ...] = ()
    """What the tests need beside it."""
    newest: tuple[str, ...] = ()
    """Tests of what the oldest version does not have."""
    more_newest: tuple[str, ...] = ()
    """What those need."""
    alone: "tuple[str, Archive] | None" = None
    """For those, a package without what it asks for: that is made for GPUs."""
    python: str = ""
    """Version of Python, where this one's does not do."""
    at: "Archive | None" = None
    """Where the package is, if it is not in the index."""
    tags: dict[str, str] = field(default_factory=dict)
    """There, by end: what is tested."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A package within a repository on GitHub. Archives, since a clone would take the repository's submodules along."""

    repository: str
    folder: str

    def requirement(self, package: str, tag: str, sources: Path | None) -> str:
        """As pip takes it."""
        if sources is not None:
            name = self.repository.partition("/")[2]
            return f"{package} @ {(sources / f'{name}-{tag}' / self.folder).resolve().as_uri()}"
        where = f"#subdirectory={self.folder}" if self.folder else ""
        return f"{package} @ https://github.com/{self.repository}/archive/{tag}.tar.gz{where}"


MATRIX = (
    Matrix("verifiers", ("tests/grading/test_verifiers.py",)),
    Matrix("openenv", ("tests/grading/test_openenv.py",)),
    Matrix(
        "trl", ("tests/grading/test_trl.py", "tests/grading/test_trl_command.py"),
        ("datasets>=3.6", "torch>=2.13", "aiohttp", "requests"),
        ("tests/grading/test_trl_environment.py", "tests/grading/test_trl_asynchronous.py"),
    ),
    Matrix(
        "verl", ("tests/grading/test_verl.py", "tests/grading/test_verl_trainer.py"),
        # What its trainers import beside it. It cannot read a later TRL, which another environment may have.
        ("orjson", "torch>=2.13", "TransferQueue>=0.1.10", "cachetools", "trl==0.27.0"),
    ),
    Matrix(
        "prime-rl-configs", ("tests/grading/test_prime_rl.py",), (SUPPORTED["verifiers"].requirement, "tomli-w>=1.0"),
        ("tests/grading/test_prime_rl_step.py",),
        # Of what prime-rl itself asks for, in its versions.
        ("torch>=2.13", "transformers==5.6.2", "aiolimiter", "beartype", "jaxtyping", "loguru", "msgspec", "openai",
         "orjson", "psutil", "pyzmq", "setproctitle", "tenacity", "wandb"),
        alone=("prime-rl", Archive("PrimeIntellect-ai/prime-rl", "")),
        python="3.12", at=Archive("PrimeIntellect-ai/prime-rl", "packages/prime-rl-configs"),
        tags={"newest": "v0.8.1.dev67", "oldest": "v0.8.1.dev8"},  # since that one without verifiers' v0
    ),
)  # fmt: skip
SOLVER = Archive("PrimeIntellect-ai/verifiers", "environments/proposer_solver")
SOLVER_AT = "a60a606ecc4d309247edf9ff92c3eabca362781f"
"""As that version of prime-rl has it."""


def main() -> int:
    """Run the matrix; 1 if something failed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=[one.package for one in MATRIX])
    options.add_argument("--torch", type=Path, help="an environment that has it")
    options.add_argument(
        "--sources", type=Path, help="with folders such as prime-rl-TAG, in place of GitHub's archives"
    )
    given = options.parse_args()
    rows = []
    for one in MATRIX:
        if given.only and one.package not in given.only:
            continue
        rows += [row(one, end, given.torch, given.sources) for end in ("newest", "oldest")]
    if not given.only:
        write(rows)
    return 0 if all(state == "passed" for *_, state in rows) else 1


def row(one: Matrix, end: str, torch: Path | None, sources: Path | None) -> tuple[str, str, str, str]:
    """One environment: package, which end, version, how its tests went."""
    alone = ""
    if end == "newest":
        one = replace(one, tests=(*one.tests, *one.newest), more=(*one.more, *one.more_newest))
        if one.alone is not None:
            package, archive = one.alone
            alone = archive.requirement(package, one.tags[end], sources)
    if one.at is not None:
        wanted = one.at.requirement(one.package, one.tags[end], sources)
        more = (SOLVER.requirement("proposer-solver", SOLVER_AT, sources),)
        one = replace(one, more=(*one.more, *more))
    else:
        supported = SUPPORTED[one.package]
        wanted = supported.requirement if end == "newest" else f"{one.package}=={supported.least}"
    print(wanted, flush=True)
    try:
        python, found = environment(one, end, wanted, torch)
        if alone:
            run(["uv", "pip", "install", "--quiet", "--no-deps", "--no-sources", "--python", str(python), alone])
    except subprocess.CalledProcessError as error:
        print(error.stderr, flush=True)
        return one.package, end, "none", "cannot be installed"
    done = subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", "--quiet", *one.tests], cwd=ROOT, text=True,
        env={"PATH": f"{python.parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT / "python"), "HF_HUB_OFFLINE": "1"},
        capture_output=True, check=False,
    )  # fmt: skip
    good = done.returncode == 0 and " passed" in done.stdout and " skipped" not in done.stdout
    if not good:
        print(done.stdout[-6000:], flush=True)
    return one.package, end, one.tags.get(end, found), "passed" if good else "failed"


def environment(one: Matrix, end: str, wanted: str, torch: Path | None) -> tuple[Path, str]:
    """The environment's interpreter, and the version that it has."""
    place = PLACE / f"{one.package}-{end}"
    python = place / "bin" / "python"
    if not python.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        own = str(torch / "bin" / "python" if torch else sys.executable)
        run(["uv", "venv", "--quiet", "--python", one.python or own, str(place)])
    install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    borrows = torch is not None and not one.python  # another Python cannot load it
    more = [name for name in one.more if not (borrows and name.startswith("torch"))]
    if torch is not None and borrows:
        overrides = PLACE / "without_torch.txt"
        overrides.write_text("torch; python_version < '3'\n", "utf-8")  # whoever asks for it gets none
        install += ["--override", str(overrides)]
    run([*install, wanted, *more, *OWN])
    if torch is not None and borrows:
        code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        theirs = run([str(torch / "bin" / "python"), "-c", code]).strip()
        Path(run([str(python), "-c", code]).strip(), "zz_torch.pth").write_text(f"{theirs}\n", "utf-8")
    code = f"from importlib.metadata import version; print(version({one.package!r}))"
    return python, run([str(python), "-c", code]).strip()


def run(command: list[str]) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def range_of(package: str) -> str:
    """What the table says of it."""
    if package in SUPPORTED:
        return f"`{SUPPORTED[package].requirement}`"
    (one,) = (one for one in MATRIX if one.package == package)
    assert one.at is not None, f"{package} has no versions"
    return f"{one.at.repository} from {one.tags['oldest']}"


def write(rows: list[tuple[str, str, str, str]]) -> None:
    """The table, into the page."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = ["| Package | Supported | Tested | |", "|---|---|---|---|"]
    for package, end, found, state in rows:
        lines.append(f"| {package} | {range_of(package)} | {found} ({end}) | {state} |")
    PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
