"""A run's programs with their attempts, and its rejected proposals: found by index, read on demand. All texts that
leave this module are sanitised by `visible`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from azr.oversight.traces import TraceReader
from azr.report.curriculum import Tasks
from azr.report.index import NO_TASK, TraceIndex
from azr.report.scan import program_of
from azr.report.stored import Stored
from azr.util.sanitize import LIMIT, one_line, visible

ACCEPTED: Final = "accepted"
SEED: Final = "seed"
ENTRY: Final = np.dtype([("key", "<i8"), ("kind", "<u2"), ("step", "<i4"), ("verdict", "<u2"), ("rate", "<f4")])
"""`key`: a task's id; for a rejected proposal, -1 - its row in the trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filter of entries. None: all."""

    kind: str | None = None
    verdict: str | None = None
    first_step: int = 0
    last_step: int = 2**31 - 1
    low: float = 0.0
    high: float = 1.0
    """Bounds of the solve rate. Untried tasks and rejected proposals match only 0 and 1."""


class Gallery:
    """All entries of a run, ordered by step."""

    def __init__(self, stored: Stored | None, tasks: Tasks | None, index: TraceIndex, reader: TraceReader) -> None:
        self._stored, self._index, self._reader = stored, index, reader
        self.verdicts = [ACCEPTED, SEED]
        self.kinds = list(tasks.kinds) if tasks is not None else []
        parts = [self._refused()]
        if tasks is not None:
            parts.append(_stored(tasks))
        entries = np.concatenate(parts)
        self.entries: NDArray[Any] = entries[np.argsort(entries["step"], kind="stable")]
        self._attempts = _by_task(index, proposals=False)
        self._origins = _by_task(index, proposals=True)

    def find(self, wanted: Wanted) -> NDArray[Any]:
        """The matching entries, by step."""
        found = self.entries
        fits = (found["step"] >= wanted.first_step) & (found["step"] <= wanted.last_step)
        if wanted.low > 0.0 or wanted.high < 1.0:
            fits &= (found["rate"] >= wanted.low - 1e-6) & (found["rate"] <= wanted.high + 1e-6)
        for column, names, name in (("kind", self.kinds, wanted.kind), ("verdict", self.verdicts, wanted.verdict)):
            if name is not None:
                fits &= found[column] == names.index(name) if name in names else False
        return np.asarray(found[fits])

    def lines(self, entries: Iterable[Any]) -> list[dict[str, Any]]:
        """What a list shows of each entry, in order."""
        chosen = list(entries)
        ids = [int(entry["key"]) for entry in chosen if entry["key"] >= 0]
        rows = dict(zip(ids, self._rows(ids), strict=True))
        found = []
        for entry in chosen:
            key = int(entry["key"])
            title = _title(rows[key][1]) if key >= 0 else self._refused_title(-1 - key)
            found.append(
                {
                    "key": key, "kind": self.kinds[entry["kind"]], "step": int(entry["step"]),
                    "verdict": one_line(self.verdicts[entry["verdict"]], 40), "rate": _number(entry["rate"]),
                    "title": title,
                }
            )  # fmt: skip
        return found

    def search(self, entries: NDArray[Any], text: str) -> Iterator[Any]:
        """The entries whose program, input, message or completion contains the text, case-insensitively."""
        wanted = text.lower()
        for start in range(0, len(entries), 200):
            part = entries[start : start + 200]
            ids = [int(key) for key in part["key"] if key >= 0]
            rows = dict(zip(ids, self._rows(ids), strict=True))
            for entry in part:
                key = int(entry["key"])
                texts = (rows[key][1], *rows[key][2], rows[key][4]) if key >= 0 else (self._words(-1 - key),)
                if any(wanted in one.lower() for one in texts):
                    yield entry

    def close(self) -> None:
        """Close the buffers."""
        if self._stored is not None:
            self._stored.close()

    def detail(self, key: int, attempts: int = 8, limit: int = LIMIT) -> dict[str, Any] | None:
        """Everything about an entry; None if there is no such entry. `limit`: characters of each text."""
        if key < 0:
            return self._refused_detail(-1 - key, limit)
        if self._stored is None or not self._stored.has(key):
            return None
        kind, program, inputs, outputs, message, _, step, role, references, parents, _ = self._stored.rows([key])[0]
        state = self._stored.state(key)
        return {
            "key": key, "kind": kind, "step": step, "role": role, "program": visible(program, limit),
            "inputs": [visible(text, limit) for text in inputs[:20]],
            "outputs": [visible(text, limit) for _, text in outputs[:20]],
            "message": visible(message, limit), "references": references[:50], "parents": parents[:50],
            "history": [[solved.step, solved.successes, solved.attempts] for solved in state.history[-50:]],
            "served": state.served, "quarantined": state.quarantined, "excluded": state.excluded,
            "proposal": self.proposal(key, limit), "attempts": self.attempts(key, attempts, limit),
            "traced": len(_rows_of(self._attempts, key)),
        }  # fmt: skip

    def proposal(self, key: int, limit: int = LIMIT) -> dict[str, Any] | None:
        """The proposal of a task; None if the trace does not have it."""
        rows = _rows_of(self._origins, key)
        return episode(self._reader[int(rows[0])], int(rows[0]), limit, prompt=False) if len(rows) else None

    def attempts(self, key: int, count: int, limit: int = LIMIT) -> list[dict[str, Any]]:
        """The first `count` attempts at a task in the trace, trials first."""
        rows = _rows_of(self._attempts, key)[:count]
        return [episode(self._reader[int(row)], int(row), limit, prompt=False) for row in rows]

    def _rows(self, ids: list[int]) -> list[Any]:
        return self._stored.rows(ids) if self._stored is not None and ids else []

    def _words(self, row: int) -> str:
        return str(self._reader[row].get("completion", ""))

    def _refused(self) -> NDArray[Any]:
        """Rejected proposals of the trace."""
        rows = self._index.rows
        proposal, valid = self._index.purposes.find("proposal"), self._index.verdicts.find("valid")
        refused = rows["purpose"] == (-1 if proposal is None else proposal)
        chosen = np.flatnonzero(refused & (rows["verdict"] != (-1 if valid is None else valid)))
        found = np.zeros(len(chosen), ENTRY)
        found["key"] = -1 - chosen
        found["step"] = rows["step"][chosen]
        kinds = [self._place(self.kinds, name) for name in self._index.kinds.known]
        verdicts = [self._place(self.verdicts, name) for name in self._index.verdicts.known]
        for column, places in (("kind", kinds), ("verdict", verdicts)):
            found[column] = np.array([*places, 0], np.int64)[np.minimum(rows[column][chosen], len(places))]
        found["rate"] = np.nan
        return found

    @staticmethod
    def _place(names: list[str], name: str) -> int:
        if name not in names:
            names.append(name)
        return names.index(name)

    def _refused_title(self, row: int) -> str:
        about = self._reader[row]
        return _title(program_of(about) or self._words(row))

    def _refused_detail(self, row: int, limit: int) -> dict[str, Any] | None:
        if row >= len(self._reader):
            return None
        about = self._reader[row]
        found = episode(about, row, limit, prompt=False)
        return {
            "key": -1 - row, "kind": found["kind"], "step": found["step"], "role": "propose",
            "program": visible(program_of(about), limit), "refused": found,
        }  # fmt: skip


def episode(row: Mapping[str, Any], number: int, limit: int = LIMIT, prompt: bool = True) -> dict[str, Any]:
    """One row of the trace as plain, sanitised data. Fields that are missing or of a wrong type are left out."""
    found: dict[str, Any] = {"row": number}
    for name in ("step", "reward", "advantage", "task", "score", "solve_rate", "tokens", "fuel", "duplicate_of"):
        value = row.get(name)
        if isinstance(value, int | float):
            found[name] = _number(value)
    for name in ("role", "kind", "purpose", "verdict"):
        found[name] = one_line(str(row.get(name, "")), 40)
    for name in ("completion", "answer", "detail", *(("prompt",) if prompt else ())):
        value = row.get(name)
        found[name] = visible(value, limit) if isinstance(value, str) else ""
    found["finished"] = row.get("finished") is not False
    found["parts"] = _parts(row.get("parts"))
    flags = row.get("flags")
    found["flags"] = [one_line(str(flag), 60) for flag in flags[:20]] if isinstance(flags, list) else []
    return found


def _parts(parts: object) -> list[list[Any]]:
    if not isinstance(parts, Mapping):
        return []
    named = [(one_line(str(name), 40), value) for name, value in list(parts.items())[:20]]
    return [[name, _number(value)] for name, value in named if isinstance(value, int | float)]


def _rows_of(pairs: tuple[NDArray[np.int64], NDArray[np.int64]], key: int) -> NDArray[np.int64]:
    rows, keys = pairs
    return rows[np.searchsorted(keys, key) : np.searchsorted(keys, key, side="right")]


def _stored(tasks: Tasks) -> NDArray[Any]:
    found = np.zeros(len(tasks), ENTRY)
    found["key"] = tasks.key
    found["kind"], found["step"], found["rate"] = tasks.kind, tasks.step, tasks.rate
    found["verdict"] = np.where(tasks.step == 0, 1, 0)
    return found


def _by_task(index: TraceIndex, proposals: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with proposals or with attempts, sorted by task, and the tasks' ids in that order."""
    rows = index.rows
    proposal = index.purposes.find("proposal")
    own = (rows["purpose"] == (-1 if proposal is None else proposal)) == proposals
    chosen = np.flatnonzero(own & (rows["task"] != NO_TASK))
    tasks = rows["task"][chosen]
    order = np.argsort(tasks, kind="stable")
    return chosen[order], tasks[order]


def _title(program: str) -> str:
    """The title line: the entry function's, or the first non-comment line."""
    lines = [line.strip() for line in program[:5000].split("\n")]
    named = [line for line in lines if line.startswith("def f(")]
    rest = [line for line in lines if line and not line.startswith(("#", "import ", "from ", "```"))]
    if not named:
        return one_line(next(iter(rest), "(empty)"), 110)
    body = next((line for line in lines[lines.index(named[0]) + 1 :] if line and line[0] not in "#\"'"), "")
    return one_line(f"{named[0]} {body}", 110)


def _number(value: Any) -> float | int | None:
    """A number for JSON, to five digits."""
    try:
        found = float(value)
    except OverflowError:
        return None
    if not np.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else float(f"{found:.5g}")
