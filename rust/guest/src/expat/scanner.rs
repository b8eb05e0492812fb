//! A parser that is given a document in pieces and says what is in it, one thing at a time. What Expat 2.6 does is
//! what this does: programs see its numbers, words and places. Nothing here recurses, however deep a document nests.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use super::dtd::{Dtd, Entity, doctype, single};
use super::error::*;
use super::event::{Event, Happening};
use super::names::Names;
use super::text::{Encoding, byte_at, char_at, is_name, is_name_start, is_space, string, with_newlines};
use super::tokens::{self, begins, skip_spaces};

/// Bytes of text that other encodings than UTF-8 are converted to at once.
const PIECE: usize = 1024;

/// What whoever drives the parser wants to hear of.
#[derive(Clone, Copy, Default)]
pub(super) struct Wants {
    /// The text of everything, for the handler of the rest.
    pub raw: bool,
    pub external: bool,
    pub skipped: bool,
    pub not_standalone: bool,
    /// Internal entities as what they stand for.
    pub expanded: bool,
}

/// What a parser is given.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Document,
    /// An external entity that stands in an element.
    General,
    /// An external part of a document type.
    Parameter,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Start,
    Prolog,
    Subset,
    SubsetEnd,
    Content,
    Section,
    Epilog,
    Done,
}

/// Text of an entity that stands for a reference to it.
struct Source {
    entity: Rc<Entity>,
    text: Rc<[u8]>,
    at: usize,
    /// Elements that were open when it began.
    level: usize,
}

struct Open {
    raw: String,
    name: String,
    /// Bindings before it.
    bindings: usize,
}

pub(super) struct Scanner {
    kind: Kind,
    pub dtd: Rc<RefCell<Dtd>>,
    /// None without namespaces.
    pub names: Option<Names>,
    /// 0 never, 1 unless the document stands alone, 2 always.
    pub parameter_parsing: u8,
    pub foreign_dtd: bool,
    pub deferral: bool,
    /// Entities that are open around an external one.
    outer: Vec<String>,
    encoding: Option<Encoding>,
    forced: bool,
    /// The name of one that Python has to find.
    asked: Option<String>,
    raw: Vec<u8>,
    text: Vec<u8>,
    at: usize,
    /// A byte follows that is no text.
    broken: bool,
    last: bool,
    place: Place,
    here: Place,
    /// Of what was reported last.
    shown: Place,
    mode: Mode,
    doctype: Option<(Option<String>, Option<String>)>,
    open: Vec<Open>,
    sources: Vec<Source>,
    pending: VecDeque<Happening>,
    pub fault: Option<Fault>,
    /// Bytes that were given in all.
    fed: u64,
    /// Bytes that were not enough for a token, and whether any has been taken since more came.
    tried: u64,
    progress: bool,
    /// A byte-order mark has been read.
    marked: bool,
    waiting: bool,
}

impl Scanner {
    pub(super) fn new(names: Option<Names>) -> Self {
        let start = Place { line: 1, column: 0, byte: 0 };
        Self {
            kind: Kind::Document,
            dtd: Rc::default(),
            names,
            parameter_parsing: 0,
            foreign_dtd: false,
            deferral: true,
            outer: Vec::new(),
            encoding: None,
            forced: false,
            asked: None,
            raw: Vec::new(),
            text: Vec::new(),
            at: 0,
            broken: false,
            last: false,
            place: start,
            here: start,
            shown: start,
            mode: Mode::Start,
            doctype: None,
            open: Vec::new(),
            sources: Vec::new(),
            pending: VecDeque::new(),
            fault: None,
            fed: 0,
            tried: 0,
            progress: false,
            marked: false,
            waiting: false,
        }
    }

    /// A parser of what an external entity holds. Without a context it is part of the document type.
    pub(super) fn child(&self, context: Option<&str>) -> Self {
        let mut names = self.names.as_ref().map(|names| Names { bindings: Vec::new(), ..*names });
        if let (Some(names), Some(context)) = (&mut names, context) {
            names.take_context(context);
        }
        let open = context.unwrap_or_default().split('\u{c}').filter(|part| !part.is_empty() && !part.contains('='));
        Self {
            kind: if context.is_some() { Kind::General } else { Kind::Parameter },
            dtd: Rc::clone(&self.dtd),
            parameter_parsing: self.parameter_parsing,
            deferral: self.deferral,
            outer: open.map(str::to_owned).collect(),
            ..Self::new(names)
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.mode != Mode::Start || !self.raw.is_empty()
    }

    /// Has bytes be of this encoding, whatever the document says.
    pub(super) fn force(&mut self, encoding: Encoding) {
        if self.mode == Mode::Start {
            self.encoding = Some(encoding);
            self.forced = true;
        }
    }

    /// The same by an encoding's name.
    pub(super) fn force_named(&mut self, name: &str) {
        match Encoding::known(name) {
            Some(encoding) => self.force(encoding),
            None => self.asked = Some(name.to_owned()),
        }
    }

    /// The answer to `Event::Encoding`.
    pub(super) fn resolve(&mut self, encoding: Option<Encoding>) {
        self.encoding = encoding;
        if self.encoding.is_none() {
            self.fail(UNKNOWN_ENCODING);
        }
    }

    /// Ends the document with a fault where it is.
    pub(super) fn fail(&mut self, code: usize) {
        self.pending.clear();
        self.fault = Some(Fault { code, place: self.shown });
    }

    /// A handler has raised: nothing more is reported, and more of the document is an error.
    pub(super) fn stop(&mut self) {
        self.pending.clear();
        self.mode = Mode::Done;
        self.shown = self.place;
        self.fault = Some(Fault { code: ABORTED, place: self.place });
    }

    /// Where what was reported last begins.
    pub(super) fn shown(&self) -> Place {
        self.shown
    }

    /// What is being read, from where the event at hand begins; as UTF-8, whatever its encoding.
    pub(super) fn input(&self) -> &[u8] {
        let read = match self.encoding {
            Some(Encoding::Utf8) => usize::try_from(self.place.byte - self.shown.byte).unwrap_or(0),
            _ => 0,
        };
        &self.text[self.at.saturating_sub(read).min(self.text.len())..]
    }

    /// Bytes that no token has been read from.
    fn unread(&self) -> u64 {
        self.fed.saturating_sub(self.place.byte)
    }

    pub(super) fn feed(&mut self, bytes: &[u8], last: bool) {
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.code == ABORTED) {
            fault.code = FINISHED;
            return;
        }
        if self.last {
            // A fault is told again; a document that has ended takes no more.
            self.fault.get_or_insert(Fault { code: FINISHED, place: self.place });
            return;
        }
        self.dtd.borrow_mut().direct += bytes.len() as u64;
        self.text.drain(..self.at);
        self.at = 0;
        self.raw.extend_from_slice(bytes);
        self.last = last;
        self.progress = false;
        self.fed += bytes.len() as u64;
        self.waiting = self.deferral && !last && self.unread() < 2 * self.tried;
        if self.mode != Mode::Start {
            self.decode();
        }
    }

    fn decode(&mut self) {
        let encoding = self.encoding.as_ref().expect("known once the document has begun");
        if !self.broken {
            let (taken, broken) = encoding.decode(&self.raw, &mut self.text);
            self.raw.drain(..taken);
            self.broken = broken;
        }
    }

    /// What comes next; none where more of the document is needed, or it has ended.
    pub(super) fn next(&mut self, wants: Wants) -> Result<Option<Happening>, Fault> {
        loop {
            if let Some(happening) = self.pending.pop_front() {
                self.shown = happening.place;
                return Ok(Some(happening));
            }
            if let Some(fault) = self.fault {
                self.shown = fault.place;
                return Err(fault);
            }
            match self.advance(wants) {
                Ok(true) => {}
                Ok(false) => {
                    self.shown = self.here;
                    return Ok(None);
                }
                // What came before it is told first.
                Err(fault) => self.fault = Some(fault),
            }
        }
    }

    fn advance(&mut self, wants: Wants) -> Result<bool, Fault> {
        if self.waiting || self.mode == Mode::Done {
            return Ok(false);
        }
        if self.mode == Mode::Start {
            return self.begin(wants);
        }
        let Some(depth) = self.sources.len().checked_sub(1) else {
            return self.advance_document(wants);
        };
        let source = &self.sources[depth];
        if source.at == source.text.len() {
            return self.leave().map(|()| true);
        }
        let (text, at) = (Rc::clone(&source.text), source.at);
        match self.token(&text[at..], true, wants) {
            Ok(length) => self.sources[depth].at += length,
            Err(Stop::More) if self.mode == Mode::Section => return self.wrong(UNCLOSED_CDATA_SECTION),
            Err(Stop::More) if self.mode == Mode::Subset => return self.wrong(INCOMPLETE_PE),
            Err(Stop::More) => return self.wrong(UNCLOSED_TOKEN),
            Err(Stop::Bad(code, _)) => return self.wrong(code),
        }
        Ok(true)
    }

    fn wrong<T>(&self, code: usize) -> Result<T, Fault> {
        Err(Fault { code, place: self.here })
    }

    fn leave(&mut self) -> Result<(), Fault> {
        if self.mode == Mode::Section {
            return self.wrong(UNCLOSED_CDATA_SECTION);
        }
        let source = self.sources.pop().expect("one is being read");
        if source.level == self.open.len() { Ok(()) } else { self.wrong(ASYNC_ENTITY) }
    }

    fn advance_document(&mut self, wants: Wants) -> Result<bool, Fault> {
        self.here = self.place;
        // Taken out, so that reading it may change everything else.
        let text = core::mem::take(&mut self.text);
        let rest = &text[self.at..];
        let found = if rest.is_empty() { Err(Stop::More) } else { self.token(rest, self.last, wants) };
        // Half a unit of UTF-16 is no part of a character yet.
        let partial = self.last && self.raw.len() > usize::from(matches!(self.encoding, Some(Encoding::Utf16 { .. })));
        let result = match found {
            Ok(length) => {
                self.place = self.place_after(&rest[..length]);
                self.at += length;
                self.progress |= length > 0;
                Ok(true)
            }
            Err(Stop::Bad(code, at)) => Err(Fault { code, place: self.place_after(&rest[..at]) }),
            Err(Stop::More) if self.broken => Err(Fault { code: INVALID_TOKEN, place: self.place_after(rest) }),
            Err(Stop::More) if !self.last => {
                self.tried = if self.progress { 0 } else { self.unread() };
                Ok(false)
            }
            Err(Stop::More) if partial => self.wrong(PARTIAL_CHAR),
            Err(Stop::More) if self.mode == Mode::Section => self.wrong(UNCLOSED_CDATA_SECTION),
            Err(Stop::More) if rest.is_empty() && self.last && !self.raw.is_empty() => self.wrong(UNCLOSED_TOKEN),
            Err(Stop::More) if rest.is_empty() => self.end(),
            Err(Stop::More) => {
                let (code, at) = tokens::unclosed(rest);
                Err(Fault { code, place: self.place_after(&rest[..at]) })
            }
        };
        self.text = text;
        result
    }

    /// All has been read, and no more comes.
    fn end(&mut self) -> Result<bool, Fault> {
        match (self.kind, self.mode) {
            (Kind::Document, Mode::Epilog) | (Kind::Parameter, Mode::Subset) => {}
            (Kind::General, Mode::Content) if self.open.is_empty() => {}
            (Kind::General, _) => return self.wrong(ASYNC_ENTITY),
            _ => return self.wrong(NO_ELEMENTS),
        }
        self.mode = Mode::Done;
        Ok(false)
    }

    fn place_after(&self, text: &[u8]) -> Place {
        let Place { mut line, mut column, byte } = self.place;
        for (at, &char) in text.iter().enumerate() {
            match char {
                b'\n' => (line, column) = (line + 1, 0),
                b'\r' if text.get(at + 1) != Some(&b'\n') => (line, column) = (line + 1, 0),
                _ if char & 0xC0 == 0x80 => {}
                _ => column += 1,
            }
        }
        let encoding = self.encoding.as_ref().expect("known once the document has begun");
        Place { line, column, byte: byte + encoding.bytes_of(text) }
    }

    pub(super) fn push(&mut self, event: Event, raw: Option<&[u8]>) {
        self.pending.push_back(Happening { event, raw: raw.map(string), place: self.here });
    }

    /// The start of the document: its encoding, and what it says of itself.
    fn begin(&mut self, wants: Wants) -> Result<bool, Fault> {
        if let Some(name) = self.asked.take().filter(|_| !self.forced) {
            self.forced = true;
            self.push(Event::Encoding(name), None);
            return Ok(true);
        }
        self.tried = self.unread();
        // What may go on as a byte-order mark, as UTF-16 without one, or as a declaration.
        let undecided = matches!(self.raw[..], [] | [0 | b'<' | 0xEF | 0xFE | 0xFF] | [0xEF, 0xBB]);
        if undecided && !self.last {
            return Ok(false);
        }
        let (encoding, mark) = match (&self.raw[..], &self.encoding) {
            (_, known) if self.marked => (known.clone(), 0),
            ([0xEF, 0xBB, 0xBF, ..], None | Some(Encoding::Utf8)) => (Some(Encoding::Utf8), 3),
            ([0xFE, 0xFF, ..], None | Some(Encoding::Utf16 { .. })) => (Some(Encoding::Utf16 { little: false }), 2),
            ([0xFF, 0xFE, ..], None | Some(Encoding::Utf16 { .. })) => (Some(Encoding::Utf16 { little: true }), 2),
            ([0, _, ..], None) => (Some(Encoding::Utf16 { little: false }), 0),
            ([_, 0, ..], None) => (Some(Encoding::Utf16 { little: true }), 0),
            (_, known) => (known.clone(), 0),
        };
        let resolved = self.encoding.is_some() && !self.forced && !self.marked;
        // What says which encoding it is, read as if it were known.
        let assumed = encoding.clone().unwrap_or(Encoding::Utf8);
        if mark > 0 && !resolved {
            // A byte-order mark is a character of its line.
            self.place = Place { column: 1, byte: mark as u64, ..self.place };
            self.raw.drain(..mark);
            self.encoding = encoding;
            self.marked = true;
        }
        let mut text = Vec::new();
        let (_, broken) = assumed.decode(&self.raw, &mut text);
        let may_change = !self.last && !broken;
        let declaration = match (begins(&text, b"<?xml"), text.get(5)) {
            (Ok(true), Some(&byte)) if is_space(byte) => match text.windows(2).position(|pair| pair == b"?>") {
                None if may_change => return Ok(false),
                found => found,
            },
            (Ok(true), None) | (Err(_), _) if may_change => return Ok(false),
            _ => None,
        };
        self.encoding = Some(assumed.clone());
        if let Some(end) = declaration {
            let said = Said::read(&text[..end], self.kind)
                .map_err(|(code, at)| Fault { code, place: self.place_after(&text[..at]) })?;
            self.here = self.place;
            if !resolved {
                self.dtd.borrow_mut().standalone |= said.standalone == 1;
                let encoding = said.encoding.as_ref().map(|(name, _)| name.clone());
                let event = Event::XmlDecl { version: said.version, encoding, standalone: said.standalone };
                self.push(event, wants.raw.then_some(&text[..end + 2]));
            }
            if let (Some((name, at)), false, false) = (&said.encoding, self.forced, resolved) {
                let wide = matches!(assumed, Encoding::Utf16 { .. });
                match Encoding::known(name) {
                    Some(known) if wide != matches!(known, Encoding::Utf16 { .. }) => {
                        return Err(Fault { code: INCORRECT_ENCODING, place: self.place_after(&text[..*at]) });
                    }
                    Some(_) if wide => {}
                    Some(known) => self.encoding = Some(known),
                    None => {
                        self.here = self.place_after(&text[..*at]);
                        self.encoding = None;
                        self.marked = false;
                        self.push(Event::Encoding(name.clone()), None);
                        return Ok(true);
                    }
                }
            }
            self.place = self.place_after(&text[..end + 2]);
            self.raw.drain(..assumed.bytes_of(&text[..end + 2]) as usize);
        }
        self.mode = match self.kind {
            Kind::Document => Mode::Prolog,
            Kind::General => Mode::Content,
            Kind::Parameter => Mode::Subset,
        };
        self.progress = declaration.is_some();
        self.decode();
        Ok(true)
    }

    /// Reads what the text begins with: its length.
    fn token(&mut self, text: &[u8], last: bool, wants: Wants) -> Result<usize, Stop> {
        match self.mode {
            Mode::Content => self.content(text, last, wants),
            Mode::Section => self.section(text, last, wants),
            Mode::Subset => self.subset(text, wants),
            _ => self.around(text, last, wants),
        }
    }

    /// Before and behind the root, and behind a document type's inner part.
    fn around(&mut self, text: &[u8], last: bool, wants: Wants) -> Result<usize, Stop> {
        let blank = skip_spaces(text, 0);
        if blank > 0 {
            if wants.raw {
                let event = if self.mode == Mode::SubsetEnd { Event::DoctypePart } else { Event::Rest };
                self.push(event, Some(&text[..blank]));
            }
            return Ok(blank);
        }
        if self.mode == Mode::SubsetEnd {
            if text[0] != b'>' {
                return Err(Stop::Bad(if is_odd(text[0]) { INVALID_TOKEN } else { SYNTAX }, 0));
            }
            self.end_doctype(wants, Some(&text[..1]));
            return Ok(1);
        }
        let junk = if self.mode == Mode::Epilog { JUNK_AFTER_DOC_ELEMENT } else { SYNTAX };
        if text[0] != b'<' {
            return Err(misplaced(text, junk, last)?);
        }
        match byte_at(text, 1)? {
            b'?' => self.instruction(text, wants),
            b'!' if begins(text, b"<!--")? => self.comment(text, wants),
            b'!' if self.mode == Mode::Prolog && self.doctype.is_none() && begins(text, b"<!DOCTYPE")? => {
                self.begin_doctype(text, wants)
            }
            b'!' => Err(Stop::Bad(junk, 0)),
            _ => {
                let (char, _) = char_at(text, 1)?;
                if !is_name_start(char) {
                    return Err(Stop::Bad(INVALID_TOKEN, 1));
                }
                if self.mode == Mode::Epilog {
                    return Err(Stop::Bad(junk, 0));
                }
                if self.doctype.is_none() && self.foreign_dtd && self.parameter_parsing > 0 && wants.external {
                    self.doctype = Some((None, None));
                    self.dtd.borrow_mut().open_ended = true;
                    self.push(Event::External { context: None, system: None, public: None }, None);
                    // What it declares counts for the root already.
                    return Ok(0);
                }
                self.mode = Mode::Content;
                Ok(0)
            }
        }
    }

    fn begin_doctype(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let end = tokens::doctype_header(text)?;
        let (name, system, public) = doctype(&text[..end])?;
        let internal = text[end - 1] == b'[';
        self.doctype = Some((system.clone(), public.clone()));
        self.dtd.borrow_mut().open_ended |= system.is_some() || public.is_some();
        if self.is_not_standalone(wants) && self.parameter_parsing == 0 {
            self.push(Event::NotStandalone, None);
        }
        let event = Event::DoctypeStart { name, system, public, internal };
        let raw = wants.raw.then_some(&text[..if internal { end } else { end - 1 }]);
        self.push(event, raw);
        if internal {
            self.mode = Mode::Subset;
        } else {
            self.end_doctype(wants, Some(b">"));
        }
        Ok(end)
    }

    fn end_doctype(&mut self, wants: Wants, raw: Option<&[u8]>) {
        let (system, public) = self.doctype.clone().expect("it has begun");
        let standalone = self.dtd.borrow().standalone;
        let read = self.parameter_parsing > usize::from(standalone) as u8;
        if (system.is_some() || public.is_some() || self.foreign_dtd) && read && wants.external {
            self.dtd.borrow_mut().open_ended = true;
            self.push(Event::External { context: None, system, public }, None);
            if self.is_not_standalone(wants) {
                self.push(Event::NotStandalone, None);
            }
        }
        self.push(Event::DoctypeEnd, raw.filter(|_| wants.raw));
        self.mode = Mode::Prolog;
    }

    pub(super) fn is_not_standalone(&self, wants: Wants) -> bool {
        let dtd = self.dtd.borrow();
        wants.not_standalone && dtd.open_ended && !dtd.standalone
    }

    pub(super) fn comment(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let end = tokens::comment(text)?;
        self.push(Event::Comment(with_newlines(&text[4..end - 3])), wants.raw.then_some(&text[..end]));
        Ok(end)
    }

    pub(super) fn instruction(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let found = tokens::instruction(text)?;
        if &text[found.target.clone()] == b"xml" {
            let junk = self.mode == Mode::Epilog;
            return Err(Stop::Bad(if junk { JUNK_AFTER_DOC_ELEMENT } else { MISPLACED_XML_PI }, 0));
        }
        let event = Event::Instruction { target: string(&text[found.target]), data: with_newlines(&text[found.data]) };
        self.push(event, wants.raw.then_some(&text[..found.end]));
        Ok(found.end)
    }

    fn content(&mut self, text: &[u8], last: bool, wants: Wants) -> Result<usize, Stop> {
        match text[0] {
            b'<' => match byte_at(text, 1)? {
                b'/' => self.end_tag(text, wants),
                b'?' => self.instruction(text, wants),
                b'!' if begins(text, b"<!--")? => self.comment(text, wants),
                b'!' if begins(text, b"<![CDATA[")? => {
                    self.push(Event::SectionStart, wants.raw.then_some(&text[..9]));
                    self.mode = Mode::Section;
                    Ok(9)
                }
                b'!' => {
                    let keyword: &[u8] = if text[2] == b'-' { b"<!--" } else { b"<![CDATA[" };
                    let same = keyword.iter().zip(text).take_while(|(a, b)| a == b).count();
                    Err(Stop::Bad(INVALID_TOKEN, same))
                }
                _ => self.start_tag(text, wants),
            },
            b'&' => self.reference(text, wants),
            _ => self.characters(text, false, last, wants),
        }
    }

    fn section(&mut self, text: &[u8], last: bool, wants: Wants) -> Result<usize, Stop> {
        if text.starts_with(b"]]>") {
            self.push(Event::SectionEnd, wants.raw.then_some(&text[..3]));
            self.mode = Mode::Content;
            return Ok(3);
        }
        self.characters(text, true, last, wants)
    }

    fn characters(&mut self, text: &[u8], in_section: bool, last: bool, wants: Wants) -> Result<usize, Stop> {
        let length = match text[0] {
            b'\n' => 1,
            b'\r' if text.get(1) == Some(&b'\n') => 2,
            b'\r' if text.len() == 1 && !last => return Err(Stop::More),
            b'\r' => 1,
            _ => self.piece(text, tokens::characters(text, in_section, last, self.most())?),
        };
        let shown = if matches!(text[0], b'\n' | b'\r') { "\n".to_owned() } else { string(&text[..length]) };
        self.push(Event::Text(shown), wants.raw.then_some(&text[..length]));
        Ok(length)
    }

    /// Bytes of text that are one event at most: text in another encoding than UTF-8 comes in pieces.
    fn most(&self) -> usize {
        let whole = matches!(self.encoding, Some(Encoding::Utf8)) || !self.sources.is_empty();
        if whole { usize::MAX } else { PIECE }
    }

    /// As much of a length as one event has, cut between characters.
    fn piece(&self, text: &[u8], length: usize) -> usize {
        let most = self.most();
        if length <= most {
            return length;
        }
        (0..=most).rev().find(|&at| text[at] & 0xC0 != 0x80).expect("characters have at most four bytes")
    }

    fn start_tag(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let tag = tokens::start_tag(text, self.names.is_some())?;
        let raw = string(&text[tag.name.clone()]);
        let mut attributes = self.attributes(text, &raw, &tag)?;
        let mut specified = tag.attributes.len();
        let bindings = self.names.as_ref().map_or(0, |names| names.bindings.len());
        let mut name = raw.clone();
        if let Some(names) = &mut self.names {
            let mut found = Vec::new();
            let mut events = Vec::new();
            for (place, (name, value)) in attributes.into_iter().enumerate() {
                let prefix = match name.split_once(':') {
                    Some(("xmlns", prefix)) => Some(prefix),
                    None if name == "xmlns" => None,
                    _ => {
                        found.push((name, value));
                        continue;
                    }
                };
                specified -= usize::from(place < tag.attributes.len());
                let bound = names.bind(prefix, &value).map_err(|code| Stop::Bad(code, 0))?;
                events.push(Event::NamespaceStart { prefix: bound.prefix, uri: bound.uri });
            }
            name = names.expand(&raw, false).map_err(|code| Stop::Bad(code, 0))?;
            let mut seen = BTreeSet::new();
            for (name, _) in &mut found {
                if name.contains(':') {
                    *name = names.expand(name, true).map_err(|code| Stop::Bad(code, 0))?;
                    if !seen.insert(name.clone()) {
                        return Err(Stop::Bad(DUPLICATE_ATTRIBUTE, 0));
                    }
                }
            }
            attributes = found;
            events.into_iter().for_each(|event| self.push(event, None));
        }
        self.open.push(Open { raw, name: name.clone(), bindings });
        let event = Event::Start { name, attributes, specified, empty: tag.empty };
        self.push(event, wants.raw.then_some(&text[..tag.end]));
        if tag.empty {
            if self.sources.is_empty() {
                self.here = self.place_after(&text[..tag.end]);
            }
            self.close(None);
        }
        Ok(tag.end)
    }

    /// Names and values as they are written, and behind them those that the document type adds.
    fn attributes(&self, text: &[u8], element: &str, tag: &tokens::Tag) -> Result<Vec<(String, String)>, Stop> {
        let dtd = Rc::clone(&self.dtd);
        let known = dtd.borrow().attributes.get(element).map_or_else(Vec::new, |known| {
            known.iter().map(|decl| (decl.name.clone(), decl.cdata, decl.default.clone())).collect()
        });
        let mut found: Vec<(String, String)> = Vec::with_capacity(tag.attributes.len());
        let mut seen = BTreeSet::new();
        for (name, value) in &tag.attributes {
            let key = &text[name.clone()];
            if !seen.insert(key) {
                return Err(Stop::Bad(DUPLICATE_ATTRIBUTE, name.start));
            }
            let key = string(key);
            let cdata = known.iter().find(|(name, ..)| *name == key).is_none_or(|&(_, cdata, _)| cdata);
            found.push((key, self.attribute_value(&text[value.clone()], cdata, value.start)?));
        }
        for (name, _, default) in known {
            if let Some(default) = default.filter(|_| !seen.contains(name.as_bytes())) {
                found.push((name, default));
            }
        }
        Ok(found)
    }

    fn end_tag(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let (name, end) = tokens::end_tag(text, self.names.is_some())?;
        let level = self.sources.last().map_or(0, |source| source.level);
        if self.open.len() == level {
            return Err(Stop::Bad(ASYNC_ENTITY, 0));
        }
        if self.open.last().is_none_or(|open| open.raw.as_bytes() != &text[name.clone()]) {
            return Err(Stop::Bad(TAG_MISMATCH, 2));
        }
        self.close(wants.raw.then_some(&text[..end]));
        Ok(end)
    }

    fn close(&mut self, raw: Option<&[u8]>) {
        let open = self.open.pop().expect("a tag is open");
        self.push(Event::End { name: open.name }, raw);
        let ended = self.names.as_mut().map_or_else(Vec::new, |names| names.bindings.split_off(open.bindings));
        for binding in ended.into_iter().rev() {
            self.push(Event::NamespaceEnd { prefix: binding.prefix }, None);
        }
        if self.open.is_empty() && self.kind == Kind::Document {
            self.mode = Mode::Epilog;
        }
    }

    fn reference(&mut self, text: &[u8], wants: Wants) -> Result<usize, Stop> {
        let end = tokens::reference(text, 0)?;
        let body = &text[1..end - 1];
        let raw = wants.raw.then_some(&text[..end]);
        if let Some(char) = single(body, 0)? {
            self.push(Event::Text(char.into()), raw);
            return Ok(end);
        }
        let name = string(body);
        let entity = self.dtd.borrow().general.get(&name).cloned();
        let Some(entity) = entity else {
            if self.must_be_declared() {
                return Err(Stop::Bad(UNDEFINED_ENTITY, 0));
            }
            self.skip(name, wants, raw);
            return Ok(end);
        };
        if self.is_open(&entity) || self.outer.contains(&name) {
            return Err(Stop::Bad(RECURSIVE_ENTITY_REF, 0));
        }
        if entity.decl.notation.is_some() {
            return Err(Stop::Bad(BINARY_ENTITY_REF, 0));
        }
        match &entity.text {
            Some(_) if !wants.expanded => self.skip(name, wants, raw),
            Some(text) => {
                let text = Rc::clone(text);
                self.enter(entity, text)?;
            }
            None if wants.external => {
                let mut open: Vec<&str> = self.outer.iter().map(String::as_str).collect();
                open.extend(self.sources.iter().map(|source| source.entity.decl.name.as_str()));
                open.push(&name);
                let context = match &self.names {
                    Some(names) => names.context(&open),
                    None => open.join("\u{c}"),
                };
                let (system, public) = (entity.decl.system.clone(), entity.decl.public.clone());
                self.push(Event::External { context: Some(context), system, public }, None);
            }
            None => {
                if wants.raw {
                    self.push(Event::Rest, raw);
                }
            }
        }
        Ok(end)
    }

    /// Whether nothing that was not read can have declared an entity.
    pub(super) fn must_be_declared(&self) -> bool {
        let dtd = self.dtd.borrow();
        !dtd.open_ended || dtd.standalone
    }

    pub(super) fn is_open(&self, entity: &Rc<Entity>) -> bool {
        self.sources.iter().any(|source| Rc::ptr_eq(&source.entity, entity))
    }

    fn skip(&mut self, name: String, wants: Wants, raw: Option<&[u8]>) {
        if wants.skipped {
            self.push(Event::Skipped { name, parameter: false }, None);
        } else if wants.raw {
            self.push(Event::Rest, raw);
        }
    }

    /// Reads on in the text of an entity.
    pub(super) fn enter(&mut self, entity: Rc<Entity>, text: Rc<[u8]>) -> Result<(), Stop> {
        if self.dtd.borrow_mut().amplifies(text.len()) {
            return Err(Stop::Bad(AMPLIFICATION_LIMIT_BREACH, 0));
        }
        self.sources.push(Source { entity, text, at: 0, level: self.open.len() });
        Ok(())
    }

    pub(super) fn end_subset(&mut self) {
        self.mode = Mode::SubsetEnd;
    }

    pub(super) fn is_in_document(&self) -> bool {
        self.kind == Kind::Document && self.sources.is_empty()
    }
}

/// What no token of a document type begins with.
fn is_odd(byte: u8) -> bool {
    !(byte.is_ascii_alphanumeric() || b"_:-.\"'()[]|,;+*?%#><".contains(&byte))
}

/// What is wrong with text where there can be none: a token of a document type in the wrong place, or no token.
fn misplaced(text: &[u8], code: usize, last: bool) -> Result<Stop, Stop> {
    let (char, length) = char_at(text, 0)?;
    if !is_name(char) {
        let odd = !char.is_ascii() || is_odd(text[0]);
        return Ok(Stop::Bad(if odd { INVALID_TOKEN } else { code }, 0));
    }
    // A name ends in front of what may follow one.
    Ok(match tokens::name_rest(text, length) {
        Ok(end) if !b">),|[% \t\r\n+*?".contains(&text[end]) => Stop::Bad(INVALID_TOKEN, end),
        Ok(_) => Stop::Bad(code, 0),
        Err(Stop::More) if last => Stop::Bad(code, 0),
        Err(stop) => stop,
    })
}

/// What a document says of itself in `<?xml ...?>`.
struct Said {
    version: Option<String>,
    encoding: Option<(String, usize)>,
    standalone: i32,
}

impl Said {
    fn read(text: &[u8], kind: Kind) -> Result<Self, (usize, usize)> {
        let code = if kind == Kind::Document { XML_DECL } else { XML_DECL + 1 };
        let mut said = Self { version: None, encoding: None, standalone: -1 };
        let mut at = 5;
        let mut stage = 0;
        loop {
            let start = skip_spaces(text, at);
            if start == text.len() {
                break;
            }
            if start == at {
                return Err((code, start));
            }
            let rest = &text[start..];
            let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            let equals = skip_spaces(text, start + length);
            if text.get(equals) != Some(&b'=') {
                return Err((code, equals.min(text.len())));
            }
            let quote = skip_spaces(text, equals + 1);
            let end = match text.get(quote) {
                Some(&mark @ (b'"' | b'\'')) => text[quote + 1..].iter().position(|&byte| byte == mark),
                _ => None,
            };
            let Some(end) = end else { return Err((code, quote.min(text.len()))) };
            let value = string(&text[quote + 1..quote + 1 + end]);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if let Some(odd) = value.bytes().position(|byte| !allowed(byte)) {
                return Err((code, quote + 1 + odd));
            }
            at = quote + end + 2;
            stage = match (&rest[..length], stage) {
                (b"version", 0) => {
                    said.version = Some(value);
                    1
                }
                (b"encoding", 0 | 1)
                    if (stage == 1 || kind != Kind::Document)
                        && value.starts_with(|char: char| char.is_ascii_alphabetic()) =>
                {
                    said.encoding = Some((value, quote + 1));
                    2
                }
                (b"standalone", 1 | 2) if kind == Kind::Document && matches!(value.as_str(), "yes" | "no") => {
                    said.standalone = i32::from(value == "yes");
                    3
                }
                _ => return Err((code, start)),
            };
        }
        if if kind == Kind::Document { stage == 0 } else { said.encoding.is_none() } {
            return Err((code, text.len()));
        }
        Ok(said)
    }
}
