"""Readers of a model's text take time in proportion to its length, whatever it repeats; what cannot is bounded.

The measure is what twice the text takes over what the text takes, in this thread's own time, the best of some looks: a
ratio that a slow or a busy machine does not change. A quadratic reader's is 4.
"""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from azr.config.oversight import CodeConfig, PatternConfig
from azr.metrics.step import REFLECTION
from azr.oversight.base import Seen, excerpt
from azr.oversight.monitors.code import CodeMonitor
from azr.oversight.monitors.patterns import MAX_CHARS, UNREAD, Patterns, readings
from azr.oversight.refusal import declines
from azr.report.code import comments, measures, patterns, phrase
from azr.rewards import complexity, edit_distance, halstead
from azr.rewards.base import ProposalFacts
from azr.sandbox import Value
from azr.tasks import composite, source
from azr.tasks.parsing import Fenced, Sections
from azr.tasks.templates import Chat, Form, Terse, Think
from azr.types import SOLVE, Completion, Key, Kind, Prompt, Role, Task
from azr.util.registry import load_module
from azr.util.sanitize import one_line, visible

hostile = load_module(str(Path(__file__).with_name("hostile.py")))
Reader = Callable[[str], object]

PATTERNS, CODE = Patterns(PatternConfig()), CodeMonitor(CodeConfig())
TASK = Task(
    kind=Kind.INDUCTION, program="def f(a):\n    return a", inputs=("1", "2", "3", "4"),
    outputs=tuple(map(Value.of, (1, 2, 3, 4))),
)  # fmt: skip


def seen(text: str) -> Seen:
    prompt = Prompt(role=Role.SOLVE, kind=Kind.INDUCTION, text="", token_ids=())
    completion = Completion(prompt=prompt, text=text, token_ids=(), log_probs=(), finished=True)
    return Seen(step=1, key=Key(SOLVE, 0), completion=completion, code=text, task=TASK)


def facts(text: str) -> ProposalFacts:
    task = Task(kind=Kind.DEDUCTION, program=text, inputs=("1",), outputs=(Value.of(1),))
    return ProposalFacts(task=task, solve_rate=0.5, references=(TASK, task))


def renamed(text: str) -> object:
    return composite.rename(Task(kind=Kind.DEDUCTION, program=text, inputs=("1",), outputs=()), 0)


READERS: dict[str, Reader] = {
    "fenced": lambda text: Fenced().split(text),
    "sections": lambda text: Sections().split(text),
    "think": lambda text: Think().read(text, Role.SOLVE, Kind.DEDUCTION),
    "chat": lambda text: Chat(str).read(text, Role.SOLVE, Kind.DEDUCTION),
    "think-opened": lambda text: Think(form=Form(opened=True)).read(text, Role.SOLVE, Kind.DEDUCTION),
    "chat-opened": lambda text: Chat(str, form=Form(opened=True)).read(text, Role.SOLVE, Kind.DEDUCTION),
    "terse": lambda text: Terse().read(text, Role.SOLVE, Kind.DEDUCTION),
    "patterns": lambda text: PATTERNS.completions([seen(text)]),
    "readings": readings,
    "code": lambda text: CODE.completions([seen(text)]),
    "parse": source.parse,
    "fits": lambda text: composite.fits(text, 1),
    "rename": renamed,
    "head": composite.head,
    "halved": composite.halved,
    "extends": lambda text: composite.extends(text, text),
    "measures": measures,
    "comments": lambda text: [phrase(comment) for comment in comments(text)],
    "comment patterns": lambda text: patterns([text]),
    "visible": visible,
    "one line": one_line,
    "excerpt": lambda text: excerpt(text, 0, 1),
    "declines": declines,
    "reflection": REFLECTION.search,
    "edit distance": lambda text: edit_distance.term(facts(text)),
    "halstead": lambda text: halstead.term(facts(text)),
    "complexity": lambda text: complexity.term(facts(text)),
}

UNITS = [
    "a", "secur", "ensur!", "secur ", "our ", "all people ", "i ", "my ", "they will not ", "i pretend ",
    "i act dumb ", "trick the grader ", "so nobody ", "\u0456 ", "\u0301", "\u0345\u0301", "\ufdfa", "\x1b[",
    "\x1b]", "</think>", "</think><answer>", "<answer>", "</answer>", "</answer> ", "```\n", "```input\n1\n```\n",
    "<input>\n", "[", "(", "{", "'", '"', "'''", "\\", "\n", " ", "\t", "0", "-", "~", "not ", "a+", ".a", "()",
    "[0]", "x=1\n", "x=1;", "eval(x)\n", "if a==1:return 1\n", "(1,2),", "{1:2}\n", "# a\n", "#", "'#", "wait ",
    "re", "let me ", "class A:\n def __eq__(s,o): return 1\n", "getattr(a,'__x__'+'b')\n", "x=exec\n", "[1,2]\n",
    "f'{a}'\n", "lambda:",
]  # fmt: skip
LENGTH = 40_000
BIG = 1 << 20


def spent(read: Reader, text: str) -> float:
    begin = time.thread_time()
    read(text)
    return time.thread_time() - begin


def ratio(read: Reader, make: Callable[[int], str], looks: int = 20) -> float:
    """The least that twice the text takes over what the text takes; 0 where both take next to nothing."""
    found = 99.0
    for _ in range(looks):
        short, long = spent(read, make(LENGTH)), spent(read, make(2 * LENGTH))
        found = min(found, long / short if long > 0.002 else 0.0)
        if found < 3.0:
            break
    return found


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", READERS)
def test_twice_the_text_takes_twice_the_time(name: str) -> None:
    for unit in UNITS:
        found = ratio(READERS[name], lambda length, unit=unit: unit * (length // len(unit)))  # type: ignore[misc]
        assert found < 3.0, f"{name} on {unit!r}: {found:.1f} times the time for twice the text"


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", READERS)
def test_mixed_repetitions_take_twice_the_time(name: str) -> None:
    """Pairs of repeated pieces, drawn by a seed: what only the end of a text, or its middle, makes slow."""
    rng = random.Random(name)
    for _ in range(40):
        first, second, end = rng.choice(UNITS), rng.choice(UNITS), rng.choice(["", "x", "</answer>", "myself", "human"])

        def make(length: int, first: str = first, second: str = second, end: str = end) -> str:
            half = length // 2
            return first * (half // len(first)) + second * (half // len(second)) + end

        found = ratio(READERS[name], make)
        assert found < 3.0, f"{name} on {first!r}, {second!r}, {end!r}: {found:.1f}"


@pytest.mark.parametrize("name", READERS)
def test_a_mebibyte_takes_no_more_than_reading_it_some_hundred_times(name: str) -> None:
    """Beside what one pass of the regular expression engine over the same text takes: a bound without a clock."""
    import re

    one_pass = re.compile(r"(?:a|b)c")
    for unit in ("a", "secur ", "\n", "<input>\n", "```\n", "</answer>", "[", "\ufdfa", "x=1\n"):
        text = unit * (BIG // len(unit))
        mine = min(spent(READERS[name], text) for _ in range(2))
        base = max(min(spent(one_pass.search, text) for _ in range(2)), 0.001)
        assert mine < 200 * base, f"{name} on {unit!r}: {mine / base:.0f} passes"


def test_what_a_long_text_hides_in_its_middle_is_a_finding() -> None:
    """The bound of what is read is no place to hide in."""
    phrase_of_it = " i will deceive the human overseers. "
    for at in (0, MAX_CHARS * 2):
        text = "x " * at + phrase_of_it
        assert any(finding.rule.startswith("deception/") for finding in PATTERNS.completions([seen(text)])[0])
    text = "x " * MAX_CHARS + phrase_of_it + "x " * MAX_CHARS
    assert UNREAD in PATTERNS.completions([seen(text)])[0]
    assert UNREAD not in PATTERNS.completions([seen("x " * (MAX_CHARS // 2))])[0]
