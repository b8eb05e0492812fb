"""`azr domain new`: a small working domain for its author to change."""

import json
import re
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from azr.config.domain import PYTHON
from azr.errors import DomainError

FILES: Final = {
    "domain.toml": '''\
name = "$name"
description = "What this domain is about, in a line"
# Plain kinds: deduction, abduction, induction, error. Kinds of your own go into [new_kinds].
kinds = ["deduction", "abduction"]
# What programs may import besides the modules below; without this line, what the run's config allows.
allowed_imports = ["math", "itertools"]
seeds = "seeds.jsonl"
heldout = "heldout.jsonl"

# Python that exists in the sandbox only. Programs import it by this name.
[modules]
${name}_lib = "modules/${name}_lib.py"

# Put in front of the prompts: what the model has to know about your modules.
[prompts.all]
propose = """
This time the program uses a small library: from ${name}_lib import digits, mirror. digits(n) gives the decimal digits
of a whole number as a list; mirror(text) gives the text followed by itself in reverse.
"""
solve = """
The program uses ${name}_lib: digits(n) gives the decimal digits of a whole number as a list; mirror(text) gives the
text followed by itself in reverse.
"""

# Scores answers in [0, 1] instead of plain equality. Remove it, and plain rules hold.
[verifier]
file = "verify.py"
kinds = ["deduction"]
''',
    "modules/${name}_lib.py": '''\
"""What programs of this domain may use. It runs in the sandbox, so it may use what the sandbox has."""


def digits(number):
    """The decimal digits of a whole number, from left to right."""
    return [int(digit) for digit in str(abs(number))]


def mirror(text):
    """A text followed by itself in reverse."""
    return text + text[::-1]
''',
    "verify.py": '''\
"""Scores an answer. Runs in the sandbox, apart from every program; task and answer are plain data.

task: {"kind", "program", "inputs", "arguments", "outputs", "message"}. For deduction the answer is the value that the
solver gave, for abduction the tuple of arguments, for induction the text of the program.
"""


def verify(task, answer):
    right = task["outputs"][0]
    if type(answer) is not type(right):
        return 0.0
    if type(right) is list and right:
        # Part of the credit for part of a list; nothing for one of another length.
        same = sum(type(a) is type(b) and a == b for a, b in zip(answer, right))
        return same / len(right) if len(answer) == len(right) else 0.0
    return 1.0 if answer == right else 0.0
''',
    "train.toml": '''\
# azr train --config THIS FILE: seconds on a CPU, with a script that stands for the model.
# With a model: azr train --config THIS FILE --set engine.name=transformers [--model NAME]
[engine]
name = "scripted"
script = "azr.rollouts.demo:answer"

[[domains]]
path = "."

[propose]
batch = 4

[solve]
batch = 4
trials = 4

[seeding]
factor = 1

[run]
steps = 3
''',
}  # fmt: skip


IMPORT: Final = "from ${name}_lib import digits, mirror\n\n"
SEEDS: Final = (
    ("deduction", "def f(n):\n    return sum(digits(n))", "2718"),
    ("deduction", "def f(word):\n    return mirror(word)[2:5]", "'azure'"),
    ("deduction", "def f(n):\n    return sorted(digits(n), reverse=True)", "31415"),
    ("deduction", "def f(n):\n    return mirror(str(len(digits(n * n))))", "90"),
)
HELD_OUT: Final = (
    ("deduction", "def f(n):\n    return max(digits(n)) - min(digits(n))", "58213"),
    ("abduction", "def f(word):\n    return len(mirror(word))", "'tree'"),
)


def make(name: str, parent: Path) -> Path:
    """Write a new domain into a folder of its name.

    Raises:
        DomainError: the name is not one, or the folder is there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name == PYTHON:
        raise DomainError(f"{name!r} cannot be the name of a domain: a lower-case word, such as tables")
    folder = parent / name
    try:
        folder.mkdir(parents=True)
        for file, text in {**FILES, "seeds.jsonl": _lines(SEEDS), "heldout.jsonl": _lines(HELD_OUT)}.items():
            path = folder / string.Template(file).substitute(name=name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(string.Template(text).substitute(name=name), "utf-8")
    except OSError as error:
        raise DomainError(f"cannot make the domain {folder}: {error}") from error
    return folder


def _lines(tasks: Sequence[tuple[str, str, str]]) -> str:
    rows = [{"kind": kind, "program": IMPORT + program, "inputs": [text]} for kind, program, text in tasks]
    return "".join(json.dumps(row) + "\n" for row in rows)
