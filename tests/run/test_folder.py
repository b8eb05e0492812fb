"""The run folder: locked, cut to a checkpoint, never half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from azr.config import Config, resolve
from azr.errors import RunError
from azr.oversight.traces import TraceReader, TraceWriter
from azr.run.folder import METRICS, TRACES, RunFolder


def test_the_config_that_is_read_back_is_the_one_that_was_given(tmp_path: Path) -> None:
    config = resolve({}, ["seed=9", "train.optim.lr=3e-4"])
    folder = RunFolder.create(tmp_path / "run", config)
    assert folder.config == config


def test_rows_after_the_checkpoint_are_cut_off(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", Config())
    folder.append(METRICS, [{"step": 1}])
    sizes = folder.sizes()
    folder.append(METRICS, [{"step": 2}])
    with TraceWriter(folder.path / TRACES) as trace:
        trace.append([{"step": 2}])
    (folder.path / METRICS).open("a").write('{"step": 3, torn')
    folder.cut(sizes)
    assert folder.rows(METRICS) == [{"step": 1}] and len(TraceReader(folder.path / TRACES)) == 0


def test_a_file_that_lost_rows_since_the_checkpoint_is_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", Config())
    folder.append(METRICS, [{"step": 1}])
    sizes = folder.sizes()
    os.truncate(folder.path / METRICS, 3)
    with pytest.raises(RunError, match=r"metrics\.jsonl has 3 bytes and had 12"):
        folder.cut(sizes)


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", Config())
    folder.append(METRICS, [{"loss": float("nan"), "norm": float("inf"), "step": 1}])
    assert folder.rows(METRICS) == [{"loss": None, "norm": None, "step": 1}]


def test_the_lock_ends_with_the_process_that_holds_it(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", Config()).close()
    program = (
        "import sys, os; from pathlib import Path; from azr.run.folder import RunFolder; "
        "RunFolder.open(Path(sys.argv[1])); "
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program + "print('held', flush=True); sys.stdin.read()", str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ.copy(),
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match=f"in use by process {holder.pid}"):
        RunFolder.open(tmp_path / "run")
    holder.kill()
    holder.communicate()
    RunFolder.open(tmp_path / "run").close()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.create(tmp_path / "run", Config())

    def full(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    before = (folder.path / "config.toml").read_text("utf-8")
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(RunError, match="No space left"):
        folder.write("config.toml", "seed = 3")
    assert (folder.path / "config.toml").read_text("utf-8") == before
