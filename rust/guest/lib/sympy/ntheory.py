"""Number theory on whole numbers, as sympy 1.14 names and answers it."""

import math
import operator

# The first twelve primes as bases tell every number below this (Sorenson and Webster, 2015).
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
_BASES_SUFFICE_BELOW = 318_665_857_834_031_151_167_461


def missing(module, name):
    """What asking for more than is here raises. Whoever asks for what Python itself looks for is told of no lack."""
    if name.startswith("__"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    lacks = "this sandbox has sympy's functions of whole numbers only"
    return ModuleNotFoundError(f"No module named '{module}.{name}': {lacks}", name=f"{module}.{name}")


def __getattr__(name):
    raise missing(__name__, name)


def _whole(n):
    if isinstance(n, bool):
        raise ValueError(f"{n} is not an integer")
    try:
        return operator.index(n)
    except TypeError:
        raise ValueError(f"{n} is not an integer") from None


def isprime(n):
    """Whether `n` is prime: by trial division, Miller-Rabin, and for large numbers Baillie-PSW."""
    n = _whole(n)
    if n < 2:
        return False
    for small in _BASES:
        if n % small == 0:
            return n == small
    if n < 41 * 41:
        return True
    if n < _BASES_SUFFICE_BELOW:
        return all(_probably_prime(n, base) for base in _BASES)
    return _probably_prime(n, 2) and _strong_lucas(n)


def _probably_prime(n, base):
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    power = pow(base, odd, n)
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


def _jacobi(a, n):
    a %= n
    sign = 1
    while a:
        while a % 2 == 0:
            a //= 2
            if n % 8 in (3, 5):
                sign = -sign
        a, n = n, a
        if a % 4 == 3 and n % 4 == 3:
            sign = -sign
        a %= n
    return sign if n == 1 else 0


def _strong_lucas(n):
    """The strong Lucas test with Selfridge's parameters (Baillie and Wagstaff, 1980)."""
    if math.isqrt(n) ** 2 == n:
        return False
    d = 5
    while (symbol := _jacobi(d, n)) != -1:
        if symbol == 0 and abs(d) < n:
            return False
        d = -d - 2 if d > 0 else -d + 2
    q = (1 - d) // 4
    odd, twos = n + 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    # U and V of P = 1, and Q's power, at the leading bits of `odd`.
    u, v, power = 1, 1, q % n
    for bit in bin(odd)[3:]:
        u, v, power = u * v % n, (v * v - 2 * power) % n, power * power % n
        if bit == "1":
            u, v = u + v, d * u + v
            u, v = (u + n * (u % 2)) // 2 % n, (v + n * (v % 2)) // 2 % n
            power = power * q % n
    if u == 0 or v == 0:
        return True
    for _ in range(twos - 1):
        v, power = (v * v - 2 * power) % n, power * power % n
        if v == 0:
            return True
    return False


def nextprime(n, ith=1):
    """The `ith` prime above `n`."""
    n, ith = math.floor(n), _whole(ith)
    if ith <= 0:
        raise ValueError("ith should be positive")
    n = max(n, 1)
    while ith:
        n += 1 if n < 2 or n % 2 == 0 else 2
        ith -= isprime(n)
    return n


def prevprime(n):
    """The largest prime below `n`."""
    n = math.ceil(n)
    if n < 3:
        raise ValueError("no preceding primes")
    if n == 3:
        return 2
    n -= 1 if n % 2 == 0 else 2
    while not isprime(n):
        n -= 2
    return n


def primerange(a, b=None):
    """The primes from `a` up to, not including, `b`; with one argument, those below it."""
    if b is None:
        a, b = 2, a
    a, b = max(2, math.ceil(a)), math.ceil(b)
    n = a - 1
    while (n := nextprime(n)) < b:
        yield n


def prime(nth):
    """The `nth` prime, from 2, the first."""
    nth = _whole(nth)
    if nth < 1:
        raise ValueError("nth must be a positive integer; prime(1) == 2")
    if nth < 6:
        return _BASES[nth - 1]
    # An upper bound (Rosser and Schoenfeld, 1962).
    sieve = bytearray([1]) * (int(nth * (math.log(nth) + math.log(math.log(nth)))) + 1)
    sieve[:2] = b"\0\0"
    for n in range(2, math.isqrt(len(sieve)) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, len(sieve), n)))
    at = 0
    for _ in range(nth):
        at = sieve.index(1, at + 1)
    return at


def composite(nth):
    """The `nth` composite number, from 4, the first."""
    nth = _whole(nth)
    if nth < 1:
        raise ValueError("nth must be a positive integer; composite(1) == 4")
    n = 3
    while nth:
        n += 1
        nth -= not isprime(n)
    return n


def primorial(n, nth=True):
    """The product of the first `n` primes, or of those up to `n`."""
    n = _whole(n) if nth else int(n)
    if n < 1:
        raise ValueError("primorial argument must be >= 1")
    return math.prod(prime(i) for i in range(1, n + 1)) if nth else math.prod(primerange(n + 1))


def _divisor(n):
    """A divisor of a composite number, by Pollard's rho with Brent's cycles."""
    for c in range(1, n):
        x = y = 2
        length, product = 1, 1
        while product == 1:
            x = y
            for _ in range(length):
                y = (y * y + c) % n
            done = 0
            while done < length and product == 1:
                start = y
                for _ in range(min(64, length - done)):
                    y = (y * y + c) % n
                    product = product * abs(x - y) % n
                product = math.gcd(product, n)
                done += 64
            length *= 2
        if product == n:
            product = 1
            while product == 1:
                start = (start * start + c) % n
                product = math.gcd(abs(x - start), n)
        if product != n:
            return product
    raise AssertionError("a composite number has a divisor")


def _split(n, found):
    if n == 1:
        return
    if isprime(n):
        found[n] = found.get(n, 0) + 1
        return
    root = math.isqrt(n)
    divisor = root if root * root == n else _divisor(n)
    _split(divisor, found)
    _split(n // divisor, found)


def factorint(n, multiple=False):
    """The prime factors of `n` with their powers, or, with `multiple`, each as often as it divides."""
    n = _whole(n)
    found = {}
    left = abs(n)
    if left == 0:
        found[0] = 1
        left = 1
    p = 2
    while p * p <= left and p < 2000:
        while left % p == 0:
            left //= p
            found[p] = found.get(p, 0) + 1
        p += 1 if p == 2 else 2
    _split(left, found)
    found = dict(sorted(found.items()))
    if n < 0:
        found[-1] = 1
    if multiple:
        return [p for p, power in sorted(found.items()) for _ in range(power)]
    return found


def primefactors(n):
    """The primes that divide `n`, the smallest first."""
    return [p for p in factorint(abs(int(n))) if p > 1]


def divisors(n, generator=False, proper=False):
    """The numbers that divide `n`, the smallest first; without itself, with `proper`."""
    n = _whole(abs(n))
    found = [1] if n else []
    for p, power in factorint(n).items() if n else ():
        found = [d * p**i for d in found for i in range(power + 1)]
    found = [d for d in found if not (proper and d == n)]
    return iter(found) if generator else sorted(found)


def proper_divisors(n, generator=False):
    """The numbers that divide `n`, without itself."""
    return divisors(n, generator=generator, proper=True)


def multiplicity(p, n):
    """The greatest `m` for which `p**m` divides `n`."""
    p, n = _whole(p), _whole(n)
    if n == 0:
        raise ValueError(f"no such integer exists: multiplicity of {n} is not-defined")
    if p < 2:
        raise ValueError(f"p must be greater than 1, not {p}")
    power = 0
    while n % p == 0:
        n, power = n // p, power + 1
    return power


def integer_nthroot(y, n):
    """The largest `x` for which `x**n <= y`, and whether it is equal."""
    y, n = _whole(y), _whole(n)
    if y < 0:
        raise ValueError("y must not be negative")
    if n < 1:
        raise ValueError("n must be positive")
    if n == 2:
        x = math.isqrt(y)
        return x, x * x == y
    low, high = 0, 1 << (y.bit_length() // n + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if middle**n <= y:
            low = middle
        else:
            high = middle
    return low, low**n == y


def perfect_power(n):
    """The base and the greatest power above 1 that give `n`, or False."""
    n = _whole(n)
    if n < 0:
        found = perfect_power(-n)
        if not found:
            return False
        base, power = found
        twos = power & -power
        return (-(base**twos), power // twos) if power > twos else False
    if n < 4:
        return False
    for power in range(n.bit_length() - 1, 1, -1):
        base, exact = integer_nthroot(n, power)
        if exact:
            return base, power
    return False


def igcd(*args):
    """The greatest common divisor of two numbers or more."""
    if len(args) < 2:
        raise TypeError(f"igcd() takes at least 2 arguments ({len(args)} given)")
    return math.gcd(*map(_whole, args))


def ilcm(*args):
    """The least common multiple of two numbers or more."""
    if len(args) < 2:
        raise TypeError(f"ilcm() takes at least 2 arguments ({len(args)} given)")
    return math.lcm(*map(_whole, args))


def mod_inverse(a, m):
    """The number `c` for which `a * c` leaves 1 when divided by `m`."""
    a, m = _whole(a), _whole(m)
    if abs(m) < 2 or math.gcd(a, m) != 1:
        raise ValueError(f"inverse of {a} (mod {m}) does not exist")
    return pow(a, -1, m)


def digits(n, b=10, digits=None):
    """`b`, below zero if `n` is, and the digits of `n` in that base, the first first, at least so many."""
    n, b = _whole(n), _whole(b)
    if b < 2:
        raise ValueError("b must be greater than 1")
    left, found = abs(n), []
    while left >= b:
        left, digit = divmod(left, b)
        found.append(digit)
    found.append(left)
    if digits is not None:
        if len(found) > digits:
            raise ValueError(f"For {n}, at least {len(found)} digits are needed.")
        found += [0] * (digits - len(found))
    return [-b if n < 0 else b, *reversed(found)]


def is_palindromic(n, b=10):
    """Whether the digits of `n` in that base are the same backwards."""
    found = digits(_whole(n), b)[1:]
    return found == found[::-1]


def abundance(n):
    """The sum of the proper divisors of `n`, less `n`."""
    n = _whole(n)
    return (sum(divisors(n)) if n > 0 else 0) - 2 * n


def is_perfect(n):
    """Whether `n` is the sum of its proper divisors."""
    return n > 0 and abundance(n) == 0


def is_abundant(n):
    """Whether `n` is less than the sum of its proper divisors."""
    return abundance(n) > 0


def is_deficient(n):
    """Whether `n` is more than the sum of its proper divisors."""
    return abundance(n) < 0
