#!/usr/bin/env python3
"""Finds import circles between the modules of each Rust crate, and fails on one.

A module is a file. It imports what its paths name, in `use` and in line: paths from `crate`, `self`, `super` or from a
module that it declares. What only tests or documentation import does not count.

    rust/circles.py [CRATE ...]    a crate is a folder with src/; without any, all of rust/
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

Module = tuple[str, ...]

LEXEMES = re.compile(r"""//[^\n]*|/\*.*?\*/|b?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']*|[^\\'\n])'""", re.DOTALL)
TEST_MODULE = re.compile(
    r"#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*\{"
)
INLINE_MODULE = re.compile(r"\bmod\s+(\w+)\s*\{")
DECLARED = re.compile(r"\bmod\s+(\w+)\s*;")
USE = re.compile(r"\buse\s+([^;]+);")
PATH = re.compile(r"\b(?<!::)(?:crate|self|super)(?:::\w+)+|\b(?<!::)(?<!\$)[a-z_]\w*(?:::\w+)+")


def without_text(source: str) -> str:
    """The source with comments and the contents of strings blanked."""
    return LEXEMES.sub(lambda match: " " * len(match[0]), source)


def closing(source: str, opening: int) -> int:
    """Where the brace at `opening` is closed."""
    depth = 0
    for at in range(opening, len(source)):
        depth += {"{": 1, "}": -1}.get(source[at], 0)
        if depth == 0:
            return at
    raise ValueError("a brace is never closed")


def without_tests(source: str) -> str:
    """The source with its test modules blanked."""
    while match := TEST_MODULE.search(source):
        end = closing(source, match.end() - 1) + 1
        source = source[: match.start()] + " " * (end - match.start()) + source[end:]
    return source


def use_paths(tree: str) -> Iterator[str]:
    """The paths of a `use` tree."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace < 0:
        yield re.sub(r"\s+as\s+\w+$", "", tree)
        return
    prefix, inside, depth, start = tree[:brace], tree[brace + 1 : closing(tree, brace)], 0, 0
    for at, character in enumerate(inside + ","):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            if part := inside[start:at].strip():
                yield from use_paths(prefix + part)
            start = at + 1


def named(source: str, module: Module) -> Iterator[tuple[Module, list[str]]]:
    """Every path in the source: the module that it stands in, and its segments."""
    inline = [(match.start(), closing(source, match.end() - 1), match[1]) for match in INLINE_MODULE.finditer(source)]

    def place(at: int) -> Module:
        return module + tuple(name for start, end, name in inline if start < at < end)

    for match in USE.finditer(source):
        for path in use_paths(match[1]):
            yield place(match.start()), re.sub(r"\s", "", path).split("::")
    rest = USE.sub(lambda match: " " * len(match[0]), source)
    for match in PATH.finditer(rest):
        yield place(match.start()), match[0].split("::")


def target(place: Module, segments: list[str], declared: set[str]) -> Module | None:
    """The absolute path that segments stand for; none for another crate's."""
    if segments[0] == "crate":
        return tuple(segments[1:])
    if segments[0] == "self":
        return place + tuple(segments[1:])
    if segments[0] == "super":
        while segments[0] == "super":
            place, segments = place[:-1], segments[1:]
            if not segments:
                return place
        return place + tuple(segments)
    return place + tuple(segments) if segments[0] in declared else None


def module_of(file: Path, root: Path) -> Module:
    parts = file.relative_to(root).with_suffix("").parts
    return parts[:-1] if parts[-1] in ("lib", "main", "mod") else parts


def imports(root: Path) -> dict[Module, set[Module]]:
    """Of each module in a source folder, the modules that it imports."""
    files = {module_of(file, root): file for file in sorted(root.rglob("*.rs"))}
    found: dict[Module, set[Module]] = {}
    for module, file in files.items():
        source = without_tests(without_text(file.read_text("utf-8")))
        declared = set(DECLARED.findall(source))
        found[module] = set()
        for place, segments in named(source, module):
            path = target(place, segments, declared)
            if path is None:
                continue
            while path not in files:
                path = path[:-1]
            if path != module:
                found[module].add(path)
    return found


def circles(graph: dict[Module, set[Module]]) -> list[list[Module]]:
    """Groups of modules that all lead to one another."""

    def reachable(start: Module) -> set[Module]:
        seen: set[Module] = set()
        todo = list(graph[start])
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo.extend(graph[module])
        return seen

    reach = {module: reachable(module) for module in graph}
    groups = {frozenset(other for other in reach[module] if module in reach[other]) for module in graph}
    return sorted(sorted(group) for group in groups if group)


def main(arguments: list[str]) -> int:
    here = Path(__file__).resolve().parent
    crates = [Path(argument) for argument in arguments] or sorted(
        manifest.parent for manifest in here.glob("*/Cargo.toml")
    )
    bad = 0
    for crate in crates:
        graph = imports(crate / "src")
        for circle in circles(graph):
            bad += 1
            print(f"{crate.name}: modules that import one another:", file=sys.stderr)
            for module in circle:
                inside = ["::".join(("crate", *other)) for other in sorted(graph[module]) if other in circle]
                print(f"  {'::'.join(('crate', *module))} imports {', '.join(inside)}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
