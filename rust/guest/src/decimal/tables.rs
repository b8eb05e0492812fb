//! Functions that are methods of numbers, of contexts, or of both, by name.

use super::number::{Ctx, Dec, Kind};

pub(super) type Unary = fn(&mut Ctx, &Dec) -> Dec;
pub(super) type Binary = fn(&mut Ctx, &Dec, &Dec) -> Dec;

/// Functions of one number that are methods of numbers and of contexts.
pub(super) const UNARY: [(&str, Unary); 9] = [
    ("exp", Ctx::exp),
    ("ln", Ctx::ln),
    ("log10", Ctx::log10),
    ("logb", Ctx::logb),
    ("logical_invert", Ctx::logical_invert),
    ("next_minus", Ctx::next_minus),
    ("next_plus", Ctx::next_plus),
    ("normalize", Ctx::normalize),
    ("sqrt", Ctx::sqrt),
];

/// Functions of two numbers that are methods of numbers and of contexts.
pub(super) const BINARY: [(&str, Binary); 14] = [
    ("compare", Ctx::compare),
    ("compare_signal", Ctx::compare_signal),
    ("logical_and", Ctx::logical_and),
    ("logical_or", Ctx::logical_or),
    ("logical_xor", Ctx::logical_xor),
    ("max", Ctx::max_of),
    ("max_mag", Ctx::max_mag),
    ("min", Ctx::min_of),
    ("min_mag", Ctx::min_mag),
    ("next_toward", Ctx::next_toward),
    ("remainder_near", Ctx::rem_near),
    ("rotate", Ctx::rotate),
    ("scaleb", Ctx::scaleb),
    ("shift", Ctx::shift),
];

/// Operators, which contexts have by name.
pub(super) const CONTEXT_UNARY: [(&str, Unary); 6] = [
    ("abs", Ctx::abs),
    ("minus", Ctx::minus),
    ("plus", Ctx::plus),
    ("to_integral", Ctx::to_integral_value),
    ("to_integral_exact", Ctx::to_integral_exact),
    ("to_integral_value", Ctx::to_integral_value),
];
pub(super) const CONTEXT_BINARY: [(&str, Binary); 7] = [
    ("add", Ctx::add),
    ("subtract", Ctx::sub),
    ("multiply", Ctx::mul),
    ("divide", Ctx::div),
    ("divide_int", Ctx::div_int),
    ("remainder", Ctx::rem),
    ("quantize", Ctx::quantize),
];

/// Questions that a number answers by itself.
pub(super) const QUESTIONS: [(&str, fn(&Dec) -> bool); 8] = [
    ("is_canonical", |_| true),
    ("is_finite", Dec::is_finite),
    ("is_infinite", Dec::is_infinite),
    ("is_nan", Dec::is_nan),
    ("is_qnan", |dec| dec.kind == Kind::Quiet),
    ("is_signed", |dec| dec.negative),
    ("is_snan", Dec::is_signaling),
    ("is_zero", Dec::is_zero),
];

/// Questions whose answer depends on the context.
pub(super) const CONTEXT_QUESTIONS: [(&str, fn(&Dec, &Ctx) -> bool); 2] =
    [("is_normal", Dec::is_normal), ("is_subnormal", Dec::is_subnormal)];

/// Functions without context that give a number.
pub(super) const COPIES: [(&str, fn(&Dec) -> Dec); 2] = [("copy_abs", Dec::abs), ("copy_negate", Dec::negated)];
pub(super) const PAIRS: [(&str, fn(&Dec, &Dec) -> Dec); 3] = [
    ("compare_total", |a, b| Dec::integer(a.total_cmp(b) as i64)),
    ("compare_total_mag", |a, b| Dec::integer(a.total_magnitude_cmp(b) as i64)),
    ("copy_sign", |a, b| a.with_sign(b.negative)),
];
