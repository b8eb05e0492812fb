//! What a document type says: entities, notations, elements and their attributes.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::{BAD_CHAR_REF, INVALID_TOKEN, PUBLICID, SYNTAX, Stop};
use super::event::{EntityDecl, ModelNode};
use super::text::{is_char, is_space, string};
use super::tokens::{name, name_rest, skip_spaces};

pub(super) const EMPTY: u8 = 1;
pub(super) const ANY: u8 = 2;
pub(super) const MIXED: u8 = 3;
pub(super) const NAME: u8 = 4;
pub(super) const CHOICE: u8 = 5;
pub(super) const SEQUENCE: u8 = 6;

/// An entity as it was declared first.
pub(super) struct Entity {
    pub decl: EntityDecl,
    pub text: Option<Rc<[u8]>>,
}

pub(super) struct AttributeDecl {
    pub name: String,
    pub cdata: bool,
    pub default: Option<String>,
}

#[derive(Default)]
pub(super) struct Dtd {
    pub general: BTreeMap<String, Rc<Entity>>,
    pub parameter: BTreeMap<String, Rc<Entity>>,
    pub attributes: BTreeMap<String, Vec<AttributeDecl>>,
    pub standalone: bool,
    /// There is an external part, or a reference to a parameter entity.
    pub open_ended: bool,
    /// Something that was not read may have declared more: declarations no longer count.
    pub incomplete: bool,
    /// Bytes of documents, and of texts of entities that stood for them.
    pub direct: u64,
    pub indirect: u64,
}

impl Dtd {
    /// Expat's guard: entities may make a hundred times the document, once they have made 8 MiB.
    pub(super) fn amplifies(&mut self, bytes: usize) -> bool {
        self.indirect += bytes as u64;
        let all = self.direct + self.indirect;
        all >= 8 << 20 && all > 100 * self.direct
    }

    pub(super) fn declare(&mut self, decl: EntityDecl) -> bool {
        let table = if decl.parameter { &mut self.parameter } else { &mut self.general };
        if self.incomplete || table.contains_key(&decl.name) {
            return false;
        }
        let text = decl.value.as_ref().map(|value| Rc::from(value.as_bytes()));
        table.insert(decl.name.clone(), Rc::new(Entity { decl, text }));
        true
    }
}

/// A declaration that is there whole, read from left to right.
pub(super) struct Cursor<'a> {
    pub text: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn wrong<T>(&self) -> Result<T, Stop> {
        Err(Stop::Bad(SYNTAX, self.at))
    }

    /// What would go on beyond the declaration is wrong here.
    fn whole<T>(&self, found: Result<T, Stop>) -> Result<T, Stop> {
        match found {
            Err(Stop::More) => self.wrong(),
            // A name that begins with what no name does is a token of another kind.
            Err(Stop::Bad(INVALID_TOKEN, at)) if at == self.at && self.text[at].is_ascii_graphic() => self.wrong(),
            other => other,
        }
    }

    pub(super) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    pub(super) fn spaces(&mut self) -> bool {
        let start = self.at;
        self.at = skip_spaces(self.text, start);
        self.at > start
    }

    pub(super) fn need_spaces(&mut self) -> Result<(), Stop> {
        if self.spaces() { Ok(()) } else { self.wrong() }
    }

    pub(super) fn eat(&mut self, keyword: &str) -> bool {
        let found = self.text[self.at..].starts_with(keyword.as_bytes());
        self.at += if found { keyword.len() } else { 0 };
        found
    }

    pub(super) fn need(&mut self, keyword: &str) -> Result<(), Stop> {
        if self.eat(keyword) { Ok(()) } else { self.wrong() }
    }

    pub(super) fn name(&mut self) -> Result<String, Stop> {
        let end = self.whole(name(self.text, self.at))?;
        let start = core::mem::replace(&mut self.at, end);
        Ok(string(&self.text[start..end]))
    }

    fn token(&mut self) -> Result<String, Stop> {
        let end = self.whole(name_rest(self.text, self.at))?;
        if end == self.at {
            return self.wrong();
        }
        let start = core::mem::replace(&mut self.at, end);
        Ok(string(&self.text[start..end]))
    }

    pub(super) fn literal(&mut self) -> Result<&'a [u8], Stop> {
        let quote = self.peek();
        if !matches!(quote, b'"' | b'\'') {
            return self.wrong();
        }
        let rest = &self.text[self.at + 1..];
        let Some(length) = rest.iter().position(|&byte| byte == quote) else { return self.wrong() };
        self.at += length + 2;
        Ok(&rest[..length])
    }

    fn public_literal(&mut self) -> Result<String, Stop> {
        let start = self.at + 1;
        let text = self.literal()?;
        let fits = |&byte: &u8| byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(&byte);
        if let Some(place) = text.iter().position(|byte| !fits(byte)) {
            return Err(Stop::Bad(PUBLICID, start + place));
        }
        Ok(string(text).split_ascii_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// `SYSTEM "..."` or `PUBLIC "..." "..."`: system and public identifier, or neither.
    pub(super) fn external(&mut self, system_needed: bool) -> Result<(Option<String>, Option<String>), Stop> {
        if self.eat("SYSTEM") {
            self.need_spaces()?;
            return Ok((Some(string(self.literal()?)), None));
        }
        if !self.eat("PUBLIC") {
            return Ok((None, None));
        }
        self.need_spaces()?;
        let public = self.public_literal()?;
        let spaces = self.spaces();
        let quoted = matches!(self.peek(), b'"' | b'\'');
        if quoted && spaces {
            return Ok((Some(string(self.literal()?)), Some(public)));
        }
        if system_needed || quoted { self.wrong() } else { Ok((None, Some(public))) }
    }

    /// Spaces that may end a declaration, and its end.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        self.spaces();
        self.need(">")
    }

    fn quantity(&mut self) -> u8 {
        let found = b"?*+".iter().position(|&mark| mark == self.peek());
        self.at += usize::from(found.is_some());
        found.map_or(0, |place| place as u8 + 1)
    }

    /// What an element may hold.
    pub(super) fn model(&mut self) -> Result<Vec<ModelNode>, Stop> {
        let node = |kind| ModelNode { kind, quantity: 0, name: None, children: Vec::new() };
        if self.eat("EMPTY") {
            return Ok(vec![node(EMPTY)]);
        }
        if self.eat("ANY") {
            return Ok(vec![node(ANY)]);
        }
        self.need("(")?;
        self.spaces();
        if self.eat("#PCDATA") { self.mixed() } else { self.children() }
    }

    fn mixed(&mut self) -> Result<Vec<ModelNode>, Stop> {
        let mut nodes = vec![ModelNode { kind: MIXED, quantity: 0, name: None, children: Vec::new() }];
        loop {
            self.spaces();
            if self.eat(")") {
                break;
            }
            self.need("|")?;
            self.spaces();
            let name = Some(self.name()?);
            let place = nodes.len();
            nodes[0].children.push(place);
            nodes.push(ModelNode { kind: NAME, quantity: 0, name, children: Vec::new() });
        }
        if self.eat("*") {
            nodes[0].quantity = 2;
        } else if nodes.len() > 1 {
            return self.wrong();
        }
        Ok(nodes)
    }

    /// Groups inside of groups, without recursion: the first is open already.
    fn children(&mut self) -> Result<Vec<ModelNode>, Stop> {
        // No kind yet: the first separator says which.
        let group = || ModelNode { kind: 0, quantity: 0, name: None, children: Vec::new() };
        let mut nodes = vec![group()];
        let mut open = vec![0];
        while let Some(&parent) = open.last() {
            self.spaces();
            let place = nodes.len();
            nodes[parent].children.push(place);
            if self.eat("(") {
                nodes.push(group());
                open.push(place);
                continue;
            }
            let name = Some(self.name()?);
            let quantity = self.quantity();
            nodes.push(ModelNode { kind: NAME, quantity, name, children: Vec::new() });
            while let Some(&parent) = open.last() {
                self.spaces();
                let kind = match self.peek() {
                    b')' => 0,
                    b'|' => CHOICE,
                    b',' => SEQUENCE,
                    _ => return self.wrong(),
                };
                if kind == 0 {
                    self.at += 1;
                    nodes[parent].quantity = self.quantity();
                    if nodes[parent].kind == 0 {
                        nodes[parent].kind = SEQUENCE;
                    }
                    open.pop();
                } else {
                    if nodes[parent].kind != 0 && nodes[parent].kind != kind {
                        return self.wrong();
                    }
                    nodes[parent].kind = kind;
                    self.at += 1;
                    break;
                }
            }
        }
        Ok(nodes)
    }

    /// The type of an attribute, as handlers are told it.
    pub(super) fn attribute_type(&mut self) -> Result<String, Stop> {
        // Longer ones first: one is the beginning of another.
        for word in ["CDATA", "IDREFS", "IDREF", "ID", "ENTITIES", "ENTITY", "NMTOKENS", "NMTOKEN"] {
            if self.eat(word) {
                return if is_space(self.peek()) { Ok(word.to_owned()) } else { self.wrong() };
            }
        }
        let mut kind = String::new();
        let notation = self.eat("NOTATION");
        if notation {
            self.need_spaces()?;
            kind.push_str("NOTATION");
        }
        self.need("(")?;
        let mut separator = '(';
        loop {
            self.spaces();
            kind.push(separator);
            kind += &if notation { self.name()? } else { self.token()? };
            separator = '|';
            self.spaces();
            if self.eat(")") {
                kind.push(')');
                return Ok(kind);
            }
            self.need("|")?;
        }
    }
}

/// A document type's name and its system and public identifier, from its beginning up to `[` or `>`.
pub(super) fn doctype(text: &[u8]) -> Result<(String, Option<String>, Option<String>), Stop> {
    let mut cursor = Cursor { text, at: 9 };
    cursor.need_spaces()?;
    let name = cursor.name()?;
    let spaces = cursor.spaces();
    let (system, public) = if spaces { cursor.external(true)? } else { (None, None) };
    cursor.spaces();
    if cursor.at + 1 == text.len() { Ok((name, system, public)) } else { cursor.wrong() }
}

/// The character that stands for a reference of that body, if it is one of those that need no declaration.
pub(super) fn single(body: &[u8], at: usize) -> Result<Option<char>, Stop> {
    let number = match body {
        [b'#', b'x', digits @ ..] => number(digits, 16),
        [b'#', digits @ ..] => number(digits, 10),
        b"lt" => return Ok(Some('<')),
        b"gt" => return Ok(Some('>')),
        b"amp" => return Ok(Some('&')),
        b"quot" => return Ok(Some('"')),
        b"apos" => return Ok(Some('\'')),
        _ => return Ok(None),
    };
    match number.and_then(char::from_u32).filter(|&char| is_char(char)) {
        Some(char) => Ok(Some(char)),
        None => Err(Stop::Bad(BAD_CHAR_REF, at)),
    }
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    u32::from_str_radix(core::str::from_utf8(digits).ok()?, radix).ok()
}
