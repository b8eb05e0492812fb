"""What the guest's interpreter needs in Python: captured streams, a clock, and modules that a domain brings.
Runs before the snapshot; programs never see a reason to import it.
"""
import _io
import builtins
import io
import _azr


class _Captured(io.TextIOBase):
    """A text stream whose output the host captures."""

    encoding = "utf-8"
    newlines = None
    mode = "w"

    def __init__(self, number, name):
        self._number = number
        self.name = name

    @property
    def errors(self):
        return "strict" if self._number == 1 else "backslashreplace"

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        return _azr.write(self._number, str(text))

    def writable(self):
        return True

    def fileno(self):
        raise io.UnsupportedOperation("fileno")

    def reconfigure(self, **options):
        pass

    @property
    def buffer(self):
        return _CapturedBytes(self)


class _CapturedBytes(io.RawIOBase):
    """The bytes below a captured stream."""

    def __init__(self, text):
        self._text = text

    def writable(self):
        return True

    def write(self, data):
        self._text.write(bytes(data).decode("utf-8", "backslashreplace"))
        return len(data)


stdin = io.StringIO("")
stdout = _Captured(1, "<stdout>")
stderr = _Captured(2, "<stderr>")


def set_names():
    """After the standard modules are loaded: what a program started from a file finds in `sys` and among the builtins."""
    import sys
    import time
    import types
    import _sitebuiltins

    def get_clock_info(name, /):
        if name not in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
            raise ValueError("unknown clock")
        return types.SimpleNamespace(
            implementation="azr", monotonic=name != "time", adjustable=name == "time", resolution=1e-06)

    time.get_clock_info = _azr.builtin("time", get_clock_info)
    sys.argv = [PROGRAM_FILE.rpartition("/")[2]]
    sys.orig_argv = ["python", *sys.argv]
    for name in ("quit", "exit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D (i.e. EOF)"))
    for name, text in (("copyright", sys.copyright), ("credits", "RustPython, and the people behind it."),
                       ("license", "RustPython is under the MIT licence.")):
        setattr(builtins, name, _sitebuiltins._Printer(name, text))
    builtins.help = _sitebuiltins._Helper()
    builtins.open = io.open = _io.open = _azr.builtin("_io", open)


PROGRAM_FILE = "/program.py"


def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """Open a file: there are none here, and none can be made."""
    if isinstance(file, int):
        raise OSError(9, "Bad file descriptor")
    from os import fspath

    name = fspath(file)
    if not isinstance(mode, str):
        raise TypeError(f"open() argument 'mode' must be str, not {type(mode).__name__}")
    if len(set(mode)) != len(mode) or set(mode) - set("rwxabt+") or len(set(mode) & set("rwxa")) != 1:
        raise ValueError(f"invalid mode: {mode!r}")
    if "r" in mode:
        raise FileNotFoundError(2, "No such file or directory", name)
    raise OSError(30, "Read-only file system", name)


def set_clock():
    """Before the standard modules are loaded: clocks that read the request's time, in UTC."""
    import time

    slept = 0

    def sleep(secs, /):
        nonlocal slept
        if secs < 0:
            raise ValueError("sleep length must be non-negative")
        nanoseconds = int(secs * 1e9)
        slept += nanoseconds
        _azr.sleep(nanoseconds)

    def clock(name, since_sleep):
        # A process that sleeps takes no processor time.
        def nanoseconds():
            return _azr.clock() - slept if since_sleep else _azr.clock()

        def seconds():
            return nanoseconds() / 1e9

        set_function(name, seconds)
        set_function(name + "_ns", nanoseconds)

    def set_function(name, function):
        function.__name__ = function.__qualname__ = name
        setattr(time, name, _azr.builtin("time", function))

    for name in ("time", "monotonic", "perf_counter"):
        clock(name, False)
    for name in ("process_time", "thread_time"):
        clock(name, True)
    set_function("sleep", sleep)

    def calendar_time(zone):
        def from_seconds(secs=None, /):
            return zone(_azr.clock() / 1e9 if secs is None else secs)
        return from_seconds

    plain_asctime, plain_strftime = time.asctime, time.strftime
    for name in ("gmtime", "localtime", "ctime"):
        set_function(name, calendar_time(getattr(time, name)))
    set_function("asctime", lambda t=None, /: plain_asctime(time.localtime() if t is None else t))
    set_function("strftime", lambda format, t=None, /: plain_strftime(format, time.localtime() if t is None else t))
    time.tzname = ("UTC", "UTC")
    time.timezone = time.altzone = time.daylight = 0


def set_identity():
    """After the standard modules are loaded: those that tell objects apart by `id` count no read of an address, unless
    they show it."""
    import _thread
    import copy
    import inspect
    import json.encoder
    import pickle
    import pprint
    import reprlib
    import threading
    import traceback
    import typing

    for module in (copy, inspect, json.encoder, pickle, pprint, reprlib, traceback, typing):
        module.id = _azr.identity

    plain = _thread.get_ident

    def get_ident():
        return _azr.shown(plain() << 12)

    def ident(thread):
        number = plain_ident.fget(thread)
        return number and _azr.shown(number << 12)

    plain_ident = threading.Thread.ident
    threading.Thread.ident = property(ident, doc=plain_ident.__doc__)
    _thread.get_ident = threading.get_ident = _azr.builtin("_thread", get_ident)


def host_function(name):
    """What a program calls to have the host's function of that name called."""
    def function(*args, **kwargs):
        return _azr.call(name, *args, **kwargs)
    function.__name__ = function.__qualname__ = name
    return function


class _Given:
    """Finds and loads modules whose source texts were handed in."""

    def __init__(self, sources):
        self.sources = sources

    def file(self, name):
        return name.replace(".", "/") + ".py"

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        from importlib.machinery import ModuleSpec

        package = any(other.startswith(name + ".") for other in self.sources)
        return ModuleSpec(name, self, origin=self.file(name), is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__spec__.name
        source, file = self.sources[name], self.file(name)
        module.__file__ = file
        code = compile(source, file, "exec", dont_inherit=True)
        exec(code, module.__dict__)

    def fault(self, importing, error):
        """Module, line and text of what went wrong."""
        files = {self.file(name): name for name in self.sources}
        module, line = importing, 0
        if isinstance(error, SyntaxError) and error.filename in files:
            module, line = files[error.filename], error.lineno or 0
        else:
            frame = error.__traceback__
            while frame is not None:
                if frame.tb_frame.f_code.co_filename in files:
                    module, line = files[frame.tb_frame.f_code.co_filename], frame.tb_lineno
                frame = frame.tb_next
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return module, line, f"{type(error).__name__}: {text}" if text else type(error).__name__


def import_given(sources):
    """Import modules given as {dotted name: text}, so that programs find them loaded.

    None, or (module, line, message) of what is wrong with one.
    """
    import sys

    for name in sources:
        if name in sys.modules:
            return name, 0, "Python has a module of this name already"
    for name in list(sources):
        while "." in name:
            name = name.rpartition(".")[0]
            if name not in sys.modules:
                sources.setdefault(name, "")
    finder = _Given(sources)
    sys.meta_path.insert(0, finder)
    name = ""
    try:
        for name in list(sources):
            __import__(name)
    except BaseException as error:
        return finder.fault(name, error)
    finally:
        sys.meta_path.remove(finder)
