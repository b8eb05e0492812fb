//! The canonical text of expressions: brackets only where the grammar needs them, literals in one spelling.

use std::fmt::Write as _;

use ruff_python_ast::{
    Arguments, CmpOp, Comprehension, ConversionFlag, Expr, ExprCall, FStringPart, InterpolatedStringElement,
    InterpolatedStringElements, Number, Operator, UnaryOp,
};

use super::collect::address;
use super::precedence as level;
use super::scope::{ScopeId, Scopes};
use super::vocabulary as words;
use super::write::Writer;

fn operator_level(op: Operator) -> u8 {
    match op {
        Operator::Add | Operator::Sub => level::SUM,
        Operator::Mult | Operator::MatMult | Operator::Div | Operator::Mod | Operator::FloorDiv => level::PRODUCT,
        Operator::Pow => level::POWER,
        Operator::LShift | Operator::RShift => level::SHIFT,
        Operator::BitOr => level::BIT_OR,
        Operator::BitXor => level::BIT_XOR,
        Operator::BitAnd => level::BIT_AND,
    }
}

fn level_of(expr: &Expr) -> u8 {
    match expr {
        Expr::Named(_) | Expr::Yield(_) | Expr::YieldFrom(_) => level::BRACKETED,
        Expr::Starred(_) | Expr::Slice(_) => level::ANY,
        Expr::Lambda(_) => level::TEST,
        Expr::If(_) => level::IF,
        Expr::BoolOp(node) => match node.op {
            ruff_python_ast::BoolOp::Or => level::OR,
            ruff_python_ast::BoolOp::And => level::AND,
        },
        Expr::UnaryOp(node) if node.op == UnaryOp::Not => level::NOT,
        Expr::UnaryOp(_) => level::UNARY,
        Expr::Compare(_) => level::COMPARE,
        Expr::BinOp(node) => operator_level(node.op),
        Expr::Await(_) => level::AWAIT,
        Expr::Call(_) | Expr::Attribute(_) | Expr::Subscript(_) => level::POSTFIX,
        // `1.real` is read as a float.
        Expr::NumberLiteral(_) => level::AWAIT,
        _ => level::ATOM,
    }
}

impl Writer<'_, '_> {
    /// Write `expr` where an expression that binds at least as tightly as `place` may stand.
    pub(super) fn expr(&mut self, expr: &Expr, place: u8, scope: ScopeId) {
        let bracket = level_of(expr) < place;
        if bracket {
            self.out.push('(');
        }
        self.bare(expr, scope);
        if bracket {
            self.out.push(')');
        }
    }

    fn bare(&mut self, expr: &Expr, scope: ScopeId) {
        match expr {
            Expr::BoolOp(node) => {
                let inner = level_of(expr) + 1;
                for (index, value) in node.values.iter().enumerate() {
                    if index > 0 {
                        self.word(node.op.as_str());
                    }
                    self.expr(value, inner, scope);
                }
            }
            Expr::Named(node) => {
                self.expr(&node.target, level::ATOM, scope);
                self.push(":=");
                self.expr(&node.value, level::TEST, scope);
            }
            Expr::BinOp(node) => {
                let own = operator_level(node.op);
                let (left, right) =
                    if node.op == Operator::Pow { (level::AWAIT, level::UNARY) } else { (own, own + 1) };
                self.expr(&node.left, left, scope);
                self.push(node.op.as_str());
                self.expr(&node.right, right, scope);
            }
            Expr::UnaryOp(node) => {
                self.push(if node.op == UnaryOp::Not { "not " } else { node.op.as_str() });
                self.expr(&node.operand, level_of(expr), scope);
            }
            Expr::Lambda(node) => {
                let inner = self.scopes.by_node[&address(node)];
                self.push("lambda");
                if let Some(parameters) = &node.parameters {
                    self.push(" ");
                    self.parameters(parameters, scope, inner, None);
                }
                self.push(":");
                self.expr(&node.body, level::TEST, inner);
            }
            Expr::If(node) => {
                self.expr(&node.body, level::OR, scope);
                self.push(" if ");
                self.expr(&node.test, level::OR, scope);
                self.push(" else ");
                self.expr(&node.orelse, level::TEST, scope);
            }
            Expr::Dict(node) => {
                self.push("{");
                for (index, item) in node.items.iter().enumerate() {
                    self.comma(index);
                    self.pair(item.key.as_ref(), &item.value, scope);
                }
                self.push("}");
            }
            Expr::Set(node) => self.bracketed("{", &node.elts, "}", scope),
            Expr::ListComp(node) => {
                self.comprehension("[", address(node), (None, &node.elt), &node.generators, "]", scope)
            }
            Expr::SetComp(node) => {
                self.comprehension("{", address(node), (None, &node.elt), &node.generators, "}", scope)
            }
            Expr::Generator(node) => {
                self.comprehension("(", address(node), (None, &node.elt), &node.generators, ")", scope)
            }
            Expr::DictComp(node) => {
                let pair = (Some(node.key.as_deref()), &*node.value);
                self.comprehension("{", address(node), pair, &node.generators, "}", scope);
            }
            Expr::Await(node) => {
                self.push("await ");
                self.expr(&node.value, level::POSTFIX, scope);
            }
            Expr::Yield(node) => {
                self.push("yield");
                if let Some(value) = &node.value {
                    self.push(" ");
                    self.expr(value, level::ANY, scope);
                }
            }
            Expr::YieldFrom(node) => {
                self.push("yield from ");
                self.expr(&node.value, level::ANY, scope);
            }
            Expr::Compare(node) => {
                self.expr(&node.left, level::BIT_OR, scope);
                for (op, right) in node.ops.iter().zip(&node.comparators) {
                    match op {
                        CmpOp::Is | CmpOp::IsNot | CmpOp::In | CmpOp::NotIn => self.word(op.as_str()),
                        _ => self.push(op.as_str()),
                    }
                    self.expr(right, level::BIT_OR, scope);
                }
            }
            Expr::Call(node) => self.call(node, scope),
            Expr::FString(node) => {
                self.push("f'");
                for part in &node.value {
                    match part {
                        FStringPart::Literal(literal) => self.escape(literal.value.as_bytes(), true, true),
                        FStringPart::FString(inner) => self.interpolated(&inner.elements, scope),
                    }
                }
                self.push("'");
            }
            Expr::StringLiteral(node) => {
                self.push("'");
                for part in &node.value {
                    self.escape(part.value.as_bytes(), true, false);
                }
                self.push("'");
            }
            Expr::BytesLiteral(node) => {
                self.push("b'");
                for part in &node.value {
                    self.escape(&part.value, false, false);
                }
                self.push("'");
            }
            Expr::NumberLiteral(node) => self.number(&node.value),
            Expr::BooleanLiteral(node) => self.push(if node.value { "True" } else { "False" }),
            Expr::NoneLiteral(_) => self.push("None"),
            Expr::EllipsisLiteral(_) => self.push("..."),
            Expr::Attribute(node) => {
                self.expr(&node.value, level::POSTFIX, scope);
                self.push(".");
                self.push(node.attr.as_str());
            }
            Expr::Subscript(node) => {
                self.expr(&node.value, level::POSTFIX, scope);
                self.push("[");
                match &*node.slice {
                    // A slice may not stand in brackets of its own.
                    Expr::Tuple(tuple) if !tuple.elts.is_empty() => self.tuple_items(&tuple.elts, scope),
                    other => self.expr(other, level::ANY, scope),
                }
                self.push("]");
            }
            Expr::Starred(node) => {
                self.push("*");
                self.expr(&node.value, level::BIT_OR, scope);
            }
            Expr::Name(node) => self.variable(node.id.as_str(), scope),
            Expr::List(node) => self.bracketed("[", &node.elts, "]", scope),
            Expr::Tuple(node) => {
                self.push("(");
                self.tuple_items(&node.elts, scope);
                self.push(")");
            }
            Expr::Slice(node) => {
                for (part, before) in [(&node.lower, ""), (&node.upper, ":"), (&node.step, ":")] {
                    // `a[:]` and `a[::]` mean the same.
                    if part.is_some()
                        || before == ":" && self.out.as_bytes().last() != Some(&b':')
                        || node.step.is_some()
                    {
                        self.push(before);
                    }
                    if let Some(part) = part {
                        self.expr(part, level::TEST, scope);
                    }
                }
            }
            Expr::TString(_) | Expr::Constant(_) | Expr::IpyEscapeCommand(_) => {
                unreachable!("a program that holds one is kept as it is written")
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.push(" ");
        self.push(word);
        self.push(" ");
    }

    fn pair(&mut self, key: Option<&Expr>, value: &Expr, scope: ScopeId) {
        match key {
            Some(key) => {
                self.expr(key, level::TEST, scope);
                self.push(":");
                self.expr(value, level::TEST, scope);
            }
            None => {
                self.push("**");
                self.expr(value, level::BIT_OR, scope);
            }
        }
    }

    pub(super) fn list(&mut self, items: &[Expr], scope: ScopeId) {
        for (index, item) in items.iter().enumerate() {
            self.comma(index);
            self.expr(item, level::ANY, scope);
        }
    }

    fn bracketed(&mut self, open: &str, items: &[Expr], close: &str, scope: ScopeId) {
        self.push(open);
        self.list(items, scope);
        self.push(close);
    }

    fn tuple_items(&mut self, items: &[Expr], scope: ScopeId) {
        self.list(items, scope);
        if items.len() == 1 {
            self.push(",");
        }
    }

    /// `result` is an element, or a key (none for `**`) and a value.
    fn comprehension(
        &mut self,
        open: &str,
        node: usize,
        result: (Option<Option<&Expr>>, &Expr),
        parts: &[Comprehension],
        close: &str,
        scope: ScopeId,
    ) {
        let inner = self.scopes.by_node[&node];
        self.push(open);
        match result {
            (None, element) => self.expr(element, level::ANY, inner),
            (Some(key), value) => self.pair(key, value, inner),
        }
        for (index, part) in parts.iter().enumerate() {
            self.push(if part.is_async { " async for " } else { " for " });
            self.expr(&part.target, level::ANY, inner);
            self.push(" in ");
            self.expr(&part.iter, level::OR, if index == 0 { scope } else { inner });
            for condition in &part.ifs {
                self.push(" if ");
                self.expr(condition, level::OR, inner);
            }
        }
        self.push(close);
    }

    pub(super) fn call(&mut self, node: &ExprCall, scope: ScopeId) {
        self.expr(&node.func, level::POSTFIX, scope);
        let function = match &*node.func {
            Expr::Name(name) => sole_function(self.scopes, name.id.as_str(), scope),
            _ => None,
        };
        self.arguments(&node.arguments, function, scope);
    }

    /// Write `(...)`; `function` is the scope of the function that is called, where only one can be.
    pub(super) fn arguments(&mut self, node: &Arguments, function: Option<ScopeId>, scope: ScopeId) {
        self.push("(");
        self.list(&node.args, scope);
        for (index, keyword) in node.keywords.iter().enumerate() {
            self.comma(index + node.args.len());
            match &keyword.arg {
                Some(name) => {
                    let parameter = function.and_then(|function| {
                        self.scopes.symbol(name.as_str()).and_then(|sym| self.scopes.parameter(function, sym))
                    });
                    match parameter {
                        Some(id) => self.binding(id),
                        None => self.push(name.as_str()),
                    }
                    self.push("=");
                    self.expr(&keyword.value, level::TEST, scope);
                }
                None => {
                    self.push("**");
                    self.expr(&keyword.value, level::BIT_OR, scope);
                }
            }
        }
        self.push(")");
    }

    fn interpolated(&mut self, elements: &InterpolatedStringElements, scope: ScopeId) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => self.escape(literal.value.as_bytes(), true, true),
                InterpolatedStringElement::Interpolation(part) => {
                    self.push("{");
                    let before = self.out.len();
                    // A bare lambda would end at its colon.
                    self.expr(&part.expression, level::IF, scope);
                    if self.out.as_bytes().get(before) == Some(&b'{') {
                        self.out.insert(before, ' ');
                    }
                    self.push(match part.conversion {
                        ConversionFlag::None => "",
                        ConversionFlag::Str => "!s",
                        ConversionFlag::Ascii => "!a",
                        ConversionFlag::Repr => "!r",
                    });
                    if let Some(spec) = &part.format_spec {
                        self.push(":");
                        self.interpolated(&spec.elements, scope);
                    }
                    self.push("}");
                }
            }
        }
    }

    fn number(&mut self, number: &Number) {
        let float = |value: f64| {
            // A literal too large for a float is infinite, and no other literal is.
            if value.is_infinite() { "1e999".to_owned() } else { format!("{value:?}") }
        };
        match number {
            Number::Int(value) => write!(self.out, "{value}").expect("writing to a string does not fail"),
            Number::Float(value) => self.push(&float(*value)),
            Number::Complex { imag, .. } => {
                self.push(&float(*imag));
                self.push("j");
            }
        }
    }

    /// Write the inside of a single-quoted literal; `text` is UTF-8 and keeps what is beyond ASCII.
    fn escape(&mut self, bytes: &[u8], text: bool, interpolated: bool) {
        let plain = |byte: u8| {
            ((b' '..0x7f).contains(&byte) && byte != b'\'' && byte != b'\\' || text && byte >= 0x80)
                && !(interpolated && matches!(byte, b'{' | b'}'))
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let run = rest.iter().position(|byte| !plain(*byte)).unwrap_or(rest.len());
            // Special bytes are ASCII, so a run ends at a character boundary.
            self.out.push_str(std::str::from_utf8(&rest[..run]).expect("a run of a UTF-8 text is UTF-8"));
            rest = &rest[run..];
            if let Some((byte, after)) = rest.split_first() {
                match byte {
                    b'\'' => self.push("\\'"),
                    b'\\' => self.push("\\\\"),
                    b'\n' => self.push("\\n"),
                    b'{' => self.push("{{"),
                    b'}' => self.push("}}"),
                    other => write!(self.out, "\\x{other:02x}").expect("writing to a string does not fail"),
                }
                rest = after;
            }
        }
    }

    /// True for an annotation that cannot fail or be seen: builtin types, `None`, quoted text.
    pub(super) fn is_idle_annotation(&self, expr: &Expr, scope: ScopeId) -> bool {
        let builtin = |expr: &Expr, allowed: &[&str]| {
            matches!(expr, Expr::Name(node) if allowed.contains(&node.id.as_str())
                && self.scopes.symbol(node.id.as_str()).and_then(|sym| self.scopes.resolve(scope, sym)).is_none())
        };
        match expr {
            Expr::NoneLiteral(_) | Expr::StringLiteral(_) => true,
            Expr::Name(_) => builtin(expr, words::PLAIN_TYPES),
            Expr::Subscript(node) => {
                builtin(&node.value, words::GENERIC_TYPES)
                    && match &*node.slice {
                        Expr::Tuple(tuple) => tuple.elts.iter().all(|part| self.is_idle_argument(part, scope)),
                        other => self.is_idle_argument(other, scope),
                    }
            }
            // `int | None` is a type; `None | None` and `int | 'x'` are errors.
            Expr::BinOp(node) => {
                let quoted = |side: &Expr| matches!(side, Expr::StringLiteral(_));
                node.op == Operator::BitOr
                    && !quoted(&node.left)
                    && !quoted(&node.right)
                    && !matches!(*node.left, Expr::NoneLiteral(_))
                    && self.is_idle_annotation(&node.left, scope)
                    && self.is_idle_annotation(&node.right, scope)
            }
            _ => false,
        }
    }

    fn is_idle_argument(&self, expr: &Expr, scope: ScopeId) -> bool {
        matches!(expr, Expr::EllipsisLiteral(_)) || self.is_idle_annotation(expr, scope)
    }
}

/// The function that a call of `name` reaches, if it can only be one.
fn sole_function(scopes: &Scopes<'_>, name: &str, scope: ScopeId) -> Option<ScopeId> {
    let id = scopes.resolve(scope, scopes.symbol(name)?)?;
    scopes.sole_function(id)
}
