"""The sandbox: untrusted Python in WebAssembly, a fresh interpreter for every program.

    sandbox = Sandbox()
    outcome = sandbox.run("def f(xs):\\n    return sorted(xs)", call="[3, 1, 2]")
    assert outcome.value is not None and outcome.value.to_python() == [1, 2, 3]

However a program ends, it is an `Outcome`, a value. Where the sandbox itself fails on a row of a batch, that row is
`Failed` and has no verdict; other rows are unaffected. Transient failures are retried once. Errors of a whole call (a
limit, a fork, Ctrl-C) raise, and so does `run`, which has a single row. All batch calls keep order and length, use
every core and release the GIL; Ctrl-C stops them within a second. A sandbox does not survive `fork`: it raises at once;
make a new one in the child.

Any `str` is accepted: a text with surrogates, which no source file can hold, is a syntax error, an invalid argument
text, or not a literal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from azr import _azr
from azr.errors import SandboxError
from azr.sandbox.packages import Wheel, gather, importable
from azr.util.text import is_text

ENTRY: Final = "f"
"""The function that tasks call."""

SANDBOX_FAILED: Final = "sandbox_failed"
"""Stands for a verdict where the sandbox failed. Never an outcome of a program."""

MAY_PASS: Final = frozenset({"wall_clock", "host", "runtime"})
"""Codes of transient failures: an overloaded machine, memory that was short for a moment."""

Mode = Literal["python", "strict"]
"""`python`: 1 == 1.0 == True, as by `==`. `strict`: values of different types differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one run. All except `wall_seconds` decide outcomes."""

    fuel: int = 200_000_000_000
    """Deterministic CPU work: about twenty million per millisecond, ten seconds by default, at most twenty. Equal
    programs use equal fuel."""
    memory_bytes: int = 256 << 20
    """Heap that the program may take."""
    output_bytes: int = 1 << 20
    """Bytes that it may print, stdout and stderr together."""
    value_bytes: int = 64 << 10
    """Encoded bytes of its return value."""
    source_bytes: int = 256 << 10
    """Bytes of the source text, and of the argument text."""
    nesting: int = 100
    """Depth of brackets and of indentation."""
    wall_seconds: float = 300.0
    """Backstop against an overloaded machine: beyond it the row is `Failed`, since the clock decides no verdict."""

    def row(self) -> tuple[int, int, int, int, int, int, float]:
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
    SANDBOX_FAILED = SANDBOX_FAILED
    """Not an outcome of the program: see `Outcome.failed`."""


class InvalidReason(StrEnum):
    """Why a program with an input is not a task."""

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
    """A verifier returned something else than a number in [0, 1]."""
    SANDBOX_FAILED = SANDBOX_FAILED
    """Nothing is known about the program: see `Outcome.failed`."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The sandbox failed on this row: it says nothing about the program, and nothing may be rewarded."""

    code: str
    """As of `SandboxError`."""
    message: str

    def error(self) -> SandboxError:
        """The same as an exception, for callers that need every row."""
        return SandboxError(self.message, self.code)


@dataclass(frozen=True)
class Value:
    """Plain Python data in its canonical encoding. Two are `==` when their encodings are the same."""

    encoded: bytes

    @cached_property
    def repr(self) -> str:
        """Python's `repr`, with elements of sets in a fixed order. Integers over 64 KiB are hexadecimal, so the time is
        linear in the size.

        An integer of more than 64 KiB is written in hexadecimal: the time is linear in the size of the value.
        """
        return _azr.value_repr(self.encoded)

    def to_python(self) -> object:
        """The data: exact built-in types, built by azr."""
        return _azr.decode_value(self.encoded)

    def equals(self, other: "Value", mode: Mode = "python", tolerance: float | None = None) -> bool:
        """Whether both are the same value; floats within `tolerance`, relative to the larger, if one is given."""
        return _azr.values_equal(self.encoded, other.encoded, mode == "strict", tolerance or 0.0)

    @classmethod
    def from_encoded(cls, encoded: bytes) -> Self:
        """The value of canonical bytes. Raises ValueError for other bytes."""
        _azr.check_encoded(encoded)
        return cls(bytes(encoded))

    @classmethod
    def of(cls, data: object) -> Self:
        """The value of plain Python data. Raises TypeError or ValueError for anything else."""
        return cls(_azr.encode_value(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one run ended, and its cost."""

    kind: OutcomeKind
    value: Value | None = None
    """The return value."""
    exception: str | None = None
    """Name of the exception's class."""
    message: str | None = None
    """Text of the exception (possibly made by the program's own code), or the error."""
    traceback: tuple[tuple[int, str], ...] = ()
    """Line and function of the program's frames, outermost first; for a syntax error, its line."""
    limit: int | None = None
    """The limit that it exceeded."""
    stdout: str = ""
    stderr: str = ""
    fuel_used: int = 0
    peak_memory: int = 0
    """Peak heap bytes; 0 where the run did not finish."""
    reads: tuple[str, ...] = ()
    """Entropy that it read: `hash` (of text or an address, or the order of a set that follows from one), `address`,
    `clock`, `random`. A run that read none is deterministic."""
    failed: Failed | None = None
    """For kind `sandbox_failed`: how. All other fields are empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A program and what to do with it: `entry(call)`, or a script where `call` is None."""

    program: str
    call: str | None = None
    limits: Limits | None = None
    entry: str = ENTRY


@dataclass(frozen=True, slots=True)
class ValidRun:
    """The program returns `value` on this input, under every setting of entropy."""

    value: Value
    fuel_used: int = 0


@dataclass(frozen=True, slots=True)
class InvalidRun:
    """The program with this input is not a task."""

    reason: InvalidReason
    outcome: Outcome


RunResult = ValidRun | InvalidRun
"""Result of validation on one input."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Results of a program, one per input."""

    results: tuple[RunResult, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether an answer is right."""

    correct: bool
    outcome: Outcome | None = None
    """How the answer's run ended, where something was run."""
    reason: str | None = None
    """Why an answer text is invalid."""
    failed: Failed | None = None
    """The sandbox failed: correctness is unknown, and `correct` is meaningless."""


@dataclass(frozen=True, slots=True)
class ProgramCheck:
    """Whether an answer program is right on each hidden pair, in order."""

    passed: tuple[bool, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> Failed | None:
        """The sandbox failed on a pair: correctness is unknown."""
        return next((outcome.failed for outcome in self.outcomes if outcome.failed), None)


@dataclass(frozen=True, slots=True)
class Scored:
    """A verifier's score of an answer, equal under every setting of entropy."""

    score: float
    """From 0 to 1; `True` and `False` are 1 and 0."""
    fuel_used: int


@dataclass(frozen=True, slots=True)
class Unscored:
    """The verifier gave no score, so there is no reward."""

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


Item = TypeVar("Item")
Row = TypeVar("Row")
Answer = TypeVar("Answer")


class Sandbox:
    """Runs untrusted Python. Owns threads: make one and share it.

    `threads`: worker threads; None: one per core. `limits`: of requests without their own. `guest`: a WebAssembly guest
    that you built (`make guest`), instead of the package's. `modules`: source texts by dotted name, imported once, so
    that programs find them loaded at no cost. They are trusted and may import one another. A module that cannot be
    imported raises SandboxError with code bad_module and the line. `packages`: wheels of pure Python, each with its
    SHA-256; their modules are given in the same way. A module of theirs that cannot be imported, such as one that wants
    native code, is missing, and `left_out` names it; a package whose own module cannot be, or a wheel that is not what
    its hash says, raises SandboxError with code bad_package.

    A sandbox is pickled as its arguments: loading makes a new one.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        limits: Limits | None = None,
        guest: Path | None = None,
        modules: Mapping[str, str] | None = None,
        packages: Sequence[Wheel] = (),
    ) -> None:
        if threads is not None and threads < 1:
            raise SandboxError(f"threads must be at least 1, not {threads}", "bad_limit")
        row = limits.row() if limits is not None else None
        own = dict(modules or {})

        def make(modules: Mapping[str, str]) -> None:
            try:
                self._inner = _azr.Sandbox(threads, row, guest, [*modules.items(), *own.items()])
            except OverflowError as error:
                raise SandboxError(f"a limit is out of range: {error}", "bad_limit") from error

        found = importable(gather(packages), make)
        self._made_with = (threads, limits, guest, {**found.modules, **own})
        self._left_out = found.left_out

    def __reduce__(self) -> "tuple[object, ...]":
        return _remade, (*self._made_with, self._left_out)

    @property
    def inner(self) -> "_azr.Sandbox":
        """The Rust half, for other parts of this package."""
        return self._inner

    @property
    def threads(self) -> int:
        return self._inner.threads

    @property
    def limits(self) -> Limits:
        names = ("fuel", "memory_bytes", "output_bytes", "value_bytes", "source_bytes", "nesting", "wall_seconds")
        return Limits(**dict(zip(names, self._inner.limits, strict=True)))  # type: ignore[arg-type]

    @property
    def left_out(self) -> dict[str, str]:
        """What of `packages` no program can import or read, by name, with the reason."""
        return dict(self._left_out)

    def with_modules(self, modules: Mapping[str, str]) -> "Sandbox":
        """This sandbox with more modules."""
        threads, _, guest, present = self._made_with
        return _remade(threads, self.limits, guest, {**present, **modules}, self._left_out)

    def run(self, program: str, *, call: str | None = None, limits: Limits | None = None) -> Outcome:
        """Run one program; `call` is the argument text of its function f.

        Raises:
            SandboxError: the sandbox failed.
        """
        [outcome] = self.run_batch([Request(program=program, call=call, limits=limits)])
        if outcome.failed is not None:
            raise outcome.failed.error()
        return outcome

    def run_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Run every request in a fresh interpreter."""
        rows = _rows(
            requests,
            lambda one: _unwritable(one.program, one.call, one.entry),
            lambda left: self._inner.run_batch([_request(one) for one in left]),
        )
        return [row if isinstance(row, Outcome) else outcome_of(row) for row in rows]

    def validate(self, items: Sequence[tuple[str, Sequence[str]]]) -> list[Validation]:
        """Run each program on each argument text; those that read entropy run again under other settings of it."""
        flat = [(program, text) for program, inputs in items for text in inputs]
        rows = _rows(
            flat,
            lambda item: _unwritable(item[0], item[1]),
            lambda left: [row for (row,) in self._inner.validate([(program, [text]) for program, text in left])],
        )
        # A row is (reason, value, fuel, outcome) where it ran: a value, or the reason why there is none.
        verdicts = iter(
            [
                ValidRun(Value(row[1]), row[2]) if isinstance(row, tuple) and row[1] is not None else _invalid(row)
                for row in rows
            ]
        )
        return [Validation(tuple(next(verdicts) for _ in inputs)) for _, inputs in items]

    def check_output(
        self, items: Sequence[tuple[str, Value]], mode: Mode = "python", tolerance: float | None = None
    ) -> list[Check]:
        """Whether each answer text, read as a literal, is its gold value. Nothing is executed."""
        rows = _rows(
            items,
            lambda item: None if is_text(item[0]) else Check(correct=False, reason=NO_TEXT),
            lambda left: self._inner.check_output(
                [(text, gold.encoded) for text, gold in left], mode == "strict", tolerance or 0.0
            ),
        )
        return [_check(row) for row in rows]

    def check_input(
        self, items: Sequence[tuple[str, str, Value]], mode: Mode = "python", tolerance: float | None = None
    ) -> list[Check]:
        """Whether each program returns its gold value on its answer, an argument text; any such input is correct."""
        rows = _rows(
            items,
            lambda item: _unwritable(item[0], item[1]),
            lambda left: self._inner.check_input(
                [(program, answer, gold.encoded) for program, answer, gold in left], mode == "strict", tolerance or 0.0
            ),
        )
        return [_check(row) for row in rows]

    def check_program(
        self,
        items: Sequence[tuple[str, Sequence[tuple[str, Value]]]],
        mode: Mode = "python",
        tolerance: float | None = None,
    ) -> list[ProgramCheck]:
        """Whether each answer program returns the gold value of each of its hidden (argument text, output) pairs."""
        rows = _rows(
            [(program, text, gold) for program, pairs in items for text, gold in pairs],
            lambda item: _unwritable(item[0], item[1]),
            lambda left: [
                row
                for (row,) in self._inner.check_program(
                    [(program, [(text, gold.encoded)]) for program, text, gold in left],
                    mode == "strict",
                    tolerance or 0.0,
                )
            ],
        )
        checks = iter([_check(row) for row in rows])
        verdicts = []
        for _, pairs in items:
            mine = [next(checks) for _ in pairs]
            outcomes = tuple(check.outcome for check in mine if check.outcome is not None)
            verdicts.append(ProgramCheck(tuple(check.correct for check in mine), outcomes))
        return verdicts

    def score(self, items: Sequence[tuple[str, Value, Value]]) -> list[Score]:
        """Score answers by verifiers: each item is a source that defines `verify(task, answer)`, and the two values.

        Both values are passed as data: none of their text is compiled. Runs under further settings of entropy where
        `validate` does; a verifier may import the sandbox's `modules`.
        """
        rows = _rows(
            items,
            lambda item: _unwritable(item[0]),
            lambda left: self._inner.score([(source, task.encoded, answer.encoded) for source, task, answer in left]),
        )
        return [_unscored(row) if isinstance(row, Outcome) else _score(row) for row in rows]

    def literals(self, texts: Sequence[str]) -> list[Value | SyntaxProblem | Failed]:
        """Each text read as a literal of plain data. Nothing is executed."""
        rows = _rows(texts, _no_text, lambda left: self._inner.literals(list(left)))
        return [_read(row, Value) for row in rows]

    def imports(self, programs: Sequence[str]) -> list[Imports | SyntaxProblem | Failed]:
        """The modules that each program imports, by its syntax. Nothing is executed."""
        rows = _rows(programs, _no_text, lambda left: self._inner.imports(list(left)))
        return [_read(row, lambda names: Imports(tuple(names))) for row in rows]


def whole(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """The outcomes, for callers that need every row.

    Raises:
        SandboxError: the sandbox failed at one.
    """
    failed = next((outcome.failed for outcome in outcomes if outcome.failed is not None), None)
    if failed is not None:
        raise failed.error()
    return outcomes


def read(rows: "Sequence[Value | SyntaxProblem | Failed]") -> "list[Value | SyntaxProblem]":
    """As `whole`, of literals."""
    found = []
    for row in rows:
        if isinstance(row, Failed):
            raise row.error()
        found.append(row)
    return found


NO_TEXT: Final = "it holds surrogates, so that no file can hold it"


def _rows(
    items: Sequence[Item],
    known: Callable[[Item], Answer | None],
    run: Callable[[Sequence[Item]], Sequence[Row | SandboxError]],
) -> list[Answer | Row | SandboxError]:
    """The result of each item, in order: from `known` without running, else from `run` in one batch. Transient failures
    are retried once, alone.
    """
    rows: list[Answer | Row | SandboxError | None] = [known(item) for item in items]
    left = [at for at, row in enumerate(rows) if row is None]
    for _ in range(TRIES):
        if not left:
            break
        failed = []
        for at, row in zip(left, run([items[at] for at in left]), strict=True):
            rows[at] = row
            if isinstance(row, SandboxError) and row.code in MAY_PASS:
                failed.append(at)
        left = failed
    return [row for row in rows if row is not None]


TRIES: Final = 2


def _unwritable(program: str, call: str | None = None, entry: str = ENTRY) -> Outcome | None:
    """The outcome of a request with a text that cannot be encoded; None if all texts can be."""
    if program.isascii() and entry.isascii() and (call is None or call.isascii()):
        return None
    if not (is_text(program) and is_text(entry)):
        return Outcome(kind=OutcomeKind.SYNTAX_ERROR, message=NO_TEXT, traceback=((0, "<module>"),))
    if call is not None and not is_text(call):
        return Outcome(kind=OutcomeKind.INVALID_INPUT, message=NO_TEXT)
    return None


def _no_text(text: str) -> SyntaxProblem | None:
    return None if is_text(text) else SyntaxProblem(NO_TEXT)


def _request(request: Request) -> "tuple[str, str, str | None, _azr._LimitsRow | None]":
    return request.program, request.entry, request.call, request.limits.row() if request.limits else None


def _failed(error: SandboxError) -> Failed:
    return Failed(error.code, str(error))


def _read(
    row: "tuple[Row | None, str | None] | SyntaxProblem | SandboxError", made: Callable[[Row], Answer]
) -> Answer | SyntaxProblem | Failed:
    if isinstance(row, SyntaxProblem):
        return row
    if isinstance(row, SandboxError):
        return _failed(row)
    found, problem = row
    return made(found) if found is not None else SyntaxProblem(problem or "")


def outcome_of(row: "_azr._OutcomeRow | SandboxError") -> Outcome:
    if isinstance(row, SandboxError):
        return Outcome(kind=OutcomeKind.SANDBOX_FAILED, message=str(row), failed=_failed(row))
    return Outcome(
        kind=OutcomeKind(row["kind"]),
        value=Value(row["value"]) if row["value"] is not None else None,
        exception=row["exception"],
        message=row["message"],
        traceback=tuple(row["traceback"]),
        limit=row["limit"],
        stdout=row["stdout"],
        stderr=row["stderr"],
        fuel_used=row["fuel_used"],
        peak_memory=row["peak_memory"],
        reads=tuple(row["reads"]),
    )


def _invalid(row: "_azr._ValidationRow | Outcome | SandboxError") -> InvalidRun:
    if isinstance(row, tuple):
        reason, _, _, outcome = row
        assert reason is not None and outcome is not None, "a verdict is a value or a reason"
        return InvalidRun(InvalidReason(reason), outcome_of(outcome))
    found = outcome_of(row) if isinstance(row, SandboxError) else row
    return InvalidRun(InvalidReason(found.kind.value), found)


def _unscored(outcome: Outcome) -> Unscored:
    return Unscored(InvalidReason(outcome.kind.value), outcome)


def _score(row: "_azr._ScoreRow | SandboxError") -> Score:
    if isinstance(row, SandboxError):
        return _unscored(outcome_of(row))
    score, fuel_used, reason, outcome = row
    if score is not None:
        return Scored(score, fuel_used)
    assert reason is not None and outcome is not None, "there is a score or a reason"
    return Unscored(InvalidReason(reason), outcome_of(outcome))


def _remade(
    threads: int | None, limits: Limits | None, guest: Path | None, modules: dict[str, str], left_out: dict[str, str]
) -> Sandbox:
    made = Sandbox(threads=threads, limits=limits, guest=guest, modules=modules)
    made._left_out = left_out
    return made


def _check(row: "_azr._CheckRow | Check | Outcome | SandboxError") -> Check:
    if isinstance(row, Check):
        return row
    if isinstance(row, Outcome):
        return Check(correct=False, outcome=row)
    if isinstance(row, SandboxError):
        outcome = outcome_of(row)
        return Check(correct=False, outcome=outcome, failed=outcome.failed)
    correct, outcome_row, problem = row
    return Check(correct=correct, outcome=outcome_of(outcome_row) if outcome_row is not None else None, reason=problem)
