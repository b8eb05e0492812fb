"""Stands in for doctest where the sandbox has none: no tests in documentation."""

import unittest

ELLIPSIS = NORMALIZE_WHITESPACE = IGNORE_EXCEPTION_DETAIL = DONT_ACCEPT_TRUE_FOR_1 = SKIP = 0


def DocTestSuite(*args, **options):
    return unittest.TestSuite()


DocFileSuite = DocTestSuite


def testmod(*args, **options):
    raise unittest.SkipTest("needs doctest")
