"""Stands in for test.support.script_helper: there are no processes."""

import unittest


def _process(*args, **options):
    raise unittest.SkipTest("needs a process")


assert_python_ok = assert_python_failure = spawn_python = kill_python = run_python_until_end = _process
make_script = make_pkg = make_zip_script = make_zip_pkg = run_test_script = interpreter_requires_environment = _process
