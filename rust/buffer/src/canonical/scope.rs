//! Scopes and bindings of one program: which name means which variable, and which variables may be renamed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::form::Mode;

/// A name, interned.
pub(super) type Sym = u32;
/// Index into [`Scopes::scopes`].
pub(super) type ScopeId = u32;
/// Index into [`Scopes::bindings`].
pub(super) type BindingId = u32;

/// The scope of module-level code, and of the input texts.
pub(super) const MODULE: ScopeId = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Module,
    Function,
    Lambda,
    Comprehension,
    Class,
}

#[derive(Debug)]
pub(super) struct Scope {
    pub(super) kind: ScopeKind,
    parent: ScopeId,
    /// Where the name of the `def` that made this scope is bound.
    def: Option<(ScopeId, Sym)>,
    /// Holds `yield` or is `async`: a call gives an object that knows the function's name.
    pub(super) generator: bool,
    /// Has a decorator that might read the function's name.
    pub(super) decorated: bool,
}

/// How a name came to be bound; a binding gathers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Assignment, loop target, `with`, `except`, pattern, `del`, walrus.
    Assign,
    /// A parameter that a caller can name.
    Parameter,
    /// `*args`, `**kwargs`, or positional-only.
    HiddenParameter,
    /// `def`, with the scope that it opens.
    Def(ScopeId),
    Class,
    /// `import m`, `from m import n`: `passes` when the function passes keywords on to its argument.
    Import {
        passes: bool,
    },
    /// `import a.b`, which binds `a`.
    DottedImport,
}

#[derive(Debug)]
pub(super) struct Binding {
    pub(super) sym: Sym,
    scope: ScopeId,
    /// Times that it was bound.
    count: u32,
    /// The scope of the last `def` that bound it.
    def: Option<ScopeId>,
    parameter: bool,
    /// Bound by imports only, none of which passes keywords on.
    plain_import: bool,
    pub(super) keep: bool,
    /// Its number in order of first appearance in the text, once written.
    pub(super) ordinal: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    Global,
    Nonlocal,
}

/// Where a function or generator is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Called, or its attribute taken.
    Callee,
    /// Handed to a library function that shows nothing of it.
    Consumed,
    /// Anywhere else.
    Value,
}

/// What a call with keywords calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Callee<'a> {
    Name(Sym),
    Method { base: Option<Sym>, name: &'a str },
    Other,
}

/// All that one walk over a program and its inputs has gathered.
#[derive(Debug, Default)]
pub(super) struct Scopes<'a> {
    symbols: FxHashMap<&'a str, Sym>,
    pub(super) texts: Vec<&'a str>,
    pub(super) scopes: Vec<Scope>,
    pub(super) bindings: Vec<Binding>,
    table: FxHashMap<(ScopeId, Sym), BindingId>,
    declared: FxHashMap<(ScopeId, Sym), Declared>,
    /// Scopes by the address of their syntax node.
    pub(super) by_node: FxHashMap<usize, ScopeId>,
    pub(super) loads: Vec<(ScopeId, Sym, Position)>,
    /// Lambdas, generator expressions and classes, with the scope that they are made in.
    pub(super) anonymous: Vec<(ScopeId, Position)>,
    pub(super) keywords: Vec<(ScopeId, Callee<'a>, Sym)>,
    /// Names that inputs use.
    pub(super) kept: FxHashSet<Sym>,
    rebound: Vec<(ScopeId, Sym)>,
    /// A call unpacks a mapping: any parameter may be named at run time.
    pub(super) double_star: bool,
    /// Some value is turned into text.
    pub(super) stringifies: bool,
    pub(super) mode: Mode,
    /// A top-level function, in order; the last one is the entry where none has the entry's name.
    pub(super) last_def: Option<Sym>,
    pub(super) stored_attributes: FxHashSet<&'a str>,
    pub(super) entry: Option<BindingId>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new() -> Self {
        let mut new = Self::default();
        new.open(ScopeKind::Module, MODULE, None);
        new
    }

    pub(super) fn intern(&mut self, text: &'a str) -> Sym {
        let texts = &mut self.texts;
        *self.symbols.entry(text).or_insert_with(|| {
            texts.push(text);
            u32::try_from(texts.len() - 1).expect("a source has fewer than 2^32 names")
        })
    }

    pub(super) fn symbol(&self, text: &str) -> Option<Sym> {
        self.symbols.get(text).copied()
    }

    pub(super) fn open(&mut self, kind: ScopeKind, parent: ScopeId, def: Option<(ScopeId, Sym)>) -> ScopeId {
        self.scopes.push(Scope { kind, parent, def, generator: false, decorated: false });
        u32::try_from(self.scopes.len() - 1).expect("a source has fewer than 2^32 scopes")
    }

    pub(super) fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id as usize]
    }

    pub(super) fn raise(&mut self, mode: Mode) {
        self.mode = self.mode.max(mode);
    }

    pub(super) fn declare_global(&mut self, scope: ScopeId, sym: Sym) {
        self.declared.insert((scope, sym), Declared::Global);
        self.entry_for(MODULE, sym);
    }

    pub(super) fn declare_nonlocal(&mut self, scope: ScopeId, sym: Sym) {
        self.declared.insert((scope, sym), Declared::Nonlocal);
    }

    fn entry_for(&mut self, scope: ScopeId, sym: Sym) -> BindingId {
        let bindings = &mut self.bindings;
        *self.table.entry((scope, sym)).or_insert_with(|| {
            bindings.push(Binding {
                sym,
                scope,
                count: 0,
                def: None,
                parameter: false,
                plain_import: true,
                keep: false,
                ordinal: None,
            });
            u32::try_from(bindings.len() - 1).expect("a source has fewer than 2^32 bindings")
        })
    }

    /// Record that `sym` is bound in `scope`.
    pub(super) fn bind(&mut self, scope: ScopeId, sym: Sym, how: How) {
        let target = match self.declared.get(&(scope, sym)) {
            Some(Declared::Global) => MODULE,
            // The variable belongs to an outer function that may bind it further down: settled at the end.
            Some(Declared::Nonlocal) => return self.rebound.push((scope, sym)),
            None => scope,
        };
        let id = self.entry_for(target, sym);
        let binding = &mut self.bindings[id as usize];
        binding.count += 1;
        binding.plain_import &= matches!(how, How::Import { passes: false });
        match how {
            How::Def(opened) => binding.def = Some(opened),
            How::Parameter => binding.parameter = true,
            How::Class | How::DottedImport => binding.keep = true,
            How::Assign | How::HiddenParameter | How::Import { .. } => {}
        }
    }

    /// Bind the target of `:=`, which skips comprehensions.
    pub(super) fn bind_walrus(&mut self, mut scope: ScopeId, sym: Sym) {
        while self.scope(scope).kind == ScopeKind::Comprehension {
            scope = self.scope(scope).parent;
        }
        self.bind(scope, sym, How::Assign);
    }

    /// The variable that `sym` means in `scope`; none where it is a builtin or unknown.
    pub(super) fn resolve(&self, scope: ScopeId, sym: Sym) -> Option<BindingId> {
        match self.declared.get(&(scope, sym)) {
            Some(Declared::Global) => return self.table.get(&(MODULE, sym)).copied(),
            Some(Declared::Nonlocal) => {}
            None => {
                if let Some(id) = self.table.get(&(scope, sym)) {
                    return Some(*id);
                }
            }
        }
        let mut at = scope;
        while at != MODULE {
            at = self.scope(at).parent;
            if self.scope(at).kind == ScopeKind::Class {
                continue;
            }
            match self.declared.get(&(at, sym)) {
                Some(Declared::Global) => return self.table.get(&(MODULE, sym)).copied(),
                Some(Declared::Nonlocal) => continue,
                None => {}
            }
            if let Some(id) = self.table.get(&(at, sym)) {
                return Some(*id);
            }
        }
        None
    }

    pub(super) fn binding(&self, id: BindingId) -> &Binding {
        &self.bindings[id as usize]
    }

    /// The one function that a call of `binding` reaches, if nothing else was ever bound to it.
    pub(super) fn sole_function(&self, id: BindingId) -> Option<ScopeId> {
        let binding = self.binding(id);
        let scope = binding.def?;
        (binding.count == 1 && !self.scope(scope).decorated).then_some(scope)
    }

    /// The parameter of the function scope that a keyword names.
    pub(super) fn parameter(&self, function: ScopeId, sym: Sym) -> Option<BindingId> {
        let id = *self.table.get(&(function, sym))?;
        self.binding(id).parameter.then_some(id)
    }

    /// Keep the names of the functions that enclose `scope`, itself included.
    fn keep_chain(&mut self, mut scope: ScopeId) {
        while scope != MODULE {
            if let Some((outer, sym)) = self.scope(scope).def
                && let Some(id) = self.table.get(&(outer, sym)).copied().or_else(|| self.resolve(outer, sym))
            {
                self.bindings[id as usize].keep = true;
            }
            scope = self.scope(scope).parent;
        }
    }
}

mod settle;
