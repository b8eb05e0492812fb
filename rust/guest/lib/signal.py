"""`signal` where no signal ever arrives: handlers can be set and asked for, and are never called."""
import enum


class Signals(enum.IntEnum):
    SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE = 1, 2, 3, 4, 5, 6, 7, 8
    SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM = 9, 10, 11, 12, 13, 14, 15
    SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGVTALRM, SIGPROF = 17, 18, 19, 20, 26, 27


class Handlers(enum.IntEnum):
    SIG_DFL, SIG_IGN = 0, 1


globals().update(Signals.__members__)
globals().update(Handlers.__members__)
NSIG = 65
ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF = 0, 1, 2


class ItimerError(OSError):
    pass


def default_int_handler(signalnum, frame, /):
    """The default handler for SIGINT installed by Python. It raises KeyboardInterrupt."""
    raise KeyboardInterrupt


_handlers = {number: Handlers.SIG_DFL for number in Signals}
_handlers[Signals.SIGINT] = default_int_handler


def _checked(signalnum):
    if not 1 <= signalnum < NSIG:
        raise ValueError("signal number out of range")
    return signalnum


def signal(signalnum, handler, /):
    """Set the action for the given signal, and return the one before."""
    if not callable(handler) and handler not in (0, 1):
        raise TypeError("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
    if signalnum in (Signals.SIGKILL, Signals.SIGSTOP):
        raise OSError(22, "Invalid argument")
    before = getsignal(signalnum)
    _handlers[signalnum] = handler if callable(handler) else Handlers(handler)
    return before


def getsignal(signalnum, /):
    """Return the current action for the given signal."""
    return _handlers.get(_checked(signalnum), Handlers.SIG_DFL)


def strsignal(signalnum, /):
    """Return the system description of the given signal: none is known here."""
    _checked(signalnum)


def valid_signals():
    """Return a set of valid signal numbers on this platform."""
    return set(range(1, NSIG))


def _no_signals(name):
    def function(*args, **kwargs):
        raise OSError(38, f"signal.{name} needs a host, and the sandbox has none")
    function.__name__ = function.__qualname__ = name
    return function


for _name in (
    "alarm getitimer pause pthread_kill pthread_sigmask raise_signal set_wakeup_fd setitimer siginterrupt "
    "sigpending sigtimedwait sigwait sigwaitinfo"
).split():
    globals()[_name] = _no_signals(_name)
del _name
