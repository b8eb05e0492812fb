//! Functions of the embedder's that a session's programs may call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use azr_wire::{DecodeError, HostCall, HostReply, Reader, Value, Writer};

/// What a program hands to a function: plain data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Arguments {
    /// Positional arguments.
    pub positional: Vec<Value>,
    /// Keyword arguments, in the order of the call.
    pub named: Vec<(String, Value)>,
}

/// An exception for the program that called: one of Python's classes by its name, or a `RuntimeError` that names another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct Exception {
    /// Name of a class, such as `KeyError`. Classes that are no `Exception`, such as `SystemExit`, are not raised.
    pub class: String,
    /// Text.
    pub message: String,
}

impl Exception {
    /// An exception of the class with this name.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class: class.into(), message: message.into() }
    }
}

/// Functions that a session's programs find among their globals.
///
/// They are called on the sandbox's threads, one call of a session at a time. What they get is what a program made up:
/// check it. While one runs, its session waits, and neither fuel nor the clock can stop it; both are looked at when it
/// returns. One that panics raises a `RuntimeError`.
pub trait Functions: Send + Sync {
    /// Their names. Programs may call no others.
    fn names(&self) -> Vec<String>;

    /// Calls one.
    ///
    /// # Errors
    /// An exception to raise in the program.
    fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception>;
}

type Function = Box<dyn Fn(Arguments) -> Result<Value, Exception> + Send + Sync>;

/// Functions by name, each a closure.
#[derive(Default)]
pub struct FunctionTable(BTreeMap<String, Function>);

impl FunctionTable {
    /// Without any.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(
        mut self,
        name: impl Into<String>,
        function: impl Fn(Arguments) -> Result<Value, Exception> + Send + Sync + 'static,
    ) -> Self {
        self.0.insert(name.into(), Box::new(function));
        self
    }
}

impl std::fmt::Debug for FunctionTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Functions for FunctionTable {
    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception> {
        match self.0.get(name) {
            Some(function) => function(arguments),
            None => Err(unknown(name)),
        }
    }
}

/// Functions whose calls and results are written down, for [`Replayed`].
pub struct Recorded<F> {
    inner: F,
    record: Mutex<Record>,
}

/// Calls of functions and what came of them, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record(Vec<(HostCall, HostReply)>);

impl<F: Functions> Recorded<F> {
    /// These functions, recorded.
    pub fn new(inner: F) -> Self {
        Self { inner, record: Mutex::default() }
    }

    /// What has been called so far.
    pub fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<F> std::fmt::Debug for Recorded<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorded").finish_non_exhaustive()
    }
}

impl<F: Functions> Functions for Recorded<F> {
    fn names(&self) -> Vec<String> {
        self.inner.names()
    }

    fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception> {
        let call =
            HostCall { name: name.to_owned(), arguments: arguments.positional.clone(), named: arguments.named.clone() };
        let result = self.inner.call(name, arguments);
        let entry = (call, reply(result.clone()));
        self.record.lock().unwrap_or_else(PoisonError::into_inner).0.push(entry);
        result
    }
}

impl Record {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.list(&self.0, |out, (call, reply)| {
            out.bytes(&call.encode());
            out.bytes(&reply.encode());
        });
        out.finish()
    }

    /// From bytes.
    ///
    /// # Errors
    /// When they are no record.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let entries =
            input.list(|input| Ok((HostCall::decode(input.bytes()?)?, HostReply::decode(input.bytes()?)?)))?;
        input.end()?;
        Ok(Self(entries))
    }

    /// Calls in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was called.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Functions answered from a record: a run that makes the same calls in the same order has the same outcome and takes the
/// same fuel as the one that was recorded. Any other call raises a `RuntimeError`.
#[derive(Debug)]
pub struct Replayed {
    names: Vec<String>,
    record: Record,
    next: Mutex<usize>,
}

impl Replayed {
    /// The functions of these names, as recorded.
    #[must_use]
    pub fn new(names: Vec<String>, record: Record) -> Self {
        Self { names, record, next: Mutex::new(0) }
    }
}

impl Functions for Replayed {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn call(&self, name: &str, arguments: Arguments) -> Result<Value, Exception> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((call, reply)) = self.record.0.get(*next) else {
            return Err(Exception::new("RuntimeError", format!("{name}() was not called here in the recorded run")));
        };
        if call.name != name || call.arguments != arguments.positional || call.named != arguments.named {
            let message = format!("the recorded run called {}() here, with arguments of its own", call.name);
            return Err(Exception::new("RuntimeError", message));
        }
        *next += 1;
        match reply {
            HostReply::Value(value) => Ok(value.clone()),
            HostReply::Raise { class, message } => Err(Exception::new(class.clone(), message.clone())),
        }
    }
}

/// The functions of one session, as its instance sees them.
#[derive(Clone)]
pub(crate) struct Known {
    functions: Arc<dyn Functions>,
    names: Arc<[String]>,
}

impl Known {
    pub(crate) fn new(functions: Arc<dyn Functions>) -> Self {
        let names = functions.names().into();
        Self { functions, names }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Answers a call that a program made: only of the names it was told.
    pub(crate) fn answer(&self, call: HostCall) -> HostReply {
        let HostCall { name, arguments, named } = call;
        if !self.names.contains(&name) {
            return reply(Err(unknown(&name)));
        }
        let arguments = Arguments { positional: arguments, named };
        let called = std::panic::AssertUnwindSafe(|| self.functions.call(&name, arguments));
        let failed = |_| Err(Exception::new("RuntimeError", format!("{name}() failed")));
        reply(std::panic::catch_unwind(called).unwrap_or_else(failed))
    }
}

fn reply(result: Result<Value, Exception>) -> HostReply {
    match result {
        Ok(value) => HostReply::Value(value),
        Err(Exception { class, message }) => HostReply::Raise { class, message },
    }
}

fn unknown(name: &str) -> Exception {
    Exception::new("NameError", format!("the host has no function {name:?}"))
}
