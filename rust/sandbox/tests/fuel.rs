//! Fuel is time: whatever a program has native code do is charged for what it is. Told by fuel alone: each kind of work
//! takes at least what its processor time is worth, measured once as fuel of plain loops that take as long.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Limits, Program, Termination};
use common::{sandbox, text};

/// Fuel of `f(n)` beyond that of an empty program, under any limit.
fn fuel(program: &str, n: usize) -> f64 {
    let limits = common::limits().with_fuel(1 << 45).with_memory_bytes(256 << 20);
    let outcome = sandbox().run(&Program::call(program, "f", n.to_string()).with_limits(limits)).unwrap();
    assert!(matches!(outcome.termination, Termination::Returned(_)), "{program} of {n}: {:?}", outcome.termination);
    let empty = sandbox().run(&Program::call("def f(n): return None", "f", "1")).unwrap();
    outcome.fuel_used.saturating_sub(empty.fuel_used) as f64
}

#[test]
fn loops_of_large_numbers_run_out_of_fuel_long_before_the_clock() {
    for program in [
        "a = 3 ** 2_000_000\nwhile True: b = a * a",
        "a = 3 ** 20_000\nwhile True: a * a",
        "x = 3 ** (5 * 10 ** 7)\ny = x * x",
        "a = 3 ** 100_000\nb = 7 ** 20_000\nwhile True: a // b",
        "a = 3 ** 9_000\nwhile True: str(a)",
        "import math\na = 3 ** 100_000\nwhile True: math.isqrt(a)",
        "import hashlib\nd = b'x' * 10 ** 6\nwhile True: hashlib.sha256(d)",
        "import hashlib\nd = b'x' * 10 ** 6\nwhile True: hashlib.md5(d)",
        "import zlib\nd = b'x' * 10 ** 6\nwhile True: zlib.crc32(d)",
        "s = 'ab' * 10 ** 6\nwhile True: s.count('aa')",
        "xs = [0] * 10 ** 6\nwhile True: 1 in xs",
    ] {
        let outcome = sandbox().run(&Program::script(program).with_limits(common::limits())).unwrap();
        assert_eq!(text(&outcome), "out_of_fuel", "{program}: {:?}", outcome.termination);
    }
}

/// A multiplication of numbers of so many digits takes as many operations of a processor at least as the best
/// algorithms need: n log n.
#[test]
fn a_large_multiplication_is_charged_for_its_digits() {
    let program = "def f(n):\n    a = 3 ** n\n    b = a * a";
    for (n, least) in [(2_000, 200.0), (20_000, 20_000.0), (200_000, 400_000.0), (2_000_000, 8_000_000.0)] {
        let power = fuel("def f(n):\n    a = 3 ** n", n);
        let product = fuel(program, n) - power;
        assert!(product > least, "{n}: {product}");
    }
}

#[test]
fn fuel_of_native_work_grows_as_the_work_does() {
    // What ten times as much takes, against ten.
    for (program, n) in [
        ("import hashlib\ndef f(n): hashlib.sha256(b'x' * n).digest()", 100_000),
        ("import hashlib\ndef f(n): hashlib.md5(b'x' * n).digest()", 100_000),
        ("import hashlib\ndef f(n): hashlib.sha3_256(b'x' * n).digest()", 100_000),
        ("import zlib\ndef f(n): zlib.crc32(b'x' * n)", 100_000),
        ("def f(n): ('ab' * n).count('aa')", 100_000),
        ("def f(n): ('ab' * n).replace('b', 'cc')", 100_000),
        ("def f(n): ('ab ' * n).split()", 30_000),
        ("def f(n): (b'ab' * n).translate(bytes(range(256)))", 100_000),
        ("def f(n): -1 in list(range(n))", 30_000),
        ("def f(n): [0] * n == [0] * n", 100_000),
        ("def f(n): sum(range(n))", 30_000),
        ("import re\ndef f(n): re.findall('a', 'ab' * n)", 10_000),
        ("import math\ndef f(n): math.sumprod([1.5] * n, [2.5] * n)", 30_000),
        ("def f(n): sorted(range(n), reverse=True)", 30_000),
        ("def f(n): bytearray(n)[:] + bytes(n)", 1_000_000),
        ("def f(n): 10 ** n + 1", 100_000),
    ] {
        let (once, tenfold) = (fuel(program, n), fuel(program, 10 * n));
        assert!((4.0..40.0).contains(&(tenfold / once)), "{program}: {once} and {tenfold}");
    }
}

#[test]
fn what_a_program_can_make_as_long_as_it_likes_breaks_no_contract() {
    let long = "'E' * 2_000_000";
    for (program, call, kind) in [
        (format!("def f(x):\n    raise type({long}, (Exception,), {{}})()"), "1", "raised"),
        (format!("def f(x):\n    raise type({long}, (Exception,), {{}})({long})"), "1", "raised"),
        (format!("def f(x):\n    return type({long}, (), {{}})()"), "1", "not_a_task_value"),
        (format!("def f(x):\n    return type({long}, (list,), {{}})()"), "1", "not_a_task_value"),
        (format!("def f(x):\n    return [type({long}, (), {{'__repr__': lambda s: {long}}})()]"), "1", "not_a_task_value"),
        (
            "def f(x):\n    name = 'g' * 100_000\n    space = {}\n    exec(compile(f'def {name}():\\n    1 / 0', '<program>', 'exec'), space)\n    space[name]()".to_owned(),
            "1",
            "raised",
        ),
        (format!("def f(x):\n    raise SyntaxError({long})"), "1", "raised"),
        (format!("def f(x):\n    raise KeyError({long})"), "1", "raised"),
        (format!("def f(x):\n    exec('(' + {long})"), "1", "raised"),
        (format!("def f(x):\n    exec('class ' + {long} + '(Exception): pass\\nraise ' + {long})"), "1", "raised"),
    ] {
        let program = format!("print('x' * (2 ** 20 - 2))\n{program}");
        let limits = Limits::DEFAULT.with_fuel(20_000_000_000).with_memory_bytes(256 << 20);
        let outcome = sandbox().run(&Program::call(&program, "f", call).with_limits(limits)).unwrap();
        assert_eq!(outcome.termination.kind().name(), kind, "{program}: {:?}", outcome.termination);
    }
    let unknown = "a".repeat(200_000);
    let program = Program::call("print('x' * (2 ** 20 - 2))\ndef f(x): return 1", "f", &unknown);
    let outcome = sandbox().run(&program.with_limits(Limits::default())).unwrap();
    assert_eq!(outcome.termination.kind().name(), "invalid_input");
    let clash = format!("print('x' * (2 ** 20 - 2))\n{unknown} = = 1");
    assert_eq!(common::script(&clash).termination.kind().name(), "syntax_error");
}

#[test]
fn results_longer_than_the_address_space_are_errors_of_the_program() {
    for (attack, error) in [
        ("','.join(['a' * 2 ** 16] * 2 ** 16)", "OverflowError"),
        ("b','.join([b'a' * 2 ** 16] * 2 ** 16)", "OverflowError"),
        ("('A' * 2 ** 16).replace('', 'A' * 2 ** 16)", "OverflowError"),
        ("(b'A' * 2 ** 16).replace(b'', b'A' * 2 ** 16)", "OverflowError"),
        ("('A' * 2 ** 16).replace('A', 'A' * 2 ** 16)", "OverflowError"),
        ("'ab' * 2 ** 31", "OverflowError"),
        ("[0] * 2 ** 62", "MemoryError"),
        ("(0, 1) * 2 ** 30", "MemoryError"),
        ("'%.*f' % (2 ** 31 - 1, 1.5)", "ValueError"),
        ("format(1.5, '.2147483647f')", "ValueError"),
    ] {
        assert_eq!(text(&common::script(attack)), error, "{attack}");
    }
}

#[test]
fn slot_names_that_change_while_they_are_read_crash_nothing() {
    let program = |change: &str| {
        format!(
            "class A:\n    __slotnames__ = ['spam']\n    def __getattr__(self, name):
        if name != 'spam': raise AttributeError(name)\n        A.__slotnames__{change}\n        return 42
print(A().__reduce_ex__(2)[2])"
        )
    };
    assert_eq!(common::script(&program("[:] = ['spam']")).stdout, "(None, {'spam': 42})\n");
    assert_eq!(text(&common::script(&program(".append('x')"))), "RuntimeError");
    assert_eq!(common::script(&program("[:] = [1]")).termination.kind().name(), "returned");
}
