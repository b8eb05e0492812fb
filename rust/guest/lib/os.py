"""The part of `os` that works without a host: paths as text, an empty environment, random bytes.

Everything that would need files, processes or a terminal raises OSError and says so.
"""
import abc
import operator
import sys
import stat as st
import _azr

import posixpath as path
from _collections_abc import MutableMapping, _check_methods
from posixpath import (curdir, pardir, sep, pathsep, defpath, extsep, altsep, devnull)

sys.modules["os.path"] = path

name = "posix"
linesep = "\n"
error = OSError

F_OK, R_OK, W_OK, X_OK = 0, 4, 2, 1
O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND = 0, 1, 2, 64, 128, 512, 1024
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
EX_OK = 0

supports_bytes_environ = True
supports_dir_fd = supports_effective_ids = supports_fd = supports_follow_symlinks = frozenset()


def _no_host(name):
    def function(*args, **kwargs):
        raise OSError(38, f"os.{name} needs a host, and the sandbox has none")
    function.__name__ = function.__qualname__ = name
    return function


for _name in (
    "access chdir chmod chown close cpu_count dup dup2 execv execve execvp fdopen fork getcwd getcwdb "
    "getlogin getppid kill killpg link listdir lstat makedirs mkdir mkfifo nice open pipe popen "
    "readlink remove removedirs rename renames replace rmdir scandir setuid stat statvfs symlink sync system "
    "times truncate umask unlink utime wait waitpid walk get_terminal_size getloadavg sched_getaffinity"
).split():
    globals()[_name] = _no_host(_name)
del _name


def _standard(fd, allowed):
    """Only the standard streams have descriptors here."""
    if fd not in allowed:
        raise OSError(9, "Bad file descriptor")


def read(fd, length, /):
    """Read from standard input; there is no other descriptor to read from."""
    _standard(fd, (0,))
    stream = sys.stdin
    return stream.buffer.read(length) if hasattr(stream, "buffer") else stream.read(length).encode()


def write(fd, data, /):
    """Write to standard output or error; there is no other descriptor to write to."""
    _standard(fd, (1, 2))
    data = bytes(data)
    _azr.write(fd, data.decode("utf-8", "backslashreplace"))
    return len(data)


def isatty(fd, /):
    return False


def fstat(fd):
    """Of standard input, what is asked of it most: the size of what is left to read."""
    _standard(fd, (0,))
    stream = sys.stdin.buffer if hasattr(sys.stdin, "buffer") else sys.stdin
    place = stream.tell()
    size = stream.seek(0, SEEK_END)
    stream.seek(place)
    return stat_result((st.S_IFREG, 0, 0, 1, 0, 0, size, 0, 0, 0))


def getenv(key, default=None):
    return environ.get(key, default)


def register_at_fork(**hooks):
    """Nothing forks here."""


def getpid():
    return _azr.process()


def cpu_count():
    return 1


process_cpu_count = cpu_count


def urandom(size, /):
    return _azr.random_bytes(size)


getrandom = urandom


_MESSAGES = {
    1: "Operation not permitted", 2: "No such file or directory", 3: "No such process",
    4: "Interrupted system call", 5: "Input/output error", 6: "No such device or address",
    7: "Argument list too long", 8: "Exec format error", 9: "Bad file descriptor", 10: "No child processes",
    11: "Resource temporarily unavailable", 12: "Cannot allocate memory", 13: "Permission denied",
    14: "Bad address", 15: "Block device required", 16: "Device or resource busy", 17: "File exists",
    18: "Invalid cross-device link", 19: "No such device", 20: "Not a directory", 21: "Is a directory",
    22: "Invalid argument", 23: "Too many open files in system", 24: "Too many open files",
    25: "Inappropriate ioctl for device", 26: "Text file busy", 27: "File too large",
    28: "No space left on device", 29: "Illegal seek", 30: "Read-only file system", 31: "Too many links",
    32: "Broken pipe", 33: "Numerical argument out of domain", 34: "Numerical result out of range",
    35: "Resource deadlock avoided", 36: "File name too long", 37: "No locks available",
    38: "Function not implemented", 39: "Directory not empty", 40: "Too many levels of symbolic links",
    42: "No message of desired type", 43: "Identifier removed", 44: "Channel number out of range",
    45: "Level 2 not synchronized", 46: "Level 3 halted", 47: "Level 3 reset", 48: "Link number out of range",
    49: "Protocol driver not attached", 50: "No CSI structure available", 51: "Level 2 halted",
    52: "Invalid exchange", 53: "Invalid request descriptor", 54: "Exchange full", 55: "No anode",
    56: "Invalid request code", 57: "Invalid slot", 59: "Bad font file format", 60: "Device not a stream",
    61: "No data available", 62: "Timer expired", 63: "Out of streams resources",
    64: "Machine is not on the network", 65: "Package not installed", 66: "Object is remote",
    67: "Link has been severed", 68: "Advertise error", 69: "Srmount error", 70: "Communication error on send",
    71: "Protocol error", 72: "Multihop attempted", 73: "RFS specific error", 74: "Bad message",
    75: "Value too large for defined data type", 76: "Name not unique on network",
    77: "File descriptor in bad state", 78: "Remote address changed",
    79: "Can not access a needed shared library", 80: "Accessing a corrupted shared library",
    81: ".lib section in a.out corrupted", 82: "Attempting to link in too many shared libraries",
    83: "Cannot exec a shared library directly", 84: "Invalid or incomplete multibyte or wide character",
    85: "Interrupted system call should be restarted", 86: "Streams pipe error", 87: "Too many users",
    88: "Socket operation on non-socket", 89: "Destination address required", 90: "Message too long",
    91: "Protocol wrong type for socket", 92: "Protocol not available", 93: "Protocol not supported",
    94: "Socket type not supported", 95: "Operation not supported", 96: "Protocol family not supported",
    97: "Address family not supported by protocol", 98: "Address already in use",
    99: "Cannot assign requested address", 100: "Network is down", 101: "Network is unreachable",
    102: "Network dropped connection on reset", 103: "Software caused connection abort",
    104: "Connection reset by peer", 105: "No buffer space available",
    106: "Transport endpoint is already connected", 107: "Transport endpoint is not connected",
    108: "Cannot send after transport endpoint shutdown", 109: "Too many references: cannot splice",
    110: "Connection timed out", 111: "Connection refused", 112: "Host is down", 113: "No route to host",
    114: "Operation already in progress", 115: "Operation now in progress", 116: "Stale file handle",
    117: "Structure needs cleaning", 118: "Not a XENIX named type file", 119: "No XENIX semaphores available",
    120: "Is a named type file", 121: "Remote I/O error", 122: "Disk quota exceeded", 123: "No medium found",
    124: "Wrong medium type", 125: "Operation canceled", 126: "Required key not available",
    127: "Key has expired", 128: "Key has been revoked", 129: "Key was rejected by service", 130: "Owner died",
    131: "State not recoverable", 132: "Operation not possible due to RF-kill",
}


def strerror(code, /):
    return _MESSAGES.get(code, f"Unknown error {code}")


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


class _Environ(MutableMapping):
    """The environment, which is empty at the start. Text and bytes are two views of one."""

    def __init__(self, held, encode, decode):
        self._held, self.encodekey, self.decodekey = held, encode, decode
        self.encodevalue, self.decodevalue = encode, decode

    def __getitem__(self, key):
        try:
            return self.decodevalue(self._held[self.encodekey(key)])
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key, value):
        key, value = self.encodekey(key), self.encodevalue(value)
        if b"\0" in key or b"\0" in value:
            raise ValueError("embedded null byte")
        if not key or b"=" in key:
            raise OSError(22, "Invalid argument")
        self._held[key] = value

    def __delitem__(self, key):
        try:
            del self._held[self.encodekey(key)]
        except KeyError:
            raise KeyError(key) from None

    def __iter__(self):
        for key in list(self._held):
            yield self.decodekey(key)

    def __len__(self):
        return len(self._held)

    def __repr__(self):
        return f"environ({{{', '.join(f'{key!r}: {value!r}' for key, value in self.items())}}})"

    def copy(self):
        return dict(self)

    def setdefault(self, key, value):
        if key not in self:
            self[key] = value
        return self[key]

    def __or__(self, other):
        return dict(self) | dict(other) if hasattr(other, "keys") else NotImplemented

    def __ror__(self, other):
        return dict(other) | dict(self) if hasattr(other, "keys") else NotImplemented

    def __ior__(self, other):
        self.update(other)
        return self


def _text_encoded(value):
    if not isinstance(value, str):
        raise TypeError(f"str expected, not {type(value).__name__}")
    return value.encode("utf-8", "surrogateescape")


def _bytes_checked(value):
    if not isinstance(value, bytes):
        raise TypeError(f"bytes expected, not {type(value).__name__}")
    return value


environ = _Environ({}, _text_encoded, lambda value: value.decode("utf-8", "surrogateescape"))
environb = _Environ(environ._held, _bytes_checked, _bytes_checked)


def getenvb(key, default=None):
    return environb.get(key, default)


def putenv(name, value, /):
    """The process itself has no environment: as in CPython, `environ` does not follow."""


def unsetenv(name, /):
    pass


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
    """Of standard input; otherwise for isinstance."""

    st_mode, st_ino, st_dev, st_nlink, st_uid = (property(operator.itemgetter(place)) for place in range(5))
    st_gid, st_size, st_atime, st_mtime, st_ctime = (property(operator.itemgetter(place)) for place in range(5, 10))
    st_atime_ns, st_mtime_ns, st_ctime_ns = (
        property(lambda result, place=place: int(result[place] * 1_000_000_000)) for place in range(7, 10))


class uname_result(tuple):
    """What machine this is: none."""

    sysname, nodename, release, version, machine = "", "", "", "", "wasm32"


def uname():
    return uname_result(("", "", "", "", "wasm32"))


class terminal_size(tuple):
    """A tuple of (columns, lines): `shutil` makes one of what it takes for a terminal's usual size."""

    columns, lines = (property(operator.itemgetter(place)) for place in range(2))
