//! The canonical text of a program: valid Python that means the same, with every free choice made one way.

use std::fmt::Write as _;

use ruff_python_ast::{
    Alias, Decorator, ExceptHandler, Expr, Parameters, Pattern, PatternMatchAs, PatternMatchClass, PatternMatchMapping,
    Singleton, Stmt, StmtAnnAssign, StmtClassDef, StmtFunctionDef, StmtIf, StmtMatch, StmtTry, TypeParam, TypeParams,
};

use super::collect::{address, bound_name, is_constant};
use super::form::{ENTRY, Mode};
use super::precedence as level;
use super::scope::{ScopeId, ScopeKind, Scopes};

/// Writes one program, or one input, over the scopes that were settled for it.
pub(super) struct Writer<'s, 'a> {
    pub(super) scopes: &'s mut Scopes<'a>,
    pub(super) out: String,
    indent: usize,
    next: u32,
}

impl<'s, 'a> Writer<'s, 'a> {
    pub(super) fn new(scopes: &'s mut Scopes<'a>, capacity: usize) -> Self {
        Self { scopes, out: String::with_capacity(capacity), indent: 0, next: 0 }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Write the name of the variable that `text` means in `scope`.
    pub(super) fn variable(&mut self, text: &str, scope: ScopeId) {
        let id = self.scopes.symbol(text).and_then(|sym| self.scopes.resolve(scope, sym));
        match id {
            Some(id) => self.binding(id),
            None => self.push(text),
        }
    }

    pub(super) fn binding(&mut self, id: u32) {
        let entry = self.scopes.entry == Some(id);
        let keep_all = self.scopes.mode > Mode::Rename;
        let binding = &mut self.scopes.bindings[id as usize];
        if keep_all || binding.keep {
            let text = self.scopes.texts[binding.sym as usize];
            self.out.push_str(text);
        } else if entry {
            self.out.push_str(ENTRY);
        } else {
            let next = &mut self.next;
            let ordinal = *binding.ordinal.get_or_insert_with(|| {
                *next += 1;
                *next - 1
            });
            write!(self.out, "_{ordinal}").expect("writing to a string does not fail");
        }
    }

    pub(super) fn body(&mut self, body: &[Stmt], scope: ScopeId) {
        let start = self.out.len();
        let mut rest = body;
        while let Some((first, after)) = rest.split_first() {
            let run = import_run_length(rest);
            if run > 0 {
                self.import_run(&rest[..run], scope);
                rest = &rest[run..];
            } else {
                self.statement(first, scope);
                rest = after;
            }
        }
        if self.out.len() == start && scope_needs_body(self.indent) {
            self.line("pass");
        }
    }

    pub(super) fn start_line(&mut self) {
        for _ in 0..self.indent {
            self.out.push(' ');
        }
    }

    fn line(&mut self, text: &str) {
        self.start_line();
        self.push(text);
        self.out.push('\n');
    }

    fn block(&mut self, body: &[Stmt], scope: ScopeId) {
        self.push(":\n");
        self.indent += 1;
        self.body(body, scope);
        self.indent -= 1;
    }

    fn else_block(&mut self, keyword: &str, body: &[Stmt], scope: ScopeId) {
        if !body.is_empty() {
            self.start_line();
            self.push(keyword);
            self.block(body, scope);
        }
    }

    fn statement(&mut self, statement: &Stmt, scope: ScopeId) {
        match statement {
            Stmt::Pass(_) => return,
            Stmt::Expr(node) if is_constant(&node.value) => return,
            _ => self.start_line(),
        }
        match statement {
            Stmt::FunctionDef(node) => return self.function(node, scope),
            Stmt::ClassDef(node) => return self.class(node, scope),
            Stmt::For(node) => {
                self.push(if node.is_async { "async for " } else { "for " });
                self.expr(&node.target, level::STAR, scope);
                self.push(" in ");
                self.expr(&node.iter, level::ANY, scope);
                self.block(&node.body, scope);
                return self.else_block("else", &node.orelse, scope);
            }
            Stmt::While(node) => {
                self.push("while ");
                self.expr(&node.test, level::ANY, scope);
                self.block(&node.body, scope);
                return self.else_block("else", &node.orelse, scope);
            }
            Stmt::If(node) => return self.if_statement(node, scope),
            Stmt::With(node) => {
                self.push(if node.is_async { "async with " } else { "with " });
                for (index, item) in node.items.iter().enumerate() {
                    self.comma(index);
                    // Without its own brackets a tuple would be read as several items.
                    let tuple = matches!(item.context_expr, Expr::Tuple(_));
                    self.push(if tuple { "(" } else { "" });
                    self.expr(&item.context_expr, level::ANY, scope);
                    self.push(if tuple { ")" } else { "" });
                    if let Some(target) = &item.optional_vars {
                        self.push(" as ");
                        self.expr(target, level::ANY, scope);
                    }
                }
                return self.block(&node.body, scope);
            }
            Stmt::Match(node) => return self.match_statement(node, scope),
            Stmt::Try(node) => return self.try_statement(node, scope),
            simple => self.simple(simple, scope),
        }
        self.out.push('\n');
    }

    fn simple(&mut self, statement: &Stmt, scope: ScopeId) {
        match statement {
            Stmt::Return(node) => {
                self.push("return");
                self.optional(" ", node.value.as_deref(), scope);
            }
            Stmt::Delete(node) => {
                self.push("del ");
                self.list(&node.targets, scope);
            }
            Stmt::TypeAlias(node) => {
                self.push("type ");
                self.expr(&node.name, level::ANY, scope);
                self.type_params(node.type_params.as_deref(), scope);
                self.push("=");
                self.expr(&node.value, level::ANY, scope);
            }
            Stmt::Assign(node) => {
                for target in &node.targets {
                    self.expr(target, level::STAR, scope);
                    self.push("=");
                }
                self.expr(&node.value, level::ANY, scope);
            }
            Stmt::AugAssign(node) => {
                self.expr(&node.target, level::ANY, scope);
                self.push(node.op.as_str());
                self.push("=");
                self.expr(&node.value, level::ANY, scope);
            }
            Stmt::AnnAssign(node) => self.annotated(node, scope),
            Stmt::Raise(node) => {
                self.push("raise");
                self.optional(" ", node.exc.as_deref(), scope);
                self.optional(" from ", node.cause.as_deref(), scope);
            }
            Stmt::Assert(node) => {
                self.push("assert ");
                self.expr(&node.test, level::ANY, scope);
                self.optional(",", node.msg.as_deref(), scope);
            }
            Stmt::Global(node) => self.names("global ", &node.names, scope),
            Stmt::Nonlocal(node) => self.names("nonlocal ", &node.names, scope),
            Stmt::Expr(node) => self.expr(&node.value, level::ANY, scope),
            Stmt::Break(_) => self.push("break"),
            Stmt::Continue(_) => self.push("continue"),
            _ => unreachable!("compound statements and imports are written elsewhere"),
        }
    }

    fn optional(&mut self, before: &str, expr: Option<&Expr>, scope: ScopeId) {
        if let Some(expr) = expr {
            self.push(before);
            self.expr(expr, level::ANY, scope);
        }
    }

    fn names(&mut self, keyword: &str, names: &[ruff_python_ast::Identifier], scope: ScopeId) {
        self.push(keyword);
        for (index, name) in names.iter().enumerate() {
            self.comma(index);
            self.variable(name.as_str(), scope);
        }
    }

    pub(super) fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
    }

    fn annotated(&mut self, node: &StmtAnnAssign, scope: ScopeId) {
        // In a function the annotation of a plain name is never evaluated.
        let idle =
            self.scopes.scope(scope).kind == ScopeKind::Function && node.simple && self.scopes.mode == Mode::Rename;
        let bracket = matches!(*node.target, Expr::Name(_)) && !node.simple;
        self.push(if bracket { "(" } else { "" });
        self.expr(&node.target, level::ANY, scope);
        self.push(if bracket { ")" } else { "" });
        match (idle, &node.value) {
            (true, Some(_)) => {}
            (true, None) => self.push(":0"),
            (false, _) => {
                self.push(":");
                self.expr(&node.annotation, level::ANY, scope);
            }
        }
        self.optional("=", node.value.as_deref(), scope);
    }

    fn decorators(&mut self, decorators: &[Decorator], scope: ScopeId) {
        for decorator in decorators {
            self.push("@");
            self.expr(&decorator.expression, level::ANY, scope);
            self.push("\n");
            self.start_line();
        }
    }

    fn function(&mut self, node: &StmtFunctionDef, scope: ScopeId) {
        self.decorators(&node.decorator_list, scope);
        self.push(if node.is_async { "async def " } else { "def " });
        self.variable(node.name.as_str(), scope);
        self.type_params(node.type_params.as_deref(), scope);
        let inner = self.scopes.by_node[&address(node)];
        let annotated = !node.decorator_list.is_empty() || self.scopes.mode > Mode::Rename;
        self.push("(");
        self.parameters(&node.parameters, scope, inner, Some(annotated));
        self.push(")");
        if let Some(returns) = &node.returns
            && (annotated || !self.is_idle_annotation(returns, scope))
        {
            self.push("->");
            self.expr(returns, level::ANY, scope);
        }
        self.block(&node.body, inner);
    }

    /// Write parameters; `annotated` is none for a lambda, else whether annotations without effect are written too.
    pub(super) fn parameters(&mut self, node: &Parameters, outer: ScopeId, inner: ScopeId, annotated: Option<bool>) {
        let mut index = 0;
        let mut separate = |writer: &mut Self| {
            writer.comma(index);
            index += 1;
        };
        let named = node.posonlyargs.iter().chain(&node.args);
        for (position, parameter) in named.enumerate() {
            separate(self);
            self.parameter(&parameter.parameter, outer, inner, annotated);
            self.optional_default(parameter.default.as_deref(), outer);
            if position + 1 == node.posonlyargs.len() {
                separate(self);
                self.push("/");
            }
        }
        if let Some(parameter) = &node.vararg {
            separate(self);
            self.push("*");
            self.parameter(parameter, outer, inner, annotated);
        } else if !node.kwonlyargs.is_empty() {
            separate(self);
            self.push("*");
        }
        for parameter in &node.kwonlyargs {
            separate(self);
            self.parameter(&parameter.parameter, outer, inner, annotated);
            self.optional_default(parameter.default.as_deref(), outer);
        }
        if let Some(parameter) = &node.kwarg {
            separate(self);
            self.push("**");
            self.parameter(parameter, outer, inner, annotated);
        }
    }

    fn optional_default(&mut self, default: Option<&Expr>, outer: ScopeId) {
        if let Some(default) = default {
            self.push("=");
            self.expr(default, level::TEST, outer);
        }
    }

    fn parameter(
        &mut self,
        node: &ruff_python_ast::Parameter,
        outer: ScopeId,
        inner: ScopeId,
        annotated: Option<bool>,
    ) {
        self.variable(node.name.as_str(), inner);
        if let (Some(always), Some(annotation)) = (annotated, &node.annotation)
            && (always || !self.is_idle_annotation(annotation, outer))
        {
            self.push(":");
            self.expr(annotation, level::STAR, outer);
        }
    }

    fn class(&mut self, node: &StmtClassDef, scope: ScopeId) {
        self.decorators(&node.decorator_list, scope);
        self.push("class ");
        self.variable(node.name.as_str(), scope);
        self.type_params(node.type_params.as_deref(), scope);
        if let Some(arguments) = node.arguments.as_ref().filter(|arguments| !arguments.is_empty()) {
            self.arguments(arguments, None, scope);
        }
        let inner = self.scopes.by_node[&address(node)];
        self.block(&node.body, inner);
    }

    fn type_params(&mut self, params: Option<&TypeParams>, scope: ScopeId) {
        let Some(params) = params else { return };
        self.push("[");
        for (index, param) in params.type_params.iter().enumerate() {
            self.comma(index);
            let (stars, name, bound, default) = match param {
                TypeParam::TypeVar(node) => ("", &node.name, node.bound.as_deref(), node.default.as_deref()),
                TypeParam::TypeVarTuple(node) => ("*", &node.name, None, node.default.as_deref()),
                TypeParam::ParamSpec(node) => ("**", &node.name, None, node.default.as_deref()),
            };
            self.push(stars);
            self.variable(name.as_str(), scope);
            self.optional(":", bound, scope);
            self.optional("=", default, scope);
        }
        self.push("]");
    }

    fn if_statement(&mut self, node: &StmtIf, scope: ScopeId) {
        self.push("if ");
        self.expr(&node.test, level::ANY, scope);
        self.block(&node.body, scope);
        for clause in &node.elif_else_clauses {
            self.start_line();
            match &clause.test {
                Some(test) => {
                    self.push("elif ");
                    self.expr(test, level::ANY, scope);
                }
                None => self.push("else"),
            }
            self.block(&clause.body, scope);
        }
    }

    fn try_statement(&mut self, node: &StmtTry, scope: ScopeId) {
        self.push("try");
        self.block(&node.body, scope);
        for handler in &node.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            self.start_line();
            self.push(if node.is_star { "except*" } else { "except" });
            self.optional(" ", handler.type_.as_deref(), scope);
            if let Some(name) = &handler.name {
                self.push(" as ");
                self.variable(name.as_str(), scope);
            }
            self.block(&handler.body, scope);
        }
        self.else_block("else", &node.orelse, scope);
        self.else_block("finally", &node.finalbody, scope);
    }

    fn match_statement(&mut self, node: &StmtMatch, scope: ScopeId) {
        self.push("match ");
        self.expr(&node.subject, level::ANY, scope);
        self.push(":\n");
        self.indent += 1;
        for case in &node.cases {
            self.start_line();
            self.push("case ");
            self.pattern(&case.pattern, scope);
            self.optional(" if ", case.guard.as_deref(), scope);
            self.block(&case.body, scope);
        }
        self.indent -= 1;
    }

    fn pattern(&mut self, pattern: &Pattern, scope: ScopeId) {
        match pattern {
            Pattern::MatchValue(node) => self.expr(&node.value, level::ANY, scope),
            Pattern::MatchSingleton(node) => self.push(match node.value {
                Singleton::None => "None",
                Singleton::True => "True",
                Singleton::False => "False",
            }),
            Pattern::MatchSequence(node) => {
                self.push("[");
                self.patterns(&node.patterns, ",", scope);
                self.push("]");
            }
            Pattern::MatchMapping(node) => self.mapping_pattern(node, scope),
            Pattern::MatchClass(node) => self.class_pattern(node, scope),
            Pattern::MatchStar(node) => {
                self.push("*");
                self.capture(node.name.as_ref(), scope);
            }
            Pattern::MatchAs(node) => self.as_pattern(node, scope),
            Pattern::MatchOr(node) => {
                self.push("(");
                self.patterns(&node.patterns, "|", scope);
                self.push(")");
            }
        }
    }

    fn patterns(&mut self, patterns: &[Pattern], between: &str, scope: ScopeId) {
        for (index, pattern) in patterns.iter().enumerate() {
            if index > 0 {
                self.push(between);
            }
            self.pattern(pattern, scope);
        }
    }

    fn as_pattern(&mut self, node: &PatternMatchAs, scope: ScopeId) {
        match &node.pattern {
            Some(inner) => {
                self.push("(");
                self.pattern(inner, scope);
                self.push(" as ");
                self.capture(node.name.as_ref(), scope);
                self.push(")");
            }
            None => self.capture(node.name.as_ref(), scope),
        }
    }

    fn mapping_pattern(&mut self, node: &PatternMatchMapping, scope: ScopeId) {
        self.push("{");
        for (index, (key, pattern)) in node.keys.iter().zip(&node.patterns).enumerate() {
            self.comma(index);
            self.expr(key, level::ANY, scope);
            self.push(":");
            self.pattern(pattern, scope);
        }
        if let Some(rest) = &node.rest {
            self.comma(node.keys.len());
            self.push("**");
            self.variable(rest.as_str(), scope);
        }
        self.push("}");
    }

    fn class_pattern(&mut self, node: &PatternMatchClass, scope: ScopeId) {
        self.expr(&node.cls, level::ANY, scope);
        self.push("(");
        self.patterns(&node.arguments.patterns, ",", scope);
        for (index, keyword) in node.arguments.keywords.iter().enumerate() {
            self.comma(index + node.arguments.patterns.len());
            self.push(keyword.attr.as_str());
            self.push("=");
            self.pattern(&keyword.pattern, scope);
        }
        self.push(")");
    }

    fn capture(&mut self, name: Option<&ruff_python_ast::Identifier>, scope: ScopeId) {
        match name {
            Some(name) => self.variable(name.as_str(), scope),
            None => self.push("_"),
        }
    }

    /// ` as name`, where the variable is not written as what was imported.
    pub(super) fn import_name(&mut self, alias: &Alias, imported: &str, scope: ScopeId) {
        let before = self.out.len();
        self.push(" as ");
        self.variable(bound_name(alias), scope);
        if &self.out[before + 4..] == imported {
            self.out.truncate(before);
        }
    }

    pub(super) fn end_line(&mut self) {
        self.out.push('\n');
    }
}

/// Only a module may be empty.
fn scope_needs_body(indent: usize) -> bool {
    indent > 0
}

/// How many statements at the start of `body` are imports.
fn import_run_length(body: &[Stmt]) -> usize {
    body.iter().take_while(|statement| matches!(statement, Stmt::Import(_) | Stmt::ImportFrom(_))).count()
}
