//! The walk over statements that fills [`Scopes`]: who binds what where, and what could show a name.

use ruff_python_ast::{
    Alias, ExceptHandler, Expr, Parameters, Pattern, Stmt, StmtClassDef, StmtFunctionDef, StmtImport, StmtImportFrom,
    StmtTry, TypeParam, TypeParams,
};

use super::form::Mode;
use super::scope::{How, Position, ScopeId, ScopeKind, Scopes};
use super::vocabulary as words;

/// The address of a syntax node, its key in [`Scopes::by_node`].
pub(super) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

/// One walk; see [`Scopes`].
pub(super) struct Collector<'a> {
    pub(super) scopes: Scopes<'a>,
    /// Names bound by `except ... as`: a later load of one turns an exception into data.
    pub(super) caught: rustc_hash::FxHashSet<u32>,
}

impl<'a> Collector<'a> {
    pub(super) fn new() -> Self {
        Self { scopes: Scopes::new(), caught: rustc_hash::FxHashSet::default() }
    }

    pub(super) fn sym(&mut self, text: &'a str) -> u32 {
        let plain = text.is_ascii() && !is_ordinal(text);
        if !plain {
            // Python folds compatibility characters of a name; and our own names must stay ours.
            self.scopes.raise(Mode::KeepNames);
        }
        self.scopes.intern(text)
    }

    pub(super) fn bind(&mut self, scope: ScopeId, text: &'a str, how: How) {
        let sym = self.sym(text);
        self.scopes.bind(scope, sym, how);
    }

    pub(super) fn body(&mut self, body: &'a [Stmt], scope: ScopeId) {
        for statement in body {
            self.statement(statement, scope);
        }
    }

    fn statement(&mut self, statement: &'a Stmt, scope: ScopeId) {
        match statement {
            Stmt::FunctionDef(def) => self.function(def, scope),
            Stmt::ClassDef(class) => self.class(class, scope),
            Stmt::Return(node) => self.maybe(node.value.as_deref(), scope),
            Stmt::Delete(node) => node.targets.iter().for_each(|target| self.value(target, scope)),
            Stmt::TypeAlias(node) => {
                self.scopes.raise(Mode::KeepNames);
                self.type_params(node.type_params.as_deref(), scope);
                self.value(&node.name, scope);
                self.value(&node.value, scope);
            }
            Stmt::Assign(node) => {
                self.value(&node.value, scope);
                node.targets.iter().for_each(|target| self.value(target, scope));
            }
            Stmt::AugAssign(node) => {
                self.operator(node.op, &node.target, &node.value);
                self.value(&node.target, scope);
                self.value(&node.value, scope);
            }
            Stmt::AnnAssign(node) => {
                self.value(&node.annotation, scope);
                self.maybe(node.value.as_deref(), scope);
                self.value(&node.target, scope);
            }
            Stmt::For(node) => {
                self.expr(&node.iter, scope, Position::Consumed);
                self.value(&node.target, scope);
                self.body(&node.body, scope);
                self.body(&node.orelse, scope);
                self.scopes.scopes[scope as usize].generator |= node.is_async;
            }
            Stmt::While(node) => {
                self.value(&node.test, scope);
                self.body(&node.body, scope);
                self.body(&node.orelse, scope);
            }
            Stmt::If(node) => {
                self.value(&node.test, scope);
                self.body(&node.body, scope);
                for clause in &node.elif_else_clauses {
                    self.maybe(clause.test.as_ref(), scope);
                    self.body(&clause.body, scope);
                }
            }
            Stmt::With(node) => {
                for item in &node.items {
                    self.value(&item.context_expr, scope);
                    self.maybe(item.optional_vars.as_deref(), scope);
                }
                self.body(&node.body, scope);
            }
            Stmt::Match(node) => {
                self.value(&node.subject, scope);
                for case in &node.cases {
                    self.pattern(&case.pattern, scope);
                    self.maybe(case.guard.as_deref(), scope);
                    self.body(&case.body, scope);
                }
            }
            Stmt::Raise(node) => {
                self.maybe(node.exc.as_deref(), scope);
                self.maybe(node.cause.as_deref(), scope);
            }
            Stmt::Try(node) => self.try_statement(node, scope),
            Stmt::Assert(node) => {
                self.value(&node.test, scope);
                self.maybe(node.msg.as_deref(), scope);
            }
            Stmt::Import(node) => self.import(node, scope),
            Stmt::ImportFrom(node) => self.import_from(node, scope),
            Stmt::Global(node) => {
                for name in &node.names {
                    let sym = self.sym(name.as_str());
                    self.scopes.declare_global(scope, sym);
                }
            }
            Stmt::Nonlocal(node) => {
                for name in &node.names {
                    let sym = self.sym(name.as_str());
                    self.scopes.declare_nonlocal(scope, sym);
                }
            }
            Stmt::Expr(node) => {
                // Docstrings and other constants do nothing; they are not written either.
                if !is_constant(&node.value) {
                    self.value(&node.value, scope);
                }
            }
            Stmt::Pass(_) | Stmt::Break(_) | Stmt::Continue(_) => {}
            Stmt::IpyEscapeCommand(_) => self.scopes.raise(Mode::AsWritten),
        }
    }

    fn function(&mut self, def: &'a StmtFunctionDef, scope: ScopeId) {
        let mut plain = true;
        for decorator in &def.decorator_list {
            plain &= is_plain_decorator(&decorator.expression);
            self.expr(&decorator.expression, scope, Position::Callee);
        }
        let name = self.sym(def.name.as_str());
        if words::EXCEPTION_HANDLERS.contains(&def.name.as_str()) {
            self.scopes.raise(Mode::KeepNames);
        }
        self.type_params(def.type_params.as_deref(), scope);
        self.defaults(&def.parameters, scope);
        for parameter in &*def.parameters {
            self.maybe(parameter.annotation(), scope);
        }
        self.maybe(def.returns.as_deref(), scope);
        let inner = self.scopes.open(ScopeKind::Function, scope, Some((scope, name)));
        self.scopes.by_node.insert(address(def), inner);
        self.scopes.scopes[inner as usize].generator = def.is_async;
        self.scopes.scopes[inner as usize].decorated = !plain;
        self.scopes.bind(scope, name, How::Def(inner));
        if scope == super::scope::MODULE {
            self.scopes.last_def = Some(name);
        }
        self.parameters(&def.parameters, inner);
        self.body(&def.body, inner);
    }

    /// Visit the defaults, which belong to the scope outside.
    pub(super) fn defaults(&mut self, parameters: &'a Parameters, outer: ScopeId) {
        for parameter in parameters {
            self.maybe(parameter.default(), outer);
        }
    }

    pub(super) fn parameters(&mut self, parameters: &'a Parameters, inner: ScopeId) {
        for parameter in &parameters.posonlyargs {
            self.bind(inner, parameter.parameter.name.as_str(), How::HiddenParameter);
        }
        for parameter in parameters.args.iter().chain(&parameters.kwonlyargs) {
            self.bind(inner, parameter.parameter.name.as_str(), How::Parameter);
        }
        for parameter in parameters.vararg.iter().chain(&parameters.kwarg) {
            self.bind(inner, parameter.name.as_str(), How::HiddenParameter);
        }
    }

    fn class(&mut self, class: &'a StmtClassDef, scope: ScopeId) {
        for decorator in &class.decorator_list {
            self.expr(&decorator.expression, scope, Position::Callee);
        }
        self.type_params(class.type_params.as_deref(), scope);
        if let Some(arguments) = &class.arguments {
            arguments.args.iter().for_each(|base| self.value(base, scope));
            for keyword in &arguments.keywords {
                // A metaclass sees the body's namespace, line numbers included.
                self.scopes.raise(Mode::AsWritten);
                self.value(&keyword.value, scope);
            }
        }
        self.bind(scope, class.name.as_str(), How::Class);
        // Its instances and its text know the functions around it.
        self.scopes.anonymous.push((scope, Position::Value));
        let inner = self.scopes.open(ScopeKind::Class, scope, None);
        self.scopes.by_node.insert(address(class), inner);
        self.body(&class.body, inner);
    }

    fn type_params(&mut self, params: Option<&'a TypeParams>, scope: ScopeId) {
        let Some(params) = params else { return };
        self.scopes.raise(Mode::KeepNames);
        for param in &params.type_params {
            let (name, bound, default) = match param {
                TypeParam::TypeVar(node) => (&node.name, node.bound.as_deref(), node.default.as_deref()),
                TypeParam::TypeVarTuple(node) => (&node.name, None, node.default.as_deref()),
                TypeParam::ParamSpec(node) => (&node.name, None, node.default.as_deref()),
            };
            self.bind(scope, name.as_str(), How::Assign);
            self.maybe(bound, scope);
            self.maybe(default, scope);
        }
    }

    fn try_statement(&mut self, node: &'a StmtTry, scope: ScopeId) {
        self.body(&node.body, scope);
        for handler in &node.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            self.maybe(handler.type_.as_deref(), scope);
            if let Some(name) = &handler.name {
                let sym = self.sym(name.as_str());
                self.caught.insert(sym);
                self.scopes.bind(scope, sym, How::Assign);
            }
            self.body(&handler.body, scope);
        }
        self.body(&node.orelse, scope);
        self.body(&node.finalbody, scope);
    }

    fn module(&mut self, dotted: &str) {
        let top = dotted.split('.').next().unwrap_or(dotted);
        if words::PLAIN_MODULES.binary_search(&top).is_err() {
            self.scopes.raise(Mode::AsWritten);
        }
        // Both exist to turn values into text.
        self.scopes.stringifies |= matches!(top, "pprint" | "string");
    }

    fn import(&mut self, node: &'a StmtImport, scope: ScopeId) {
        for alias in &node.names {
            self.module(alias.name.as_str());
            match &alias.asname {
                Some(name) => self.bind(scope, name.as_str(), How::Import { passes: false }),
                None => match alias.name.as_str().split_once('.') {
                    Some((top, _)) => self.bind(scope, top, How::DottedImport),
                    None => self.bind(scope, alias.name.as_str(), How::Import { passes: false }),
                },
            }
        }
    }

    fn import_from(&mut self, node: &'a StmtImportFrom, scope: ScopeId) {
        self.module(node.module.as_ref().map_or(".", |module| module.as_str()));
        if node.level > 0 {
            self.scopes.raise(Mode::AsWritten);
        }
        for alias in &node.names {
            let name = alias.name.as_str();
            if name == "*" {
                self.scopes.raise(Mode::KeepNames);
                continue;
            }
            self.member(name);
            let passes = words::PASS_KEYWORDS_ON.contains(&name);
            let future = node.module.as_ref().is_some_and(|module| module.as_str() == "__future__");
            self.bind(scope, bound_name(alias), if future { How::DottedImport } else { How::Import { passes } });
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern, scope: ScopeId) {
        match pattern {
            Pattern::MatchValue(node) => self.value(&node.value, scope),
            Pattern::MatchSingleton(_) => {}
            Pattern::MatchSequence(node) => node.patterns.iter().for_each(|inner| self.pattern(inner, scope)),
            Pattern::MatchMapping(node) => {
                node.keys.iter().for_each(|key| self.value(key, scope));
                node.patterns.iter().for_each(|inner| self.pattern(inner, scope));
                self.capture(node.rest.as_ref(), scope);
            }
            Pattern::MatchClass(node) => {
                self.value(&node.cls, scope);
                node.arguments.patterns.iter().for_each(|inner| self.pattern(inner, scope));
                for keyword in &node.arguments.keywords {
                    self.member(keyword.attr.as_str());
                    self.pattern(&keyword.pattern, scope);
                }
            }
            Pattern::MatchStar(node) => self.capture(node.name.as_ref(), scope),
            Pattern::MatchAs(node) => {
                if let Some(inner) = &node.pattern {
                    self.pattern(inner, scope);
                }
                self.capture(node.name.as_ref(), scope);
            }
            Pattern::MatchOr(node) => node.patterns.iter().for_each(|inner| self.pattern(inner, scope)),
        }
    }

    fn capture(&mut self, name: Option<&'a ruff_python_ast::Identifier>, scope: ScopeId) {
        if let Some(name) = name {
            self.bind(scope, name.as_str(), How::Assign);
        }
    }

    pub(super) fn maybe(&mut self, expr: Option<&'a Expr>, scope: ScopeId) {
        if let Some(expr) = expr {
            self.value(expr, scope);
        }
    }
}

/// The name that an alias of `from m import ...` binds.
pub(super) fn bound_name(alias: &Alias) -> &str {
    alias.asname.as_ref().unwrap_or(&alias.name).as_str()
}

/// True for a constant that does nothing as a statement, a docstring among them.
pub(super) fn is_constant(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::StringLiteral(_)
            | Expr::BytesLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::EllipsisLiteral(_)
    )
}

/// True for `_0`, `_12`: the names that renamed variables are written with.
fn is_ordinal(text: &str) -> bool {
    text.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_plain_decorator(expr: &Expr) -> bool {
    match expr {
        Expr::Name(node) => words::PLAIN_DECORATORS.contains(&node.id.as_str()),
        Expr::Attribute(node) => {
            words::PLAIN_DECORATORS.contains(&node.attr.as_str())
                || matches!(node.attr.as_str(), "setter" | "getter" | "deleter")
        }
        Expr::Call(node) => is_plain_decorator(&node.func),
        _ => false,
    }
}
