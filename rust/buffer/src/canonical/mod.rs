//! One text for all programs that differ only in what Python does not look at.
//!
//! [`canonicalize`] parses a program with the grammar of the guest and writes it again: comments, docstrings, `pass` and
//! formatting gone, imports in order, quotes and numbers in one spelling, and every local variable, parameter, function
//! and imported name replaced by its number in order of first appearance; the entry is called `f`. The result is Python
//! again and means the same, so equal texts mean equal programs. The reverse is not attempted: `a + b` and `b + a` stay
//! different.
//!
//! Renaming is only sound while a program cannot see its own names, so a program that could is written with the names
//! that it has ([`Mode::KeepNames`]), and one that could see its source or reach anything by a name made at run time is
//! left as it is ([`Mode::AsWritten`]). The lists that decide are in `vocabulary.rs`; a name that they do not know counts
//! as dangerous where it could be.
//!
//! Text is hostile: its depth is bounded before it is parsed, and the work runs on a stack that is large enough.

mod collect;
mod collect_expr;
mod depth;
mod form;
mod imports;
mod precedence;
mod scope;
mod shape;
mod vocabulary;
mod write;
mod write_expr;

use ruff_python_ast::{Expr, ExprCall, ModExpression};
use ruff_python_parser::{parse_expression, parse_module};

pub use depth::{MAX_CHAIN, MAX_NESTING};
pub use form::{Canonical, Invalid, Mode};
pub use shape::{Shape, shape};

use collect::Collector;
use scope::{MODULE, Scopes};
use write::Writer;

/// The canonical form of `program` called with each of `inputs`, argument texts as in `f(<text>)`.
///
/// The inputs are part of the question: one may name a parameter, or hand the program a function that shows a name. The
/// entry is the module's `entry`; with none it is `f`, or else the last function of the module.
///
/// ```
/// use azr_buffer::canonicalize;
///
/// let one = canonicalize("def f(xs):\n    '''Add.'''\n    return sum(xs)  # all", &["[1, 2]"], None)?;
/// let two = canonicalize("def f(numbers: list): return sum( numbers )", &["[1,2]"], None)?;
/// assert_eq!(one, two);
/// assert_eq!(one.program, "def f(_0):\n return sum(_0)\n");
/// # Ok::<(), azr_buffer::Invalid>(())
/// ```
///
/// # Errors
///
/// [`Invalid`] when the program or an input does not parse, or nests too deeply.
pub fn canonicalize<S: AsRef<str>>(program: &str, inputs: &[S], entry: Option<&str>) -> Result<Canonical, Invalid> {
    let mut stack = depth::measure(program)?.stack();
    let calls: Vec<String> = inputs.iter().map(|input| format!("f({}\n)", input.as_ref())).collect();
    for call in &calls {
        stack = stack.max(depth::measure(call)?.stack());
    }
    let texts: Vec<&str> = inputs.iter().map(AsRef::as_ref).collect();
    // The thread's own stack serves if enough of it is left.
    stacker::maybe_grow(stack, 2 * stack, || write(program, &texts, &calls, entry))
}

fn write(program: &str, inputs: &[&str], calls: &[String], entry: Option<&str>) -> Result<Canonical, Invalid> {
    let module = parse_module(program)
        .map_err(|error| Invalid::Program {
            offset: error.location.start().to_usize(),
            message: error.error.to_string(),
        })?
        .into_syntax();
    let parsed: Vec<ModExpression> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| match parse_expression(call) {
            Ok(parsed) => Ok(parsed.into_syntax()),
            Err(_) => Err(Invalid::Input { index }),
        })
        .collect::<Result<_, _>>()?;
    let arguments: Vec<&ExprCall> = parsed
        .iter()
        .zip(calls)
        .enumerate()
        .map(|(index, (parsed, call))| arguments_of(&parsed.body, call).ok_or(Invalid::Input { index }))
        .collect::<Result<_, _>>()?;

    let mut collector = Collector::new();
    collector.body(&module.body, MODULE);
    for call in &arguments {
        collector.input(call);
    }
    let mut scopes = collector.scopes;
    scopes.settle(entry);
    let mode = scopes.mode;
    if mode == Mode::AsWritten {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        return Ok(Canonical { program: program.to_owned(), inputs, mode });
    }
    let mut writer = Writer::new(&mut scopes, program.len());
    writer.body(&module.body, MODULE);
    let program = writer.out;
    let inputs = arguments.into_iter().map(|call| input_text(&mut scopes, call)).collect();
    Ok(Canonical { program, inputs, mode })
}

fn input_text(scopes: &mut Scopes<'_>, call: &ExprCall) -> String {
    let mut writer = Writer::new(scopes, 32);
    writer.arguments(&call.arguments, None, MODULE);
    let text = writer.out;
    text[1..text.len() - 1].to_owned()
}

/// The call, if `f(<text>)` is one call of `f` and nothing else: the text closes no bracket but its own.
fn arguments_of<'a>(expr: &'a Expr, text: &str) -> Option<&'a ExprCall> {
    let Expr::Call(call) = expr else { return None };
    let whole = matches!(&*call.func, Expr::Name(name) if name.range.end().to_usize() == 1);
    let range = call.arguments.range;
    (whole && range.start().to_usize() == 1 && range.end().to_usize() == text.len()).then_some(call)
}

impl<'a> Collector<'a> {
    /// Read the arguments of one input. What they name keeps its name.
    fn input(&mut self, call: &'a ExprCall) {
        let before = self.scopes.loads.len();
        let bindings = self.scopes.bindings.len();
        for argument in &call.arguments.args {
            self.value(argument, MODULE);
        }
        for keyword in &call.arguments.keywords {
            self.value(&keyword.value, MODULE);
            match &keyword.arg {
                Some(name) => {
                    let sym = self.sym(name.as_str());
                    self.scopes.kept.insert(sym);
                }
                None => self.scopes.double_star = true,
            }
        }
        for index in before..self.scopes.loads.len() {
            let (scope, sym, _) = self.scopes.loads[index];
            let local = self.scopes.resolve(scope, sym).is_some_and(|id| id as usize >= bindings);
            if !local {
                self.scopes.kept.insert(sym);
            }
        }
    }
}

/// Words, numbers and marks of a canonical text; see the similarity index.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let first = rest.chars().next()?;
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if word(first) { rest.find(|c: char| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}
