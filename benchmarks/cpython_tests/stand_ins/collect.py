"""Runs in the sandbox: finds the tests of one module and runs one of them by its name."""

import io
import re
import sys
import traceback
import unittest


class _Report(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.problems = []
        self.skips = []

    def _note(self, kind, error):
        if len(self.problems) < 3:
            self.problems.append((kind, *told(error[1])))

    def addError(self, test, err):
        self._note("error", err)

    def addFailure(self, test, err):
        self._note("failure", err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._note("subtest " + subtest._subDescription()[:120], err)

    def addUnexpectedSuccess(self, test):
        self.problems.append(("unexpected success", "", "", ""))

    def addSkip(self, test, reason):
        self.skips.append(str(reason)[:200])


def told(value):
    """Name, text and last lines of what was raised. Only plain text leaves the sandbox."""
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}: {frame.line}"
        for frame in traceback.extract_tb(value.__traceback__)
        if not frame.filename.startswith(("unittest/", "collect_", "host", "<frozen importlib"))
    ]
    try:
        text = str(value)
    except Exception:
        text = "?"
    text = _examples(text) or text[:400]
    return _plain(type(value).__name__), _plain(text), _plain(" | ".join(places[-3:]))[:400]


def _examples(text):
    """The examples that a test in documentation says have failed, each on one line."""
    found = re.findall(r"^Failed example:\n((?:    .*\n)+)", text, re.MULTILINE)
    lines = ("; ".join(line.strip() for line in example.splitlines()) for example in found)
    return "".join(f"«{line}»" for line in lines)


def _plain(text):
    return text.encode("utf-8", "backslashreplace").decode()


def _every(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _every(item)
        else:
            yield item


def collect(module):
    """The module's tests by name; its own `load_tests` has a say."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    tests = {}
    for test in _every(suite):
        name = test.id().removeprefix(module.__name__ + ".")
        while name in tests:
            name += "'"
        tests[name] = test
    return tests


def run_alone(test):
    """As `run`, but a thread that the test starts ends it: here a thread runs to its end where it is started."""
    import _thread
    import threading

    def start(*args, **options):
        raise unittest.SkipTest("needs threads at the same time")

    threading.Thread.start = _thread.start_new_thread = start
    return run(test)


def run(test):
    """('passed' | 'skipped' | 'failed', what was said)."""
    report = _Report()
    sys.stdout, plain = io.StringIO(), sys.stdout
    try:
        unittest.TestSuite([test]).run(report)
    finally:
        sys.stdout = plain
    if report.problems:
        return "failed", report.problems
    if report.skips:
        return "skipped", report.skips
    return "passed", []
