"""A live run in memory: the index of its trace, its tasks, its curves.

Texts stay on disk; memory holds a few bytes per row of the trace and per task.
"""

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from azr.errors import AzrError
from azr.oversight.traces import TraceReader
from azr.report.curriculum import Columns, Measured, Tasks, bin_edges, curriculum, read_tasks
from azr.report.folder import Folder
from azr.report.gallery import Gallery, Wanted, episode
from azr.report.index import Filter, TraceIndex
from azr.report.scan import Scan, comment_columns, pattern_table, phrase_table
from azr.report.summary import summarise
from azr.run.folder import TRACES
from azr.util.sanitize import one_line

CHUNK: Final = 500
"""Rows of the trace that are indexed before the lock is released."""
SEARCHED: Final = 200_000
"""Maximum rows read by one search."""
REST: Final = 20.0
"""Tasks are read again at the earliest after this many times the duration of the last read."""

Answer = dict[str, Any]


class Live:
    """One run, as of a moment ago. Thread-safe."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._reader = TraceReader(folder.path / TRACES)
        self._search = TraceReader(folder.path / TRACES, cached_blocks=2)
        self._searching = threading.Lock()
        self._scan = Scan(TraceIndex())
        self._measured = Measured()
        self._tasks: Tasks | None = None
        self._bins: list[float] = []
        self._columns: Columns = {}
        self._gallery = Gallery(None, None, self._scan.index, self._reader)
        self._seen: object = None
        self._asked_again = 0.0
        self._looks = 0
        self._summary: tuple[str, Answer] = ("", {})
        self._stop = threading.Event()

    def follow(self) -> None:
        """Refresh once a second, until `close`."""
        while not self._stop.is_set():
            left = self.look()
            self._stop.wait(0.02 if left else 1.0)

    def look(self) -> int:
        """Read what is new; returns the number of rows not indexed yet. For one thread only."""
        try:
            with self._lock:
                self._reader.refresh()
                left = self._scan.follow(self._reader, CHUNK)
            if left == 0:
                self._reread()
            return left
        except AzrError as error:
            self._folder.notes.add(str(error))
            return 0

    def close(self) -> None:
        """End `follow`."""
        self._stop.set()

    def version(self) -> str:
        """A hash that changes with every change of the run."""
        state = (self._folder.changed(), len(self._scan.index), self._looks)
        return hashlib.blake2b(repr(state).encode(), digest_size=8).hexdigest()

    def run(self, known: str) -> Answer:
        """The run's metrics, unless the client's version is current."""
        with self._lock:
            version = self.version()
            if version == known:
                return {"version": version}
            if self._summary[0] != version:
                self._summary = (version, self._summarise())
            return {"version": version, "runs": [self._summary[1]]}

    def programs(self, wanted: Wanted, text: str, offset: int, count: int, newest: bool) -> Answer:
        """A page of programs and refused proposals."""
        with self._lock:
            gallery = self._gallery
            entries = gallery.find(wanted)
            if newest:
                entries = entries[::-1]
            if text:
                return self._found(gallery.search(entries, text), offset, count, gallery.lines)
            lines = gallery.lines(entries[offset : offset + count])
            return {
                "total": len(entries), "of": len(gallery.entries), "lines": lines, "options": self._options(),
                "reading": self._looks == 0,
            }  # fmt: skip

    def program(self, key: int) -> Answer | None:
        """One of these."""
        with self._lock:
            return self._gallery.detail(key)

    def completions(self, wanted: Filter, text: str, offset: int, count: int, newest: bool) -> Answer:
        """A page of the trace's rows."""
        with self._lock:
            rows = self._scan.index.find(wanted)
            total = len(self._scan.index)
            options = self._options()
        if newest:
            rows = rows[::-1]
        with self._searching:
            self._search.refresh()
            if text:
                hits = self._hits(rows[:SEARCHED], text)
                answer = self._found(hits, offset, count, lambda part: [self._line(int(row)) for row in part])
                return answer | {"of": total, "options": options}
            lines = [self._line(int(row)) for row in rows[offset : offset + count]]
        return {"total": len(rows), "of": total, "lines": lines, "options": options}

    def completion(self, row: int) -> Answer | None:
        """One row."""
        with self._searching:
            self._search.refresh()
            return episode(self._search[row], row) if 0 <= row < len(self._search) else None

    def _reread(self) -> None:
        """Read the tasks again, if something changed and enough time has passed. In the background."""
        changed = self._folder.changed()
        if changed == self._seen or time.monotonic() < self._asked_again:
            return
        begin = time.monotonic()
        stored = self._folder.stored()
        tasks, bins, columns = self._tasks, self._bins, self._columns
        if stored is not None:
            tasks = read_tasks(stored)
            bins, columns = curriculum(stored, tasks, self._measured)
            columns |= comment_columns(self._scan.written, bin_edges(tasks.step))
        gallery = Gallery(stored, tasks, self._scan.index, self._reader)
        with self._lock:
            self._gallery.close()
            self._looks += 1
            self._gallery, self._tasks, self._bins, self._columns = gallery, tasks, bins, columns
        self._seen = changed
        self._asked_again = time.monotonic() + REST * (time.monotonic() - begin)

    def _summarise(self) -> Answer:
        counts = {"completions in the trace": len(self._reader)}
        if self._tasks is not None:
            counts = {"tasks": len(self._tasks), **counts}
        try:
            found = summarise(self._folder, self._bins, self._columns, counts)
        except AzrError as error:
            self._folder.notes.add(str(error))
            return self._summary[1]
        written = self._scan.written
        return found | {"patterns": pattern_table(written), "phrases": phrase_table(written), "read": len(written)}

    def _options(self) -> Answer:
        index = self._scan.index
        return {
            "kind": sorted({*self._gallery.kinds, *index.kinds.known} - {""}),
            "verdict": sorted({*self._gallery.verdicts, *index.verdicts.known} - {""}),
            "purpose": sorted(index.purposes.known),
        }

    def _found(self, hits: Iterator[Any], offset: int, count: int, lines: Any) -> Answer:
        """A page of what a search finds; it ends once it knows whether there is more."""
        found = []
        for hit in hits:
            found.append(hit)
            if len(found) > offset + count:
                break
        page = found[offset : offset + count]
        more = len(found) > offset + count
        return {"total": len(found) - more, "of": 0, "lines": lines(page), "open": more}

    def _hits(self, rows: "np.ndarray[Any, np.dtype[np.int64]]", text: str) -> Iterator[int]:
        wanted = text.lower()
        for row in rows:
            about = self._search[int(row)]
            if any(wanted in str(about.get(name) or "").lower() for name in ("completion", "program", "answer")):
                yield int(row)

    def _line(self, row: int) -> Mapping[str, Any]:
        about = self._search[row]
        found = {name: one_line(str(about.get(name, "")), 40) for name in ("kind", "verdict", "purpose")}
        title = about.get("answer") or about.get("completion")
        step = about.get("step")
        return found | {
            "key": row, "step": step if isinstance(step, int) else 0, "rate": None, "title": one_line(str(title), 110)
        }  # fmt: skip
