//! Every limit holds, by every route that was thought of, and is an outcome of its own.

mod common;

use azr_sandbox::{Error, Limits, Program, Termination};
use common::{run, sandbox, script, text};

/// Asserts how a script ends.
fn ends(expected: &str, program: &str) {
    let outcome = script(program);
    let start: String = program.chars().take(200).collect();
    assert_eq!(text(&outcome), expected, "{start}\nends as {:?}", outcome.termination);
}

#[test]
fn loops_without_end_run_out_of_fuel() {
    ends("out_of_fuel", "while True: pass");
    ends("out_of_fuel", "sum(range(10**12))");
    ends("out_of_fuel", "for x in iter(int, 1): pass");
    ends("out_of_fuel", "def g():\n    while True:\n        yield 1\nmax(g())");
    ends("out_of_fuel", "import time\nwhile True: time.sleep(1)");
}

#[test]
fn swallowing_every_exception_does_not_outlive_the_fuel() {
    ends("out_of_fuel", "while True:\n    try:\n        while True: pass\n    except BaseException:\n        continue");
}

#[test]
fn native_code_is_metered_like_any_other() {
    ends("out_of_memory", "10**10**8");
    ends("out_of_fuel", "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')");
    ends("out_of_fuel", "class K:\n    def __lt__(s, o):\n        while True: pass\nsorted([K(), K()])");
    ends(
        "out_of_fuel",
        "class K:\n    def __hash__(s): return 1\n    def __eq__(s, o): return False\n{K(): 0 for _ in range(10**6)}",
    );
    ends("out_of_fuel", "x = 'a' * 1000\nwhile True:\n    x = x.replace('a', 'aa')[:20_000_000]");
    ends("out_of_fuel", "s = 'a' * 10_000_000\nwhile True: s + s");
}

#[test]
fn memory_runs_out_by_every_route() {
    ends("out_of_memory", "'x' * 10**9");
    ends("out_of_memory", "[0] * 10**8");
    ends("out_of_memory", "bytearray(10**9)");
    ends("out_of_memory", "x = []\nwhile True: x.append(bytearray(100_000))");
    ends("out_of_memory", "d = {}\ni = 0\nwhile True:\n    d[i] = bytearray(10_000)\n    i += 1");
    ends("out_of_memory", "x = [1]\nwhile True: x = x + x");
    ends("out_of_memory", "try:\n    'x' * 10**9\nexcept MemoryError:\n    pass");
}

#[test]
fn deep_recursion_is_a_recursion_error_at_cpythons_depth() {
    let depth = "def g(n):\n    return 0 if n == 0 else 1 + g(n - 1)\n";
    assert_eq!(text(&run(&format!("{depth}def f(n): return g(n)"), "970")), "970");
    assert_eq!(text(&run(&format!("{depth}def f(n): return g(n)"), "1100")), "RecursionError");
    ends("RecursionError", "def g(): return g()\ng()");
    ends("RecursionError", "class A:\n    def __repr__(s): return repr(s)\nrepr(A())");
    ends("RecursionError", "class A:\n    def __eq__(s, o): return s == o\nA() == A()");
    ends("RecursionError", "class A:\n    def __getattr__(s, n): return getattr(s, n)\nA().x");
    ends("RecursionError", "import sys\nsys.setrecursionlimit(10**9)\ndef g(): return g()\ng()");
}

#[test]
fn recursion_by_every_detour_ends_and_leaves_the_sandbox_working() {
    for (end, program) in [
        ("RecursionError", "class A:\n    def __repr__(s): return repr(s)\nrepr(A())"),
        ("RecursionError", "class A:\n    def __eq__(s, o): return s == o\nA() == A()"),
        ("RecursionError", "class A:\n    def __hash__(s): return hash(s)\n{A()}"),
        ("None", "class A:\n    def __del__(s): A()\nA()"),
        ("None", "class A:\n    def __del__(s):\n        s.a = A()\n        del s.a\nA()"),
        ("RecursionError", "def d(f):\n    @d\n    def g(): pass\n    return g\n@d\ndef h(): pass"),
        ("RecursionError", "class M(type):\n    def __call__(c): return c()\nclass A(metaclass=M): pass\nA()"),
        ("RecursionError", "class M(type):\n    def __new__(m, n, b, d): return M(n, b, d)\nM('A', (), {})"),
        ("RecursionError", "class A:\n    def __getattr__(s, n): return getattr(s, n)\nA().x"),
        ("RecursionError", "class A:\n    def __iter__(s): return iter(s)\nlist(A())"),
        ("RecursionError", "class A:\n    def __format__(s, f): return f'{s:{f}}'\nf'{A()}'"),
        ("RecursionError", "class A(dict):\n    def __missing__(s, k): return s[k]\nA()[1]"),
        ("RecursionError", "def g():\n    yield from g()\nnext(g())"),
        ("RecursionError", "import functools\n@functools.lru_cache\ndef f(n): return f(n + 1)\nf(0)"),
        ("A", "class A(Exception):\n    def __str__(s): return str(s)\nraise A"),
        ("None", "x = []\nfor _ in range(200_000): x = [x]\ndel x"),
        ("out_of_fuel", "f = lambda: 0\nfor _ in range(200_000): f = (lambda g: lambda: g())(f)\nf()"),
    ] {
        ends(end, program);
        assert_eq!(text(&run("def f(x): return x", "1")), "1", "after {program}");
    }
}

#[test]
fn nested_data_is_a_recursion_error_and_never_hangs() {
    let nest = "x = []\nfor _ in range(100_000): x = [x]\n";
    for end in ["repr(x)", "x == [x]", "import copy; copy.deepcopy(x)", "import json; json.dumps(x)", "hash(str(x))"] {
        ends("RecursionError", &format!("{nest}{end}"));
    }
    assert_eq!(
        run("def f():\n    x = []\n    x.append(x)\n    return x", "").termination.kind().name(),
        "not_a_task_value"
    );
}

#[test]
fn nested_text_is_refused_before_it_is_parsed() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
        ends("syntax_error", &format!("x = {}1{}", open.repeat(5_000), close.repeat(5_000)));
    }
    ends("syntax_error", &(0..300).map(|at| format!("{}if 1:\n", " ".repeat(at))).collect::<String>());
}

#[test]
fn text_that_nests_without_brackets_ends_as_an_outcome() {
    let long = [
        ("stack_overflow", format!("x = {}1", "-".repeat(100_000))),
        ("stack_overflow", format!("x = {}1", "not ".repeat(50_000))),
        ("RecursionError", format!("x = {}1", "lambda: ".repeat(20_000))),
        ("RecursionError", format!("x = 1{}", "+1".repeat(100_000))),
        ("RecursionError", format!("x = a{}", ".b".repeat(100_000))),
        ("RecursionError", format!("x = {}1", "1 if 1 else ".repeat(15_000))),
        ("syntax_error", format!("x = f'{}'", "{1:".repeat(3_000))),
    ];
    for (end, program) in long {
        ends(end, &program);
    }
}

#[test]
fn output_is_bounded() {
    ends("output_too_long", "while True: print('flood' * 1_000)");
    ends(
        "output_too_long",
        "import sys\nwhile True:\n    try: sys.stderr.write('x' * 1000)\n    except BaseException: pass",
    );
    assert_eq!(script("print('a', 1)\nimport sys\nprint('b', file=sys.stderr)").stdout, "a 1\n");
}

#[test]
fn values_and_sources_are_bounded() {
    assert_eq!(run("def f(n): return 'x' * n", "10_000_000").termination.kind().name(), "not_a_task_value");
    assert_eq!(script(&"x = 1\n".repeat(100_000)).termination.kind().name(), "syntax_error");
    assert_eq!(
        run("def f(x): return 1", &format!("'{}'", "a".repeat(300_000))).termination.kind().name(),
        "invalid_input"
    );
}

#[test]
fn exceptions_may_have_texts_of_any_kind() {
    let huge = script("raise ValueError('x' * 10**6)");
    let Termination::Raised { message, .. } = &huge.termination else { panic!("{:?}", huge.termination) };
    assert!(message.len() < 3_000);
    ends("E", "class E(Exception):\n    def __str__(s): raise s\nraise E");
    ends("out_of_fuel", "class E(Exception):\n    def __str__(s):\n        while True: pass\nraise E");
    ends("SystemExit", "import sys\nsys.exit(3)");
    ends("SystemExit", "import os\ntry:\n    os._exit(3)\nexcept BaseException:\n    pass\nwhile True: pass");
}

#[test]
fn crafted_code_objects_stay_inside() {
    let program = "def g(): pass\ng.__code__ = g.__code__.replace(co_code=bytes(range(256)) * 4)\ng()";
    ends("ValueError", program);
    assert_eq!(text(&run("def f(x): return x", "7")), "7");
}

#[test]
fn strange_text_is_text() {
    assert_eq!(text(&run("def f(s): return len(s), s[::-1]", "'\\ud800x'")), "(2, 'x\\ud800')");
    ends("syntax_error", "x = '\0'\0");
    assert_eq!(text(&run("def f(s): return s", "'\u{1F600}\u{202E}'")), "'\u{1F600}\\u202e'");
}

#[test]
fn the_wall_clock_is_an_error_and_no_outcome() {
    let limits = common::limits().with_wall(std::time::Duration::from_millis(30)).with_fuel(1 << 60);
    let program = Program::script("while True: pass").with_limits(limits);
    assert!(matches!(sandbox().run(&program), Err(Error::WallClock { .. })));
    assert_eq!(text(&run("def f(x): return x", "1")), "1");
}

#[test]
fn limits_that_cannot_be_kept_are_refused_by_name() {
    let program = |limits| Program::script("1").with_limits(limits);
    let error = sandbox().run(&program(Limits::DEFAULT.with_fuel(0))).unwrap_err();
    assert!(error.to_string().contains("fuel"), "{error}");
    let error = sandbox().run(&program(Limits::DEFAULT.with_memory_bytes(1))).unwrap_err();
    assert!(error.to_string().contains("memory_bytes"), "{error}");
}
