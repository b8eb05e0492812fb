"""The tests of the file at hand, found once, before the snapshot from which every test starts."""

import importlib

import collect_tests
import host  # noqa: F401
from test_files import FILE

try:
    TESTS, FAULT = collect_tests.collect(importlib.import_module(FILE)), None
except BaseException as error:
    TESTS, FAULT = {}, collect_tests.told(error)
