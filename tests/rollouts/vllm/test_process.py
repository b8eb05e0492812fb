"""The engine's process and the wire to it, without an engine: nothing that it does not take may hold up the trainer."""

import os
import signal
import socket
import threading

import pytest
from azr.rollouts.vllm.process import EngineProcess, Lost
from azr.rollouts.vllm.wire import LENGTHS, Closed, Stalled, Wire

LARGE = bytes(1 << 24)
"""More than the buffers of a socket hold."""


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
