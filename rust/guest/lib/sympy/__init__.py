"""The functions of sympy that take and give whole numbers, so that programs which models propose run that use no
more of it than `isprime` or `factorint`. Nothing of it is sympy's code, and nothing symbolic is here: functions that
give sympy's own numbers (`factorial`, `gcd`, `totient`) are left out, as what they give is no task value.
"""

from sympy import ntheory
from sympy.ntheory import (
    composite,
    divisors,
    factorint,
    igcd,
    ilcm,
    integer_nthroot,
    isprime,
    mod_inverse,
    multiplicity,
    nextprime,
    perfect_power,
    prevprime,
    prime,
    primefactors,
    primerange,
    primorial,
    proper_divisors,
)


def __getattr__(name):
    raise ntheory.missing(__name__, name)
