"""Tasks in a file: seeds and held-out sets. One JSON object a line: kind, program, inputs, message, tags.

Tags are names with a value each, by which results can be told apart. Outputs are written only for people. Reading a
file runs its programs again, so that no wrong answer can enter.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from azr.errors import RunError
from azr.tasks import TaskKind
from azr.tasks.common import by_domain
from azr.types import Draft, Kind, Reason, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox, Value


def write_tasks(path: Path, tasks: Sequence[Task], tags: Sequence[Mapping[str, str]] = ()) -> None:
    """Write tasks, one a line. `tags`: of each task, or none at all."""
    lines = []
    for task, tagged in zip(tasks, tags or [{}] * len(tasks), strict=True):
        outputs = [value.repr for value in task.outputs]
        row = {"kind": task.kind, "program": task.program, "inputs": list(task.inputs), "outputs": outputs}
        more = {"message": task.message, "tags": dict(tagged)}
        lines.append(json.dumps(row | {name: value for name, value in more.items() if value}))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def read_tasks(path: Path, kinds: Mapping[Kind, TaskKind], sandbox: "Sandbox", domain: str = "") -> list[Task]:
    """Read tasks and verify each by running it. `domain`: whose kinds a file means that names no domain.

    Raises:
        RunError: the file cannot be read, or a line is no task; names the line.
    """
    drafts = read_drafts(path, kinds, domain)
    tasks = []
    for number, made in enumerate(verify(drafts, kinds, sandbox), 1):
        if isinstance(made, Reason):
            raise RunError(f"{path}, line {number}: the sandbox rejects this task: {made}")
        tasks.append(made)
    return tasks


def read_drafts(path: Path, kinds: Collection[Kind], domain: str = "") -> list[tuple[Kind, Draft]]:
    """The tasks of a file as they are, not run.

    Raises:
        RunError: the file cannot be read, or a line is no task; names the line.
    """
    drafts = []
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
            draft = Draft(program=row["program"], inputs=tuple(row["inputs"]), message=row.get("message", ""))
            drafts.append((_kind(row["kind"], kinds, domain), draft))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}, line {number}: not a task: {error!r}") from error
    return drafts


def read_tags(path: Path, name: str) -> list[str]:
    """A tag of every task of a file, in order; empty where a task has none of this name.

    Raises:
        RunError: the file cannot be read, or a line's tags are no names with values; names the line.
    """
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            found.append(str(json.loads(line).get("tags", {}).get(name, "")))
        except (ValueError, AttributeError) as error:
            raise RunError(f"{path}, line {number}: not a task: {error!r}") from error
    return found


def _lines(path: Path) -> list[bytes]:
    try:
        # Bytes, not text: str.splitlines also splits at U+2028, which a program may contain.
        return path.read_bytes().splitlines()
    except OSError as error:
        raise RunError(f"cannot read the tasks of {path}: {error}") from error


def verify(
    drafts: Sequence[tuple[Kind, Draft]], kinds: Mapping[Kind, TaskKind], sandbox: "Sandbox"
) -> list[Task | Reason]:
    """Run drafts that no model wrote; returns a task or the reason for rejection, for each."""
    made: dict[int, Task | Reason] = {}
    for rows in by_domain([kind for kind, _ in drafts], range(len(drafts))):
        home = kinds[drafts[rows[0]][0]].home(sandbox)
        found = home.validate([(drafts[row][1].program, drafts[row][1].inputs) for row in rows])
        for row, validation in zip(rows, found, strict=True):
            kind, draft = drafts[row]
            outputs = kinds[kind].outputs(validation.results)
            made[row] = outputs if isinstance(outputs, Reason) else _task(kind, draft, outputs)
    return [made[row] for row in range(len(drafts))]


def _task(kind: Kind, draft: Draft, outputs: "Sequence[Value]") -> Task:
    return Task(kind=kind, program=draft.program, inputs=draft.inputs, outputs=tuple(outputs), message=draft.message)


def _kind(name: str, kinds: Collection[Kind], domain: str) -> Kind:
    kind = Kind(name) if "." in name else Kind(name).of(domain)
    if kind not in kinds:
        raise ValueError(f"{name!r} is no kind of this run, which has {', '.join(sorted(kinds))}")
    return kind
