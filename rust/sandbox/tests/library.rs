//! The standard modules import and work.

mod common;

use common::{run, script, text};

const MODULES: &str = "math cmath json re collections collections.abc itertools functools heapq bisect string operator
    random statistics copy typing dataclasses enum datetime decimal fractions abc numbers textwrap types
    contextlib array hashlib struct base64 binascii pprint calendar graphlib queue time io sys warnings
    weakref inspect ast traceback unicodedata difflib secrets uuid zlib os threading";

#[test]
fn every_promised_module_imports() {
    for module in MODULES.split_whitespace() {
        assert_eq!(text(&script(&format!("import {module}"))), "None", "{module}");
    }
}

#[test]
fn every_promised_module_works() {
    let cases = [
        ("math", "math.comb(5, 2), math.isqrt(17)", "(10, 4)"),
        ("cmath", "cmath.sqrt(-1)", "1j"),
        ("json", "json.loads(json.dumps({'a': [1, None]}))", "{'a': [1, None]}"),
        ("re", "re.sub(r'(\\w)(\\d)', r'\\2\\1', 'a1 b2')", "'1a 2b'"),
        ("collections", "list(collections.OrderedDict(a=1)), collections.Counter('aab')['a']", "(['a'], 2)"),
        ("itertools", "list(itertools.accumulate([1, 2, 3]))", "[1, 3, 6]"),
        ("functools", "functools.reduce(lambda a, b: a * b, [1, 2, 3, 4])", "24"),
        ("heapq", "heapq.nsmallest(2, [3, 1, 2])", "[1, 2]"),
        ("bisect", "bisect.bisect([1, 3], 2)", "1"),
        (
            "random",
            "random.Random(42).random(), random.Random(1).sample(range(10), 3)",
            "(0.6394267984578837, [2, 1, 4])",
        ),
        ("statistics", "statistics.median([1, 2, 4])", "2"),
        ("dataclasses", "dataclasses.asdict(dataclasses.make_dataclass('P', ['x'])(1))", "{'x': 1}"),
        ("datetime", "str(datetime.date(2024, 2, 28) + datetime.timedelta(2))", "'2024-03-01'"),
        ("decimal", "str(decimal.Decimal('1.1') + decimal.Decimal('2.2'))", "'3.3'"),
        ("fractions", "str(fractions.Fraction(1, 3) + fractions.Fraction(1, 6))", "'1/2'"),
        ("textwrap", "textwrap.wrap('aa bb cc', 5)", "['aa bb', 'cc']"),
        ("array", "array.array('i', [1, 2]).tolist()", "[1, 2]"),
        (
            "hashlib",
            "hashlib.sha256(b'a').hexdigest()[:8], hashlib.md5(b'a').hexdigest()[:8]",
            "('ca978112', '0cc175b9')",
        ),
        ("struct", "struct.pack('<I', 1)", "b'\\x01\\x00\\x00\\x00'"),
        ("base64", "base64.b64encode(b'abc')", "b'YWJj'"),
        ("pprint", "pprint.pformat([1])", "'[1]'"),
        ("calendar", "calendar.isleap(2024), calendar.monthrange(2024, 2)[1]", "(True, 29)"),
        ("graphlib", "list(graphlib.TopologicalSorter({'b': ['a']}).static_order())", "['a', 'b']"),
        ("queue", "(lambda q: (q.put(1), q.get()))(queue.Queue())[1]", "1"),
        ("io", "io.StringIO('a\\nb').readlines()", "['a\\n', 'b']"),
        ("ast", "ast.dump(ast.parse('1').body[0].value)", "'Constant(value=1)'"),
        ("unicodedata", "unicodedata.name('a')", "'LATIN SMALL LETTER A'"),
        ("difflib", "difflib.get_close_matches('appel', ['apple', 'pear'])", "['apple']"),
        ("zlib", "zlib.decompress(zlib.compress(b'abc' * 50)) == b'abc' * 50", "True"),
        ("os", "os.path.join('a', 'b'), dict(os.environ), os.sep", "('a/b', {}, '/')"),
        ("time", "time.gmtime(0).tm_year, time.strftime('%Y', time.gmtime(0))", "(1970, '1970')"),
        ("inspect", "str(inspect.signature(lambda a, b=1: 0))", "'(a, b=1)'"),
        ("string", "string.capwords('a b')", "'A B'"),
        ("sys", "sys.stdin.read(), sys.getrecursionlimit()", "('', 1000)"),
    ];
    for (module, expression, expected) in cases {
        let outcome = run(&format!("import {module}\ndef f(x): return {expression}"), "0");
        assert_eq!(text(&outcome), expected, "{module}: {:?}", outcome.ended);
    }
}

#[test]
fn what_needs_a_host_says_so() {
    for call in ["os.listdir('.')", "os.getcwd()", "os.system('ls')", "open('/etc/passwd')", "os.remove('a')"] {
        let outcome = script(&format!("import os\n{call}"));
        let got = text(&outcome);
        assert!(
            ["OSError", "UnsupportedOperation", "FileNotFoundError", "NameError", "RuntimeError"]
                .contains(&got.as_str()),
            "{call}: {got}"
        );
    }
    for module in ["socket", "subprocess", "ctypes", "multiprocessing", "sqlite3", "ssl"] {
        let got = text(&script(&format!("import {module}\n{module}.socket()")));
        assert!(
            ["ModuleNotFoundError", "ImportError", "OSError", "AttributeError"].contains(&got.as_str()),
            "{module}: {got}"
        );
    }
}

#[test]
fn a_program_is_the_main_module() {
    assert_eq!(
        text(&run("import sys\ndef f(x): return __name__, sys.modules['__main__'].f is f", "0")),
        "('__main__', True)"
    );
}
