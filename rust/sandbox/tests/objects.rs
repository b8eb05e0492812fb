//! The object model is CPython's. Values are CPython's.

mod common;

use common::{check, script, text};

#[test]
fn the_right_operand_of_a_sequence_is_asked_first_or_last_as_in_cpython() {
    check(&[(
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
    check(&[
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
    check(&[
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
    check(&[(
        "import array\ndef f(x): return repr(array.array('f', [1, 0.5])), repr(array.array('d', [1e300, -0.0])), repr(array.array('b', [1]))",
        "(\"array('f', [1.0, 0.5])\", \"array('d', [1e+300, -0.0])\", \"array('b', [1])\")",
    )]);
}

#[test]
fn threads_that_run_at_once_are_threads() {
    check(&[
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
    check(&[(
        "import errno, os\ndef f(x): return errno.ENOENT, errno.errorcode[11], type(OSError(2, 'x')).__name__, type(OSError(errno.EEXIST, '')).__name__, os.strerror(2)",
        "(2, 'EAGAIN', 'FileNotFoundError', 'FileExistsError', 'No such file or directory')",
    )]);
    assert_eq!(text(&script("open('nothing.txt')")), "FileNotFoundError");
    assert_eq!(text(&script("open('new.txt', 'w')")), "OSError");
    assert_eq!(text(&script("open('x', 'q')")), "ValueError");
}

#[test]
fn json_refuses_integers_that_int_refuses() {
    check(&[
        (
            "import json\ndef f(x):\n    try: json.loads('1' * 5000)\n    except ValueError as e: return type(e).__name__",
            "'ValueError'",
        ),
        ("import json\ndef f(x): return json.loads('1' * 700) == int('1' * 700)", "True"),
    ]);
}

#[test]
fn patterns_and_matches_are_their_own_copies() {
    check(&[(
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
    check(&[(
        "import threading
def f(x):
    condition = threading.Condition()
    with condition:
        condition.notify_all()
        return condition.wait_for(lambda: 5)",
        "5",
    )]);
}

#[test]
fn equal_dicts_are_compared_as_cpython_compares_them() {
    check(&[
        (
            r#"class A:
    def __eq__(self, other): left.clear(); return True
    def __hash__(self): return 13
class B:
    def __eq__(self, other): right.clear(); return True
class E:
    def __init__(self, n): self.n = n
    def __eq__(self, other): seen.append((self.n, other.n)); return True
class Missing(dict):
    def __missing__(self, key): seen.append(key); return 0
class H:
    def __hash__(self): seen.append('hash'); return 1
left, right, seen = {A(): 0}, {0: set()}, []
def f(x):
    h = H()
    one, two = {h: 1}, {h: 1}
    seen.clear()
    return (left == {A(): A()}, {0: B()} == right, {1: E(1)} == {1: E(2)}, Missing() == {}, Missing({1: 1}) == {2: 1},
            one == two, list(seen))"#,
            r#"(True, True, True, True, False, True, [(1, 2)])"#,
        ),
        (
            r#"def f(x):
    def end(work):
        try: return work()
        except Exception as e: return type(e).__name__
    from collections import OrderedDict
    return [end(w) for w in (lambda: {}.pop({}, None), lambda: {}.pop({}), lambda: {1: 2}.pop({}, None), lambda: {}.get([], 1),
        lambda: OrderedDict().move_to_end([]), lambda: OrderedDict(a=1).move_to_end([]))]"#,
            r#"[None, 'KeyError', 'TypeError', 'TypeError', 'KeyError', 'TypeError']"#,
        ),
    ]);
}

#[test]
fn an_object_is_not_made_without_what_its_methods_read() {
    check(&[
        (
            r#"import asyncio, collections, contextvars, itertools, re
def made(kind):
    ends = []
    for make in (lambda: object.__new__(kind), kind):
        try: ends.append(type(make()).__name__)
        except TypeError: ends.append('TypeError')
    return ends
async def numbers(): yield 1
async def one(): return 1
def f(x):
    o = collections.OrderedDict(a=1)
    waiting = one().__await__()
    kinds = [type(v) for v in (o.keys(), o.values(), o.items(), iter(o), {}.keys(), iter([]), iter(int, 1), iter(''), reversed([]),
        re.compile(''), re.match('', ''), re.compile('').scanner(''), next(itertools.groupby([1]))[1], waiting,
        numbers().asend(None), numbers().athrow(ValueError), anext(numbers(), 0), iter(list[int]))]
    return [made(kind) for kind in kinds], made(contextvars.Context)"#,
            r#"([['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError'], ['TypeError', 'TypeError']], ['TypeError', 'Context'])"#,
        ),
        (
            r#"import io
class Own(io.TextIOBase): pass
class Raw(io.RawIOBase):
    def readinto(self, b): return 0
class Slots: __slots__ = ('a',)
class Error(Exception): pass
def f(x): return type(Own()).__name__, Raw().read(1), type(object.__new__(Slots)).__name__, type(Error.__new__(Error)).__name__"#,
            r#"('Own', b'', 'Slots', 'Error')"#,
        ),
    ]);
}

#[test]
fn names_of_an_object_are_listed_once() {
    check(&[(
        r#"class A:
    x, y = 1, 2
    def __init__(self): self.x = self.z = 3
class B(A): y = 4
def f(x):
    names = [n for n in dir(B()) if not n.startswith('_')]
    return names, dir(B()) == sorted(set(dir(B()))), [n for n in dir(B) if not n.startswith('_')]"#,
        r#"(['x', 'y', 'z'], True, ['x', 'y'])"#,
    )]);
}

#[test]
fn ranges_of_64_bits_are_walked_and_searched() {
    check(&[(
        r#"def f(x):
    class Odd:
        def __eq__(self, other): raise ValueError
    def end(work):
        try: return work()
        except Exception as e: return type(e).__name__
    it = iter(range(2**32 + 5))
    it.__setstate__(2**32 + 1)
    return ([type(v).__name__ for v in (iter(range(2**40)), reversed(range(2**40)), iter(range(2**63)), reversed(range(2**63 + 2)))],
        list(range(2**63 - 3, 2**63 + 1)), list(reversed(range(-3, 2**40, 2**39))), [i for i in range(2**62, 2**62 + 2)],
        list(range(2**63 - 1, -2**63, -2**62)), list(range(2**31 - 1, 2**31 + 2)), next(it), it.__length_hint__(), str(it.__reduce__()[1]),
        True in range(2), end(lambda: Odd() in range(3)))"#,
        r#"(['range_iterator', 'range_iterator', 'longrange_iterator', 'longrange_iterator'], [9223372036854775805, 9223372036854775806, 9223372036854775807, 9223372036854775808], [1099511627773, 549755813885, -3], [4611686018427387904, 4611686018427387905], [9223372036854775807, 4611686018427387903, -1, -4611686018427387905], [2147483647, 2147483648, 2147483649], 4294967297, 3, '(range(4294967298, 4294967301),)', True, 'ValueError')"#,
    )]);
}

#[test]
fn subclasses_of_dict_are_merged_without_their_methods() {
    check(&[(
        r#"from collections import Counter, OrderedDict
class Loud(dict):
    def __getitem__(self, key): return 'loud'
    def keys(self): return ['z']
class Walked(dict):
    def __iter__(self): return iter(['a'])
    def __getitem__(self, key): return 'walked'
class Ordered(OrderedDict):
    def __getitem__(self, key): return 'ordered'
def f(x):
    def keywords(**k): return k
    def updated(d):
        e = {}
        e.update(d)
        return e
    return [(dict(d), {**d}, keywords(**d), str({} | d), updated(d), dict(d, q=1)) for d in (Loud(a=1), Walked(a=1, b=2), Ordered(a=1), Counter('aab'))]"#,
        r#"[({'a': 1}, {'a': 1}, {'a': 1}, "{'a': 1}", {'a': 1}, {'a': 1, 'q': 1}), ({'a': 'walked', 'b': 'walked'}, {'a': 'walked', 'b': 'walked'}, {'a': 'walked', 'b': 'walked'}, "{'a': 'walked', 'b': 'walked'}", {'a': 'walked', 'b': 'walked'}, {'a': 'walked', 'b': 'walked', 'q': 1}), ({'a': 'ordered'}, {'a': 'ordered'}, {'a': 'ordered'}, "Ordered({'a': 'ordered'})", {'a': 'ordered'}, {'a': 'ordered', 'q': 1}), ({'a': 2, 'b': 1}, {'a': 2, 'b': 1}, {'a': 2, 'b': 1}, "{'a': 2, 'b': 1}", {'a': 2, 'b': 1}, {'a': 2, 'b': 1, 'q': 1})]"#,
    )]);
}

#[test]
fn copies_keep_the_values_of_slots() {
    check(&[(
        r#"import copy, pickle
class B(bytearray): __slots__ = ('x', 'y', '__dict__')
class S(set): __slots__ = ('x', 'y')
class F(frozenset): __slots__ = ('x', 'y')
class L(list): __slots__ = ('x', 'y')
def f(x):
    found = []
    for kind in (B, S, F, L):
        o = kind([1])
        o.x = [2]
        for way in (copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))):
            c = way(o)
            found.append((type(c).__name__, c.x, hasattr(c, 'y'), list(c)))
    return found"#,
        r#"[('B', [2], False, [1]), ('B', [2], False, [1]), ('B', [2], False, [1]), ('S', [2], False, [1]), ('S', [2], False, [1]), ('S', [2], False, [1]), ('F', [2], False, [1]), ('F', [2], False, [1]), ('F', [2], False, [1]), ('L', [2], False, [1]), ('L', [2], False, [1]), ('L', [2], False, [1])]"#,
    )]);
}

#[test]
fn repeating_copies_the_whole() {
    check(&[(
        r#"def f(x):
    inner = [[]] * 3
    inner[0].append(1)
    return ('abc' * 5, b'ab' * 3, [1, 2] * 3, (1, 'x') * 4, 'é' * 3, 'ab' * 0, inner, len('abc' * 100_001), ('abc' * 100_001)[-4:],
        [1, 2, 3] * -1, bytes(bytearray(b'xyz') * 2), ('ab' * 7)[13])"#,
        r#"('abcabcabcabcabc', b'ababab', [1, 2, 1, 2, 1, 2], (1, 'x', 1, 'x', 1, 'x', 1, 'x'), 'ééé', '', [[1], [1], [1]], 300003, 'cabc', [], b'xyzxyz', 'b')"#,
    )]);
}

#[test]
fn values_that_every_tee_has_taken_are_freed() {
    check(&[(
        r#"import itertools, weakref
class Thing: pass
def f(x):
    refs = []
    def things():
        for _ in range(200):
            thing = Thing()
            refs.append(weakref.ref(thing))
            yield thing
            del thing
    one, two = itertools.tee(things())
    for _ in range(150): next(one)
    for _ in range(140): next(two)
    alive = sum(r() is not None for r in refs)
    a, b = itertools.tee(range(300_000))
    return alive < 70, sum(a) == sum(b), [len(list(t)) for t in itertools.tee(range(100), 3)]"#,
        r#"(True, True, [100, 100, 100])"#,
    )]);
}

#[test]
fn a_dict_display_keeps_the_scopes_of_its_keys_and_values_apart() {
    check(&[(
        r#"def f(x):
    n = 5
    return ({(lambda: 1)(): (lambda x: x)(2), (lambda y: y)(3): 4, (lambda: n)(): [z for z in 'q']},
        {**{v: (lambda: v + n)() for v in [1]}, max([27], key=(lambda v: v * 2)): 1},
        {**(lambda: {1: 2})(), (lambda v: v * 2)(5): (lambda w: w + n)(7), **{k: 3 for k in [9]}, (lambda: 8)(): {s for s in [n]}})"#,
        r#"({1: 2, 3: 4, 5: ['q']}, {1: 6, 27: 1}, {1: 2, 10: 12, 9: 3, 8: {5}})"#,
    )]);
}

#[test]
fn a_class_that_is_no_exception_cannot_be_caught() {
    check(&[(
        r#"def f(x):
    ends = []
    for kind in (5, 'x', (ValueError, 5), int):
        try:
            try: 1 / 0
            except kind: ends.append('caught')
        except TypeError as e: ends.append(str(e))
    return ends"#,
        r#"['catching classes that do not inherit from BaseException is not allowed', 'catching classes that do not inherit from BaseException is not allowed', 'catching classes that do not inherit from BaseException is not allowed', 'catching classes that do not inherit from BaseException is not allowed']"#,
    )]);
}

#[test]
fn slices_have_an_order_and_proxies_a_text() {
    check(&[(
        r#"import enum, re, types
class C(enum.Enum): A = 1
def f(x):
    return (slice(1) < slice(2), slice(1, 2) >= slice(1, 2), sorted([slice(3), slice(1)]) == [slice(1), slice(3)],
        str(types.MappingProxyType({'a': 1})), repr(types.MappingProxyType({'a': 1})), f'{C.__members__}',
        str(re.compile('(?P<n>a)').groupindex), list(__import__('string').Formatter().parse('a{b!r:c}{{e}}')))"#,
        r#"(True, True, True, "{'a': 1}", "mappingproxy({'a': 1})", "{'A': <C.A: 1>}", "{'n': 1}", [('a', 'b', 'c', 'r'), ('{', None, None, None), ('e}', None, None, None)])"#,
    )]);
}

#[test]
fn what_is_no_exception_is_not_raised() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nclass N(Exception):\n    def __new__(cls): return 7\ndef throw(what):\n    def generator(): yield\n    g = generator()\n    return g.throw(what)\ndef up(what): raise what\ndef f(x): return [of(lambda: up(w)) for w in (1, 'a', int, None, (ValueError,))], of(lambda: throw(1))",
        "(['TypeError: exceptions must derive from BaseException', 'TypeError: exceptions must derive from BaseException', 'TypeError: exceptions must derive from BaseException', 'TypeError: exceptions must derive from BaseException', 'TypeError: exceptions must derive from BaseException'], 'TypeError: exceptions must be classes or instances deriving from BaseException, not int')",
    )]);
}

#[test]
fn the_state_of_an_iterator_is_a_number_of_64_bits() {
    check(&[
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef walk(i, *states):\n    def go():\n        for s in states: i.__setstate__(s)\n        return list(i)[:4], i.__length_hint__()\n    return of(go)\ndef f(x): return [walk(iter(r), s) for r in (range(10), range(10**30, 10**30 + 5)) for s in (0, 3, -1, 2**63 - 1, 2**63)], walk(iter(range(10)), 3, 4), walk(iter(range(2**70, 2**70 + 9)), 2**64 - 1, 1)",
            "([([0, 1, 2, 3], 0), ([3, 4, 5, 6], 0), ([0, 1, 2, 3], 0), ([], 0), 'OverflowError: Python int too large to convert to C long', ([1000000000000000000000000000000, 1000000000000000000000000000001, 1000000000000000000000000000002, 1000000000000000000000000000003], 0), ([1000000000000000000000000000003, 1000000000000000000000000000004], 0), ([1000000000000000000000000000000, 1000000000000000000000000000001, 1000000000000000000000000000002, 1000000000000000000000000000003], 0), ([], 0), ([], 0)], ([7, 8, 9], 0), ([], 0))",
        ),
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef walk(i, s):\n    def go():\n        i.__setstate__(s)\n        return list(i)\n    return of(go)\ndef f(x): return [walk(m(), s) for m in (lambda: iter([1, 2, 3]), lambda: iter((1, 2, 3)), lambda: iter('abc'), lambda: iter(b'abc'), lambda: reversed([1, 2, 3]), lambda: reversed((1, 2, 3))) for s in (0, 1, 5, -1, 2**63 - 1, 2**63, 'a')]",
            "[[1, 2, 3], [2, 3], [], [], [], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required', [1, 2, 3], [2, 3], [], [1, 2, 3], [], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required', ['a', 'b', 'c'], ['b', 'c'], [], ['a', 'b', 'c'], [], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required', [97, 98, 99], [98, 99], [], [97, 98, 99], [], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required', [1], [2, 1], [3, 2, 1], [], [3, 2, 1], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required', [1], [2, 1], [3, 2, 1], [], [3, 2, 1], 'OverflowError: Python int too large to convert to C ssize_t', 'TypeError: an integer is required']",
        ),
        (
            "def f(x):\n    i = iter(range(2**64 - 1))\n    i.__setstate__(2**64 - 1)\n    return next(i, None), next(i, None), str(i.__reduce__()[1])",
            "(None, None, '(range(18446744073709551615, 18446744073709551615),)')",
        ),
    ]);
}

#[test]
fn counting_begins_with_an_integer() {
    check(&[(
        "from itertools import count\nclass I(int): pass\ndef f(x): return [(repr(count(*a)), repr(next(count(*a))), type(next(count(*a))).__name__) for a in ((False, True), (True,), (False, 2), (I(3),), (I(3), 2), (2**64,), (1.5,))]",
        "[('count(0)', '0', 'int'), ('count(1)', '1', 'int'), ('count(False, 2)', 'False', 'bool'), ('count(3)', '3', 'int'), ('count(3, 2)', '3', 'I'), ('count(18446744073709551616)', '18446744073709551616', 'int'), ('count(1.5)', '1.5', 'float')]",
    )]);
}

#[test]
fn empty_text_is_one_object_and_an_empty_frozenset_is_not() {
    check(&[(
        "import pickle\ndef f(x): return (lambda a: str() is a)(''), (lambda a: str(b'', 'ascii') is a)(''), (lambda a, b: a is b)(frozenset(), frozenset()), pickle.dumps([str(), ''], 2), pickle.dumps([frozenset(), frozenset()], 4)",
        "(True, True, False, b'\\x80\\x02]q\\x00(X\\x00\\x00\\x00\\x00q\\x01h\\x01e.', b'\\x80\\x04\\x95\\x0b\\x00\\x00\\x00\\x00\\x00\\x00\\x00]\\x94((\\x91\\x94(\\x91\\x94e.')",
    )]);
}

#[test]
fn text_without_letters_is_written_to_a_pickle_once() {
    check(&[(
        "import pickle\ndef f(x): return [pickle.dumps(v, 2) for v in ('hello'.rpartition('x'), 'a'.partition('a'), ['b'[1:], str()], ['%s' % '', 'x'.strip('x')])]",
        "[b'\\x80\\x02X\\x00\\x00\\x00\\x00q\\x00h\\x00X\\x05\\x00\\x00\\x00helloq\\x01\\x87q\\x02.', b'\\x80\\x02X\\x00\\x00\\x00\\x00q\\x00X\\x01\\x00\\x00\\x00aq\\x01h\\x00\\x87q\\x02.', b'\\x80\\x02]q\\x00(X\\x00\\x00\\x00\\x00q\\x01h\\x01e.', b'\\x80\\x02]q\\x00(X\\x00\\x00\\x00\\x00q\\x01h\\x01e.']",
    )]);
}

#[test]
fn an_intersection_with_keys_is_a_set() {
    check(&[(
        "def f(x):\n    d = {1: 2, 8: 3}\n    return [type(v).__name__ for v in (d.keys() & frozenset([1, 2, 3]), frozenset([1]) & d.keys(), d.keys() | frozenset([1]), d.items() & frozenset([(1, 2), 3, 4, 5]))], d.keys() & frozenset([9, 8, 3])",
        "(['set', 'set', 'set', 'set'], {8})",
    )]);
}

#[test]
fn the_place_of_a_syntax_error_is_four_to_seven_values() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: SyntaxError('m', place).lineno) for place in (('b', 1, 2), (), None, 5, 'abcd', ['b', 7, 2, 3], ('b', 8, 2, 't', 4, 5))]",
        "['TypeError: function takes at least 4 arguments (3 given)', 'TypeError: function takes at least 4 arguments (0 given)', \"TypeError: 'NoneType' object is not iterable\", \"TypeError: 'int' object is not iterable\", 'b', 7, 8]",
    )]);
}

#[test]
fn an_object_is_asked_for_its_bytes() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nclass B:\n    def __init__(self, value): self.value = value\n    def __bytes__(self): return self.value\ndef f(x): return of(lambda: int.from_bytes(B(b'\\1\\2'))), of(lambda: int.from_bytes(B('a'))), of(lambda: int.from_bytes([1, 0]))",
        "(258, 'TypeError: __bytes__ returned non-bytes (type str)', 256)",
    )]);
}

#[test]
fn letters_and_digits_of_bytes_are_those_of_ascii() {
    check(&[(
        "def f(x): return [(b.isalnum(), b.isalpha()) for b in (b'az', b'a1', b'1', b'', b'\\xe9', b'a\\xff', bytearray(b'\\xb5'), b'\\xaa\\xba')]",
        "[(True, True), (True, False), (True, False), (False, False), (False, False), (False, False), (False, False), (False, False)]",
    )]);
}

#[test]
fn a_range_finds_an_equal_number_that_is_no_int() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: range(3, 30, 4).index(v)) for v in (7.0, 11, True, 3 + 0j, 7.5, 'a', None)], range(10).index(4.0), of(lambda: range(0).index(0.0)), range(9).count(3.0)",
        "([1, 2, 'ValueError: True is not in range', 0, 'ValueError: sequence.index(x): x not in sequence', 'ValueError: sequence.index(x): x not in sequence', 'ValueError: sequence.index(x): x not in sequence'], 4, 'ValueError: sequence.index(x): x not in sequence', 1)",
    )]);
}

#[test]
fn any_real_number_is_scaled_by_a_power_of_two() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport math\nfrom fractions import Fraction\nfrom decimal import Decimal\nclass F:\n    def __float__(self): return 1.5\nclass I:\n    def __index__(self): return 3\ndef f(x): return [of(lambda: math.ldexp(v, 3)) for v in (Fraction(1, 3), Decimal('0.1'), F(), I(), True, '1', None, 1j)]",
        "[2.6666666666666665, 0.8, 12.0, 24.0, 8.0, 'TypeError: must be real number, not str', 'TypeError: must be real number, not NoneType', 'TypeError: must be real number, not complex']",
    )]);
}

#[test]
fn text_of_a_subclass_is_formatted_as_it_is() {
    check(&[(
        "class S(str): pass\ndef f(x):\n    s = S('ab')\n    return [(r[:], type(r).__name__) for r in (format(s, ''), format(s, 's'), format(s, '2'), format(s, '4'), format(s, '.1'), s.__format__(''), f'{s}', '{}'.format(s))]",
        "[('ab', 'str'), ('ab', 'S'), ('ab', 'S'), ('ab  ', 'str'), ('a', 'str'), ('ab', 'str'), ('ab', 'str'), ('ab', 'str')]",
    )]);
}

#[test]
fn the_name_of_an_encoding_is_written_to_a_pickle_once() {
    check(&[(
        "import pickle\ndef f(x): return [pickle.dumps([b'a\\xff', b'b', bytearray(b'c')], p) for p in (0, 1, 2)]",
        r#"[b'(lp0\nc_codecs\nencode\np1\n(Va\xff\np2\nVlatin1\np3\ntp4\nRp5\nag1\n(Vb\np6\ng3\ntp7\nRp8\nac__builtin__\nbytearray\np9\n(g1\n(Vc\np10\ng3\ntp11\nRp12\ntp13\nRp14\na.', b']q\x00(c_codecs\nencode\nq\x01(X\x03\x00\x00\x00a\xc3\xbfq\x02X\x06\x00\x00\x00latin1q\x03tq\x04Rq\x05h\x01(X\x01\x00\x00\x00bq\x06h\x03tq\x07Rq\x08c__builtin__\nbytearray\nq\t(h\x01(X\x01\x00\x00\x00cq\nh\x03tq\x0bRq\x0ctq\rRq\x0ee.', b'\x80\x02]q\x00(c_codecs\nencode\nq\x01X\x03\x00\x00\x00a\xc3\xbfq\x02X\x06\x00\x00\x00latin1q\x03\x86q\x04Rq\x05h\x01X\x01\x00\x00\x00bq\x06h\x03\x86q\x07Rq\x08c__builtin__\nbytearray\nq\th\x01X\x01\x00\x00\x00cq\nh\x03\x86q\x0bRq\x0c\x85q\rRq\x0ee.']"#,
    )]);
}

#[test]
fn a_replacement_of_the_other_kind_is_an_error_where_it_is_put_in() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport re\ndef f(x): return [of(g) for g in (lambda: re.sub('z', b'y', 'abc'), lambda: re.sub('a', b'y', 'abc'), lambda: re.sub('a', b'y', 'aab'), lambda: re.sub(b'z', 'y', b'abc'), lambda: re.sub(b'a', 'y', b'abc'), lambda: re.subn('z', 5, 'abc'), lambda: re.sub('a', lambda m: b'q', 'abc'))]",
        "['abc', 'TypeError: sequence item 0: expected str instance, bytes found', 'TypeError: sequence item 0: expected str instance, bytes found', b'abc', 'TypeError: sequence item 0: expected a bytes-like object, str found', 'TypeError: decoding to str: need a bytes-like object, int found', 'TypeError: sequence item 0: expected str instance, bytes found']",
    )]);
}

#[test]
fn positions_of_a_search_have_64_bits() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport bisect\nclass A:\n    def __getitem__(self, i): return i * i\nclass L:\n    def __init__(self): self.asked = 0\n    def __len__(self): self.asked += 1; return 9\n    def __getitem__(self, i): return i\ndef count(*a):\n    l = L()\n    return bisect.bisect(l, 4, *a), l.asked\ndef f(x): return bisect.bisect_left(range(2**40), 2**35), bisect.bisect_right(range(0, 2**62, 3), 2**50), bisect.bisect(A(), 10**12, 0, 2**33), of(lambda: bisect.bisect([1, 2], 1, -1)), of(lambda: bisect.bisect_left(range(2**63), 5)), of(lambda: bisect.bisect([1, 2, 3], 9, 0, 2**31 + 5)), of(lambda: bisect.bisect([1, 2, 3], 2, 0, -1)), count(), count(0, 8), of(lambda: bisect.bisect(A(), 5)), bisect.bisect(range(5), 2)",
        r#"(34359738368, 375299968947542, 1000001, 'ValueError: lo must be non-negative', 'OverflowError: Python int too large to convert to C ssize_t', 'IndexError: list index out of range', 2, (5, 1), (5, 0), "TypeError: object of type 'A' has no len()", 3)"#,
    )]);
}

#[test]
fn the_hash_of_a_class_that_compares_comes_last() {
    check(&[(
        "class A:\n    def __eq__(self, o): return True\n    x = 1\nclass B(A):\n    def __eq__(self, o): return True\n    __hash__ = A.__hash__\n    y = 2\ndef f(x): return [[n for n in vars(c) if n in ('__eq__', '__hash__', 'x', 'y')] for c in (A, B)], A.__hash__",
        "([['__eq__', 'x', '__hash__'], ['__eq__', '__hash__', 'y']], None)",
    )]);
}

#[test]
fn a_length_of_bytes_has_64_bits() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: len(k(n))) for k in (bytes, bytearray) for n in (0, 3, -1, -2**31 - 1, -2**63, 2**63, -2**63 - 1)]",
        r#"[0, 3, 'ValueError: negative count', 'ValueError: negative count', 'ValueError: negative count', "OverflowError: cannot fit 'int' into an index-sized integer", "OverflowError: cannot fit 'int' into an index-sized integer", 0, 3, 'ValueError: negative count', 'ValueError: negative count', 'ValueError: negative count', "OverflowError: cannot fit 'int' into an index-sized integer", "OverflowError: cannot fit 'int' into an index-sized integer"]"#,
    )]);
}

#[test]
fn a_sequence_whose_class_multiplies_from_one_side_is_repeated_from_the_other() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nclass R(list):\n    def __rmul__(self, n): return 'right', n\nclass L(list):\n    def __mul__(self, n): return 'left', n\nclass S(str):\n    def __rmul__(self, n): return 'right', n\nclass T(tuple):\n    def __rmul__(self, n): return NotImplemented\nclass Q(R): pass\nclass U(R):\n    def __mul__(self, n): return 'under', n\ndef f(x):\n    y = L([1])\n    y *= 2\n    z = R([1])\n    z *= 2\n    return [of(g) for g in (lambda: 3 * R([1]), lambda: R([1]) * 3, lambda: 3 * L([1]), lambda: L([1]) * 3, lambda: 3 * S('ab'), lambda: S('ab') * 3, lambda: True * S('a'), lambda: 2.5 * L([1]), lambda: R([1]) * 'a', lambda: 3 * T((1,)), lambda: T((1,)) * 3, lambda: 3 * Q([2]), lambda: Q([2]) * 3, lambda: U([3]) * 2, lambda: 2 * U([3]), lambda: R([1]).__mul__(2))], y, z",
        r#"([('right', 3), [1, 1, 1], [1, 1, 1], ('left', 3), ('right', 3), 'ababab', ('right', True), "TypeError: 'float' object cannot be interpreted as an integer", "TypeError: 'str' object cannot be interpreted as an integer", "TypeError: unsupported operand type(s) for *: 'int' and 'T'", (1, 1, 1), ('right', 3), [2, 2, 2], ('under', 2), ('right', 2), [1, 1]], ('left', 2), [1, 1])"#,
    )]);
}

#[test]
fn a_generator_of_a_lambda_hands_on_stop_iteration() {
    check(&[(
        "def of(g):\n    try: return next(g)\n    except Exception as e: return type(e).__name__, type(e.__cause__).__name__\ndef g():\n    yield next(iter(()))\ndef f(x): return of((lambda: (yield next(iter(()))))()), of(g()), of(next(iter(())) for _ in [1])",
        "(('StopIteration', 'NoneType'), ('RuntimeError', 'StopIteration'), ('RuntimeError', 'StopIteration'))",
    )]);
}

#[test]
fn a_stop_iteration_of_a_lambdas_generator_ends_native_callers_and_not_loops_on_their_second_turn() {
    check(&[(
        "def stop(v): raise StopIteration(v)\ndef of(g):\n    try: return g()\n    except Exception as e: return type(e).__name__\ndef first(): return (stop(2), (yield 1))\ndef loop(g):\n    seen = []\n    for x in g: seen.append(x)\n    return seen\nearly = lambda: (stop(2), (yield 1))\nlate = lambda: ((yield 1), stop(2))\ndef pulled():\n    y = yield from late()\ndef f(x):\n    return [of(lambda: g(k())) for k in (early, late) for g in (list, tuple, sum, sorted, lambda it: [*it], lambda it: dict(zip('ab', it)), lambda it: 5 in it, lambda it: next(it, 7))], of(lambda: [i for i in late()]), of(lambda: [i for i in early()]), of(lambda: loop(early())), of(lambda: loop(late())), of(lambda: list(pulled()))",
        "([[], (), 0, [], [], {}, False, 7, [1], (1,), 1, [1], [1], {'a': 1}, False, 1], 'StopIteration', [], [], 'StopIteration', 'RuntimeError')",
    )]);
}

#[test]
fn lengths_have_64_bits() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport operator\nclass C:\n    def __init__(self, n): self.n = n\n    def __len__(self): return self.n\ndef f(x):\n    r = range(2**40)\n    loops = {(len(C(2**33)), len(r)) for _ in range(20)}\n    return loops, operator.length_hint(r), operator.length_hint(C(2**50)), [of(lambda: (k.__name__, k(C(n)))) for n in (2**40, 2**63 - 1, 2**63, -1, 'a', 0) for k in (len, bool)], of(lambda: range(2**64).__len__()), of(lambda: len(range(2**64))), C(2**40).__len__(), r.__len__(), range.__len__(r), range(2**63 - 1).__len__()",
        r#"({(8589934592, 1099511627776)}, 1099511627776, 1125899906842624, [('len', 1099511627776), ('bool', True), ('len', 9223372036854775807), ('bool', True), "OverflowError: cannot fit 'int' into an index-sized integer", "OverflowError: cannot fit 'int' into an index-sized integer", 'ValueError: __len__() should return >= 0', 'ValueError: __len__() should return >= 0', "TypeError: 'str' object cannot be interpreted as an integer", "TypeError: 'str' object cannot be interpreted as an integer", ('len', 0), ('bool', False)], 'OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C ssize_t', 1099511627776, 1099511627776, 1099511627776, 9223372036854775807)"#,
    )]);
}

#[test]
fn a_length_hint_has_64_bits() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport sys, operator\nfrom collections import UserList, deque\nclass I:\n    def __init__(self, h): self.h = h\n    def __iter__(self): yield 1\n    def __length_hint__(self): return self.h\ndef extended(k, h):\n    l = k([5])\n    l.extend(I(h))\n    return l\ndef f(x): return [of(lambda: extended(list, h)) for h in (sys.maxsize, 2**62, 2**63, 3, -1, None, 'a', NotImplemented)], of(lambda: [*I(2**62)]), of(lambda: [0, *I(sys.maxsize)]), of(lambda: list(I(2**62))), of(lambda: operator.length_hint(I(2**62))), of(lambda: [*deque(I(2**62))]), of(lambda: {*I(2**62)})",
        "([[5, 1], 'MemoryError: ', 'OverflowError: Python int too large to convert to C ssize_t', [5, 1], 'ValueError: __length_hint__() should return >= 0', 'TypeError: __length_hint__ must be an integer, not NoneType', 'TypeError: __length_hint__ must be an integer, not str', [5, 1]], 'MemoryError: ', [0, 1], 'MemoryError: ', 4611686018427387904, [1], {1})",
    )]);
}

#[test]
fn the_name_of_an_encoding_or_an_error_handler_is_text() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport codecs\ndef f(x): return [of(g) for g in (lambda: 'a'.encode('ascii', None), lambda: b'a'.decode('ascii', None), lambda: 'a'.encode(None), lambda: bytearray(b'a').decode(None), lambda: codecs.encode('a', 'ascii', None), lambda: codecs.decode(b'a', 'ascii', None), lambda: codecs.encode('a', None), lambda: codecs.ascii_encode('a', None), lambda: codecs.utf_8_decode(b'a', None), lambda: str(b'a', errors=None), lambda: bytes('a', 'ascii', None), lambda: bytes('a', None), lambda: bytearray('a', errors=5), lambda: str(b'a', 5), lambda: 'a'.encode(5), lambda: b'a'.decode(errors=5), lambda: 'a'.encode(errors='strict'))]",
        r#"["TypeError: encode() argument 'errors' must be str, not None", "TypeError: decode() argument 'errors' must be str, not None", "TypeError: encode() argument 'encoding' must be str, not None", "TypeError: decode() argument 'encoding' must be str, not None", "TypeError: encode() argument 'errors' must be str, not None", "TypeError: decode() argument 'errors' must be str, not None", "TypeError: encode() argument 'encoding' must be str, not None", (b'a', 1), ('a', 1), "TypeError: str() argument 'errors' must be str, not None", "TypeError: bytes() argument 'errors' must be str, not None", "TypeError: bytes() argument 'encoding' must be str, not None", "TypeError: bytearray() argument 'errors' must be str, not int", "TypeError: str() argument 'encoding' must be str, not int", "TypeError: encode() argument 'encoding' must be str, not int", "TypeError: decode() argument 'errors' must be str, not int", b'a']"#,
    )]);
}

#[test]
fn an_error_handler_returns_a_pair() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport codecs\ndef f(x):\n    got = []\n    for pair in (42, 'foo', (1, 2, 3), ('foo', 1, 3), ('foo',), (b'foo', 2), ('foo', 99)):\n        for code in ('ascii', 'iso-8859-15', 'cp1252'):\n            codecs.register_error('t.bad', lambda e: pair)\n            got.append(of(lambda: 'é\\u3042'.encode(code, 't.bad')))\n    return got",
        r#"['TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', 'TypeError: encoding error handler must return (str/bytes, int) tuple', b'foo', b'\xe9foo', b'\xe9foo', 'IndexError: position 99 from error handler out of bounds', 'IndexError: position 99 from error handler out of bounds', 'IndexError: position 99 from error handler out of bounds']"#,
    )]);
}

#[test]
fn flags_that_nobody_knows_are_shown() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport re\ndef f(x): return [str(of(lambda: re.compile('ab', n))) for n in (0x123000, 0x123000 | re.I, re.A | re.X, 1 << 20, 1 << 31)], re.compile('a', 1 << 20).flags",
        r#"(["re.compile('ab', 0x123000)", "re.compile('ab', re.IGNORECASE|0x123000)", "re.compile('ab', re.VERBOSE|re.ASCII)", "re.compile('ab', 0x100000)", 'OverflowError: Python int too large to convert to C int'], 1048608)"#,
    )]);
}

#[test]
fn a_bytearray_that_is_searched_keeps_its_size() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport re\ndef f(x):\n    b = bytearray(b'xax')\n    found = re.finditer(b'a', b)\n    first = of(lambda: b.extend(b'y'))\n    spans = [m.span() for m in found]\n    del found\n    b.extend(b'zz')\n    m = re.search(b'a', b)\n    b.extend(b'z')\n    return first, spans, bytes(b), m.group(), of(lambda: re.finditer('a', 5)), of(lambda: re.finditer('a', b''))",
        r#"('BufferError: Existing exports of data: object cannot be re-sized', [(1, 2)], b'xaxzzz', b'a', "TypeError: expected string or bytes-like object, got 'int'", 'TypeError: cannot use a string pattern on a bytes-like object')"#,
    )]);
}

#[test]
fn methods_of_native_classes_are_pickled_by_name() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport pickle\nfrom collections import deque\ndef f(x):\n    methods = (list.__len__, [1].__len__, int.__add__, object.__repr__, str.index, deque.append, set.__contains__)\n    return [of(lambda: pickle.loads(pickle.dumps(m, p))) == m for m in methods for p in (0, 2, 5)], of(lambda: pickle.dumps(list.__len__, 0)), of(lambda: pickle.dumps(deque.append, 4)), of(lambda: pickle.dumps(dict.__dict__['fromkeys']))",
        r#"([True, True, True, False, False, False, True, True, True, True, True, True, True, True, True, True, True, True, True, True, True], b'c__builtin__\ngetattr\np0\n(c__builtin__\nlist\np1\nV__len__\np2\ntp3\nRp4\n.', b'\x80\x04\x95=\x00\x00\x00\x00\x00\x00\x00\x8c\x08builtins\x94\x8c\x07getattr\x94\x93\x94\x8c\x0bcollections\x94\x8c\x05deque\x94\x93\x94\x8c\x06append\x94\x86\x94R\x94.', "TypeError: cannot pickle 'classmethod_descriptor' object")"#,
    )]);
}

#[test]
fn a_closed_stream_in_memory_says_so() {
    check(&[(
        "import io\ndef of(g):\n    try: return g()\n    except Exception as e: return type(e).__name__\ndef f(x):\n    got = []\n    for c in (io.BytesIO, io.StringIO):\n        s = c()\n        s.close()\n        got += [of(getattr(s, n)) for n in ('readable', 'writable', 'seekable', 'isatty', 'tell', 'getvalue', 'close', 'read')]\n    return got, of(lambda: s.line_buffering)",
        "(['ValueError', 'ValueError', 'ValueError', 'ValueError', 'ValueError', 'ValueError', None, 'ValueError', 'ValueError', 'ValueError', 'ValueError', 'ValueError', 'ValueError', 'ValueError', None, 'ValueError'], 'ValueError')",
    )]);
}

#[test]
fn the_state_of_bytes_in_memory_is_checked() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport io\ndef f(x):\n    m = io.BytesIO()\n    got = []\n    for state in ((b'ab', 0, None), (bytearray(b'cd'), 1, {'spam': 3}), (memoryview(b'xyz'), 2, None), (b'', -1, None), ('u', 0, None), (b'', 0.0, None), (b'len', 0)):\n        said = str(of(lambda: m.__setstate__(state))).partition(':')[0]\n        got.append((said, m.getvalue(), m.tell(), dict(m.__dict__)) if said == 'None' else said)\n    return got",
        "[('None', b'ab', 0, {}), ('None', b'cd', 1, {'spam': 3}), ('None', b'xyz', 2, {'spam': 3}), 'ValueError', 'TypeError', 'TypeError', 'TypeError']",
    )]);
}

#[test]
fn built_in_functions_are_no_methods_of_a_class_that_holds_them() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport time, decimal, io, pickle\nclass C:\n    now, sleep, count, open, context, zone = time.time, time.sleep, time.perf_counter_ns, open, decimal.localcontext, time.gmtime\n    show = time.strftime\ndef f(x):\n    c = C()\n    with c.context() as context: kind = type(context).__name__\n    return type(c.now()).__name__, c.sleep(0), type(c.count()).__name__, c.zone(0).tm_year, c.show('%Y', c.zone(0)), of(lambda: c.open('/there/is/none')), kind, [type(k).__name__ for k in (time.time, time.sleep, open, io.open, time.ctime, decimal.localcontext)], time.time.__name__, open.__qualname__, pickle.loads(pickle.dumps(time.time)) is time.time",
        r#"('float', None, 'int', 1970, '1970', "FileNotFoundError: [Errno 2] No such file or directory: '/there/is/none'", 'Context', ['builtin_function_or_method', 'builtin_function_or_method', 'builtin_function_or_method', 'builtin_function_or_method', 'builtin_function_or_method', 'builtin_function_or_method'], 'time', 'open', True)"#,
    )]);
}

#[test]
fn sleeping_takes_no_processor_time() {
    check(&[(
        "import time\ndef f(x):\n    start = time.process_time(), time.thread_time(), time.process_time_ns(), time.monotonic()\n    time.sleep(0.2)\n    end = time.process_time(), time.thread_time(), time.process_time_ns(), time.monotonic()\n    return [b - a < 0.1 for a, b in zip(start[:2], end)], end[2] - start[2] < 10**8, end[3] - start[3] >= 0.2",
        "([True, True], True, True)",
    )]);
}

#[test]
fn proxies_have_the_names_of_the_module() {
    check(&[(
        "import weakref\nclass A:\n    def __call__(self): pass\nclass B: pass\ndef f(x):\n    a, b = A(), B()\n    return [(k.__module__, k.__name__, k.__qualname__) for k in (weakref.ProxyType, weakref.CallableProxyType, weakref.ReferenceType, type(weakref.proxy(a)), type(weakref.proxy(b)))]",
        "[('weakref', 'ProxyType', 'ProxyType'), ('weakref', 'CallableProxyType', 'CallableProxyType'), ('weakref', 'ReferenceType', 'ReferenceType'), ('weakref', 'CallableProxyType', 'CallableProxyType'), ('weakref', 'ProxyType', 'ProxyType')]",
    )]);
}

#[test]
fn a_range_that_counts_past_64_bits_has_an_iterator_of_long_numbers() {
    check(&[(
        "import pickle\ndef f(x):\n    m = 2**63\n    return [(type(i).__name__, type(pickle.loads(pickle.dumps(i))).__name__, list(i)) for i in map(iter, (range(m - 2, m - 1, 2), range(m - 3, m - 1), range(-m + 1, -m, -2), range(1, 2, m - 1), range(-1, -2, -m), range(5), range(0, -3, -1)))], type(reversed(range(-m, -m + 1))).__name__, type(reversed(range(3))).__name__",
        "([('longrange_iterator', 'longrange_iterator', [9223372036854775806]), ('range_iterator', 'range_iterator', [9223372036854775805, 9223372036854775806]), ('longrange_iterator', 'longrange_iterator', [-9223372036854775807]), ('longrange_iterator', 'longrange_iterator', [1]), ('longrange_iterator', 'longrange_iterator', [-1]), ('range_iterator', 'range_iterator', [0, 1, 2, 3, 4]), ('range_iterator', 'range_iterator', [0, -1, -2])], 'longrange_iterator', 'range_iterator')",
    )]);
}

#[test]
fn the_end_of_a_string_of_json_is_inside_of_the_text() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport json.decoder\ndef f(x): return [of(lambda: json.decoder.scanstring(*a)) for a in ((b'xxx', 1), ('xxx\"', 0), ('x', 5), ('x', -1), ('ab\"c', 1), ('ab\"', 3))]",
        "['TypeError: first argument must be a string, not bytes', ('xxx', 4), 'ValueError: end is out of bounds', 'ValueError: end is out of bounds', ('b', 3), 'JSONDecodeError: Unterminated string starting at: line 1 column 3 (char 2)']",
    )]);
}

#[test]
fn offsets_of_packed_numbers_have_64_bits() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport struct, sys\ndef f(x): return [of(g) for g in (lambda: struct.pack_into('<I', bytearray(10), sys.maxsize, 1), lambda: struct.unpack_from('<I', bytes(10), sys.maxsize), lambda: struct.pack_into('<I', bytearray(10), -sys.maxsize - 1, 1), lambda: struct.unpack_from('<I', bytes(10), 2**32 + 2), lambda: struct.unpack_from('<I', bytes(10), -11), lambda: struct.pack_into('<I', bytearray(10), -3, 1), lambda: struct.unpack_from('<H', b'abcd', -2))]",
        "['error: pack_into requires a buffer of at least 9223372036854775811 bytes for packing 4 bytes at offset 9223372036854775807 (actual buffer size is 10)', 'error: unpack_from requires a buffer of at least 9223372036854775811 bytes for unpacking 4 bytes at offset 9223372036854775807 (actual buffer size is 10)', 'error: offset -9223372036854775808 out of range for 10-byte buffer', 'error: unpack_from requires a buffer of at least 4294967302 bytes for unpacking 4 bytes at offset 4294967298 (actual buffer size is 10)', 'error: offset -11 out of range for 10-byte buffer', 'error: no space to pack 4 bytes at offset -3', (25699,)]",
    )]);
}

#[test]
fn the_environment_is_text_and_bytes() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport os\ndef f(x):\n    os.environ['azr'] = 'é'\n    os.environb[b'azr2'] = b'\\xff'\n    got = os.environb[b'azr'], os.environ['azr2'], os.getenv('azr'), os.getenvb(b'azr'), os.path.expandvars(b'$azr x'), os.path.expandvars('${azr}x'), 'azr' in os.environ, type(os.environ.copy()).__name__\n    bad = [of(g) for g in (lambda: os.environ.__setitem__('a', 1), lambda: os.environ.__setitem__(1, 'a'), lambda: os.environ['none'], lambda: os.environb.__setitem__(b'a', 'b'), lambda: os.environ.__setitem__('a', 'b\\0'))]\n    del os.environ['azr'], os.environb[b'azr2']\n    return got, bad, os.environ.get('azr'), type(os.environ).__name__",
        r#"((b'\xc3\xa9', '\udcff', 'é', b'\xc3\xa9', b'\xc3\xa9 x', 'éx', True, 'dict'), ['TypeError: str expected, not int', 'TypeError: str expected, not int', "KeyError: 'none'", 'TypeError: bytes expected, not str', 'ValueError: embedded null byte'], None, '_Environ')"#,
    )]);
}

#[test]
fn a_class_inside_of_a_class_has_annotations_of_its_own() {
    check(&[(
        "class T:\n    if True:\n        a: str = 'a'\n    class C:\n        if True:\n            x: int = 1\n    def g(self):\n        class D:\n            while True:\n                y: float\n                break\n            if not self:\n                z: int\n        return D.__annotations__\ndef f(x): return repr((T.__annotations__, T.C.__annotations__, T().g()))",
        r#""({'a': <class 'str'>}, {'x': <class 'int'>}, {'y': <class 'float'>})""#,
    )]);
}

#[test]
fn what_is_unpacked_in_an_alias_stays_so() {
    check(&[(
        "from typing import *\nT1 = TypeVar('T1')\nT2 = TypeVar('T2')\nTs = TypeVarTuple('Ts')\nclass C(Generic[T1, Unpack[Ts]]): pass\ndef f(x): return [repr(a) for a in (tuple[T1, *tuple[T2, ...]][int, str], Tuple[T1, *tuple[T2, ...]][int, str], tuple[int, *tuple[T1, ...]][str], list[*tuple[T1]][int], tuple[*tuple[T1, T2]][int, str], (*tuple[T1, ...],)[0][int], tuple[T1, *Ts][int, *tuple[str, ...]])]",
        "['tuple[int, *tuple[str, ...]]', 'typing.Tuple[int, *tuple[str, ...]]', 'tuple[int, *tuple[str, ...]]', 'list[*tuple[int]]', 'tuple[*tuple[int, str]]', '*tuple[int, ...]', 'tuple[int, *tuple[str, ...]]']",
    )]);
}

#[test]
fn source_that_its_encoding_does_not_have_is_a_syntax_error() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: k(b'# coding: ascii\\n\\xe2')).partition(' (')[0] for k in (lambda s: compile(s, 'x', 'exec'), eval, exec)]",
        r#"["SyntaxError: 'ascii' codec can't decode byte 0xe2 in position 16: ordinal not in range(128)", "SyntaxError: 'ascii' codec can't decode byte 0xe2 in position 16: ordinal not in range(128)", "SyntaxError: 'ascii' codec can't decode byte 0xe2 in position 16: ordinal not in range(128)"]"#,
    )]);
}

#[test]
fn code_of_another_kind_warns() {
    check(&[(
        "import warnings\ndef f(x):\n    def a(): pass\n    def b(): yield\n    def c(): pass\n    with warnings.catch_warnings(record=True) as w:\n        warnings.simplefilter('always')\n        a.__code__ = c.__code__\n        a.__code__ = b.__code__\n        return [(k.category.__name__, str(k.message)) for k in w], [*a()]",
        "([('DeprecationWarning', 'Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain function)')], [None])",
    )]);
}

#[test]
fn blanks_without_an_end_are_a_line_of_tokens() {
    check(&[(
        "import io, tokenize\ndef f(x): return [[(t.type - (t.type == tokenize.NL) * tokenize.NL, t.string, t.start, t.end) for t in tokenize.generate_tokens(io.StringIO(s).readline) if t.type in (tokenize.NL, tokenize.ENDMARKER, tokenize.DEDENT)] for s in ('  ', 'x\\n  ', 'if x:\\n  y\\n   ', '\\x0c', '\\t', 'x\\n\\n  ', 'x\\n', 'x #c')]",
        r#"[[(0, '', (1, 2), (1, 3)), (0, '', (2, 0), (2, 0))], [(0, '', (2, 2), (2, 3)), (0, '', (3, 0), (3, 0))], [(0, '', (3, 3), (3, 4)), (6, '', (4, 0), (4, 0)), (0, '', (4, 0), (4, 0))], [(0, '', (1, 1), (1, 2)), (0, '', (2, 0), (2, 0))], [(0, '', (1, 1), (1, 2)), (0, '', (2, 0), (2, 0))], [(0, '\n', (2, 0), (2, 1)), (0, '', (3, 2), (3, 3)), (0, '', (4, 0), (4, 0))], [(0, '', (2, 0), (2, 0))], [(0, '', (2, 0), (2, 0))]]"#,
    )]);
}

#[test]
fn no_type_of_the_interpreters_own_can_be_changed() {
    check(&[(
        "import types\ndef refuses(t):\n    try: t.odd = 1\n    except TypeError as e: return str(e)\ndef f(x): return [refuses(t) for t in (type(None), slice, types.MappingProxyType, types.TracebackType, types.CellType, type(iter(int, 1)), type(...), int)]",
        "[\"cannot set 'odd' attribute of immutable type 'NoneType'\", \"cannot set 'odd' attribute of immutable type 'slice'\", \"cannot set 'odd' attribute of immutable type 'mappingproxy'\", \"cannot set 'odd' attribute of immutable type 'traceback'\", \"cannot set 'odd' attribute of immutable type 'cell'\", \"cannot set 'odd' attribute of immutable type 'callable_iterator'\", \"cannot set 'odd' attribute of immutable type 'ellipsis'\", \"cannot set 'odd' attribute of immutable type 'int'\"]",
    )]);
}

#[test]
fn which_iterator_a_range_has_is_decided_by_its_bounds() {
    check(&[(
        "def f(x):\n    b = 2**63\n    r = [range(*a) for a in ((5, 8, b), (5, 8, b - 1), (8, 5, -b), (b - 1, b), (0, 0, b), (b, b), (b, 0), (0, -b - 1), (0, -b, -7), (1, b - 1, 3), (1, b - 2, 3), (0, -b, -b), (5, 1, b), (0, b - 1), (-b, 0), (0, -b), (3, 8, b // 2))]\n    return [(type(iter(r)).__name__[:4], type(reversed(r)).__name__[:4], next(reversed(r), None)) for r in r]",
        "[('long', 'long', 5), ('long', 'rang', 5), ('rang', 'long', 8), ('long', 'long', 9223372036854775807), ('long', 'long', None), ('long', 'long', None), ('long', 'long', None), ('long', 'long', None), ('long', 'rang', -9223372036854775807), ('long', 'rang', 9223372036854775804), ('long', 'rang', 9223372036854775804), ('long', 'long', 0), ('long', 'long', None), ('rang', 'rang', 9223372036854775806), ('long', 'long', -1), ('rang', 'rang', None), ('rang', 'rang', 3)]",
    )]);
}

#[test]
fn the_index_of_a_sequence_that_cannot_be_changed_is_read_first() {
    check(&[(
        "class Index:\n    def __index__(self): return 2**63\nclass Plain: pass\ndef of(g):\n    try: g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [(of(lambda: v.__class__ and exec('v[i] = 1', {'v': v, 'i': i})), of(lambda: exec('del v[i]', {'v': v, 'i': i}))) for v in ((), Plain(), 5, range(3), {1}) for i in (2**63, Index(), 2**40, 'x')]",
        "[(\"IndexError: cannot fit 'int' into an index-sized integer\", \"IndexError: cannot fit 'int' into an index-sized integer\"), (\"IndexError: cannot fit 'Index' into an index-sized integer\", \"IndexError: cannot fit 'Index' into an index-sized integer\"), (\"TypeError: 'tuple' object does not support item assignment\", \"TypeError: 'tuple' object doesn't support item deletion\"), (\"TypeError: 'tuple' object does not support item assignment\", \"TypeError: 'tuple' object does not support item deletion\"), (\"IndexError: cannot fit 'int' into an index-sized integer\", \"IndexError: cannot fit 'int' into an index-sized integer\"), (\"IndexError: cannot fit 'Index' into an index-sized integer\", \"IndexError: cannot fit 'Index' into an index-sized integer\"), (\"TypeError: 'Plain' object does not support item assignment\", \"TypeError: 'Plain' object doesn't support item deletion\"), (\"TypeError: 'Plain' object does not support item assignment\", \"TypeError: 'Plain' object does not support item deletion\"), (\"TypeError: 'int' object does not support item assignment\", \"TypeError: 'int' object does not support item deletion\"), (\"TypeError: 'int' object does not support item assignment\", \"TypeError: 'int' object does not support item deletion\"), (\"TypeError: 'int' object does not support item assignment\", \"TypeError: 'int' object does not support item deletion\"), (\"TypeError: 'int' object does not support item assignment\", \"TypeError: 'int' object does not support item deletion\"), (\"IndexError: cannot fit 'int' into an index-sized integer\", \"IndexError: cannot fit 'int' into an index-sized integer\"), (\"IndexError: cannot fit 'Index' into an index-sized integer\", \"IndexError: cannot fit 'Index' into an index-sized integer\"), (\"TypeError: 'range' object does not support item assignment\", \"TypeError: 'range' object doesn't support item deletion\"), (\"TypeError: 'range' object does not support item assignment\", \"TypeError: 'range' object does not support item deletion\"), (\"IndexError: cannot fit 'int' into an index-sized integer\", \"IndexError: cannot fit 'int' into an index-sized integer\"), (\"IndexError: cannot fit 'Index' into an index-sized integer\", \"IndexError: cannot fit 'Index' into an index-sized integer\"), (\"TypeError: 'set' object does not support item assignment\", \"TypeError: 'set' object doesn't support item deletion\"), (\"TypeError: 'set' object does not support item assignment\", \"TypeError: 'set' object does not support item deletion\")]",
    )]);
}

#[test]
fn the_truth_of_a_subclass_is_that_of_its_length() {
    check(&[
        (
            "from collections import deque
def f(x):
    seen = []
    for base in (tuple, list, str, bytes, bytearray, dict, set, frozenset, deque):
        class Long(base):
            def __len__(self): return 3
        class Short(base):
            def __len__(self): return 0
        class Tuesday(Long):
            def __bool__(self): return False
        one = {1: 2} if base is dict else 'a' if base is str else [1]
        seen.append((bool(Long()), not Short(one), 1 if Tuesday(one) else 2, bool(base()), bool(base(one))))
    return set(seen)",
            "{(True, True, 2, False, True)}",
        ),
        (
            "from collections import deque
def f(x): return [hasattr(base, '__bool__') for base in (tuple, deque, range, int)]",
            "[False, False, True, True]",
        ),
    ]);
}

#[test]
fn what_a_subclass_walks_is_what_its_copies_and_texts_have() {
    check(&[
        (
            r#"from collections import deque
import copy
def f(x):
    seen = []
    for base in (set, frozenset, deque, list, tuple):
        class Odd(base):
            def __iter__(self): return iter('z')
        odd = Odd('a')
        made, walk = odd.__reduce_ex__(2)[1], odd.__reduce_ex__(2)[3:]
        seen.append((repr(odd), [*base.__iter__(copy.copy(odd))], [*base.__iter__(copy.deepcopy(odd))], made[1:] or made, [*walk[0]] if walk and walk[0] else None))
    class Long(deque):
        def __iter__(self): return iter('yz')
    return str(seen).replace('<class ', '').replace("'>", "'"), str([Long('ab') + Long('cd'), Long('ab', 3) * 2, Long('ab').copy()])"#,
            r#"('[("Odd({\'z\'})", [\'z\'], [\'z\'], ([\'z\'],), None), ("Odd({\'z\'})", [\'z\'], [\'z\'], ([\'z\'],), None), ("Odd([\'z\'])", [\'z\'], [\'z\'], (), [\'z\']), ("[\'a\']", [\'z\'], [\'z\'], (\'__main__.f.<locals>.Odd\',), [\'z\']), ("(\'a\',)", [\'a\'], [\'a\'], ((\'a\',),), None)]', "[Long(['y', 'z']), Long(['y', 'z'], maxlen=3), Long(['y', 'z'])]")"#,
        ),
        (
            "def f(x):
    class Odd(dict):
        def __iter__(self): return iter('q')
        def keys(self): return ['z']
        def __getitem__(self, key): return key
    class Plain(dict):
        def keys(self): return ['z']
        def __getitem__(self, key): return key
    return [(d.copy(), d | {}, {} | d, {**d}, dict(d)) for d in (Odd(a=1), Plain(a=1))]",
            "[({'z': 'z'}, {'z': 'z'}, {'z': 'z'}, {'z': 'z'}, {'z': 'z'}), ({'a': 1}, {'a': 1}, {'a': 1}, {'a': 1}, {'a': 1})]",
        ),
    ]);
}

#[test]
fn a_copy_of_a_subclass_is_made_by_its_class() {
    check(&[
        (
            "from collections import defaultdict, deque
import copy
class D(defaultdict): pass
class P(deque): pass
class Made(defaultdict):
    def __init__(self, *given): super().__init__(*given); self.given = len(given)
def f(x):
    d, p, made = D(int, {'a': 1}), P('ab', 3), Made(list)
    return [str(v) for v in (d | {'b': 2}, {'b': 2} | d, d | d, d.copy(), copy.copy(d), p + p, p * 2, 2 * p, p.copy(), copy.copy(p), p + deque('z'), deque('z') + p)], [m.given for m in (made | {}, {} | made, made.copy())]",
            r#"(["D(<class 'int'>, {'a': 1, 'b': 2})", "D(<class 'int'>, {'b': 2, 'a': 1})", "D(<class 'int'>, {'a': 1})", "D(<class 'int'>, {'a': 1})", "D(<class 'int'>, {'a': 1})", "P(['b', 'a', 'b'], maxlen=3)", "P(['b', 'a', 'b'], maxlen=3)", "P(['b', 'a', 'b'], maxlen=3)", "P(['a', 'b'], maxlen=3)", "P(['a', 'b'], maxlen=3)", "P(['a', 'b', 'z'], maxlen=3)", "deque(['z', 'a', 'b'])"], [2, 2, 2])"#,
        ),
    ]);
}

#[test]
fn an_extended_slice_of_bytes_to_which_nothing_is_assigned_is_deleted() {
    check(&[(
        "import array
def f(x):
    seen = []
    for s in (slice(None, None, 4), slice(5, 1, 2), slice(None, None, -1), slice(None, None, -2), slice(1, None, 3)):
        b, a = bytearray(b'abcdefgh'), array.array('b', b'abcdefgh')
        b[s], a[s] = b'', array.array('b')
        seen.append((bytes(b), a.tobytes()))
    return seen",
        "[(b'bcdfgh', b'bcdfgh'), (b'abcdefgh', b'abcdefgh'), (b'', b''), (b'aceg', b'aceg'), (b'acdfg', b'acdfg')]",
    )]);
}

#[test]
fn the_class_that_adds_a_dict_or_weak_references_lists_them() {
    check(&[
        (
            "import weakref
from collections import deque, OrderedDict
class A: __slots__ = ()
class B: pass
def f(x):
    def adds(*bases):
        class C(*bases): pass
        return bases[0].__name__, '__dict__' in vars(C), '__weakref__' in vars(C)
    def refers(o):
        try: weakref.ref(o)
        except TypeError: return False
        return True
    return [adds(*b) for b in ((set,), (frozenset,), (deque,), (OrderedDict,), (list,), (dict,), (int,), (tuple,), (str,), (property,), (staticmethod,), (Exception,), (type,), (A, B), (B, A), (B,))], [refers(o) for o in (set(), [], property(), staticmethod(len), classmethod(len), A(), B())]",
            "([('set', True, False), ('frozenset', True, False), ('deque', True, False), ('OrderedDict', False, False), ('list', True, True), ('dict', True, True), ('int', True, False), ('tuple', True, False), ('str', True, True), ('property', True, True), ('staticmethod', False, True), ('Exception', False, True), ('type', False, False), ('A', True, True), ('B', False, False), ('B', False, False)], [True, False, False, False, False, False, True])",
        ),
    ]);
}

#[test]
fn a_base_that_takes_no_arguments_says_so() {
    check(&[(
        r#"def f(x):
    def of(g):
        try: return g()
        except Exception as e: return type(e).__name__, ascii(str(e))
    def made(base):
        class C(base): pass
    return [of(lambda: made(b)) for b in (None, ..., NotImplemented)], [of(g) for g in (lambda: type(None)(1), lambda: type(None)())]"#,
        r#"([('TypeError', "'NoneType takes no arguments'"), ('TypeError', "'EllipsisType takes no arguments'"), ('TypeError', "'NotImplementedType takes no arguments'")], [('TypeError', "'NoneType takes no arguments'"), None])"#,
    )]);
}

#[test]
fn a_class_inherits_how_its_base_stores_and_deletes_items() {
    check(&[(
        "from collections import Counter
def f(x):
    seen = []
    class D(dict):
        def __delitem__(self, k): seen.append(('del', k))
    class E(D): pass
    class F(E):
        def __setitem__(self, k, v): seen.append(('set', k))
    class G(F): pass
    class L(list):
        def __delitem__(self, k): seen.append(('del', k))
    class M(L): pass
    class N(list):
        def __setitem__(self, k, v): seen.append(('set', k))
    class O(N): pass
    class C(Counter): pass
    for made in (D(a=1), E(a=1), F(a=1), G(a=1), L('ab'), M('ab'), N('ab'), O('ab')):
        key = 'a' if isinstance(made, dict) else 0
        made[key] = 5
        del made[key]
        seen.append((type(made).__name__, str(made)))
    c = C('ab')
    del c['zz'], c['a']
    return seen, str(c)",
        r#"([('del', 'a'), ('D', "{'a': 5}"), ('del', 'a'), ('E', "{'a': 5}"), ('set', 'a'), ('del', 'a'), ('F', "{'a': 1}"), ('set', 'a'), ('del', 'a'), ('G', "{'a': 1}"), ('del', 0), ('L', "[5, 'b']"), ('del', 0), ('M', "[5, 'b']"), ('set', 0), ('N', "['b']"), ('set', 0), ('O', "['b']")], "C({'b': 1})")"#,
    )]);
}

#[test]
fn an_in_place_sum_asks_the_sequence_before_the_class_that_adds() {
    check(&[(
        "from collections import deque
def f(x):
    seen = []
    for base, more in ((list, 'z'), (bytearray, b'z'), (deque, 'z'), (tuple, ('z',)), (str, 'z')):
        class A(base):
            def __add__(self, o): return 'own'
        class B(A): pass
        a, b = A(more), B(more)
        a += more
        b += more
        seen.append((str(a), str(b), B(more) + more))
    class R:
        def __radd__(self, o): return 'right'
    class L(list): pass
    plain, own = [], L()
    plain += R()
    try: own += R()
    except TypeError as e: seen.append(str(e))
    return seen, plain",
        r#"([("['z', 'z']", "['z', 'z']", 'own'), ("A(b'zz')", "B(b'zz')", 'own'), ("A(['z', 'z'])", "B(['z', 'z'])", 'own'), ('own', 'own', 'own'), ('own', 'own', 'own'), "'R' object is not iterable"], 'right')"#,
    )]);
}

#[test]
fn what_a_tuple_or_list_of_a_class_walks_is_spread_and_written_as_json() {
    check(&[(
        "import json
def f(x):
    class T(tuple):
        def __iter__(self): return iter('xyz')
    class L(list):
        def __iter__(self): return iter('xyz')
    def g(a, *b): return a, b
    return [(g(*made), json.dumps(made), json.dumps({'k': [made]}), json.dumps(made, indent=1)) for made in (T('ab'), L('ab'))]",
        r#"[(('x', ('y', 'z')), '["x", "y", "z"]', '{"k": [["x", "y", "z"]]}', '[\n "x",\n "y",\n "z"\n]'), (('x', ('y', 'z')), '["x", "y", "z"]', '{"k": [["x", "y", "z"]]}', '[\n "x",\n "y",\n "z"\n]')]"#,
    )]);
}

#[test]
fn a_text_or_a_float_is_itself_before_what_its_class_makes_of_it() {
    check(&[(
        "import math
def f(x):
    def of(g):
        try: return g()
        except Exception as e: return type(e).__name__
    class S(str):
        def __index__(self): return 1
        def __complex__(self): return 1j
        def __float__(self): return 2.5
    class F(float):
        def __float__(self): return 9.0
    s, v = S('12'), F(6.25)
    return [of(g) for g in (lambda: complex(s), lambda: bytes(s), lambda: bytearray(s), lambda: '%c' % s, lambda: float(s), lambda: int(s), lambda: math.sqrt(v), lambda: '%.2f' % v, lambda: float(v), lambda: type(v.real).__name__, lambda: type(v.conjugate()).__name__, lambda: type(v.imag).__name__, lambda: v.real)]",
        "[(12+0j), 'TypeError', 'TypeError', 'TypeError', 2.5, 1, 2.5, '6.25', 9.0, 'float', 'float', 'float', 6.25]",
    )]);
}

#[test]
fn collections_of_a_class_store_compare_and_print_by_its_methods() {
    check(&[(
        "from collections import defaultdict, deque, OrderedDict
def f(x):
    seen = []
    class D(defaultdict):
        def __setitem__(self, k, v): seen.append(('set', k)); super().__setitem__(k, v)
    d = D(list)
    d['a'].append(1)
    def stores():
        e['k'] = 'first'
        return 'second'
    e = defaultdict(stores)
    class P(deque):
        def __iter__(self): return iter('q')
    class O(OrderedDict):
        def __getitem__(self, k): return ('got', k)
    class I(list):
        def items(self): return [('q', 1)]
    return seen, str(d), e['k'], dict(e), [P('a') == deque('a'), deque('q') == P('a'), P('a') != P('b'), P('ab') == P('a'), P('b') < deque('z'), deque('a') == deque('a')], str(O(a=1)), str(OrderedDict(I())), str(OrderedDict(a=1))",
        r#"([('set', 'a')], "D(<class 'list'>, {'a': [1]})", 'second', {'k': 'second'}, [False, True, False, False, True, True], "O({'a': ('got', 'a')})", "OrderedDict({'q': 1})", "OrderedDict({'a': 1})")"#,
    )]);
}

#[test]
fn bytes_are_reduced_as_in_cpython() {
    check(&[(
        r#"import copy, pickle
class B(bytes):
    def __getstate__(self): return {'state': 1}
class R(bytes):
    def __reduce__(self): return str, ('reduced',)
class A(bytearray): pass
def f(x):
    a = A(b'a\xff')
    a.y = 3
    copied = copy.copy(B(b'ab'))
    return [str(part) for part in (B(b'ab').__reduce_ex__(2)[1:3], b'ab'.__reduce_ex__(2)[1:3], b'ab'.__getnewargs__(), copied, copied.state, copy.copy(R(b'a')), a.__reduce__()[1:], a.__reduce_ex__(2)[1:], a.__reduce_ex__(3)[1:], A().__reduce_ex__(4)[1:], pickle.loads(pickle.dumps(b'a\xff')), pickle.loads(pickle.dumps(bytearray(b'ab'), 2)))]"#,
        r#"["((<class '__main__.B'>, b'ab'), {'state': 1})", "((<class 'bytes'>, b'ab'), None)", "(b'ab',)", "b'ab'", '1', 'reduced', "(('aÿ', 'latin-1'), {'y': 3})", "(('aÿ', 'latin-1'), {'y': 3})", "((b'a\\xff',), {'y': 3})", '((), None)', "b'a\\xff'", "bytearray(b'ab')"]"#,
    )]);
}

#[test]
fn the_name_of_a_method_is_any_text() {
    check(&[(
        r#"import operator
def f(x):
    try: operator.methodcaller('\udcff')(0)
    except AttributeError: return operator.methodcaller('split', ',')('a,b')"#,
        r#"['a', 'b']"#,
    )]);
}

#[test]
fn a_partial_of_a_partial_has_keywords_of_its_own() {
    check(&[(
        "import functools
def f(x):
    inner = functools.partial(dict, a=1)
    outer = functools.partial(inner, b=2)
    third = functools.partial(outer, a=3)
    outer.keywords['c'] = 4
    return inner(), outer(), third(), inner.keywords, third.func is dict",
        "({'a': 1}, {'a': 1, 'b': 2, 'c': 4}, {'a': 3, 'b': 2}, {'a': 1}, True)",
    )]);
}

#[test]
fn adding_nothing_to_a_bytearray_does_not_resize_it() {
    check(&[(
        "def f(x):
    b, seen = bytearray(), bytearray(b'ab')
    b += b
    view = memoryview(seen)
    seen += b''
    try: seen += b'c'
    except BufferError as e: return bytes(b), bytes(seen), type(e).__name__",
        "(b'', b'ab', 'BufferError')",
    )]);
}
