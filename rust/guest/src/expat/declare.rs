//! Declarations of a document type, and the values in them: references inside of values are replaced here.

use std::rc::Rc;

use super::dtd::{AttributeDecl, Cursor, Entity, single};
use super::error::*;
use super::event::{EntityDecl, Event};
use super::scanner::{Scanner, Wants};
use super::text::{byte_at, string};
use super::tokens::{self, begins, skip_spaces};

/// Text of an entity inside of a value, and how far it has been read.
struct Inner {
    entity: Rc<Entity>,
    text: Rc<[u8]>,
    at: usize,
}

impl Scanner {
    /// An attribute's value as programs see it. `start` is where it is in its token.
    pub(super) fn attribute_value(&self, text: &[u8], cdata: bool, start: usize) -> Result<String, Stop> {
        let mut value = String::with_capacity(text.len());
        let mut outer = 0;
        let mut inner: Vec<Inner> = Vec::new();
        loop {
            let (rest, fault): (&[u8], usize) = match inner.last() {
                Some(source) => (&source.text[source.at..], start + outer),
                None => (&text[outer..], start + outer),
            };
            let Some(&first) = rest.first() else {
                if inner.pop().is_none() {
                    break;
                }
                continue;
            };
            let mut entered = None;
            let length = match first {
                b'&' => {
                    let end = tokens::reference(rest, 0).map_err(|_| Stop::Bad(INVALID_TOKEN, fault))?;
                    match single(&rest[1..end - 1], fault)? {
                        Some(char) if rest[1] == b'#' && char == ' ' => blank(&mut value, cdata),
                        Some(char) => value.push(char),
                        None => entered = self.entity_of_value(&string(&rest[1..end - 1]), &inner, fault)?,
                    }
                    end
                }
                b'<' => return Err(Stop::Bad(INVALID_TOKEN, fault)),
                b'\r' if inner.is_empty() && rest.get(1) == Some(&b'\n') => {
                    blank(&mut value, cdata);
                    2
                }
                b' ' | b'\t' | b'\r' | b'\n' => {
                    blank(&mut value, cdata);
                    1
                }
                _ => {
                    let plain = |&byte: &u8| !matches!(byte, b'&' | b'<' | b' ' | b'\t' | b'\r' | b'\n');
                    let length = rest.iter().take_while(|byte| plain(byte)).count();
                    value += &string(&rest[..length]);
                    length
                }
            };
            match inner.last_mut() {
                Some(source) => source.at += length,
                None => outer += length,
            }
            inner.extend(entered);
        }
        if !cdata && value.ends_with(' ') {
            value.pop();
        }
        Ok(value)
    }

    fn entity_of_value(&self, name: &str, inner: &[Inner], fault: usize) -> Result<Option<Inner>, Stop> {
        let entity = self.dtd.borrow().general.get(name).cloned();
        let Some(entity) = entity else {
            // What was not read may have declared it: it is left out. As in Expat, the place is that of the tag.
            return if self.must_be_declared() { Err(Stop::Bad(UNDEFINED_ENTITY, 0)) } else { Ok(None) };
        };
        if self.is_open(&entity) || inner.iter().any(|source| Rc::ptr_eq(&source.entity, &entity)) {
            return Err(Stop::Bad(RECURSIVE_ENTITY_REF, fault));
        }
        if entity.decl.notation.is_some() {
            return Err(Stop::Bad(BINARY_ENTITY_REF, fault));
        }
        let Some(text) = entity.text.clone() else {
            return Err(Stop::Bad(ATTRIBUTE_EXTERNAL_ENTITY_REF, fault));
        };
        if self.dtd.borrow_mut().amplifies(text.len()) {
            return Err(Stop::Bad(AMPLIFICATION_LIMIT_BREACH, fault));
        }
        Ok(Some(Inner { entity, text, at: 0 }))
    }

    /// An entity's text: references to characters are replaced, those to general entities stand.
    fn entity_value(&self, text: &[u8], start: usize) -> Result<String, Stop> {
        let mut value = String::with_capacity(text.len());
        let mut outer = 0;
        let mut inner: Vec<Inner> = Vec::new();
        loop {
            let (rest, fault): (&[u8], usize) = match inner.last() {
                Some(source) => (&source.text[source.at..], start + outer),
                None => (&text[outer..], start + outer),
            };
            let Some(&first) = rest.first() else {
                if inner.pop().is_none() {
                    return Ok(value);
                }
                continue;
            };
            let mut entered = None;
            let length = match first {
                b'&' => {
                    let end = tokens::reference(rest, 0).map_err(|_| Stop::Bad(INVALID_TOKEN, fault))?;
                    match single(&rest[1..end - 1], fault)? {
                        Some(char) if rest[1] == b'#' => value.push(char),
                        _ => value += &string(&rest[..end]),
                    }
                    end
                }
                b'%' => {
                    let end = tokens::name(rest, 1).map_err(|_| Stop::Bad(INVALID_TOKEN, fault))?;
                    if rest.get(end) != Some(&b';') {
                        return Err(Stop::Bad(INVALID_TOKEN, fault));
                    }
                    entered = self.parameter_of_value(&string(&rest[1..end]), &inner, fault)?;
                    end + 1
                }
                b'\r' => {
                    value.push('\n');
                    1 + usize::from(rest.get(1) == Some(&b'\n'))
                }
                _ => {
                    let length = rest.iter().take_while(|byte| !matches!(byte, b'&' | b'%' | b'\r')).count();
                    value += &string(&rest[..length]);
                    length
                }
            };
            match inner.last_mut() {
                Some(source) => source.at += length,
                None => outer += length,
            }
            inner.extend(entered);
        }
    }

    fn parameter_of_value(&self, name: &str, inner: &[Inner], fault: usize) -> Result<Option<Inner>, Stop> {
        if self.is_in_document() {
            return Err(Stop::Bad(PARAM_ENTITY_REF, fault));
        }
        let entity = self.dtd.borrow().parameter.get(name).cloned();
        let Some(entity) = entity else {
            return if self.must_be_declared() { Err(Stop::Bad(UNDEFINED_ENTITY, fault)) } else { Ok(None) };
        };
        if self.is_open(&entity) || inner.iter().any(|source| Rc::ptr_eq(&source.entity, &entity)) {
            return Err(Stop::Bad(RECURSIVE_ENTITY_REF, fault));
        }
        let Some(text) = entity.text.clone() else {
            // What an external one holds is not known.
            self.dtd.borrow_mut().incomplete = true;
            return Ok(None);
        };
        if self.dtd.borrow_mut().amplifies(text.len()) {
            return Err(Stop::Bad(AMPLIFICATION_LIMIT_BREACH, fault));
        }
        Ok(Some(Inner { entity, text, at: 0 }))
    }

    /// What the inner part of a document type begins with.
    pub(super) fn subset(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let blank = skip_spaces(text, 0);
        if blank > 0 {
            if wants.raw {
                self.push(Event::Rest, Some(&text[..blank]));
            }
            return Ok(blank);
        }
        match text[0] {
            b']' if self.is_in_document() => {
                if wants.raw {
                    self.push(Event::DoctypePart, Some(b"]"));
                }
                self.end_subset();
                Ok(1)
            }
            b'%' => self.parameter_reference(text, wants),
            b'<' => match byte_at(text, 1)? {
                b'?' => self.instruction(text, wants),
                b'!' if begins(text, b"<!--")? => self.comment(text, wants),
                b'!' => {
                    let end = tokens::declaration(text)?;
                    self.declare(&text[..end], wants)?;
                    Ok(end)
                }
                _ => Err(Stop::Bad(SYNTAX, 0)),
            },
            byte if byte.is_ascii_graphic() => Err(Stop::Bad(SYNTAX, 0)),
            _ => Err(Stop::Bad(INVALID_TOKEN, 0)),
        }
    }

    fn parameter_reference(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let end = tokens::name(text, 1)?;
        if byte_at(text, end)? != b';' {
            return Err(Stop::Bad(INVALID_TOKEN, end));
        }
        let name = string(&text[1..end]);
        self.dtd.borrow_mut().open_ended = true;
        let standalone = self.dtd.borrow().standalone;
        let entity = self.dtd.borrow().parameter.get(&name).cloned();
        let read = self.parameter_parsing > u8::from(standalone);
        match entity {
            Some(entity) if self.is_open(&entity) => return Err(Stop::Bad(RECURSIVE_ENTITY_REF, 0)),
            Some(entity) if read && entity.text.is_some() => {
                let text = entity.text.clone().expect("just seen");
                self.enter(entity, text)?;
                return Ok(end + 1);
            }
            Some(entity) if read && wants.external => {
                let (system, public) = (entity.decl.system.clone(), entity.decl.public.clone());
                self.push(Event::External { context: None, system, public }, None);
            }
            _ => {
                self.dtd.borrow_mut().incomplete = !standalone;
                if read && wants.skipped {
                    self.push(Event::Skipped { name, parameter: true }, None);
                } else if wants.raw {
                    self.push(Event::Rest, Some(&text[..=end]));
                }
            }
        }
        if self.is_not_standalone(wants) {
            self.push(Event::NotStandalone, None);
        }
        Ok(end + 1)
    }

    fn declare(&mut self, text: &[u8], wants: Wants) -> Result<(), Stop> {
        let mut cursor = Cursor { text, at: 2 };
        let raw = wants.raw.then_some(text);
        if cursor.eat("ENTITY") {
            self.declare_entity(&mut cursor, raw)
        } else if cursor.eat("ATTLIST") {
            self.declare_attributes(&mut cursor, raw)
        } else if cursor.eat("ELEMENT") {
            cursor.need_spaces()?;
            let name = cursor.name()?;
            cursor.need_spaces()?;
            let model = cursor.model()?;
            cursor.close()?;
            self.push(Event::Element { name, model }, raw);
            Ok(())
        } else if cursor.eat("NOTATION") {
            cursor.need_spaces()?;
            let name = cursor.name()?;
            cursor.need_spaces()?;
            let (system, public) = cursor.external(false)?;
            if system.is_none() && public.is_none() {
                return cursor.wrong();
            }
            cursor.close()?;
            self.push(Event::Notation { name, system, public }, raw);
            Ok(())
        } else {
            Err(Stop::Bad(SYNTAX, 0))
        }
    }

    fn declare_entity(&mut self, cursor: &mut Cursor<'_>, raw: Option<&[u8]>) -> Result<(), Stop> {
        cursor.need_spaces()?;
        let parameter = cursor.eat("%");
        if parameter {
            cursor.need_spaces()?;
        }
        let name = cursor.name()?;
        cursor.need_spaces()?;
        let mut decl = EntityDecl { name, parameter, value: None, system: None, public: None, notation: None };
        if matches!(cursor.peek(), b'"' | b'\'') {
            let start = cursor.at + 1;
            decl.value = Some(self.entity_value(cursor.literal()?, start)?);
        } else {
            (decl.system, decl.public) = cursor.external(true)?;
            if decl.system.is_none() {
                return cursor.wrong();
            }
            if cursor.spaces() && !parameter && cursor.eat("NDATA") {
                cursor.need_spaces()?;
                decl.notation = Some(cursor.name()?);
            }
        }
        cursor.close()?;
        if self.dtd.borrow_mut().declare(decl.clone()) {
            self.push(Event::Entity(decl), raw);
        } else if let Some(raw) = raw {
            self.push(Event::Rest, Some(raw));
        }
        Ok(())
    }

    fn declare_attributes(&mut self, cursor: &mut Cursor<'_>, raw: Option<&[u8]>) -> Result<(), Stop> {
        cursor.need_spaces()?;
        let element = cursor.name()?;
        let mut raw = raw;
        loop {
            let spaces = cursor.spaces();
            if cursor.eat(">") {
                break;
            }
            if !spaces {
                return cursor.wrong();
            }
            let name = cursor.name()?;
            cursor.need_spaces()?;
            let kind = cursor.attribute_type()?;
            cursor.need_spaces()?;
            let (mut required, mut default) = (false, None);
            if cursor.eat("#REQUIRED") {
                required = true;
            } else if !cursor.eat("#IMPLIED") {
                if cursor.eat("#FIXED") {
                    required = true;
                    cursor.need_spaces()?;
                }
                let start = cursor.at + 1;
                default = Some(self.attribute_value(cursor.literal()?, kind == "CDATA", start)?);
            }
            let mut dtd = self.dtd.borrow_mut();
            if dtd.incomplete {
                continue;
            }
            let known = dtd.attributes.entry(element.clone()).or_default();
            if known.iter().any(|decl| decl.name == name) {
                continue;
            }
            known.push(AttributeDecl { name: name.clone(), cdata: kind == "CDATA", default: default.clone() });
            drop(dtd);
            let event = Event::Attribute { element: element.clone(), name, kind, default, required };
            self.push(event, raw.take());
        }
        if let Some(raw) = raw {
            self.push(Event::Rest, Some(raw));
        }
        Ok(())
    }
}

/// A blank in an attribute's value: all but those of character data are one where they are many, and none at the ends.
fn blank(value: &mut String, cdata: bool) {
    if cdata || !(value.is_empty() || value.ends_with(' ')) {
        value.push(' ');
    }
}
