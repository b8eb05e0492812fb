//! 128-bit keys of tasks. Equal keys are a hint, never a proof.

use twox_hash::XxHash3_128;

use crate::canonical::Canonical;
use crate::codec::{self, Head, Malformed};
use crate::task::Task;

/// How alike two tasks have to be to count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Level {
    /// The same kind, program text and input texts.
    Exact,
    /// The same kind, program and inputs in canonical form.
    #[default]
    Canonical,
    /// Canonical, or the same kind and behaviour signature.
    Behaviour,
}

impl Level {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Canonical => "canonical",
            Self::Behaviour => "behaviour",
        }
    }
}

/// Changes whenever canonical forms do: keys of an older canonicaliser are computed anew.
pub(crate) const CANONICALISER: u8 = 1;

fn key<'a>(level: Level, kind: &str, parts: impl Iterator<Item = &'a [u8]>) -> u128 {
    let mut bytes = Vec::with_capacity(512);
    bytes.push(level as u8);
    codec::put_kind(&mut bytes, kind);
    for part in parts {
        // Lengths first: no two lists of parts give the same bytes.
        codec::put_bytes(&mut bytes, part);
    }
    XxHash3_128::oneshot(&bytes)
}

pub(crate) fn exact(head: &Head<'_>) -> Result<u128, Malformed> {
    Ok(key(Level::Exact, head.kind, head.parts()?.into_iter()))
}

pub(crate) fn exact_of(task: &Task) -> u128 {
    let parts = std::iter::once(task.program.as_bytes()).chain(task.inputs.iter().map(|input| input.as_bytes()));
    key(Level::Exact, task.kind.name(), parts)
}

pub(crate) fn canonical(kind: &str, form: &Canonical) -> u128 {
    let parts = std::iter::once(form.program.as_bytes()).chain(form.inputs.iter().map(|input| input.as_bytes()));
    key(Level::Canonical, kind, parts)
}

pub(crate) fn behaviour(kind: &str, signature: u128) -> u128 {
    key(Level::Behaviour, kind, std::iter::once(signature.to_le_bytes().as_slice()))
}
