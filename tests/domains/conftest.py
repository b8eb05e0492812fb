"""A small domain on disk, to be changed by a test."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TOML = """
name = "shop"
kinds = ["deduction", "abduction"]
allowed_imports = ["math"]
seeds = "seeds.jsonl"
heldout = "heldout.jsonl"

[modules]
prices = "prices.py"
"""
PRICES = """
class Price:
    def __init__(self, cents):
        self.cents = cents


def plain(price):
    return price.cents


def tax(cents):
    return cents * 119 // 100
"""
PROGRAM = "from prices import tax\n\ndef f(a):\n    return tax(a)"


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """A domain's folder; `more`: text added to its domain.toml; other keywords: files by name with `_` for `.`."""

    def make(more: str = "", toml: str = TOML, name: str = "shop", **files: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "domain.toml").write_text(toml.replace('"shop"', f'"{name}"') + more, "utf-8")
        rows = [{"kind": "deduction", "program": f"{PROGRAM} + {n}", "inputs": [str(100 + n)]} for n in range(6)]
        lines = [json.dumps(row) for row in rows]
        given = {"prices_py": PRICES, "seeds_jsonl": "\n".join(lines), "heldout_jsonl": lines[0], **files}
        for file, text in given.items():
            stem, _, suffix = file.rpartition("_")
            (folder / f"{stem}.{suffix}").write_text(text, "utf-8")
        return folder

    return make
