"""The sandbox: untrusted Python in WebAssembly, a fresh interpreter for every program.

    sandbox = Sandbox()
    outcome = sandbox.run("def f(xs):\\n    return sorted(xs)", call="[3, 1, 2]")
    assert outcome.value is not None and outcome.value.to_python() == [1, 2, 3]

However a program ends is an `Outcome`, a value. A failure of the sandbox is a `SandboxError`, and no verdict
follows from it. All batch calls keep order and length, use every core and release the GIL; Ctrl-C stops them
within a second. A sandbox does not survive `fork`: it says so at once, and a new one can be made in the child.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self

from azr import _azr
from azr.errors import SandboxError

ENTRY: Final = "f"
"""The function that tasks call."""

Mode = Literal["python", "strict"]
"""`python`: 1 == 1.0 == True, as `==` says. `strict`: values of other types differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run. All but `wall_seconds` decide outcomes."""

    fuel: int = 20_000_000_000
    """WebAssembly operations, about; some twenty million take a millisecond. The same program always takes the same."""
    memory_bytes: int = 256 << 20
    """Heap that the program may take."""
    output_bytes: int = 1 << 20
    """What it may print, stdout and stderr together."""
    value_bytes: int = 64 << 10
    """Encoded bytes of the value that it returns."""
    source_bytes: int = 256 << 10
    """Source text, and argument text."""
    nesting: int = 100
    """Depth of brackets and of indentation."""
    wall_seconds: float = 60.0
    """Backstop against an overloaded machine: past it the call raises, since the clock decides no verdict."""

    def _row(self) -> tuple[int, int, int, int, int, int, float]:
        return (
            self.fuel,
            self.memory_bytes,
            self.output_bytes,
            self.value_bytes,
            self.source_bytes,
            self.nesting,
            self.wall_seconds,
        )


class OutcomeKind(StrEnum):
    """How a program ended."""

    RETURNED = "returned"
    RAISED = "raised"
    SYNTAX_ERROR = "syntax_error"
    INVALID_INPUT = "invalid_input"
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    STACK_OVERFLOW = "stack_overflow"
    OUTPUT_TOO_LONG = "output_too_long"
    NOT_A_TASK_VALUE = "not_a_task_value"
    CRASHED = "crashed"


class InvalidReason(StrEnum):
    """Why a program and an input are not a task."""

    SYNTAX_ERROR = "syntax_error"
    INVALID_INPUT = "invalid_input"
    RAISED = "raised"
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    STACK_OVERFLOW = "stack_overflow"
    OUTPUT_TOO_LONG = "output_too_long"
    NOT_A_TASK_VALUE = "not_a_task_value"
    CRASHED = "crashed"
    NONDETERMINISTIC = "nondeterministic"
    NOT_A_SCORE = "not_a_score"
    """A verifier returned something else than a number from 0 to 1."""


@dataclass(frozen=True)
class Value:
    """Plain Python data in its canonical encoding. Two are `==` when their encodings are the same."""

    encoded: bytes

    @cached_property
    def repr(self) -> str:
        """The text that Python's `repr` gives; elements of sets in one fixed order."""
        return _azr.value_repr(self.encoded)

    def to_python(self) -> object:
        """The data: exact built-in types, made by azr."""
        return _azr.decode_value(self.encoded)

    def equals(self, other: "Value", mode: Mode = "python", tolerance: float | None = None) -> bool:
        """Whether both are the same value; floats within `tolerance`, relative to the larger, if one is given."""
        return _azr.values_equal(self.encoded, other.encoded, mode == "strict", tolerance or 0.0)

    @classmethod
    def from_encoded(cls, encoded: bytes) -> Self:
        """The value of canonical bytes. Raises ValueError for any others."""
        _azr.value_repr(encoded)
        return cls(bytes(encoded))

    @classmethod
    def of(cls, data: object) -> Self:
        """The value of plain Python data. Raises TypeError or ValueError for anything else."""
        return cls(_azr.encode_value(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one run ended and what it took."""

    kind: OutcomeKind
    value: Value | None = None
    """What it returned."""
    exception: str | None = None
    """Name of the exception's class."""
    message: str | None = None
    """Text of the exception (the program's own code may have made it), or what is wrong."""
    traceback: tuple[tuple[int, str], ...] = ()
    """Line and function of the program's frames, outermost first; of a syntax error, its line."""
    limit: int | None = None
    """The bound that it hit."""
    stdout: str = ""
    stderr: str = ""
    fuel_used: int = 0
    peak_memory: int = 0
    """Most heap bytes held at once; 0 where the run did not reach its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A program and what to do with it: `entry(call)`, or a script where `call` is None."""

    program: str
    call: str | None = None
    limits: Limits | None = None
    entry: str = ENTRY


@dataclass(frozen=True, slots=True)
class Valid:
    """The program returns `value` on this input, whatever the entropy."""

    value: Value
    fuel_used: int = 0


@dataclass(frozen=True, slots=True)
class Invalid:
    """The program on this input is not a task."""

    reason: InvalidReason
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdicts on a program, one an input."""

    results: tuple[Valid | Invalid, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether an answer is right."""

    correct: bool
    outcome: Outcome | None = None
    """How the answer's run ended, where something was run."""
    reason: str | None = None
    """Why an answer text is no answer at all."""


@dataclass(frozen=True, slots=True)
class ProgramCheck:
    """Whether an answer program is right on each hidden pair, in order."""

    passed: tuple[bool, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """What a verifier says of an answer, the same whatever the entropy."""

    score: float
    """From 0 to 1; `True` and `False` are 1 and 0."""
    fuel_used: int


@dataclass(frozen=True, slots=True)
class Unscored:
    """The verifier gave no score: no reward follows."""

    reason: InvalidReason
    outcome: Outcome


Score = Scored | Unscored


@dataclass(frozen=True, slots=True)
class Imports:
    """Modules that a program imports: dotted names; `from a import b` gives `a` and `a.b`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """The program does not parse."""

    message: str = field(default="")


class Sandbox:
    """Runs untrusted Python. Owns threads: make one and share it.

    `threads`: workers, one a core if None. `limits`: of requests without their own. `guest`: a WebAssembly
    guest that you built yourself (`make guest`), instead of the one in the package. `modules`: source texts by
    dotted name, imported once; programs find them loaded and start no later for it. They are trusted, may import
    one another, and raise SandboxError with code bad_module and the line where one cannot be imported.

    A pickled sandbox is made anew from its arguments where it is loaded: threads do not travel.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        limits: Limits | None = None,
        guest: Path | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        if threads is not None and threads < 1:
            raise SandboxError(f"threads must be at least 1, not {threads}", "bad_limit")
        row = limits._row() if limits is not None else None
        self._made_with = (threads, limits, guest, dict(modules or {}))
        try:
            self._inner = _azr.Sandbox(threads, row, guest, list(self._made_with[3].items()))
        except OverflowError as error:
            raise SandboxError(f"a limit is out of range: {error}", "bad_limit") from error

    def __reduce__(self) -> "tuple[object, ...]":
        return _remade, self._made_with

    @property
    def threads(self) -> int:
        return self._inner.threads

    @property
    def limits(self) -> Limits:
        names = ("fuel", "memory_bytes", "output_bytes", "value_bytes", "source_bytes", "nesting", "wall_seconds")
        return Limits(**dict(zip(names, self._inner.limits, strict=True)))  # type: ignore[arg-type]

    def run(self, program: str, *, call: str | None = None, limits: Limits | None = None) -> Outcome:
        """Run one program; `call` is the argument text of its function f."""
        return self.run_batch([Request(program=program, call=call, limits=limits)])[0]

    def run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Run every request in a fresh interpreter of its own."""
        rows = [
            (request.program, request.entry, request.call, request.limits._row() if request.limits else None)
            for request in requests
        ]
        return [_outcome(row) for row in self._inner.run_batch(rows)]

    def run_calls(
        self, program: str, calls: Sequence[str], *, entry: str = ENTRY, limits: Limits | None = None
    ) -> list[Outcome]:
        """Call a program once for each argument text, each from the state that a fresh load of the program gives.

        Any batch does the same for requests with equal program and limits: the program is loaded once for many
        calls, and outcomes and fuel are those of calls alone.
        """
        return self.run_batch([Request(program=program, call=call, limits=limits, entry=entry) for call in calls])

    async def arun_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """`run_batch` without blocking the event loop."""
        return await asyncio.to_thread(self.run_batch, requests)

    def validate(self, items: Sequence[tuple[str, Sequence[str]]]) -> list[Validation]:
        """Run each program on each argument text under two settings of every source of entropy."""
        rows = self._inner.validate([(program, list(inputs)) for program, inputs in items])
        return [Validation(tuple(_verdict(verdict) for verdict in verdicts)) for verdicts in rows]

    def check_output(
        self, items: Sequence[tuple[str, Value]], mode: Mode = "python", tolerance: float | None = None
    ) -> list[Check]:
        """Whether each answer text, read as a literal, is its gold value. Nothing is executed."""
        rows = [(text, gold.encoded) for text, gold in items]
        return [_check(row) for row in self._inner.check_output(rows, mode == "strict", tolerance or 0.0)]

    def check_input(
        self, items: Sequence[tuple[str, str, Value]], mode: Mode = "python", tolerance: float | None = None
    ) -> list[Check]:
        """Whether each program returns its gold value on its answer, an argument text; any such input is right."""
        rows = [(program, answer, gold.encoded) for program, answer, gold in items]
        return [_check(row) for row in self._inner.check_input(rows, mode == "strict", tolerance or 0.0)]

    def check_program(
        self,
        items: Sequence[tuple[str, Sequence[tuple[str, Value]]]],
        mode: Mode = "python",
        tolerance: float | None = None,
    ) -> list[ProgramCheck]:
        """Whether each answer program returns the gold value of each of its hidden (argument text, output) pairs."""
        rows = [(program, [(text, gold.encoded) for text, gold in pairs]) for program, pairs in items]
        verdicts = []
        for mine in self._inner.check_program(rows, mode == "strict", tolerance or 0.0):
            checks = [_check(row) for row in mine]
            outcomes = tuple(check.outcome for check in checks if check.outcome is not None)
            verdicts.append(ProgramCheck(tuple(check.correct for check in checks), outcomes))
        return verdicts

    def score(self, items: Sequence[tuple[str, Value, Value]]) -> list[Score]:
        """Have verifiers score answers: each item is a source that defines `verify(task, answer)`, and the two values.

        Both reach the guest as data: no text of theirs is compiled. Runs under both settings of entropy, as
        `validate` does; a verifier may import the sandbox's `modules`.
        """
        rows = self._inner.score([(source, task.encoded, answer.encoded) for source, task, answer in items])
        return [_score(row) for row in rows]

    def literals(self, texts: Sequence[str]) -> list[Value | SyntaxProblem]:
        """Each text read as a literal of plain data. Nothing is executed."""
        return [
            Value(encoded) if encoded is not None else SyntaxProblem(problem or "")
            for encoded, problem in self._inner.literals(list(texts))
        ]

    def imports(self, programs: Sequence[str]) -> list[Imports | SyntaxProblem]:
        """The modules that each program imports, by its syntax. Nothing is executed."""
        return [
            Imports(tuple(names)) if names is not None else SyntaxProblem(problem or "")
            for names, problem in self._inner.imports(list(programs))
        ]


def _outcome(row: "_azr._OutcomeRow") -> Outcome:
    kind, value, exception, message, traceback, limit, stdout, stderr, fuel_used, peak_memory = row
    return Outcome(
        kind=OutcomeKind(kind),
        value=Value(value) if value is not None else None,
        exception=exception,
        message=message,
        traceback=tuple(traceback),
        limit=limit,
        stdout=stdout,
        stderr=stderr,
        fuel_used=fuel_used,
        peak_memory=peak_memory,
    )


def _verdict(row: "tuple[str | None, bytes | None, int, _azr._OutcomeRow | None]") -> Valid | Invalid:
    reason, value, fuel_used, outcome = row
    if value is not None:
        return Valid(Value(value), fuel_used)
    assert reason is not None and outcome is not None, "a verdict is a value or a reason"
    return Invalid(InvalidReason(reason), _outcome(outcome))


def _score(row: "tuple[float | None, int, str | None, _azr._OutcomeRow | None]") -> Score:
    score, fuel_used, reason, outcome = row
    if score is not None:
        return Scored(score, fuel_used)
    assert reason is not None and outcome is not None, "there is a score or a reason"
    return Unscored(InvalidReason(reason), _outcome(outcome))


def _remade(threads: int | None, limits: Limits | None, guest: Path | None, modules: dict[str, str]) -> Sandbox:
    return Sandbox(threads=threads, limits=limits, guest=guest, modules=modules)


def _check(row: "_azr._CheckRow") -> Check:
    correct, outcome, problem = row
    return Check(correct, _outcome(outcome) if outcome is not None else None, problem)
