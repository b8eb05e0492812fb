//! Tokens by their ends: what a text begins with, without what it means.

use super::error::{INVALID_TOKEN, NO_ELEMENTS, Stop, UNCLOSED_TOKEN};
use super::text::{byte_at, char_at, is_name, is_name_start, is_space};

pub(super) type Range = core::ops::Range<usize>;

fn bad<T>(at: usize) -> Result<T, Stop> {
    Err(Stop::Bad(INVALID_TOKEN, at))
}

pub(super) fn skip_spaces(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|&byte| is_space(byte)) {
        at += 1;
    }
    at
}

/// The end of a name that begins at a place.
pub(super) fn name(text: &[u8], start: usize) -> Result<usize, Stop> {
    let (char, length) = char_at(text, start)?;
    if !is_name_start(char) {
        return bad(start);
    }
    name_rest(text, start + length)
}

/// The end of characters of names.
pub(super) fn name_rest(text: &[u8], mut at: usize) -> Result<usize, Stop> {
    loop {
        let (char, length) = char_at(text, at)?;
        if !is_name(char) {
            return Ok(at);
        }
        at += length;
    }
}

/// A name with at most one colon inside where there are namespaces.
fn qualified(text: &[u8], start: usize, namespaces: bool) -> Result<usize, Stop> {
    let end = name(text, start)?;
    if namespaces {
        let mut colons = (start..end).filter(|&at| text[at] == b':');
        if let Some(first) = colons.next() {
            if first == start {
                return bad(start);
            }
            if let Some(second) = colons.next() {
                return bad(second);
            }
            let (char, _) = char_at(text, first + 1)?;
            if !is_name_start(char) {
                return bad(first + 1);
            }
        }
    }
    Ok(end)
}

/// The end of text up to and with `ending`, each character of which is one of XML.
fn through(text: &[u8], start: usize, ending: &[u8]) -> Result<usize, Stop> {
    let mut at = start;
    loop {
        if text[at.min(text.len())..].starts_with(ending) {
            return Ok(at + ending.len());
        }
        at += char_at(text, at)?.1;
    }
}

pub(super) struct Tag {
    pub name: Range,
    /// Names and values, without quotes.
    pub attributes: Vec<(Range, Range)>,
    pub empty: bool,
    pub end: usize,
}

pub(super) fn start_tag(text: &[u8], namespaces: bool) -> Result<Tag, Stop> {
    let mut at = qualified(text, 1, namespaces)?;
    let mut tag = Tag { name: 1..at, attributes: Vec::new(), empty: false, end: 0 };
    loop {
        let blank = skip_spaces(text, at);
        match byte_at(text, blank)? {
            b'>' => {
                tag.end = blank + 1;
                return Ok(tag);
            }
            b'/' => {
                if byte_at(text, blank + 1)? != b'>' {
                    return bad(blank + 1);
                }
                tag.empty = true;
                tag.end = blank + 2;
                return Ok(tag);
            }
            _ if blank == at => return bad(at),
            _ => {}
        }
        let name_end = qualified(text, blank, namespaces)?;
        let equals = skip_spaces(text, name_end);
        if byte_at(text, equals)? != b'=' {
            return bad(equals);
        }
        let quote = skip_spaces(text, equals + 1);
        let value_end = attribute_value(text, quote)?;
        tag.attributes.push((blank..name_end, quote + 1..value_end));
        at = value_end + 1;
    }
}

/// The end of a value in quotes: where its last quote is.
fn attribute_value(text: &[u8], start: usize) -> Result<usize, Stop> {
    let quote = byte_at(text, start)?;
    if !matches!(quote, b'"' | b'\'') {
        return bad(start);
    }
    let mut at = start + 1;
    loop {
        match byte_at(text, at)? {
            byte if byte == quote => return Ok(at),
            b'<' => return bad(at),
            b'&' => at = reference(text, at)?,
            _ => at += char_at(text, at)?.1,
        }
    }
}

/// The end of `&name;`, `&#10;` or `&#xA;`.
pub(super) fn reference(text: &[u8], start: usize) -> Result<usize, Stop> {
    let end = if byte_at(text, start + 1)? == b'#' {
        let hexadecimal = byte_at(text, start + 2)? == b'x';
        let digits = start + 2 + usize::from(hexadecimal);
        let mut at = digits;
        while {
            let byte = byte_at(text, at)?;
            if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }
        } {
            at += 1;
        }
        if at == digits {
            return bad(at);
        }
        at
    } else {
        name(text, start + 1)?
    };
    if byte_at(text, end)? == b';' { Ok(end + 1) } else { bad(end) }
}

/// The name of an end tag, and where the tag ends.
pub(super) fn end_tag(text: &[u8], namespaces: bool) -> Result<(Range, usize), Stop> {
    let end = qualified(text, 2, namespaces)?;
    let close = skip_spaces(text, end);
    if byte_at(text, close)? == b'>' { Ok((2..end, close + 1)) } else { bad(close) }
}

/// Whether text begins with a keyword; that it may yet do so is `More`.
pub(super) fn begins(text: &[u8], keyword: &[u8]) -> Result<bool, Stop> {
    if text.starts_with(keyword) {
        Ok(true)
    } else if keyword.starts_with(text) {
        Err(Stop::More)
    } else {
        Ok(false)
    }
}

/// The end of a comment that begins a text, behind `<!--`.
pub(super) fn comment(text: &[u8]) -> Result<usize, Stop> {
    let end = through(text, 4, b"--")?;
    if byte_at(text, end)? == b'>' { Ok(end + 1) } else { bad(end) }
}

pub(super) struct Instruction {
    pub target: Range,
    pub data: Range,
    pub end: usize,
}

/// A processing instruction, or the declaration of XML.
pub(super) fn instruction(text: &[u8]) -> Result<Instruction, Stop> {
    let end = name(text, 2)?;
    let target = &text[2..end];
    if target.eq_ignore_ascii_case(b"xml") && target != b"xml" {
        return bad(end);
    }
    if !is_space(text[end]) {
        if text[end] != b'?' {
            return bad(end);
        }
        return if byte_at(text, end + 1)? == b'>' {
            Ok(Instruction { target: 2..end, data: end..end, end: end + 2 })
        } else {
            bad(end + 1)
        };
    }
    let data = skip_spaces(text, end);
    let close = through(text, data, b"?>")?;
    Ok(Instruction { target: 2..end, data: data..close - 2, end: close })
}

/// The end of a declaration, behind its `>`: quotes may hold others.
pub(super) fn declaration(text: &[u8]) -> Result<usize, Stop> {
    let mut at = 2;
    let mut quote = None;
    loop {
        let (char, length) = char_at(text, at)?;
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '>') => return Ok(at + 1),
            (None, '<') => return bad(at),
            _ => {}
        }
        at += length;
    }
}

/// The end of what begins a document type, behind its `[` or `>`.
pub(super) fn doctype_header(text: &[u8]) -> Result<usize, Stop> {
    let mut at = 9;
    let mut quote = None;
    loop {
        let (char, length) = char_at(text, at)?;
        at += length;
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '>' | '[') => return Ok(at),
            _ => {}
        }
    }
}

/// What is wrong with a text that ends inside of a token, and where. Of a declaration, only names and literals are
/// tokens.
pub(super) fn unclosed(text: &[u8]) -> (usize, usize) {
    let keyword = text.iter().skip(2).take_while(|byte| byte.is_ascii_uppercase()).count();
    if !text.starts_with(b"<!") || keyword == 0 || text.len() == 2 + keyword {
        return (UNCLOSED_TOKEN, 0);
    }
    let mut quote = None;
    for (at, &byte) in text.iter().enumerate() {
        match quote {
            Some((open, _)) if byte == open => quote = None,
            None if matches!(byte, b'"' | b'\'') => quote = Some((byte, at)),
            _ => {}
        }
    }
    quote.map_or((NO_ELEMENTS, text.len()), |(_, at)| (UNCLOSED_TOKEN, at))
}

/// Where the text of an element or a section ends that begins here, all of it characters.
/// `last`: nothing follows what is there. `most`: bytes that are looked at; the last character may go beyond.
pub(super) fn characters(text: &[u8], in_section: bool, last: bool, most: usize) -> Result<usize, Stop> {
    let mut at = 0;
    while let Some(&byte) = text.get(at).filter(|_| at <= most) {
        match byte {
            b'<' | b'&' if !in_section => break,
            b'\n' | b'\r' => break,
            b']' => {
                let rest = &text[at..];
                if rest.starts_with(b"]]>") {
                    return if in_section { Ok(at) } else { bad(at + 2) };
                }
                if rest.len() < 3 && b"]]>".starts_with(rest) && !last {
                    return if at > 0 { Ok(at) } else { Err(Stop::More) };
                }
                at += 1;
            }
            b' '..0x80 | b'\t' => at += 1,
            _ => match char_at(text, at) {
                Ok((_, length)) => at += length,
                Err(_) if at > 0 => break,
                Err(stop) => return Err(stop),
            },
        }
    }
    Ok(at)
}
