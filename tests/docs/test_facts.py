"""What pages say about the code is so: pictures, layers, keys, files and commands."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from azr.cli import COMMANDS
from azr.config import resolve
from azr.errors import ConfigError

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*DOCS.glob("*.md"), *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "LIMITATIONS"))]


def module(path: Path) -> ModuleType:
    """A script of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


draw = module(DOCS / "pictures" / "draw.py")
hooks = module(DOCS / "hooks.py")


def test_the_diagrams_are_what_the_script_draws(tmp_path: Path) -> None:
    draw.main(tmp_path)
    for drawn in tmp_path.iterdir():
        assert drawn.read_bytes() == (DOCS / "pictures" / drawn.name).read_bytes(), "run docs/pictures/draw.py"


def test_every_layer_says_what_is_in_it() -> None:
    rows = hooks.layers().splitlines()
    assert len(rows) >= 10 and not any(row.endswith("|  |") for row in rows), "docs/hooks.py: SUBJECTS"


def test_the_list_of_keys_has_every_key() -> None:
    listed = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", hooks.keys(), re.M))

    def flat(values: dict[str, Any], prefix: str = "") -> set[str]:
        inner = [flat(value, f"{prefix}{name}.") for name, value in values.items() if isinstance(value, dict) and value]
        own = {prefix + name for name, value in values.items() if not isinstance(value, dict)}
        return own.union(*inner)

    keys = flat(resolve({}).model_dump(mode="json"))
    assert len(keys) > 100 and keys - listed == set()


def code(page: Path) -> list[str]:
    """What stands as code: lines of blocks, and spans within lines."""
    text = page.read_text("utf-8")
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.M | re.S)
    return [line for block in fenced for line in block.splitlines()] + re.findall(r"^ {4}(.+)|`([^`\n]+)`", text, re.M)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    folders = "python|rust|tests|configs|examples|benchmarks|docs|tools"
    for name in re.findall(rf"`((?:{folders})/[\w./*-]*)`", page.read_text("utf-8")):
        assert is_there(name), f"{page.name}: {name}"


def is_there(name: str) -> bool:
    """Whether a file or folder is in the checkout; what a build makes need not be. NAME stands for any name."""
    # SECURITY.md writes rust/ for the folder of the sandbox's tests, and says so.
    tests = ROOT / "rust" / "sandbox" / "tests" / name.removeprefix("rust/")
    return "/target/" in name or tests.is_file() or any(ROOT.glob(name.rstrip("/").replace("NAME", "*")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_keys_that_a_page_names_are_there(page: Path) -> None:
    for piece in code(page):
        line = "".join(piece)
        for command in re.findall(r"^(?:\$ )?(?:\.venv/bin/)?azr ([a-z]+)", line):
            assert command in COMMANDS, f"{page.name}: {line}"
        for key, value in re.findall(r"--set ([a-z_.0-9]+)=(\S+)", line):
            try:
                resolve({}, [f"{key}={value}"])
            except ConfigError as error:
                assert "unknown key" not in str(error), f"{page.name}: {error}"


def test_paths_of_the_paper_page_are_there() -> None:
    text = (DOCS / "paper.md").read_text("utf-8")
    paths = re.findall(r"`((?:[a-z_*]+/)*[a-z_*]+\.(?:py|rs)|(?:[a-z_]+/)+)`", text)
    assert len(paths) > 15
    package = ROOT / "python" / "azr"
    for path in paths:
        places = (package, ROOT, package / "tasks", package / "trainer" / "advantages")
        assert any(any(place.glob(path.rstrip("/"))) for place in places), path


def test_every_feature_of_the_sandbox_names_a_test_that_is_there_and_no_cell_is_open() -> None:
    section = (DOCS / "sandbox.md").read_text("utf-8").split("## What it has\n")[1].split("\n## ")[0]
    table = section.split("\n\n|")[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
    sources = [*(ROOT / "rust" / "sandbox" / "tests").glob("*.rs"), *(ROOT / "tests").rglob("test_*.py")]
    texts = [source.read_text("utf-8") for source in sources]
    assert len(rows) >= 14
    for feature, ours, *others in rows:
        assert len(others) == 2 and all(len(other) > 1 for other in others), feature
        files = re.findall(r"\(https://github\.com/[\w/-]+/blob/main/([\w./]+)\)", ours)
        names = [name for name in re.findall(r"`(\w+)`", ours)]
        assert files or names, feature
        assert all((ROOT / file).is_file() for file in files), feature
        for name in names:
            assert any(re.search(rf"\b(?:fn|def) {name}\(", text) for text in texts), name
