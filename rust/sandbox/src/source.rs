//! What texts must be before a guest gets to see them.

/// What is wrong with a text that holds a NUL. The Python package hands over a text with a lone surrogate, which has
/// no UTF-8, as one.
pub(crate) const NO_SOURCE: &str = "source code cannot contain null bytes or lone surrogates";

/// Whether the text is a name in Python, more or less: the guest decides for good.
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && characters.all(|other| other == '_' || other.is_alphanumeric())
}
