"""Sessions: programs that run one after the other, each in the state that the one before it left.

    session = Session(Sandbox(), functions={"lookup": {"a": 1}.get}, files=FileQuota())
    session.run("import csv\\nrows = list(csv.reader(open('in.csv')))", files={"in.csv": b"x,y\\n1,2\\n"})
    assert session.get("rows").to_python() == [["x", "y"], ["1", "2"]]

Between two runs a session is data: the pages of memory in which it differs from a fresh interpreter. An exception
leaves the state as the program left it. A run that a limit, a deadline or `Cancel` stopped has never happened.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from azr import _azr
from azr.errors import SandboxError
from azr.sandbox.client import Limits, Outcome, OutcomeKind, Sandbox, Value, outcome_of

SessionMode = Literal["last", "script", "prompt"]
"""What becomes of expressions: `last`: the value of the last statement is returned, if it is one. `script`: nothing.
`prompt`: one statement, whose value is printed, as Python's own prompt does."""

OnOutput = Callable[[str, str], object]
"""Called with `stdout` or `stderr` and a text, on a thread of the sandbox's, as soon as a program has written it."""

KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FileQuota:
    """What the files of a session may take. They are in its memory, and count there, too."""

    bytes: int = 16 << 20
    """Of all files together, with their names."""
    entries: int = 1_000
    """Files and folders."""


class Cancel:
    """Stops runs of sessions from another thread, within a tenth of a second."""

    def __init__(self) -> None:
        self._inner = _azr.Cancel()

    def cancel(self) -> None:
        """Stop every run that was given this switch, now and later."""
        self._inner.cancel()


class Session:
    """State that lasts from run to run, in a sandbox's interpreter.

    `functions` are callables, also coroutine functions, that programs find among their globals: arguments and results
    are plain data, exceptions are raised in the program by the name of their class. They are called on the sandbox's
    threads, with what a program made up. `limits` holds for each run, its memory for the session, and `fuel` for all
    runs together. Without `files` there are none. `snapshot` is what `Session.snapshot` gave, of a session with the
    same options, under the same `key` of 32 bytes if there was one.

    A session does one thing at a time: what else is asked of it meanwhile raises SandboxError.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        files: FileQuota | None = None,
        limits: Limits | None = None,
        fuel: int | None = None,
        snapshot: bytes | None = None,
        key: bytes | None = None,
    ) -> None:
        self._loop: list[asyncio.AbstractEventLoop | None] = [None]
        _check_key(key)
        try:
            self._inner = _azr.Session.open(
                sandbox.inner,
                limits=limits.row() if limits is not None else None,
                fuel=fuel,
                functions={name: _blocking(function, self._loop) for name, function in (functions or {}).items()},
                files=(files.bytes, files.entries) if files is not None else None,
                snapshot=snapshot,
                key=key,
            )
        except OverflowError as error:
            raise SandboxError(f"a limit is out of range: {error}", "bad_limit") from error

    def run(  # noqa: PLR0913 - keywords of one call
        self,
        program: str,
        *,
        mode: SessionMode = "last",
        stdin: str | bytes | None = None,
        files: Mapping[str, bytes] | None = None,
        fuel: int | None = None,
        deadline: float | None = None,
        on_output: OnOutput | None = None,
        cancel: Cancel | None = None,
    ) -> Outcome:
        """Run a program in the session's state.

        `stdin` takes the place of what was left of earlier input, `files` are made first. `fuel` is this run's,
        `deadline` its seconds of wall clock.

        Raises:
            SandboxError: the sandbox failed, or the run was stopped from outside (codes `wall_clock`, `cancelled`).
            ValueError: the deadline is no span of time: negative, infinite or not a number.
        """
        row = self._inner.run(
            program,
            mode=mode,
            stdin=stdin.encode("utf-8", "surrogatepass") if isinstance(stdin, str) else stdin,
            files=list((files or {}).items()),
            fuel=fuel,
            deadline=deadline,
            on_output=on_output,
            cancel=cancel._inner if cancel is not None else None,
        )
        return outcome_of(row)

    async def arun(self, program: str, *, cancel: Cancel | None = None, **options: Any) -> Outcome:
        """`run` without blocking the event loop, on which coroutine functions run. Cancelling the task stops it."""
        cancel = cancel or Cancel()
        self._loop[0] = asyncio.get_running_loop()
        try:
            return await asyncio.to_thread(self.run, program, cancel=cancel, **options)
        except asyncio.CancelledError:
            cancel.cancel()
            raise
        finally:
            self._loop[0] = None

    def call(self, function: str, *arguments: object) -> Outcome:
        """Call a function of the session's with plain data."""
        return outcome_of(self._inner.call(function, [Value.of(argument).encoded for argument in arguments]))

    def get(self, name: str) -> Value:
        """The value of a global variable.

        Raises:
            KeyError: there is none.
            TypeError: it is not plain data.
            SandboxError: the sandbox failed.
        """
        outcome = outcome_of(self._inner.get(name))
        if outcome.value is not None:
            return outcome.value
        if outcome.kind is OutcomeKind.RAISED and outcome.exception == "NameError":
            raise KeyError(name)
        if outcome.kind is OutcomeKind.NOT_A_TASK_VALUE:
            raise TypeError(outcome.message)
        raise SandboxError(f"{name} cannot be had: {outcome.kind} {outcome.message or ''}", "bad_session")

    def set(self, **variables: object) -> None:
        """Set global variables to plain data. Raises TypeError or ValueError for anything else."""
        self._inner.set([(name, Value.of(data).encoded) for name, data in variables.items()])

    def files(self) -> dict[str, bytes]:
        """The session's files by absolute path, without those below `/tmp`."""
        return self._inner.files()

    def branch(self) -> "Session":
        """Another session in the same state, which shares all that neither writes from now on."""
        other = Session.__new__(Session)
        other._loop, other._inner = self._loop, self._inner.branch()
        return other

    def return_to(self, branch: "Session") -> None:
        """Go back, or over, to the state of a branch. Fuel that was spent stays spent."""
        self._inner.return_to(branch._inner)

    def snapshot(self, key: bytes | None = None) -> bytes:
        """The session as bytes for `Session(snapshot=...)`, here or in another process.

        They are bound to the guest and to the options. With a key nobody without it can change or forge them; without,
        they are held against damage alone.
        """
        _check_key(key)
        return self._inner.snapshot(key)

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it holds, shared ones included."""
        return self._inner.nbytes

    @property
    def fuel_used(self) -> int:
        """Fuel that all its runs have taken."""
        return self._inner.fuel_used


def _check_key(key: bytes | None) -> None:
    if key is not None and len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")


def _blocking(function: Callable[..., Any], loop: list[asyncio.AbstractEventLoop | None]) -> Callable[..., Any]:
    """The function, with what it returns waited for: on the loop of `arun`, or on one of its own."""

    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if not inspect.isawaitable(result):
            return result
        if loop[0] is None:
            return asyncio.run(_waited(result))
        return asyncio.run_coroutine_threadsafe(_waited(result), loop[0]).result()

    return call


async def _waited(result: Any) -> Any:
    return await result
