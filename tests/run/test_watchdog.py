"""A run that hangs ends with an error that names the phase, and with the stacks of all threads."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from azr.config.oversight import WatchdogConfig
from azr.errors import HangError
from azr.run.watchdog import SIGNAL, Watchdog, ranks

SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from azr.config import resolve
from azr.errors import AzrError
from azr.run.events import Quiet
from azr.run.train import start_run
from azr.run.watchdog import Watchdog

stuck, folder, seeds = sys.argv[1:4]
still, limit = threading.Event(), Watchdog.limit
# No phase may take long from when it sits still, and none is hurried before that.
Watchdog.limit = lambda watchdog, phase: limit(watchdog, phase) if still.is_set() else 0.0

def sits_still(prompt, draw):
    if stuck == "native":
        # As a call that never comes back to the interpreter: no signal reaches it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    still.set()
    threading.Event().wait()

sys.modules["stuck"] = sys.modules["__main__"]
config = resolve({}, [
    "engine.name=scripted", "engine.script=stuck:sits_still", f"run.folder={folder}", f"seeding.path={seeds}",
    "oversight.watchdog.phases={probe=0.05, rollout=0.05}", "oversight.watchdog.grace=0.5" if stuck == "native"
    else "oversight.watchdog.grace=600",
])
try:
    start_run(config, Quiet(), lambda: False)
except AzrError as error:
    sys.stderr.write(f"azr: {type(error).__name__}: {error}")
    sys.exit(error.exit_code)
"""


@pytest.mark.parametrize("stuck", ["python", "native"])
def test_a_hang_becomes_an_error_with_the_phase_and_all_stacks(tmp_path: Path, stuck: str) -> None:
    seeds = tmp_path / "seeds.jsonl"
    rows = [
        {"kind": kind, "program": "def f(a):\n    return a", "inputs": [str(n) for n in range(count)], "message": "m"}
        for kind, count in (("deduction", 1), ("abduction", 1), ("induction", 10))
    ]
    seeds.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, stuck, str(tmp_path / "r"), str(seeds)],
        capture_output=True,
        text=True,
        env=os.environ.copy(),
        check=False,
    )
    assert done.returncode == HangError.exit_code, done.stderr
    assert "has taken" in done.stderr and "(oversight.watchdog)" in done.stderr
    assert ("does not come back" in done.stderr) == (stuck == "native")
    stacks = (tmp_path / "r" / "hang.rank0.txt").read_text("utf-8")
    assert "sits_still" in stacks and "_watch" in stacks
    assert "rank 0 (process" in stacks


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_phase_has_its_own_limit_and_progress_starts_it_anew() -> None:
    clock = Clock()
    watchdog = Watchdog(WatchdogConfig(seconds=100.0, phases={"update": 10.0, "probe": 0.0}), clock)
    watchdog.phase("update")
    clock.now = 10.0
    assert watchdog.check() == ""
    clock.now = 10.5
    assert "phase update after step 0 has taken 10.5 s, its limit is 10 s" in watchdog.check()
    watchdog.phase("seed")
    clock.now = 110.0
    watchdog.seeded("deduction", 3, 8)  # type: ignore[arg-type]
    clock.now = 205.0
    assert watchdog.check() == ""
    for unlimited in ("probe", "paused"):
        watchdog.phase(unlimited)
        clock.now += 1e6
        assert watchdog.check() == ""


def test_the_main_thread_gets_its_error_and_the_old_handler_comes_back(tmp_path: Path) -> None:
    before = signal.getsignal(SIGNAL)
    with (
        pytest.raises(HangError, match=r"phase update .*stacks of all threads are in .*hang\.rank0\.txt"),
        Watchdog(WatchdogConfig(phases={"update": 0.01})) as watchdog,
    ):
        watchdog.use(tmp_path)
        watchdog.phase("update")
        threading.Event().wait()
    assert signal.getsignal(SIGNAL) == before
    assert "Current thread" in (tmp_path / "hang.rank0.txt").read_text("utf-8")


def test_a_full_disk_sends_the_stacks_to_stderr_and_the_error_still_comes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hang.rank0.txt").symlink_to("/dev/full")
    with (
        pytest.raises(HangError, match=r"phase update .*stacks of all threads are above .*No space left on device"),
        Watchdog(WatchdogConfig(phases={"update": 0.01})) as watchdog,
    ):
        watchdog.use(tmp_path)
        watchdog.phase("update")
        threading.Event().wait()
    assert "most recent call first" in capfd.readouterr().err


STUCK = """
import signal, sys, threading
from pathlib import Path
from azr.config.oversight import WatchdogConfig
from azr.run.watchdog import SIGNAL, Watchdog

signal.pthread_sigmask(signal.SIG_BLOCK, {SIGNAL})
with Watchdog(WatchdogConfig(phases={"update": 0.01}, grace=0.1)) as watchdog:
    watchdog.use(Path(sys.argv[1]))
    watchdog.phase("update")
    threading.Event().wait()
"""


def test_a_hang_ends_the_process_where_nothing_can_be_written_at_all(tmp_path: Path) -> None:
    (tmp_path / "hang.rank0.txt").symlink_to("/dev/full")
    with Path("/dev/full").open("w", encoding="ascii") as full:
        done = subprocess.run([sys.executable, "-c", STUCK, str(tmp_path)], stderr=full, check=False)
    assert done.returncode == HangError.exit_code


def test_it_leaves_no_thread_behind_and_can_be_switched_off() -> None:
    with Watchdog(WatchdogConfig()):
        assert any(thread.name == "azr-watchdog" for thread in threading.enumerate())
    assert not any(thread.name == "azr-watchdog" for thread in threading.enumerate())
    with Watchdog(WatchdogConfig(enabled=False)):
        assert not any(thread.name == "azr-watchdog" for thread in threading.enumerate())


def test_a_rank_that_dies_early_has_left_a_heartbeat(tmp_path: Path) -> None:
    with Watchdog(WatchdogConfig()) as watchdog:
        watchdog.use(tmp_path)
        assert ranks(tmp_path).startswith(f"rank 0 (process {os.getpid()}): phase start after step 0")


def test_who_waits_on_whom_is_told_from_the_heartbeats_of_all_ranks(tmp_path: Path) -> None:
    for rank, phase, step, since in ((0, "update", 7, 500.0), (1, "rollout", 6, 100.0), (2, "update", 7, 400.0)):
        row = {"rank": rank, "pid": rank + 50, "step": step, "phase": phase, "since": since, "alive": since}
        (tmp_path / f"heartbeat.rank{rank}.json").write_text(json.dumps(row), "ascii")
    (tmp_path / "heartbeat.rank3.json").write_text("{torn", "ascii")
    lines = ranks(tmp_path).splitlines()
    assert [line.split()[1] for line in lines] == ["1", "2", "0"]
    assert "rank 1 (process 51): phase rollout after step 6" in lines[0]
