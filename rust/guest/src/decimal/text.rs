//! Numbers read from text and written as text.

use super::int::Int;
use super::number::{Ctx, Dec, Kind, MAX_EMAX, MIN_ETINY, condition::CONVERSION_SYNTAX};

/// Larger than any exponent, so that what has it overflows or underflows.
const HUGE: i64 = 4_000_000_000_000_000_000;

/// Reads a number exactly; `None` where the text is none. The text has ASCII digits only.
pub(crate) fn parse(text: &str) -> Option<Dec> {
    let (negative, body) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") {
        return Some(Dec::infinity(negative));
    }
    let lower = |start: &str| body.get(..start.len()).is_some_and(|b| b.eq_ignore_ascii_case(start));
    for (start, kind) in [("nan", Kind::Quiet), ("snan", Kind::Signaling)] {
        if lower(start) {
            let payload = body[start.len()..].as_bytes();
            if !payload.iter().all(u8::is_ascii_digit) {
                return None;
            }
            let coeff = if payload.is_empty() { Int::ZERO } else { Int::from_digits(payload) };
            return Some(Dec { negative, kind, coeff, exp: 0 });
        }
    }
    let (mantissa, exp) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], exponent(&body[at + 1..])?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let coeff = if fraction.is_empty() {
        Int::from_digits(whole.as_bytes())
    } else {
        Int::from_digits([whole, fraction].concat().as_bytes())
    };
    Some(Dec::finite(negative, coeff, exp - fraction.len() as i64))
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.trim_start_matches('0').parse::<i64>();
    let size = match (size, digits.trim_start_matches('0').is_empty()) {
        (_, true) => 0,
        (Ok(size), _) => size.min(HUGE),
        (Err(_), _) => HUGE,
    };
    Some(if text.starts_with('-') { -size } else { size })
}

impl Ctx {
    /// A number from text, as it is: exponents beyond all bounds are invalid.
    pub(crate) fn exact(&mut self, text: &str) -> Dec {
        match parse(text) {
            Some(number) => self.in_bounds(number),
            None => self.signal(CONVERSION_SYNTAX),
        }
    }

    /// The number, if any context has room for it.
    pub(crate) fn in_bounds(&mut self, number: Dec) -> Dec {
        let fits = match number.kind {
            Kind::Finite if number.coeff.is_zero() => (MIN_ETINY..=MAX_EMAX).contains(&number.exp),
            Kind::Finite => number.exp >= MIN_ETINY && number.adjusted() <= MAX_EMAX,
            _ => true,
        };
        if fits { number } else { self.invalid() }
    }
}

impl Dec {
    pub(crate) fn to_sci(&self, capitals: bool) -> String {
        self.to_text(capitals, false)
    }

    pub(crate) fn to_eng(&self, capitals: bool) -> String {
        self.to_text(capitals, true)
    }

    /// Of what is no finite number.
    fn special_text(&self) -> String {
        let name = match self.kind {
            Kind::Infinite => return String::from("Infinity"),
            Kind::Quiet => "NaN",
            Kind::Signaling => "sNaN",
            Kind::Finite => unreachable!("finite numbers have digits"),
        };
        match self.coeff.is_zero() {
            true => name.to_owned(),
            false => name.to_owned() + &self.coeff.to_digits(),
        }
    }

    fn to_text(&self, capitals: bool, engineering: bool) -> String {
        let mut out = String::new();
        if self.negative {
            out.push('-');
        }
        if !self.is_finite() {
            out += &self.special_text();
            return out;
        }
        let digits = self.coeff.to_digits();
        if self.exp == 0 {
            out += &digits;
            return out;
        }
        let length = digits.len() as i64;
        let left = self.exp + length;
        let point = if self.exp <= 0 && left > -6 {
            left
        } else if !engineering {
            1
        } else if self.coeff.is_zero() {
            (left + 1).rem_euclid(3) - 1
        } else {
            (left - 1).rem_euclid(3) + 1
        };
        push_pointed(&mut out, &digits, point);
        if left != point {
            out.push(if capitals { 'E' } else { 'e' });
            out += &format!("{:+}", left - point);
        }
        out
    }

    /// Digits before the point, and those after it.
    pub(crate) fn split(&self, point: i64) -> (String, String) {
        let digits = self.coeff.to_digits();
        let length = digits.len() as i64;
        if point <= 0 {
            ("0".to_owned(), "0".repeat(point.unsigned_abs() as usize) + &digits)
        } else if point >= length {
            (digits + &"0".repeat((point - length) as usize), String::new())
        } else {
            let (whole, fraction) = digits.split_at(point as usize);
            (whole.to_owned(), fraction.to_owned())
        }
    }
}

/// Digits with a point after the first `point` ones, and zeros where there are no digits.
fn push_pointed(out: &mut String, digits: &str, point: i64) {
    let length = digits.len() as i64;
    if point <= 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', point.unsigned_abs() as usize));
        out.push_str(digits);
    } else if point >= length {
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', (point - length) as usize));
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    }
}

/// A format specification.
pub(crate) struct Spec {
    fill: String,
    align: char,
    sign: char,
    no_negative_zero: bool,
    alternate: bool,
    zero_pad: bool,
    width: usize,
    separator: &'static str,
    precision: Option<i64>,
    fraction_separator: &'static str,
    letter: char,
}

impl Spec {
    /// `None` where the text is no specification.
    pub(crate) fn parse(text: &str, capitals: bool) -> Option<Self> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let is_align = |place: usize| chars.get(place).is_some_and(|c| "<>=^".contains(*c));
        let (mut fill, mut align) = (None, None);
        if is_align(1) {
            (fill, align) = (Some(chars[0]), Some(chars[1]));
            at = 2;
        } else if is_align(0) {
            align = Some(chars[0]);
            at = 1;
        }
        let take = |at: &mut usize, set: &str| {
            let found = chars.get(*at).copied().filter(|c| set.contains(*c));
            *at += usize::from(found.is_some());
            found
        };
        let number = |at: &mut usize| {
            let start = *at;
            while chars.get(*at).is_some_and(char::is_ascii_digit) {
                *at += 1;
            }
            let digits: String = chars[start..*at].iter().collect();
            if digits.is_empty() { Some(None) } else { digits.parse::<i64>().ok().map(Some) }
        };
        let separator = |found: Option<char>| match found {
            Some(',') => ",",
            Some(_) => "_",
            None => "",
        };
        let sign = take(&mut at, "-+ ").unwrap_or('-');
        let no_negative_zero = take(&mut at, "z").is_some();
        let alternate = take(&mut at, "#").is_some();
        let zero_pad = take(&mut at, "0").is_some();
        if zero_pad && align.is_some() {
            return None;
        }
        let width = number(&mut at)?.unwrap_or(0);
        let separator_of_thousands = separator(take(&mut at, ",_"));
        let (mut precision, mut fraction_separator) = (None, "");
        if take(&mut at, ".").is_some() {
            precision = number(&mut at)?;
            fraction_separator = separator(take(&mut at, ",_"));
            if precision.is_none() && fraction_separator.is_empty() {
                return None;
            }
        }
        let letter = take(&mut at, "eEfFgGn%N");
        if at != chars.len() || width > MAX_EMAX || precision.is_some_and(|p| p > MAX_EMAX) {
            return None;
        }
        let letter = match letter {
            // The C locale has no separators: `n` is `g`.
            Some('n' | 'N') if !separator_of_thousands.is_empty() => return None,
            Some('n') => 'g',
            Some('N') => 'G',
            Some(letter) => letter,
            None if capitals => 'G',
            None => 'g',
        };
        Some(Self {
            fill: fill.unwrap_or(' ').to_string(),
            align: align.unwrap_or('>'),
            sign,
            no_negative_zero,
            alternate,
            zero_pad,
            width: usize::try_from(width).unwrap_or(usize::MAX),
            separator: separator_of_thousands,
            precision,
            fraction_separator,
            letter,
        })
    }

    /// The number written so; `None` where there is no room for it.
    pub(crate) fn format(&self, number: &Dec, ctx: &Ctx) -> Option<String> {
        if !number.is_finite() {
            let mut body = number.special_text();
            if self.letter == '%' {
                body.push('%');
            }
            return self.aligned(self.sign_of(number.negative), &body);
        }
        let percent = self.letter == '%';
        let scaled = Dec { exp: number.exp + if percent { 2 } else { 0 }, ..number.clone() };
        let fixed = percent || matches!(self.letter, 'f' | 'F');
        let scientific = matches!(self.letter, 'e' | 'E');
        let mut rounded = match self.precision {
            None => scaled,
            Some(precision) if fixed => scaled.rescaled(-precision, ctx.rounding)?.0,
            Some(precision) if scientific => with_digits(scaled, precision + 1, ctx)?,
            Some(precision) if scaled.digits() > precision.max(1) => with_digits(scaled, precision.max(1), ctx)?,
            Some(_) => scaled,
        };
        if rounded.coeff.is_zero() && rounded.exp > 0 && fixed {
            rounded.exp = 0;
        }
        let negative = rounded.negative && !(self.no_negative_zero && rounded.coeff.is_zero());
        let left = rounded.exp + rounded.digits();
        let point = match self.precision {
            _ if fixed => left,
            Some(precision) if scientific && rounded.coeff.is_zero() => 1 - precision,
            _ if scientific => 1,
            _ if rounded.exp <= 0 && left > -6 => left,
            _ => 1,
        };
        if !super::int::has_room(point.unsigned_abs()) {
            return None;
        }
        let (whole, fraction) = rounded.split(point);
        let tail = self.tail(&fraction, left - point, percent, scientific);
        let sign = self.sign_of(negative);
        let width = if self.zero_pad { self.width.saturating_sub(tail.len() + sign.len()) } else { 0 };
        if width > 1 << 28 {
            return None;
        }
        let body = grouped(&whole, self.separator, width) + &tail;
        self.aligned(sign, &body)
    }

    /// Everything from the point on.
    fn tail(&self, fraction: &str, exp: i64, percent: bool, scientific: bool) -> String {
        let mut tail = String::new();
        if !fraction.is_empty() || self.alternate {
            tail.push('.');
        }
        for (place, digit) in fraction.chars().enumerate() {
            if place > 0 && place % 3 == 0 {
                tail += self.fraction_separator;
            }
            tail.push(digit);
        }
        if exp != 0 || scientific {
            tail.push(if self.letter.is_ascii_uppercase() { 'E' } else { 'e' });
            tail += &format!("{exp:+}");
        }
        if percent {
            tail.push('%');
        }
        tail
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match self.sign {
            _ if negative => "-",
            '+' => "+",
            ' ' => " ",
            _ => "",
        }
    }

    fn aligned(&self, sign: &str, body: &str) -> Option<String> {
        let room = self.width.saturating_sub(sign.len() + body.len());
        if room > 1 << 28 {
            return None;
        }
        let padding = |count: usize| self.fill.repeat(count);
        Some(match self.align {
            '<' => format!("{sign}{body}{}", padding(room)),
            '=' => format!("{sign}{}{body}", padding(room)),
            '^' => format!("{}{sign}{body}{}", padding(room / 2), padding(room - room / 2)),
            _ => format!("{}{sign}{body}", padding(room)),
        })
    }
}

/// Rounded or filled with zeros to that many digits; zeros stay as they are.
fn with_digits(number: Dec, digits: i64, ctx: &Ctx) -> Option<Dec> {
    if number.coeff.is_zero() {
        return Some(number);
    }
    let (result, _) = number.rescaled(number.adjusted() + 1 - digits, ctx.rounding)?;
    if result.digits() > digits {
        let (coeff, _) = result.coeff.div_rem_pow10(1);
        return Some(Dec { coeff, exp: result.exp + 1, ..result });
    }
    Some(result)
}

/// Digits in groups of three, with zeros in front up to a width; never with a separator in front.
fn grouped(digits: &str, separator: &str, width: usize) -> String {
    if separator.is_empty() {
        return "0".repeat(width.saturating_sub(digits.len())) + digits;
    }
    let mut reversed = Vec::new();
    let mut rest = digits.bytes().rev().peekable();
    let mut count = 0;
    while rest.peek().is_some() || reversed.len() < width {
        if count > 0 && count % 3 == 0 {
            reversed.extend(separator.bytes());
        }
        reversed.push(rest.next().unwrap_or(b'0'));
        count += 1;
    }
    reversed.reverse();
    String::from_utf8(reversed).expect("digits and separators")
}
