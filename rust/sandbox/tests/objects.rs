//! The object model is CPython's. Values are CPython's.

mod common;

use common::{run, script, text};

fn returns(cases: &[(&str, &str)]) {
    for (program, expected) in cases {
        let outcome = run(program, "0");
        assert_eq!(text(&outcome), *expected, "{program}: {:?}", outcome.termination);
    }
}

#[test]
fn the_right_operand_of_a_sequence_is_asked_first_or_last_as_in_cpython() {
    returns(&[(
        "class A:
    def __floordiv__(self, o): return 'A//'
    def __rfloordiv__(self, o): return 'A r//'
    def __add__(self, o): return 'A+'
    def __radd__(self, o): return 'A r+'
class B(A): pass
class D(A):
    def __radd__(self, o): return 'D r+'
class T(tuple): pass
class L(list): pass
class S(str): pass
class R:
    def __radd__(self, o): return 'R'
    def __rmul__(self, o): return 'R*'
def f(x):
    return A() // B(), A() + B(), A() + D(), T() + R(), [] + R(), L() + R(), S() + R(), 'a' * R(), T() * R(), L() * R()",
        "('A//', 'A+', 'D r+', 'R', 'R', 'R', 'R', 'R*', 'R*', 'R*')",
    )]);
}

#[test]
fn from_bytes_makes_an_object_of_the_subclass() {
    returns(&[
        (
            "from enum import IntEnum\nclass E(IntEnum):\n    A = 3\ndef f(x): return E.from_bytes(b'\\0\\3', 'big') is E.A",
            "True",
        ),
        (
            "class Plus(int):\n    def __new__(cls, v): return super().__new__(cls, v + 1)\ndef f(x): return int(Plus.from_bytes(b'\\1', 'big'))",
            "2",
        ),
        ("def f(x): return type(bool.from_bytes(b'\\1', 'big')).__name__", "'bool'"),
    ]);
}

#[test]
fn the_end_of_an_iteration_has_cpythons_arguments() {
    returns(&[
        (
            "class Seq:\n    def __getitem__(self, i): raise StopIteration(42)\ndef f(x):\n    try: next(iter(Seq()))\n    except StopIteration as e: return e.args",
            "()",
        ),
        (
            "import sys\ndef f(x):\n    seen = []\n    for status in (None, 3, 'x', (1, 2)):\n        try: sys.exit(status)\n        except SystemExit as e: seen.append((e.args, e.code))\n    return seen",
            "[((), None), ((3,), 3), (('x',), 'x'), ((1, 2), (1, 2))]",
        ),
        ("import sys\ndef f(x):\n    try: sys.exit()\n    except SystemExit as e: return e.args", "()"),
    ]);
}

#[test]
fn arrays_show_their_items_as_python_does() {
    returns(&[(
        "import array\ndef f(x): return repr(array.array('f', [1, 0.5])), repr(array.array('d', [1e300, -0.0])), repr(array.array('b', [1]))",
        "(\"array('f', [1.0, 0.5])\", \"array('d', [1e+300, -0.0])\", \"array('b', [1])\")",
    )]);
}

#[test]
fn threads_that_run_at_once_are_threads() {
    returns(&[
        (
            "import threading
def f(x):
    mine = threading.local()
    mine.x = 1
    seen = []
    def work():
        seen.append((threading.current_thread().name, hasattr(mine, 'x'), threading.current_thread() is threading.main_thread()))
        mine.x = 2
    thread = threading.Thread(target=work, name='T')
    thread.start(); thread.join()
    return seen, mine.x, mine.__dict__, threading.current_thread() is threading.main_thread(), threading.active_count(), thread.is_alive()",
            "([('T', False, False)], 1, {'x': 1}, True, 1, False)",
        ),
        (
            "import threading
class Local(threading.local):
    kind = 'local'
    def __init__(self, n): self.n = n
    @property
    def twice(self): return self.n * 2
def f(x):
    a = Local(4)
    got = [a.n, a.twice, a.kind]
    a.n = 5
    def work(): got.append(a.n)
    t = threading.Thread(target=work); t.start(); t.join()
    try: a.missing
    except AttributeError as e: got.append(str(e))
    return got + [a.n]",
            "[4, 8, 'local', 4, \"'Local' object has no attribute 'missing'\", 5]",
        ),
        (
            "import sys, threading
def f(n):
    out = []
    sys.setrecursionlimit(1 << 20)
    before = threading.stack_size(1 << 26)
    def main(): out.append(threading.stack_size())
    t = threading.Thread(target=main); t.start(); t.join()
    return before, out",
            "(0, [67108864])",
        ),
        (
            "import threading\ndef f(x):\n    lock = threading.Lock()\n    return lock.acquire(), lock.acquire(timeout=0.1), lock.acquire(False), lock.locked(), lock.release()",
            "(True, False, False, True, None)",
        ),
    ]);
}

#[test]
fn errors_of_the_operating_system_have_their_classes() {
    returns(&[(
        "import errno, os\ndef f(x): return errno.ENOENT, errno.errorcode[11], type(OSError(2, 'x')).__name__, type(OSError(errno.EEXIST, '')).__name__, os.strerror(2)",
        "(2, 'EAGAIN', 'FileNotFoundError', 'FileExistsError', 'No such file or directory')",
    )]);
    assert_eq!(text(&script("open('nothing.txt')")), "FileNotFoundError");
    assert_eq!(text(&script("open('new.txt', 'w')")), "OSError");
    assert_eq!(text(&script("open('x', 'q')")), "ValueError");
}

#[test]
fn json_refuses_integers_that_int_refuses() {
    returns(&[
        (
            "import json\ndef f(x):\n    try: json.loads('1' * 5000)\n    except ValueError as e: return type(e).__name__",
            "'ValueError'",
        ),
        ("import json\ndef f(x): return json.loads('1' * 700) == int('1' * 700)", "True"),
    ]);
}

#[test]
fn patterns_and_matches_are_their_own_copies() {
    returns(&[(
        "import copy, re
def f(x):
    p = re.compile('a')
    m = p.match('a')
    return copy.copy(p) is p, copy.deepcopy([p])[0] is p, copy.copy(m) is m, copy.deepcopy(m) is m",
        "(True, True, True, True)",
    )]);
}

#[test]
fn a_condition_can_be_notified_by_who_holds_it() {
    returns(&[(
        "import threading
def f(x):
    condition = threading.Condition()
    with condition:
        condition.notify_all()
        return condition.wait_for(lambda: 5)",
        "5",
    )]);
}
