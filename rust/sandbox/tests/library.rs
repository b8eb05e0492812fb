//! The standard modules import and work.

mod common;

use azr_sandbox::Program;
use common::{check, run, script, text};

const MODULES: &str = "math cmath json re collections collections.abc itertools functools heapq bisect string operator
    random statistics copy typing dataclasses enum datetime decimal fractions abc numbers textwrap types
    contextlib array hashlib struct base64 binascii pprint calendar graphlib queue time io sys warnings
    weakref inspect ast traceback unicodedata difflib secrets uuid zlib os threading errno doctest unittest argparse
    logging pathlib glob html.parser concurrent.futures zoneinfo bz2 gzip lzma gettext optparse signal symtable cmd
    code codeop string.templatelib this asyncio pkgutil shutil sysconfig tempfile unittest.mock email email.message
    email.mime.multipart email.parser email.policy importlib.metadata importlib.resources xml.etree.ElementTree
    xml.dom.minidom xml.dom.pulldom xml.sax xml.sax.saxutils xml.parsers.expat zipfile tarfile mimetypes plistlib http
    http.cookies wave shelve dbm dbm.dumb filecmp fileinput runpy profile pstats trace pickletools";

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
        ("sys", "sys.argv, __file__", "(['program.py'], '/program.py')"),
        (
            "pathlib",
            "str(pathlib.PurePosixPath('a/b') / 'c.txt'), pathlib.Path('a/b.tar.gz').suffixes, pathlib.Path('x').exists()",
            "('a/b/c.txt', ['.tar', '.gz'], False)",
        ),
        ("argparse", "vars(argparse.ArgumentParser().parse_args([]))", "{}"),
        ("gzip", "gzip.decompress(gzip.compress(b'abc'))", "b'abc'"),
        ("bz2", "bz2.decompress(bz2.compress(b'abc'))", "b'abc'"),
        ("email", "email.message_from_string('A: 1\\n\\nbody')['a']", "'1'"),
        ("xml.etree.ElementTree", "xml.etree.ElementTree.fromstring('<a><b>1</b></a>').findtext('b')", "'1'"),
        ("xml.dom.minidom", "xml.dom.minidom.parseString('<a b=\"1\"/>').documentElement.toxml()", "'<a b=\"1\"/>'"),
        ("xml.sax.saxutils", "xml.sax.saxutils.escape('<&')", "'&lt;&amp;'"),
        ("io, zipfile", "zipfile.is_zipfile(io.BytesIO(b'no'))", "False"),
        ("io, tarfile", "tarfile.open(fileobj=io.BytesIO(), mode='w').getnames()", "[]"),
        ("mimetypes", "mimetypes.guess_type('a.html')", "('text/html', None)"),
        ("plistlib", "plistlib.loads(plistlib.dumps({'a': [1, 2.5]}))", "{'a': [1, 2.5]}"),
        ("http", "http.HTTPStatus(404).phrase, http.HTTPMethod.GET.value", "('Not Found', 'GET')"),
        ("io, shelve", "shelve.Shelf({}).keys().__class__.__name__", "'KeysView'"),
        ("runpy, trace", "trace.Trace(count=1, trace=0).runfunc(lambda: 7)", "7"),
        ("profile", "profile.Profile().runcall(lambda: 7)", "7"),
        ("zoneinfo", "zoneinfo.ZoneInfo.__name__", "'ZoneInfo'"),
        ("signal", "signal.SIGINT.name, signal.getsignal(signal.SIGTERM).name", "('SIGINT', 'SIG_DFL')"),
        ("os", "os.path.exists('/x'), os.getenv('HOME', 'none')", "(False, 'none')"),
        (
            "builtins",
            "[name for name in ('quit', 'exit', 'copyright', 'credits', 'license', 'help') if not hasattr(builtins, name)]",
            "[]",
        ),
    ];
    for (module, expression, expected) in cases {
        let outcome = run(&format!("import {module}\ndef f(x): return {expression}"), "0");
        assert_eq!(text(&outcome), expected, "{module}: {:?}", outcome.termination);
    }
}

#[test]
fn lzma_compresses_within_the_memory_that_its_dictionary_takes() {
    // The default preset's encoder takes some 100 MiB, here as in CPython.
    let limits = common::limits().with_memory_bytes(256 << 20);
    let program = Program::call("import lzma\ndef f(x): return lzma.decompress(lzma.compress(x))", "f", "b'abc'");
    assert_eq!(text(&common::sandbox().run(&program.with_limits(limits)).unwrap()), "b'abc'");
    let small = run("import lzma\ndef f(x): return lzma.decompress(lzma.compress(x, preset=0))", "b'abc'");
    assert_eq!(text(&small), "b'abc'", "{:?}", small.termination);
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
    for module in ["socket", "subprocess", "ctypes", "multiprocessing", "sqlite3", "ssl", "selectors", "http.client"] {
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

#[test]
fn doctest_runs_the_examples_of_a_program() {
    let program = "def double(x):
    \"\"\"
    >>> double(2)
    4
    >>> double('a')
    'aa'
    >>> double(None)
    Traceback (most recent call last):
        ...
    TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'
    \"\"\"
    return x * 2
def wrong():
    \"\"\"
    >>> 1 + 1
    3
    \"\"\"
def f(x):
    import doctest, io, contextlib
    with contextlib.redirect_stdout(io.StringIO()) as out:
        result = doctest.testmod()
    return result.attempted, result.failed, 'Expected:' in out.getvalue()";
    assert_eq!(text(&run(program, "0")), "(4, 1, True)");
}

#[test]
fn unittest_runs_the_cases_of_a_program() {
    let program = "import unittest
class Test(unittest.TestCase):
    def test_right(self): self.assertEqual(1 + 1, 2)
    def test_wrong(self): self.assertEqual(1 + 1, 3)
    def test_raises(self):
        with self.assertRaises(ZeroDivisionError): 1 / 0
def f(x):
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Test).run(result)
    return result.testsRun, len(result.failures), len(result.errors)";
    assert_eq!(text(&run(program, "0")), "(3, 1, 0)");
}

#[test]
fn a_pool_of_threads_has_run_what_it_was_given() {
    let program = "from concurrent import futures
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
def f(x):
    with ThreadPoolExecutor(max_workers=2) as pool:
        squares = list(pool.map(lambda n: n * n, [1, 2, 3]))
        failing = pool.submit(lambda: 1 / 0)
        done = [future.result() for future in as_completed([pool.submit(pow, 2, 5)])]
    try: pool.submit(abs, 1)
    except RuntimeError as e: late = str(e)
    return squares, type(failing.exception()).__name__, failing.done(), done, late, futures.ThreadPoolExecutor is ThreadPoolExecutor";
    assert_eq!(
        text(&run(program, "0")),
        "([1, 4, 9], 'ZeroDivisionError', True, [32], 'cannot schedule new futures after shutdown', True)"
    );
}

#[test]
fn html_is_parsed() {
    let program = "from html.parser import HTMLParser
def f(x):
    seen = []
    class P(HTMLParser):
        def handle_starttag(self, tag, attrs): seen.append((tag, attrs))
        def handle_data(self, data): seen.append(data)
    P().feed('<p class=\"a\">x &amp; y</p>')
    return seen";
    assert_eq!(text(&run(program, "0")), "[('p', [('class', 'a')]), 'x & y']");
}

#[test]
fn logging_writes_to_standard_error() {
    let outcome = script("import logging\nlogging.warning('%s!', 'careful')\nlogging.info('quiet')");
    assert_eq!((text(&outcome).as_str(), outcome.stderr.as_str()), ("None", "WARNING:root:careful!\n"));
}

#[test]
fn quitting_ends_a_program() {
    let outcome = script("print('done')\nquit()\nprint('never')");
    assert_eq!((text(&outcome).as_str(), outcome.stdout.as_str()), ("SystemExit", "done\n"));
}

#[test]
fn descriptors_of_the_standard_streams_work() {
    let program = "import io, os, sys
sys.stdin = io.TextIOWrapper(io.BytesIO(b'3\\n4\\n'))
numbers = io.BytesIO(os.read(0, os.fstat(0).st_size)).read().split()
os.write(1, b'%d' % sum(map(int, numbers)))";
    let outcome = script(program);
    assert_eq!((text(&outcome).as_str(), outcome.stdout.as_str()), ("None", "7"));
    assert_eq!(text(&script("import os\nos.read(3, 1)")), "OSError");
}

#[test]
fn builtins_have_their_documentation() {
    let program = "def f(x): return len.__doc__, bool(str.upper.__doc__), bool([].append.__doc__), bool(dict.__doc__)";
    assert_eq!(text(&run(program, "0")), "('Return the number of items in a container.', True, True, True)");
}

#[test]
fn asyncio_runs_tasks_by_the_clock() {
    let program = "import asyncio, time
async def work(n):
    await asyncio.sleep(n)
    return n
async def main():
    began = time.monotonic()
    seen = [await asyncio.gather(work(3), work(1), work(2)), round(time.monotonic() - began)]
    queue = asyncio.Queue(1)
    async def produce():
        for n in (1, 2, None): await queue.put(n)
    async def consume():
        while (n := await queue.get()) is not None: seen.append(n)
    await asyncio.gather(produce(), consume())
    try: await asyncio.wait_for(work(10), 1)
    except TimeoutError: seen.append('late')
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(n)) for n in (2, 1)]
    return seen + [task.result() for task in tasks] + [await asyncio.to_thread(pow, 2, 10)]
def f(x): return asyncio.run(main())";
    assert_eq!(text(&run(program, "0")), "[[3, 1, 2], 3, 1, 2, 'late', 2, 1, 1024]");
}

#[test]
fn a_loop_that_nothing_can_wake_raises() {
    let program =
        "import asyncio\nasync def main(): await asyncio.Event().wait()\ndef f(x): return asyncio.run(main())";
    assert_eq!(text(&run(program, "0")), "RuntimeError");
}

#[test]
fn a_match_knows_what_was_searched() {
    check(&[(
        r#"import re
def f(x):
    bounds = lambda m: (m.pos, m.endpos, m.span())
    return (bounds(re.search('b', 'abc')), bounds(re.compile('b').search('abcb', 2, 10)), bounds(re.match('a', 'abc')),
        bounds(re.compile('c').fullmatch('abc', 2)), [bounds(m) for m in re.finditer('a', 'aXa')],
        [bounds(m) for m in re.compile('a').finditer('aXaXa', 1, 4)], re.sub('a', lambda m: str(m.endpos), 'ba'))"#,
        r#"((0, 3, (1, 2)), (2, 4, (3, 4)), (0, 3, (0, 1)), (2, 3, (2, 3)), [(0, 3, (0, 1)), (0, 3, (2, 3))], [(1, 4, (2, 3))], 'b2')"#,
    )]);
}

#[test]
fn native_sizes_are_those_of_64_bit_machines() {
    check(&[
        (
            r#"import array, pickle, struct
def f(x):
    arrays = [array.array(c, [1, 2]) for c in 'bBhHiIlLqQfd']
    return ([struct.calcsize(c) for c in 'clLnNPqihfd'], [struct.calcsize('<' + c) for c in 'lLqi'], struct.calcsize('cl'),
        struct.pack('l', -2), struct.unpack('N', b'\x01' * 8), [a.itemsize for a in arrays], array.array('l', [2**40])[0],
        all(pickle.loads(pickle.dumps(a)) == a for a in arrays), memoryview(b'12345678').cast('l').tolist(), array.array('b', [-1]).__reduce_ex__(3)[1][2])"#,
            r#"([1, 8, 8, 8, 8, 8, 8, 4, 2, 4, 8], [4, 4, 8, 4], 16, b'\xfe\xff\xff\xff\xff\xff\xff\xff', (72340172838076673,), [1, 1, 2, 2, 4, 4, 8, 8, 8, 8, 4, 8], 1099511627776, True, [4050765991979987505], 1)"#,
        ),
        (
            r#"import struct
def end(*args):
    try: return struct.pack(*args)
    except Exception as e: return type(e).__name__
def f(x): return [end(c, v) for c in ('e', 'f', '<f', 'd') for v in (10**400, 10**40, 1e40, True, 'x')]"#,
            r#"['error', 'error', 'OverflowError', b'\x00<', 'error', 'error', b'\x00\x00\x80\x7f', b'\x00\x00\x80\x7f', b'\x00\x00\x80?', 'error', 'error', 'error', 'OverflowError', b'\x00\x00\x80?', 'error', 'error', b'\xa5\\\xc3\xf1)c=H', b'\xa5\\\xc3\xf1)c=H', b'\x00\x00\x00\x00\x00\x00\xf0?', 'error']"#,
        ),
    ]);
}

#[test]
fn text_that_is_no_token_is_an_error() {
    check(&[(
        r#"import io, tokenize
def end(text):
    try: return [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.string.strip()]
    except tokenize.TokenError: return 'TokenError'
def f(x): return [end(t) for t in ("it's", "a = '", 'a $ b', chr(28) + 'y', '(', '1_', '0777', 'a\\ b', '1if 2else 3', '0x', "x = 'ok'", '1a', '"""', chr(0x2028) + 'x', chr(178) + chr(189), 'x' + chr(178), 'a ' + chr(8364) + ' b', '1' + chr(178), '12b4', '1__0')]"#,
        r#"['TokenError', 'TokenError', ['a', '$', 'b'], 'TokenError', 'TokenError', 'TokenError', ['0777'], 'TokenError', ['1', 'if', '2', 'else', '3'], 'TokenError', ['x', '=', "'ok'"], ['1', 'a'], 'TokenError', ['\u2028x'], ['²½'], ['x²'], ['a', '€', 'b'], ['1', '²'], ['12', 'b4'], 'TokenError']"#,
    )]);
}

#[test]
fn an_indented_expression_is_an_indentation_error() {
    check(&[(
        r#"import ast
def end(work):
    try: return type(work()).__name__
    except SyntaxError as e: return type(e).__name__
def f(x):
    return [end(w) for w in (lambda: ast.parse(' pad ', mode='eval'), lambda: compile(' x', 'f', 'eval'), lambda: eval(' 1'),
        lambda: ast.literal_eval('\n 1'), lambda: ast.literal_eval(' 1'), lambda: ast.parse(' x = 1'), lambda: eval('\n 1'))]"#,
        r#"['IndentationError', 'IndentationError', 'int', 'IndentationError', 'int', 'IndentationError', 'IndentationError']"#,
    )]);
}

#[test]
fn affixes_and_separators_have_their_types_checked() {
    check(&[(
        r#"def end(work):
    try: return work()
    except Exception as e: return type(e).__name__
def f(x):
    return [end(w) for w in (lambda: bytearray(b'abc').endswith(('x', 'y'), 2), lambda: b'abc'.endswith(('x',), 9), lambda: 'abc'.startswith(b'a', 5),
        lambda: 'abc'.endswith((b'x',), 5), lambda: 'abc'.endswith('', 5), lambda: 'abc'.endswith(('a', 'c'), 1), lambda: b'ab'.hex([1, 2]),
        lambda: b'ab'.hex([1]), lambda: b'ab'.hex('ab'), lambda: b'ab'.hex(b':'), lambda: __import__('math').dist([''], [1, 2]))]"#,
        r#"['TypeError', 'TypeError', 'TypeError', 'TypeError', False, True, 'ValueError', 'TypeError', 'ValueError', '61:62', 'ValueError']"#,
    )]);
}

#[test]
fn a_decimal_context_shows_its_signals_in_order() {
    check(&[(
        r#"from decimal import *
def f(x):
    c = Context(prec=2, traps=[], flags=[Clamped, Inexact, Rounded, Subnormal, Underflow, Overflow, DivisionByZero, FloatOperation, InvalidOperation])
    return repr(c), repr(Context(flags=[Subnormal, FloatOperation], traps=[Clamped, DivisionByZero, InvalidOperation]))"#,
        r#"('Context(prec=2, rounding=ROUND_HALF_EVEN, Emin=-999999, Emax=999999, capitals=1, clamp=0, flags=[Clamped, InvalidOperation, DivisionByZero, Inexact, FloatOperation, Overflow, Rounded, Subnormal, Underflow], traps=[])', 'Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=-999999, Emax=999999, capitals=1, clamp=0, flags=[FloatOperation, Subnormal], traps=[Clamped, InvalidOperation, DivisionByZero])')"#,
    )]);
}

#[test]
fn uuencoded_lines_are_cut_and_filled() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport binascii\ndef f(x): return [of(lambda: binascii.a2b_uu(d)) for d in (b'', '', b'\\n', b'!', b'#0V%T\\n', b'#0V%T``\\n', b'#0V%Tx', b'#0V%T\\nabc', b'#0V', b'#0\\x01', 5)]",
        "[b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00', b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00', b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00', b'\\x00', b'Cat', b'Cat', 'Error: Trailing garbage', 'Error: Trailing garbage', b'C`\\x00', 'Error: Illegal char', \"TypeError: argument should be bytes, buffer or ASCII string, not 'int'\"]",
    )]);
}

#[test]
fn padding_of_base64_is_looked_at_if_asked() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport binascii\ndef f(x): return [of(lambda: binascii.a2b_base64(d, strict_mode=s)) for s in (True, False) for d in (b'YQ==', b'YQ=', b'Y=Q=', b'YWI==', b'YWI=\\n', b'=YQ=', b'YQ==a', b'YWJj=', b'Y', b'YQ', b'')]",
        "[b'a', 'Error: Incorrect padding', 'Error: Discontinuous padding not allowed', 'Error: Excess data after padding', 'Error: Excess data after padding', 'Error: Leading padding not allowed', 'Error: Excess data after padding', 'Error: Excess padding not allowed', 'Error: Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4', 'Error: Incorrect padding', b'', b'a', 'Error: Incorrect padding', 'Error: Incorrect padding', b'ab', b'ab', 'Error: Incorrect padding', b'a', b'abc', 'Error: Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4', 'Error: Incorrect padding', b'']",
    )]);
}

#[test]
fn lines_without_a_newline_get_one_when_they_are_tokenized_and_long_strings_have_all_their_lines() {
    check(&[(
        "import tokenize\ndef of(lines):\n    try: return [(t.string, t.start, t.end, t.line) for t in tokenize.generate_tokens(iter(lines).__next__)]\n    except tokenize.TokenError as e: return e.args[1]\ndef f(x): return [of(lines) for lines in [['a\\r', 'b\\r'], ['\\r', ' \\r', '# c\\r', 'if a:\\r', '  b\\r\\n'], ['(\\r', '1)'], ['a', 'b'], [\"'''a\\r\", \"b'''\\n\"], [\"f'''a\\n\", \"{b}\\n\", \"c'''\\n\"]]]",
        "[[('a', (1, 0), (1, 1), 'a\\r'), ('\\r', (1, 1), (1, 3), 'a\\r'), ('b', (2, 0), (2, 1), 'b\\r'), ('\\r', (2, 1), (2, 3), 'b\\r'), ('', (3, 0), (3, 0), '')], [('', (1, 0), (1, 2), '\\r'), ('', (2, 1), (2, 3), ' \\r'), ('# c', (3, 0), (3, 3), '# c\\r'), ('', (3, 3), (3, 5), '# c\\r'), ('if', (4, 0), (4, 2), 'if a:\\r'), ('a', (4, 3), (4, 4), 'if a:\\r'), (':', (4, 4), (4, 5), 'if a:\\r'), ('\\r', (4, 5), (4, 7), 'if a:\\r'), ('  ', (5, 0), (5, 2), '  b\\r\\n'), ('b', (5, 2), (5, 3), '  b\\r\\n'), ('\\r\\n', (5, 3), (5, 5), '  b\\r\\n'), ('', (6, 0), (6, 0), ''), ('', (6, 0), (6, 0), '')], [('(', (1, 0), (1, 1), '(\\r'), ('', (1, 1), (1, 3), '(\\r'), ('1', (2, 0), (2, 1), '1)'), (')', (2, 1), (2, 2), '1)'), ('', (2, 2), (2, 3), '1)'), ('', (3, 0), (3, 0), '')], [('a', (1, 0), (1, 1), 'a'), ('', (1, 1), (1, 2), 'a'), ('b', (2, 0), (2, 1), 'b'), ('', (2, 1), (2, 2), 'b'), ('', (3, 0), (3, 0), '')], [(\"'''a\\r\\nb'''\", (1, 0), (2, 4), \"'''a\\r\\nb'''\\n\"), ('\\n', (2, 4), (2, 5), \"b'''\\n\"), ('', (3, 0), (3, 0), '')], [(\"f'''\", (1, 0), (1, 4), \"f'''a\\n\"), ('a\\n', (1, 4), (2, 0), \"f'''a\\n{b}\\n\"), ('{', (2, 0), (2, 1), '{b}\\n'), ('b', (2, 1), (2, 2), '{b}\\n'), ('}', (2, 2), (2, 3), '{b}\\n'), ('\\nc', (2, 3), (3, 1), \"{b}\\nc'''\\n\"), (\"'''\", (3, 1), (3, 4), \"c'''\\n\"), ('\\n', (3, 4), (3, 5), \"c'''\\n\"), ('', (4, 0), (4, 0), '')]]",
    )]);
}
