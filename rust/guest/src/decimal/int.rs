//! Coefficients: natural numbers, most of which have few digits.

use std::cell::RefCell;
use std::cmp::Ordering;

use malachite_bigint::BigUint;
use num_integer::Integer;
use num_traits::ToPrimitive;

/// Digits that a `u128` always has room for.
const SMALL_DIGITS: u64 = 38;

/// A natural number; `Small` exactly if it has at most 38 digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Int {
    Small(u128),
    Big(BigUint),
}

use Int::{Big, Small};

const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// How the digits that were cut off compare with half a unit of the last digit kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    Zero,
    BelowHalf,
    Half,
    AboveHalf,
}

thread_local! {
    /// Powers of ten that were asked for before, from the 39th.
    static BIG_POWERS: RefCell<Vec<Option<BigUint>>> = const { RefCell::new(Vec::new()) };
}

const KEPT_POWERS: usize = 512;

/// Gives `work` the power of ten.
fn with_power<R>(exponent: u64, work: impl FnOnce(&BigUint) -> R) -> R {
    let place = usize::try_from(exponent).expect("callers look at the size first");
    if place >= KEPT_POWERS {
        return work(&new_power(exponent));
    }
    BIG_POWERS.with(|powers| {
        let mut powers = powers.borrow_mut();
        if powers.len() <= place {
            powers.resize(place + 1, None);
        }
        work(powers[place].get_or_insert_with(|| new_power(exponent)))
    })
}

fn new_power(exponent: u64) -> BigUint {
    let exponent32 = u32::try_from(exponent).expect("callers look at the size first");
    if let Some(power) = POWERS.get(exponent as usize) {
        return BigUint::from(*power);
    }
    BigUint::from(5u32).pow(exponent32) << exponent
}

fn small_digits(value: u128) -> u64 {
    if value == 0 {
        return 1;
    }
    // 1233 / 4096 is the logarithm of 2, from below.
    let bits = 128 - value.leading_zeros();
    let low = (bits * 1233 >> 12) as usize;
    low as u64 + u64::from(low > 38 || value >= POWERS[low])
}

impl From<u64> for Int {
    fn from(value: u64) -> Self {
        Small(value.into())
    }
}

impl From<BigUint> for Int {
    fn from(value: BigUint) -> Self {
        match value.to_u128() {
            Some(small) if small < POWERS[38] => Small(small),
            _ => Big(value),
        }
    }
}

impl Int {
    pub(crate) const ZERO: Self = Small(0);
    pub(crate) const ONE: Self = Small(1);

    pub(crate) fn big(&self) -> BigUint {
        match self {
            Small(value) => BigUint::from(*value),
            Big(value) => value.clone(),
        }
    }

    /// A number from its decimal digits, of which there is at least one.
    pub(crate) fn from_digits(digits: &[u8]) -> Self {
        if digits.len() as u64 <= SMALL_DIGITS {
            return Small(digits.iter().fold(0, |value, digit| value * 10 + u128::from(digit - b'0')));
        }
        BigUint::parse_bytes(digits, 10).expect("callers give digits").into()
    }

    pub(crate) fn to_digits(&self) -> String {
        match self {
            Small(value) => value.to_string(),
            Big(value) => value.to_string(),
        }
    }

    pub(crate) fn pow10(exponent: u64) -> Self {
        match POWERS.get(exponent as usize) {
            Some(power) if exponent < SMALL_DIGITS => Small(*power),
            _ => with_power(exponent, |power| Big(power.clone())),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Small(0))
    }

    pub(crate) fn is_odd(&self) -> bool {
        match self {
            Small(value) => value & 1 == 1,
            Big(value) => value.is_odd(),
        }
    }

    /// How many digits; zero has one.
    pub(crate) fn digits(&self) -> u64 {
        let value = match self {
            Small(value) => return small_digits(*value),
            Big(value) => value,
        };
        // The first 64 bits say it, unless the number lies close to a power of ten.
        let bits = value.bits();
        let top = (value >> (bits - 64)).to_u64().expect("64 bits are left");
        let logarithm = (top as f64).log10() + (bits - 64) as f64 * core::f64::consts::LOG10_2;
        let (floor, fraction) = (logarithm.floor(), logarithm.fract());
        if (1e-5..1.0 - 1e-5).contains(&fraction) {
            return floor as u64 + 1;
        }
        let near = logarithm.round() as u64;
        near + u64::from(with_power(near, |power| value >= power))
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        match (self, other) {
            // Twice 10**38 is below 2**128.
            (Small(a), Small(b)) => match a + b {
                sum if sum < POWERS[38] => Small(sum),
                sum => Big(BigUint::from(sum)),
            },
            (Small(a), Big(b)) | (Big(b), Small(a)) => Big(b + BigUint::from(*a)),
            (Big(a), Big(b)) => Big(a + b),
        }
    }

    /// The difference with a number that is not larger.
    pub(crate) fn sub(&self, other: &Self) -> Self {
        match (self, other) {
            (Small(a), Small(b)) => Small(a - b),
            (Big(a), Small(b)) => Self::from(a - BigUint::from(*b)),
            (Big(a), Big(b)) => Self::from(a - b),
            (Small(_), Big(_)) => unreachable!("callers give the larger number first"),
        }
    }

    pub(crate) fn mul(&self, other: &Self) -> Self {
        match (self, other) {
            (Small(a), Small(b)) => {
                if small_digits(*a) + small_digits(*b) <= SMALL_DIGITS {
                    return Small(a * b);
                }
                Self::from(BigUint::from(*a) * BigUint::from(*b))
            }
            (Small(0), Big(_)) | (Big(_), Small(0)) => Self::ZERO,
            (Small(a), Big(b)) | (Big(b), Small(a)) => Big(b * BigUint::from(*a)),
            (Big(a), Big(b)) => Big(a * b),
        }
    }

    pub(crate) fn mul_pow10(&self, exponent: u64) -> Self {
        if exponent == 0 || self.is_zero() {
            return self.clone();
        }
        if let Small(value) = self
            && small_digits(*value) + exponent <= SMALL_DIGITS
        {
            return Small(value * POWERS[exponent as usize]);
        }
        with_power(exponent, |power| Self::from(self.big() * power))
    }

    pub(crate) fn div_rem(&self, other: &Self) -> (Self, Self) {
        match (self, other) {
            (Small(a), Small(b)) => {
                if let (Ok(a), Ok(b)) = (u64::try_from(*a), u64::try_from(*b)) {
                    return (Small((a / b).into()), Small((a % b).into()));
                }
                let quotient = a / b;
                (Small(quotient), Small(a - quotient * b))
            }
            (Small(_), Big(_)) => (Self::ZERO, self.clone()),
            (Big(a), _) => {
                let (quotient, rest) = match other {
                    Small(b) => a.div_rem(&BigUint::from(*b)),
                    Big(b) => a.div_rem(b),
                };
                (quotient.into(), rest.into())
            }
        }
    }

    /// Without the last digits, and those.
    pub(crate) fn div_rem_pow10(&self, exponent: u64) -> (Self, Self) {
        match self {
            Small(_) if exponent >= SMALL_DIGITS => (Self::ZERO, self.clone()),
            Small(_) => self.div_rem(&Small(POWERS[exponent as usize])),
            Big(value) => with_power(exponent, |power| {
                let (quotient, rest) = value.div_rem(power);
                (quotient.into(), rest.into())
            }),
        }
    }

    /// Without the last digits, and what these were worth.
    pub(crate) fn cut(&self, dropped: u64) -> (Self, Rest) {
        if dropped == 0 {
            return (self.clone(), Rest::Zero);
        }
        if self.is_zero() {
            return (Self::ZERO, Rest::Zero);
        }
        if dropped > self.digits() {
            return (Self::ZERO, Rest::BelowHalf);
        }
        let (kept, rest) = self.div_rem_pow10(dropped);
        if rest.is_zero() {
            return (kept, Rest::Zero);
        }
        let against_half = match &rest {
            Small(rest) if dropped <= SMALL_DIGITS => rest.cmp(&(POWERS[dropped as usize] / 2)),
            rest => rest.cmp(&Self::pow10(dropped - 1).mul(&Small(5))),
        };
        let rest = match against_half {
            Ordering::Less => Rest::BelowHalf,
            Ordering::Equal => Rest::Half,
            Ordering::Greater => Rest::AboveHalf,
        };
        (kept, rest)
    }

    /// The last digit.
    pub(crate) fn last_digit(&self) -> u8 {
        match self {
            Small(value) => (value % 10) as u8,
            Big(value) => (value % BigUint::from(10u32)).to_u8().expect("a digit"),
        }
    }

    /// Without zeros at the end, at most `limit` of them, and how many there were.
    pub(crate) fn without_zeros(&self, limit: u64) -> (Self, u64) {
        let mut left = self.clone();
        let mut count = 0;
        if left.is_zero() {
            return (left, 0);
        }
        // By halves: first as many as there may be, then the rest.
        let mut step = 1;
        while step <= limit - count {
            let (kept, rest) = left.div_rem_pow10(step);
            if !rest.is_zero() {
                break;
            }
            left = kept;
            count += step;
            step *= 2;
        }
        while step > 0 {
            if step <= limit - count {
                let (kept, rest) = left.div_rem_pow10(step);
                if rest.is_zero() {
                    left = kept;
                    count += step;
                }
            }
            step /= 2;
        }
        (left, count)
    }

    /// The root, rounded down, and whether it is exact.
    pub(crate) fn sqrt(&self) -> (Self, bool) {
        let big = self.big();
        let root = big.sqrt();
        let exact = &root * &root == big;
        (root.into(), exact)
    }

    pub(crate) fn to_u64(&self) -> Option<u64> {
        match self {
            Small(value) => u64::try_from(*value).ok(),
            Big(_) => None,
        }
    }

    /// The remainder by a modulus.
    pub(crate) fn modulo(&self, modulus: u64) -> u64 {
        match self {
            Small(value) => (value % u128::from(modulus)) as u64,
            Big(value) => (value % BigUint::from(modulus)).to_u64().unwrap_or_default(),
        }
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Small(a), Small(b)) => a.cmp(b),
            (Small(_), Big(_)) => Ordering::Less,
            (Big(_), Small(_)) => Ordering::Greater,
            (Big(a), Big(b)) => a.cmp(b),
        }
    }
}

/// Whether a number of so many digits can be written down here: beyond it is a `MemoryError`.
pub(crate) fn has_room(digits: u64) -> bool {
    digits <= 1 << 28
}
