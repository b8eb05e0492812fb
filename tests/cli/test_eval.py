"""`azr eval` from the command line: score, resume, share, compare, show."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from azr.cli.eval import evaluate
from azr.cli.eval_progress import Progress
from azr.errors import ConfigError
from azr.evals.benchmarks import find
from azr.evals.records import Line, files, read_lines
from azr.evals.run import Share
from click.testing import CliRunner, Result
from processes import free_port, started

ROWS = [
    {"id": f"sample_{n}", "code": f"def f(a):\n    return a + {n}", "input": str(n), "output": str(2 * n)}
    for n in range(6)
]
SCRIPT = '''"""Right for even numbers."""


def answer(prompt, draw):
    value = prompt.task.outputs[0].repr if draw % 2 == 0 else "None"
    return f"</think><answer>```output\\n{value}\\n```</answer>"
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with data and a script."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cruxeval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "answers_of_mine.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(evaluate, list(arguments), catch_exceptions=False)


def scripted(*more: str) -> Result:
    given = ("-b", "cruxeval_o", "--data", "data", "--engine", "scripted", "--script", "answers_of_mine:answer")
    return call(*given, *more)


def test_one_command_scores_and_a_second_call_does_nothing_again(folder: Path) -> None:
    first = scripted("--out", "one", "--n", "4", "--json")
    results = json.loads(first.stdout)
    found = results["benchmarks"]["cruxeval_o"]
    assert found["score"] == 0.5 and found["pass_at"]["4"]["value"] == 1.0
    assert results["settings"]["benchmarks"]["cruxeval_o"]["revision"].startswith("sha256:")
    assert results["averages"]["CAvg"]["missing"]
    before = (folder / "one" / "completions.jsonl").read_bytes()
    again = scripted("--out", "one", "--n", "4")
    assert "24 of 24 are there already" in again.stderr and "pass @1 50.0" in again.stdout
    assert (folder / "one" / "completions.jsonl").read_bytes() == before


def test_the_score_so_far_is_of_what_an_earlier_start_did_too() -> None:
    out = io.StringIO()
    progress = Progress(out, Share())
    wrong = Line(
        benchmark="cruxeval_o", item="a", sample=0, prompt="", completion="", tokens=1, finished=True, answer="1",
        score=0.0, reason="wrong", detail="",
    )  # fmt: skip
    progress.begun(find("cruxeval_o"), 4, [1.0, 1.0, 0.0])
    progress.scored(find("cruxeval_o"), [wrong])
    assert "3 of 4 are there already" in out.getvalue() and "4/4  score so far 50.0%" in out.getvalue()


def test_benchmarks_can_be_added_to_an_evaluation(folder: Path) -> None:
    scripted("--out", "one")
    tasks = folder / "heldout.jsonl"
    tasks.write_text(json.dumps({"kind": "deduction", "program": "def f(a):\n    return a", "inputs": ["1"]}) + "\n")
    given = ("-b", "heldout", "--data", str(tasks), "--engine", "scripted", "--script", "answers_of_mine:answer")
    results = json.loads(call(*given, "--out", "one", "--json").stdout)
    assert set(results["benchmarks"]) == {"cruxeval_o", "heldout"} == set(results["settings"]["benchmarks"])
    assert sum(1 for path in files(folder / "one") for _ in read_lines(path)) == 7


@pytest.mark.ranks
def test_two_processes_end_as_one(folder: Path) -> None:
    """As torchrun starts them."""
    scripted("--out", "alone", "--n", "3", "--batch", "6")
    command = [sys.executable, "-m", "azr", "eval", "-b", "cruxeval_o", "--data", "data", "--engine", "scripted"]
    command += ["--script", "answers_of_mine:answer", "--out", "shared", "--n", "3", "--batch", "6"]
    paths = os.pathsep.join([str(folder), *(path for path in sys.path if path)])
    address = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    ranks = [started(command, {"PYTHONPATH": paths, "RANK": rank, **address}) for rank in ("0", "1")]
    with ranks[0] as first, ranks[1] as second:
        first.ends()
        second.ends()
    lines = [list(read_lines(folder / name / "completions.jsonl")) for name in ("alone", "shared")]
    assert lines[0] == lines[1] and len(lines[0]) == 18
    assert [path.name for path in files(folder / "shared")] == ["completions.jsonl"]


def test_comparisons_show_deltas_intervals_and_the_paper_as_the_papers(folder: Path) -> None:
    scripted("--out", "one")
    scripted("--out", "two", "--n", "2")
    text = call("compare", "one", "two").stdout
    assert "difference" in text and "note: two: decoding is" in text and "paper" not in text, "none of its columns"
    markdown = call("compare", "one", "two", "--format", "markdown", "--name", "before", "--name", "after").stdout
    assert markdown.startswith("|  | before | after | difference | gained/lost |\n| --- |")
    found = json.loads(call("compare", "one", "two", "--format", "json", "--differences").stdout)
    assert found["columns"][1]["cells"]["cruxeval_o"]["shared"] == 6
    assert all(change["reasons"] in (["correct", "wrong"], ["wrong", "correct"]) for change in found["differences"])
    code = {"settings": {}, "benchmarks": {"humaneval_plus": {"counts": {"a": [1, 1]}, "apart": []}}}
    (folder / "three").mkdir()
    (folder / "three" / "results.json").write_text(json.dumps(code))
    shown = call("compare", "three", "--paper", "coder-7B").stdout
    assert "As printed in the paper" in shown and "83.5" in shown and "Llama" not in shown


def test_what_is_missing_or_wrong_is_said(folder: Path) -> None:
    with pytest.raises(ConfigError, match="say which benchmarks"):
        call()
    with pytest.raises(ConfigError, match="did you mean cruxeval"):
        call("-b", "cruxeva")
    with pytest.raises(ConfigError, match="expected BENCHMARK=COMMIT"):
        scripted("--revision", "nothing")
    with pytest.raises(ConfigError, match="give a folder"):
        call("-b", "cruxeval_o,humaneval", "--data", "data/cruxeval.jsonl")
    with pytest.raises(ConfigError, match="known are auto, think"):
        call("-b", "cruxeval_o", "--data", "data", "--model", "data", "--template", "fancy")


def test_the_list_names_source_licence_and_commit(folder: Path) -> None:
    listed = json.loads(call("list", "--json").stdout)
    assert {row["name"] for row in listed} > {"humaneval_plus", "livecodebench", "mmlu_pro"}
    text = call("list").stdout
    assert "evalplus/humanevalplus" in text and "e3bbac6d5da0" in text and "group in-distribution" in text


def test_a_model_folder_is_evaluated_and_its_template_is_its_own(folder: Path, tiny_model: Path) -> None:
    given = ("-b", "cruxeval_o", "--data", "data", "--model", str(tiny_model), "--max-tokens", "4", "--limit", "2")
    results = json.loads(call(*given, "--out", "tiny", "--json").stdout)
    assert results["settings"]["template"] == "think" and results["benchmarks"]["cruxeval_o"]["items"] == 2
    assert results["benchmarks"]["cruxeval_o"]["tokens"] <= 4
