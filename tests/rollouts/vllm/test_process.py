"""The engine's process and the wire to it, without an engine.

Nothing that the process does not take may hold up the trainer, and an error names what ended the process: never the
signal by which the trainer ends it.
"""

import os
import select
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from azr.rollouts.vllm import process as module
from azr.rollouts.vllm.process import EngineProcess, Lost
from azr.rollouts.vllm.process_group import SHARED, members
from azr.rollouts.vllm.wire import LENGTHS, Closed, Stalled, Wire

LARGE = bytes(1 << 24)
"""More than the buffers of a socket hold."""


PREAMBLE = "import os, signal, sys\n"
CONNECTED = """
import socket
from azr.rollouts.vllm.wire import Wire
wire = Wire(socket.socket(fileno=int(sys.argv[-1])))
"""
"""For scripts that speak over the wire: the rest does not wait for its imports."""
Start = Callable[..., EngineProcess]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a process that runs a script in place of the engine."""
    started: list[EngineProcess] = []

    def begin(script: str, handles: Sequence[int] = ()) -> EngineProcess:
        head = PREAMBLE + CONNECTED if "wire" in script else PREAMBLE
        monkeypatch.setattr(module, "PROGRAM", ("-c", head + script, *map(str, handles)))
        started.append(EngineProcess(os.environ, handles, patience=60.0))
        return started[-1]

    yield begin
    for process in started:
        process.close()


def ended(process: EngineProcess) -> None:
    """Wait until it has ended, and leave its exit status to be read."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", r"died by signal SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGTERM)", r"died by signal SIGTERM"),
        ("os._exit(3)", r"died with exit code 3"),
        ("wire.send({'op': 'broken', 'memory': True, 'text': ''}); os._exit(1)", r"ran out of memory"),
        ("wire.send({'op': 'broken', 'memory': False, 'text': 'E: x'}); os._exit(1)", r"failed: E: x"),
    ],
)
@pytest.mark.parametrize("way", [lambda p: p.receive(60.0), lambda p: p.send({"op": "update"})], ids=["read", "write"])
def test_a_process_that_ended_by_itself_is_reported_with_its_own_reason(
    start: Start, script: str, how: str, way: Callable[[EngineProcess], object]
) -> None:
    process = start(script)
    ended(process)
    with pytest.raises(Lost, match=f"^the engine's process {how}$"):
        way(process)


def test_a_process_that_is_ending_is_not_reported_as_killed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection closes first. It ends only once it is waited for."""
    inner, outer = os.pipe()
    process = start(
        "os.close(int(sys.argv[-1])); os.read(int(sys.argv[-2]), 1); os.kill(os.getpid(), signal.SIGTERM)", [inner]
    )
    real = os.pidfd_open

    def waited_for(pid: int) -> int:
        monkeypatch.setattr(os, "pidfd_open", real)
        handle = real(pid)
        os.close(outer)
        return handle

    monkeypatch.setattr(os, "pidfd_open", waited_for)
    with pytest.raises(Lost, match=r"^the engine's process died by signal SIGTERM$"):
        process.receive(60.0)
    os.close(inner)


def test_a_process_that_closes_its_connection_and_runs_on_is_said_to_do_so(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXIT_SECONDS", 0.1)
    process = start("os.close(int(sys.argv[-1])); signal.pause()")
    with pytest.raises(Lost, match=r"closed its connection and was still running 0\.1 s later"):
        process.receive(60.0)


def test_a_silent_process_is_reported_as_silent(start: Start) -> None:
    process = start("signal.pause()")
    with pytest.raises(Lost, match=r"said nothing for 0\.1 s"):
        process.receive(0.1)


def test_a_process_that_answers_nothing_but_beats_is_not_called_silent(start: Start) -> None:
    process = start("while True: wire.send({'op': 'beat'})")
    with pytest.raises(Lost, match=r"did not answer 'update' within 0\.5 s"):
        process.ask({"op": "update"}, "updated", 0.5)


CHILD = """
import signal, sys
from multiprocessing import shared_memory
memory = shared_memory.SharedMemory(create=True, size=4096)
print(memory.name, flush=True)
signal.pause()
"""
PARENT = """
import subprocess
from multiprocessing import shared_memory
from azr.rollouts.vllm.process_group import end_own
from azr.rollouts.vllm.wire import Closed

memory = shared_memory.SharedMemory(create=True, size=4096)
child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)
wire.send({"op": "ready", "shared": [memory.name, child.stdout.readline().strip()], "child": child.pid})
try:
    wire.receive()
except Closed:
    end_own()
"""


def family(start: Start) -> tuple[EngineProcess, list[Path], int]:
    """A process with a child, each with shared memory; and the child's number."""
    process = start(f"CHILD = {CHILD!r}\n{PARENT}")
    header, _ = process.receive(600.0)
    process.note_shared_memory()
    shared = [Path(SHARED, name) for name in header["shared"]]
    assert all(path.exists() for path in shared)
    return process, shared, header["child"]


def kill(process: EngineProcess, child: int) -> None:
    os.kill(process.pid, signal.SIGKILL)


def kill_both(process: EngineProcess, child: int) -> None:
    handle = os.pidfd_open(child)
    kill(process, child)
    os.kill(child, signal.SIGKILL)
    select.select([handle], [], [])
    os.close(handle)


def stop(process: EngineProcess, child: int) -> None:
    os.kill(process.pid, signal.SIGSTOP)


def hang_up(process: EngineProcess, child: int) -> None:
    """As a trainer does that is killed. The process is left to see to it by itself."""
    process._wire.close()
    ended(process)


@pytest.mark.parametrize("harm", [None, kill, kill_both, stop, hang_up])
def test_nothing_of_a_process_is_left_whatever_became_of_it(
    start: Start, harm: Callable[[EngineProcess, int], None] | None
) -> None:
    process, shared, child = family(start)
    if harm is not None:
        harm(process, child)
    process.close()
    assert [path for path in shared if path.exists()] == []
    assert members(process.pid) == [] or all(gone(pid) for pid in members(process.pid))


def test_shared_memory_of_other_programs_is_left_alone(start: Start) -> None:
    with tempfile.NamedTemporaryFile(dir=SHARED, prefix="azr_test_") as other:
        other.write(bytes(4096))
        other.flush()
        process = start(
            f"import mmap; file = open({other.name!r}, 'r+b'); memory = mmap.mmap(file.fileno(), 0)\n"
            "wire.send({'op': 'ready'}); signal.pause()"
        )
        process.receive(600.0)
        process.close()
        assert Path(other.name).exists()


def gone(pid: int) -> bool:
    """Ended; it may not have been waited for."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return True


def test_a_stopped_process_that_takes_no_large_message_is_lost() -> None:
    process = EngineProcess(os.environ, [], patience=0.5)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(Lost, match="held up a message for"):
            process.send({"op": "submit"}, LARGE)
    finally:
        process.close()


def test_a_message_that_is_never_finished_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(LENGTHS.pack(100, 0) + b"{")
        with pytest.raises(Stalled):
            Wire(ours, patience=0.1).receive()


def test_an_end_that_is_gone_is_told_from_one_that_stalls() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with pytest.raises(Closed) as error:
        Wire(ours, patience=60.0).send({"op": "submit"}, LARGE)
    assert not isinstance(error.value, Stalled)


def test_without_a_limit_a_large_message_crosses_whole() -> None:
    ours, theirs = socket.socketpair()
    sender = threading.Thread(target=Wire(theirs).send, args=({"op": "done"}, LARGE))
    sender.start()
    assert Wire(ours, patience=60.0).receive() == ({"op": "done"}, LARGE)
    sender.join()
