"""The folder of an evaluation: its settings, every completion with its verdict, and the summary.

    evaluation.json            settings, and of each benchmark where its rows came from
    completions*.jsonl         one line a completion; see `Line`
    results.json               the summary, when all is done

A unit of work is written whole, by one append that is flushed to disk. What a crash left of a unit is cut or done
again, so that the folder of an interrupted evaluation ends as that of one that never was. Under torchrun each process
writes a file of its own; the first puts them together at the end.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azr.errors import BenchmarkError
from azr.util.lines import cut_torn_tail

SETTINGS, RESULTS, COMPLETIONS = "evaluation.json", "results.json", "completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One completion."""

    benchmark: str
    item: str
    sample: int
    prompt: str
    completion: str
    tokens: int
    finished: bool
    """False: cut at the token limit."""
    answer: str | None
    """As it was read from the completion."""
    score: float
    reason: str
    detail: str = ""


class Folder:
    """An open evaluation folder. `rank`: of this process among those of the evaluation."""

    def __init__(self, path: Path, rank: int = 0) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._own = path / (f"{COMPLETIONS}.jsonl" if rank == 0 else f"{COMPLETIONS}.{rank}.jsonl")
            self._file = self._own.open("a+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            cut_torn_tail(self._file.fileno())
        except BlockingIOError as error:
            raise BenchmarkError(f"{path} is in use by another evaluation") from error
        except OSError as error:
            raise BenchmarkError(f"cannot write to {path}: {error}") from error

    def settle(self, settings: Mapping[str, Any]) -> None:
        """Record the settings, or check that they equal the recorded ones; benchmarks may be added.

        Raises:
            BenchmarkError: they are not; names the first that differs.
        """
        path = self.path / SETTINGS
        wanted = json.loads(json.dumps(settings))
        found = read_json(path) if path.exists() else wanted
        # Benchmarks are independent: the folder holds all that were evaluated under the same settings.
        more = {name: value for name, value in found["benchmarks"].items() if name not in wanted["benchmarks"]}
        wanted["benchmarks"] = {**more, **wanted["benchmarks"]}
        found["benchmarks"] = {**wanted["benchmarks"], **found["benchmarks"]}
        for key in wanted.keys() | found.keys():
            if found.get(key) != wanted.get(key):
                raise BenchmarkError(
                    f"{self.path} holds an evaluation with {key} = {found.get(key)!r}, not {wanted.get(key)!r} as now:"
                    " give another folder by --out"
                )
        write_json(path, wanted)

    def append(self, lines: Sequence[Line]) -> None:
        """Append a unit's lines atomically, as far as a reader can tell."""
        text = "".join(json.dumps(asdict(line)) + "\n" for line in lines)
        try:
            self._file.write(text.encode("utf-8"))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise BenchmarkError(f"cannot write to {self._own}: {error}") from error

    def lines(self, benchmark: str | None = None) -> Iterator[Line]:
        """Lines that all processes have written so far, of one benchmark or of all."""
        for path in files(self.path):
            yield from (line for line in read_lines(path) if benchmark in (None, line.benchmark))

    def put_together(self, order: Mapping[str, Sequence[str]]) -> None:
        """Merge all lines into one file, in order of benchmarks, items and samples, without duplicates."""
        place = {(name, item): (at, n) for at, name in enumerate(order) for n, item in enumerate(order[name])}
        kept = {(line.benchmark, line.item, line.sample): line for line in self.lines()}
        lines = [line for line in kept.values() if (line.benchmark, line.item) in place]
        lines.sort(key=lambda line: (place[line.benchmark, line.item], line.sample))
        working = self.path / f".{COMPLETIONS}.writing"
        with working.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(line)) + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        others = [path for path in files(self.path) if path.name != f"{COMPLETIONS}.jsonl"]
        os.replace(working, self.path / f"{COMPLETIONS}.jsonl")
        for path in others:
            path.unlink()

    def close(self) -> None:
        """Release the lock."""
        self._file.close()


def files(path: Path) -> list[Path]:
    """The files of completions in a folder."""
    return sorted(path.glob(f"{COMPLETIONS}*.jsonl"))


def read_lines(path: Path) -> Iterator[Line]:
    """The complete lines of a file; a line that another process is writing is left out.

    Raises:
        BenchmarkError: a line is damaged; names it.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith(b"\n"):
                return
            try:
                yield Line(**json.loads(text))
            except (ValueError, TypeError) as error:
                raise BenchmarkError(f"{path}, line {number} is damaged: {error}") from error


def read_json(path: Path) -> Any:
    """A JSON file. Raises BenchmarkError if it cannot be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"cannot read {path}: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file atomically."""
    working = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        working.write_text(json.dumps(value, indent=1) + "\n", "utf-8")
        os.replace(working, path)
    except OSError as error:
        raise BenchmarkError(f"cannot write {path}: {error}") from error


def done(lines: Iterable[Line]) -> dict[tuple[str, int], float]:
    """(item, sample) of the written lines, with their scores."""
    return {(line.item, line.sample): line.score for line in lines}
