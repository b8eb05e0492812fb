//! No cliffs: what is linear in CPython is linear here. Told by how fuel grows with the size, not by a clock.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Limits, Program, Termination};
use common::{sandbox, text};

/// Fuel of `f(n)` beyond that of an empty program.
fn fuel(program: &str, n: usize) -> f64 {
    let limits = common::limits().with_fuel(1 << 40).with_memory_bytes(256 << 20);
    let outcome = sandbox().run(&Program::call(program, "f", n.to_string()).with_limits(limits)).unwrap();
    assert!(matches!(outcome.termination, Termination::Returned(_)), "{program} of {n}: {:?}", outcome.termination);
    let empty = sandbox().run(&Program::call("def f(n): return n", "f", "1")).unwrap();
    outcome.fuel_used.saturating_sub(empty.fuel_used) as f64
}

/// Asserts that twice the size takes about twice the fuel.
fn linear(program: &str, n: usize) {
    let (once, twice) = (fuel(program, n), fuel(program, 2 * n));
    assert!(twice < 2.6 * once, "{program}\n{n} takes {once}, twice as much {twice}");
}

#[test]
fn appending_to_a_text_is_linear_whatever_variable_holds_it() {
    for program in [
        "def f(n):\n    s = ''\n    for i in range(n):\n        s += 'x'\n    return len(s)",
        "def f(n):\n    s = ''\n    for i in range(n):\n        s = s + 'x'\n    return len(s)",
        "def f(n):\n    s = ''\n    for i in range(n):\n        s += 'é'\n    return len(s)",
        "s = ''\ndef f(n):\n    global s\n    for i in range(n):\n        s += 'x'\n    return len(s)",
        "def f(n):\n    s = ''\n    def add(t):\n        nonlocal s\n        s += t\n    for i in range(n):\n        add('x')\n    return len(s)",
        "def f(n):\n    space = {'n': n}\n    exec('s = \"\"\\nfor i in range(n): s += \"x\"', space)\n    return len(space['s'])",
        "def f(n):\n    s = t = ''\n    for i in range(n):\n        s += 'x'; t = i\n    return len(s)",
    ] {
        linear(program, 50_000);
    }
}

#[test]
fn appending_changes_no_text_that_something_else_has() {
    let program = "def f(n):
    s = 'a' * n
    kept = [s]
    d = {s: 1}
    s += 'b'
    kept.append(s)
    t = s
    s += 'c'
    hash(t)
    t += 'd'
    g = (lambda: t)
    def h():
        nonlocal t
        t += 'e'
        return t
    u = h()
    t += 'f'
    return [len(k) for k in kept], d['a' * n], s[-2:], t[-3:], u[-2:], g()[-1], hash(t) == hash('a' * n + 'bdef'), t == 'a' * n + 'bdef'";
    assert_eq!(text(&common::run(program, "1000")), "([1000, 1001], 1, 'bc', 'def', 'de', 'f', True, True)");
    let program = "def f(n):
    s = 'a' * n
    s += s
    s += 'é'
    s += '世'
    kinds = s.isascii(), len(s), s[-1], s[2 * n], s.index('世')
    try:
        s += 1
    except TypeError:
        pass
    return kinds, len(s)";
    assert_eq!(text(&common::run(program, "500")), "((False, 1002, '世', 'é', 1001), 1002)");
}

#[test]
fn two_hundred_thousand_appends_are_well_inside_the_default_limits() {
    let program = "text = ''\nfor i in range(200_000):\n    text += 'x'\nprint(len(text))";
    let outcome = sandbox().run(&Program::script(program).with_limits(Limits::default())).unwrap();
    assert_eq!(outcome.stdout, "200000\n");
    assert!(outcome.fuel_used < Limits::default().fuel / 50, "{}", outcome.fuel_used);
}

#[test]
fn what_people_expect_of_a_sandbox_ends_under_the_default_limits() {
    let primes = "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))
print(sum(is_prime(n) for n in range(150_000)))";
    let collatz = "best = 0\nfor n in range(1, 30_000):\n    c = 0\n    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1\n        c += 1\n    best = max(best, c)\nprint(best)";
    for (program, printed) in [(primes, "13848\n"), (collatz, "307\n")] {
        let outcome = sandbox().run(&Program::script(program).with_limits(Limits::default())).unwrap();
        assert_eq!(outcome.stdout, printed, "{:?}", outcome.termination);
    }
}

#[test]
fn containers_and_texts_are_walked_in_linear_time() {
    for program in [
        "def f(n):\n    s = 'aé世😀' * n\n    return len([s[i] for i in range(len(s))])",
        "def f(n):\n    s = 'aé世😀' * n\n    return len([s[i:i + 3] for i in range(0, len(s), 3)])",
        "def f(n):\n    s = 'ab' * n + 'c'\n    return s.find('abc'), s.count('ba'), 'abc' in s, s.rfind('x'), s.replace('a', 'xx')[:3]",
        "def f(n):\n    return len(('one two ' * n).split()), len(','.join(['ab'] * n)), len(('a\\n' * n).splitlines())",
        "def f(n):\n    from collections import deque\n    d = deque(range(n))\n    for i in range(n):\n        d.append(d.popleft())\n    return len(d)",
        "def f(n):\n    xs = []\n    for i in range(n):\n        xs += [i]\n    while xs:\n        xs.pop()\n    return len(xs)",
        "def f(n):\n    b = bytearray()\n    for i in range(n):\n        b += b'xy'\n        b.append(1)\n    return len(b)",
        "def f(n):\n    d = {}\n    for i in range(n):\n        d[i] = i\n    for i in range(n):\n        del d[i]\n    return len(d)",
        "def f(n):\n    import json\n    return len(json.loads(json.dumps(list(range(n)))))",
        "def f(n):\n    import re\n    return len(re.sub('b+', 'é', 'abbc' * n))",
        "def f(n):\n    import copy\n    return len(copy.deepcopy([[i] for i in range(n // 10)]))",
        "def f(n):\n    import io\n    out = io.StringIO()\n    for i in range(n):\n        out.write('xy')\n    return len(out.getvalue())",
    ] {
        linear(program, 20_000);
    }
}

#[test]
fn cyclic_garbage_does_not_use_up_the_memory() {
    let large = "def f(n):\n    class Box: pass\n    for i in range(n):\n        a, b = Box(), Box()
        a.other, b.other = b, a\n        a.data = [0] * 1_000_000\n    return n";
    let old = "class Box: pass\nkeep = []\ndef f(n):\n    for i in range(n):\n        a, b = Box(), Box()
        a.other, b.other = b, a\n        a.data = [0] * 100\n        keep.append(a)
        if len(keep) > 20_000:\n            keep.clear()\n    return n";
    for (program, n) in [(large, "200"), (old, "600_000")] {
        let outcome = sandbox().run(&Program::call(program, "f", n).with_limits(Limits::default())).unwrap();
        assert_eq!(text(&outcome), n.replace('_', ""));
    }
}
