//! What a program defines, read with the grammar of the guest.

use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_ast::{Stmt, StmtFunctionDef};
use ruff_python_parser::parse_module;

use super::depth;
use super::form::Invalid;

/// The functions of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shape {
    /// Whether a `def` at the top level, no `async def`, defines the entry.
    pub entry: bool,
    /// How many `def`s there are at any depth, methods and nested ones included.
    pub definitions: usize,
}

/// What `program` defines; `entry` names the function that inputs are arguments of.
///
/// ```
/// let shape = azr_buffer::shape("class A:\n    def g(self): pass\ndef f(x): return f'{x['k']}'", "f")?;
/// assert!(shape.entry);
/// assert_eq!(shape.definitions, 2);
/// # Ok::<(), azr_buffer::Invalid>(())
/// ```
///
/// # Errors
///
/// [`Invalid`] when the program does not parse, or nests too deeply.
pub fn shape(program: &str, entry: &str) -> Result<Shape, Invalid> {
    let stack = depth::measure(program)?.stack();
    stacker::maybe_grow(stack, 2 * stack, || read(program, entry))
}

fn read(program: &str, entry: &str) -> Result<Shape, Invalid> {
    let module = parse_module(program).map_err(|error| Invalid::Program {
        offset: error.location.start().to_usize(),
        message: error.error.to_string(),
    })?;
    let is_entry = |statement: &Stmt| matches!(statement, Stmt::FunctionDef(StmtFunctionDef { name, is_async: false, .. }) if name.as_str() == entry);
    let mut definitions = Definitions(0);
    definitions.visit_body(module.suite());
    Ok(Shape { entry: module.suite().iter().any(is_entry), definitions: definitions.0 })
}

struct Definitions(usize);

impl<'a> Visitor<'a> for Definitions {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.0 += usize::from(matches!(stmt, Stmt::FunctionDef(_)));
        walk_stmt(self, stmt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_the_guests_whatever_python_trains() {
        let nested_quotes = "def f(d):\n    return f'{d['k']}'\n";
        assert_eq!(shape(nested_quotes, "f"), Ok(Shape { entry: true, definitions: 1 }));
        let alias = "type Pair = tuple[int, int]\ndef f[T](x: T) -> T:\n    return x\n";
        assert_eq!(shape(alias, "f"), Ok(Shape { entry: true, definitions: 1 }));
    }

    #[test]
    fn only_a_plain_def_at_the_top_level_is_the_entry() {
        let shapes = [
            ("async def f(x): return x", false, 1),
            ("class A:\n    def f(self): pass", false, 1),
            ("if True:\n    def f(x): return x", false, 1),
            ("f = lambda x: x", false, 0),
            ("def f(x):\n    def g(): pass\n    async def h(): pass\n    return g", true, 3),
        ];
        for (program, entry, definitions) in shapes {
            assert_eq!(shape(program, "f"), Ok(Shape { entry, definitions }), "{program}");
        }
    }

    #[test]
    fn hostile_depth_is_refused_before_it_is_parsed() {
        for program in ["(".repeat(100_000), "-".repeat(100_000), "f'{".repeat(100_000), "lambda:".repeat(100_000)] {
            assert!(shape(&program, "f").is_err());
        }
    }
}
