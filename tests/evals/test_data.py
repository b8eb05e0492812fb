"""Rows: local copies, and clear words where there are none."""

import importlib
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from azr.errors import BenchmarkError, ConfigError
from azr.evals.benchmarks import BENCHMARKS, GROUPS, choose, find
from azr.evals.data import load
from azr.sandbox import Sandbox


def test_a_folder_has_one_file_for_each_data_set(data: Path) -> None:
    for name in ("cruxeval_i", "cruxeval_o"):
        rows = load(find(name), data)
        assert len(rows.rows) == 6 and rows.revision.startswith("sha256:") and not rows.pinned


def test_parquet_and_json_are_read_as_json_lines_are(data: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (data / "cruxeval.jsonl").read_text().splitlines()]
    other = tmp_path / "other"
    other.mkdir()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), other / "cruxeval.parquet")
    (other / "humaneval.json").write_text(json.dumps(rows))
    assert list(load(find("cruxeval_o"), other).rows) == rows == list(load(find("humaneval"), other).rows)


def test_a_line_separator_inside_a_string_is_no_new_row(tmp_path: Path) -> None:
    row = {"id": "a", "code": "def f(a):\n    return a", "input": "'\u2028\x0b'", "output": "'\u2028\x0b'"}
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    assert list(load(find("cruxeval_o"), path).rows) == [row]


def test_a_missing_data_set_says_which_command_gets_it(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"has no humaneval\.jsonl.*azr eval fetch humaneval --to DIR"):
        load(find("humaneval"), tmp_path)
    with pytest.raises(BenchmarkError, match="no such file"):
        load(find("humaneval"), tmp_path / "nothing.jsonl")


def test_without_a_network_the_hub_is_no_silent_skip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    with pytest.raises(BenchmarkError, match=r"math500: cannot get HuggingFaceH4/MATH-500 .*azr eval fetch math500"):
        load(find("math500"))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "humaneval.jsonl").write_text("{no json\n")
    with pytest.raises(BenchmarkError, match=r"cannot read .*humaneval\.jsonl"):
        load(find("humaneval"), tmp_path)


def test_a_row_without_its_column_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(BenchmarkError, match="row 0 has no column problem: it has answer, text"):
        find("math500").build([{"text": "P", "answer": "1"}], sandbox)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_states_source_licence_and_prompt_in_a_file_of_its_own(name: str) -> None:
    benchmark = find(name)
    text = importlib.import_module(BENCHMARKS[name].partition(":")[0]).__doc__ or ""
    assert ("Source" in text or "Sources" in text) and "rompt" in text
    if benchmark.source.hub:
        assert benchmark.source.hub in text and benchmark.source.licence
        assert benchmark.source.revision is not None and len(benchmark.source.revision) == 40


def test_groups_and_names_give_each_benchmark_once() -> None:
    assert choose(["code", "humaneval_plus", "math"]) == [*GROUPS["code"], *GROUPS["math"]]
    assert set(choose(["all"])) == set(BENCHMARKS) - {"heldout"}
    with pytest.raises(ConfigError, match="did you mean humaneval"):
        choose(["humanevl"])
