"""One pass over a trace: its index, and the texts that the report samples."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from azr.oversight.traces import TraceReader
from azr.report.code import comments, patterns, phrase
from azr.report.curriculum import Columns, comment_shares
from azr.report.index import TraceIndex
from azr.types import Kind
from azr.util.sanitize import one_line

PER_STEP: Final = 4
"""Programs per step and role whose comments are read."""
PROGRAMS: Final = 4000
"""Total number of programs whose comments are read."""
COMMENTS, COMMENT = 50, 200
"""Comments kept per program, and characters kept of each."""
PHRASES: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The comments of one program."""

    step: int
    role: str
    comments: tuple[str, ...]


class Scan:
    """Reads a trace once, from its beginning to its end."""

    def __init__(self, index: TraceIndex) -> None:
        self.index = index
        self.written: list[Written] = []
        self._taken: Counter[tuple[int, str]] = Counter()
        self._every = 1

    def run(self, reader: TraceReader) -> None:
        """Note every row."""
        for row in reader:
            self._note(row)

    def follow(self, reader: TraceReader, limit: int) -> int:
        """Index up to `limit` new rows, from the start if the trace was truncated; returns how many are left."""
        if len(reader) < len(self.index):
            self.index.clear()
            self.written.clear()
            self._taken.clear()
        for row in reader.read(len(self.index), len(self.index) + limit):
            self._note(row)
        return len(reader) - len(self.index)

    def _note(self, row: Mapping[str, Any]) -> None:
        self.index.add(row)
        self._take(row)

    def _take(self, row: Mapping[str, Any]) -> None:
        step, role = row.get("step"), row.get("role")
        if not isinstance(step, int) or not isinstance(role, str) or step % self._every:
            return
        program = program_of(row)
        if program and self._taken[step, role] < PER_STEP:
            self._taken[step, role] += 1
            self.written.append(Written(step=step, role=role, comments=_kept(program)))
        if len(self.written) > PROGRAMS:
            # Sample every other step from here on, and so far: the whole run is covered, however long it gets.
            self._every *= 2
            self.written = [one for one in self.written if one.step % self._every == 0]


def _kept(program: str) -> tuple[str, ...]:
    return tuple(text[:COMMENT] for text in comments(program)[:COMMENTS])


def program_of(row: Mapping[str, Any]) -> str:
    """The program in a row of the trace; empty if there is none."""
    found = row.get("program")
    if row.get("role") == "solve" and str(row.get("kind")).rpartition(".")[2] == Kind.INDUCTION:
        found = row.get("answer")
    return found if isinstance(found, str) else ""


def comment_columns(written: list[Written], edges: list[int]) -> Columns:
    """Shares of commented and stepwise programs by role, one value a bin."""
    columns: Columns = {}
    for role in sorted({one.role for one in written}):
        for low, high in pairwise(edges):
            found = [one.comments for one in written if one.role == role and low <= one.step < high]
            for name, value in comment_shares(found).items():
                columns.setdefault(f"written/{role}/{name}", []).append(value)
    return columns


def pattern_table(written: list[Written]) -> list[dict[str, Any]]:
    """Each pattern: how many programs have it, since which step, and one comment."""
    rows: dict[str, dict[str, Any]] = {}
    for one in written:
        for name in patterns(one.comments):
            row = rows.setdefault(name, {"name": name, "count": 0, "first": one.step, "example": ""})
            row["count"] += 1
            row["first"] = min(row["first"], one.step)
            row["example"] = row["example"] or one_line(
                next(text for text in one.comments if name in patterns([text])), 120
            )
    return sorted(rows.values(), key=lambda row: -row["count"])


def phrase_table(written: list[Written]) -> list[dict[str, Any]]:
    """The most frequent comments, without numbers and quoted parts."""
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for one in written:
        for text in {phrase(text) for text in one.comments} - {""}:
            counts[text] += 1
            first[text] = min(first.get(text, one.step), one.step)
    found = counts.most_common(PHRASES)
    return [{"text": one_line(text, 80), "count": count, "first": first[text]} for text, count in found if count > 1]
