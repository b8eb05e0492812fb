//! How tightly an expression binds, from loose to tight: one that binds looser than its place allows is put in brackets.

/// Always in brackets: `yield`, `:=`, tuples (which bring their own).
pub(super) const BRACKETED: u8 = 0;
pub(super) const ANY: u8 = 1;
pub(super) const STAR: u8 = 1;
/// `lambda`.
pub(super) const TEST: u8 = 2;
pub(super) const IF: u8 = 3;
pub(super) const OR: u8 = 4;
pub(super) const AND: u8 = 5;
pub(super) const NOT: u8 = 6;
pub(super) const COMPARE: u8 = 7;
pub(super) const BIT_OR: u8 = 8;
pub(super) const BIT_XOR: u8 = 9;
pub(super) const BIT_AND: u8 = 10;
pub(super) const SHIFT: u8 = 11;
pub(super) const SUM: u8 = 12;
pub(super) const PRODUCT: u8 = 13;
pub(super) const UNARY: u8 = 14;
pub(super) const POWER: u8 = 15;
pub(super) const AWAIT: u8 = 16;
pub(super) const POSTFIX: u8 = 17;
pub(super) const ATOM: u8 = 18;
