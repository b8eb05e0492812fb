//! Argument text: an argument list over known names, and nothing else.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{Visitor, walk_comprehension, walk_expr};
use ruff_python_ast::{Comprehension, Expr, ExprCall, ExprContext, Parameters};
use ruff_python_parser::parse_expression;
use ruff_text_size::Ranged;
use rustpython_vm::{PyObjectRef, VirtualMachine};

use crate::plain::{self, Plain};

/// An argument list.
pub(crate) struct Checked {
    call: ExprCall,
    names: BTreeSet<String>,
    /// Whether its text means what the parser made of it: see `plain::means_itself`.
    plain: bool,
}

impl Checked {
    /// The names that the arguments take from outside.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The arguments as objects, if they are positional and plain data written down.
    pub(crate) fn plain(&self, vm: &VirtualMachine) -> Option<Vec<PyObjectRef>> {
        if !self.plain || !self.names.is_empty() || !self.call.arguments.keywords.is_empty() {
            return None;
        }
        let mut plain = Plain::new(vm);
        self.call.arguments.args.iter().map(|argument| plain.object(argument)).collect()
    }
}

/// The arguments, or why the text is not an argument list.
pub(crate) fn check(text: &str) -> Result<Checked, String> {
    let source = format!("f({text}\n)");
    let parsed = parse_expression(&source).map_err(|error| error.error.to_string())?;
    let Expr::Call(call) = *parsed.into_syntax().body else {
        return Err("the text closes the call and goes on".to_owned());
    };
    // `1)(2` parses as a call of a call, `1) if x else f(2` as something else altogether.
    if !matches!(&*call.func, Expr::Name(name) if name.range().start().to_u32() == 0)
        || call.range().end().to_usize() != source.len()
    {
        return Err("the text closes the call and goes on".to_owned());
    }
    let mut names = Names::default();
    for argument in &call.arguments.args {
        names.visit_expr(argument);
    }
    for keyword in &call.arguments.keywords {
        names.visit_expr(&keyword.value);
    }
    match names.refused {
        Some(why) => Err(why),
        None => Ok(Checked { call, names: names.outer, plain: plain::means_itself(text) }),
    }
}

/// Collects names that are read but not bound by a lambda or comprehension around them.
#[derive(Default)]
struct Names {
    bound: Vec<String>,
    outer: BTreeSet<String>,
    refused: Option<String>,
}

impl Names {
    fn bind_parameters(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter() {
            self.bound.push(parameter.name().to_string());
        }
    }

    fn bind_target(&mut self, target: &Expr) {
        match target {
            Expr::Name(name) => self.bound.push(name.id.to_string()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|item| self.bind_target(item)),
            Expr::List(list) => list.elts.iter().for_each(|item| self.bind_target(item)),
            Expr::Starred(starred) => self.bind_target(&starred.value),
            // Attributes and subscripts bind no name; walking the target reads what they need.
            _ => {}
        }
    }

    fn comprehension(&mut self, generators: &[Comprehension], results: &[&Expr]) {
        let before = self.bound.len();
        for generator in generators {
            self.bind_target(&generator.target);
            walk_comprehension(self, generator);
        }
        for result in results {
            self.visit_expr(result);
        }
        self.bound.truncate(before);
    }
}

impl<'a> Visitor<'a> for Names {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
                if !self.bound.iter().any(|bound| bound == name.id.as_str()) {
                    self.outer.insert(name.id.to_string());
                }
            }
            Expr::Lambda(lambda) => {
                let before = self.bound.len();
                if let Some(parameters) = &lambda.parameters {
                    for parameter in parameters.iter_non_variadic_params() {
                        if let Some(default) = &parameter.default {
                            self.visit_expr(default);
                        }
                    }
                    self.bind_parameters(parameters);
                }
                self.visit_expr(&lambda.body);
                self.bound.truncate(before);
            }
            Expr::ListComp(comp) => self.comprehension(&comp.generators, &[&comp.elt]),
            Expr::SetComp(comp) => self.comprehension(&comp.generators, &[&comp.elt]),
            Expr::Generator(comp) => self.comprehension(&comp.generators, &[&comp.elt]),
            Expr::DictComp(comp) => match &comp.key {
                Some(key) => self.comprehension(&comp.generators, &[key, &comp.value]),
                None => self.comprehension(&comp.generators, &[&comp.value]),
            },
            Expr::Named(_) => self.refused = Some("the arguments assign a name".to_owned()),
            Expr::Await(_) | Expr::Yield(_) | Expr::YieldFrom(_) => {
                self.refused = Some("the arguments are not plain expressions".to_owned());
            }
            _ => walk_expr(self, expr),
        }
    }
}
