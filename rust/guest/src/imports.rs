//! The modules that a program imports, by its syntax.

use ruff_python_ast::Stmt;
use ruff_python_ast::visitor::{Visitor, walk_stmt};
use ruff_python_parser::parse_module;

use crate::literal::NO_SOURCE;

/// Dotted names in order of appearance, once each: `from a.b import c` gives `a.b` and `a.b.c`,
/// since `c` may be a module. Or why the program does not parse.
pub(crate) fn imports(program: &str) -> Result<Vec<String>, String> {
    if program.contains('\0') {
        return Err(NO_SOURCE.to_owned());
    }
    let parsed = parse_module(program).map_err(|error| error.error.to_string())?;
    let mut imports = Imports(Vec::new());
    imports.visit_body(parsed.suite());
    Ok(imports.0)
}

struct Imports(Vec<String>);

impl Imports {
    fn add(&mut self, name: String) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

impl<'a> Visitor<'a> for Imports {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.add(alias.name.to_string());
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or_else(String::new, ToString::to_string);
                let module = format!("{}{module}", ".".repeat(import.level as usize));
                self.add(module.clone());
                for alias in &import.names {
                    self.add(format!("{module}.{}", alias.name));
                }
            }
            _ => walk_stmt(self, stmt),
        }
    }
}
