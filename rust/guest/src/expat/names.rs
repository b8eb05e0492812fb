//! Namespaces: what prefixes stand for, and names with what theirs stand for.

use super::error::{
    RESERVED_NAMESPACE_URI, RESERVED_PREFIX_XML, RESERVED_PREFIX_XMLNS, SYNTAX, UNBOUND_PREFIX, UNDECLARING_PREFIX,
};

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A prefix, none for the default, and what it stands for: nothing where the default is taken back.
#[derive(Clone)]
pub(super) struct Binding {
    pub prefix: Option<String>,
    pub uri: Option<String>,
}

pub(super) struct Names {
    /// Between the parts of a name.
    pub separator: Option<char>,
    /// Names end with their prefixes.
    pub with_prefixes: bool,
    pub bindings: Vec<Binding>,
}

impl Names {
    pub(super) fn bind(&mut self, prefix: Option<&str>, uri: &str) -> Result<Binding, usize> {
        match prefix {
            Some("xmlns") => return Err(RESERVED_PREFIX_XMLNS),
            Some("xml") if uri != XML => return Err(RESERVED_PREFIX_XML),
            Some(prefix) if prefix != "xml" && uri == XML => return Err(RESERVED_NAMESPACE_URI),
            None if uri == XML => return Err(RESERVED_NAMESPACE_URI),
            _ if uri == XMLNS => return Err(RESERVED_NAMESPACE_URI),
            Some(_) if uri.is_empty() => return Err(UNDECLARING_PREFIX),
            _ => {}
        }
        // A separator inside would make another name of it.
        if let Some(separator) = self.separator
            && !(separator.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(separator))
            && uri.contains(separator)
        {
            return Err(SYNTAX);
        }
        let binding = Binding { prefix: prefix.map(str::to_owned), uri: (!uri.is_empty()).then(|| uri.to_owned()) };
        self.bindings.push(binding.clone());
        Ok(binding)
    }

    /// A name with what its prefix stands for. Attributes have no default.
    pub(super) fn expand(&self, name: &str, is_attribute: bool) -> Result<String, usize> {
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) => (Some(prefix), local),
            None if is_attribute => return Ok(name.to_owned()),
            None => (None, name),
        };
        let found = self.bindings.iter().rev().find(|binding| binding.prefix.as_deref() == prefix);
        let uri = match found {
            Some(binding) => binding.uri.as_deref(),
            None if prefix == Some("xml") => Some(XML),
            None => None,
        };
        let Some(uri) = uri else {
            return if prefix.is_some() { Err(UNBOUND_PREFIX) } else { Ok(name.to_owned()) };
        };
        let mut full = uri.to_owned();
        full.extend(self.separator);
        full += local;
        if let (Some(prefix), Some(separator), true) = (prefix, self.separator, self.with_prefixes) {
            full.push(separator);
            full += prefix;
        }
        Ok(full)
    }

    /// What a parser of an external entity has to know: prefixes, and the entities that are open.
    pub(super) fn context(&self, open: &[&str]) -> String {
        let bound = self.bindings.iter().filter_map(|binding| {
            let uri = binding.uri.as_ref()?;
            Some(format!("{}={uri}", binding.prefix.as_deref().unwrap_or_default()))
        });
        bound.chain(open.iter().map(|&name| name.to_owned())).collect::<Vec<_>>().join("\u{c}")
    }

    pub(super) fn take_context(&mut self, context: &str) {
        for part in context.split('\u{c}') {
            if let Some((prefix, uri)) = part.split_once('=') {
                let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
                self.bindings.push(Binding { prefix, uri: Some(uri.to_owned()) });
            }
        }
    }
}
