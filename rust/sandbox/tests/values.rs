//! Values and exceptions that drawn programs found to differ from CPython's.

mod common;

use common::{run, text};

fn all_are(cases: &[(&str, &str)]) {
    for (expression, value) in cases {
        assert_eq!(text(&run(&format!("def f(x): return {expression}"), "0")), *value, "{expression}");
    }
}

#[test]
fn an_iteration_ends_where_its_callable_says_so() {
    all_are(&[
        ("list(iter(__import__('functools').partial(next, iter([1, 2])), 0))", "[1, 2]"),
        ("(i for i in ()).throw(StopIteration)", "StopIteration"),
    ]);
}

#[test]
fn bytes_are_stripped_byte_by_byte() {
    all_are(&[
        ("b'\\xc4\\xb0'.rstrip(b'0')", "b'\\xc4\\xb0'"),
        ("b'\\xc2\\xa0x\\xe3\\x80\\x80'.strip()", "b'\\xc2\\xa0x\\xe3\\x80\\x80'"),
        ("b' \\t\\x1c x\\x0b\\x0c'.strip()", "b'\\x1c x'"),
        ("__import__('urllib.parse').parse.quote('\\u0661\\u0130')", "'%D9%A1%C4%B0'"),
    ]);
}

#[test]
fn what_has_no_order_is_sorted_by_cpythons_comparisons() {
    all_are(&[
        ("repr(__import__('statistics').median([float('nan'), 0.3, 5e-324, -1.0]))", "'nan'"),
        ("repr(sorted([2.0, float('nan'), 1.0, 3.0], reverse=True))", "'[3.0, 2.0, nan, 1.0]'"),
    ]);
}

#[test]
fn arguments_are_taken_as_cpython_takes_them() {
    all_are(&[
        ("range(b'', 0, 0)", "TypeError"),
        ("{1}.__ior__([2]) is NotImplemented", "True"),
        ("sorted([1, 3, 2], reverse='yes')", "[3, 2, 1]"),
        ("'' * 2**40, () * 2**62", "('', ())"),
        ("b'' % ''", "TypeError"),
        ("__import__('array').array('i', b'a')", "ValueError"),
        ("__import__('random').Random(-0.5).getrandbits(3)", "5"),
        ("isinstance(reversed((1,)), reversed), list(reversed('ab'))", "(True, ['b', 'a'])"),
    ]);
}

#[test]
fn structs_refuse_what_is_of_another_type() {
    let program = "import struct
def f(form, value):
    try: struct.pack(form, value)
    except struct.error: return True";
    for arguments in ["'c', 1", "'4s', 1", "'p', 'a'", "'d', []"] {
        assert_eq!(text(&run(program, arguments)), "True", "{arguments}");
    }
}

#[test]
fn sums_of_thousands_of_terms_compile() {
    all_are(&[
        ("eval('+'.join(['1'] * 3000))", "3000"),
        ("eval('+'.join(['x'] * 9000))", "0"),
        ("eval('+'.join(['1'] * 20000))", "RecursionError"),
    ]);
}

#[test]
fn an_equals_sign_in_an_fstring_is_no_keyword_of_a_call() {
    all_are(&[("str(f'{'=':}')", "'='"), ("len(f\"{\"a=b\":{5}}\")", "5"), ("dict(a=f'{'='}')", "{'a': '='}")]);
}
