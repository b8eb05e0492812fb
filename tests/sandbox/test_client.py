"""The sandbox as Python sees it: typed results, order, threads, processes, interruption."""

import asyncio
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from azr import _azr
from azr.errors import SandboxError
from azr.sandbox import (
    Imports,
    InvalidReason,
    InvalidRun,
    Limits,
    OutcomeKind,
    Request,
    Sandbox,
    Scored,
    SyntaxProblem,
    Unscored,
    ValidRun,
    Value,
)
from azr.types import Reason
from hypothesis import given, settings
from hypothesis import strategies as st

IDENTITY = "def f(x):\n    return x"
READER = Sandbox(threads=1)


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(threads=2, limits=Limits(fuel=2_000_000_000, memory_bytes=64 << 20))


def plain_data() -> st.SearchStrategy[object]:
    hashable = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
        max_leaves=4,
    )
    return st.recursive(
        hashable | st.complex_numbers(allow_nan=False),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner)
            | st.dictionaries(hashable, inner, max_size=3)
            | st.sets(hashable, max_size=3)
        ),
        max_leaves=8,
    )


@given(plain_data())
def test_values_survive_the_crossing(data: object) -> None:
    value = Value.of(data)
    assert value.to_python() == data
    assert Value.from_encoded(value.encoded) == value
    assert value.equals(Value.of(data)) and value.equals(Value.of(data), "strict")


@given(plain_data(), plain_data())
def test_equality_is_pythons_own(a: object, b: object) -> None:
    assert Value.of(a).equals(Value.of(b)) == (a == b)


def _without_sets(data: object) -> bool:
    return "{" not in repr(data) and "frozenset" not in repr(data)


@given(plain_data().filter(_without_sets))
def test_repr_is_pythons_own(data: object) -> None:
    # Printable characters depend on the Unicode version, and both sides have their own.
    characters = ascii(data).encode().decode("unicode_escape")
    if repr(data).isascii() and not any(unicodedata.category(character) == "Cn" for character in characters):
        assert Value.of(data).repr == repr(data)


@settings(deadline=None, max_examples=60)
# The text of a complex number with a negative zero or an infinity does not evaluate to it, in CPython either.
@given(plain_data().filter(lambda data: repr(data).isascii() and "j" not in repr(data)))
def test_the_guest_reads_what_python_writes(data: object) -> None:
    [read] = READER.literals([repr(data)])
    assert isinstance(read, Value), read
    assert read.equals(Value.of(data), "strict") or -0.0 in _leaves(data)


def _leaves(data: object) -> list[object]:
    if isinstance(data, dict):
        return [leaf for pair in data.items() for leaf in _leaves(pair)]
    if isinstance(data, list | tuple | set | frozenset):
        return [leaf for item in data for leaf in _leaves(item)]
    return [data]


def test_bytes_that_encode_nothing_are_refused() -> None:
    for encoded in (b"", b"\xff", b"\x03\x01\x00", b"\x09\xff\xff\xff\xff\x0f", b"\x09\x01" * 5_000):
        with pytest.raises(ValueError):
            Value.from_encoded(encoded)
    with pytest.raises(TypeError):
        Value.of(object())
    with pytest.raises(ValueError):
        Value.of([float("nan")])


def test_an_outcome_says_what_it_read_that_is_not_the_same_in_every_run(sandbox: Sandbox) -> None:
    assert sandbox.run("def f(x):\n    return sorted({'a', 'b'}), hash((1, 2)), list({3, 1})", call="0").reads == ()
    source = "import time, random\ndef f(x):\n    return list({'a', 'b'}), id(x), time.time(), random.random()"
    assert sandbox.run(source, call="0").reads == ("hash", "address", "clock", "random")


def test_an_outcome_says_how_and_what_it_took(sandbox: Sandbox) -> None:
    outcome = sandbox.run("def f(x):\n    print('hi')\n    return {x: [1.5, None]}", call="'a'")
    assert outcome.kind is OutcomeKind.RETURNED and outcome.value is not None
    assert outcome.value.to_python() == {"a": [1.5, None]} and outcome.stdout == "hi\n"
    assert outcome.fuel_used > 0 and outcome.peak_memory > 0
    raised = sandbox.run("def f(x):\n    return g(x)\ndef g(x):\n    raise KeyError('gone')", call="1")
    assert (raised.kind, raised.exception) == (OutcomeKind.RAISED, "KeyError")
    assert raised.traceback == ((2, "f"), (4, "g"))
    spent = sandbox.run("while True: pass", limits=Limits(fuel=1_000_000))
    assert (spent.kind, spent.limit, spent.fuel_used) == (OutcomeKind.OUT_OF_FUEL, 1_000_000, 1_000_000)


def test_batches_keep_order(sandbox: Sandbox) -> None:
    requests = [Request(program=f"def f(x):\n    return x + {n}", call=str(n)) for n in range(300)]
    outcomes = sandbox.run_batch(requests)
    assert [outcome.value and outcome.value.to_python() for outcome in outcomes] == [2 * n for n in range(300)]
    assert sandbox.run_batch([]) == []


def test_every_call_of_a_program_starts_from_the_same_state(sandbox: Sandbox) -> None:
    program = "seen = []\ndef f(x):\n    seen.append(x)\n    return seen"
    outcomes = sandbox.run_batch([Request(program=program, call=call) for call in ("1", "2", "x", "3")])
    assert [outcome.value and outcome.value.to_python() for outcome in outcomes] == [[1], [2], None, [3]]
    assert outcomes[2].kind is OutcomeKind.INVALID_INPUT


def test_the_event_loop_goes_on_while_a_batch_runs(sandbox: Sandbox) -> None:
    async def both() -> tuple[int, int]:
        requests = [Request(program=IDENTITY, call="1")] * 200
        batch = asyncio.create_task(asyncio.to_thread(sandbox.run_batch, requests))
        ticks = 0
        while not batch.done():
            await asyncio.sleep(0)
            ticks += 1
        return len(await batch), ticks

    count, ticks = asyncio.run(both())
    assert count == 200 and ticks > 1


def test_threads_share_one_sandbox(sandbox: Sandbox) -> None:
    results: dict[int, object] = {}

    def work(number: int) -> None:
        outcome = sandbox.run(IDENTITY, call=str(number))
        results[number] = outcome.value and outcome.value.to_python()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: number for number in range(20)}


def in_a_forked_child(work: Callable[[], str]) -> str:
    """What `work` says in a child, or the code of the SandboxError that it raises there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            text = work()
        except SandboxError as error:
            text = error.code
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)
    text = os.read(reader, 1000).decode()
    os.waitpid(child, 0)
    return text


def test_a_forked_child_is_told_and_can_make_its_own(sandbox: Sandbox) -> None:
    def child() -> str:
        try:
            sandbox.run(IDENTITY, call="1")
        except SandboxError as error:
            own = Sandbox(threads=1).run(IDENTITY, call="42")
            return f"{error.code} {own.value.to_python() if own.value else own}"
        return "the parent's sandbox ran"

    sandbox.run(IDENTITY, call="1")
    assert in_a_forked_child(child) == "forked 42"


def test_the_wall_clock_goes_on_in_a_forked_child(sandbox: Sandbox) -> None:
    sandbox.run(IDENTITY, call="1")
    limits = Limits(wall_seconds=0.3, fuel=1 << 50)
    ended = in_a_forked_child(lambda: str(Sandbox(threads=1).run("while True: pass", limits=limits).kind))
    assert ended == "wall_clock"


def test_a_hidden_pair_may_hold_what_only_its_program_can_make(sandbox: Sandbox) -> None:
    program = "class Node:\n    def __init__(self, x): self.x = x\ndef f(node): return node.x"
    (validation,) = sandbox.validate([(program, ["Node(3)"])])
    (verdict,) = validation.results
    assert isinstance(verdict, ValidRun)
    (check,) = sandbox.check_program([(program, [("Node(3)", verdict.value), ("Node(4)", verdict.value)])])
    assert check.passed == (True, False)


def test_an_input_is_right_at_whatever_depth_it_was_validated(sandbox: Sandbox) -> None:
    program = (
        "def f(x):\n    def depth(n):\n        try: return depth(n + 1)\n        except RecursionError: return n\n"
        "    return depth(x)"
    )
    (validation,) = sandbox.validate([(program, ["0"])])
    (verdict,) = validation.results
    assert isinstance(verdict, ValidRun)
    assert sandbox.check_input([(program, "0", verdict.value)])[0].correct
    assert sandbox.check_program([(program, [("0", verdict.value)])])[0].passed == (True,)


def test_spawned_processes_work(tmp_path: Path) -> None:
    script = (
        "from azr.sandbox.client import Sandbox\n"
        "from multiprocessing import get_context\n"
        "def work(n):\n    return Sandbox(threads=1).run('def f(x): return x', call=str(n)).value.to_python()\n"
        "if __name__ == '__main__':\n"
        "    with get_context('spawn').Pool(1) as pool:\n        print(pool.map(work, [3, 4]))\n"
    )
    file = tmp_path / "spawns.py"
    file.write_text(script)
    ran = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "[3, 4]", ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "order",
    [
        "faulthandler.enable(); sandbox = make(); trap(sandbox); faulthandler.disable(); trap(sandbox)",
        "faulthandler.enable(); faulthandler.disable(); sandbox = make(); trap(sandbox)",
        "sandbox = make(); trap(sandbox); faulthandler.enable(); faulthandler.disable(); trap(sandbox)",
        "sandbox = make(); trap(sandbox); faulthandler.enable(); trap(sandbox); trap(sandbox)",
        "sandbox = make(); faulthandler.enable(); trap(sandbox); faulthandler.disable(); trap(sandbox); "
        "faulthandler.enable(); trap(sandbox)",
    ],
)
def test_faulthandler_and_traps_get_along(order: str) -> None:
    script = (
        "import faulthandler\n"
        "from azr.sandbox.client import Sandbox\n"
        "def make():\n    return Sandbox(threads=1)\n"
        "def trap(sandbox):\n"
        "    print(sandbox.run('def f(xs):\\n    while True: xs.append([0] * 1000)', call='[]').kind)\n"
    )
    ran = subprocess.run([sys.executable, "-c", f"{script}{order}"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert set(ran.stdout.split()) == {"out_of_memory"}


def test_a_module_that_traps_is_refused_also_where_a_faulthandler_came_later() -> None:
    script = (
        "import faulthandler\nfrom azr.sandbox.client import Sandbox\nSandbox(threads=1)\nfaulthandler.enable()\n"
        "try:\n    Sandbox(threads=1, modules={'m': 'xs = []\\nwhile True: xs.append([0] * 1000)'})\n"
        "except Exception as error:\n    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "memory" in ran.stdout


@pytest.mark.parametrize("before", ["", "faulthandler.enable(); "])
def test_a_crash_of_the_process_still_reaches_a_faulthandler_that_came_later(before: str) -> None:
    script = (
        "import ctypes, faulthandler; from azr.sandbox.client import Sandbox; sandbox = Sandbox(threads=1); "
        f"{before}faulthandler.enable(); sandbox.run('1'); ctypes.string_at(0)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in ran.stderr


def test_ctrl_c_stops_a_batch(sandbox: Sandbox) -> None:
    script = (
        "import threading, os, signal\n"
        # A parent may have had it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from azr.sandbox.client import Limits, Request, Sandbox\n"
        "sandbox = Sandbox(threads=2)\n"
        "loop = Request(program='while True: pass', limits=Limits(fuel=1 << 60, wall_seconds=3600))\n"
        # Inside: on a busy machine it may come before the batch has begun.
        "try:\n    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "    sandbox.run_batch([loop] * 8)\nexcept KeyboardInterrupt:\n"
        "    print('stopped', sandbox.run('def f(x): return x', call='1').value.repr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "stopped 1", ran.stderr


def test_the_wall_clock_raises_and_decides_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError) as caught:
        sandbox.run("while True: pass", limits=Limits(fuel=1 << 60, wall_seconds=0.05))
    assert caught.value.code == "wall_clock"


@pytest.mark.parametrize(
    ("limits", "word"),
    [(Limits(fuel=0), "fuel"), (Limits(memory_bytes=1), "memory_bytes"), (Limits(fuel=-1), "out of range")],
)
def test_bad_limits_are_named(limits: Limits, word: str) -> None:
    with pytest.raises(SandboxError, match=word):
        Sandbox(threads=1, limits=limits)


def test_a_guest_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guest.wasm"
    path.write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(SandboxError) as caught:
        Sandbox(threads=1, guest=path)
    assert caught.value.code == "bad_guest"


def test_validation_and_checks_come_in_order(sandbox: Sandbox) -> None:
    [good, bad] = sandbox.validate([(IDENTITY, ["1", "(1, 'a')"]), ("def f(x):\n    return id(x)", ["[]", ")"])])
    assert good.results == (
        ValidRun(Value.of(1), good.results[0].fuel_used),
        ValidRun(Value.of((1, "a")), good.results[1].fuel_used),
    )  # type: ignore[union-attr]
    assert [isinstance(result, InvalidRun) and result.reason for result in bad.results] == [
        InvalidReason.NONDETERMINISTIC,
        InvalidReason.INVALID_INPUT,
    ]
    checks = sandbox.check_output([("[1, 2]", Value.of([1, 2])), ("[1", Value.of([1])), ("2", Value.of(2.0))])
    assert [check.correct for check in checks] == [True, False, True]
    [strict] = sandbox.check_output([("2", Value.of(2.0))], mode="strict")
    assert not strict.correct
    [program] = sandbox.check_program([("def f(x):\n    return x * 2", [("1", Value.of(2)), ("2", Value.of(5))])])
    assert program.passed == (True, False) and len(program.outcomes) == 2
    assert sandbox.imports(["import os.path", "import ("])[0] == Imports(("os.path",))
    assert isinstance(sandbox.imports(["import ("])[0], SyntaxProblem)


TABLES = "ROWS = list(range(1000))\ndef size():\n    ROWS.append(1)\n    return len(ROWS)\n"


def test_a_text_with_a_lone_surrogate_is_refused_alone(sandbox: Sandbox) -> None:
    bad, good = "x = '\ud800'", "x = 1"
    outcomes = sandbox.run_batch([Request(program=bad), Request(program=good), Request(program=IDENTITY, call=bad[4:])])
    assert [outcome.kind for outcome in outcomes] == [
        OutcomeKind.SYNTAX_ERROR,
        OutcomeKind.RETURNED,
        OutcomeKind.INVALID_INPUT,
    ]
    reasons = [
        result.reason if isinstance(result, InvalidRun) else None
        for validation in sandbox.validate([(IDENTITY, ["'\udc80'", "1"]), (bad, ["1"])])
        for result in validation.results
    ]
    assert reasons == [InvalidReason.INVALID_INPUT, None, InvalidReason.SYNTAX_ERROR]
    one = Value.of(1)
    checks = sandbox.check_output([("'\ud83d'", one), ("1", one)])
    assert [check.correct for check in checks] == [False, True]
    assert not sandbox.check_input([(IDENTITY, "'\ud83d'", one)])[0].correct
    assert sandbox.check_program([(bad, [("1", one)])])[0].passed == (False,)
    assert isinstance(sandbox.imports([bad])[0], SyntaxProblem)


def test_values_with_lone_surrogates_cross_both_ways(sandbox: Sandbox) -> None:
    for text in ("\ud800", "a\udfff", "\ud83d\ude00", "\ufffd"):
        value = Value.of(text)
        assert value.to_python() == text
        assert value.repr == repr(text)
        assert sandbox.check_output([(value.repr, value)])[0].correct
        outcome = sandbox.run(IDENTITY, call=value.repr)
        assert outcome.value == value


def test_modules_are_found_loaded_and_fresh() -> None:
    sandbox = Sandbox(threads=1, modules={"tables": TABLES, "shapes.square": "import tables\nside = tables.size()"})
    program = "import tables, shapes.square\ndef f(x):\n    return tables.size(), shapes.square.side"
    for _ in range(3):
        outcome = sandbox.run(program, call="0")
        assert outcome.value is not None and outcome.value.to_python() == (1002, 1001)
    with pytest.raises(SandboxError, match=r"`tables`, line 2: NameError") as caught:
        Sandbox(threads=1, modules={"tables": "x = 1\ny = z"})
    assert caught.value.code == "bad_module"


def test_a_pickled_sandbox_is_made_anew_with_its_modules() -> None:
    made = Sandbox(threads=1, limits=Limits(fuel=10_000_000), modules={"tables": TABLES})
    again = pickle.loads(pickle.dumps(made))
    assert (again.threads, again.limits) == (made.threads, made.limits)
    outcome = again.run("import tables\ndef f(x):\n    return tables.size()", call="0")
    assert outcome.value is not None and outcome.value.to_python() == 1001
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        outcome = pool.submit(made.run, "import tables\ndef f(x):\n    return tables.size()", call="0").result()
    assert outcome.value is not None and outcome.value.to_python() == 1001


def test_verifiers_score_data_and_their_failures_are_typed() -> None:
    sandbox = Sandbox(threads=1, limits=Limits(fuel=100_000_000), modules={"tables": TABLES})
    verifier = "import tables\ndef verify(task, answer):\n    return answer['at'] / 1001 * (tables.size() == task)"
    hostile = "__import__('os')"
    scores = sandbox.score(
        [
            (verifier, Value.of(1001), Value.of({"at": 1001})),
            (verifier, Value.of(7), Value.of({"at": 1001})),
            ("def verify(task, answer):\n    return answer == task", Value.of(hostile), Value.of(hostile)),
            ("def verify(task, answer):\n    return 2", Value.of(None), Value.of(None)),
            ("def verify(task, answer):\n    while True: pass", Value.of(None), Value.of(None)),
            ("def verify(task, answer):\n    return id(task) % 7 / 7", Value.of([1]), Value.of(None)),
        ]
    )
    assert [score.score for score in scores if isinstance(score, Scored)] == [1.0, 0.0, 1.0]
    reasons = [score.reason for score in scores if isinstance(score, Unscored)]
    assert reasons == [InvalidReason.NOT_A_SCORE, InvalidReason.OUT_OF_FUEL, InvalidReason.NONDETERMINISTIC]


def test_kinds_of_outcomes_and_reasons_are_those_of_the_rust_crate() -> None:
    kinds, reasons = _azr.outcome_names()
    ours = "sandbox_failed"
    assert [*kinds, ours] == [kind.value for kind in OutcomeKind]
    assert {*reasons, ours} == {reason.value for reason in InvalidReason}
    # A proposal is scored by no verifier before it is a task.
    assert {*reasons, ours} - {"not_a_score"} <= {reason.value for reason in Reason}
