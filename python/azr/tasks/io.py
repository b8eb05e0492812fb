"""Tasks in a file: seeds and held-out sets. One JSON object a line: kind, program, inputs, message, tags.

Tags are names with a value each, by which results can be told apart. Outputs are written only for people. Reading a
file runs its programs again, so that no wrong answer can enter.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from azr.errors import RunError
from azr.tasks import TaskKind
from azr.tasks.common import run_drafts
from azr.types import Completion, Draft, Kind, Prompt, Reason, Role, Task

if TYPE_CHECKING:
    from azr.sandbox import Sandbox


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
    results = run_drafts(kinds, sandbox, [(kind, draft.program, draft.inputs) for kind, draft in drafts])
    made: list[Task | Reason] = []
    for (kind, draft), result in zip(drafts, results, strict=True):
        prompt = Prompt(role=Role.PROPOSE, kind=kind, text="", token_ids=())
        nobody = Completion(prompt=prompt, text="", token_ids=(), log_probs=(), finished=True)
        task = kinds[kind].materialise(draft, nobody, result.results)
        made.append(replace(task, step=0) if isinstance(task, Task) else task)
    return made


def _kind(name: str, kinds: Collection[Kind], domain: str) -> Kind:
    kind = Kind(name) if "." in name else Kind(name).of(domain)
    if kind not in kinds:
        raise ValueError(f"{name!r} is no kind of this run, which has {', '.join(sorted(kinds))}")
    return kind
