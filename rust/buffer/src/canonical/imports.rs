//! Imports: one name a line, sorted within each run of import statements, repeats dropped.
//!
//! The modules that a renamed program may import have no effect but the binding, so their order does not show unless
//! two of them bind one name.

use ruff_python_ast::{Alias, Stmt};

use super::collect::bound_name;
use super::scope::ScopeId;
use super::write::Writer;

/// One imported name.
#[derive(Clone, Copy)]
struct Import<'a> {
    /// The module of `from module import ...`, dots included in `level`; none for `import ...`.
    module: Option<&'a str>,
    level: u32,
    alias: &'a Alias,
    lazy: bool,
}

impl<'a> Import<'a> {
    fn key(&self) -> (bool, u32, &'a str, &'a str, bool) {
        // `from __future__` has to come first.
        let later = self.module != Some("__future__");
        (later, self.level, self.module.unwrap_or(""), self.alias.name.as_str(), self.lazy)
    }

    fn binds(&self) -> &'a str {
        match (self.module, &self.alias.asname) {
            (None, None) => self.alias.name.as_str().split('.').next().unwrap_or_default(),
            _ => bound_name(self.alias),
        }
    }
}

impl Writer<'_, '_> {
    /// Write a run of imports.
    pub(super) fn import_run(&mut self, run: &[Stmt], scope: ScopeId) {
        write_run(self, run, scope);
    }
}

fn write_run(writer: &mut Writer<'_, '_>, run: &[Stmt], scope: ScopeId) {
    let mut imports: Vec<Import<'_>> = Vec::new();
    for statement in run {
        match statement {
            Stmt::Import(node) => imports.extend(node.names.iter().map(|alias| Import {
                module: None,
                level: 0,
                alias,
                lazy: node.is_lazy,
            })),
            Stmt::ImportFrom(node) => imports.extend(node.names.iter().map(|alias| Import {
                module: Some(node.module.as_ref().map_or("", |module| module.as_str())),
                level: node.level,
                alias,
                lazy: node.is_lazy,
            })),
            _ => unreachable!("a run holds imports only"),
        }
    }
    imports.sort_by_key(Import::key);
    imports.dedup_by(|a, b| a.key() == b.key() && a.binds() == b.binds());
    let mut bound: Vec<&str> = imports.iter().map(Import::binds).collect();
    bound.sort_unstable();
    let star = imports.iter().any(|import| import.alias.name.as_str() == "*");
    // `import a.b` and `import a.c` bind `a` to the same module; two different imports may not be swapped.
    let clash = bound.windows(2).any(|pair| pair[0] == pair[1])
        && imports.iter().any(|import| import.module.is_some() || import.alias.asname.is_some());
    if star || clash {
        write_as_found(writer, run, scope);
    } else {
        imports.iter().for_each(|import| write_one(writer, import, scope));
    }
}

fn write_as_found(writer: &mut Writer<'_, '_>, run: &[Stmt], scope: ScopeId) {
    for statement in run {
        match statement {
            Stmt::Import(node) => {
                for alias in &node.names {
                    write_one(writer, &Import { module: None, level: 0, alias, lazy: node.is_lazy }, scope);
                }
            }
            Stmt::ImportFrom(node) => {
                let module = Some(node.module.as_ref().map_or("", |module| module.as_str()));
                for alias in &node.names {
                    write_one(writer, &Import { module, level: node.level, alias, lazy: node.is_lazy }, scope);
                }
            }
            _ => unreachable!("a run holds imports only"),
        }
    }
}

fn write_one(writer: &mut Writer<'_, '_>, import: &Import<'_>, scope: ScopeId) {
    let name = import.alias.name.as_str();
    writer.start_line();
    if import.lazy {
        writer.push("lazy ");
    }
    match import.module {
        Some(module) => {
            writer.push("from ");
            (0..import.level).for_each(|_| writer.push("."));
            writer.push(module);
            writer.push(" import ");
            writer.push(name);
            if name != "*" {
                writer.import_name(import.alias, name, scope);
            }
        }
        None => {
            writer.push("import ");
            writer.push(name);
            if import.alias.asname.is_some() || !name.contains('.') {
                writer.import_name(import.alias, name, scope);
            }
        }
    }
    writer.end_line();
}
