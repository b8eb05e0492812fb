"""The usual way to check generated functions: a process for every test, the program executed in it, a clock to stop it.

Written for comparison with azr's sandbox. It isolates nothing: give it programs of people only.
"""

import contextlib
import io
import multiprocessing
from multiprocessing.connection import Connection


def passes(program: str, seconds: float = 3.0) -> bool:
    """Whether a program with its assertions runs to its end within the time."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(program, sender))
    process.start()
    sender.close()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
    try:
        return bool(receiver.recv()) if receiver.poll() else False
    except EOFError:
        return False


def _run(program: str, sender: Connection) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(program, {})
        sender.send(True)
    except BaseException:
        sender.send(False)
