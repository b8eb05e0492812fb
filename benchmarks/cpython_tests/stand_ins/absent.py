"""A module that the sandbox has none of: what is made of it skips the test that uses it."""

import unittest


class _Absent:
    """Stands for anything in such a module until it is called."""

    def __init__(self, name):
        self._absent_name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._absent_name}.{name}")

    def __call__(self, *args, **options):
        raise unittest.SkipTest(f"needs {self._absent_name}")

    def __mro_entries__(self, bases):
        # A test case has to be made before one of its tests can be set aside.
        if any(issubclass(base, unittest.TestCase) for base in bases if isinstance(base, type)):
            return ()
        return (type("absent", (), {"__new__": lambda cls, *args, **options: self()}),)


def attribute(module):
    """`__getattr__` of a module of this name."""

    def __getattr__(name):
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if name == "__all__":
            return []
        if name.endswith(("Error", "Exception", "Warning", "Expired")):
            return type(name, (Exception,), {})
        return _Absent(f"{module}.{name}")

    return __getattr__
