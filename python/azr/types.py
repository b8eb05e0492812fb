"""The values that flow between the stages.

    Prompt -> Completion -> Proposal -> Valid | Rejected -> Task -> Attempt -> Episode -> Batch

All are frozen. Every stage keeps order and length: `len(out) == len(in)`. This module imports nothing of azr at
run time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from azr.sandbox import Value


class Role(StrEnum):
    """What the model is asked to do."""

    PROPOSE = "propose"
    SOLVE = "solve"


class _PlainKinds(type):
    """Iterating `Kind` gives the kinds over plain Python, which are always there."""

    def __iter__(cls) -> Iterator[Kind]:
        return iter((Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION, Kind.ERROR))


class Kind(str, metaclass=_PlainKinds):
    """The kind of a task, by name: which part of (program, input, output) the solver has to find.

    An open set: a domain's kind is named `<domain>.<name>`, and may exist only in that domain. There is one object per
    name, so kinds can be compared by `is`.
    """

    __slots__ = ()

    DEDUCTION: ClassVar[Kind]
    """program + input -> output"""
    ABDUCTION: ClassVar[Kind]
    """program + output -> any input that gives it"""
    INDUCTION: ClassVar[Kind]
    """input/output pairs + message -> program"""
    ERROR: ClassVar[Kind]
    """program + input -> name of the exception, or NoError; the paper's ablation, off by default"""

    def __new__(cls, name: str) -> Kind:
        known = _KINDS.get(name)
        if known is None:
            if not KIND_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a kind, such as deduction or tables.deduction")
            known = _KINDS.setdefault(name, super().__new__(cls, name))
        return known

    def __reduce__(self) -> tuple[type[Kind], tuple[str]]:
        return Kind, (str(self),)

    @property
    def domain(self) -> str:
        """The domain that it belongs to; empty for plain Python."""
        return self.rpartition(".")[0]

    @property
    def base(self) -> Kind:
        """The kind's own name, without its domain."""
        return Kind(self.rpartition(".")[2])

    def of(self, domain: str) -> Kind:
        """This kind, in a domain."""
        return Kind(f"{domain}.{self.base}") if domain else self.base


KIND_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")
_KINDS: Final[dict[str, Kind]] = {}
Kind.DEDUCTION, Kind.ABDUCTION, Kind.INDUCTION, Kind.ERROR = map(Kind, ("deduction", "abduction", "induction", "error"))


class Reason(StrEnum):
    """Why a proposal was rejected. A fixed set, so that reasons can be counted."""

    UNPARSEABLE = "unparseable"
    BAD_FORMAT = "bad_format"
    NO_ENTRY = "no_entry"
    SEVERAL_DEFINITIONS = "several_definitions"
    FORBIDDEN_IMPORT = "forbidden_import"
    BAD_COMPOSITE = "bad_composite"
    LOW_QUALITY = "low_quality"
    """The domain's quality score is below the domain's minimum."""
    TOO_LONG = "too_long"
    DUPLICATE = "duplicate"
    NO_CANONICAL_FORM = "no_canonical_form"
    """It nests too deeply to be normalised, so the buffer cannot tell whether it is a duplicate."""
    SYNTAX_ERROR = "syntax_error"
    INVALID_INPUT = "invalid_input"
    RAISED = "raised"
    OUT_OF_FUEL = "out_of_fuel"
    OUT_OF_MEMORY = "out_of_memory"
    STACK_OVERFLOW = "stack_overflow"
    OUTPUT_TOO_LONG = "output_too_long"
    NOT_A_TASK_VALUE = "not_a_task_value"
    CRASHED = "crashed"
    """It crashed the guest's interpreter, and nothing else."""
    NONDETERMINISTIC = "nondeterministic"

    SANDBOX_FAILED = "sandbox_failed"
    """The sandbox failed on it: no verdict and no reward; counted."""
    NO_COMPLETION = "no_completion"
    """An endpoint's reply was none: neither."""


class Flaw(StrEnum):
    """Why a text could not be parsed (see `azr.tasks.parsing`)."""

    NO_ANSWER = "no_answer"
    UNCLOSED_BLOCK = "unclosed_block"
    MISSING_BLOCK = "missing_block"
    SEVERAL_BLOCKS = "several_blocks"
    TOO_FEW_BLOCKS = "too_few_blocks"
    EMPTY_BLOCK = "empty_block"
    TOO_LONG = "too_long"
    """The whole text is longer than `azr.tasks.common.MAX_TEXT`."""
    NOT_UNICODE = "not_unicode"
    """It contains surrogates, which no file and no tokenizer can encode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A validated task: running `program` on each of `inputs` always gives `outputs`."""

    kind: Kind
    program: str
    """Source that defines the entry function `f`, including the composites' sources."""
    inputs: tuple[str, ...]
    """Argument texts, as inside the parentheses of a call of `f`. One, except for induction."""
    outputs: tuple[Value, ...]
    """What `f` returned for each input, in the sandbox's canonical encoding. Error kind: the name of the exception's
    class, or `NoError`."""
    message: str = ""
    """Induction: the proposer's hint to the solver."""
    step: int = 0
    """Training step that made it; 0 for seeds."""
    role: Role = Role.PROPOSE
    references: tuple[int, ...] = ()
    """Ids of the tasks in its propose prompt."""
    parents: tuple[int, ...] = ()
    """Ids of the tasks whose programs it was told to call or to continue (composites)."""
    id: int | None = None
    """Set by the buffer; None before it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """Input of the engine. The token ids are authoritative; the text is for people."""

    role: Role
    kind: Kind
    text: str
    token_ids: tuple[int, ...]
    task: Task | None = None
    """Solve: the task. Propose induction: the stored task whose program is shown."""
    references: tuple[Task, ...] = ()
    composites: tuple[Task, ...] = ()
    start: str = ""
    """The beginning of the answer, where the prompt itself wrote it: the composite that a program goes on from."""
    target: Task | None = None
    """The unsolved task whose first half that is, if a proposal aims at one."""

    @property
    def before(self) -> str:
        """Source that runs before a proposal's own: the composites', unless the answer begins with one."""
        return "" if self.start else "".join(f"{task.program}\n\n" for task in self.composites)


PROPOSE: Final = "propose"
TRIALS: Final = "trials"
SOLVE: Final = "solve"


class Key(NamedTuple):
    """Which completion: unique among the completions of a step, and among an engine's in-flight requests."""

    purpose: str
    """In a step: `PROPOSE`, `TRIALS` or `SOLVE`."""
    place: int
    """Index of the prompt. A step's trials have that of their proposal."""
    draw: int = 0
    """Index of the completion among those of one prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Output of the engine. `token_ids` include the end token if `finished`."""

    prompt: Prompt
    text: str
    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    """Log-probability of each sampled token under the sampling distribution (temperature 1 scale)."""
    finished: bool
    """False: cut at the token limit."""
    error: str = ""
    """Why there is none: an endpoint's reply was no completion. It has no verdict then."""

    @classmethod
    def unsampled(cls, prompt: Prompt, text: str, token_ids: Sequence[int]) -> Self:
        """One that the policy of now did not sample: no token has a probability to be compared with."""
        return cls(
            prompt=prompt, text=text, token_ids=tuple(token_ids), log_probs=(math.nan,) * len(token_ids), finished=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unparsed:
    """A text that could not be parsed."""

    flaw: Flaw
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The parsed fields of a proposal that has not run yet."""

    program: str
    inputs: tuple[str, ...]
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The model's answer to a propose prompt."""

    completion: Completion
    draft: Draft | Unparsed
    formatted: bool
    """Whether the text has the template's format."""

    @property
    def kind(self) -> Kind:
        return self.completion.prompt.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Valid:
    """A proposal that the sandbox confirmed."""

    proposal: Proposal
    task: Task
    duplicate_of: int | None = None
    """Id of the stored task that it duplicates; then `task` is that one and nothing was added."""
    duplicate_level: str = ""
    """Level of equality: exact, canonical or behaviour."""
    fuel: int = 0
    """Fuel of its run, all inputs together, under the first setting of entropy."""
    quality: float | None = None
    """The domain's quality score, in [0, 1]; None where the domain has none."""
    prompt: Prompt | None = None
    """The task's solve prompt, made when its length was checked; None for a task that was stored before."""
    trials: tuple[Attempt, ...] = ()
    """The attempts that measure its solve rate, once they are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A proposal that did not become a task, and the reason."""

    proposal: Proposal
    reason: Reason
    detail: str = ""
    """Details, such as the class of an exception."""
    duplicate_of: int | None = None
    duplicate_level: str = ""
    fuel: int = 0

    @property
    def failed(self) -> bool:
        """The sandbox or the endpoint failed: it is unknown whether this is a task, and no reward follows."""
        return self.reason in (Reason.SANDBOX_FAILED, Reason.NO_COMPLETION)


FAILED: Final = str(Reason.SANDBOX_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict on one answer. `score` is 0 or 1, or a fraction for kinds with partial credit."""

    score: float
    reason: str
    """`correct`, `wrong`, a flaw of parsing, or the outcome of the program that checked it."""
    fuel: int = 0
    """Fuel of the check; 0 where nothing ran."""
    error: str = ""
    """Not empty: there is no verdict, and `score` is meaningless. `reason` is `sandbox_failed` or, from a grader,
    `not_a_task`."""

    @property
    def failed(self) -> bool:
        """There is no verdict: no reward may follow."""
        return bool(self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at a task."""

    completion: Completion
    text: str | None
    """The answer as read from the completion; None where there is none."""
    formatted: bool
    score: float
    reason: str
    fuel: int = 0

    @property
    def task(self) -> Task:
        """The task as it was asked. A new task's trials may be asked before it is stored: its id is in `Valid.task`."""
        task = self.completion.prompt.task
        assert task is not None, "a solve prompt has its task"
        return task

    @property
    def kind(self) -> Kind:
        return self.completion.prompt.kind

    @property
    def correct(self) -> bool:
        return self.score >= 1.0

    @property
    def failed(self) -> bool:
        """The sandbox or the endpoint failed: correctness is unknown, and no reward follows."""
        return self.reason == FAILED


def with_verdict(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The attempts that have a verdict."""
    return [attempt for attempt in attempts if not attempt.failed]


def solve_rate(attempts: Sequence[Attempt]) -> float | None:
    """Mean score of the attempts at one task; None where none has a verdict."""
    known = with_verdict(attempts)
    return sum(attempt.score for attempt in known) / len(known) if known else None


def valids(verdicts: Iterable[Valid | Rejected]) -> list[Valid]:
    """The valid verdicts."""
    return [verdict for verdict in verdicts if isinstance(verdict, Valid)]


class Placed(NamedTuple):
    """An attempt of a step, with its key and its task as stored."""

    key: Key
    task: Task
    attempt: Attempt


def placed_trials(verdicts: Sequence[Valid | Rejected]) -> list[Placed]:
    """The trials of a step's new tasks, in order."""
    return [
        Placed(Key(TRIALS, place, draw), verdict.task, attempt)
        for place, verdict in enumerate(verdicts)
        if isinstance(verdict, Valid)
        for draw, attempt in enumerate(verdict.trials)
    ]


def placed_answers(answers: Sequence[Sequence[Attempt]]) -> list[Placed]:
    """The solver's answers of a step, in order."""
    return [
        Placed(Key(SOLVE, place, draw), attempt.task, attempt)
        for place, row in enumerate(answers)
        for draw, attempt in enumerate(row)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One prompt, completion and reward, for training."""

    completion: Completion
    reward: float
    key: Key | None = None
    """Which completion of the step; None for one that the step did not sample."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """The parts of the reward, for the metrics."""
    replayed: bool = False
    """It is learnt again, and in no number of the step's own rollouts."""
    group: int = 0
    """Episodes of one role, kind and group are attempts at the same task and share its id."""

    @property
    def role(self) -> Role:
        return self.completion.prompt.role

    @property
    def kind(self) -> Kind:
        return self.completion.prompt.kind

    @property
    def length(self) -> int:
        """Number of trained tokens."""
        return len(self.completion.token_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The input of one update, as plain numbers."""

    episodes: tuple[Episode, ...]
    advantages: NDArray[np.float64]
    """[N], one per episode: every token of a completion has its episode's advantage."""
    weights: NDArray[np.float64]
    """[N], weight of each token of the episode; the loss is the weighted sum over all tokens."""
