//! What a parser reports, in the order of the document.

use super::error::Place;

/// One thing in a document, for the handler of its kind.
pub(super) enum Event {
    Start {
        name: String,
        attributes: Vec<(String, String)>,
        specified: usize,
        empty: bool,
    },
    End {
        name: String,
    },
    Text(String),
    Instruction {
        target: String,
        data: String,
    },
    Comment(String),
    SectionStart,
    SectionEnd,
    NamespaceStart {
        prefix: Option<String>,
        uri: Option<String>,
    },
    NamespaceEnd {
        prefix: Option<String>,
    },
    XmlDecl {
        version: Option<String>,
        encoding: Option<String>,
        standalone: i32,
    },
    DoctypeStart {
        name: String,
        system: Option<String>,
        public: Option<String>,
        internal: bool,
    },
    /// What lies between a document type's inner part and its end: the rest, unless its start has a handler.
    DoctypePart,
    DoctypeEnd,
    Entity(EntityDecl),
    Notation {
        name: String,
        system: Option<String>,
        public: Option<String>,
    },
    Element {
        name: String,
        model: Vec<ModelNode>,
    },
    Attribute {
        element: String,
        name: String,
        kind: String,
        default: Option<String>,
        required: bool,
    },
    External {
        context: Option<String>,
        system: Option<String>,
        public: Option<String>,
    },
    Skipped {
        name: String,
        parameter: bool,
    },
    NotStandalone,
    /// An encoding that the scanner does not know: `Scanner::resolve` has to come next.
    Encoding(String),
    /// For the handler of what has no other.
    Rest,
}

#[derive(Clone)]
pub(super) struct EntityDecl {
    pub name: String,
    pub parameter: bool,
    pub value: Option<String>,
    pub system: Option<String>,
    pub public: Option<String>,
    pub notation: Option<String>,
}

/// A node of a content model; nodes come before their children.
pub(super) struct ModelNode {
    pub kind: u8,
    pub quantity: u8,
    pub name: Option<String>,
    pub children: Vec<usize>,
}

pub(super) struct Happening {
    pub event: Event,
    /// The text as it stands, if anyone asked for it.
    pub raw: Option<String>,
    pub place: Place,
}
