//! Exponential, logarithms and powers, rounded correctly.
//!
//! The results are irrational but for the cases told apart first: digits are computed until they say how to round.

use std::cell::RefCell;

use malachite_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::int::{Int, has_room};
use super::number::{Ctx, Dec, condition::*};

fn pow10(exponent: i64) -> BigInt {
    Int::pow10(exponent as u64).big().into()
}

fn big(coeff: &Int) -> BigInt {
    coeff.big().into()
}

fn digits(value: &BigInt) -> i64 {
    Int::from(value.magnitude().clone()).digits() as i64
}

/// The closest whole number to `a / b`, ties to even; `b` is positive.
fn div_nearest(a: &BigInt, b: &BigInt) -> BigInt {
    let (quotient, rest) = a.div_mod_floor(b);
    let twice = rest * 2 + if quotient.is_odd() { 1 } else { 0 };
    if &twice > b { quotient + 1 } else { quotient }
}

/// The closest whole number to `a / 2 ** shift`, ties to even.
fn shift_nearest(a: &BigInt, shift: u64) -> BigInt {
    div_nearest(a, &(BigInt::one() << shift))
}

fn sqrt_nearest(a: &BigInt) -> BigInt {
    let root = a.sqrt();
    // The root rounded down, or the next one where that is closer.
    if a - &root * &root > root { root + 1 } else { root }
}

/// Terms of a Taylor series whose arguments are below `2 ** -8`.
fn terms(scale: &BigInt) -> i64 {
    (10 * digits(scale) + 23) / 24
}

/// `scale * log(x / scale)`, at most 22 off for quotients from 0.1 to 10.
fn log_scaled(x: &BigInt, scale: &BigInt) -> BigInt {
    let mut y = x - scale;
    // log(1 + y) is 2 * log(1 + y / (1 + sqrt(1 + y))): halve until y is small.
    let mut halvings = 0u64;
    while if halvings <= 8 { y.abs() << (8 - halvings) >= *scale } else { y.abs() >> (halvings - 8) >= *scale } {
        let root = sqrt_nearest(&(scale * (scale + shift_nearest(&y, halvings))));
        y = div_nearest(&((scale * &y) << 1u32), &(scale + root));
        halvings += 1;
    }
    let terms = terms(scale);
    let shifted = shift_nearest(&y, halvings);
    let mut sum = div_nearest(scale, &terms.into());
    for k in (1..terms).rev() {
        sum = div_nearest(scale, &k.into()) - div_nearest(&(&shifted * &sum), scale);
    }
    div_nearest(&(sum * y), scale)
}

/// `scale * exp(x / scale)`, at most 60 off for quotients from 0 to 2.4.
fn exp_scaled(x: &BigInt, scale: &BigInt) -> BigInt {
    let halvings = ((x << 8u32) / scale).bits();
    let terms = terms(scale);
    let mut y = div_nearest(x, &terms.into());
    let shifted = scale << halvings;
    for k in (1..terms).rev() {
        y = div_nearest(&(x * (&shifted + &y)), &(&shifted * k));
    }
    for k in (0..halvings).rev() {
        let shifted = scale << (k + 2);
        y = div_nearest(&(&y * (&y + &shifted)), &shifted);
    }
    scale + y
}

thread_local! {
    /// Digits of the logarithm of 10 that are known, and how many follow the point.
    static LOG_10: RefCell<(BigInt, i64)> = RefCell::new((BigInt::zero(), -1));
}

/// `floor(10 ** places * log(10))`.
fn log_10(places: i64) -> BigInt {
    LOG_10.with(|known| {
        let mut known = known.borrow_mut();
        let mut extra = 3;
        while known.1 < places {
            let wanted = places.max(50);
            let scale = pow10(wanted + extra + 2);
            let value = div_nearest(&log_scaled(&(&scale * 10), &scale), &100.into());
            // One off at most: digits before a rest that is not near 0 are certain.
            let (quotient, rest) = value.div_rem(&pow10(extra));
            if rest > BigInt::one() && rest < pow10(extra) - 2 {
                *known = (quotient, wanted);
            }
            extra += 3;
        }
        &known.0 / pow10(known.1 - places)
    })
}

/// `10 ** places * log(c * 10 ** e)`, or of the logarithm to base 10; at most one off.
fn log(c: &BigInt, e: i64, places: i64, base_10: bool) -> BigInt {
    let places = places + 2;
    // c * 10 ** e is d * 10 ** f with d from 0.1 to 10, and 1 where the number is close to 1.
    let length = digits(c);
    let f = e + length - i64::from(e + length >= 1);
    if base_10 {
        let sum = if places > 0 {
            let scale = pow10(places);
            let log_d = log_scaled(&scaled(c, e + places - f), &scale);
            div_nearest(&(log_d * &scale), &log_10(places)) + scale * f
        } else {
            div_nearest(&f.into(), &pow10(-places))
        };
        return div_nearest(&sum, &100.into());
    }
    let log_d = if places > 0 { log_scaled(&scaled(c, e + places - f), &pow10(places)) } else { BigInt::zero() };
    let extra = digits(&f.into()) - 1;
    let f_log_10 = if f != 0 && places + extra >= 0 {
        div_nearest(&(log_10(places + extra) * f), &pow10(extra))
    } else {
        BigInt::zero()
    };
    div_nearest(&(f_log_10 + log_d), &100.into())
}

/// `c * 10 ** k`, rounded.
fn scaled(c: &BigInt, k: i64) -> BigInt {
    if k >= 0 { c * pow10(k) } else { div_nearest(c, &pow10(-k)) }
}

/// `exp(c * 10 ** e)` with so many digits: a coefficient, at most one off, and an exponent.
fn exp(c: &BigInt, e: i64, prec: i64) -> (BigInt, i64) {
    let places = prec + 2;
    let extra = (e + digits(c) - 1).max(0);
    let shift = e + places + extra;
    let shifted = if shift >= 0 { c * pow10(shift) } else { c.div_floor(&pow10(-shift)) };
    let (tens, rest) = shifted.div_mod_floor(&log_10(places + extra));
    let rest = div_nearest(&rest, &pow10(extra));
    let coeff = div_nearest(&exp_scaled(&rest, &pow10(places)), &1000.into());
    (coeff, tens.to_i64().expect("larger exponents are told apart before") - places + 3)
}

/// Whether a coefficient that is at most one off says how to round to that many digits.
fn is_decisive(coeff: &BigInt, prec: i64) -> bool {
    let unit: BigInt = pow10(digits(coeff) - prec - 1) * 5;
    !(coeff % unit).is_zero()
}

fn from_big(coeff: BigInt, exp: i64) -> Dec {
    Dec::finite(coeff.is_negative(), coeff.magnitude().clone().into(), exp)
}

fn is_one(number: &Dec) -> bool {
    number.magnitude_cmp(&Dec::integer(1)).is_eq()
}

impl Ctx {
    fn has_room_for_functions(&self) -> bool {
        has_room(self.prec as u64 * 4)
    }

    fn nan_result(&mut self, a: &Dec) -> Option<Dec> {
        // Plus leaves everything but a NaN's payload and signal alone.
        a.is_nan().then(|| self.plus(a))
    }

    pub(crate) fn exp(&mut self, a: &Dec) -> Dec {
        if let Some(nan) = self.nan_result(a) {
            return nan;
        }
        if a.is_infinite() {
            return if a.negative { Dec::integer(0) } else { a.clone() };
        }
        if a.is_zero() {
            return Dec::integer(1);
        }
        if !self.has_room_for_functions() {
            return self.no_memory();
        }
        let prec = self.prec;
        let adjusted = a.adjusted();
        let length = |value: i64| digits(&BigInt::from(value));
        let result = if !a.negative && adjusted > length((self.emax + 1) * 3) {
            Dec::finite(false, Int::ONE, self.emax + 1)
        } else if a.negative && adjusted > length((1 - self.etiny()) * 3) {
            Dec::finite(false, Int::ONE, self.etiny() - 1)
        } else if !a.negative && adjusted < -prec {
            Dec::finite(false, Int::pow10(prec as u64).add(&Int::ONE), -prec)
        } else if a.negative && adjusted < -prec - 1 {
            Dec::finite(false, Int::pow10(prec as u64 + 1).sub(&Int::ONE), -prec - 1)
        } else {
            let c = if a.negative { -big(&a.coeff) } else { big(&a.coeff) };
            let mut extra = 3;
            loop {
                let (coeff, exponent) = exp(&c, a.exp, prec + extra);
                if is_decisive(&coeff, prec) {
                    break from_big(coeff, exponent);
                }
                extra += 3;
            }
        };
        self.finish_half_even(result)
    }

    /// What `ln` and `log10` have in common: the results that need no computation.
    fn log_special(&mut self, a: &Dec) -> Option<Dec> {
        if let Some(nan) = self.nan_result(a) {
            return Some(nan);
        }
        if a.is_zero() {
            return Some(Dec::infinity(true));
        }
        if a.negative {
            return Some(self.invalid());
        }
        if a.is_infinite() {
            return Some(Dec::infinity(false));
        }
        if !self.has_room_for_functions() || !has_room(a.coeff.digits() * 4) {
            return Some(self.no_memory());
        }
        None
    }

    fn log_result(&mut self, a: &Dec, bound: i64, base_10: bool) -> Dec {
        let c = big(&a.coeff);
        let mut places = self.prec - bound + 2;
        if !has_room(places.unsigned_abs() * 2) {
            return self.no_memory();
        }
        loop {
            let coeff = log(&c, a.exp, places, base_10);
            if is_decisive(&coeff, self.prec) {
                return self.finish_half_even(from_big(coeff, -places));
            }
            places += 3;
        }
    }

    pub(crate) fn ln(&mut self, a: &Dec) -> Dec {
        if let Some(special) = self.log_special(a) {
            return special;
        }
        if is_one(a) {
            return Dec::integer(0);
        }
        // A lower bound for the exponent of the result.
        let adjusted = a.adjusted();
        let of_tens = |tens: i64| digits(&(BigInt::from(tens) * 23 / 10)) - 1;
        let bound = match adjusted {
            1.. => of_tens(adjusted),
            ..=-2 => of_tens(-1 - adjusted),
            _ => near_one_bound(a, 1),
        };
        self.log_result(a, bound, false)
    }

    pub(crate) fn log10(&mut self, a: &Dec) -> Dec {
        if let Some(special) = self.log_special(a) {
            return special;
        }
        let adjusted = a.adjusted();
        if a.coeff == Int::pow10(a.coeff.digits() - 1) {
            return self.finish_half_even(Dec::integer(adjusted));
        }
        let length = |value: i64| digits(&BigInt::from(value));
        let bound = match adjusted {
            1.. => length(adjusted) - 1,
            ..=-2 => length(-1 - adjusted) - 1,
            _ => near_one_bound(a, 231),
        };
        self.log_result(a, bound, true)
    }

    pub(crate) fn pow(&mut self, base: &Dec, exp: &Dec) -> Dec {
        if base.is_nan() || exp.is_nan() {
            // As in any operation on two operands.
            return self.compare(base, exp);
        }
        let whole = exp.is_integer();
        let negative = base.negative && whole && exp.is_odd();
        if base.is_zero() {
            return match (exp.is_zero(), exp.negative) {
                (true, _) => self.invalid(),
                (_, true) => Dec::infinity(negative),
                _ => Dec::finite(negative, Int::ZERO, 0),
            };
        }
        if base.negative && !whole {
            return self.invalid();
        }
        if exp.is_infinite() {
            return match base.magnitude_cmp(&Dec::integer(1)) {
                std::cmp::Ordering::Equal => {
                    self.status |= INEXACT | ROUNDED;
                    self.padded_one(negative, self.prec - 1)
                }
                order if order.is_gt() == exp.negative => Dec::finite(negative, Int::ZERO, 0),
                _ => Dec::infinity(negative),
            };
        }
        if exp.is_zero() {
            return Dec::finite(negative, Int::ONE, 0);
        }
        if base.is_infinite() {
            return match exp.negative {
                true => Dec::finite(negative, Int::ZERO, 0),
                false => Dec::infinity(negative),
            };
        }
        if is_one(base) {
            return self.power_of_one(base, exp, whole, negative);
        }
        if let Some(result) = self.out_of_bounds(base, exp, whole, negative) {
            return result;
        }
        if whole { self.whole_power(base, exp, negative) } else { self.real_power(base, exp) }
    }

    /// One with zeros after the point.
    fn padded_one(&mut self, negative: bool, zeros: i64) -> Dec {
        if !has_room(zeros as u64) {
            return self.no_memory();
        }
        Dec::finite(negative, Int::pow10(zeros as u64), -zeros)
    }

    fn power_of_one(&mut self, base: &Dec, exp: &Dec, whole: bool, negative: bool) -> Dec {
        let most = self.prec - 1;
        if !whole {
            self.status |= INEXACT | ROUNDED;
            return self.padded_one(negative, most);
        }
        if exp.negative {
            return Dec::finite(negative, Int::ONE, 0);
        }
        // 1.000 ** 3 is 1.000000000.
        let places = Dec::finite(false, Int::from(base.exp.unsigned_abs()), 0);
        let wanted = Ctx::max().mul(exp, &places);
        if wanted.value_cmp(&Dec::integer(most)).is_gt() {
            self.status |= ROUNDED;
            return self.padded_one(negative, most);
        }
        let zeros = wanted.rescaled(0, self.rounding).and_then(|(zeros, _)| zeros.coeff.to_u64());
        self.padded_one(negative, zeros.expect("fewer than the precision") as i64)
    }

    /// The result where it surely overflows or underflows.
    fn out_of_bounds(&mut self, base: &Dec, exp: &Dec, whole: bool, negative: bool) -> Option<Dec> {
        // A lower bound of the exponent of log10(base) * exp.
        let adjusted = base.adjusted();
        let bound = match adjusted {
            1.. => digits(&BigInt::from(adjusted)) - 1,
            ..=-2 => digits(&BigInt::from(-1 - adjusted)) - 1,
            // The bound of _lower_bound_zeta of libmpdec, which is not the best: it shows in whole powers.
            _ if whole => Ctx::max().sub(base, &Dec::integer(1)).adjusted() - if adjusted == 0 { 2 } else { 1 },
            _ => near_one_bound(base, 231),
        };
        let bound = bound + exp.adjusted();
        let grows = (adjusted >= 0) != exp.negative;
        // CPython squares its way to a whole power that underflows, unless it is far too small.
        let spare = if whole { 1 } else { 0 };
        let result = if grows && bound >= digits(&BigInt::from(self.emax)) {
            Dec::finite(negative, Int::ONE, self.emax + 1)
        } else if !grows && bound >= digits(&BigInt::from(self.etiny())) + spare {
            Dec::finite(negative, Int::ONE, self.etiny() - 1)
        } else {
            return None;
        };
        Some(self.finish(result))
    }

    /// By squaring, with digits to spare.
    fn whole_power(&mut self, base: &Dec, exp: &Dec, negative: bool) -> Dec {
        let mut work = self.half_even();
        work.clamp = false;
        work.prec += exp.digits() + exp.exp + 2;
        let mut base = base.abs();
        if exp.negative {
            work.prec += 1;
            base = work.div(&Dec::integer(1), &base);
        }
        if work.status & ERRORS != 0 {
            self.status |= work.status;
            return Dec::nan();
        }
        let Some((exp, _)) = exp.rescaled(0, self.rounding) else {
            return self.no_memory();
        };
        let exp = exp.coeff.big();
        let mut result = base.clone();
        for bit in (0..exp.bits() - 1).rev() {
            result = work.mul(&result, &result);
            if exp.bit(bit) {
                result = work.mul(&result, &base);
            }
            if !result.is_finite() || (result.coeff.is_zero() && work.status & CLAMPED != 0) {
                break;
            }
        }
        self.status |= work.status;
        if result.is_nan() {
            return result;
        }
        if result.is_infinite() {
            // So that modes that round towards zero give the largest number.
            result = Dec::finite(negative, Int::ONE, self.emax + 1);
        }
        self.finish(result.with_sign(negative))
    }

    fn real_power(&mut self, base: &Dec, exp: &Dec) -> Dec {
        // Exponents without bounds: only the result is rounded to the context.
        let mut work = Ctx { prec: self.prec.max(base.digits()) + 4 + 19, ..Ctx::max() };
        let logarithm = work.ln(base);
        let product = work.mul(&logarithm, exp);
        self.status |= work.status & ERRORS;
        work.status = 0;
        let result = work.exp(&product);
        self.status |= work.status | INEXACT | ROUNDED;
        if result.is_nan() {
            return result;
        }
        if result.is_finite() && is_one(&result) {
            let one = self.padded_one(false, self.prec - 1);
            return self.finish(one);
        }
        if result.is_infinite() {
            return self.finish(Dec::finite(false, Int::ONE, self.emax + 1));
        }
        self.finish(result)
    }
}

/// For numbers from 0.1 to 10 that are not 1: `|log(x)|` is at least `1 - 1 / x` and `1 / x - 1`, over the base's.
fn near_one_bound(a: &Dec, base: i64) -> i64 {
    let one = pow10(-a.exp);
    let coeff = big(&a.coeff);
    let text_less = |a: &BigInt, b: &BigInt| a.to_string() < b.to_string();
    if a.adjusted() == 0 {
        let numerator = &coeff - one;
        let denominator = coeff * base;
        let shift = if base == 1 { 0 } else { 2 };
        return digits(&numerator) - digits(&denominator) - i64::from(text_less(&numerator, &denominator)) + shift;
    }
    let numerator = one - coeff;
    match base {
        1 => a.exp + digits(&numerator) - 1,
        _ => digits(&numerator) + a.exp - i64::from(text_less(&numerator, &base.into())) - 1,
    }
}
