"""What the guest's interpreter needs in Python: captured streams, a clock, and the second setting of
its entropy. Runs before the snapshot; programs never see a reason to import it.
"""
import builtins
import io
import _azr


class _Captured(io.TextIOBase):
    """A text stream whose output the host captures."""

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    mode = "w"

    def __init__(self, number, name):
        self._number = number
        self.name = name

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


def set_clock():
    """Before the standard modules are loaded: clocks that read the request's time, in UTC."""
    import time

    def time_ns():
        return _azr.clock()

    def seconds():
        return _azr.clock() / 1e9

    def sleep(secs):
        if secs < 0:
            raise ValueError("sleep length must be non-negative")
        _azr.sleep(int(secs * 1e9))

    def calendar_time(zone):
        def from_seconds(secs=None):
            return zone(seconds() if secs is None else secs)
        from_seconds.__name__ = zone.__name__
        return from_seconds

    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(time, name, seconds)
        setattr(time, name + "_ns", time_ns)
    time.sleep = sleep
    time.gmtime = calendar_time(time.gmtime)
    time.localtime = time.gmtime
    plain_ctime, plain_asctime, plain_strftime = time.ctime, time.asctime, time.strftime
    time.ctime = lambda secs=None: plain_ctime(seconds() if secs is None else secs)
    time.asctime = lambda t=None: plain_asctime(time.gmtime() if t is None else t)
    time.strftime = lambda format, t=None: plain_strftime(format, time.gmtime() if t is None else t)
    time.tzname = ("UTC", "UTC")
    time.timezone = time.altzone = time.daylight = 0


def set_random():
    """After the standard modules are loaded: unseeded generators take the request's entropy."""
    import random

    plain_seed = random.Random.seed

    def seed(self, a=None, version=2):
        """Initialize internal state from a seed; without one, from the request's entropy."""
        if a is None:
            a = int.from_bytes(_azr.random_bytes(32), "big")
        plain_seed(self, a, version)

    random.Random.seed = seed
    random.seed = random._inst.seed
    random._urandom = _azr.random_bytes


def reseed():
    """Seed the functions of `random` from the request's entropy."""
    import random

    random._inst.seed()


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
        try:
            # What these modules unpack is walked by iterator: sets then show their order under both settings.
            code = compile(_azr.unpack_by_iterator(source), file, "exec", dont_inherit=True)
        except SyntaxError:
            pass
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
    builtins.__azr_unpacked__ = lambda obj: obj
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


def turn_over():
    """Replace what shows an order or a number that CPython does not promise; see entropy.rs."""
    plain_sorted, plain_hash, plain_id = builtins.sorted, builtins.hash, builtins.id
    promised = (int, float, complex, bool, type(None))

    def sorted(iterable, /, *, key=None, reverse=False):
        return plain_sorted(list(iterable), key=key, reverse=reverse)

    def hash(obj, /):
        value = plain_hash(obj)
        kind = type(obj)
        if kind in promised or kind is tuple and all(type(item) in promised for item in obj):
            return value
        return value ^ 0x5A5A5A5A

    def id(obj, /):
        return plain_id(obj) + 0x10000

    def unpacked(obj, /):
        return iter(obj) if type(obj) in (set, frozenset) else obj

    def walked(plain, alone=False):
        def function(first, /, *rest, **options):
            if type(first) in (set, frozenset) and not (alone and rest):
                first = list(first)
            return plain(first, *rest, **options)

        function.__name__ = function.__qualname__ = plain.__name__
        return function

    builtins.sorted, builtins.hash, builtins.id = sorted, hash, id
    # Of elements that tie the first wins. With several arguments these compare the arguments.
    builtins.max, builtins.min = walked(builtins.max, alone=True), walked(builtins.min, alone=True)
    import itertools

    for name in ("combinations", "combinations_with_replacement", "permutations"):
        setattr(itertools, name, walked(getattr(itertools, name)))
    plain_product = itertools.product

    def product(*iterables, repeat=1):
        return plain_product(*[iter(one) if type(one) in (set, frozenset) else one for one in iterables], repeat=repeat)

    itertools.product = product
    builtins.__azr_unpacked__ = unpacked


def set_pop(self, /):
    first = _nothing = object()
    for first in self:
        pass
    if first is _nothing:
        raise KeyError("pop from an empty set")
    self.remove(first)
    return first


_extend, _iadd = list.extend, list.__iadd__


def list_extend(self, iterable, /):
    _extend(self, list(iterable) if type(iterable) in (set, frozenset) else iterable)


def list_iadd(self, iterable, /):
    return _iadd(self, list(iterable) if type(iterable) in (set, frozenset) else iterable)


_fromkeys = dict.__dict__["fromkeys"]


@classmethod
def dict_fromkeys(cls, iterable, value=None, /):
    keys = list(iterable) if type(iterable) in (set, frozenset) else iterable
    return _fromkeys.__get__(None, cls)(keys, value)
