"""Evaluations beside each other."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from azr.errors import BenchmarkError
from azr.evals.compare import changes, compare
from azr.evals.paper import COLUMNS, ROWS, row
from azr.evals.records import Line, write_json


def write(
    path: Path, right_ones: set[int], count: int = 40, template: str = "think", engine: str = "transformers"
) -> Path:
    path.mkdir()
    counts = {f"s{n}": [1, int(n in right_ones)] for n in range(count)}
    settings = {"template": template, "engine": engine, "decoding": {"temperature": 0.0}}
    write_json(
        path / "results.json", {"settings": settings, "benchmarks": {"cruxeval_o": {"counts": counts, "apart": []}}}
    )
    with (path / "completions.jsonl").open("w") as file:
        for n in range(count):
            right = n in right_ones
            line = Line(
                benchmark="cruxeval_o",
                item=f"s{n}",
                sample=0,
                prompt="",
                completion=str(right or n % 2),
                tokens=1,
                finished=True,
                answer=str(right),
                score=float(right),
                reason="correct" if right else "wrong",
            )
            file.write(json.dumps(asdict(line)) + "\n")
    return path


def test_a_difference_is_paired_over_the_items(tmp_path: Path) -> None:
    """Two better and none worse of 40; then two better and two worse: the same size, but no longer sure."""
    first = write(tmp_path / "a", set(range(20)))
    better = write(tmp_path / "b", set(range(30)))
    mixed = write(tmp_path / "c", set(range(5, 25)))
    found = compare([first, better, mixed], ["a", "b", "c"])
    base, up, same = (column.cells["cruxeval_o"] for column in found.columns)
    assert base.delta is None and base.score.value == 0.5
    assert up.delta is not None and up.delta.value == pytest.approx(0.25) and up.delta.low > 0
    assert (up.gained, up.lost, up.shared) == (10, 0, 40)
    assert same.delta is not None and same.delta.low < 0 < same.delta.high and (same.gained, same.lost) == (5, 5)
    assert found.warnings == ()


def test_only_shared_items_make_a_difference_and_it_is_said(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", {0, 1}, count=10), write(tmp_path / "b", {0, 1, 15}, count=20)
    found = compare([first, second], ["a", "b"])
    cell = found.columns[1].cells["cruxeval_o"]
    assert cell.shared == 10 and cell.delta is not None and cell.delta.value == 0.0
    assert "other items" in found.warnings[0]


def test_what_else_differs_is_said(tmp_path: Path) -> None:
    paths = [write(tmp_path / "a", {0}), write(tmp_path / "b", {0}, template="plain", engine="vllm")]
    assert {warning.split(": ")[1].split()[0] for warning in compare(paths, ["a", "b"]).warnings} == {
        "template",
        "engine",
    }


def test_differences_are_listed_with_both_answers(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", {0, 1, 2}), write(tmp_path / "b", {1, 2, 3})
    found = changes(first, second)
    assert [(change.item, change.reasons) for change in found] == [
        ("s0", ("correct", "wrong")), ("s3", ("wrong", "correct")),
    ]  # fmt: skip
    assert found[0].answers == ("True", "False") and [change.same_text for change in found] == [False, False]


def test_an_unfinished_evaluation_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="not finished"):
        compare([tmp_path], ["a"])


def test_the_papers_averages_follow_from_its_columns() -> None:
    """But for the rounding of its columns, and for the one row that the paper prints otherwise."""
    for name in ROWS:
        values = row(name)
        code, math = [values[c] for c in COLUMNS[:3]], [values[c] for c in COLUMNS[3:9]]
        if name != "Qwen2.5-3B-Coder":
            assert values["CAvg"] == pytest.approx(sum(code) / 3, abs=0.16), name
        assert values["MAvg"] == pytest.approx(sum(math) / 6, abs=0.16), name
        assert values["AVG"] == pytest.approx((values["CAvg"] + values["MAvg"]) / 2, abs=0.16), name
