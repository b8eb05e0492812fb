"""What the tests themselves are held to: their order, and that nothing outlives them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tiers
from processes import Started, started

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
CONFTEST = """
import sys
sys.path[:0] = [{support!r}]
pytest_plugins = ["leftovers", "tiers"]

def pytest_configure(config):
    config.pluginmanager.get_plugin("leftovers").SECONDS = 0.5
"""


def pytest_on(folder: Path, files: dict[str, str], *options: str) -> "subprocess.CompletedProcess[str]":
    """pytest on these files, with our plugins."""
    (folder / "conftest.py").write_text(CONFTEST.format(support=str(ROOT / "tests" / "support")), "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "ascii")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


PROCESS = """
import subprocess, sys
SLEEPS = "import signal; signal.pause()"
def test_leaves():
    # An orphan in a session of its own.
    starts = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}], start_new_session=True)"
    subprocess.run([sys.executable, "-c", starts], check=True)
"""
MEMORY = """
import subprocess, sys
def test_leaves():
    keeps = "from multiprocessing import resource_tracker, shared_memory as m; resource_tracker.register = print;"
    subprocess.run([sys.executable, "-c", keeps + "m.SharedMemory(create=True, size=1)"], check=True)
"""
PORT = """
import socket
LEFT = []
def test_leaves():
    LEFT.append(socket.create_server(("127.0.0.1", 0)))
"""


@pytest.mark.parametrize(
    ("text", "left"),
    [(PROCESS, "process "), (MEMORY, "shared memory /dev/shm/psm_"), (PORT, "a socket that listens on port ")],
    ids=["process", "memory", "port"],
)
def test_what_a_test_leaves_behind_fails_it(tmp_path: Path, text: str, left: str) -> None:
    done = pytest_on(tmp_path, {"test_one.py": text})
    # pytest tells it a second time, in its summary, where it does not shorten lines: in CI.
    for path in set(re.findall(r"shared memory (\S+)", done.stdout)):
        Path(path).unlink()
    assert done.returncode == 1 and "= 1 passed, 1 error in" in done.stdout, done.stdout
    assert "test_one.py has left, 0.5 s after its end:" in done.stdout and f"\n{left}" in done.stdout
    assert ("test_one.py::test_leaves (call)" in done.stdout) == (left == "process ")


def test_tests_that_leave_nothing_pass(tmp_path: Path) -> None:
    ends = "import subprocess, sys\ndef test_ends():\n    subprocess.Popen([sys.executable, '-c', '']).wait()\n"
    assert pytest_on(tmp_path, {"test_one.py": ends}).returncode == 0


ORDER = {
    "test_a.py": "import pytest\npytestmark = pytest.mark.vllm\nimport torch\ndef test_a(): pass\n",
    "test_b.py": "import pytest\n@pytest.mark.slow\ndef test_b(): pass\ndef test_c(): pass\n",
    "test_d.py": "def test_d(): pass\n",
}


def test_quick_tests_come_first_and_alone_on_demand(tmp_path: Path) -> None:
    files = ORDER | {"torch.py": ""}
    found = pytest_on(tmp_path, files).stdout
    assert [line.split("::")[1].split()[0] for line in found.splitlines() if "PASSED" in line] == [
        "test_c", "test_d", "test_b", "test_a",
    ]  # fmt: skip
    assert "tests: quick 2 in" in found
    found = pytest_on(tmp_path, files, "--quick").stdout
    assert "2 passed, 1 deselected" in found and "test_a" not in found


def test_a_quick_test_that_needs_torch_fails_though_it_is_there(tmp_path: Path) -> None:
    done = pytest_on(tmp_path, {"torch.py": "", "test_one.py": "def test_one():\n    import torch\n"}, "--quick")
    assert done.returncode == 1 and "import of torch halted" in done.stdout


def test_every_mark_that_stands_for_a_need_is_seen_before_a_file_is_imported() -> None:
    """One that is written another way would have `--quick` import the file."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text("utf-8")
        after = text.partition("\npytestmark")[2]
        seen = tiers.MARKED.search(text) or not any(f"mark.{name}" in after for name in tiers.TIERS)
        assert seen, f"{path}: write its mark as `pytestmark = pytest.mark.NAME`"


def test_a_process_of_a_test_is_heard_and_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = "import subprocess, sys, signal; subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],"
    child += " start_new_session=True); print('one', flush=True); print('two', flush=True); signal.pause()"
    with started([sys.executable, "-c", child]) as running:
        assert running.says("one") == "one" and running.says("two") == "two"
        group = _running(running)
        assert len(group) == 2
    assert not any(Path("/proc", str(pid), "environ").exists() and _runs(pid) for pid in group)


def test_a_process_that_ends_too_early_fails_the_test_with_its_last_words() -> None:
    with (
        pytest.raises(pytest.fail.Exception, match=r"ended without a word of 'ready'; its last words:\nno more memory"),
        started([sys.executable, "-c", "print('no more memory')"]) as running,
    ):
        running.says("ready")
    with (
        pytest.raises(pytest.fail.Exception, match=r"ended with 3, not with 0; its last words:\nwhy"),
        started([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"]) as running,
    ):
        running.ends()


def _running(running: Started) -> list[int]:
    from processes import TAG, tagged

    environment = Path("/proc", str(running.pid), "environ").read_text("utf-8").split("\0")
    return tagged(TAG, next(entry.partition("=")[2] for entry in environment if entry.startswith(f"{TAG}=")))


def _runs(pid: int) -> bool:
    return "State:\tZ" not in Path("/proc", str(pid), "status").read_text("ascii")
