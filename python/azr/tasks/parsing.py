"""A strict parser of named blocks in a text.

Two syntaxes, one result: a list of `(tag, body)`.

- `Fenced`: Markdown fences. A line of three or more backticks with a tag opens a block, a line of exactly as many
  backticks closes it. Untagged blocks and text between blocks are ignored, never taken for an answer.
- `Sections`: a known marker such as `<input>` at the start of a line opens a block, which ends at the next marker or
  at the end of the text. Text before the first marker is an error; thoughts have a marker of their own, `<think>`.

There is no guessing: a missing, repeated, unclosed or empty block gives an `Unparsed` with its flaw. Blocks are found
by tag, so their order does not matter. Bodies keep their inner lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from azr.types import Flaw, Unparsed

PROGRAM, INPUT, OUTPUT, MESSAGE = "program", "input", "output", "message"
TAGS = (PROGRAM, INPUT, OUTPUT, MESSAGE)
"""Tags in every template; a domain's kinds may have more."""
MAX_BLOCKS = 4096
"""Maximum number of blocks in a text, far above what any kind reads."""
THINK = "think"
"""A block of the terse template that no kind parses."""


@dataclass(frozen=True, slots=True)
class Block:
    """One named part of a text."""

    tag: str
    body: str


class BlockSyntax(Protocol):
    """The syntax of blocks."""

    name: str

    def render(self, tag: str, body: str) -> str:
        """The block as text, without a final newline."""
        ...

    def split(self, text: str) -> list[Block] | Unparsed:
        """All known blocks of the text, in order."""
        ...


class Fenced:
    """Markdown fences; the program's tag is `python`."""

    name = "fenced"
    # Possessive: a line with very many blanks is scanned once, not once from each blank.
    _fence = re.compile(r"^(`{3,}+)[ \t]*+([^\s`]*+)[ \t]*+$", re.MULTILINE)

    def __init__(self, tags: Sequence[str] = ()) -> None:
        """`tags`: besides `TAGS`."""
        self._tags = (*TAGS, THINK, *tags)

    def render(self, tag: str, body: str) -> str:
        return f"```{'python' if tag == PROGRAM else tag}\n{body}\n```"

    def split(self, text: str) -> list[Block] | Unparsed:
        blocks: list[Block] = []
        opened: re.Match[str] | None = None
        # Lines end only at line feeds: a form feed or U+2028 may occur inside of a string.
        text = text.replace("\r\n", "\n")
        for fence in self._fence.finditer(text):
            if opened is None:
                opened = fence
            elif fence[1] == opened[1] and not fence[2]:
                tag = PROGRAM if opened[2] == "python" else opened[2]
                if tag in self._tags:
                    blocks.append(Block(tag, text[opened.end() : fence.start()].strip("\n")))
                if len(blocks) > MAX_BLOCKS:
                    return Unparsed(flaw=Flaw.SEVERAL_BLOCKS, detail=f"more than {MAX_BLOCKS} blocks")
                opened = None
        if opened is not None:
            return Unparsed(flaw=Flaw.UNCLOSED_BLOCK, detail=opened[2][:100])
        return blocks


class Sections:
    """One marker per block, for the terse template."""

    name = "terse"

    def __init__(self, tags: Sequence[str] = ()) -> None:
        """`tags`: besides `TAGS`."""
        self._marker = re.compile(rf"^<({'|'.join((*TAGS, THINK, *tags))})>", re.MULTILINE)

    def render(self, tag: str, body: str) -> str:
        return f"<{tag}>" + ("\n" if tag == PROGRAM else "") + body

    def split(self, text: str) -> list[Block] | Unparsed:
        marks = list(islice(self._marker.finditer(text), MAX_BLOCKS + 1))
        if len(marks) > MAX_BLOCKS:
            return Unparsed(flaw=Flaw.SEVERAL_BLOCKS, detail=f"more than {MAX_BLOCKS} blocks")
        if not marks or text[: marks[0].start()].strip():
            return Unparsed(flaw=Flaw.NO_ANSWER)
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        return [Block(m[1], text[m.end() : end].strip("\n")) for m, end in zip(marks, ends, strict=True)]


def flaw_of(blocks: Sequence[Block], tag: str) -> Unparsed | None:
    """Why the blocks do not have exactly one with this tag and something in it; None if they do."""
    bodies = [block.body for block in blocks if block.tag == tag]
    if not bodies:
        return Unparsed(flaw=Flaw.MISSING_BLOCK, detail=tag)
    if len(bodies) > 1:
        return Unparsed(flaw=Flaw.SEVERAL_BLOCKS, detail=f"{len(bodies)} {tag} blocks")
    return None if bodies[0].strip() else Unparsed(flaw=Flaw.EMPTY_BLOCK, detail=tag)


def only(blocks: Sequence[Block], tag: str) -> str | Unparsed:
    """The body of the one block with this tag."""
    return flaw_of(blocks, tag) or next(block.body for block in blocks if block.tag == tag)


def last(blocks: Sequence[Block], tag: str, count: int) -> tuple[str, ...] | Unparsed:
    """The bodies of the last `count` blocks with this tag; an empty body is a call without arguments."""
    bodies = [block.body for block in blocks if block.tag == tag]
    if len(bodies) < count:
        return Unparsed(flaw=Flaw.TOO_FEW_BLOCKS, detail=f"{len(bodies)} of {count} {tag} blocks")
    return tuple(bodies[len(bodies) - count :])
