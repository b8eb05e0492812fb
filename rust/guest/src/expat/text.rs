//! Characters of XML, and bytes of every encoding as UTF-8.

use super::error::{INVALID_TOKEN, Stop};

/// How bytes are characters.
#[derive(Clone, Debug)]
pub(super) enum Encoding {
    Utf8,
    Utf16 {
        little: bool,
    },
    /// One byte a character; none for bytes that are no text.
    Table(Box<[Option<char>; 256]>),
}

impl Encoding {
    /// An encoding that Expat knows itself, by its name in any case.
    pub(super) fn known(name: &str) -> Option<Self> {
        let table = |limit: usize| {
            let chars = core::array::from_fn(|byte| (byte < limit).then(|| char::from(byte as u8)));
            Some(Self::Table(Box::new(chars)))
        };
        match name.to_ascii_uppercase().as_str() {
            "UTF-8" => Some(Self::Utf8),
            "UTF-16" | "UTF-16BE" => Some(Self::Utf16 { little: false }),
            "UTF-16LE" => Some(Self::Utf16 { little: true }),
            "ISO-8859-1" => table(256),
            "US-ASCII" => table(128),
            _ => None,
        }
    }

    /// Bytes that this text took.
    pub(super) fn bytes_of(&self, text: &[u8]) -> u64 {
        // What begins a character is no continuation of one.
        let starts = || text.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64;
        match self {
            Self::Utf8 => text.len() as u64,
            Self::Table(_) => starts(),
            Self::Utf16 { .. } => 2 * (starts() + text.iter().filter(|&&byte| byte >= 0xF0).count() as u64),
        }
    }

    /// Appends what `raw` begins with as UTF-8: the bytes taken, and whether what follows can be no text.
    pub(super) fn decode(&self, raw: &[u8], text: &mut Vec<u8>) -> (usize, bool) {
        match self {
            Self::Utf8 => match core::str::from_utf8(raw) {
                Ok(_) => {
                    text.extend_from_slice(raw);
                    (raw.len(), false)
                }
                Err(error) => {
                    text.extend_from_slice(&raw[..error.valid_up_to()]);
                    (error.valid_up_to(), error.error_len().is_some())
                }
            },
            Self::Table(chars) => {
                for (place, &byte) in raw.iter().enumerate() {
                    let Some(char) = chars[usize::from(byte)] else { return (place, true) };
                    text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                (raw.len(), false)
            }
            Self::Utf16 { little } => decode_utf16(raw, *little, text),
        }
    }
}

fn decode_utf16(raw: &[u8], little: bool, text: &mut Vec<u8>) -> (usize, bool) {
    let unit = |at: usize| -> Option<u16> {
        let pair = [*raw.get(at)?, *raw.get(at + 1)?];
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let mut at = 0;
    while let Some(first) = unit(at) {
        let units = if (0xD800..0xDC00).contains(&first) {
            let Some(second) = unit(at + 2) else { return (at, false) };
            vec![first, second]
        } else {
            vec![first]
        };
        let Some(Ok(char)) = char::decode_utf16(units.iter().copied()).next() else { return (at, true) };
        text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        at += 2 * units.len();
    }
    (at, false)
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

pub(super) fn is_name_start(char: char) -> bool {
    matches!(char, ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
        | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

pub(super) fn is_name(char: char) -> bool {
    is_name_start(char)
        || matches!(char, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// The byte at a place.
pub(super) fn byte_at(text: &[u8], at: usize) -> Result<u8, Stop> {
    text.get(at).copied().ok_or(Stop::More)
}

/// The character at a place of text that is UTF-8, and its bytes.
pub(super) fn char_at(text: &[u8], at: usize) -> Result<(char, usize), Stop> {
    let first = byte_at(text, at)?;
    let length = match first {
        0..0x80 => 1,
        0..0xE0 => 2,
        0..0xF0 => 3,
        _ => 4,
    };
    let char = if length == 1 {
        Some(char::from(first))
    } else {
        let bytes = text.get(at..at + length).ok_or(Stop::More)?;
        core::str::from_utf8(bytes).ok().and_then(|text| text.chars().next())
    };
    match char {
        Some(char) if is_char(char) => Ok((char, length)),
        _ => Err(Stop::Bad(INVALID_TOKEN, at)),
    }
}

/// Text that has been checked to be UTF-8, as a string.
pub(super) fn string(text: &[u8]) -> String {
    String::from_utf8(text.to_vec()).expect("decoded text is cut between characters")
}

/// Line ends as one newline each.
pub(super) fn with_newlines(text: &[u8]) -> String {
    let text = string(text);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// The tokens of a declaration, as the handler of the rest is given them.
pub(super) fn pieces(mut text: &str) -> Vec<&str> {
    let named = |byte: &u8| is_name(char::from(*byte)) || *byte >= 0x80;
    let run = |bytes: &[u8], from: usize| from + bytes[from..].iter().take_while(|byte| named(byte)).count();
    let mut found = Vec::new();
    while let Some(&first) = text.as_bytes().first() {
        let bytes = text.as_bytes();
        let end = match first {
            byte if is_space(byte) => bytes.iter().take_while(|&&byte| is_space(byte)).count(),
            b'"' | b'\'' => bytes[1..].iter().position(|&byte| byte == first).map_or(bytes.len(), |at| at + 2),
            b'<' => run(bytes, bytes.len().min(2)),
            b'%' if bytes.get(1).is_some_and(named) => {
                bytes.iter().position(|&byte| byte == b';').map_or(1, |at| at + 1)
            }
            byte if named(&byte) || matches!(byte, b'#' | b')') => {
                let end = if byte == b')' { 1 } else { run(bytes, 1) };
                end + usize::from(bytes.get(end).is_some_and(|byte| b"?*+".contains(byte)))
            }
            _ => 1,
        };
        let (piece, rest) = text.split_at(end);
        found.push(piece);
        text = rest;
    }
    found
}
