"""`make adapters`: the adapters' tests with other trainers' own packages, the newest and the oldest that are supported.

    python tools/adapters.py [--only verifiers ...] [--torch ENVIRONMENT]

Each package and version has an environment of its own in target/adapters, kept between runs. A run of all writes what
was tested as a table into docs/trainer.md. `--torch`: an environment whose torch is used, in place of copies of it.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
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


MATRIX = (
    Matrix("verifiers", ("tests/grading/test_verifiers.py",)),
    Matrix("openenv", ("tests/grading/test_openenv.py",)),
    Matrix(
        "trl", ("tests/grading/test_trl.py", "tests/grading/test_trl_command.py"),
        ("datasets>=3.6", "torch>=2.13", "aiohttp", "requests"),
        ("tests/grading/test_trl_environment.py", "tests/grading/test_trl_asynchronous.py"),
    ),
    Matrix("verl", ("tests/grading/test_verl.py",), ("orjson", "torch>=2.13")),
)  # fmt: skip


def main() -> int:
    """Run the matrix; 1 if something failed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=[one.package for one in MATRIX])
    options.add_argument("--torch", type=Path, help="an environment that has it")
    given = options.parse_args()
    rows = []
    for one in MATRIX:
        if given.only and one.package not in given.only:
            continue
        rows += [row(one, end, given.torch) for end in ("newest", "oldest")]
    if not given.only:
        write(rows)
    return 0 if all(state == "passed" for *_, state in rows) else 1


def row(one: Matrix, end: str, torch: Path | None) -> tuple[str, str, str, str]:
    """One environment: package, which end, version, how its tests went."""
    supported = SUPPORTED[one.package]
    wanted = supported.requirement if end == "newest" else f"{one.package}=={supported.least}"
    print(wanted, flush=True)
    try:
        python, found = environment(one, end, wanted, torch)
    except subprocess.CalledProcessError as error:
        print(error.stderr, flush=True)
        return one.package, end, "none", "cannot be installed"
    tests = (*one.tests, *one.newest) if end == "newest" else one.tests
    done = subprocess.run(
        [str(python), "-m", "pytest", "-p", "no:cacheprovider", "--quiet", *tests], cwd=ROOT, text=True,
        env={"PATH": f"{python.parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT / "python"), "HF_HUB_OFFLINE": "1"},
        capture_output=True, check=False,
    )  # fmt: skip
    good = done.returncode == 0 and " passed" in done.stdout and " skipped" not in done.stdout
    if not good:
        print(done.stdout[-6000:], flush=True)
    return one.package, end, found, "passed" if good else "failed"


def environment(one: Matrix, end: str, wanted: str, torch: Path | None) -> tuple[Path, str]:
    """The environment's interpreter, and the version that it has."""
    place = PLACE / f"{one.package}-{end}"
    python = place / "bin" / "python"
    if not python.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        run(
            [
                "uv",
                "venv",
                "--quiet",
                "--python",
                str(torch / "bin" / "python" if torch else sys.executable),
                str(place),
            ]
        )
    install = ["uv", "pip", "install", "--quiet", "--python", str(python)]
    more = [name for name in one.more if not (torch and name.startswith("torch"))]
    if torch is not None:
        overrides = PLACE / "without_torch.txt"
        overrides.write_text("torch; python_version < '3'\n", "utf-8")  # whoever asks for it gets none
        install += ["--override", str(overrides)]
    run([*install, wanted, *more, *OWN])
    if torch is not None:
        code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        theirs = run([str(torch / "bin" / "python"), "-c", code]).strip()
        Path(run([str(python), "-c", code]).strip(), "zz_torch.pth").write_text(f"{theirs}\n", "utf-8")
    code = f"from importlib.metadata import version; print(version({one.package!r}))"
    return python, run([str(python), "-c", code]).strip()


def run(command: list[str]) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def write(rows: list[tuple[str, str, str, str]]) -> None:
    """The table, into the page."""
    text = PAGE.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = ["| Package | Supported | Tested | |", "|---|---|---|---|"]
    for package, end, found, state in rows:
        lines.append(f"| {package} | `{SUPPORTED[package].requirement}` | {found} ({end}) | {state} |")
    PAGE.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
