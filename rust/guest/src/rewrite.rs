//! The second setting of entropy, where the interpreter unpacks a set without asking for its iterator.
//!
//! `[*s]`, `f(*s)`, `a, b = s`, and `tuple(s)` in a loop that has run a while, read an exact set's elements
//! directly. Under the second setting their operands are wrapped in a call that gives the set's (turned
//! over) iterator instead. No line is added, so tracebacks stay right.

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{Expr, ExprContext, Stmt};
use ruff_python_parser::parse_module;
use ruff_text_size::Ranged;

/// `source` with every unpacked operand wrapped, if it parses and has any.
pub(crate) fn unpack_by_iterator(source: &str) -> Option<String> {
    let parsed = parse_module(source).ok()?;
    let mut operands = Operands(Vec::new());
    operands.visit_body(parsed.suite());
    if operands.0.is_empty() {
        return None;
    }
    // Insertions from the last to the first: earlier ones do not move later places.
    operands.0.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let mut rewritten = source.to_owned();
    for (at, text) in operands.0 {
        rewritten.insert_str(at, text);
    }
    Some(rewritten)
}

/// Places and what to insert there.
struct Operands(Vec<(usize, &'static str)>);

impl Operands {
    fn wrap(&mut self, operand: &Expr) {
        self.0.push((operand.range().end().to_usize(), "))"));
        self.0.push((operand.range().start().to_usize(), "(__azr_unpacked__("));
    }
}

impl<'a> Visitor<'a> for Operands {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::Assign(assign) = stmt
            && assign.targets.iter().any(|target| matches!(target, Expr::Tuple(_) | Expr::List(_)))
            && matches!(*assign.value, Expr::Name(_) | Expr::Call(_) | Expr::Attribute(_))
        {
            self.wrap(&assign.value);
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Starred(starred) = expr
            && matches!(starred.ctx, ExprContext::Load)
            && matches!(
                *starred.value,
                Expr::Name(_) | Expr::Call(_) | Expr::Attribute(_) | Expr::Set(_) | Expr::SetComp(_) | Expr::Subscript(_)
            )
        {
            self.wrap(&starred.value);
        }
        if let Expr::Call(call) = expr
            && matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "tuple")
            && let [operand] = &*call.arguments.args
            && !matches!(operand, Expr::Starred(_) | Expr::Generator(_))
        {
            self.wrap(operand);
        }
        walk_expr(self, expr);
    }
}
