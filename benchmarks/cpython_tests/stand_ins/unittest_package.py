"""Stands in for the package: what of unittest's own modules runs without a host. A test is run by collect.py."""

from .case import (
    SkipTest,
    TestCase,
)
from .result import TestResult

__unittest = True
TextTestResult = TestResult


class IsolatedAsyncioTestCase(TestCase):
    """Its tests need an event loop."""

    def setUp(self):
        raise SkipTest("needs asyncio")


class TextTestRunner:
    def __init__(self, *args, **options):
        raise SkipTest("needs unittest's runner")


def main(*args, **options):
    """A test file's last line; here collect.py does what it would."""


def registerResult(result):
    pass


installHandler = removeResult = removeHandler = registerResult
