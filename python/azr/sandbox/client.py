"""The sandbox: untrusted Python in WebAssembly, a fresh interpreter for every program.

    sandbox = Sandbox()
    outcome = sandbox.run("def f(xs):\\n    return sorted(xs)", call="[3, 1, 2]")
    assert outcome.value is not None and outcome.value.to_python() == [1, 2, 3]

However a program ends is an `Outcome`, a value. Where the sandbox itself fails at a row of a batch, that row alone
says so (`Failed`), no verdict follows from it, and the others are what they are; failures that may pass have been tried
twice. What is wrong with a call as a whole (a limit, a fork, Ctrl-C) raises, as does `run`, whose one row has no
neighbours. All batch calls keep order and length, use every core and release the GIL; Ctrl-C stops them within a
second. A sandbox does not survive `fork`: it says so at once, and a new one can be made in the child.

Any `str` is taken: a text with surrogates, which no source file can hold, is a program with a syntax error, an argument
text that is none, or no literal.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

from azr import _azr
from azr.errors import SandboxError
from azr.util.text import is_text

ENTRY: Final = "f"
"""The function that tasks call."""

SANDBOX_FAILED: Final = "sandbox_failed"
"""What stands where a verdict would, if the sandbox failed. Never an outcome of a program."""

MAY_PASS: Final = frozenset({"wall_clock", "host", "runtime"})
"""Codes of failures that another try may not meet: an overloaded machine, memory that was short for a moment."""

Mode = Literal["python", "strict"]
"""`python`: 1 == 1.0 == True, as `==` says. `strict`: values of other types differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run. All but `wall_seconds` decide outcomes."""

    fuel: int = 200_000_000_000
    """Processor time, counted: some twenty million a millisecond, ten seconds in all, and 20 at the very most. The same
    program always takes the same."""
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
    wall_seconds: float = 300.0
    """Backstop against an overloaded machine: past it the row has failed, since the clock decides no verdict."""

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
    SANDBOX_FAILED = SANDBOX_FAILED
    """No outcome of the program: `Outcome.failed` says what became of the sandbox."""


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
    SANDBOX_FAILED = SANDBOX_FAILED
    """Nothing is known of the program: `Outcome.failed` says what became of the sandbox."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The sandbox failed at this row: nothing follows about the program, and nothing may be rewarded for it."""

    code: str
    """As of `SandboxError`."""
    message: str

    def error(self) -> SandboxError:
        """The same as an exception, for callers that want no batch with a hole."""
        return SandboxError(self.message, self.code)


@dataclass(frozen=True)
class Value:
    """Plain Python data in its canonical encoding. Two are `==` when their encodings are the same."""

    encoded: bytes

    @cached_property
    def repr(self) -> str:
        """The text that Python's `repr` gives; elements of sets in one fixed order.

        An integer of more than 64 KiB is written in hexadecimal: the time is linear in the size of the value.
        """
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
        _azr.check_encoded(encoded)
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
    reads: tuple[str, ...] = ()
    """What it read that is not the same in every run: `hash` (of text or an address, or the order of a set that follows
    from one), `address`, `clock`, `random`. A run that read nothing is the same always."""
    failed: Failed | None = None
    """Of kind `sandbox_failed`: how. Everything else is empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A program and what to do with it: `entry(call)`, or a script where `call` is None."""

    program: str
    call: str | None = None
    limits: Limits | None = None
    entry: str = ENTRY


@dataclass(frozen=True, slots=True)
class ValidRun:
    """The program returns `value` on this input, whatever the entropy."""

    value: Value
    fuel_used: int = 0


@dataclass(frozen=True, slots=True)
class InvalidRun:
    """The program on this input is not a task."""

    reason: InvalidReason
    outcome: Outcome


RunResult = ValidRun | InvalidRun
"""What validation says of a program on one input."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdicts on a program, one an input."""

    results: tuple[RunResult, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Whether an answer is right."""

    correct: bool
    outcome: Outcome | None = None
    """How the answer's run ended, where something was run."""
    reason: str | None = None
    """Why an answer text is no answer at all."""
    failed: Failed | None = None
    """The sandbox failed: whether the answer is right is not known, and `correct` says nothing."""


@dataclass(frozen=True, slots=True)
class ProgramCheck:
    """Whether an answer program is right on each hidden pair, in order."""

    passed: tuple[bool, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> Failed | None:
        """The sandbox failed at a pair: whether the answer is right is not known."""
        return next((outcome.failed for outcome in self.outcomes if outcome.failed), None)


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


Item = TypeVar("Item")
Row = TypeVar("Row")
Answer = TypeVar("Answer")


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

    def with_modules(self, modules: Mapping[str, str]) -> "Sandbox":
        """A sandbox as this one, with more modules."""
        threads, _, guest, present = self._made_with
        return Sandbox(threads=threads, limits=self.limits, guest=guest, modules={**present, **modules})

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
        """Run every request in a fresh interpreter of its own."""
        rows = _rows(
            requests,
            lambda one: _unwritable(one.program, one.call, one.entry),
            lambda left: self._inner.run_batch([_request(one) for one in left]),
        )
        return [row if isinstance(row, Outcome) else _outcome(row) for row in rows]

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
        """Run each program on each argument text and those that read entropy again under further settings of it."""
        flat = [(program, text) for program, inputs in items for text in inputs]
        rows = _rows(
            flat,
            lambda item: _unwritable(item[0], item[1]),
            lambda left: [row for (row,) in self._inner.validate([(program, [text]) for program, text in left])],
        )
        verdicts = iter([_invalid(row) if isinstance(row, Outcome) else _verdict(row) for row in rows])
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
        """Whether each program returns its gold value on its answer, an argument text; any such input is right."""
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
        """Have verifiers score answers: each item is a source that defines `verify(task, answer)`, and the two values.

        Both reach the guest as data: no text of theirs is compiled. Runs under further settings of entropy where
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
    """The outcomes, for callers that have no use for a batch with a hole.

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
    """What came of each item, in order: what is `known` without running it, else what `run` gives in one batch.

    Rows that failed in a way that may pass are run once more, by themselves.
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
    """How a request ends that no text can be sent for; None where all of it can be."""
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
    return request.program, request.entry, request.call, request.limits._row() if request.limits else None


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


def _outcome(row: "_azr._OutcomeRow | SandboxError") -> Outcome:
    if isinstance(row, SandboxError):
        return Outcome(kind=OutcomeKind.SANDBOX_FAILED, message=str(row), failed=_failed(row))
    kind, value, exception, message, traceback, limit, stdout, stderr, fuel_used, peak_memory, reads = row
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
        reads=tuple(reads),
    )


def _invalid(outcome: Outcome) -> InvalidRun:
    return InvalidRun(InvalidReason(outcome.kind.value), outcome)


def _verdict(row: "_azr._ValidationRow | SandboxError") -> RunResult:
    if isinstance(row, SandboxError):
        return _invalid(_outcome(row))
    reason, value, fuel_used, outcome = row
    if value is not None:
        return ValidRun(Value(value), fuel_used)
    assert reason is not None and outcome is not None, "a verdict is a value or a reason"
    return InvalidRun(InvalidReason(reason), _outcome(outcome))


def _unscored(outcome: Outcome) -> Unscored:
    return Unscored(InvalidReason(outcome.kind.value), outcome)


def _score(row: "_azr._ScoreRow | SandboxError") -> Score:
    if isinstance(row, SandboxError):
        return _unscored(_outcome(row))
    score, fuel_used, reason, outcome = row
    if score is not None:
        return Scored(score, fuel_used)
    assert reason is not None and outcome is not None, "there is a score or a reason"
    return Unscored(InvalidReason(reason), _outcome(outcome))


def _remade(threads: int | None, limits: Limits | None, guest: Path | None, modules: dict[str, str]) -> Sandbox:
    return Sandbox(threads=threads, limits=limits, guest=guest, modules=modules)


def _check(row: "_azr._CheckRow | Check | Outcome | SandboxError") -> Check:
    if isinstance(row, Check):
        return row
    if isinstance(row, Outcome):
        return Check(correct=False, outcome=row)
    if isinstance(row, SandboxError):
        outcome = _outcome(row)
        return Check(correct=False, outcome=outcome, failed=outcome.failed)
    correct, outcome_row, problem = row
    return Check(correct=correct, outcome=_outcome(outcome_row) if outcome_row is not None else None, reason=problem)
