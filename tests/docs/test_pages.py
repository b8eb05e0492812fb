"""Every code block of the site runs, as a reader would follow the page, and the site builds."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(`{3,})(\S*)(?: title=\"([^\"]+)\")?[ \t]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, the file that it is (empty: none), its text and its line."""

    language: str
    title: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order. A block that is not closed is an error."""
    found: list[Block] = []
    opened: tuple[str, str, str, int] | None = None
    body: list[str] = []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None:
            if fence:
                opened, body = (fence[1], fence[2], fence[3] or "", number), []
        elif fence and fence[1] == opened[0] and not fence[2]:
            found.append(Block(opened[1], opened[2], "\n".join(body) + "\n", opened[3]))
            opened = None
        else:
            body.append(line)
    assert opened is None, f"{page}: the block of line {opened and opened[3]} is not closed"
    return found


# Runs blocks of text one after the other in one namespace; answers each by a line that starts with a zero byte.
INTERPRETER = """
import contextlib, io, json, sys, traceback
answers, space = sys.stdout, {"__name__": "__main__"}
for line in sys.stdin:
    said, right = io.StringIO(), True
    with contextlib.redirect_stdout(said):
        try:
            exec(compile(json.loads(line), "page", "exec"), space)
        except BaseException:
            said.write(traceback.format_exc())
            right = False
    answers.write(chr(0) + json.dumps([right, said.getvalue()]) + chr(10))
    answers.flush()
"""


class Reader:
    """Follows a page in a folder of its own: writes its files, runs its commands and scripts, compares outputs."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        tools = folder / ".bin"
        tools.mkdir()
        (tools / "azr").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m azr "$@"\n', "ascii")
        (tools / "azr").chmod(0o755)
        (folder / "examples").symlink_to(ROOT / "examples")
        path = f"{tools}{os.pathsep}{os.environ['PATH']}"
        self._environment = {**os.environ, "PATH": path, **environment}
        self._python: subprocess.Popen[str] | None = None
        self._said: str | None = None

    def follow(self, block: Block) -> None:
        """Do what a block is for; every language has to be known here."""
        if block.language == "rust":
            self._included(block)
        elif block.title:
            self._write(block)
        elif block.language == "sh":
            self._said = self._run(["bash", "-euo", "pipefail", "-c", block.text], block)
        elif block.language == "python":
            self._script(block)
        else:
            assert block.language == "text" and self._said is not None, f"line {block.line}: a block that nothing runs"
            for line in block.text.splitlines():
                assert line in self._said, f"line {block.line}: {line!r} is not in what was printed:\n{self._said}"
            self._said = None

    def _write(self, block: Block) -> None:
        path = self._folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")

    def _script(self, block: Block) -> None:
        """A page's Python goes on where the block before it stopped."""
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, "-c", INTERPRETER], cwd=self._folder, env=self._environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
        assert self._python.stdin is not None and self._python.stdout is not None
        self._python.stdin.write(json.dumps(block.text) + "\n")
        self._python.stdin.flush()
        answer = next((line for line in self._python.stdout if line.startswith("\0")), '\0[false, "it ended"]')
        right, self._said = json.loads(answer[1:])
        assert right, f"line {block.line}:\n{self._said}"

    def close(self) -> None:
        """End the page's Python."""
        if self._python is not None:
            self._python.communicate()

    def _run(self, command: list[str], block: Block) -> str:
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"line {block.line}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def _included(self, block: Block) -> None:
        """A Rust block is an example of the crate, which cargo compiles with the crate's tests."""
        assert block.text.strip() == f'--8<-- "{block.title}"', f"line {block.line}: include the example's file"
        example = ROOT / block.title
        assert example.parent == ROOT / "rust" / "sandbox" / "examples" and "fn main()" in example.read_text("utf-8")


PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.fixture
def chatty_model(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with a chat template."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    folder = tmp_path / "chatty"
    tokenizer.save_pretrained(folder)
    AutoModelForCausalLM.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.stem)
def test_every_block_of_a_page_runs(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    environment = {"PYTHONPATH": str(ROOT / "python")}
    if page.stem == "trainer":
        environment["MODEL"] = str(request.getfixturevalue("chatty_model"))
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder, environment)
    try:
        for block in blocks_of(page):
            reader.follow(block)
    finally:
        reader.close()


def test_the_site_builds_and_no_link_is_broken(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pages = {path.parent.name: path.read_text("utf-8") for path in (tmp_path / "site").glob("*/index.html")}
    assert "Sandbox" in pages["rust"] and "--8&lt;--" not in pages["rust"]
    # What hooks and docstrings fill in.
    assert "train.optim.lr" in pages["reference-config"] and "<!-- config -->" not in pages["reference-config"]
    assert "metrics.reductions" in pages["architecture"] and "<!-- layers -->" not in pages["architecture"]
    assert "check_output" in pages["reference-python"] and "azr.rollouts.base.Engine" in pages["reference-python"]


@pytest.mark.parametrize("page", [page.name for page in PAGES if page.stem != "index"])
def test_every_page_is_in_the_menu_and_in_the_table_of_the_start(page: str) -> None:
    assert f": {page}\n" in (ROOT / "mkdocs.yml").read_text("utf-8")
    assert f"]({page}) |" in (ROOT / "docs" / "index.md").read_text("utf-8")


def test_a_page_with_a_wrong_block_fails(tmp_path: Path) -> None:
    """What holds the documentation up has to be able to fall."""
    page = tmp_path / "page.md"
    wrong = (
        "```python\nassert 1 == 2\n```", "```sh\nfalse\n```", "```sh\necho a\n```\n\n```text\nb\n```", "```js\nx\n```",
    )  # fmt: skip
    for text in wrong:
        page.write_text(text + "\n", "utf-8")
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        reader = Reader(folder, {})
        with pytest.raises(AssertionError):
            for block in blocks_of(page):
                reader.follow(block)
        reader.close()
    page.write_text("```python\nx = 1\n", "utf-8")
    with pytest.raises(AssertionError, match="not closed"):
        blocks_of(page)
