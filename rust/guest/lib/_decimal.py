"""Decimal arithmetic: what has no need to be fast, around `_azr_decimal`."""

from _azr_decimal import (
    MAX_EMAX, MAX_PREC, MIN_EMIN, MIN_ETINY, Context, Decimal, default_context, getcontext, set_current, set_up,
)
from _azr import builtin as _builtin
from collections import namedtuple as _namedtuple
from collections.abc import MutableMapping as _MutableMapping
from contextvars import ContextVar as _ContextVar
import numbers as _numbers

__version__ = "1.70"
__libmpdec_version__ = "2.5.1"
HAVE_THREADS = True
HAVE_CONTEXTVAR = True

ROUND_DOWN = "ROUND_DOWN"
ROUND_HALF_UP = "ROUND_HALF_UP"
ROUND_HALF_EVEN = "ROUND_HALF_EVEN"
ROUND_CEILING = "ROUND_CEILING"
ROUND_FLOOR = "ROUND_FLOOR"
ROUND_UP = "ROUND_UP"
ROUND_HALF_DOWN = "ROUND_HALF_DOWN"
ROUND_05UP = "ROUND_05UP"

__all__ = (
    "Decimal", "Context", "DecimalTuple", "DefaultContext", "BasicContext", "ExtendedContext",
    "DecimalException", "Clamped", "InvalidOperation", "DivisionByZero", "Inexact", "Rounded", "Subnormal",
    "Overflow", "Underflow", "FloatOperation", "DivisionImpossible", "InvalidContext", "ConversionSyntax",
    "DivisionUndefined", "ROUND_DOWN", "ROUND_HALF_UP", "ROUND_HALF_EVEN", "ROUND_CEILING", "ROUND_FLOOR",
    "ROUND_UP", "ROUND_HALF_DOWN", "ROUND_05UP", "setcontext", "getcontext", "localcontext", "IEEEContext",
    "MAX_PREC", "MAX_EMAX", "MIN_EMIN", "MIN_ETINY", "IEEE_CONTEXT_MAX_BITS", "HAVE_THREADS", "HAVE_CONTEXTVAR",
)

IEEE_CONTEXT_MAX_BITS = 512


def _exception(name, *bases):
    return type(name, bases, {"__module__": "decimal", "__doc__": None})


DecimalException = _exception("DecimalException", ArithmeticError)
Clamped = _exception("Clamped", DecimalException)
InvalidOperation = _exception("InvalidOperation", DecimalException)
DivisionByZero = _exception("DivisionByZero", DecimalException, ZeroDivisionError)
Inexact = _exception("Inexact", DecimalException)
Rounded = _exception("Rounded", DecimalException)
Subnormal = _exception("Subnormal", DecimalException)
Overflow = _exception("Overflow", Inexact, Rounded)
Underflow = _exception("Underflow", Inexact, Rounded, Subnormal)
FloatOperation = _exception("FloatOperation", DecimalException, TypeError)
ConversionSyntax = _exception("ConversionSyntax", InvalidOperation)
DivisionImpossible = _exception("DivisionImpossible", InvalidOperation)
DivisionUndefined = _exception("DivisionUndefined", InvalidOperation, ZeroDivisionError)
InvalidContext = _exception("InvalidContext", InvalidOperation)

# In the order of the native module.
_signals = (InvalidOperation, FloatOperation, DivisionByZero, Overflow, Underflow, Subnormal, Inexact, Rounded, Clamped)
_conditions = (InvalidOperation, ConversionSyntax, DivisionImpossible, DivisionUndefined, InvalidContext)

DecimalTuple = _namedtuple("DecimalTuple", "sign digits exponent", module="decimal")


class SignalDict(_MutableMapping):
    """The flags or traps of a context."""

    __slots__ = ("_bits",)
    __module__ = "decimal"

    def __init__(self, bits):
        self._bits = bits

    def __getitem__(self, signal):
        return self._bits.get(signal)

    def __setitem__(self, signal, value):
        self._bits.set(signal, bool(value))

    def __delitem__(self, signal):
        raise ValueError("signal keys cannot be deleted")

    def __iter__(self):
        return iter(_signals)

    def __len__(self):
        return len(_signals)

    def __repr__(self):
        return "{" + ", ".join(f"{signal}:{self[signal]}" for signal in _signals) + "}"

    def copy(self):
        return dict(self)


set_up(
    list(_signals), list(_conditions), DecimalTuple, SignalDict, _numbers.Rational, _ContextVar("decimal_context")
)
_numbers.Number.register(Decimal)

DefaultContext = default_context()
BasicContext = Context(
    prec=9, rounding=ROUND_HALF_UP, traps=[DivisionByZero, Overflow, InvalidOperation, Clamped, Underflow], flags=[]
)
ExtendedContext = Context(prec=9, rounding=ROUND_HALF_EVEN, traps=[], flags=[])
_templates = (DefaultContext, BasicContext, ExtendedContext)


def setcontext(context, /):
    """Set a new default context."""
    if not isinstance(context, Context):
        raise TypeError("argument must be a context")
    # The templates stay as they are.
    if any(context is template for template in _templates):
        context = context.copy()
        context.clear_flags()
    set_current(context)


class ContextManager:
    """A context that is the current one in a `with` statement."""

    __module__ = "decimal"

    def __new__(cls, *args, **kwargs):
        raise TypeError("cannot create 'decimal.ContextManager' instances")

    def __enter__(self):
        set_current(self._new)
        return self._new

    def __exit__(self, *error):
        set_current(self._old)
        return False


def localcontext(ctx=None, **kwargs):
    """A context manager that will set the default context to a copy of ctx on entry to the with-statement."""
    old = getcontext()
    if ctx is None:
        ctx = old
    elif not isinstance(ctx, Context):
        raise TypeError("optional argument must be a context")
    new = ctx.copy()
    for name, value in kwargs.items():
        if name not in _attributes:
            raise TypeError(f"localcontext() got an unexpected keyword argument '{name}'")
        if value is not None:
            # By a context's constructor, for it takes lists of signals.
            setattr(new, name, getattr(Context(**{name: value}), name) if isinstance(value, list) else value)
    manager = object.__new__(ContextManager)
    manager._new, manager._old = new, old
    return manager


_attributes = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps")


def IEEEContext(bits, /):
    """A context that is a good starting point for IEEE 754 decimal floating point of that width."""
    if bits <= 0 or bits > IEEE_CONTEXT_MAX_BITS or bits % 32:
        raise ValueError(f"argument must be a multiple of 32, with a maximum of {IEEE_CONTEXT_MAX_BITS}")
    largest = 3 * 2 ** (bits // 16 + 3)
    return Context(
        prec=9 * (bits // 32) - 2, rounding=ROUND_HALF_EVEN, Emin=1 - largest, Emax=largest, capitals=1, clamp=1,
        flags=[], traps=[],
    )


setcontext, localcontext, IEEEContext = (
    _builtin("decimal", _function) for _function in (setcontext, localcontext, IEEEContext)
)