//! The walk over expressions that fills [`Scopes`](super::scope::Scopes).

use ruff_python_ast::{
    Comprehension, Expr, ExprCall, ExprContext, ExprName, FStringPart, InterpolatedStringElement,
    InterpolatedStringElements, Number, Operator,
};

use super::collect::{Collector, address};
use super::form::Mode;
use super::scope::{Callee, How, Position, ScopeId, ScopeKind};
use super::vocabulary as words;

impl<'a> Collector<'a> {
    pub(super) fn value(&mut self, expr: &'a Expr, scope: ScopeId) {
        self.expr(expr, scope, Position::Value);
    }

    fn values(&mut self, exprs: impl IntoIterator<Item = &'a Expr>, scope: ScopeId) {
        for expr in exprs {
            self.value(expr, scope);
        }
    }

    pub(super) fn expr(&mut self, expr: &'a Expr, scope: ScopeId, position: Position) {
        match expr {
            Expr::BoolOp(node) => self.values(&node.values, scope),
            Expr::Named(node) => {
                self.value(&node.value, scope);
                if let Expr::Name(target) = &*node.target {
                    let sym = self.sym(target.id.as_str());
                    self.scopes.bind_walrus(scope, sym);
                }
            }
            Expr::BinOp(node) => {
                self.operator(node.op, &node.left, &node.right);
                self.value(&node.left, scope);
                self.value(&node.right, scope);
            }
            Expr::UnaryOp(node) => self.value(&node.operand, scope),
            Expr::Lambda(node) => {
                self.scopes.anonymous.push((scope, position));
                let inner = self.scopes.open(ScopeKind::Lambda, scope, None);
                self.scopes.by_node.insert(address(node), inner);
                if let Some(parameters) = &node.parameters {
                    self.defaults(parameters, scope);
                    self.parameters(parameters, inner);
                }
                self.value(&node.body, inner);
            }
            Expr::If(node) => self.values([&*node.test, &*node.body, &*node.orelse], scope),
            Expr::Dict(node) => {
                for item in &node.items {
                    self.maybe(item.key.as_ref(), scope);
                    self.value(&item.value, scope);
                }
            }
            Expr::Set(node) => self.values(&node.elts, scope),
            Expr::ListComp(node) => {
                self.comprehension(address(node), [Some(&*node.elt), None], &node.generators, scope)
            }
            Expr::SetComp(node) => self.comprehension(address(node), [Some(&*node.elt), None], &node.generators, scope),
            Expr::DictComp(node) => {
                self.comprehension(address(node), [node.key.as_deref(), Some(&*node.value)], &node.generators, scope);
            }
            Expr::Generator(node) => {
                self.scopes.anonymous.push((scope, position));
                self.comprehension(address(node), [Some(&*node.elt), None], &node.generators, scope);
            }
            Expr::Await(node) => self.value(&node.value, scope),
            Expr::Yield(node) => {
                self.scopes.scopes[scope as usize].generator = true;
                self.maybe(node.value.as_deref(), scope);
            }
            Expr::YieldFrom(node) => {
                self.scopes.scopes[scope as usize].generator = true;
                self.value(&node.value, scope);
            }
            Expr::Compare(node) => {
                self.value(&node.left, scope);
                self.values(&node.comparators, scope);
            }
            Expr::Call(node) => self.call(node, scope),
            Expr::FString(node) => {
                for part in &node.value {
                    match part {
                        FStringPart::Literal(literal) => self.text(&literal.value),
                        FStringPart::FString(inner) => self.interpolated(&inner.elements, scope, false),
                    }
                }
            }
            // A template keeps the text of its expressions.
            Expr::TString(_) | Expr::Constant(_) | Expr::IpyEscapeCommand(_) => self.scopes.raise(Mode::AsWritten),
            Expr::StringLiteral(node) => self.text(node.value.to_str()),
            Expr::BytesLiteral(_) | Expr::NumberLiteral(_) | Expr::BooleanLiteral(_) => {}
            Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) => {}
            Expr::Attribute(node) => {
                let attr = node.attr.as_str();
                self.attribute(attr, &node.value);
                if node.ctx == ExprContext::Store {
                    self.scopes.stored_attributes.insert(attr);
                }
                self.expr(&node.value, scope, Position::Callee);
            }
            Expr::Subscript(node) => self.values([&*node.value, &*node.slice], scope),
            Expr::Starred(node) => self.value(&node.value, scope),
            Expr::Name(node) => self.name(node, scope, position),
            Expr::List(node) => self.values(&node.elts, scope),
            Expr::Tuple(node) => self.values(&node.elts, scope),
            Expr::Slice(node) => {
                for part in [&node.lower, &node.upper, &node.step] {
                    self.maybe(part.as_deref(), scope);
                }
            }
        }
    }

    fn name(&mut self, node: &'a ExprName, scope: ScopeId, position: Position) {
        let text = node.id.as_str();
        let sym = self.sym(text);
        match node.ctx {
            ExprContext::Load | ExprContext::Invalid => {
                self.scopes.loads.push((scope, sym, position));
                self.scopes.stringifies |= words::STRINGIFIERS.contains(&text);
                if words::REFLECTIVE_NAMES.binary_search(&text).is_ok() {
                    self.scopes.raise(Mode::AsWritten);
                }
                if self.caught.contains(&sym) {
                    // An exception's message may hold any name of the program.
                    self.scopes.raise(Mode::KeepNames);
                }
            }
            ExprContext::Store | ExprContext::Del => self.scopes.bind(scope, sym, How::Assign),
        }
    }

    fn comprehension(
        &mut self,
        node: usize,
        results: [Option<&'a Expr>; 2],
        parts: &'a [Comprehension],
        scope: ScopeId,
    ) {
        let inner = self.scopes.open(ScopeKind::Comprehension, scope, None);
        self.scopes.by_node.insert(node, inner);
        for (index, part) in parts.iter().enumerate() {
            // The first iterable is evaluated outside.
            self.expr(&part.iter, if index == 0 { scope } else { inner }, Position::Consumed);
            self.value(&part.target, inner);
            self.values(&part.ifs, inner);
        }
        results.into_iter().for_each(|result| self.maybe(result, inner));
    }

    pub(super) fn call(&mut self, node: &'a ExprCall, scope: ScopeId) {
        self.expr(&node.func, scope, Position::Callee);
        let (callee, last) = match &*node.func {
            Expr::Name(name) => (Callee::Name(self.sym(name.id.as_str())), name.id.as_str()),
            Expr::Attribute(attribute) => {
                let base = match &*attribute.value {
                    Expr::Name(name) => Some(self.sym(name.id.as_str())),
                    _ => None,
                };
                (Callee::Method { base, name: attribute.attr.as_str() }, attribute.attr.as_str())
            }
            _ => (Callee::Other, ""),
        };
        if last == "getattr" && !is_plain_member(node.arguments.args.get(1)) {
            self.scopes.raise(Mode::AsWritten);
        }
        for (index, argument) in node.arguments.args.iter().enumerate() {
            self.expr(argument, scope, argument_position(last, &node.func, index, argument));
        }
        for keyword in &node.arguments.keywords {
            let position = match &keyword.arg {
                Some(name) if name.as_str() == "key" => match last {
                    "max" | "min" | "sorted" | "sort" | "groupby" => Position::Consumed,
                    _ => Position::Value,
                },
                _ => Position::Value,
            };
            self.expr(&keyword.value, scope, position);
            match &keyword.arg {
                Some(name) => {
                    let sym = self.sym(name.as_str());
                    self.scopes.keywords.push((scope, callee, sym));
                }
                None => self.scopes.double_star = true,
            }
        }
    }

    fn interpolated(&mut self, elements: &'a InterpolatedStringElements, scope: ScopeId, in_spec: bool) {
        for element in elements {
            match element {
                InterpolatedStringElement::Literal(literal) => {
                    self.text(&literal.value);
                    if in_spec && literal.value.contains(['{', '}', '\\', '\'', '"', '\n']) {
                        self.scopes.raise(Mode::AsWritten);
                    }
                }
                InterpolatedStringElement::Interpolation(part) => {
                    self.scopes.stringifies = true;
                    if part.debug_text.is_some() {
                        // `f"{x=}"` shows the expression as it is written.
                        self.scopes.raise(Mode::AsWritten);
                    }
                    self.value(&part.expression, scope);
                    if let Some(spec) = &part.format_spec {
                        self.interpolated(&spec.elements, scope, true);
                    }
                }
            }
        }
    }

    /// The parser replaces lone surrogates: a text that might hold one is not told apart from another.
    fn text(&mut self, text: &str) {
        if text.contains('\u{fffd}') {
            self.scopes.raise(Mode::AsWritten);
        }
    }

    /// `%` formats where its right side may be more than a number.
    pub(super) fn operator(&mut self, op: Operator, left: &Expr, right: &Expr) {
        let number =
            |expr: &Expr| matches!(expr, Expr::NumberLiteral(node) if !matches!(node.value, Number::Complex { .. }));
        self.scopes.stringifies |= op == Operator::Mod && !number(left) && !number(right);
    }

    fn attribute(&mut self, attr: &str, base: &Expr) {
        self.member(attr);
        self.scopes.stringifies |= words::STRINGIFYING_ATTRIBUTES.contains(&attr);
        if attr == "format" {
            // A template that is built at run time can ask for any attribute of what it formats.
            let plain = matches!(base, Expr::StringLiteral(node) if !node.value.to_str().contains("__"));
            if !plain {
                self.scopes.raise(Mode::AsWritten);
            }
        }
    }

    /// An attribute or imported member: what could it show?
    pub(super) fn member(&mut self, name: &str) {
        let reflective = words::REFLECTIVE_ATTRIBUTES.binary_search(&name).is_ok()
            || words::REFLECTIVE_NAMES.binary_search(&name).is_ok()
            || words::REFLECTIVE_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let dunder = name.starts_with("__") && name.ends_with("__");
        if words::NAMING_ATTRIBUTES.contains(&name) || words::EXCEPTION_HANDLERS.contains(&name) {
            self.scopes.raise(Mode::KeepNames);
        } else if reflective || (dunder && words::PLAIN_DUNDERS.binary_search(&name).is_err()) {
            self.scopes.raise(Mode::AsWritten);
        }
    }
}

/// True for the literal name of an attribute that shows nothing.
fn is_plain_member(argument: Option<&Expr>) -> bool {
    matches!(argument, Some(Expr::StringLiteral(node)) if !node.value.to_str().contains("__")
        && words::REFLECTIVE_ATTRIBUTES.binary_search(&node.value.to_str()).is_err()
        && !words::REFLECTIVE_PREFIXES.iter().any(|prefix| node.value.to_str().starts_with(prefix)))
}

/// Where argument `index` of a call of `name` goes.
fn argument_position(name: &str, callee: &Expr, index: usize, argument: &Expr) -> Position {
    let generator = matches!(argument, Expr::Generator(_));
    let consumed = match (callee, index) {
        (Expr::Attribute(_), 0) if name == "join" => generator,
        (_, 0) if generator => words::TAKE_GENERATOR.contains(&name),
        (_, 0) => words::TAKE_FUNCTION_FIRST.contains(&name),
        (_, 1) => {
            words::TAKE_FUNCTION_SECOND.contains(&name) || (generator && matches!(name, "map" | "filter" | "reduce"))
        }
        _ => false,
    };
    if consumed { Position::Consumed } else { Position::Value }
}
