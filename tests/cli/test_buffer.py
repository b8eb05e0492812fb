"""`azr buffer`: what it prints and writes, of a buffer that nobody stops writing."""

import json
from pathlib import Path

import pytest
from azr.buffer.client import Extras, Inserted, TaskBuffer
from azr.buffer.domains import Shard, Shards
from azr.cli import main
from azr.cli.buffer import buffer as group
from azr.types import Kind, Task
from click.testing import CliRunner


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with twelve tasks, four of which have a solve rate."""
    with TaskBuffer.open(tmp_path / "run" / "buffer") as buffer:
        for number in range(12):
            kind = Kind.DEDUCTION if number % 3 else Kind.INDUCTION
            program = f"def f(x):\n    return x * {number}"
            buffer.insert(
                Task(kind=kind, program=program, inputs=("2",), outputs=(), step=number // 4, message="times"),
                Extras(imports=("import math",), behaviour=number),
            )
        for number in range(4):
            buffer.record_solve_rate(number, number / 4, step=1)
        buffer.commit()
    return tmp_path / "run"


def call(*arguments: object) -> str:
    done = CliRunner().invoke(group, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_show_prints_programs_and_what_happened_to_them(run: Path) -> None:
    text = call("show", run, "--id", 2)
    assert "# 2 deduction, step 0, solve rate 0.50, served 0" in text
    assert "return x * 2" in text
    rows = [json.loads(line) for line in call("show", run, "--json", "--limit", 3).splitlines()]
    assert [row["id"] for row in rows] == [9, 10, 11]
    assert rows[0]["imports"] == ["import math"]


def test_filters_choose_by_kind_step_and_solve_rate(run: Path) -> None:
    def ids(*options: object) -> list[int]:
        return [json.loads(line)["id"] for line in call("show", run, "--json", *options).splitlines()]

    assert ids("--kind", "induction") == [0, 3, 6, 9]
    assert ids("--from-step", 1, "--to-step", 1) == [4, 5, 6, 7]
    assert ids("--tried", "--min-rate", 0.5) == [2, 3]
    assert ids("--max-rate", 0.25, "--to-step", 0) == [0, 1]


def test_stats_add_up(run: Path) -> None:
    numbers = json.loads(call("stats", run, "--json"))
    assert (numbers["tasks"], numbers["tried"], numbers["first_step"], numbers["last_step"]) == (12, 4, 0, 2)
    assert numbers["kinds"] == {"deduction": 8, "induction": 4}
    assert sum(numbers["solve_rates"].values()) == 4
    assert "12 tasks, 4 tried" in call("stats", run)


def test_export_writes_every_task_as_json_lines(run: Path, tmp_path: Path) -> None:
    call("export", run, tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(range(12))
    assert rows[2]["solve_rate"] == 0.5
    assert rows[2]["history"] == [{"step": 1, "successes": 1, "attempts": 2}]
    assert rows[5]["behaviour"] == f"{5:032x}"


def test_export_writes_the_same_as_parquet(run: Path, tmp_path: Path) -> None:
    from pyarrow import parquet

    call("export", run, tmp_path / "out.jsonl")
    call("export", run, tmp_path / "out.parquet")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == rows


def test_parquet_without_pyarrow_is_a_clear_error(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(SystemExit):
        main(["buffer", "export", str(run), str(tmp_path / "out.parquet")])
    assert "pip install pyarrow" in capsys.readouterr().err


def test_a_live_writer_is_not_disturbed(run: Path) -> None:
    with TaskBuffer.open(run / "buffer") as writer:
        writer.insert(Task(kind=Kind.ERROR, program="def f(x): return 1 / x", inputs=("0",), outputs=()))
        assert json.loads(call("stats", run, "--json"))["tasks"] == 12
        writer.commit()
        assert json.loads(call("stats", run, "--json"))["tasks"] == 13


def test_a_folder_without_a_buffer_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["buffer", "stats", str(tmp_path)])
    assert "there is no task buffer" in capsys.readouterr().err


def test_the_tasks_of_all_domains_are_shown_under_their_own_names(run: Path) -> None:
    lookup, deduction = Kind("tables.lookup"), Kind("tables.deduction")
    (run / "config.toml").write_text('[[domains]]\nname = "python"\n\n[[domains]]\nname = "tables"\n', "utf-8")
    tables = Shard(1, TaskBuffer.open(run / "buffer-tables"), [lookup, deduction])
    shards = Shards({"": Shard(0, TaskBuffer.open(run / "buffer"), Kind), "tables": tables})
    new = [
        Task(kind=kind, program="def f(t):\n    return t[0]", inputs=("[7]",), outputs=(), step=1)
        for kind in (lookup, deduction)
    ]
    first, second = (one.id for one in shards.insert_many(new) if isinstance(one, Inserted))
    shards.record_solve_rate(first, 0.25, 2, attempts=4)
    shards.checkpoint()
    shards.close()

    text = call("show", run, "--id", first)
    assert f"# {first} tables.lookup, step 1, solve rate 0.25" in text and "return t[0]" in text
    rows = [json.loads(line) for line in call("show", run, "--json", "--limit", 7).splitlines()]
    # By step: those of step 1 of both buffers stand before those of step 2.
    assert [row["id"] for row in rows] == [7, first, second, 8, 9, 10, 11]
    rows = [json.loads(line) for line in call("show", run, "--json", "--kind", "tables.lookup").splitlines()]
    assert [(row["id"], row["kind"]) for row in rows] == [(first, "tables.lookup")]
    counts = json.loads(call("stats", run, "--json"))
    assert counts["tasks"] == 14 and counts["kinds"]["tables.lookup"] == 1 == counts["kinds"]["tables.deduction"]
    refused = CliRunner().invoke(group, ["show", str(run), "--kind", "tables.other"])
    assert refused.exit_code == 2 and "tables.lookup" in refused.output
    refused = CliRunner().invoke(group, ["show", str(run), "--id", "12"])
    assert refused.exit_code == 2 and "no task 12" in refused.output
