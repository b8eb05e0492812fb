//! The canonical form: what it forgets, and what it must never forget.

use azr_buffer::{Invalid, MAX_CHAIN, MAX_NESTING, Mode, canonicalize};

fn program(source: &str) -> String {
    canonicalize::<&str>(source, &[], None).expect("the program parses").program
}

fn mode(source: &str) -> Mode {
    canonicalize::<&str>(source, &[], None).expect("the program parses").mode
}

#[track_caller]
fn same(a: &str, b: &str) {
    assert_eq!(program(a), program(b));
    assert_eq!(program(&program(a)), program(a), "the form of a form is itself");
}

#[track_caller]
fn differ(a: &str, b: &str) {
    assert_ne!(program(a), program(b));
}

#[test]
fn comments_docstrings_and_formatting_are_forgotten() {
    same(
        "def f(x):\n    '''Add one.'''\n    # here\n    return (x +\n        1)\n",
        "def f( x ) :\n\n  pass\n  return x+1;",
    );
    same("class A:\n    'text'\n    n = 1\ndef f(x): return A.n", "class A:\n  n=1\n\n\ndef f(x):\n  return (A).n");
}

#[test]
fn names_of_locals_parameters_and_inner_functions_are_forgotten() {
    same("def f(a, b=1, *c, d, **e): return a, b, c, d, e", "def f(v, w=1, *x, y, **z): return v, w, x, y, z");
    same(
        "def f(x):\n def g(y): return y * x\n t = [g(i) for i in range(x)]\n return t",
        "def f(n):\n def h(k): return k * n\n out = [h(j) for j in range(n)]\n return out",
    );
    same(
        "def f(x):\n with open(x) as h:\n  for a, (b, *c) in h:\n   try: pass\n   except OSError as e: pass\n del a",
        "def f(n):\n with open(n) as k:\n  for p, (q, *r) in k:\n   try: pass\n   except OSError as s: pass\n del p",
    );
    same(
        "def f(x):\n match x:\n  case [a, *b]: return a, b\n  case {'k': c, **d}: return c, d\n  case int(e) | str(e) as g: return e, g",
        "def f(n):\n match n:\n  case [p, *q]: return p, q\n  case {'k': r, **s}: return r, s\n  case int(t) | str(t) as u: return t, u",
    );
    same("import math\ndef f(x): return math.sqrt(x)", "import math as m\ndef f(n): return m.sqrt(n)");
    same(
        "LIMIT = 3\ndef g(x): return x\ndef f(x): return g(x) + LIMIT",
        "N = 3\ndef h(y): return y\ndef f(y): return h(y) + N",
    );
}

#[test]
fn closures_keep_their_variables_apart() {
    differ("def f(x):\n y = 1\n def g(): return x\n return g()", "def f(x):\n y = 1\n def g(): return y\n return g()");
    differ(
        "def f(x):\n y = 1\n def g():\n  nonlocal y\n  y = 2\n g()\n return y",
        "def f(x):\n y = 1\n def g():\n  y = 2\n g()\n return y",
    );
    differ("y = 1\ndef f(x):\n global y\n y = x\n return y", "y = 1\ndef f(x):\n y = x\n return y");
    same("y = 1\ndef f(x):\n global y\n y = x\n return y", "z = 1\ndef f(x):\n global z\n z = x\n return z");
    differ("def f(x): return [x for x in x]", "def f(x): return [x for y in x]");
    differ("def f(x): return [(y := z) for z in x], y", "def f(x): return [(w := z) for z in x], y");
}

#[test]
fn a_class_body_is_no_scope_for_its_methods() {
    differ(
        "n = 1\nclass A:\n n = 2\n def g(self): return n\ndef f(x): return A().g()",
        "m = 1\nclass A:\n n = 2\n def g(self): return n\ndef f(x): return A().g()",
    );
    differ("class A:\n a = 1\ndef f(x): return A.a", "class A:\n b = 1\ndef f(x): return A.a");
    differ("x = 1\ndef f(n):\n class A:\n  x = x\n return A.x", "y = 1\ndef f(n):\n class A:\n  x = y\n return A.x");
}

#[test]
fn a_module_name_that_falls_back_to_a_builtin_is_kept() {
    differ("if 0:\n sum = len\ndef f(x): return sum(x)", "if 0:\n total = len\ndef f(x): return total(x)");
}

#[test]
fn keyword_arguments_and_parameters_stay_together() {
    same(
        "def g(a, b): return a - b\ndef f(x): return g(b=x, a=1)",
        "def h(p, q): return p - q\ndef f(y): return h(q=y, p=1)",
    );
    differ(
        "def g(a, b): return a - b\ndef f(x): return g(b=x, a=1)",
        "def g(a, b): return a - b\ndef f(x): return g(a=x, b=1)",
    );
    differ(
        "def g(a, **k): return k\ndef f(x): return g(x, b=1)",
        "def g(b, **k): return k\ndef f(x): return g(x, b=1)",
    );
    differ("def g(a, b): return a\ndef f(x): return g(**x)", "def g(b, a): return b\ndef f(x): return g(**x)");
    differ(
        "def g(a, b): return a\ndef f(x):\n h = g\n return h(a=1, b=2)",
        "def g(b, a): return b\ndef f(x):\n h = g\n return h(a=1, b=2)",
    );
    differ(
        "from functools import partial\ndef g(a, b): return a\ndef f(x): return partial(g, a=1)(b=2)",
        "from functools import partial\ndef g(b, a): return b\ndef f(x): return partial(g, a=1)(b=2)",
    );
    differ(
        "class A:\n def g(self, a, b): return a\ndef f(x): return A().g(a=1, b=2)",
        "class A:\n def g(self, b, a): return b\ndef f(x): return A().g(a=1, b=2)",
    );
    differ(
        "def g(a, **_1): return _1\ndef f(x): return g(5, _0=3)",
        "def g(b, **_1): return _1\ndef f(x): return g(5, _0=3)",
    );
    // Keywords of library functions are nobody's parameters.
    same("def f(xs, key): return sorted(xs, key=key)", "def f(ys, by): return sorted(ys, key=by)");
}

#[test]
fn an_input_that_names_a_parameter_keeps_it() {
    let form = |source: &str| canonicalize(source, &["a=1, b=2"], None).expect("it parses");
    assert_ne!(form("def f(a, b): return a - b"), form("def f(b, a): return b - a"));
    let plain = |source: &str| canonicalize(source, &["1, 2"], None).expect("it parses");
    assert_eq!(plain("def f(a, b): return a - b"), plain("def f(b, a): return b - a"));
    let global = |source: &str| canonicalize(source, &["N"], None).expect("it parses");
    assert_ne!(global("N = 1\nM = 2\ndef f(x): return x"), global("M = 1\nN = 2\ndef f(x): return x"));
}

#[test]
fn an_input_that_brings_a_function_is_part_of_the_question() {
    let shows = "str";
    let form = |source: &str| canonicalize(source, &[shows], None).expect("it parses").program;
    let a = "def f(h):\n def g(): return 1\n return len(h(g))";
    let b = "def f(h):\n def longer(): return 1\n return len(h(longer))";
    assert_ne!(form(a), form(b));
}

#[test]
fn literals_keep_type_and_value() {
    for (a, b) in [
        ("1", "1.0"),
        ("1", "True"),
        ("0", "False"),
        ("1.0", "1.0j"),
        ("'a'", "b'a'"),
        ("1", "2"),
        ("[]", "()"),
        ("{}", "set()"),
        ("(1)", "(1,)"),
        ("1e308", "1e309"),
        ("'\\ud800'", "'\\ud801'"),
        ("'\\ud800'", "'\\ufffd'"),
        ("-1", "1"),
        ("f'{1}'", "'{1}'"),
        ("f'{1!r}'", "f'{1!s}'"),
        ("f'{1:>3}'", "f'{1:<3}'"),
        ("f'{1}{{'", "f'{1}{{}}'"),
        ("None", "..."),
        ("{1: 2}", "{1, 2}"),
        ("[x]", "[*x]"),
        ("x[1:]", "x[:1]"),
        ("x[1:2]", "x[1:2:3]"),
        ("x[::2]", "x[:2]"),
        ("x[1,]", "x[1]"),
        ("x and 1 or 2", "x and (1 or 2)"),
        ("(x, 1) == 1, 2", "((x, 1) == 1, 2)[0]"),
        ("-x ** 2", "(-x) ** 2"),
        ("x - (1 - 2)", "x - 1 - 2"),
        ("(x < 1) < 2", "x < 1 < 2"),
        ("not x == 1", "(not x) == 1"),
        ("x ** 2 ** 3", "(x ** 2) ** 3"),
        ("lambda: (x, 1)", "(lambda: x, 1)"),
        ("x if x else 1", "1 if x else x"),
        ("await_(x)", "x"),
        ("'a' 'b'", "'b' 'a'"),
    ] {
        differ(&format!("def f(x): return {a}"), &format!("def f(x): return {b}"));
    }
}

#[test]
fn spellings_of_one_literal_are_one() {
    for (a, b) in [
        ("'a\"b'", "\"a\\\"b\""),
        ("'a' 'b'", "'ab'"),
        ("r'\\d'", "'\\\\d'"),
        ("'''x\ny'''", "'x\\ny'"),
        ("u'a'", "'a'"),
        ("0x10", "16"),
        ("1_000", "1000"),
        ("1e3", "1000.0"),
        ("1E3", "1e+3"),
        ("b'a' b'b'", "b'ab'"),
        ("f'a' 'b'", "f'ab'"),
        ("f'{ x }'", "f'{x}'"),
        ("f\"{x}\" f'{x}'", "f'{x}{x}'"),
        ("(((x)))", "x"),
        ("x[::]", "x[:]"),
        ("'\\x41'", "'A'"),
    ] {
        same(&format!("def f(x): return {a}"), &format!("def f(x): return {b}"));
    }
}

#[test]
fn imports_are_sorted_and_split() {
    same(
        "import re, math\nfrom typing import List\nfrom itertools import chain, count\ndef f(x): return math, re, chain, count",
        "from itertools import count\nfrom itertools import chain\nimport math\nimport re\nfrom typing import List\ndef f(x): return math, re, chain, count",
    );
}

#[test]
fn imports_that_bind_one_name_stay_in_order() {
    differ(
        "from math import log\nfrom cmath import log\ndef f(x): return log(x)",
        "from cmath import log\nfrom math import log\ndef f(x): return log(x)",
    );
}

/// Programs that see a name differ where the name does; `NAME` is what the pair disagrees on.
#[test]
fn a_program_that_can_see_its_names_keeps_them() {
    for source in [
        "def f(x):\n NAME = x\n return locals()",
        "def f(x):\n NAME = x\n return list(vars())",
        "def f(x):\n NAME = x\n return dir()",
        "NAME = 1\ndef f(x): return globals()['NAME']",
        "def f(x):\n NAME = x\n return eval('NAME')",
        "def f(x):\n NAME = x\n exec('y = NAME')",
        "def f(x):\n def NAME(): pass\n return NAME.__name__",
        "def f(x):\n def NAME(): pass\n return NAME.__qualname__",
        "def f(x):\n def NAME(): pass\n return getattr(NAME, '__name__')",
        "def f(x):\n def NAME(): pass\n return getattr(NAME, x)",
        "from operator import attrgetter\ndef f(x):\n def NAME(): pass\n return attrgetter(x)(NAME)",
        "def f(x):\n def NAME(): pass\n return x.format(NAME)",
        "def f(x):\n def NAME(): pass\n return '{0.__name__}'.format(NAME)",
        "def f(x):\n def NAME(): pass\n return len(str(NAME))",
        "def f(x):\n def NAME(): pass\n return len(repr([NAME]))",
        "def f(x):\n def NAME(): pass\n return f'{NAME}'[:15]",
        "def f(x):\n def NAME(): pass\n return '%s' % NAME",
        "def f(x):\n def NAME(): pass\n return ('%s' % (NAME,))[:15]",
        "def f(x):\n def NAME(): yield 1\n return str(NAME())[:20]",
        "def f(x):\n def NAME(): return str(lambda: 1)[:20]\n return NAME()",
        "def f(x):\n def NAME():\n  class A: pass\n  return str(A())[:20]\n return NAME()",
        "def f(x):\n def NAME(): return str(i for i in x)[:20]\n return NAME()",
        "def f(x):\n class NAME: pass\n return type(NAME()).__name__",
        "def f(x):\n def deco(g): return str(g)[:15]\n @deco\n def NAME(): pass\n return 1",
        "def f(x):\n def map(g, y): return str(g)[:15]\n def NAME(): pass\n return map(NAME, x)",
        "def f(x):\n try: NAME\n except NameError as e: return str(e)\n NAME = 1",
        "def f(x):\n def g(NAME): pass\n try: g()\n except TypeError as e: return e.args",
        "class C:\n def __enter__(self): return 1\n def __exit__(self, *a): return str(a)\ndef f(x):\n with C():\n  NAME += 1",
        "import contextlib\ndef f(x):\n with contextlib.ExitStack() as s: NAME = 1",
        "import inspect\ndef f(x):\n NAME = 1\n return inspect.currentframe()",
        "import sys\ndef f(x):\n NAME = 1\n return sys._getframe()",
        "def f(x):\n NAME = 1\n return f.__code__.co_varnames",
        "def f(NAME): return f.__code__",
        "def f(x):\n NAME = x\n return f'{NAME=}'",
        "from math import *\nNAME = 1\ndef f(x): return NAME",
        "def f(x):\n def g(NAME: int): pass\n return g.__annotations__",
        "import typing\ndef f(x):\n def g(NAME: int): pass\n return typing.get_type_hints(g)",
        "import numpy\ndef f(x):\n NAME = 1\n return numpy.f(NAME)",
        "def f(x):\n def NAME(): pass\n return ''.__class__(NAME)[:15]",
        "def f(x):\n def NAME(): pass\n return type('')(NAME)[:15]",
        "import pprint\ndef f(x):\n def NAME(): pass\n return pprint.pformat(NAME)[:15]",
        "def f(x):\n def NAME(): pass\n return sorted([NAME], key=str)",
        "def f(x):\n def NAME(): pass\n return __import__('inspect').getsource(NAME)",
        "def f(x):\n NAME = 1\n return t'{NAME}'",
    ] {
        differ(&source.replace("NAME", "first"), &source.replace("NAME", "other_name"));
    }
}

#[test]
fn a_program_that_can_see_its_text_keeps_it() {
    for (a, b) in [
        ("def f(x):\n '''One.'''\n return f.__doc__", "def f(x):\n '''Two.'''\n return f.__doc__"),
        ("def f(x):\n return f.__code__.co_firstlineno", "\ndef f(x):\n return f.__code__.co_firstlineno"),
        (
            "import traceback\ndef f(x):\n return traceback.format_stack()",
            "import traceback\n\ndef f(x):\n return traceback.format_stack()",
        ),
        ("def f(x): return f'{x+1=}'", "def f(x): return f'{x + 1=}'"),
        ("class A(metaclass=M):\n pass", "\nclass A(metaclass=M):\n pass"),
    ] {
        differ(a, b);
    }
}

#[test]
fn most_programs_that_make_text_are_renamed_all_the_same() {
    for source in [
        "def f(x):\n out = []\n for item in x:\n  out.append(str(item))\n return ', '.join(out)",
        "def f(x): return f'{x} and {len(x)}'",
        "def f(xs): return sorted(xs, key=lambda item: str(item))",
        "def f(x):\n def twice(y): return y * 2\n return str(twice(x))",
        "def f(x):\n try: return int(x)\n except ValueError: return 0",
        "def f(x): return ''.join(c for c in str(x))",
        "def f(x): return max(x, key=lambda word: (len(word), str(word)))",
        "class A:\n def __init__(self, v): self.v = v\n def get(self): return self.v\ndef f(x): return str(A(x).get())",
    ] {
        assert_eq!(mode(source), Mode::Rename, "{source}");
        assert!(program(source).contains("def f(_"), "{}", program(source));
    }
}

#[test]
fn the_entry_is_told_apart_from_its_helpers() {
    differ("def f(x): return 1\ndef g(x): return 2", "def g(x): return 1\ndef f(x): return 2");
    same("def g(x): return g(x - 1) if x else 0", "def f(x): return f(x - 1) if x else 0");
    let entry =
        |name| canonicalize::<&str>("def a(x): return 1\ndef b(x): return 2", &[], Some(name)).expect("it parses");
    assert_ne!(entry("a"), entry("b"));
    differ("def g(x): return f\nf = 1", "def f(x): return g\ng = 1");
}

#[test]
fn annotations_without_effect_are_forgotten_and_others_kept() {
    same(
        "def f(x: int, y: 'T' = 1) -> list[int | None]:\n z: str = 'a'\n return z",
        "def f(x, y=1):\n z = 'a'\n return z",
    );
    differ("def f(x: Unknown): return x", "def f(x): return x");
    differ("def f(x: int[str]): return x", "def f(x): return x");
    differ("int = 3\ndef f(x: int): return x", "int = 3\ndef f(x): return x");
    differ("class A:\n x: int = 1\ndef f(y): return A.x", "class A:\n x = 1\ndef f(y): return A.x");
    differ("def f(x):\n y: int\n return y", "def f(x):\n return y");
}

#[test]
fn private_and_folded_names_are_kept() {
    differ(
        "class A:\n def g(self):\n  __x = 1\n  return __x\ndef f(x): return A().g()",
        "class A:\n def g(self):\n  __y = 1\n  return __y\ndef f(x): return A().g()",
    );
    differ("def f(x):\n \u{fb01} = 1\n fi = 2\n return \u{fb01}", "def f(x):\n a = 1\n b = 2\n return a");
}

#[test]
fn what_does_not_parse_is_a_typed_error() {
    assert!(matches!(canonicalize::<&str>("def f(:", &[], None), Err(Invalid::Program { .. })));
    for input in ["1)", "1), f(2", "1); f(2", "x = 1; 2", "1\n2", "1) + (2", "", "*[1], **{'a': 2}", "1 # note", "1,"] {
        let form = canonicalize("def f(*x): return x", &["0", input], None);
        let valid = matches!(input, "" | "*[1], **{'a': 2}" | "1 # note" | "1,");
        assert_eq!(form.is_ok(), valid, "{input}: {form:?}");
        if let Err(error) = form {
            assert_eq!(error, Invalid::Input { index: 1 });
        }
    }
}

/// Every way to nest, far beyond any stack, on a thread with a small one.
#[test]
fn hostile_nesting_is_refused_before_it_is_parsed() {
    let depth = 100_000;
    let sources = [
        "(".repeat(depth),
        "[".repeat(depth),
        "{".repeat(depth),
        "{0:".repeat(depth),
        format!("{}1{}", "(".repeat(depth), ")".repeat(depth)),
        format!("x = {}1", "-".repeat(depth)),
        format!("x = {}1", "~".repeat(depth)),
        format!("x = {}1", "not ".repeat(depth)),
        format!("x = {}1", "lambda: ".repeat(depth)),
        format!("x = {}1", "lambda a, b: ".repeat(depth)),
        format!("x = {}1", "1 if 1 else ".repeat(depth)),
        format!("x = 1{}", "**1".repeat(depth)),
        format!("x = 1{}", "+1".repeat(depth)),
        format!("x = a{}", ".a".repeat(depth)),
        format!("x = a{}", "()".repeat(depth)),
        format!("x = a{}", "[0]".repeat(depth)),
        format!("x = {}1", "await ".repeat(depth)),
        format!("x = {}1", "yield ".repeat(depth)),
        format!("x = {}1", "*".repeat(depth)),
        format!("x = {}", "f'{".repeat(depth)),
        format!("x = f'{}'", "{1:".repeat(depth)),
        format!("{}x", "if 1: ".repeat(depth)),
        format!("{}x", "for i in x: ".repeat(depth)),
        (0..2_000).map(|level| format!("{}if 1:\n", " ".repeat(level))).collect::<String>() + &" ".repeat(2_000) + "1",
        format!("match x:\n case {}:\n  1", "[".repeat(depth)),
        format!("match x:\n case {}1:\n  1", "a | ".repeat(depth)),
        "(]".repeat(depth),
        "(\n".repeat(depth),
        "@a\n".repeat(depth) + "def f(): 1",
    ];
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    let worker = small.spawn(move || {
        for source in &sources {
            let form = canonicalize::<&str>(source, &[], None);
            let deep = source.starts_with('@');
            assert!(deep || form.is_err(), "{}", &source[..40]);
            assert!(canonicalize("def f(x): return x", &[source.as_str()], None).is_err());
        }
    });
    worker.expect("a thread can be started").join().expect("no source overflows the stack");
}

/// Everything below the limits is parsed, written and dropped on whatever stack the caller has.
#[test]
fn the_deepest_allowed_nesting_fits_the_stack() {
    let (nest, chain) = (MAX_NESTING - 2, MAX_CHAIN - 10);
    let sources = [
        format!("x = {}1{}", "(".repeat(nest), ")".repeat(nest)),
        format!("x = {}1{}", "[".repeat(nest), "]".repeat(nest)),
        format!("x = {}1{}", "{0:".repeat(nest), "}".repeat(nest)),
        format!("x = {}1{}", "f(".repeat(nest), ")".repeat(nest)),
        format!("x = {}1{}", "[x for x in ".repeat(nest), "]".repeat(nest)),
        format!("x = {}1", "lambda: ".repeat(nest)),
        (0..99).map(|level| format!("{}if 1:\n", " ".repeat(level))).collect::<String>() + &" ".repeat(99) + "f(1)",
        (0..99).map(|level| format!("{}def f(x):\n", " ".repeat(level))).collect::<String>() + &" ".repeat(99) + "f(1)",
        format!("x = {}1", "-".repeat(chain)),
        format!("x = {}1", "not ".repeat(chain)),
        format!("x = {}1", "1 if 1 else ".repeat(chain / 2)),
        format!("x = 1{}", "**1".repeat(chain)),
        format!("x = 1{}", "+1".repeat(chain)),
        format!("x = a{}", ".a".repeat(chain)),
        format!("x = a{}", "()".repeat(chain)),
        format!("x = {}", "1 + ".repeat(chain / 2) + "1" + &" * 1".repeat(chain / 2)),
    ];
    let small = std::thread::Builder::new().stack_size(192 * 1024);
    let worker = small.spawn(move || {
        for source in &sources {
            let form = canonicalize::<&str>(source, &[], None).map(|form| form.program);
            let form = form.unwrap_or_else(|error| panic!("{error}: {}", &source[..30]));
            assert_eq!(canonicalize::<&str>(&form, &[], None).map(|form| form.program), Ok(form));
        }
    });
    worker.expect("a thread can be started").join().expect("no source overflows the stack");
}
