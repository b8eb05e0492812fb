//! Source text becomes what CPython makes of it, by whichever way it is compiled.

mod common;

use azr_sandbox::Termination;
use common::{check, run, script, text};
use proptest::prelude::*;

/// The same arguments, unpacked from a tuple: those the compiler makes.
fn compiled(arguments: &str) -> String {
    if arguments.trim().is_empty() { String::new() } else { format!("*({arguments},)") }
}

const SHOW: &str = "def f(*arguments):
    def show(x):
        if isinstance(x, dict): return ['dict', [(show(k), show(v)) for k, v in x.items()]]
        if isinstance(x, (list, tuple, set)): return [type(x).__name__, [show(item) for item in x]]
        return [type(x).__name__, repr(x)]
    return show(arguments)";

#[test]
fn plain_arguments_are_what_the_compiler_makes_of_them() {
    for arguments in [
        "1, -1, 0, -0, True, False, None",
        "0.0, -0.0, 1e308, 1e999, -1e999, 5e-324, 1_000.5",
        "9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809, 0xff, 0b11, 0o17",
        "'', 'name_1', 'two words', 'é', '\u{1f600}', \"it's\", '''three''', 'a' 'b', r'raw\\', u'u'",
        "'\\n\\t\\\\\\'', '\\x41', '\\u00e9', '\\ud800', '\\N{BULLET}', '\\101', '\\q'",
        "b'', b'bytes\\x00', b'a' b'b', rb'\\n'",
        "[], (), {}, [[1], (2,), {3: {4}}], {1, 2, 1.0, True}, {1: 'a', True: 'b', 1.0: 'c'}",
        "{'a': 1, **{'b': 2}}, [*range(3)], {*()}, 1 + 2, -True, +1, ~1, not 1, 1j, -1j, 1 + 2j",
        "f'{1}', ..., (1), ((2)), (3,), [4,], lambda: 0 if 0 else 1, [x for x in 'ab']",
        " 1 , # a comment\n 2",
    ] {
        // A lambda's repr holds an address; the two calls make the same.
        assert_eq!(text(&run(SHOW, arguments)), text(&run(SHOW, &compiled(arguments))), "{arguments}");
    }
}

const SAME: &str = "def f(*arguments):
    def leaves(x):
        if isinstance(x, dict):
            for k, v in x.items(): yield from leaves(k); yield from leaves(v)
        elif isinstance(x, (list, set)):
            for item in x: yield from leaves(item)
        else: yield x
    found = list(leaves(list(arguments)))
    return [next(i for i, y in enumerate(found) if y is x) for x in found]";

#[test]
fn a_set_of_constants_is_walked_as_the_compiled_one() {
    // Where elements collide, the order tells a set that was filled from a constant.
    for arguments in [
        "{b'x', 'c cca', -2.3062324005899074e-308}",
        "{9, 1, 17, 25, 33}",
        "{9, 1}, {17, 9, 1}, {17, 9, 1, 9}",
        "({1, (2, 3), None, 'a', -9, 7},), [{8, 16, (0, [])}]",
        "{33: {9, 1, 17, 25, 33}}",
    ] {
        assert_eq!(text(&run(SHOW, arguments)), text(&run(SHOW, &compiled(arguments))), "{arguments}");
    }
    assert_eq!(text(&run("def f(x): return list(x)", "{9, 1, 17, 25, 33}")), "[33, 1, 17, 9, 25]");
}

#[test]
fn equal_constants_of_a_call_are_one_object_as_in_cpython() {
    // What CPython 3.11 says.
    for (arguments, same) in [
        (
            "1000, 1000, [1000, -1000, -1000], 1.5, 1.5, [1.5, -1.5, -1.5], 0.0, -0.0, 0.0",
            "[0, 0, 0, 3, 3, 5, 5, 5, 8, 8, 10, 11, 10]",
        ),
        ("'a b', 'a b', ['a b', b'a b', b'a b'], 'ab', 'ab', {'a b': 'a b'}", "[0, 0, 0, 3, 3, 5, 5, 0, 0]"),
        ("(1, 2), (1, 2), [(1, 2), (1, 2, 3)], ('a b', 1000), ('a b', 1000), ([],), ([],)", "[0, 0, 0, 3, 4, 4, 6, 7]"),
    ] {
        assert_eq!(text(&run(SAME, arguments)), same, "{arguments}");
    }
}

#[test]
fn the_depth_of_recursion_is_one_whoever_brings_the_arguments() {
    let program = "def f(x):\n    def depth(n):\n        try: return depth(n + 1)\n        except RecursionError: return n\n    return depth(0)";
    let text_of = |outcome: &azr_sandbox::Outcome| text(outcome);
    let written = text_of(&run(program, "1"));
    let given = azr_sandbox::Program::call_with(program, "f", vec![azr_sandbox::Value::None]);
    assert_eq!(text_of(&common::sandbox().run(&given).unwrap()), written);
    assert_eq!(text_of(&run(program, "*(1,)")), written);
}

#[test]
fn arguments_that_cannot_be_made_raise_in_the_program() {
    for arguments in ["{[1]: 2}", "{[1], 2}", "{{}: 0}", "[({}, {1: {[]: 0}})]"] {
        assert_eq!(text(&run("def f(x): return x", arguments)), "TypeError", "{arguments}");
    }
}

#[test]
fn a_call_looks_the_same_from_inside_whatever_its_arguments_are() {
    let program = "import sys
def depth(n=0):
    try: return depth(n + 1)
    except RecursionError: return n
def f(x):
    caller = sys._getframe(1)
    return (caller.f_code.co_name, caller.f_code.co_filename, caller.f_globals is globals(), 'function' in globals(),
            x is 'name_1', depth())";
    let plain = run(program, "'name_1'");
    assert_eq!(text(&plain), text(&run(program, "*('name_1',)")));
    assert!(text(&plain).starts_with("('<module>', '<call>', True, False, True, "), "{}", text(&plain));
}

#[test]
fn an_entry_that_is_no_function_of_the_program_is_what_it_is_for_the_compiler() {
    assert_eq!(text(&run("f = 3", "1")), "TypeError");
    assert_eq!(text(&run("g = 3", "1")), "NameError");
    assert_eq!(text(&run("def f(x): return x\ndel f", "1")), "NameError");
    assert_eq!(text(&run("class f:\n    def __new__(cls, x): return [x]", "1")), "[1]");
    assert_eq!(text(&run("def f(a, b): return a", "1")), "TypeError");
}

#[test]
fn the_compilers_warnings_are_printed_once() {
    for (program, warning) in [
        ("x = '\\d'", "\"\\d\" is an invalid escape sequence"),
        ("x = 1\ny = x is 5", "\"is\" with 'int' literal"),
        ("x = 0 if 1else 2", "invalid decimal literal"),
        ("x = 0 if 0xfor 2 else 1", "invalid hexadecimal literal"),
        ("x = 0 if 1.else 2", "invalid decimal literal"),
        ("assert (1, 'always')", "assertion is always true"),
        ("x = lambda: 1()", "'int' object is not callable"),
    ] {
        let outcome = script(program);
        assert_eq!(text(&outcome), "None", "{program}");
        let stderr = &outcome.stderr;
        assert_eq!(stderr.matches(warning).count(), 1, "{program}: {stderr}");
    }
    assert!(script("x = 1e5 + 0xaf\nassert x").stderr.is_empty());
}

#[test]
fn a_syntax_error_beside_text_outside_ascii_is_a_syntax_error() {
    for program in
        ["x = 'é", "x = 1\ny = \"\"\"é", "é = = 1", "f(é é)", "x = 'é' 0x", "x = {'é': ", "# é\nfoo bar", "x = f'{é'"]
    {
        let termination = script(program).termination;
        let Termination::SyntaxError { message, line } = &termination else { panic!("{program}: {termination:?}") };
        assert!(!message.is_empty() && *line >= 1, "{program}: {termination:?}");
        assert!(*line as usize <= program.lines().count() + 1, "{program}: {termination:?}");
    }
    let termination = script("x = 1\n\né = = 1").termination;
    assert!(matches!(termination, Termination::SyntaxError { line: 3, .. }), "{termination:?}");
}

#[test]
fn small_blocks_of_every_size_are_used_again() {
    // Far more than the memory limit in all, never much of it at once; what is kept stays as it was.
    let program = "def f(n):
    kept = {i: bytes([i % 256]) * i for i in range(0, 600, 7)}
    grown = []
    for i in range(n):
        x = bytes(i % 700) + b'x'
        y = [i] * (i % 150)
        grown.append(i)
        if len(grown) > 300: grown = grown[-3:]
        y.append(x)
    return all(value == bytes([i % 256]) * i for i, value in kept.items()) and grown[-1] == n - 1";
    let outcome = run(program, "60000");
    assert_eq!(text(&outcome), "True");
    assert!(outcome.peak_memory < 4 << 20, "{}", outcome.peak_memory);
}

/// The text of a plain value.
fn literal() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("a number", |x| x.is_finite()).prop_map(|x| format!("{x:?}")),
        "[a-zA-Z0-9_ é'\"\\\\\n\t]{0,12}".prop_map(|s| format!("{:?}", s.replace('\'', "\u{2019}"))),
        prop_oneof![Just("None"), Just("True"), Just("False"), Just("b'x'"), Just("-0")].prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|items| format!("({},)", items.join(", "))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|items| format!("{{{}}}", items.join(", "))),
            prop::collection::vec((inner.clone(), inner), 0..4).prop_map(|pairs| {
                let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_plain_arguments_are_what_the_compiler_makes_of_them(items in prop::collection::vec(literal(), 0..4)) {
        let arguments = items.join(", ");
        let (plain, compiled) = (run(SHOW, &arguments), run(SHOW, &compiled(&arguments)));
        prop_assert_eq!(text(&plain), text(&compiled), "{}", arguments);
    }
}

#[test]
fn an_indentation_at_the_start_is_the_error_whatever_comes_then() {
    check(&[(
        "def of(g):\n    try: g()\n    except SyntaxError as e: return type(e).__name__, e.msg, e.lineno, e.offset\ndef f(x): return [of(lambda: compile(s, '', m)) for s in ('  +x', '     00d{}', '\\n # c\\n\\t\"', '# a\\n  0x\\n', '\\n  1 (') for m in ('exec', 'eval')]",
        "[('IndentationError', 'unexpected indent', 1, 2), ('IndentationError', 'unexpected indent', 1, 2), ('IndentationError', 'unexpected indent', 1, 5), ('IndentationError', 'unexpected indent', 1, 5), ('IndentationError', 'unexpected indent', 3, 1), ('IndentationError', 'unexpected indent', 3, 1), ('IndentationError', 'unexpected indent', 2, 2), ('IndentationError', 'unexpected indent', 2, 2), ('IndentationError', 'unexpected indent', 2, 2), ('IndentationError', 'unexpected indent', 2, 2)]",
    )]);
}

#[test]
fn a_literal_without_an_end_in_front_of_text_outside_ascii_is_a_syntax_error() {
    check(&[(
        "def of(s):\n    try: eval(s)\n    except SyntaxError as e: return type(e).__name__, e.msg\ndef f(x): return [of(s) for s in (\"it's/\\u01c6\", \"'\\u65e5\", 'b\"\\U0001f600', \"f'\\xe9\", \"'''\\xe9\", \"\\\\'\\xe9\")]",
        "[('SyntaxError', 'unterminated string literal (detected at line 1)'), ('SyntaxError', 'unterminated string literal (detected at line 1)'), ('SyntaxError', 'unterminated string literal (detected at line 1)'), ('SyntaxError', 'unterminated f-string literal (detected at line 1)'), ('SyntaxError', 'unterminated triple-quoted string literal (detected at line 1)'), ('SyntaxError', 'unexpected character after line continuation character')]",
    )]);
}
