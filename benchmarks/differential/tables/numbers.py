"""Expressions over numbers. One a line: `<int>` is a hole, filled by an expression of that type."""

TABLE = {
    "int": """
<int> + <int>
<int> - <int>
<int> * <int>
<int> // <int>
<int> % <int>
<int> ** <small>
pow(<int>, <small>, <int>)
<int> << <small>
<int> >> <small>
<int> & <int>
<int> | <int>
<int> ^ <int>
-<int>
~<int>
+<bool>
abs(<int>)
int(<float>)
int(<str>)
int(<str>, <small>)
int(<bytes>, 16)
int(<num>)
round(<float>)
round(<int>, <small>)
math.gcd(<int>, <int>, <int>)
math.lcm(<int>, <small>)
math.isqrt(<int>)
math.comb(<small>, <small>)
math.perm(<small>, <small>)
math.factorial(<small>)
math.floor(<num>)
math.ceil(<float>)
math.trunc(<num>)
<int>.bit_length()
(<int>).bit_count()
(<int>).conjugate()
int.from_bytes(<bytes>, "big")
int.from_bytes(<bytes>, "little", signed=<bool>)
divmod(<int>, <int>)[<bool>]
hash(<num>)
hash(<frac>)
sum(<ints>)
math.prod(<ints>)
max(<ints>)
min(<ints>, default=<int>)
math.sumprod(<ints>, <ints>)
<frac>.numerator
(<int>).__index__()
operator.index(<any>)
<bool> + <int>
<int> if <bool> else <small>
ord(<str>)
len(<str>)
len(<list>)
len(<range>)
<str>.count(<str>)
<str>.find(<str>, <small>)
<str>.index(<str>)
<list>.index(<any>)
<list>.count(<any>)
<range>.index(<int>)
<bytes>.find(<bytes>)
<ints>[<small>]
<bytes>[<small>]
<range>[<small>]
""",
    "float": """
<float> + <float>
<float> - <num>
<float> * <num>
<num> / <num>
<float> // <num>
<float> % <num>
<float> ** <small>
<num> ** <float>
-<float>
abs(<float>)
float(<int>)
float(<str>)
round(<float>, <small>)
math.sqrt(<num>)
math.exp(<float>)
math.log(<num>)
math.log(<num>, <num>)
math.log2(<num>)
math.log10(<num>)
math.log1p(<float>)
math.expm1(<float>)
math.sin(<float>)
math.cos(<float>)
math.tan(<float>)
math.asin(<float>)
math.acos(<float>)
math.atan(<float>)
math.atan2(<num>, <num>)
math.sinh(<float>)
math.cosh(<float>)
math.tanh(<float>)
math.asinh(<float>)
math.acosh(<float>)
math.atanh(<float>)
math.hypot(<num>, <num>)
math.hypot(<num>, <num>, <num>)
math.dist(<floats>, <floats>)
math.fmod(<num>, <num>)
math.remainder(<num>, <num>)
math.copysign(<num>, <num>)
math.ldexp(<float>, <small>)
math.fsum(<floats>)
math.fma(<float>, <float>, <float>)
math.nextafter(<float>, <float>)
math.nextafter(<float>, <float>, steps=3)
math.ulp(<float>)
math.cbrt(<float>)
math.exp2(<float>)
math.pow(<num>, <num>)
math.gamma(<float>)
math.lgamma(<float>)
math.erf(<float>)
math.erfc(<float>)
math.degrees(<float>)
math.radians(<num>)
math.modf(<float>)[<bool>]
math.frexp(<float>)[0]
sum(<floats>)
sum(<floats>, <float>)
max(<floats>)
float.fromhex(<float>.hex())
float.fromhex(<str>)
<complex>.real
<complex>.imag
abs(<complex>)
cmath.phase(<complex>)
statistics.fmean(<floats>)
statistics.mean(<floats>)
statistics.median(<floats>)
statistics.stdev(<floats>)
statistics.pstdev(<ints>)
statistics.variance(<floats>)
statistics.geometric_mean(<floats>)
statistics.harmonic_mean(<floats>)
statistics.correlation(<floats>, <floats>)
random.Random(<small>).random()
random.Random(<small>).gauss(<float>, <float>)
random.Random(<small>).uniform(<float>, <float>)
random.Random(<small>).expovariate(<float>)
random.Random(<small>).triangular(<float>, <float>)
random.Random(<small>).betavariate(2, <float>)
float(<frac>)
float(<dec>)
<delta>.total_seconds()
<floats>[<small>]
sum(<float> for _ in range(<small>))
""",
    "complex": """
<complex> + <complex>
<complex> - <num>
<complex> * <complex>
<complex> / <complex>
<complex> ** <small>
-<complex>
complex(<num>, <num>)
complex(<str>)
<complex>.conjugate()
cmath.sqrt(<complex>)
cmath.exp(<complex>)
cmath.log(<complex>)
cmath.sin(<complex>)
cmath.cosh(<complex>)
cmath.rect(<float>, <float>)
sum([<complex>, <num>, <complex>])
""",
    "bool": """
<num> < <num>
<num> <= <num>
<num> == <num>
<num> != <num>
<num> > <num> >= <num>
<complex> == <num>
<frac> < <num>
<dec> >= <num>
not <any>
<any> == <any>
<any> is None
<bool> and <bool>
<bool> or <bool>
<bool> ^ <bool>
<any> in <list>
<str> in <str>
<any> in <dict>
<int> in <range>
<int> in <set>
<bytes> in <bytes>
isinstance(<any>, (int, str))
issubclass(type(<any>), <func>)
math.isclose(<num>, <num>)
math.isclose(<float>, <float>, rel_tol=1e-3)
math.isnan(<num>)
math.isinf(<float>)
math.isfinite(<num>)
cmath.isclose(<complex>, <complex>)
(<float>).is_integer()
(<int>).is_integer()
any(<list>)
all(<list>)
any(<bool> for _ in <range>)
<str> < <str>
<list> < <list>
<tuple> >= <tuple>
<set> <= <set>
<set> < <frozen>
<dict> == <dict>
<bytes> == <str>
<range> == <range>
<str>.startswith(<str>)
<str>.endswith((<str>, <str>), <small>)
<str>.isdigit()
<str>.isdecimal()
<str>.isnumeric()
<str>.isalpha()
<str>.isalnum()
<str>.isupper()
<str>.islower()
<str>.istitle()
<str>.isspace()
<str>.isidentifier()
<str>.isprintable()
<str>.isascii()
<bytes>.isalnum()
<set>.isdisjoint(<list>)
callable(<func>)
hasattr(<any>, <str>)
<date> < <date>
<stamp> == <stamp>
<date>.weekday() == <small>
calendar.isleap(<int>)
""",
    "num": """
<int>
<float>
<bool>
<frac>
<num> + <num>
<num> * <num>
<num> - <num>
<num> / <num>
<num> // <num>
<num> % <num>
<num> ** <small>
max(<num>, <num>)
min(<num>, <num>, <num>)
abs(<num>)
round(<num>, <small>)
sum([<num>, <num>, <num>])
divmod(<num>, <num>)
pow(<num>, <small>)
functools.reduce(<op>, <floats>)
<op>(<num>, <num>)
statistics.mode(<list>)
statistics.median(<ints>)
statistics.median_low(<ints>)
statistics.mean(<ints>)
""",
    "frac": """
<frac> + <frac>
<frac> - <int>
<frac> * <frac>
<frac> / <frac>
<frac> // <num>
<frac> % <frac>
<frac> ** <small>
Fraction(<float>)
Fraction(<str>)
Fraction(<int>, <int>)
<frac>.limit_denominator(<int>)
abs(<frac>)
Fraction(<dec>)
round(<frac>, <small>)
-<frac>
Fraction.from_float(<float>)
statistics.mean([<frac>, <frac>])
""",
    "dec": """
<dec> + <dec>
<dec> - <dec>
<dec> * <dec>
<dec> / <dec>
<dec> // <dec>
<dec> % <dec>
<dec> ** <small>
-<dec>
abs(<dec>)
Decimal(<int>)
Decimal(<float>)
Decimal(<str>)
round(<dec>, <small>)
<dec>.quantize(<dec>)
<dec>.sqrt()
<dec>.normalize()
<dec>.to_integral_value()
<dec>.exp()
<dec>.ln()
<dec>.log10()
<dec>.fma(<dec>, <dec>)
<dec>.max(<dec>)
<dec>.compare(<dec>)
<dec>.scaleb(<small>)
<dec>.next_plus()
<dec>.remainder_near(<dec>)
<dec>.copy_sign(<dec>)
<dec>.shift(<small>)
sum([<dec>, <dec>, <int>])
decimal.Context(prec=<small>).divide(<dec>, <dec>)
decimal.Context(prec=5, rounding=decimal.ROUND_HALF_UP).create_decimal(<dec>)
Decimal.from_float(<float>)
""",
}
