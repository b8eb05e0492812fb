//! How deep a source nests, counted before it is parsed.
//!
//! The parser, the writer and the drop of a syntax tree all recurse, so text alone could overflow the stack of the
//! thread that reads it. The lexer does not recurse: one pass over its tokens bounds the depth of any tree that the
//! parser can build, and with it the stack that the rest will need.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

use super::form::Invalid;

/// Brackets, blocks and lambdas that may be open at once.
pub const MAX_NESTING: usize = 200;

/// Operators, keywords and postfixes that may be open at once: `a + b + c` nests to the left, `not not a` to the right.
pub const MAX_CHAIN: usize = 2_000;

/// Stack for one level of brackets, blocks or lambdas; debug builds use about a third of it.
const BYTES_A_LEVEL: usize = 24 * 1024;

/// Stack for one operator of a chain.
const BYTES_A_LINK: usize = 4 * 1024;

/// Stack for a flat program.
const BYTES_AT_REST: usize = 256 * 1024;

/// What one pass over the tokens found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    nesting: usize,
    chain: usize,
}

impl Depth {
    /// Stack, in bytes, that parsing, writing and dropping a source of this depth may need.
    pub(super) fn stack(self) -> usize {
        BYTES_AT_REST + self.nesting * BYTES_A_LEVEL + self.chain * BYTES_A_LINK
    }
}

/// One open bracket or interpolated string, or the bottom: the statement itself.
struct Level {
    /// The token that closes it.
    close: Option<TokenKind>,
    /// Links of the chain that is being read at this level.
    links: usize,
    /// Lambdas at this level. A comma does not end one: its parameters hold commas too.
    lambdas: usize,
}

impl Level {
    fn new(close: Option<TokenKind>) -> Self {
        Self { close, links: 0, lambdas: 0 }
    }
}

/// Bound the depth of `source`, or refuse it.
///
/// # Errors
///
/// [`Invalid::TooDeep`] past [`MAX_NESTING`] or [`MAX_CHAIN`].
pub(super) fn measure(source: &str) -> Result<Depth, Invalid> {
    let mut lexer = lexer::lex(source, Mode::Module);
    let mut levels = vec![Level::new(None)];
    let mut indents = 0_usize;
    let mut links = 0_usize;
    let mut lambdas = 0_usize;
    let mut deepest = Depth { nesting: 0, chain: 0 };
    loop {
        use TokenKind as T;
        let kind = lexer.next_token();
        let top = levels.len() - 1;
        match kind {
            T::EndOfFile => return Ok(deepest),
            T::Indent => indents += 1,
            T::Dedent => indents = indents.saturating_sub(1),
            T::Name | T::Int | T::Float | T::Complex | T::String => {}
            T::FStringMiddle | T::TStringMiddle | T::Comment | T::NonLogicalNewline => {}
            T::Newline | T::Semi if top == 0 => {
                links -= levels[0].links;
                lambdas -= levels[0].lambdas;
                levels[0] = Level::new(None);
            }
            // Siblings do not nest, except that a comma may stand among the parameters of an open lambda.
            T::Comma if levels[top].lambdas == 0 => {
                links -= levels[top].links;
                levels[top].links = 0;
            }
            T::Lpar => levels.push(Level::new(Some(T::Rpar))),
            T::Lsqb => levels.push(Level::new(Some(T::Rsqb))),
            T::Lbrace => levels.push(Level::new(Some(T::Rbrace))),
            T::FStringStart => levels.push(Level::new(Some(T::FStringEnd))),
            T::TStringStart => levels.push(Level::new(Some(T::TStringEnd))),
            kind => {
                // A closing token that matches nothing pops nothing: too deep rather than too shallow.
                if levels[top].close == Some(kind) {
                    links -= levels[top].links;
                    lambdas -= levels[top].lambdas;
                    levels.pop();
                }
                let level = levels.last_mut().expect("the bottom level has no closing token");
                level.links += 1;
                links += 1;
                if kind == T::Lambda {
                    level.lambdas += 1;
                    lambdas += 1;
                }
            }
        }
        let nesting = indents + levels.len() - 1 + lambdas;
        if nesting > MAX_NESTING {
            return Err(Invalid::TooDeep { limit: MAX_NESTING });
        }
        if links > MAX_CHAIN {
            return Err(Invalid::TooDeep { limit: MAX_CHAIN });
        }
        deepest.nesting = deepest.nesting.max(nesting);
        deepest.chain = deepest.chain.max(links);
    }
}
