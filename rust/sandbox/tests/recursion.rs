//! Recursion in native code is a RecursionError where CPython has one: a stack that overflows is the rare exception.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Limits, Program};
use common::sandbox;

/// Asserts that the body, an attack on the stack, raises RecursionError.
fn raises(before: &str, attack: &str) {
    let program = format!("{before}\ntry:\n    {attack}\nexcept RecursionError:\n    print('RecursionError')\n");
    let outcome = sandbox().run(&Program::script(&program).with_limits(Limits::default())).unwrap();
    assert_eq!(outcome.stdout, "RecursionError\n", "{program}{:?}", outcome.termination);
}

#[test]
fn data_inside_itself_is_compared_until_recursion_is_too_deep() {
    for attack in ["a == b", "a != b", "a in [b]", "[a].index(b)", "[a].count(b)", "[a].remove(b)"] {
        raises("a = []\na.append(a)\nb = []\nb.append(b)", attack);
        raises("a = {}\na[1] = a\nb = {}\nb[1] = b", attack);
    }
    raises("a = []\na.append(a)\nb = []\nb.append(b)", "a < b");
    raises("from collections import deque\na = deque()\na.append(a)\nb = deque()\nb.append(b)", "a == b");
}

#[test]
fn nested_data_is_followed_as_deep_as_cpython_does_and_no_deeper() {
    let nest = |start: &str, step: &str, levels: usize| format!("x = {start}\nfor _ in range({levels}): x = {step}");
    for (start, step) in [("[]", "[x]"), ("()", "(x,)"), ("{}", "{1: x}")] {
        raises(&nest(start, step, 100_000), "repr(x)");
        raises(&format!("{}\ny = x\n{}", nest(start, step, 100_000), nest(start, step, 100_000)), "x == y");
        let deep = format!("{}\nprint(len(repr(x)) > 9_000, x == {})", nest(start, step, 9_900), step);
        let outcome = sandbox().run(&Program::script(&deep).with_limits(Limits::default())).unwrap();
        assert_eq!(outcome.stdout, "True False\n", "{deep}: {:?}", outcome.termination);
    }
    raises(&nest("(int,)", "(x,)", 100_000), "isinstance('', x)");
    raises(&format!("import json\n{}", nest("[]", "[x]", 100_000)), "json.dumps(x)");
    raises(&format!("import pickle\n{}", nest("[]", "[x]", 100_000)), "pickle.dumps(x)");
    raises(&format!("import copy\n{}", nest("[]", "[x]", 100_000)), "copy.deepcopy(x)");
    raises("import json", "json.loads('[' * 100_000)");
    raises("import json", "json.loads('{\"a\":' * 100_000)");
}

#[test]
fn objects_that_call_themselves_are_stopped() {
    raises("class C: pass\nc = C()\nC.__call__ = c", "c()");
    raises("class C: pass\nc = C()\nC.__repr__ = lambda s: repr([s])", "repr(c)");
    raises("class D:\n    def __get__(s, o, t): return getattr(o, 'x')\nclass C:\n    x = D()", "C().x");
    raises("class C:\n    def __eq__(s, o): return [s] == [o]\n    __hash__ = None", "C() == C()");
    raises("class C:\n    def __hash__(s): return hash((s,))", "hash(C())");
    raises("class C:\n    def __iter__(s): yield from s", "list(C())");
}

#[test]
fn programs_that_lift_the_recursion_limit_are_stopped_by_the_stack() {
    let lifted = "import sys\nsys.setrecursionlimit(10 ** 9)\n";
    for (before, attack) in [
        ("def g(n): return g(n + 1)", "g(0)"),
        ("def g(n): return sorted([1], key=lambda x: g(n + 1))", "g(0)"),
        ("def g(n): return list(map(g, [n]))", "g(0)"),
        ("class A:\n    def __add__(s, o): return s + o", "A() + 1"),
        ("class A:\n    def __init__(s): A()", "A()"),
        ("class A:\n    def __getattr__(s, n): return getattr(s, n)", "A().x"),
        ("text = 'exec(text)'", "exec(text)"),
    ] {
        raises(&format!("{lifted}{before}"), attack);
    }
    let deep = format!("{lifted}def g(n): return 0 if n == 0 else 1 + g(n - 1)\nprint(g(15_000))");
    let outcome = sandbox().run(&Program::script(&deep).with_limits(Limits::default())).unwrap();
    assert_eq!(outcome.stdout, "15000\n", "{:?}", outcome.termination);
}
