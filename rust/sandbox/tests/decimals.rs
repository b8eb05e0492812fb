//! Decimals are what CPython says they are, flags and exceptions included.

mod common;

use common::{check, run, text};

#[test]
fn arithmetic_is_exact_to_the_specification() {
    check(&[
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    return [str(v) for v in (D(1) / 3, D('1.10') + 2, D('1.10') * D('2.50'), D(7) // 2, D(-7) % 3, D(2).sqrt(), D(2) ** D('0.5'), D(3) ** -7, D(10).ln(), D(2).exp(), D(3).log10(), D('1E+5').normalize(), D('2.675').quantize(D('0.01')), D('123.456').remainder_near(10), pow(D(7), 22, 13), D('-0') + 0, D('1E-999999') / 10**20)]"#,
            r#"['0.3333333333333333333333333333', '3.10', '2.7500', '3', '-1', '1.414213562373095048801688724', '1.414213562373095048801688724', '0.0004572473708276177411979881116', '2.302585092994045684017991455', '7.389056098930650227230427461', '0.4771212547196624372950279033', '1E+5', '2.68', '3.456', '4', '0', '1E-1000019']"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    c = Context(prec=100)
    return [str(v) for v in (c.divide(1, 7), c.sqrt(2), c.exp(1), c.ln(2), c.power(D('1.1'), 1000), c.log10(7))]"#,
            r#"['0.1428571428571428571428571428571428571428571428571428571428571428571428571428571428571428571428571429', '1.414213562373095048801688724209698078569671875376948073176679737990732478462107038850387534327641573', '2.718281828459045235360287471352662497757247093699959574966967627724076630353547594571382178525166427', '0.6931471805599453094172321214581765680755001343602552541206800094933936219696947156058633269964186875', '246993291800582633412408838508522147770973.3385238396234869182951830739390375433175367866116456946192', '0.8450980400142568307122162585926361934835723963239654065036349537182534399020791660661115278474885733']"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    with localcontext(prec=5, rounding=ROUND_05UP) as c:
        return [str(D(n) / 7) for n in range(-9, 9)], str(+D('1.0000001')), str(D('9.99996').next_plus())"#,
            r#"(['-1.2857', '-1.1428', '-1', '-0.85714', '-0.71428', '-0.57142', '-0.42857', '-0.28571', '-0.14286', '0', '0.14286', '0.28571', '0.42857', '0.57142', '0.71428', '0.85714', '1', '1.1428'], '1.0001', '10.000')"#,
        ),
    ]);
}

#[test]
fn signals_raise_and_flag_as_in_cpython() {
    check(&[
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    def kind(work):
        try:
            return work()
        except Exception as error:
            return type(error).__name__, str(error)
    return [kind(work) for work in (lambda: D(1) / 0, lambda: D(0) / 0, lambda: D('x'), lambda: D(10**30) // 1 % D('1E-30'), lambda: D('sNaN') + 1, lambda: D(-1).sqrt(), lambda: D(10) ** 10**9, lambda: D(1) + 1.5, lambda: D(None), lambda: int(D('NaN')), lambda: int(D('Infinity')), lambda: D('NaN') < 1, lambda: D((0, (1, 10), 0)))]"#,
            r#"[('DivisionByZero', "[<class 'decimal.DivisionByZero'>]"), ('InvalidOperation', "[<class 'decimal.DivisionUndefined'>]"), ('InvalidOperation', "[<class 'decimal.ConversionSyntax'>]"), ('InvalidOperation', "[<class 'decimal.DivisionImpossible'>]"), ('InvalidOperation', "[<class 'decimal.InvalidOperation'>]"), ('InvalidOperation', "[<class 'decimal.InvalidOperation'>]"), ('Overflow', "[<class 'decimal.Overflow'>]"), ('TypeError', "unsupported operand type(s) for +: 'decimal.Decimal' and 'float'"), ('TypeError', 'conversion from NoneType to Decimal is not supported'), ('ValueError', 'cannot convert NaN to integer'), ('OverflowError', 'cannot convert Infinity to integer'), ('InvalidOperation', "[<class 'decimal.InvalidOperation'>]"), ('ValueError', 'coefficient must be a tuple of digits')]"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    with localcontext() as c:
        c.clear_flags()
        c.traps[DivisionByZero] = False
        return str(D(1) / 0), [str(D(2) / 3), c.flags[DivisionByZero], c.flags[Inexact], c.flags[InvalidOperation]], repr(c)"#,
            r#"('Infinity', ['0.6666666666666666666666666667', True, True, False], 'Context(prec=28, rounding=ROUND_HALF_EVEN, Emin=-999999, Emax=999999, capitals=1, clamp=0, flags=[DivisionByZero, Inexact, Rounded], traps=[InvalidOperation, Overflow])')"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    with localcontext() as c:
        c.traps[FloatOperation] = True
        try:
            D(1) < 1.5
        except FloatOperation as error:
            return str(error), D(1) == 1.0, c.flags[FloatOperation]"#,
            r#"("[<class 'decimal.FloatOperation'>]", True, True)"#,
        ),
    ]);
}

#[test]
fn numbers_that_are_equal_compare_and_hash_alike() {
    check(&[
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    return [hash(D(v)) == hash(w) and D(v) == w for v, w in (('1.5', 1.5), ('5', 5), ('-1', -1), ('1E+30', 10**30), ('0.3', Fraction(3, 10)), ('-2.25', Fraction(-9, 4)), ('Infinity', float('inf')))]"#,
            r#"[True, True, True, True, True, True, True]"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    return [hash(D(t)) for t in ('0.1', '-1.1', '123456789012345678901234567890', '1E-50', '7.0', '1E+400')], sorted([D(3), 2.5, Fraction(1, 3), D('2.7')]) == [Fraction(1, 3), 2.5, D('2.7'), D(3)], D('0.1') == 0.1, D('NaN') == D('NaN'), {D('1.0'): 1}[1]"#,
            r#"([2075258708292324556, -2075258708292324557, 248789772095949448, 2241097223580838238, 7, 477640439047194790], True, False, False, 1)"#,
        ),
    ]);
}

#[test]
fn formats_are_those_of_cpython() {
    check(&[
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    return [format(D(v), s) for v in ('1234567.891', '-0.00012', '0', '9.995E+10', 'NaN', '-Infinity') for s in ('', '.2f', ',.2f', '.3e', 'E', '.2g', '%', '+012.1f', '*^20', 'z.1f', '010,.1f', 'n')]"#,
            r#"['1234567.891', '1234567.89', '1,234,567.89', '1.235e+6', '1.234567891E+6', '1.2e+6', '123456789.1%', '+001234567.9', '****1234567.891*****', '1234567.9', '1,234,567.9', '1234567.891', '-0.00012', '-0.00', '-0.00', '-1.200e-4', '-1.2E-4', '-0.00012', '-0.012%', '-000000000.0', '******-0.00012******', '0.0', '-000,000.0', '-0.00012', '0', '0.00', '0.00', '0.000e+3', '0E+0', '0', '0%', '+000000000.0', '*********0**********', '0.0', '0,000,000.0', '0', '9.995E+10', '99950000000.00', '99,950,000,000.00', '9.995e+10', '9.995E+10', '1.0e+11', '9995000000000%', '+99950000000.0', '*****9.995E+10******', '99950000000.0', '99,950,000,000.0', '9.995e+10', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN%', '        +NaN', '********NaN*********', 'NaN', '       NaN', 'NaN', '-Infinity', '-Infinity', '-Infinity', '-Infinity', '-Infinity', '-Infinity', '-Infinity%', '   -Infinity', '*****-Infinity******', '-Infinity', ' -Infinity', '-Infinity']"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    return [repr(D(t)) for t in ('1E+5', '0.00000012', '-0E-7', '0E+3', '12.30', 'sNaN12', '1e-400')], [D(t).to_eng_string() for t in ('1E+5', '12E-10', '0E-8')], D('1.50').as_tuple() == DecimalTuple(0, (1, 5, 0), -2), D('-1.25').as_integer_ratio()"#,
            r#"(["Decimal('1E+5')", "Decimal('1.2E-7')", "Decimal('-0E-7')", "Decimal('0E+3')", "Decimal('12.30')", "Decimal('sNaN12')", "Decimal('1E-400')"], ['100E+3', '1.2E-9', '0.00E-6'], True, (-5, 4))"#,
        ),
    ]);
}

#[test]
fn conversions_copies_and_pickles_keep_the_number() {
    check(&[
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    import copy, pickle
    d = D('-12.340')
    return str(pickle.loads(pickle.dumps(d))), copy.deepcopy(d) is d, int(d), float(d), complex(d), round(d), round(d, 1) == D('-12.3'), str(D(0.1)), str(D.from_float(-2.5)), str(D(' 1_000.5 ')), str(D('\u0661\u0662')), str(D((1, (1, 2, 3), -2))), bool(D('0E5')), repr(pickle.loads(pickle.dumps(getcontext())).prec)"#,
            r#"('-12.340', True, -12, -12.34, (-12.34+0j), -12, True, '0.1000000000000000055511151231257827021181583404541015625', '-2.5', '1000.5', '12', '-1.23', False, '28')"#,
        ),
        (
            r#"def f(x):
    from decimal import Decimal as D, Context, getcontext, localcontext, DivisionByZero, InvalidOperation, Inexact, FloatOperation, ROUND_HALF_UP, ROUND_CEILING, ROUND_05UP, DecimalTuple
    from fractions import Fraction
    class Money(D):
        pass
    m = Money('1.10')
    return type(m).__name__, type(m + 1).__name__, str(sum([m, m])), isinstance(m, D), str(Money.from_float(0.5)), type(Money.from_float(0.5)).__name__, str(max(m, D(2)))"#,
            r#"('Money', 'Decimal', '2.20', True, '0.5', 'Money', '2')"#,
        ),
    ]);
}

#[test]
fn a_long_sum_of_quotients_ends_within_the_fuel_of_tests() {
    let program = "from decimal import Decimal
def f(x):
    total = Decimal(0)
    for i in range(1, x):
        total += Decimal(1) / i
    return str(total)";
    assert_eq!(text(&run(program, "20_000")), "'10.48067821722932757281445985'");
}

#[test]
fn a_precision_of_twenty_thousand_digits_has_an_outcome() {
    let program = "from decimal import Decimal, getcontext
def f(x):
    getcontext().prec = x
    return str(Decimal(2).sqrt())[-3:]";
    assert_eq!(text(&run(program, "20_000")), "'059'");
}

#[test]
fn a_whole_power_that_underflows_is_rounded_as_in_cpython() {
    check(&[(
        "from decimal import Context, Decimal\ndef f(x): return [str(Context(prec=p, Emin=-999999, Emax=999999, rounding='ROUND_UP', traps=[]).power(Decimal(b), e)) for p in (1, 3, 28) for b in (10, 3, '1e5', '1.0001', '9.99') for e in (-1000026, -9999999, -10000000, -99999999, -999999999)]",
        "['0E-999999', '0E-999999', '1E-999999', '1E-999999', '1E-999999', '3E-477134', '0E-999999', '0E-999999', '0E-999999', '0E-999999', '0E-999999', '0E-999999', '1E-999999', '1E-999999', '1E-999999', '4E-44', '6E-435', '6E-435', '2E-4343', '6E-43428', '4E-999592', '0E-999999', '0E-999999', '0E-999999', '0E-999999', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '1E-1000001', '2.19E-477134', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '1E-1000001', '3.73E-44', '5.34E-435', '5.34E-435', '1.88E-4343', '5.29E-43428', '3.34E-999592', '0E-1000001', '0E-1000001', '0E-1000001', '0E-1000001', '1E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '1E-1000026', '2.188405083054267171790808214E-477134', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026', '1E-1000026', '3.729014122586250590270101579E-44', '5.336724708496059084221142847E-435', '5.336191089387120372183924454E-435', '1.872221207187960210713647722E-4343', '5.286652416699886019951254904E-43428', '3.334811755979481053040907842E-999592', '0E-1000026', '0E-1000026', '0E-1000026', '0E-1000026']",
    )]);
}

#[test]
fn signals_of_a_context_are_a_list_for_its_constructor_alone() {
    check(&[(
        "def of(g):\n    try: return g()\n    except Exception as e: return f'{type(e).__name__}: {e}'\nimport decimal\nfrom decimal import Context, Decimal, Inexact, localcontext\ndef f(x):\n    c = Context()\n    with localcontext(flags=[Inexact]) as inner: flags = inner.flags[Inexact]\n    return [of(lambda: setattr(c, n, v)) for n in ('flags', 'traps') for v in ([], [Inexact], (1,), {})], of(lambda: Context(flags=['P'])), of(lambda: Context(flags=(0, 1))), of(lambda: setattr(c, 'prec', 'x')), flags, of(lambda: type(localcontext())()), str(c._apply(Decimal('1' * 30))), of(lambda: c._apply('x'))",
        r#"(['TypeError: argument must be a signal dict', 'TypeError: argument must be a signal dict', 'TypeError: argument must be a signal dict', "KeyError: 'invalid signal dict'", 'TypeError: argument must be a signal dict', 'TypeError: argument must be a signal dict', 'TypeError: argument must be a signal dict', "KeyError: 'invalid signal dict'"], "KeyError: 'valid values for signals are:\\n  [InvalidOperation, FloatOperation, DivisionByZero,\\n   Overflow, Underflow, Subnormal, Inexact, Rounded,\\n   Clamped]'", 'TypeError: argument must be a signal dict', 'TypeError: an integer is required', True, "TypeError: cannot create 'decimal.ContextManager' instances", '1.111111111111111111111111111E+29', 'TypeError: conversion from str to Decimal is not supported')"#,
    )]);
}
