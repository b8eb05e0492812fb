//! Sizes that programs see are those of a 64-bit process.

mod common;

use common::check;

#[test]
fn the_largest_size_has_63_bits() {
    check(&[
        (
            "import sys\ndef f(x): return sys.maxsize, len(range(sys.maxsize)), range(sys.maxsize)[-1], min([5, sys.maxsize]), -sys.maxsize - 1",
            "(9223372036854775807, 9223372036854775807, 9223372036854775806, 5, -9223372036854775808)",
        ),
        (
            "from collections.abc import Set\nclass L(Set):\n    def __init__(self, e): self.e = list(e)\n    def __contains__(self, v): return v in self.e\n    def __iter__(self): return iter(self.e)\n    def __len__(self): return len(self.e)\ndef f(x): return [L(v)._hash() == hash(frozenset(v)) for v in ([], [1], range(50), [(1, 2), None, 2.5, True])]",
            "[True, True, True, True]",
        ),
    ]);
}

#[test]
fn a_size_beyond_memory_is_as_good_as_the_longest() {
    check(&[
        (
            "import sys\ndef f(x): return [('a,b,c'.split(',', n), 'aaa'.replace('a', 'b', n), b'a b'.split(None, n), 'abc'[-n:n], [1, 2, 3].index(2, 0, n), list(__import__('itertools').islice('abc', n)), [1].insert(n, 2), (1,) * -n, 'abc'.find('c', -n, n)) for n in (2**31, 2**40, sys.maxsize)]",
            "[(['a', 'b', 'c'], 'bbb', [b'a', b'b'], 'abc', 1, ['a', 'b', 'c'], None, (), 2), (['a', 'b', 'c'], 'bbb', [b'a', b'b'], 'abc', 1, ['a', 'b', 'c'], None, (), 2), (['a', 'b', 'c'], 'bbb', [b'a', b'b'], 'abc', 1, ['a', 'b', 'c'], None, (), 2)]",
        ),
        (
            "from collections import deque\nimport functools, itertools\ndef f(x):\n    d = deque([1, 2, 3, 4, 5])\n    d.rotate(10**12 + 1)\n    r = itertools.repeat('a', 10**12)\n    next(r)\n    return list(d), repr(r), functools.lru_cache(10**12)(len).cache_info().maxsize, [1, 2].pop(-1)",
            "([5, 1, 2, 3, 4], \"repeat('a', 999999999999)\", 1000000000000, 2)",
        ),
    ]);
}

#[test]
fn a_size_beyond_64_bits_is_an_error() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport itertools\ndef f(x): return [of(g) for g in (lambda: 'a,b'.split(',', 2**63), lambda: 'a'.replace('a', 'b', -2**63 - 1), lambda: [1].insert(2**63, 1), lambda: [1].pop(2**63), lambda: itertools.repeat(1, 2**63), lambda: 'a\\tb'.expandtabs(2**31), lambda: [1].pop(2**40))]",
        "['OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C ssize_t', 'OverflowError: Python int too large to convert to C int', 'IndexError: pop index out of range']",
    )]);
}
