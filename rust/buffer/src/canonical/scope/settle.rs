//! The decision, once a program is read whole: what may be renamed, and whether anything may.

use rustc_hash::FxHashSet;

use super::super::form::{ENTRY, Mode};
use super::super::vocabulary as words;
use super::{Callee, MODULE, Position, ScopeId, ScopeKind, Scopes, Sym};

impl Scopes<'_> {
    /// Decide for every binding whether it keeps its name. `entry` is the name of the function that is called.
    pub(in super::super) fn settle(&mut self, entry: Option<&str>) {
        for (scope, sym) in std::mem::take(&mut self.rebound) {
            if let Some(id) = self.resolve(scope, sym) {
                let binding = &mut self.bindings[id as usize];
                binding.count += 1;
                binding.plain_import = false;
            }
        }
        self.keep_names_with_a_second_meaning();
        self.keep_named_parameters();
        if self.stringifies {
            self.keep_names_that_text_can_show();
        }
        self.find_entry(entry);
    }

    /// Names that may mean two things at run time, or are changed by the compiler.
    fn keep_names_with_a_second_meaning(&mut self) {
        for index in 0..self.bindings.len() {
            if self.scope(self.bindings[index].scope).kind == ScopeKind::Class {
                self.bindings[index].keep = true;
                self.kept.insert(self.bindings[index].sym);
            }
        }
        for binding in &mut self.bindings {
            let text = self.texts[binding.sym as usize];
            let at_module = binding.scope == MODULE;
            binding.keep |= text.contains("__");
            // A class body that binds a name falls back to the module's; a module that does, to the builtin.
            binding.keep |= at_module && (self.kept.contains(&binding.sym) || words::is_builtin(text));
        }
    }

    /// Parameters that a call somewhere may name, unless the call can reach one function only.
    fn keep_named_parameters(&mut self) {
        let mut named: FxHashSet<Sym> = FxHashSet::default();
        for (scope, callee, sym) in std::mem::take(&mut self.keywords) {
            if !self.keyword_is_settled(scope, callee, sym) {
                named.insert(sym);
            }
        }
        for binding in &mut self.bindings {
            if binding.parameter {
                binding.keep |= self.double_star || self.kept.contains(&binding.sym) || named.contains(&binding.sym);
            }
        }
        // The entry may not take a name that is used as a keyword.
        self.kept.extend(named);
    }

    /// True when it is known whose parameter the keyword names.
    fn keyword_is_settled(&self, scope: ScopeId, callee: Callee<'_>, sym: Sym) -> bool {
        match callee {
            Callee::Name(name) => match self.resolve(scope, name) {
                None => words::is_builtin(self.texts[name as usize]),
                Some(id) => {
                    self.binding(id).plain_import
                        || self.sole_function(id).is_some_and(|function| self.parameter(function, sym).is_some())
                }
            },
            Callee::Method { base, name } => {
                let library = base
                    .and_then(|base| self.resolve(scope, base))
                    .is_some_and(|id| self.binding(id).plain_import && !words::PASS_KEYWORDS_ON.contains(&name));
                let builtin = words::BUILTIN_METHODS.contains(&name)
                    && !self.stored_attributes.contains(name)
                    && !self.symbol(name).is_some_and(|sym| self.kept.contains(&sym));
                library || builtin
            }
            Callee::Other => false,
        }
    }

    /// Functions whose text can be taken, and all that enclose them: `<function f.<locals>.g at 0x...>`.
    fn keep_names_that_text_can_show(&mut self) {
        let shadowed = self.stored_attributes.iter().any(|name| words::CONSUMERS.contains(name))
            || self
                .bindings
                .iter()
                .any(|binding| !binding.plain_import && words::CONSUMERS.contains(&self.texts[binding.sym as usize]));
        let shows = |position: Position| match position {
            Position::Callee => false,
            Position::Consumed => shadowed,
            Position::Value => true,
        };
        for (scope, position) in std::mem::take(&mut self.anonymous) {
            if shows(position) {
                self.keep_chain(scope);
            }
        }
        for (scope, sym, position) in std::mem::take(&mut self.loads) {
            if shows(position) {
                let function = self.resolve(scope, sym).and_then(|id| self.binding(id).def);
                if let Some(function) = function {
                    self.keep_chain(function);
                }
            }
        }
        for index in 0..self.scopes.len() {
            if self.scopes[index].generator || self.scopes[index].decorated {
                self.keep_chain(u32::try_from(index).expect("scope ids fit in u32"));
            }
        }
        // A name that several `def`s bind keeps only what the last one shows: keep them all.
        for index in 0..self.bindings.len() {
            let binding = &self.bindings[index];
            if let (Some(function), true) = (binding.def, binding.count > 1) {
                self.keep_chain(function);
            }
        }
    }

    fn find_entry(&mut self, entry: Option<&str>) {
        let named = |text: &str| self.symbol(text).and_then(|sym| self.table.get(&(MODULE, sym)).copied());
        self.entry = match entry {
            Some(text) => named(text),
            None => named(ENTRY).or_else(|| {
                let sym = self.last_def?;
                self.table.get(&(MODULE, sym)).copied()
            }),
        };
        // The entry is written as `f`. Where `f` already means something else, nothing is renamed.
        let taken = self.symbol(ENTRY).is_some_and(|f| {
            let elsewhere = self.bindings.iter().enumerate().any(|(index, binding)| {
                binding.sym == f && binding.keep && Some(index) != self.entry.map(|id| id as usize)
            });
            let free = !self.table.contains_key(&(MODULE, f));
            self.entry.is_some_and(|id| self.binding(id).sym != f) && (elsewhere || free || self.kept.contains(&f))
        });
        if taken {
            self.raise(Mode::KeepNames);
        }
    }
}
