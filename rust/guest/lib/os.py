"""The part of `os` that works without a host: paths as text, an empty environment, random bytes.

Everything that would need files, processes or a terminal raises OSError and says so.
"""
import abc
import sys
import stat as st
import _azr

import posixpath as path
from _collections_abc import _check_methods
from posixpath import (curdir, pardir, sep, pathsep, defpath, extsep, altsep, devnull)

sys.modules["os.path"] = path

name = "posix"
linesep = "\n"
error = OSError

F_OK, R_OK, W_OK, X_OK = 0, 4, 2, 1
O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND = 0, 1, 2, 64, 128, 512, 1024
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
EX_OK = 0

environ = {}
environb = {}
supports_bytes_environ = True


def _no_host(name):
    def function(*args, **kwargs):
        raise OSError(38, f"os.{name} needs a host, and the sandbox has none")
    function.__name__ = function.__qualname__ = name
    return function


for _name in (
    "access chdir chmod chown close cpu_count dup dup2 execv execve execvp fdopen fork fstat getcwd getcwdb "
    "getlogin getppid kill killpg link listdir lstat makedirs mkdir mkfifo nice open pipe popen putenv read "
    "readlink remove removedirs rename renames replace rmdir scandir setuid stat statvfs symlink sync system "
    "times truncate umask unlink utime wait waitpid walk write get_terminal_size getloadavg sched_getaffinity"
).split():
    globals()[_name] = _no_host(_name)
del _name


def getenv(key, default=None):
    return environ.get(key, default)


def register_at_fork(**hooks):
    """Nothing forks here."""


def getpid():
    return 1


def cpu_count():
    return 1


process_cpu_count = cpu_count


def urandom(size, /):
    return _azr.random_bytes(size)


getrandom = urandom


def strerror(code, /):
    return f"Error {code}"


def _exit(status=0):
    _azr.exit()


def abort():
    _azr.exit()


def fsencode(filename):
    filename = fspath(filename)
    return filename.encode("utf-8", "surrogateescape") if isinstance(filename, str) else filename


def fsdecode(filename):
    filename = fspath(filename)
    return filename.decode("utf-8", "surrogateescape") if isinstance(filename, bytes) else filename


def fspath(path):
    if isinstance(path, (str, bytes)):
        return path
    try:
        text = type(path).__fspath__(path)
    except AttributeError:
        raise TypeError(f"expected str, bytes or os.PathLike object, not {type(path).__name__}") from None
    if isinstance(text, (str, bytes)):
        return text
    raise TypeError(f"expected {type(path).__name__}.__fspath__() to return str or bytes, "
                    f"not {type(text).__name__}")


class PathLike(abc.ABC):
    """Abstract base class for implementing the file system path protocol."""

    __slots__ = ()

    @abc.abstractmethod
    def __fspath__(self):
        raise NotImplementedError

    @classmethod
    def __subclasshook__(cls, subclass):
        return _check_methods(subclass, "__fspath__") if cls is PathLike else NotImplemented

    __class_getitem__ = classmethod(type(list[int]))


class stat_result(tuple):
    """Never made here; for isinstance."""


class uname_result(tuple):
    """What machine this is: none."""

    sysname, nodename, release, version, machine = "", "", "", "", "wasm32"


def uname():
    return uname_result(("", "", "", "", "wasm32"))


class terminal_size(tuple):
    """Never made here; for isinstance."""
