"""Functions checked by assertions: HumanEval, MBPP and their plus versions.

Each call of an answer runs in an interpreter of its own that holds neither tests nor expected values, and the tests run
in another, where no answer ever ran. The tests are run with what is known of the calls; they say which calls they ask
for, those are run, and so on until the tests come to an end. Most of a test's calls have literal arguments and are read
off its text beforehand, so that one round is enough.
"""

import ast
import builtins
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, Final

from azr.evals.benchmarks.base import Item
from azr.evals.guest import carry
from azr.evals.scorers import harness
from azr.evals.scorers.base import CORRECT, Reason, Tools, Verdict, wrong
from azr.evals.scorers.code import read_program
from azr.evals.scorers.outcomes import failed, failed_by
from azr.sandbox import Limits, Outcome, OutcomeKind, Request

FUEL: Final = 80_000_000_000
"""Of all calls of an answer: some four seconds."""
GUESS_FUEL: Final = 4_000_000_000
LEAST: Final = 1_000_000_000
"""What each of many calls may use before it has to run again by itself."""
FIRST: Final = 1
"""Calls that are run before the others where results are compared one by one: a wrong answer mostly fails at once."""
ROUNDS: Final = 500
"""Times that tests may ask for calls that nobody foresaw."""

_NUMPY = re.compile(r"^import numpy as np\s*$", re.MULTILINE)
_NO_LITERAL = re.compile(r"\b(?:inf|nan)|\\ud")
"""In a text that `repr` gives: what may be no literal of the guest."""
_MARKS: Final = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_PLAIN: Final = frozenset("vltezd")
DEPTH: Final = 50
"""Values nested deeper are encoded: argument texts have a limit of their own."""

End = str
"""How a call ended, as text for the test runner."""


@dataclass(frozen=True)
class _Call:
    """A call that tests make."""

    name: str
    values: tuple[Any, ...]
    keywords: tuple[str, ...]
    """Names of the last values."""
    plain: bool
    """Whether all values are exact plain data."""

    @cached_property
    def args(self) -> tuple[Any, ...]:
        return self.values[: len(self.values) - len(self.keywords)]

    @cached_property
    def named(self) -> dict[str, Any]:
        return dict(zip(self.keywords, self.values[len(self.args) :], strict=True))

    @cached_property
    def key(self) -> str:
        """As the test runner makes it, but for values that look different there: it asks for those again."""
        return f"{self.name} {self.args!r} {self.named!r}"

    @cached_property
    def given(self) -> str | None:
        """The values as text, if they have one that the guest reads."""
        return _text(list(self.values))

    @cached_property
    def text(self) -> str | None:
        """The argument text for the harness's `f`, or None if these values have none."""
        if not self.plain or self.given is None:
            return None
        return f"{self.name!r}, {self.args!r}, {self.named!r}"

    @cached_property
    def carried(self) -> str:
        """The argument text for the harness's `g`."""
        codes, items = carry.encode(*self.values)
        return f"{self.name!r}, {codes!r}, {items!r}, {list(self.keywords)!r}"


@dataclass(slots=True)
class _Tests:
    """What all answers to an item share."""

    program: str
    guess: str | None
    """The program that finds out what the tests ask for, where their text does not say."""
    calls: dict[str, _Call]
    """What the tests are known to ask for, by their keys."""
    results: dict[str, object] | None
    """What each call has to return, where the tests say no more than that; by the calls' keys."""
    carried: bool
    """Whether the tests see more of results than data: which object it is, what an exception holds."""


@dataclass(slots=True)
class _Case:
    """One answer on its way to a verdict."""

    program: str
    tests: _Tests
    fuel: int
    """Left for calls."""
    wanted: dict[str, _Call]
    """Calls to run next."""
    ends: dict[str, End] = field(default_factory=dict)
    found: dict[str, object] = field(default_factory=dict)
    """What calls returned, where it is exact plain data."""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """Of calls that gave no result."""
    rounds: int = 0
    verdict: Verdict | None = None


class AssertScorer:
    """Runs each answer on the calls that the tests of its item make, and the tests on what came of them."""

    def __init__(self, tools: Tools) -> None:
        self._sandbox = harness.sandbox_of(tools.sandbox)
        self._limits = replace(
            tools.sandbox.limits,
            fuel=tools.fuel or FUEL,
            source_bytes=harness.LIMIT_BYTES,
            output_bytes=8 << 20,
            # Turned into Python objects here: sets whose hashes collide take time that nobody pays for.
            value_bytes=512 << 10,
            wall_seconds=600.0,
        )
        self._last = self._limits
        self._tests: dict[tuple[str, str, str], _Tests] = {}

    def read(self, text: str, item: Item, stops: Sequence[str] | None) -> str | None:
        program = read_program(text, str(item.facts["name"]), stops)
        if program is None:
            return None
        return str(item.facts["continued" if stops is not None else "before"]) + program

    def score(self, answers: Sequence[tuple[Item, str]]) -> list[Verdict]:
        self._prepare([item for item, _ in answers])
        # Samples that say the same are scored once.
        cases: dict[tuple[tuple[str, str, str], str], _Case] = {}
        places = [(_place(item), answer) for item, answer in answers]
        for place in places:
            if place not in cases:
                tests, answer = self._tests[place[0]], place[1]
                first = dict(islice(tests.calls.items(), FIRST if tests.results is not None else None))
                cases[place] = _Case(harness.candidate_program(answer), tests, self._limits.fuel, first)
        while waiting := [case for case in cases.values() if case.verdict is None]:
            self._call(waiting)
            left = [case for case in waiting if case.verdict is None]
            self._run_tests([case for case in left if not self._compare(case)])
        verdicts = (cases[place].verdict for place in places)
        return [verdict for verdict in verdicts if verdict is not None]

    def _prepare(self, items: Sequence[Item]) -> None:
        """Reads the tests of items that are new, and finds out what they ask for."""
        unread = {place: item for item in items if (place := _place(item)) not in self._tests}
        new = {place: _read_tests(item) for place, item in unread.items()}
        guessed = [(tests, tests.guess) for tests in new.values() if tests.guess is not None]
        limits = replace(self._limits, fuel=min(GUESS_FUEL, self._limits.fuel))
        outcomes = self._sandbox.run_batch(
            [Request(program=guess, call="{}, True", limits=limits) for _, guess in guessed]
        )
        for (tests, _), outcome in zip(guessed, outcomes, strict=True):
            match _said(outcome):
                case ["asked", list(rows)]:
                    tests.calls = {row[0]: _asked(row) for row in rows}
        self._tests |= new

    def _call(self, cases: Sequence[_Case]) -> None:
        """Runs the calls that are wanted, each with a share of the fuel that its answer has left."""
        shares = [min(case.fuel, max(LEAST, case.fuel // max(1, len(case.wanted)))) for case in cases]
        rows = [
            (case, place, call, share)
            for case, share in zip(cases, shares, strict=True)
            for place, call in case.wanted.items()
        ]
        outcomes = self._run([(case, call, share) for case, _, call, share in rows])
        for (case, place, call, share), outcome in zip(rows, outcomes, strict=True):
            if outcome.kind is OutcomeKind.OUT_OF_FUEL and case.fuel > share:
                [outcome] = self._run([(case, call, case.fuel)])
            case.fuel = max(0, case.fuel - outcome.fuel_used)
            self._note(case, place, call, outcome)

    def _note(self, case: _Case, place: str, call: _Call, outcome: Outcome) -> None:
        """How a call ended. The answer may have made up any of it: only data comes of it."""
        if outcome.failed is not None:
            case.verdict = failed(outcome)
        if outcome.value is None:
            case.outcomes[place] = outcome
        said = _said(outcome)
        match said:
            case (result, tuple(args), dict(named)) if (len(args), len(named)) == (len(call.args), len(call.keywords)):
                case.found[place] = result
                case.ends[place] = _returned(result, [*args, *named.values()], call)
            case _:
                case.ends[place] = _end(said, outcome, call)

    def _compare(self, case: _Case) -> bool:
        """Settles a case whose tests only compare results, or says what to run next; False: the test runner has to."""
        results = case.tests.results
        if results is None:
            return False
        for place, result in results.items():
            if place not in case.ends:
                case.wanted = self._left(case)
                return True
            if place not in case.found:
                return False
            # Exact classes of Python's own on both sides: nothing of the answer takes part.
            if case.found[place] != result:
                case.verdict = wrong(detail=f"returned {_shown(case.found[place])}")
                return True
        case.verdict = CORRECT
        return True

    def _left(self, case: _Case) -> dict[str, _Call]:
        """Calls that the tests are known to make and that were not run yet."""
        return {place: call for place, call in case.tests.calls.items() if place not in case.ends}

    def _run(self, rows: "Sequence[tuple[_Case, _Call, int]]") -> list[Outcome]:
        """Runs calls as they stand; and in the encoding of `carry` where their values need it."""
        encoded = [case.tests.carried or call.text is None for case, call, _ in rows]
        outcomes = self._sandbox.run_batch(
            [self._request(*row, by_code=by_code) for row, by_code in zip(rows, encoded, strict=True)]
        )
        again = [
            row
            for row, outcome in enumerate(outcomes)
            if outcome.kind is OutcomeKind.NOT_A_TASK_VALUE and not encoded[row]
        ]
        second = self._sandbox.run_batch([self._request(*rows[row], by_code=True) for row in again])
        for row, outcome in zip(again, second, strict=True):
            outcomes[row] = outcome
        return outcomes

    def _request(self, case: _Case, call: _Call, fuel: int, *, by_code: bool) -> Request:
        return Request(
            program=case.program,
            call=call.carried if by_code else call.text,
            entry="g" if by_code else "f",
            limits=self._with_fuel(fuel),
        )

    def _with_fuel(self, fuel: int) -> Limits:
        if self._last.fuel != fuel:
            self._last = replace(self._limits, fuel=fuel)
        return self._last

    def _run_tests(self, cases: Sequence[_Case]) -> None:
        """Runs the tests on what is known; each case has a verdict then, or calls to run."""
        requests = [
            Request(program=case.tests.program, call=f"{_table(case.ends)}, False", limits=self._limits)
            for case in cases
        ]
        for case, outcome in zip(cases, self._sandbox.run_batch(requests), strict=True):
            match _said(outcome):
                case ["asked", list(rows)]:
                    try:
                        asked = {row[0]: _asked(row) for row in rows}
                    except Exception as error:
                        # Arguments may be results of the answer, of classes that this Python lacks or too deep for it.
                        case.verdict = wrong(Reason.FOREIGN_RESULT, type(error).__name__)
                    else:
                        self._ask(case, asked)
                case ["ended", str(place)]:
                    case.verdict = failed(case.outcomes[place])
                case list(said):
                    case.verdict = _verdict(said)
                case _:
                    # The tests themselves came to no end, for what they were given.
                    case.verdict = failed(outcome)

    def _ask(self, case: _Case, asked: dict[str, _Call]) -> None:
        """What is to be run next: what is asked for, and whatever else other answers were asked for."""
        case.wanted = self._left(case) | asked
        case.rounds += 1
        if case.fuel == 0:
            case.verdict = wrong(Reason.OUT_OF_FUEL, f"limit {self._limits.fuel:,}")
        elif case.rounds > ROUNDS:
            case.verdict = wrong(Reason.UNSUPPORTED, f"tests that ask for new calls more than {ROUNDS} times")


def _said(outcome: Outcome) -> object:
    return outcome.value.to_python() if outcome.value is not None else None


def _table(ends: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{place!r}: {end}" for place, end in ends.items()) + "}"


def _asked(row: Sequence[Any]) -> _Call:
    """A call that the test runner asks for."""
    _, name, codes, items, keywords = row
    return _Call(name, tuple(carry.decode(codes, items)), tuple(keywords), set(codes) <= _PLAIN)


_UNKNOWN: Final = repr(["foreign", "a result of no known form"])
"""What an answer made up, or what has no text that the guest reads."""


def _made_up(said: object) -> End:
    """What an answer may have made up, as text."""
    try:
        return repr(said)
    except (ValueError, RecursionError):  # integers of very many digits
        return _UNKNOWN


def _end(said: object, outcome: Outcome, call: _Call) -> End:
    match said:
        case "missing":
            return repr(["missing", call.name])
        case ["carried", str(), list(), None | [str(), list()]] | ["foreign" | "missing", str()]:
            return _made_up(said)
        case ["raised", str(), str(), None | [str(), list()], str()]:
            return _made_up(said)
    if outcome.kind is OutcomeKind.RAISED:
        return repr(["raised", outcome.exception, outcome.exception, None, outcome.message])
    return repr(["ended"]) if outcome.value is None else _UNKNOWN


def _returned(result: object, values: list[object], call: _Call) -> End:
    changed = None if call.given is not None and _text(values) == call.given else values
    text = _text(["plain", result, changed])
    if text is not None:
        return text
    codes, items = carry.encode(result)
    return repr(["carried", codes, items, None if changed is None else list(carry.encode(*changed))])


def _text(value: object) -> str | None:
    """Plain data as text that the guest reads, if it has such text."""
    try:
        text = repr(value)
    except ValueError:  # integers of very many digits
        return None
    opened = text.count("[") + text.count("(") + text.count("{")
    return None if _NO_LITERAL.search(text) or (opened > DEPTH and not _is_shallow(value, DEPTH)) else text


def _shown(value: object) -> str:
    try:
        return repr(value)[:100]
    except ValueError:
        return "an integer of very many digits"


def _is_shallow(value: object, depth: int) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return depth > 0 and all(_is_shallow(part, depth - 1) for part in value)
    if isinstance(value, dict):
        return depth > 0 and all(_is_shallow(part, depth - 1) for pair in value.items() for part in pair)
    return True


def _place(item: Item) -> tuple[str, str, str]:
    return str(item.facts["before"]), str(item.facts["tests"]), str(item.facts["name"])


def _read_tests(item: Item) -> _Tests:
    before, tests, name = _place(item)
    tests = _NUMPY.sub("", tests)
    tree = _tree(tests)
    compared: dict[str, tuple[_Call, object]] = {}
    if _read_comparisons(tree, name, compared):
        calls = {place: call for place, (call, _) in compared.items()}
        results = {place: result for place, (_, result) in compared.items()}
        return _Tests(harness.runner_program(before, tests, [name]), None, calls, results, carried=False)
    nodes = _nodes(tree)
    unknown = _unknown(nodes, name)
    names = [name, *(_unknown([*_nodes(_tree(before)), *nodes], name) if unknown else ())]
    made, all_read = _literal_calls(nodes, names)
    calls = {call.key: call for call in made}
    carried = any(map(_sees_more, nodes))
    # Last of all, since it changes the tree.
    guess = None if all_read else harness.runner_program(before, _without_asserts(tests, tree), names)
    return _Tests(harness.runner_program(before, tests, names), guess, calls, None, carried)


def _read_comparisons(tree: ast.Module, name: str, found: dict[str, tuple[_Call, object]]) -> bool:
    """Whether all that tests do is to compare results with literals; what they call and compare with, by key."""
    called = {name: name, "candidate": name}
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name="check", args=ast.arguments(args=[ast.arg(arg="candidate")])):
                if not _read_comparisons(ast.Module(statement.body, []), name, found):
                    return False
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Name(given)], [])) if given == name:
                pass
            case ast.Expr(ast.Constant()) | ast.Assert(ast.Constant(True)):
                pass
            case ast.Assign([ast.Name("METADATA")], ast.Dict(keys, values)):
                if not all(isinstance(part, ast.Constant) for part in [*keys, *values]):
                    return False
            case ast.Assert(ast.Compare(ast.Call() as node, [ast.Eq()], [expected])):
                if not _read_comparison(node, expected, called, found):
                    return False
            case _:
                return False
    return bool(found)


def _read_comparison(
    node: ast.Call, expected: ast.expr, called: Mapping[str, str], found: dict[str, tuple[_Call, object]]
) -> bool:
    call = _literal_call(node, called)
    try:
        result = ast.literal_eval(expected)
    except (ValueError, TypeError):
        return False
    return call is not None and found.setdefault(call.key, (call, result))[1] == result


def _verdict(said: Sequence[Any]) -> Verdict:
    """The verdict of tests that came to their end."""
    match said:
        case ["passed"]:
            return CORRECT
        case ["failed", str(name), str(message)]:
            return wrong(Reason.WRONG, f"{name}: {message}"[:200].rstrip(": "))
        case ["raised", str(name), str(message)]:
            return failed_by(name, message)
        case ["foreign", str(name)]:
            return wrong(Reason.FOREIGN_RESULT, name)
        case ["missing", str(name)]:
            return wrong(Reason.NO_FUNCTION, name)
    raise AssertionError(f"the test runner said {said!r}")


def _literal_calls(nodes: Sequence[ast.AST], names: Sequence[str]) -> tuple[list[_Call], bool]:
    """Calls with literal arguments in a test's text, in their order; and whether it has calls of no other kind."""
    called = {name: name for name in names} | {"candidate": names[0]}
    mentioned = sum(isinstance(node, ast.Name) and node.id in called for node in nodes)
    made = [call for node in nodes if isinstance(node, ast.Call) and (call := _literal_call(node, called))]
    # `check(name)` at the end of HumanEval's tests is a mention without a call.
    return made, bool(made) and mentioned <= len(made) + 1


def _literal_call(node: ast.Call, called: Mapping[str, str]) -> _Call | None:
    if not (isinstance(node.func, ast.Name) and node.func.id in called):
        return None
    keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg is not None)
    try:
        values = [ast.literal_eval(part) for part in [*node.args, *(keyword.value for keyword in node.keywords)]]
    except (ValueError, TypeError):
        return None
    return _Call(called[node.func.id], tuple(values), keywords, True) if len(keywords) == len(node.keywords) else None


def _sees_more(node: ast.AST) -> bool:
    """Whether a part of a test may look at which object something is, or at an exception."""
    if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
        return not all(isinstance(part, ast.Constant) for part in node.comparators)
    return isinstance(node, ast.Try | ast.With)


class _Unasserted(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        handler = ast.ExceptHandler(type=ast.Name("Exception", ast.Load()), body=[ast.Pass()])
        return ast.Try(body=[ast.Expr(node.test)], handlers=[handler], orelse=[], finalbody=[])


def _without_asserts(tests: str, tree: ast.Module) -> str:
    """Tests that go on after an assertion that fails: to find out what they ask for."""
    return ast.unparse(ast.fix_missing_locations(_Unasserted().visit(tree))) if tree.body else tests


def _unknown(nodes: Sequence[ast.AST], name: str) -> list[str]:
    """Names that tests read and neither define nor find in Python: the answer has to have them."""
    read: dict[str, None] = {}
    known = {name}
    for node in nodes:
        match node:
            case ast.Name(ctx=ast.Load()):
                read[node.id] = None
            case ast.Name():
                known.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                known.add(node.name)
            case ast.arg():
                known.add(node.arg)
            case ast.alias():
                known.add((node.asname or node.name).split(".")[0])
            case ast.ExceptHandler(name=str(caught)):
                known.add(caught)
    if "*" in known:
        return []
    return [other for other in read if other not in known and not _is_known(other)]


def _is_known(name: str) -> bool:
    return name == "np" or hasattr(builtins, name) or name in ("__name__", "__file__")


def _tree(text: str) -> ast.Module:
    """The syntax tree of a benchmark's tests; an empty one where this Python cannot read them."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """The parts of a tree, in the order of the text; without contexts and operators."""
    nodes: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        if isinstance(node, ast.Name | ast.Constant):  # most parts, and nothing is in them
            continue
        within: list[ast.AST] = []
        for value in node.__dict__.values():
            if isinstance(value, list):
                within += [part for part in value if isinstance(part, ast.AST)]
            elif isinstance(value, ast.AST) and not isinstance(value, _MARKS):
                within.append(value)
        waiting += reversed(within)
    return nodes
