"""What contest programs find when they start: names that LiveCodeBench's own checker imports, and standard input."""

import _thread
import builtins
import io
import os
import sys
import threading

from azr.evals.guest.candidate import bare

IMPORTS = """
from string import *
from re import *
from datetime import *
from collections import *
from heapq import *
from bisect import *
from copy import *
from math import *
from random import *
from statistics import *
from itertools import *
from functools import *
from operator import *
from io import *
from sys import *
from json import *
from builtins import *
from typing import *
import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools, operator
import io, sys, json
"""
"""In the checker's order: a module hides the function of its name, and `pow` is that of `builtins`."""

_names = {}
exec(IMPORTS, _names)
del _names["__builtins__"]


class NoFunction(Exception):
    """The answer has no such method."""


def method(answer, name):
    """The method of an answer's class Solution, its result as plain data."""
    space = {**_names, "__name__": "answer"}
    _prepare()
    exec(answer, space)
    made = space.get("Solution")
    if made is None or not hasattr(made, name):
        raise NoFunction("Solution." + name)

    def called(*args):
        result = bare(getattr(made(), name)(*args))
        return list(result) if type(result) is tuple else result

    return called


def script(answer, text):
    """Runs an answer on a standard input."""
    space = {**_names, "__name__": "__main__"}
    _prepare()
    _give(text.encode("utf-8"))
    space["open"] = builtins.open
    space["stdin"] = sys.stdin
    try:
        exec(answer, space)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def _prepare():
    sys.setrecursionlimit(50000)
    # The size of a thread's stack is the host's to choose; programs only ask for more of it.
    threading.stack_size = _thread.stack_size = lambda size=0: 0


class _Input(io.BytesIO):
    """Standard input as a descriptor has it."""

    name = "<stdin>"

    def fileno(self):
        return 0


class _Status:
    """What `os.fstat(0)` says of a file that is the input."""

    st_mode = 0o100444
    st_blksize = 4096

    def __init__(self, size):
        self.st_size = size


def _give(data):
    source = _Input(data)
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(source, encoding="utf-8")
    opened, status, reading, writing = builtins.open, os.fstat, os.read, os.write

    def open(file, mode="r", *args, **kwargs):
        if file in (0, "/dev/stdin", "/proc/self/fd/0"):
            return source if "b" in mode else sys.__stdin__
        if file in (1, "/dev/stdout") and not isinstance(file, bool):
            return sys.__stdout__.buffer if "b" in mode else sys.__stdout__
        return opened(file, mode, *args, **kwargs)

    def read(descriptor, count, /):
        return source.read(count) if descriptor == 0 else reading(descriptor, count)

    def write(descriptor, data, /):
        if descriptor not in (1, 2):
            return writing(descriptor, data)
        stream = sys.__stdout__ if descriptor == 1 else sys.__stderr__
        stream.flush()
        stream.buffer.write(data)
        stream.buffer.flush()
        return len(data)

    def fstat(descriptor):
        return _Status(len(data)) if descriptor == 0 else status(descriptor)

    builtins.open = io.open = open
    os.read, os.write, os.fstat = read, write, fstat
    os.fdopen = open
    os.isatty = lambda descriptor: False
