//! Decimal numbers and their arithmetic, as the General Decimal Arithmetic Specification has it.
//!
//! Operations note conditions in their context's `status`; nothing here raises or knows Python.

use std::cmp::Ordering;

use super::int::{Int, Rest, has_room};

pub(crate) const MAX_PREC: i64 = 999_999_999_999_999_999;
pub(crate) const MAX_EMAX: i64 = 999_999_999_999_999_999;
pub(crate) const MIN_EMIN: i64 = -999_999_999_999_999_999;
pub(crate) const MIN_ETINY: i64 = MIN_EMIN - (MAX_PREC - 1);

/// Conditions, numbered as in libmpdec.
pub(crate) mod condition {
    pub(crate) const CLAMPED: u32 = 0x1;
    pub(crate) const CONVERSION_SYNTAX: u32 = 0x2;
    pub(crate) const DIVISION_BY_ZERO: u32 = 0x4;
    pub(crate) const DIVISION_IMPOSSIBLE: u32 = 0x8;
    pub(crate) const DIVISION_UNDEFINED: u32 = 0x10;
    pub(crate) const INEXACT: u32 = 0x40;
    pub(crate) const INVALID_CONTEXT: u32 = 0x80;
    pub(crate) const INVALID_OPERATION: u32 = 0x100;
    pub(crate) const NO_MEMORY: u32 = 0x200;
    pub(crate) const FLOAT_OPERATION: u32 = 0x400;
    pub(crate) const OVERFLOW: u32 = 0x800;
    pub(crate) const ROUNDED: u32 = 0x1000;
    pub(crate) const SUBNORMAL: u32 = 0x2000;
    pub(crate) const UNDERFLOW: u32 = 0x4000;
    /// Everything that Python calls `InvalidOperation`.
    pub(crate) const INVALID: u32 =
        CONVERSION_SYNTAX | DIVISION_IMPOSSIBLE | DIVISION_UNDEFINED | INVALID_CONTEXT | INVALID_OPERATION | NO_MEMORY;
    pub(crate) const ERRORS: u32 = INVALID | DIVISION_BY_ZERO;
}
use condition::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounding {
    Up,
    Down,
    Ceiling,
    Floor,
    HalfUp,
    HalfDown,
    HalfEven,
    ZeroFiveUp,
}

impl Rounding {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Up, "ROUND_UP"),
        (Self::Down, "ROUND_DOWN"),
        (Self::Ceiling, "ROUND_CEILING"),
        (Self::Floor, "ROUND_FLOOR"),
        (Self::HalfUp, "ROUND_HALF_UP"),
        (Self::HalfDown, "ROUND_HALF_DOWN"),
        (Self::HalfEven, "ROUND_HALF_EVEN"),
        (Self::ZeroFiveUp, "ROUND_05UP"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(mode, _)| *mode == self).expect("all are listed").1
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(mode, _)| *mode)
    }

    /// Whether a coefficient whose other digits were worth `rest` is to be one larger.
    fn increments(self, negative: bool, kept: &Int, rest: Rest) -> bool {
        if rest == Rest::Zero {
            return false;
        }
        match self {
            Self::Up => true,
            Self::Down => false,
            Self::Ceiling => !negative,
            Self::Floor => negative,
            Self::HalfUp => rest >= Rest::Half,
            Self::HalfDown => rest > Rest::Half,
            Self::HalfEven => rest > Rest::Half || (rest == Rest::Half && kept.is_odd()),
            Self::ZeroFiveUp => kept.last_digit() % 5 == 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Finite,
    Infinite,
    Quiet,
    Signaling,
}

/// A number; of an infinity the coefficient and the exponent are zero, a NaN has its payload as coefficient.
#[derive(Clone, Debug)]
pub(crate) struct Dec {
    pub(crate) negative: bool,
    pub(crate) kind: Kind,
    pub(crate) coeff: Int,
    pub(crate) exp: i64,
}

/// A context without its traps: these are the caller's.
#[derive(Clone, Debug)]
pub(crate) struct Ctx {
    pub(crate) prec: i64,
    pub(crate) rounding: Rounding,
    pub(crate) emin: i64,
    pub(crate) emax: i64,
    pub(crate) clamp: bool,
    /// Conditions that were met.
    pub(crate) status: u32,
}

impl Dec {
    pub(crate) fn finite(negative: bool, coeff: Int, exp: i64) -> Self {
        Self { negative, kind: Kind::Finite, coeff, exp }
    }

    pub(crate) fn infinity(negative: bool) -> Self {
        Self { negative, kind: Kind::Infinite, coeff: Int::ZERO, exp: 0 }
    }

    pub(crate) fn nan() -> Self {
        Self { negative: false, kind: Kind::Quiet, coeff: Int::ZERO, exp: 0 }
    }

    pub(crate) fn integer(value: i64) -> Self {
        Self::finite(value < 0, value.unsigned_abs().into(), 0)
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.kind == Kind::Finite
    }

    pub(crate) fn is_infinite(&self) -> bool {
        self.kind == Kind::Infinite
    }

    pub(crate) fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::Quiet | Kind::Signaling)
    }

    pub(crate) fn is_signaling(&self) -> bool {
        self.kind == Kind::Signaling
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.is_finite() && self.coeff.is_zero()
    }

    pub(crate) fn digits(&self) -> i64 {
        self.coeff.digits() as i64
    }

    /// The exponent of the first digit.
    pub(crate) fn adjusted(&self) -> i64 {
        self.exp + self.digits() - 1
    }

    pub(crate) fn with_sign(&self, negative: bool) -> Self {
        Self { negative, ..self.clone() }
    }

    pub(crate) fn negated(&self) -> Self {
        self.with_sign(!self.negative)
    }

    pub(crate) fn abs(&self) -> Self {
        self.with_sign(false)
    }

    /// Whether a finite number is whole.
    pub(crate) fn is_integer(&self) -> bool {
        if !self.is_finite() {
            return false;
        }
        if self.exp >= 0 || self.coeff.is_zero() {
            return true;
        }
        let after = self.exp.unsigned_abs();
        after < self.coeff.digits() && self.coeff.div_rem_pow10(after).1.is_zero()
    }

    /// Of a whole number.
    pub(crate) fn is_odd(&self) -> bool {
        match self.exp {
            0 => self.coeff.is_odd(),
            exp if exp > 0 || self.coeff.is_zero() => false,
            exp => self.coeff.div_rem_pow10(exp.unsigned_abs()).0.is_odd(),
        }
    }

    pub(crate) fn is_normal(&self, ctx: &Ctx) -> bool {
        self.is_finite() && !self.coeff.is_zero() && self.adjusted() >= ctx.emin
    }

    pub(crate) fn is_subnormal(&self, ctx: &Ctx) -> bool {
        self.is_finite() && !self.coeff.is_zero() && self.adjusted() < ctx.emin
    }

    /// With another exponent, rounded if that is larger, and what was cut off; finite numbers only.
    ///
    /// `None` where there is no room for the zeros.
    pub(crate) fn rescaled(&self, exp: i64, rounding: Rounding) -> Option<(Self, Rest)> {
        if self.coeff.is_zero() {
            return Some((Self::finite(self.negative, Int::ZERO, exp), Rest::Zero));
        }
        if exp <= self.exp {
            let zeros = (self.exp - exp) as u64;
            if !has_room(self.coeff.digits().saturating_add(zeros)) {
                return None;
            }
            return Some((Self::finite(self.negative, self.coeff.mul_pow10(zeros), exp), Rest::Zero));
        }
        let (kept, rest) = self.coeff.cut((exp - self.exp) as u64);
        let kept = match rounding.increments(self.negative, &kept, rest) {
            true => kept.add(&Int::ONE),
            false => kept,
        };
        Some((Self::finite(self.negative, kept, exp), rest))
    }

    /// Order by value; of numbers, not of NaNs.
    pub(crate) fn value_cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        if by_sign.is_ne() || self.is_zero() {
            return by_sign;
        }
        match self.negative {
            true => other.magnitude_cmp(self),
            false => self.magnitude_cmp(other),
        }
    }

    /// Order of the absolute values.
    pub(crate) fn magnitude_cmp(&self, other: &Self) -> Ordering {
        match (self.is_infinite(), other.is_infinite()) {
            (false, false) => {}
            (left, right) => return left.cmp(&right),
        }
        match (self.coeff.is_zero(), other.coeff.is_zero()) {
            (false, false) => {}
            (left, right) => return right.cmp(&left),
        }
        if self.exp == other.exp {
            return self.coeff.cmp(&other.coeff);
        }
        let by_size = self.adjusted().cmp(&other.adjusted());
        if by_size.is_ne() {
            return by_size;
        }
        // As many digits before the point: the exponents differ by less than the digits.
        if self.exp > other.exp {
            self.coeff.mul_pow10((self.exp - other.exp) as u64).cmp(&other.coeff)
        } else {
            self.coeff.cmp(&other.coeff.mul_pow10((other.exp - self.exp) as u64))
        }
    }

    /// The order of representations, in which NaNs have their places too.
    pub(crate) fn total_cmp(&self, other: &Self) -> Ordering {
        if self.negative != other.negative {
            return other.negative.cmp(&self.negative);
        }
        let rank = |number: &Self| match number.kind {
            Kind::Finite => 0,
            Kind::Infinite => 1,
            Kind::Signaling => 2,
            Kind::Quiet => 3,
        };
        let magnitude = if self.is_nan() || other.is_nan() {
            rank(self).cmp(&rank(other)).then_with(|| self.coeff.cmp(&other.coeff))
        } else {
            self.magnitude_cmp(other).then_with(|| self.exp.cmp(&other.exp))
        };
        match self.negative {
            true => magnitude.reverse(),
            false => magnitude,
        }
    }

    pub(crate) fn total_magnitude_cmp(&self, other: &Self) -> Ordering {
        self.abs().total_cmp(&other.abs())
    }

    pub(crate) fn class(&self, ctx: &Ctx) -> &'static str {
        let class = match self.kind {
            Kind::Signaling => return "sNaN",
            Kind::Quiet => return "NaN",
            Kind::Infinite => ["+Infinity", "-Infinity"],
            Kind::Finite if self.coeff.is_zero() => ["+Zero", "-Zero"],
            Kind::Finite if self.is_subnormal(ctx) => ["+Subnormal", "-Subnormal"],
            Kind::Finite => ["+Normal", "-Normal"],
        };
        class[usize::from(self.negative)]
    }

    pub(crate) fn same_quantum(&self, other: &Self) -> bool {
        match (self.is_finite(), other.is_finite()) {
            (true, true) => self.exp == other.exp,
            (false, false) => self.is_nan() == other.is_nan(),
            _ => false,
        }
    }
}

impl Ctx {
    /// Everything that a number can be, exactly.
    pub(crate) fn max() -> Self {
        Self { prec: MAX_PREC, rounding: Rounding::HalfEven, emin: MIN_EMIN, emax: MAX_EMAX, clamp: false, status: 0 }
    }

    pub(crate) fn etiny(&self) -> i64 {
        self.emin - (self.prec - 1)
    }

    pub(crate) fn etop(&self) -> i64 {
        self.emax - (self.prec - 1)
    }

    /// This context with nothing noted, rounding to even.
    pub(crate) fn half_even(&self) -> Self {
        Self { rounding: Rounding::HalfEven, status: 0, ..self.clone() }
    }

    pub(crate) fn signal(&mut self, condition: u32) -> Dec {
        self.status |= condition;
        Dec::nan()
    }

    pub(crate) fn invalid(&mut self) -> Dec {
        self.signal(INVALID_OPERATION)
    }

    pub(crate) fn no_memory(&mut self) -> Dec {
        self.signal(NO_MEMORY)
    }

    fn payload(&self, nan: &Dec) -> Dec {
        let room = self.prec - i64::from(self.clamp);
        let coeff = if nan.digits() > room { nan.coeff.div_rem_pow10(room as u64).1 } else { nan.coeff.clone() };
        Dec { kind: Kind::Quiet, coeff, ..nan.clone() }
    }

    /// The result of an operation on a NaN: the first one that signals, else the first.
    fn nan_of(&mut self, operands: &[&Dec]) -> Option<Dec> {
        if let Some(nan) = operands.iter().find(|one| one.is_signaling()) {
            self.status |= INVALID_OPERATION;
            return Some(self.payload(nan));
        }
        operands.iter().find(|one| one.is_nan()).map(|nan| self.payload(nan))
    }

    fn overflow(&mut self, negative: bool) -> Dec {
        self.status |= OVERFLOW | INEXACT | ROUNDED;
        let largest = match self.rounding {
            Rounding::Down | Rounding::ZeroFiveUp => true,
            Rounding::Ceiling => negative,
            Rounding::Floor => !negative,
            _ => false,
        };
        match largest {
            true => self.largest(negative),
            false => Dec::infinity(negative),
        }
    }

    /// The finite number that is furthest from zero.
    fn largest(&mut self, negative: bool) -> Dec {
        if !has_room(self.prec as u64) {
            return self.no_memory();
        }
        Dec::finite(negative, Int::pow10(self.prec as u64).sub(&Int::ONE), self.etop())
    }

    /// Rounds a result to the context.
    pub(crate) fn finish(&mut self, number: Dec) -> Dec {
        match number.kind {
            Kind::Finite => {}
            Kind::Infinite => return number,
            _ => return Dec { kind: number.kind, ..self.payload(&number) },
        }
        let (etiny, etop) = (self.etiny(), self.etop());
        if number.coeff.is_zero() {
            let top = if self.clamp { etop } else { self.emax };
            let exp = number.exp.max(etiny).min(top);
            if exp != number.exp {
                self.status |= CLAMPED;
            }
            return Dec { exp, ..number };
        }
        let digits = number.digits();
        let least = digits + number.exp - self.prec;
        if least > etop {
            return self.overflow(number.negative);
        }
        let subnormal = least < etiny;
        let least = least.max(etiny);
        if number.exp < least {
            return self.round(&number, least, subnormal);
        }
        if subnormal {
            self.status |= SUBNORMAL;
        }
        if self.clamp && number.exp > etop {
            self.status |= CLAMPED;
            let zeros = (number.exp - etop) as u64;
            if !has_room(digits as u64 + zeros) {
                return self.no_memory();
            }
            return Dec { coeff: number.coeff.mul_pow10(zeros), exp: etop, ..number };
        }
        number
    }

    fn round(&mut self, number: &Dec, mut exp: i64, subnormal: bool) -> Dec {
        let (mut kept, rest) = number.coeff.cut((exp - number.exp) as u64);
        if self.rounding.increments(number.negative, &kept, rest) {
            kept = kept.add(&Int::ONE);
            if kept.digits() as i64 > self.prec {
                kept = kept.div_rem_pow10(1).0;
                exp += 1;
            }
        }
        if exp > self.etop() {
            return self.overflow(number.negative);
        }
        self.status |= ROUNDED;
        if rest != Rest::Zero {
            self.status |= INEXACT;
            if subnormal {
                self.status |= UNDERFLOW;
            }
        }
        if subnormal {
            self.status |= SUBNORMAL;
        }
        if kept.is_zero() {
            self.status |= CLAMPED;
        }
        Dec::finite(number.negative, kept, exp)
    }

    pub(crate) fn add(&mut self, a: &Dec, b: &Dec) -> Dec {
        if !a.is_finite() || !b.is_finite() {
            return self.add_special(a, b);
        }
        let exp = a.exp.min(b.exp);
        let zero_sign = self.rounding == Rounding::Floor && a.negative != b.negative;
        if a.coeff.is_zero() || b.coeff.is_zero() {
            return self.add_zero(a, b, exp, zero_sign);
        }
        let (high, low) = if a.exp < b.exp { (b, a) } else { (a, b) };
        // Far below the result's last digit the value of a number does not matter, only that there is one.
        let far = (high.exp - 1).min(high.adjusted().saturating_sub(self.prec).saturating_sub(1));
        let tiny;
        let low = if low.exp < high.exp && low.adjusted() < far {
            tiny = Dec::finite(low.negative, Int::ONE, far);
            &tiny
        } else {
            low
        };
        let zeros = (high.exp - low.exp) as u64;
        if !has_room(high.coeff.digits().saturating_add(zeros)) {
            return self.no_memory();
        }
        let aligned;
        let high_coeff = if zeros == 0 {
            &high.coeff
        } else {
            aligned = high.coeff.mul_pow10(zeros);
            &aligned
        };
        let sum = if high.negative == low.negative {
            Dec::finite(high.negative, high_coeff.add(&low.coeff), low.exp)
        } else {
            match high_coeff.cmp(&low.coeff) {
                Ordering::Equal => Dec::finite(zero_sign, Int::ZERO, low.exp),
                Ordering::Greater => Dec::finite(high.negative, high_coeff.sub(&low.coeff), low.exp),
                Ordering::Less => Dec::finite(low.negative, low.coeff.sub(high_coeff), low.exp),
            }
        };
        self.finish(sum)
    }

    fn add_special(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        if a.is_infinite() {
            if b.is_infinite() && a.negative != b.negative {
                return self.invalid();
            }
            return a.clone();
        }
        b.clone()
    }

    fn add_zero(&mut self, a: &Dec, b: &Dec, exp: i64, zero_sign: bool) -> Dec {
        if a.coeff.is_zero() && b.coeff.is_zero() {
            let negative = (a.negative && b.negative) || zero_sign;
            return self.finish(Dec::finite(negative, Int::ZERO, exp));
        }
        let (number, zero) = if a.coeff.is_zero() { (b, a) } else { (a, b) };
        let exp = exp.max(number.exp.saturating_sub(self.prec).saturating_sub(1));
        debug_assert!(zero.coeff.is_zero());
        match number.rescaled(exp, self.rounding) {
            Some((sum, _)) => self.finish(sum),
            None => self.no_memory(),
        }
    }

    pub(crate) fn sub(&mut self, a: &Dec, b: &Dec) -> Dec {
        // The sign of a NaN stays.
        if b.is_nan() { self.add(a, b) } else { self.add(a, &b.negated()) }
    }

    pub(crate) fn mul(&mut self, a: &Dec, b: &Dec) -> Dec {
        let product = self.exact_mul(a, b);
        if product.is_nan() { product } else { self.finish(product) }
    }

    fn exact_mul(&mut self, a: &Dec, b: &Dec) -> Dec {
        let negative = a.negative != b.negative;
        if !a.is_finite() || !b.is_finite() {
            if let Some(nan) = self.nan_of(&[a, b]) {
                return nan;
            }
            if a.is_zero() || b.is_zero() {
                return self.invalid();
            }
            return Dec::infinity(negative);
        }
        if !has_room(a.coeff.digits() + b.coeff.digits()) {
            return self.no_memory();
        }
        Dec::finite(negative, a.coeff.mul(&b.coeff), a.exp + b.exp)
    }

    pub(crate) fn fma(&mut self, a: &Dec, b: &Dec, c: &Dec) -> Dec {
        let before = core::mem::take(&mut self.status);
        let product = self.exact_mul(a, b);
        let result = match self.status & INVALID {
            0 => self.add(&product, c),
            _ => product,
        };
        self.status |= before;
        result
    }

    pub(crate) fn div(&mut self, a: &Dec, b: &Dec) -> Dec {
        let negative = a.negative != b.negative;
        if !a.is_finite() || !b.is_finite() {
            if let Some(nan) = self.nan_of(&[a, b]) {
                return nan;
            }
            if a.is_infinite() {
                return if b.is_infinite() { self.invalid() } else { Dec::infinity(negative) };
            }
            self.status |= CLAMPED;
            return Dec::finite(negative, Int::ZERO, self.etiny());
        }
        if b.coeff.is_zero() {
            if a.coeff.is_zero() {
                return self.signal(DIVISION_UNDEFINED);
            }
            self.status |= DIVISION_BY_ZERO;
            return Dec::infinity(negative);
        }
        let ideal = a.exp - b.exp;
        if a.coeff.is_zero() {
            return self.finish(Dec::finite(negative, Int::ZERO, ideal));
        }
        let shift = b.digits() - a.digits() + self.prec + 1;
        if !has_room((a.digits() + shift.max(0)) as u64) {
            return self.no_memory();
        }
        let mut exp = ideal - shift;
        let (quotient, rest) = if shift >= 0 {
            a.coeff.mul_pow10(shift as u64).div_rem(&b.coeff)
        } else {
            a.coeff.div_rem(&b.coeff.mul_pow10(shift.unsigned_abs()))
        };
        let quotient = if !rest.is_zero() {
            // A last digit that rounds as what is cut off does.
            if quotient.last_digit() % 5 == 0 { quotient.add(&Int::ONE) } else { quotient }
        } else {
            let (stripped, zeros) = quotient.without_zeros((ideal - exp).max(0) as u64);
            exp += zeros as i64;
            stripped
        };
        self.finish(Dec::finite(negative, quotient, exp))
    }

    /// Quotient and remainder of finite numbers, neither rounded; `None` where the quotient has too many digits.
    fn divided(&mut self, a: &Dec, b: &Dec) -> Option<(Dec, Dec)> {
        let negative = a.negative != b.negative;
        let ideal = if b.is_infinite() { a.exp } else { a.exp.min(b.exp) };
        let apart = a.adjusted() - b.adjusted();
        if a.coeff.is_zero() || b.is_infinite() || apart <= -2 {
            let zero = Dec::finite(negative, Int::ZERO, 0);
            return match a.rescaled(ideal, self.rounding) {
                Some((rest, _)) => Some((zero, rest)),
                None => {
                    self.status |= NO_MEMORY;
                    None
                }
            };
        }
        if apart <= self.prec {
            let zeros = a.exp.abs_diff(b.exp);
            if !has_room(a.coeff.digits().max(b.coeff.digits()) + zeros) {
                self.status |= NO_MEMORY;
                return None;
            }
            let (quotient, rest) = if a.exp >= b.exp {
                a.coeff.mul_pow10(zeros).div_rem(&b.coeff)
            } else {
                a.coeff.div_rem(&b.coeff.mul_pow10(zeros))
            };
            if quotient.digits() as i64 <= self.prec {
                let quotient = Dec::finite(negative, quotient, 0);
                return Some((quotient, Dec::finite(a.negative, rest, ideal)));
            }
        }
        self.status |= DIVISION_IMPOSSIBLE;
        None
    }

    pub(crate) fn div_int(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        let negative = a.negative != b.negative;
        if a.is_infinite() {
            return if b.is_infinite() { self.invalid() } else { Dec::infinity(negative) };
        }
        if b.is_zero() {
            if a.is_zero() {
                return self.signal(DIVISION_UNDEFINED);
            }
            self.status |= DIVISION_BY_ZERO;
            return Dec::infinity(negative);
        }
        match self.divided(a, b) {
            Some((quotient, _)) => self.finish(quotient),
            None => Dec::nan(),
        }
    }

    pub(crate) fn rem(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        if a.is_infinite() {
            return self.invalid();
        }
        if b.is_zero() {
            return self.signal(if a.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
        }
        match self.divided(a, b) {
            Some((_, rest)) => self.finish(rest),
            None => Dec::nan(),
        }
    }

    pub(crate) fn div_mod(&mut self, a: &Dec, b: &Dec) -> (Dec, Dec) {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return (nan.clone(), nan);
        }
        let negative = a.negative != b.negative;
        if a.is_infinite() {
            let rest = self.invalid();
            return (if b.is_infinite() { Dec::nan() } else { Dec::infinity(negative) }, rest);
        }
        if b.is_zero() {
            if a.is_zero() {
                return (self.signal(DIVISION_UNDEFINED), Dec::nan());
            }
            self.status |= DIVISION_BY_ZERO;
            return (Dec::infinity(negative), self.invalid());
        }
        match self.divided(a, b) {
            Some((quotient, rest)) => (self.finish(quotient), self.finish(rest)),
            None => (Dec::nan(), Dec::nan()),
        }
    }

    pub(crate) fn rem_near(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        if a.is_infinite() {
            return self.invalid();
        }
        if b.is_zero() {
            return self.signal(if a.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
        }
        if b.is_infinite() {
            return self.finish(a.clone());
        }
        let ideal = a.exp.min(b.exp);
        if a.coeff.is_zero() {
            return self.finish(Dec::finite(a.negative, Int::ZERO, ideal));
        }
        let apart = a.adjusted() - b.adjusted();
        if apart > self.prec {
            return self.signal(DIVISION_IMPOSSIBLE);
        }
        if apart <= -2 {
            return match a.rescaled(ideal, self.rounding) {
                Some((rest, _)) => self.finish(rest),
                None => self.no_memory(),
            };
        }
        let zeros = a.exp.abs_diff(b.exp);
        if !has_room(a.coeff.digits().max(b.coeff.digits()) + zeros) {
            return self.no_memory();
        }
        let (a_coeff, b_coeff) = if a.exp >= b.exp {
            (a.coeff.mul_pow10(zeros), b.coeff.clone())
        } else {
            (a.coeff.clone(), b.coeff.mul_pow10(zeros))
        };
        let (mut quotient, mut rest) = a_coeff.div_rem(&b_coeff);
        let mut negative = a.negative;
        let twice = rest.add(&rest);
        if twice > b_coeff || (twice == b_coeff && quotient.is_odd()) {
            rest = b_coeff.sub(&rest);
            negative = !negative;
            quotient = quotient.add(&Int::ONE);
        }
        if quotient.digits() as i64 > self.prec {
            return self.signal(DIVISION_IMPOSSIBLE);
        }
        self.finish(Dec::finite(negative, rest, ideal))
    }

    pub(crate) fn plus(&mut self, a: &Dec) -> Dec {
        self.signed(a, a.negative)
    }

    pub(crate) fn minus(&mut self, a: &Dec) -> Dec {
        self.signed(a, !a.negative)
    }

    pub(crate) fn abs(&mut self, a: &Dec) -> Dec {
        self.signed(a, false)
    }

    /// With that sign; a zero is positive, unless it is rounded down.
    fn signed(&mut self, a: &Dec, negative: bool) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        let negative = negative && (!a.is_zero() || self.rounding == Rounding::Floor);
        self.finish(a.with_sign(negative))
    }

    pub(crate) fn compare(&mut self, a: &Dec, b: &Dec) -> Dec {
        match self.nan_of(&[a, b]) {
            Some(nan) => nan,
            None => Dec::integer(a.value_cmp(b) as i64),
        }
    }

    pub(crate) fn compare_signal(&mut self, a: &Dec, b: &Dec) -> Dec {
        if a.is_nan() || b.is_nan() {
            self.status |= INVALID_OPERATION;
        }
        self.compare(a, b)
    }

    /// The larger, by value or by magnitude; a quiet NaN gives way to a number.
    fn extreme(&mut self, a: &Dec, b: &Dec, larger: bool, by_magnitude: bool) -> Dec {
        if a.is_nan() || b.is_nan() {
            if a.kind == Kind::Quiet && !b.is_nan() {
                return self.finish(b.clone());
            }
            if b.kind == Kind::Quiet && !a.is_nan() {
                return self.finish(a.clone());
            }
            return self.nan_of(&[a, b]).expect("one is a NaN");
        }
        let order = match by_magnitude {
            true => a.magnitude_cmp(b),
            false => a.value_cmp(b),
        };
        let order = order.then_with(|| a.total_cmp(b));
        let second = if larger { order.is_lt() } else { order.is_ge() };
        self.finish(if second { b.clone() } else { a.clone() })
    }

    pub(crate) fn max_of(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.extreme(a, b, true, false)
    }

    pub(crate) fn min_of(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.extreme(a, b, false, false)
    }

    pub(crate) fn max_mag(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.extreme(a, b, true, true)
    }

    pub(crate) fn min_mag(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.extreme(a, b, false, true)
    }

    /// The next number towards minus infinity (`down`) or infinity.
    fn next(&mut self, a: &Dec, down: bool) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        if a.is_infinite() {
            return if a.negative == down { a.clone() } else { self.largest(a.negative) };
        }
        let rounding = if down { Rounding::Floor } else { Rounding::Ceiling };
        let mut quiet = Self { rounding, status: 0, ..self.clone() };
        let rounded = quiet.finish(a.clone());
        let result = if rounded.is_infinite() || rounded.value_cmp(a).is_ne() {
            rounded
        } else {
            let step = Dec::finite(down, Int::ONE, self.etiny() - 1);
            quiet.add(a, &step)
        };
        self.status |= quiet.status & ERRORS;
        result
    }

    pub(crate) fn next_minus(&mut self, a: &Dec) -> Dec {
        self.next(a, true)
    }

    pub(crate) fn next_plus(&mut self, a: &Dec) -> Dec {
        self.next(a, false)
    }

    pub(crate) fn next_toward(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        let result = match a.value_cmp(b) {
            Ordering::Equal => return a.with_sign(b.negative),
            Ordering::Less => self.next_plus(a),
            Ordering::Greater => self.next_minus(a),
        };
        if result.is_infinite() {
            self.status |= OVERFLOW | INEXACT | ROUNDED;
        } else if result.is_finite() && result.adjusted() < self.emin {
            self.status |= UNDERFLOW | SUBNORMAL | INEXACT | ROUNDED;
            if result.is_zero() {
                self.status |= CLAMPED;
            }
        }
        result
    }

    pub(crate) fn normalize(&mut self, a: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        let number = self.finish(a.clone());
        if !number.is_finite() {
            return number;
        }
        if number.coeff.is_zero() {
            return Dec::finite(number.negative, Int::ZERO, 0);
        }
        let top = if self.clamp { self.etop() } else { self.emax };
        let (coeff, zeros) = number.coeff.without_zeros((top - number.exp).max(0) as u64);
        Dec::finite(number.negative, coeff, number.exp + zeros as i64)
    }

    pub(crate) fn quantize(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        if a.is_infinite() || b.is_infinite() {
            if a.is_infinite() && b.is_infinite() {
                return a.clone();
            }
            return self.invalid();
        }
        let exp = b.exp;
        if exp < self.etiny() || exp > self.emax {
            return self.invalid();
        }
        if a.coeff.is_zero() {
            return self.finish(Dec::finite(a.negative, Int::ZERO, exp));
        }
        let adjusted = a.adjusted();
        if adjusted > self.emax || adjusted - exp >= self.prec {
            return self.invalid();
        }
        let Some((result, rest)) = a.rescaled(exp, self.rounding) else {
            return self.no_memory();
        };
        if result.adjusted() > self.emax || result.digits() > self.prec {
            return self.invalid();
        }
        if !result.coeff.is_zero() && result.adjusted() < self.emin {
            self.status |= SUBNORMAL;
        }
        if exp > a.exp {
            self.status |= ROUNDED;
            if rest != Rest::Zero {
                self.status |= INEXACT;
            }
        }
        self.finish(result)
    }

    fn integral(&mut self, a: &Dec, signals: bool) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        if a.is_infinite() || a.exp >= 0 {
            return a.clone();
        }
        let (result, rest) = a.rescaled(0, self.rounding).expect("no zeros are added");
        if signals && !a.coeff.is_zero() {
            self.status |= ROUNDED;
            if rest != Rest::Zero {
                self.status |= INEXACT;
            }
        }
        result
    }

    pub(crate) fn to_integral_exact(&mut self, a: &Dec) -> Dec {
        self.integral(a, true)
    }

    pub(crate) fn to_integral_value(&mut self, a: &Dec) -> Dec {
        self.integral(a, false)
    }

    pub(crate) fn sqrt(&mut self, a: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        if a.is_zero() {
            return self.finish(Dec::finite(a.negative, Int::ZERO, a.exp.div_euclid(2)));
        }
        if a.negative {
            return self.invalid();
        }
        if a.is_infinite() {
            return a.clone();
        }
        // A digit more than asked for, and a last one that says whether there was more.
        let prec = self.prec + 1;
        let mut exp = a.exp.div_euclid(2);
        let digits = a.digits();
        let (coeff, length) = match a.exp.rem_euclid(2) {
            1 => (a.coeff.mul_pow10(1), digits / 2 + 1),
            _ => (a.coeff.clone(), (digits + 1) / 2),
        };
        let shift = prec - length;
        if !has_room((digits + 2 * shift.max(0)) as u64) {
            return self.no_memory();
        }
        let (coeff, whole) = if shift >= 0 {
            (coeff.mul_pow10(2 * shift as u64), true)
        } else {
            let (coeff, rest) = coeff.div_rem_pow10(2 * shift.unsigned_abs());
            (coeff, rest.is_zero())
        };
        exp -= shift;
        let (mut root, exact) = coeff.sqrt();
        if whole && exact {
            if shift >= 0 {
                root = root.div_rem_pow10(shift as u64).0;
            } else {
                root = root.mul_pow10(shift.unsigned_abs());
            }
            exp += shift;
        } else if root.last_digit() % 5 == 0 {
            root = root.add(&Int::ONE);
        }
        self.finish_half_even(Dec::finite(false, root, exp))
    }

    pub(crate) fn finish_half_even(&mut self, number: Dec) -> Dec {
        let mut ctx = self.half_even();
        let result = ctx.finish(number);
        self.status |= ctx.status;
        result
    }

    pub(crate) fn logb(&mut self, a: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a]) {
            return nan;
        }
        if a.is_infinite() {
            return Dec::infinity(false);
        }
        if a.coeff.is_zero() {
            self.status |= DIVISION_BY_ZERO;
            return Dec::infinity(true);
        }
        self.finish(Dec::integer(a.adjusted()))
    }

    /// An operand that says by how much: a whole number without exponent, in bounds.
    fn amount(&mut self, b: &Dec, bound: i64) -> Option<i64> {
        let amount = match b.exp {
            0 => b.coeff.to_u64().and_then(|size| i64::try_from(size).ok()),
            _ => None,
        };
        match amount {
            Some(size) if b.is_finite() && size <= bound => Some(if b.negative { -size } else { size }),
            _ => {
                self.status |= INVALID_OPERATION;
                None
            }
        }
    }

    pub(crate) fn scaleb(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        let Some(amount) = self.amount(b, 2 * (self.emax + self.prec)) else {
            return Dec::nan();
        };
        if a.is_infinite() {
            return a.clone();
        }
        self.finish(Dec { exp: a.exp + amount, ..a.clone() })
    }

    /// The last digits of a coefficient, as many as the precision.
    fn last_digits(&self, coeff: &Int) -> Int {
        match coeff.digits() as i64 > self.prec {
            true => coeff.div_rem_pow10(self.prec as u64).1,
            false => coeff.clone(),
        }
    }

    pub(crate) fn shift(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        let Some(amount) = self.amount(b, self.prec) else {
            return Dec::nan();
        };
        if a.is_infinite() {
            return a.clone();
        }
        let coeff = self.last_digits(&a.coeff);
        let coeff = if amount < 0 {
            coeff.cut(amount.unsigned_abs()).0
        } else if has_room(coeff.digits() + amount as u64) {
            self.last_digits(&coeff.mul_pow10(amount as u64))
        } else {
            return self.no_memory();
        };
        Dec { coeff, ..a.clone() }
    }

    pub(crate) fn rotate(&mut self, a: &Dec, b: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b]) {
            return nan;
        }
        let Some(amount) = self.amount(b, self.prec) else {
            return Dec::nan();
        };
        if a.is_infinite() {
            return a.clone();
        }
        let coeff = self.last_digits(&a.coeff);
        let left = amount.rem_euclid(self.prec) as u64;
        if left == 0 || coeff.is_zero() {
            return Dec { coeff, ..a.clone() };
        }
        if !has_room(self.prec as u64) {
            return self.no_memory();
        }
        let (high, low) = coeff.div_rem_pow10(self.prec as u64 - left);
        Dec { coeff: low.mul_pow10(left).add(&high), ..a.clone() }
    }

    /// The digits of an operand of a logical operation, the last first.
    fn logical(&mut self, a: &Dec) -> Option<Vec<bool>> {
        if a.is_finite() && !a.negative && a.exp == 0 {
            let digits = a.coeff.to_digits();
            if digits.bytes().all(|digit| matches!(digit, b'0' | b'1')) {
                let prec = usize::try_from(self.prec).unwrap_or(usize::MAX);
                return Some(digits.bytes().rev().take(prec).map(|digit| digit == b'1').collect());
            }
        }
        self.status |= INVALID_OPERATION;
        None
    }

    pub(crate) fn logic(&mut self, a: &Dec, b: &Dec, work: fn(bool, bool) -> bool) -> Dec {
        let (Some(a), Some(b)) = (self.logical(a), self.logical(b)) else {
            return Dec::nan();
        };
        let digit = |digits: &[bool], place: usize| digits.get(place).copied().unwrap_or(false);
        let length = a.len().max(b.len());
        let digits: Vec<u8> =
            (0..length).rev().map(|place| b'0' + u8::from(work(digit(&a, place), digit(&b, place)))).collect();
        Dec::finite(false, Int::from_digits(&digits), 0)
    }

    pub(crate) fn logical_and(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.logic(a, b, |a, b| a & b)
    }

    pub(crate) fn logical_or(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.logic(a, b, |a, b| a | b)
    }

    pub(crate) fn logical_xor(&mut self, a: &Dec, b: &Dec) -> Dec {
        self.logic(a, b, |a, b| a ^ b)
    }

    pub(crate) fn logical_invert(&mut self, a: &Dec) -> Dec {
        if !has_room(self.prec as u64) {
            return self.no_memory();
        }
        let ones = vec![b'1'; self.prec as usize];
        self.logical_xor(a, &Dec::finite(false, Int::from_digits(&ones), 0))
    }

    /// `a ** b % modulus` of whole numbers.
    pub(crate) fn pow_mod(&mut self, a: &Dec, b: &Dec, modulus: &Dec) -> Dec {
        if let Some(nan) = self.nan_of(&[a, b, modulus]) {
            return nan;
        }
        let fits = a.is_integer()
            && b.is_integer()
            && modulus.is_integer()
            && (!b.negative || b.is_zero())
            && !modulus.is_zero()
            && modulus.adjusted() < self.prec
            && !(a.is_zero() && b.is_zero());
        if !fits {
            return self.invalid();
        }
        let whole = |number: &Dec| {
            let (coeff, _) = number.coeff.div_rem_pow10(number.exp.min(0).unsigned_abs());
            (coeff.big(), number.exp.max(0) as u64)
        };
        let negative = a.negative && b.is_odd();
        let (modulus, zeros) = whole(modulus);
        let modulus = modulus * Int::pow10(zeros).big();
        let ten = malachite_bigint::BigUint::from(10u32);
        let (base, zeros) = whole(a);
        let mut base = base % &modulus * ten.modpow(&zeros.into(), &modulus) % &modulus;
        let (exponent, zeros) = whole(b);
        for _ in 0..zeros {
            base = base.modpow(&ten, &modulus);
        }
        let result: Int = base.modpow(&exponent, &modulus).into();
        Dec::finite(negative, result, 0)
    }
}
