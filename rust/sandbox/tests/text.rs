//! Text is what CPython makes of it: surrogates stay, characters have Unicode 16's properties, formats take their
//! arguments in CPython's order. Values are CPython's.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use azr_sandbox::{Cancel, Equality, Literal, Program, Termination, Value};
use common::{check, run, sandbox, script, text};

/// The three bytes of U+D800.
const SURROGATE: &[u8] = b"\xed\xa0\x80";

fn right(answer: &str, gold: Value) -> bool {
    let items = [(answer.to_owned(), gold)];
    sandbox().check_output(&items, Equality::STRICT, &Cancel::new()).remove(0).unwrap().correct
}

fn all(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        let program = format!("import re, codecs, unicodedata\ndef f(x):\n    return {expression}");
        let outcome = run(&program, "0");
        assert_eq!(text(&outcome), *expected, "{expression}: {:?}", outcome.termination);
    }
}

#[test]
fn a_lone_surrogate_returned_is_that_surrogate() {
    let outcome = run("def f(x):\n    return '\\ud800'", "0");
    assert_eq!(outcome.termination, Termination::Returned(Value::Str(SURROGATE.to_vec())));
    assert_eq!(text(&outcome), "'\\ud800'");
}

#[test]
fn a_task_about_a_surrogate_is_solved_by_its_own_answer_alone() {
    assert!(right("'\\ud800'", Value::Str(SURROGATE.to_vec())));
    assert!(right("'a' '\\ud800' \"\\udc80\"", Value::Str(b"a\xed\xa0\x80\xed\xb2\x80".to_vec())));
    assert!(right("[('\\ud800', {'\\ud800': 1})]", {
        let text = Value::Str(SURROGATE.to_vec());
        Value::List(vec![Value::Tuple(vec![text.clone(), Value::Dict(vec![(text, Value::Int(1.into()))])])])
    }));
    assert!(!right("'\\ufffd'", Value::Str(SURROGATE.to_vec())));
    assert!(!right("'\\ud800'", Value::Str("\u{fffd}".into())));
    assert!(right("'\\ufffd'", Value::Str("\u{fffd}".into())));
    assert!(right("'\u{fffd}'", Value::Str("\u{fffd}".into())));
    // Two escapes stay two code points, as in CPython.
    assert!(!right("'\\ud83d\\ude00'", Value::Str("\u{1f600}".into())));
}

#[test]
fn surrogates_in_arguments_reach_the_program() {
    let program = "def f(*texts):\n    return [[ord(c) for c in text] for text in texts]";
    assert_eq!(
        text(&run(program, "'\\ud800', '\\ud83d\\ude00', 'a\\udfff', '\\ufffd'")),
        "[[55296], [55357, 56832], [97, 57343], [65533]]"
    );
    let given = Program::call_with(program, "f", vec![Value::Str(SURROGATE.to_vec())]);
    assert_eq!(text(&sandbox().run(&given).unwrap()), "[[55296]]");
}

#[test]
fn printing_a_surrogate_is_an_error_as_on_a_utf_8_terminal() {
    assert_eq!(text(&script("print('a\\udc80')")), "UnicodeEncodeError");
    let outcome = script("import sys\nprint('a\\udc80', file=sys.stderr)");
    assert_eq!((text(&outcome).as_str(), outcome.stderr.as_str()), ("None", "a\\udc80\n"));
}

#[test]
fn methods_take_text_with_surrogates() {
    all(&[
        ("f\"{'\\ud800':>3}|{'a\\ud800b':.2}|{'\\ud800':x^5}\"", "'  \\ud800|a\\ud800|xx\\ud800xx'"),
        ("'\\ud800'.upper() + '\\ud800a'.title() + 'ab\\ud800'.center(7, '*')", "'\\ud800\\ud800A**ab\\ud800**'"),
        ("'a\\ud800b\\ud800'.split('\\ud800'), '\\ud800' in 'a\\ud800'", "(['a', 'b', ''], True)"),
        ("re.findall('[\\ud800-\\udfff]', 'a\\ud800b\\udc00')", "['\\ud800', '\\udc00']"),
        (
            "'\\ud800'.encode('utf-8', 'surrogatepass'), '\\ud800'.encode('ascii', 'backslashreplace')",
            "(b'\\xed\\xa0\\x80', b'\\\\ud800')",
        ),
        ("b'\\xed\\xa0\\x80'.decode('utf-8', 'surrogatepass') == '\\ud800'", "True"),
        ("b'a\\xff'.decode('utf-8', 'surrogateescape')", "'a\\udcff'"),
    ]);
}

#[test]
fn a_nul_is_no_source_code() {
    let termination = script("x = 1\n# \0").termination;
    assert!(matches!(termination, Termination::SyntaxError { line: 2, .. }), "{termination:?}");
    assert_eq!(text(&run("def f(x): return x", "'\0'")), "invalid_input");
    let read = sandbox().literals(&["'\0'".to_owned()], &Cancel::new()).remove(0).unwrap();
    assert!(matches!(read, Literal::Invalid(_)), "{read:?}");
    assert!(sandbox().imports(&["import re\n# \0".to_owned()], &Cancel::new()).remove(0).unwrap().is_err());
    assert_eq!(text(&run("def f(x): return x", "'\\0'")), "'\\x00'");
}

#[test]
fn every_repr_of_plain_data_is_its_literal() {
    let infinity = f64::INFINITY;
    assert!(right("infj", Value::Complex(0.0, infinity)));
    assert!(right("(-0-infj)", Value::Complex(-0.0, -infinity)));
    assert!(right("(inf+infj)", Value::Complex(infinity, infinity)));
    assert!(right("{-2j}", Value::Set(vec![Value::Complex(0.0, -2.0)])));
    assert!(right("{(-0-2j)}", Value::Set(vec![Value::Complex(0.0, -2.0)])));
    assert!(right("{-0.0}", Value::Set(vec![Value::Float(0.0)])));
    assert!(right(
        "{(0.0, 1): 2}",
        Value::Dict(vec![(Value::Tuple(vec![Value::Float(-0.0), Value::Int(1.into())]), Value::Int(2.into()))])
    ));
    assert!(!right("{-2j}", Value::Set(vec![Value::Complex(0.0, 2.0)])));
}

#[test]
fn characters_have_the_properties_of_unicode_16() {
    all(&[
        ("unicodedata.unidata_version", "'16.0.0'"),
        ("'\\u0295'.islower(), '\\u1c89'.isupper(), '\\u1c89'.istitle()", "(True, True, True)"),
        (
            "chr(0x11DB0).isalpha(), unicodedata.category(chr(0x11DB0)), chr(0x11DB0).isidentifier()",
            "(False, 'Cn', False)",
        ),
        (
            "unicodedata.category('\\u0295'), unicodedata.bidirectional('\\u0378'), unicodedata.decomposition('\\uac00')",
            "('Ll', '', '')",
        ),
        ("unicodedata.numeric('\\u5146'), unicodedata.decomposition('\\U0002f868')", "(1000000.0, '36FC')"),
        ("ascii(repr(chr(0x11DB0)))", "'\"\\'\\\\\\\\U00011db0\\'\"'"),
        ("'\\u01c4'.title(), '\\u01c6'.upper(), 'ß'.upper(), 'İ'.lower(), 'ΑΣ'.lower()", "('ǅ', 'Ǆ', 'SS', 'i̇', 'ας')"),
    ]);
}

#[test]
fn percent_formats_take_their_arguments_one_after_the_other() {
    all(&[
        ("'%s and %(foo)s' % {'foo': 1}", "\"{'foo': 1} and 1\""),
        ("b'%(a)s-%(b)d' % {b'a': b'x', b'b': 2}", "b'x-2'"),
        ("'%(a)s %%' % {'a': 1}, '%*d' % (3, 4), '%.*f' % (1, 2.55), 'x' % []", "('1 %', '  4', '2.5', 'x')"),
    ]);
    for format in
        ["'%(a)s %s' % {'a': 1}", "'%(a)*d' % {'a': 3}", "'%(a)s' % 1", "'%s %s' % 1", "'%s' % (1, 2)", "'x' % 1"]
    {
        assert_eq!(text(&run(&format!("def f(x): return {format}"), "0")), "TypeError", "{format}");
    }
}

#[test]
fn patterns_take_negative_positions_and_counts() {
    all(&[
        ("re.compile('o').search('dog', -2).span(), re.compile('a').findall('banana', 2, -1)", "((1, 2), [])"),
        ("re.sub('a', 'b', 'banana', count=-1), re.subn('a', 'b', 'banana', count=2)", "('banana', ('bbnbna', 2))"),
    ]);
}

#[test]
fn codecs_without_a_host_work() {
    all(&[
        ("codecs.decode(codecs.encode(b'abc' * 9, 'zlib'), 'zlib') == b'abc' * 9", "True"),
        (
            "codecs.encode(b'abc', 'hex'), codecs.encode(b'abc', 'base64'), codecs.decode('uryyb', 'rot13')",
            "(b'616263', b'YWJj\\n', 'hello')",
        ),
        (
            "'x\\u05d0'.encode('iso8859-8'), 'ж'.encode('koi8-u'), b'\\xe9'.decode('mac_greek')",
            "(b'x\\xe0', b'\\xd6', 'ι')",
        ),
        ("'\\u0416'.encode('cp866'), b'\\x80'.decode('cp437'), '€'.encode('cp1252')", "(b'\\x86', 'Ç', b'\\x80')"),
    ]);
}

#[test]
fn messages_are_those_of_cpython() {
    for (code, message) in [
        (
            "def g():\n    print(y)\n    y = 1\ng()",
            "cannot access local variable 'y' where it is not associated with a value",
        ),
        ("[1].remove(2)", "list.remove(x): x not in list"),
        ("[1] + 1", "can only concatenate list (not \"int\") to list"),
        ("(1,) + [1]", "can only concatenate tuple (not \"list\") to tuple"),
        ("reversed(1)", "'int' object is not reversible"),
        ("'{:abc}'.format(1)", "Invalid format specifier 'abc' for object of type 'int'"),
        ("format('a', 'abc')", "Invalid format specifier 'abc' for object of type 'str'"),
        (
            "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def g(self): pass\nA()",
            "Can't instantiate abstract class A without an implementation for abstract method 'g'",
        ),
        ("class A(int, str): pass", "multiple bases have instance lay-out conflict"),
        ("import re\nre.match('a', 1)", "expected string or bytes-like object, got 'int'"),
    ] {
        let termination = script(code).termination;
        let Termination::Raised { message: got, .. } = &termination else { panic!("{code}: {termination:?}") };
        assert_eq!(got, message, "{code}");
    }
}

#[test]
fn a_carriage_return_in_source_ends_a_line() {
    assert_eq!(text(&run("def f(x):\r    return '''a\rb\r\nc\r\r\n'''", "0")), "'a\\nb\\nc\\n\\n'");
    assert_eq!(text(&run("def f(x):\n    return eval(\"'''\\r\\r\\n'''\")", "0")), "'\\n\\n'");
    assert_eq!(text(&run("def f(x): return '\\r'", "0")), "'\\r'");
}

#[test]
fn a_template_is_formatted_up_to_its_first_mistake() {
    check(&[
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: t.format_map({'a': 3})) for t in ('{}{', '{b}{', '{a}{', '{a}}', '{0}}', '{a!}', '{a:', '{a!', '{a!rs}', '{a{', '{a:{b}}', '{{{a}}}', '{a[', '{a.}', '{[a}')]",
            "['ValueError: Format string contains positional fields', \"KeyError: 'b'\", \"ValueError: Single '{' encountered in format string\", \"ValueError: Single '}' encountered in format string\", 'ValueError: Format string contains positional fields', \"ValueError: unmatched '{' in format spec\", \"ValueError: unmatched '{' in format spec\", 'ValueError: end of string while looking for conversion specifier', \"ValueError: expected ':' after conversion specifier\", \"ValueError: unexpected '{' in field name\", \"KeyError: 'b'\", '{3}', \"ValueError: expected '}' before end of string\", 'ValueError: Empty attribute in format string', \"ValueError: expected '}' before end of string\"]",
        ),
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\ndef f(x): return [of(lambda: t.format(7, a='b')) for t in ('{}{', '{1}{', '{b}{', '{a!z}', '{a!\\x01}', '{a:{a:{a}}}', '{9999999999}', '{99999999999999999999}', '{\\u0660}', '{a[0]}', '{a[0]b}', '{a:>{0}}')]",
            "[\"ValueError: Single '{' encountered in format string\", 'IndexError: Replacement index 1 out of range for positional args tuple', \"KeyError: 'b'\", 'ValueError: Unknown conversion specifier z', 'ValueError: Unknown conversion specifier \\\\x1', 'ValueError: Max string recursion exceeded', 'IndexError: Replacement index 9999999999 out of range for positional args tuple', 'ValueError: Too many decimal digits in format string', '7', 'b', \"ValueError: Only '.' or '[' may follow ']' in format field specifier\", '      b']",
        ),
        (
            "class Slow:\n    def __init__(self): self.seen = []\n    def __getitem__(self, key): self.seen.append(key); return key\ndef f(x):\n    keys = Slow()\n    try: '{a}{b[0]}{c'.format_map(keys)\n    except ValueError: pass\n    return keys.seen",
            "['a', 'b']",
        ),
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport string\ndef f(x):\n    parts = string.Formatter().parse('{a}b{c!r:d}}')\n    return next(parts), next(parts), of(lambda: next(parts)), of(lambda: string.Formatter().format('{x}{')), of(lambda: string.Formatter().format('{0.y.}', 3))",
            "(('', 'a', '', None), ('b', 'c', 'd', 'r'), \"ValueError: Single '}' encountered in format string\", \"KeyError: 'x'\", \"AttributeError: 'int' object has no attribute 'y'\")",
        ),
    ]);
}

#[test]
fn what_a_handler_of_codecs_returns_is_encoded() {
    check(&[
        (
            "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport codecs\nreturned = []\ncodecs.register_error('given', lambda e: returned[-1] if returned[-1] != 'end' else ('', e.end))\ndef encode(text, codec, value):\n    returned.append(value)\n    return of(lambda: text.encode(codec, 'given'))[:48]\ndef decode(data, codec, value):\n    returned.append(value)\n    return of(lambda: data.decode(codec, 'given'))[:48]\ndef f(x): return [encode('a\\ud800b', c, v) for c in ('utf-8', 'utf-16-le', 'utf-32-be', 'cp1252') for v in (('x', 2), ('\\xe9', 2), (b'\\xff', 2), (b'abcd', 2), 'end')], [encode('a\\ud800b', c, v) for c in ('utf-8', 'utf-16-be') for v in (('x',), 3)], [decode(b'a\\x81b', c, v) for c in ('ascii', 'cp1252') for v in (('x', 3), ('xy', 2), ('x', -1), ('x', 9))]",
            "([b'axb', \"UnicodeEncodeError: 'utf-8' codec can't encode c\", b'a\\xffb', b'aabcdb', b'ab', b'a\\x00x\\x00b\\x00', \"UnicodeEncodeError: 'utf-16-le' codec can't enco\", \"UnicodeEncodeError: 'utf-16-le' codec can't enco\", b'a\\x00abcdb\\x00', b'a\\x00b\\x00', b'\\x00\\x00\\x00a\\x00\\x00\\x00x\\x00\\x00\\x00b', \"UnicodeEncodeError: 'utf-32-be' codec can't enco\", \"UnicodeEncodeError: 'utf-32-be' codec can't enco\", b'\\x00\\x00\\x00aabcd\\x00\\x00\\x00b', b'\\x00\\x00\\x00a\\x00\\x00\\x00b', b'axb', b'a\\xe9b', b'a\\xffb', b'aabcdb', b'ab'], ['TypeError: encoding error handler must return (s', 'TypeError: encoding error handler must return (s', 'TypeError: encoding error handler must return (s', 'TypeError: encoding error handler must return (s'], ['ax', 'axyb', 'axb', 'IndexError: position 9 from error handler out of', 'ax', 'axyb', 'axb', 'IndexError: position 9 from error handler out of'])",
        ),
        (
            "import codecs\ndef of(g):\n    try: return g()\n    except Exception as e: return type(e).__name__\ndef f(x): return [of(lambda: codecs.charmap_encode('ab', 'strict', m)) for m in ({97: 1, 98: b'xy'}, {97: 'x', 98: 1}, {97: None}, {97: 300}, [1] * 97, {97: -1, 98: 1})], of(lambda: '\\ufffe'.encode('cp1252'))",
            "([(b'\\x01xy', 2), 'TypeError', 'UnicodeEncodeError', 'TypeError', 'UnicodeEncodeError', 'TypeError'], 'UnicodeEncodeError')",
        ),
    ]);
}

#[test]
fn an_error_of_a_charmap_has_no_context() {
    check(&[(
        "def of(g):\n    try: g()\n    except ValueError as e: return type(e).__name__, e.__context__, e.__cause__\ndef f(x): return of(lambda: 'a\\u2028b'.encode('cp437')), of(lambda: b'a\\x81'.decode('cp1252')), of(lambda: '\\u65e5'.encode('koi8-r', 'surrogateescape')), '\\u65e5x'.encode('cp1252', 'replace'), b'\\x81 '.decode('cp1252', 'backslashreplace')",
        "(('UnicodeEncodeError', None, None), ('UnicodeDecodeError', None, None), ('UnicodeEncodeError', None, None), b'?x', '\\\\x81 ')",
    )]);
}

#[test]
fn an_operator_of_two_characters_is_one_token() {
    check(&[(
        "import io, tokenize\ndef f(x): return [(t.string, t.start, t.end, tokenize.tok_name[t.exact_type]) for t in tokenize.generate_tokens(io.StringIO('a <> b< >c\\n').readline)]",
        "[('a', (1, 0), (1, 1), 'NAME'), ('<>', (1, 2), (1, 4), 'OP'), ('b', (1, 5), (1, 6), 'NAME'), ('<', (1, 6), (1, 7), 'LESS'), ('>', (1, 8), (1, 9), 'GREATER'), ('c', (1, 9), (1, 10), 'NAME'), ('\\n', (1, 10), (1, 11), 'NEWLINE'), ('', (2, 0), (2, 0), 'ENDMARKER')]",
    )]);
}
