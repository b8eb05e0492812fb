"""Evaluations in a run folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from azr.evals.records import Line
from azr.evals.summary import averages, summarise
from azr.report.evaluations import evaluations
from azr.report.folder import Folder


def results(model: str) -> dict[str, Any]:
    """As `azr eval` writes them."""
    lines = [
        Line(
            benchmark="own", item=str(item), sample=sample, prompt="", completion="", tokens=10, finished=True,
            answer="1", score=float(item == 0), reason="correct",
        )
        for item in range(4) for sample in range(2)
    ]  # fmt: skip
    found = {"own": summarise(lines, [str(item) for item in range(4)], 2, 0)}
    return {"settings": {"model": model}, "benchmarks": found, "averages": averages(found, 0)}


def test_results_become_rows_and_what_cannot_be_read_is_noted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    written = {"a": json.dumps(results("run/checkpoints/step_40")), "b": "{", "c": "[]", "d": '{"settings": {}}'}
    for name, text in written.items():
        (tmp_path / "evals" / name).mkdir(parents=True)
        (tmp_path / "evals" / name / "results.json").write_text(text)
    folder = Folder(tmp_path)
    (row,) = evaluations(folder)
    assert (row["benchmark"], row["model"], row["folder"]) == ("own", "step_40", "a")
    assert dict(row["numbers"])["score"] == "25.0%" and dict(row["numbers"])["pass@2"] == "25.0%"
    assert [note.split(" cannot")[0] for note in folder.notes.texts] == [f"the evaluation {name}" for name in "bcd"]


def test_completions_of_every_reason_are_shown_with_nothing_hidden_in_them(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    folder = tmp_path / "evals" / "step_40"
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results("run/checkpoints/step_40")))
    lines = [
        Line(
            benchmark="own", item=str(n), sample=0, prompt="p", completion="\u202e\x1b[31m<script>", tokens=1,
            finished=True, answer=None, score=0.0, reason="unsupported" if n == 19 else "wrong", detail="import numpy",
        )
        for n in range(20)
    ]  # fmt: skip
    (folder / "completions.jsonl").write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines))
    (row,) = evaluations(Folder(tmp_path))
    heads = [one["head"] for one in row["completions"]]
    assert len(heads) == 12 and "19, sample 0: unsupported: import numpy" in heads
    assert all("\x1b" not in one["text"] and "\u202e" not in one["text"] for one in row["completions"])
