"""Sessions from Python: what lasts, what crosses, and what never does."""

import asyncio
import pickle
import subprocess
import sys
import threading

import pytest
from azr.errors import SandboxError
from azr.sandbox import Cancel, FileQuota, Limits, OutcomeKind, Sandbox, Session, Value


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(threads=2, limits=Limits(fuel=2_000_000_000, memory_bytes=64 << 20))


def test_state_lasts_and_variables_are_plain_data(sandbox: Sandbox) -> None:
    session = Session(sandbox)
    assert session.run("import math\nx = [1]").kind is OutcomeKind.RETURNED
    session.set(y={"k": (1, 2.5)})
    outcome = session.run("x.append(y['k'])\nprint('out')\nlen(x)")
    assert outcome.value is not None and outcome.value.to_python() == 2 and outcome.stdout == "out\n"
    assert session.get("x").to_python() == [1, (1, 2.5)]
    assert session.call("math.floor").kind is OutcomeKind.INVALID_INPUT
    session.run("def f(a, b):\n    return a + b")
    value = session.call("f", [1], [2]).value
    assert value is not None and value.to_python() == [1, 2]
    with pytest.raises(KeyError):
        session.get("missing")
    session.run("o = object()")
    with pytest.raises(TypeError):
        session.get("o")
    with pytest.raises(TypeError):
        session.set(z=object())


def test_an_exception_leaves_what_was_done_and_a_limit_undoes_the_run(sandbox: Sandbox) -> None:
    session = Session(sandbox)
    outcome = session.run("x = 1\nraise KeyError('k')")
    assert (outcome.kind, outcome.exception) == (OutcomeKind.RAISED, "KeyError")
    assert session.run("x = 2\nwhile True: pass", fuel=100_000_000).kind is OutcomeKind.OUT_OF_FUEL
    assert session.get("x").to_python() == 1


def test_functions_take_and_give_plain_data_and_raise_in_the_program(sandbox: Sandbox) -> None:
    def lookup(key: str, *, default: object = None) -> object:
        if key == "missing":
            raise LookupError("no such key")
        return {"key": key, "default": default}

    session = Session(sandbox, functions={"lookup": lookup, "bad": lambda: object(), "leave": lambda: sys.exit(3)})
    value = session.run("lookup('a', default=[1])").value
    assert value is not None and value.to_python() == {"key": "a", "default": [1]}
    outcome = session.run("try:\n    lookup('missing')\nexcept LookupError as e:\n    x = str(e)\nx")
    assert outcome.value is not None and outcome.value.to_python() == "no such key"
    assert session.run("bad()").exception == "TypeError"
    assert session.run("leave()").exception == "RuntimeError"
    assert session.run("lookup(1, 2, 3)").exception == "TypeError"


def test_a_function_that_uses_its_session_or_its_sandbox_is_refused(sandbox: Sandbox) -> None:
    session: list[Session] = []

    def back() -> list[str]:
        codes = []
        for use in (lambda: session[0].run("1"), lambda: sandbox.run("1"), lambda: Session(sandbox)):
            try:
                use()
            except SandboxError as error:
                codes.append(error.code)
        return codes

    session.append(Session(sandbox, functions={"back": back}))
    value = session[0].run("back()").value
    assert value is not None and value.to_python() == ["bad_session", "called_back", "called_back"]


def test_coroutine_functions_run_on_the_loop_and_by_themselves(sandbox: Sandbox) -> None:
    seen: list[int] = []

    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        seen.append(threading.get_ident())
        return number * 2

    async def main() -> object:
        session = Session(sandbox, functions={"fetch": fetch})
        outcome = await session.arun("fetch(21)")
        assert seen == [threading.get_ident()]
        return outcome.value and outcome.value.to_python()

    assert asyncio.run(main()) == 42
    value = Session(sandbox, functions={"fetch": fetch}).run("fetch(4)").value
    assert value is not None and value.to_python() == 8


def test_files_and_standard_input(sandbox: Sandbox) -> None:
    session = Session(sandbox, files=FileQuota(bytes=100_000, entries=20))
    source = "import csv\nrows = list(csv.reader(open('in.csv', newline='')))\nopen('out.txt', 'w').write(input())"
    session.run(source, files={"in.csv": b"a,b\n1,2\n"}, stdin="line\n")
    assert session.get("rows").to_python() == [["a", "b"], ["1", "2"]]
    assert session.files() == {"/in.csv": b"a,b\n1,2\n", "/out.txt": b"line"}
    assert session.run("open('big', 'wb').write(b'x' * 200_000)").exception == "OSError"
    for bad in ("../x", "/a/../b", "a\0b"):
        with pytest.raises(SandboxError):
            session.run("1", files={bad: b""})
    with pytest.raises(SandboxError):
        Session(sandbox).run("1", files={"a": b""})


def test_output_comes_as_it_is_written(sandbox: Sandbox) -> None:
    seen: list[tuple[str, str]] = []
    source = "import sys\nprint('a')\nprint('b', file=sys.stderr)"
    outcome = Session(sandbox).run(source, on_output=lambda stream, text: seen.append((stream, text)))
    assert "".join(text for stream, text in seen if stream == "stdout") == outcome.stdout == "a\n"
    assert "".join(text for stream, text in seen if stream == "stderr") == outcome.stderr == "b\n"


def test_a_switch_and_a_deadline_stop_a_run_which_then_has_never_happened(sandbox: Sandbox) -> None:
    session, cancel = Session(sandbox), Cancel()
    session.run("x = 1")
    with pytest.raises(SandboxError, match="cancelled"):
        session.run("x = 2\nprint(x)\nwhile True: pass", cancel=cancel, on_output=lambda *_: cancel.cancel())
    with pytest.raises(SandboxError) as late:
        session.run("x = 3\nwhile True: pass", deadline=1e-6)
    assert late.value.code == "wall_clock"
    assert session.get("x").to_python() == 1


def test_branches_go_their_own_ways(sandbox: Sandbox) -> None:
    trunk = Session(sandbox)
    trunk.run("x = ['trunk']")
    branch = trunk.branch()
    branch.run("x.append('CANARY')")
    assert trunk.get("x").to_python() == ["trunk"]
    assert b"CANARY" not in trunk.snapshot() and b"CANARY" in branch.snapshot()
    branch.return_to(trunk)
    assert branch.get("x").to_python() == ["trunk"]


def test_another_process_goes_on_from_a_snapshot() -> None:
    key = b"k" * 32
    limits = Limits(fuel=2_000_000_000, memory_bytes=64 << 20)
    session = Session(Sandbox(threads=1, limits=limits), files=FileQuota())
    session.run("x = {i: str(i) for i in range(100)}\nopen('f', 'w').write('kept')")
    snapshot = session.snapshot(key)
    script = (
        "import pickle, sys\n"
        "from azr.sandbox import FileQuota, Sandbox, Session\n"
        "limits, snapshot, key = pickle.load(sys.stdin.buffer)\n"
        "session = Session(Sandbox(threads=1, limits=limits), files=FileQuota(), snapshot=snapshot, key=key)\n"
        "print(len(session.get('x').to_python()), session.files())\n"
    )
    given = pickle.dumps((limits, snapshot, key))
    done = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "100 {'/f': b'kept'}"


def test_a_snapshot_that_is_not_this_sessions_is_refused(sandbox: Sandbox) -> None:
    session = Session(sandbox)
    session.run("x = 1")
    snapshot = session.snapshot(b"k" * 32)
    for other in (
        {"snapshot": snapshot},
        {"snapshot": snapshot, "key": b"j" * 32},
        {"snapshot": snapshot[:-1], "key": b"k" * 32},
        {"snapshot": snapshot, "key": b"k" * 32, "fuel": 7},
        {"snapshot": snapshot, "key": b"k" * 32, "files": FileQuota()},
        {"snapshot": b"", "key": None},
    ):
        with pytest.raises(SandboxError) as refused:
            Session(sandbox, **other)  # type: ignore[arg-type]
        assert refused.value.code == "bad_snapshot", other
    with pytest.raises(ValueError, match="32 bytes"):
        session.snapshot(b"short")
    assert Session(sandbox, snapshot=snapshot, key=b"k" * 32).get("x").to_python() == 1


def test_an_idle_session_is_a_few_pages(sandbox: Sandbox) -> None:
    sessions = [Session(sandbox) for _ in range(50)]
    for session in sessions:
        session.run("x = 1")
    assert max(session.nbytes for session in sessions) < 1 << 20


@pytest.mark.parametrize("deadline", [-1.0, float("inf"), float("nan")])
def test_a_deadline_that_is_no_span_of_time_is_refused(deadline: float) -> None:
    session = Session(Sandbox())
    with pytest.raises(ValueError, match="deadline"):
        session.run("kept = 1", deadline=deadline)
    assert session.run("kept = 2\nkept").value == Value.of(2)
