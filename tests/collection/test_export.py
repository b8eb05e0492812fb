"""`azr export`: what other libraries read of it, what overlaps with a benchmark, and what it refuses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azr.buffer.client import TaskBuffer
from azr.cli import azr
from azr.collection.overlap import Benchmarks
from azr.collection.task_file import Row, TaskFile
from azr.config import resolve
from azr.errors import AzrError, RunError
from azr.grading import Grader
from azr.run.folder import RunFolder
from azr.tasks.io import verify
from azr.types import Draft, Kind, Task
from click.testing import CliRunner, Result

parquet = pytest.importorskip("pyarrow.parquet", reason="data sets need pyarrow: the extra azr[parquet]")

CRUXEVAL = "def f(text, value):\n    text_list = list(text)\n    text_list.append(value)\n    return ''.join(text_list)"
RENAMED = 'def f(a, b):\n    # the same\n    c = list(a)\n    c.append(b)\n    return "".join(c)'
LONG = """def f(a):
    out = []
    for n in range(len(a)):
        if a[n] % {}:
            out.append(a[n] * n)
    return sorted(out)"""


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader()


@pytest.fixture(scope="module")
def tasks(grader: Grader) -> list[Task]:
    drafts = [
        (Kind.DEDUCTION, Draft(program=RENAMED, inputs=("'ab', 'c'",))),
        (Kind.ABDUCTION, Draft(program=LONG.format(3), inputs=("[1, 2, 3]",))),
        (Kind.INDUCTION, Draft(program="def f(a):\n    return a + 1", inputs=tuple("0123456789"), message="Add."))
    ]  # fmt: skip
    made = [task for task in verify(drafts, grader.kinds, grader.sandbox) if isinstance(task, Task)]
    assert len(made) == 3
    return made


@pytest.fixture
def file(tmp_path: Path, tasks: list[Task]) -> Path:
    """A file as `azr propose` writes it, with solve rates 0, 1/2 and 1."""
    made = TaskFile(tmp_path / "tasks.jsonl")
    made.append(
        [
            Row(
                kind=task.kind, program=task.program, inputs=list(task.inputs), message=task.message, attempts=4,
                outputs=[value.repr for value in task.outputs], solve_rate=n / 2, step=n + 1, model="m", azr="0.1.0",
            )
            for n, task in enumerate(tasks)
        ]
    )  # fmt: skip
    made.close()
    return made.path


@pytest.fixture
def run(tmp_path: Path, tasks: list[Task]) -> Iterator[Path]:
    """A run's folder: a seed that was never tried, two proposals, one held back."""
    folder = RunFolder.create(tmp_path / "run", resolve({}, ["model.name=org/model"]))
    with TaskBuffer.open(tmp_path / "run" / "buffer") as buffer:
        stepped = [Task(**{n: getattr(t, n) for n in Task.__slots__} | {"step": s}) for s, t in enumerate(tasks)]
        buffer.insert_many(stepped)
        buffer.record_solve_rate(1, 0.25, step=1, attempts=8)
        buffer.quarantine(2)
        buffer.commit()
    folder.close()
    yield tmp_path / "run"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(azr, ["export", *map(str, arguments)])


def rows(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = parquet.read_table(folder / "data" / f"{split}.parquet").to_pylist()
    return found


def test_rows_have_solve_rates_provenance_and_what_trainers_read(file: Path, tmp_path: Path, grader: Grader) -> None:
    done = call(file, tmp_path / "set", "--license", "cc-by-4.0")
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "set")
    assert [(row["solve_rate"], row["difficulty"]) for row in found] == [
        (0.0, "unsolved"), (0.5, "medium"), (1.0, "always solved"),
    ]  # fmt: skip
    for index, row in enumerate(found):
        assert (row["origin"], row["model"], row["azr"], row["license"]) == ("proposed", "m", "0.1.0", "cc-by-4.0")
        assert row["attempts"] == 4 and row["step"] == index + 1 and row["overlap"] is None
        task = grader.read(row["task"])
        assert (task.kind, task.program, list(task.inputs)) == (row["kind"], row["program"], row["inputs"])
        assert row["prompt"] == grader.row(task)["prompt"]
        assert row["reward_model"] == {"style": "rule", "ground_truth": row["task"]}
        assert (row["data_source"], row["ability"]) == ("azr", row["kind"])
        assert row["extra_info"] == {"split": "train", "index": index}
    assert len({row["id"] for row in found}) == 3


def test_a_run_s_tasks_without_those_held_back(run: Path, tmp_path: Path) -> None:
    done = call(run, tmp_path / "set")
    assert done.exit_code == 0, done.output
    assert "1 tasks are held back" in done.stderr and "the license is unknown" in done.stderr
    found = rows(tmp_path / "set")
    assert [(row["origin"], row["solve_rate"], row["difficulty"], row["attempts"]) for row in found] == [
        ("seed", None, "untried", 0), ("proposed", 0.25, "hard", 8),
    ]  # fmt: skip
    assert {row["model"] for row in found} == {"org/model"}


@pytest.mark.torch  # datasets looks for it
def test_datasets_loads_the_folder_by_its_card(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets", reason="needs datasets: the extra azr[eval]")
    assert call(file, tmp_path / "set", "--test", "0.5").exit_code == 0
    found = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    both = [*found["train"], *found["test"]] if len(rows(tmp_path / "set", "test")) else list(found["train"])
    assert sorted(row["id"] for row in both) == sorted(
        row["id"] for split in ("train", "test") for row in rows(tmp_path / "set", split)
    )
    assert set(both[0]["prompt"][0]) == {"role", "content"}


@pytest.mark.torch  # datasets looks for it
def test_datasets_loads_what_was_written_last(file: Path, tmp_path: Path) -> None:
    """It caches by what the card says, and not by what the files hold."""
    datasets = pytest.importorskip("datasets", reason="needs datasets: the extra azr[eval]")
    for wanted in (["--min-rate", "0.4"], ["--max-rate", "0.4"], ["--license", "mit"], ["--max-rate", "0.4"]):
        assert call(file, tmp_path / "set", "--replace", *wanted).exit_code == 0
        found = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))["train"]
        assert [row["id"] for row in found] == [row["id"] for row in rows(tmp_path / "set")], wanted
        assert {row["license"] for row in found} == {wanted[1] if wanted[0] == "--license" else "unknown"}


@pytest.mark.parametrize(("share", "split"), [("0.000001", "train"), ("0.999999", "test")])
def test_a_split_without_rows_is_none(file: Path, tmp_path: Path, share: str, split: str) -> None:
    """Readers refuse one; and of what was there before nothing is left."""
    assert call(file, tmp_path / "set", "--test", "0.5").exit_code == 0
    assert call(file, tmp_path / "set", "--test", share, "--replace").exit_code == 0
    assert [path.name for path in (tmp_path / "set" / "data").iterdir()] == [f"{split}.parquet"]
    text = (tmp_path / "set" / "README.md").read_text()
    assert [line.strip() for line in text.splitlines() if "split:" in line] == [f"- split: {split}"]


def test_no_program_is_in_both_splits(tmp_path: Path, grader: Grader) -> None:
    programs = [f"def f(a):\n    return a * {n}" for n in range(40)]
    drafts = [(kind, Draft(program=p, inputs=("2",))) for p in programs for kind in (Kind.DEDUCTION, Kind.ABDUCTION)]
    made = TaskFile(tmp_path / "tasks.jsonl")
    made.append(
        [
            Row(kind=kind, program=d.program, inputs=list(d.inputs), outputs=[], message="", attempts=1, solve_rate=1.0,
                step=1, model="m", azr="0")
            for kind, d in drafts
        ]
    )  # fmt: skip
    made.close()
    assert call(made.path, tmp_path / "set", "--test", "0.3").exit_code == 0
    train, test = rows(tmp_path / "set"), rows(tmp_path / "set", "test")
    assert len(train) + len(test) == 80 and 8 <= len(test) <= 40
    assert not {row["program"] for row in train} & {row["program"] for row in test}
    assert {row["extra_info"]["split"] for row in test} == {"test"}


def benchmark(path: Path, *found: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def test_exact_and_near_duplicates_of_a_benchmark_are_marked(file: Path, tmp_path: Path) -> None:
    data = benchmark(
        tmp_path / "bench.jsonl", {"code": CRUXEVAL, "id": "sample_3"}, {"code": LONG.format(4), "id": "sample_9"},
        {"code": "def g(x):\n    while x:\n        x //= 2\n    return str(x).zfill(9)", "id": "sample_10"},
    )  # fmt: skip
    done = call(file, tmp_path / "set", "--against", data)
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "set")
    assert [row["overlap"] for row in found] == ["exact", "near", "none"]
    assert [row["overlap_row"] for row in found[:2]] == ["bench.jsonl#sample_3", "bench.jsonl#sample_9"]
    assert found[0]["overlap_similarity"] == 1.0 and 0.7 <= found[1]["overlap_similarity"] < 1.0
    text = (tmp_path / "set" / "README.md").read_text()
    assert "bench.jsonl (3 programs). 1 tasks have a program that is in them" in text


def test_what_overlaps_can_be_left_out(file: Path, tmp_path: Path) -> None:
    data = benchmark(tmp_path / "bench.jsonl", {"code": CRUXEVAL}, {"code": LONG.format(4)})
    done = call(file, tmp_path / "set", "--against", data, "--leave-out")
    assert [row["kind"] for row in rows(tmp_path / "set")] == ["induction"]
    assert "1 tasks overlap with a benchmark (exact): left out" in done.stderr
    assert "They were left out." in (tmp_path / "set" / "README.md").read_text()


def test_programs_of_benchmarks_are_found_in_their_columns(tmp_path: Path) -> None:
    half = RENAMED.splitlines()
    whole = {"prompt": half[0] + "\n", "canonical_solution": "\n".join(half[1:]), "task_id": "HumanEval/1"}
    for row, field in ((whole, ""), ({"answer": RENAMED, "task_id": "HumanEval/1"}, "answer")):
        data = benchmark(tmp_path / "bench.jsonl", row, {"question": "words"})
        (found,) = Benchmarks([data], field).look([CRUXEVAL])
        assert (found.level, found.row) == ("exact", "bench.jsonl#HumanEval/1")
    with pytest.raises(RunError, match=r"no Python program in any row; name its column by --field: question"):
        Benchmarks([benchmark(tmp_path / "none.jsonl", {"question": "what is (("})])


def test_equal_rows_of_a_benchmark_are_one(tmp_path: Path) -> None:
    """Ids of the index and names of the rows stay together."""
    data = benchmark(tmp_path / "b.jsonl", {"code": CRUXEVAL}, {"code": RENAMED}, {"code": LONG.format(4), "id": "x"})
    found = Benchmarks([data]).look([LONG.format(5)])
    assert (found[0].level, found[0].row) == ("near", "b.jsonl#x")


def append(file: Path, *changes: dict[str, Any], of: int = 1) -> None:
    """More lines like one of the file."""
    row = json.loads(file.read_text().splitlines()[of])
    with file.open("a") as out:
        out.writelines(json.dumps(row | change) + "\n" for change in changes)


def test_what_repeats_a_task_is_exported_once_and_counted(file: Path, tmp_path: Path) -> None:
    """As two runs into one file, or files put together, leave it: equal lines, and equal but for names and rates."""
    data = benchmark(tmp_path / "bench.jsonl", {"code": LONG.format(3)})
    append(file, {}, {"solve_rate": 0.25, "step": 9}, {"program": LONG.format(3).replace("out", "found")})
    append(file, {"inputs": ["[1,2,  3]"]})
    done = call(file, tmp_path / "set", "--against", data)
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "set")
    assert [(row["kind"], row["solve_rate"]) for row in found] == [
        ("deduction", 0.0), ("abduction", 0.5), ("induction", 1.0),
    ]  # fmt: skip
    assert "note: 4 tasks repeat an earlier one: left out" in done.stderr
    assert "note: 1 tasks overlap with a benchmark (exact): marked" in done.stderr
    assert "4 tasks were equal to an earlier one" in (tmp_path / "set" / "README.md").read_text()
    assert {row["repeat"] for row in found} == {"none"}


def test_what_is_near_an_earlier_task_is_marked(file: Path, tmp_path: Path) -> None:
    append(file, {"program": LONG.format(4)}, {"kind": "deduction"}, {"inputs": ["[4, 5]"]})
    done = call(file, tmp_path / "set")
    assert done.exit_code == 0, done.output
    found = rows(tmp_path / "set")
    assert [row["repeat"] for row in found] == ["none", "none", "none", "near", "program", "program"]
    assert [row["repeat_of"] for row in found[3:]] == [found[1]["id"]] * 3
    assert 0.7 <= found[3]["repeat_similarity"] < 1.0 and found[4]["repeat_similarity"] == 1.0
    assert "note: 1 tasks have nearly the program of an earlier one: marked" in done.stderr
    assert call(file, tmp_path / "strict", "--threshold", "0.99").exit_code == 0
    assert [row["repeat"] for row in rows(tmp_path / "strict")][3:] == ["none", "program", "program"]


def test_what_is_left_out_for_a_benchmark_is_no_earlier_task(file: Path, tmp_path: Path) -> None:
    append(file, {"program": LONG.format(4)})
    data = benchmark(tmp_path / "bench.jsonl", {"code": LONG.format(3)})
    call(file, tmp_path / "set", "--against", data, "--leave-out", "--threshold", "0.95")
    assert [(row["program"], row["repeat"]) for row in rows(tmp_path / "set")][2:] == [(LONG.format(4), "none")]


def test_a_program_under_other_names_is_in_the_same_split(file: Path, tmp_path: Path) -> None:
    names = ["out", *(f"name_{n}" for n in range(12))]
    changes = [{"program": LONG.format(3).replace("out", name), "inputs": [f"[{n}]"]} for n, name in enumerate(names)]
    append(file, *changes)
    assert call(file, tmp_path / "set", "--test", "0.5", "--kind", "abduction").exit_code == 0
    (split,) = (tmp_path / "set" / "data").iterdir()
    assert len(rows(tmp_path / "set", split.stem)) == 14


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (["--kind", "abduction"], ["abduction"]),
        (["--min-rate", "0.4"], ["abduction", "induction"]),
        (["--min-rate", "0.1", "--max-rate", "0.9"], ["abduction"]),
        (["--to-step", "1"], ["deduction"]),
    ],
)
def test_filters(file: Path, tmp_path: Path, options: list[str], kinds: list[str]) -> None:
    assert call(file, tmp_path / "set", *options).exit_code == 0
    assert [row["kind"] for row in rows(tmp_path / "set")] == kinds


def test_the_card_says_what_is_there(file: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="needs PyYAML")
    call(file, tmp_path / "set", "--license", 'odd: "one"', "--name", "- [x] \x1b[2J")
    text = (tmp_path / "set" / "README.md").read_text()
    _, head, body = text.split("---\n", 2)
    about = yaml.safe_load(head)
    assert about["license"] == 'odd: "one"' and about["size_categories"] == ["n<1K"]
    assert re.fullmatch("content [0-9a-f]{16}", about["configs"][0]["description"])
    assert about["configs"][0]["data_files"] == [{"split": "train", "path": "data/train.parquet"}]
    assert "\x1b" not in text and "3 tasks about small Python programs" in body
    assert "| abduction | 0 | 1 | 0 |" in body
    named = {
        name for line in body.splitlines() if line.startswith("| `") for name in line.split("|")[1].split("`")[1::2]
    }
    assert named == set(parquet.read_schema(tmp_path / "set" / "data" / "train.parquet").names)


def test_what_it_refuses(file: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for arguments, said in (
        ([file, tmp_path / "full"], "is not empty"),
        ([tmp_path / "full", tmp_path / "set"], "is no run folder"),
        ([file, tmp_path / "set", "--from-step", 9], "no task is left to write"),
    ):
        done = call(*arguments)
        assert isinstance(done.exception, AzrError) and said in str(done.exception)
    assert not (tmp_path / "set").exists()
    assert "there are abduction, deduction, induction" in call(file, tmp_path / "set", "--kind", "x").output
    assert "needs --against" in call(file, tmp_path / "set", "--leave-out").output
    assert call(file, tmp_path / "full", "--replace").exit_code == 0


def test_empty_files_are_said(file: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert str(call(empty, tmp_path / "set").exception) == f"{empty} has no task"
    assert "empty.jsonl is empty" in str(call(file, tmp_path / "set", "--against", empty).exception)
    assert not (tmp_path / "set").exists()
    assert "the license is unknown" in call(file, tmp_path / "set", "--license", " ").stderr


def test_a_task_that_is_none_is_not_published(file: Path, tmp_path: Path) -> None:
    """A file's programs run again: someone may have changed it."""
    row = json.loads(file.read_text().splitlines()[0]) | {"program": "def f(a, b):\n    return 1 / 0"}
    with file.open("a") as out:
        out.write(json.dumps(row) + "\n")
    done = call(file, tmp_path / "set")
    assert isinstance(done.exception, AzrError) and "line 4: the sandbox rejects this task" in str(done.exception)
