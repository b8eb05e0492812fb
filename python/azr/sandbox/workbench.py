"""Runs and sessions behind a server: what requests name by text, bounded in number and size."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from azr.errors import SandboxError
from azr.sandbox.client import Limits, Outcome, Sandbox
from azr.sandbox.session import FileQuota, Session, SessionMode

BODY_BYTES: Final = 32 << 20
"""Most bytes of a request that a server reads."""


class UnknownSession(KeyError):
    """A session that was never opened, or was closed: by its client, or as the one longest unused."""

    def __str__(self) -> str:
        return f"no session {self.args[0]!r}: open one, or leave it out"


@dataclass(kw_only=True)
class Workbench:
    """Sessions by random names; the least recently used one is closed when there are too many."""

    sandbox: Sandbox
    limits: Limits | None = None
    files: FileQuota = field(default_factory=FileQuota)
    most_sessions: int = 64
    deadline: float | None = None
    """Seconds of wall clock for each run."""

    def __post_init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def open(self) -> str:
        """Open a session; its name."""
        session, name = self._fresh(), secrets.token_urlsafe(16)
        with self._lock:
            self._sessions[name] = session
            while len(self._sessions) > self.most_sessions:
                self._sessions.popitem(last=False)
        return name

    def close(self, name: str) -> None:
        """Close a session, if there is one of that name."""
        with self._lock:
            self._sessions.pop(name, None)

    def run(
        self,
        code: str,
        *,
        session: str | None = None,
        stdin: str | None = None,
        files: Mapping[str, bytes] | None = None,
        mode: SessionMode = "last",
    ) -> dict[str, Any]:
        """Run code, in a session or in a fresh interpreter, and say how it ended, with the files that it left.

        Raises:
            UnknownSession: the session is none.
            SandboxError: the sandbox failed, or what came with the code cannot be.
        """
        found = self._session(session) if session else self._fresh()
        outcome = found.run(code, stdin=stdin, files=files, mode=mode, deadline=self.deadline)
        return {**as_dict(outcome), "files": self._names(found)}

    def read(self, session: str, path: str) -> bytes:
        """What a file of a session holds.

        Raises:
            UnknownSession: the session is none.
            FileNotFoundError: it has no such file.
        """
        files = self._session(session).files()
        full = path if path.startswith("/") else f"/{path}"
        if full not in files:
            raise FileNotFoundError(f"the session has no file {path!r}")
        return files[full]

    def _names(self, session: Session) -> dict[str, int]:
        try:
            return {path: len(data) for path, data in session.files().items()}
        except SandboxError:
            # A program made more of them than it may: it has none then.
            return {}

    def _fresh(self) -> Session:
        return Session(self.sandbox, files=self.files, limits=self.limits)

    def _session(self, name: str) -> Session:
        with self._lock:
            if name not in self._sessions:
                raise UnknownSession(name)
            self._sessions.move_to_end(name)
            return self._sessions[name]


def as_dict(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON, with what is nothing left out."""
    given = {
        "ended": outcome.kind.value,
        "value": outcome.value.repr if outcome.value is not None else None,
        "exception": outcome.exception,
        "message": outcome.message,
        "traceback": [f"line {line}, in {function}" for line, function in outcome.traceback],
        "limit": outcome.limit,
        "stdout": outcome.stdout,
        "stderr": outcome.stderr,
        "fuel_used": outcome.fuel_used,
    }
    return {name: value for name, value in given.items() if value not in (None, "", [])}
