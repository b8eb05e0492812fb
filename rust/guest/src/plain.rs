//! Plain data written down, as objects: what compiling and running the text would make, without either.
//!
//! Most argument lists are nothing else, and compiling one takes longer than running most functions. What
//! is not certain to mean the same is left to the compiler.

use std::collections::BTreeMap;

use ruff_python_ast::{Expr, Number, UnaryOp};
use rustpython_vm::builtins::{PyFrozenSet, PySet};
use rustpython_vm::{AsObject, PyObjectRef, PyPayload, PyRef, VirtualMachine};

/// Whether the parser's reading of the text's string literals is the interpreter's too: it has no escape
/// that names a code point, which may be a surrogate, and none that the compiler warns of.
pub(crate) fn means_itself(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next(), Some(b'n' | b't' | b'r' | b'\\' | b'\'' | b'"')) {
            return false;
        }
    }
    true
}

/// Makes the objects of one argument list. As in a compiled call, equal constants are one object: what the program
/// asks by `is` has the same answer.
pub(crate) struct Plain<'vm> {
    vm: &'vm VirtualMachine,
    constants: BTreeMap<Key, PyObjectRef>,
}

/// What tells constants apart: type and value, exactly.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// One that exists once in any case: its address.
    Single(usize),
    Int(i64),
    Float(u64),
    Text(String),
    Bytes(Vec<u8>),
    Tuple(Vec<Key>),
}

/// An object, and its key if it is a constant.
type Made = (PyObjectRef, Option<Key>);

impl<'vm> Plain<'vm> {
    pub(crate) fn new(vm: &'vm VirtualMachine) -> Self {
        Self { vm, constants: BTreeMap::new() }
    }

    /// The object that a plain literal makes; `None` if it is anything else, or cannot be made.
    pub(crate) fn object(&mut self, expr: &Expr) -> Option<PyObjectRef> {
        Some(self.make(expr)?.0)
    }

    fn make(&mut self, expr: &Expr) -> Option<Made> {
        let ctx = &self.vm.ctx;
        Some(match expr {
            Expr::NoneLiteral(_) => single(ctx.none()),
            Expr::BooleanLiteral(literal) => single(ctx.new_bool(literal.value).into()),
            Expr::StringLiteral(literal) => self.text(literal.value.to_str()),
            Expr::BytesLiteral(literal) => {
                let bytes: Vec<u8> = literal.value.bytes().collect();
                self.constant(Key::Bytes(bytes.clone()), || ctx.new_bytes(bytes).into())
            }
            Expr::NumberLiteral(literal) => self.number(&literal.value, false)?,
            Expr::UnaryOp(unary) => match (unary.op, &*unary.operand) {
                (UnaryOp::USub, Expr::NumberLiteral(literal)) => self.number(&literal.value, true)?,
                _ => return None,
            },
            Expr::List(list) => (ctx.new_list(self.all(&list.elts)?).into(), None),
            Expr::Tuple(tuple) => {
                let made = tuple.elts.iter().map(|item| self.make(item)).collect::<Option<Vec<_>>>()?;
                let (items, keys): (Vec<_>, Vec<_>) = made.into_iter().unzip();
                match keys.into_iter().collect::<Option<Vec<Key>>>() {
                    Some(keys) => self.constant(Key::Tuple(keys), || ctx.new_tuple(items).into()),
                    None => (ctx.new_tuple(items).into(), None),
                }
            }
            Expr::Set(set) => {
                let made = set.elts.iter().map(|item| self.make(item)).collect::<Option<Vec<_>>>()?;
                let constant = made.len() > 2 && made.iter().all(|(_, key)| key.is_some());
                (self.set(made.into_iter().map(|(item, _)| item), constant)?.into(), None)
            }
            Expr::Dict(dict) => {
                let made = ctx.new_dict();
                for item in &dict.items {
                    let (key, value) = (self.object(item.key.as_ref()?)?, self.object(&item.value)?);
                    made.set_item(&*key, value, self.vm).ok()?;
                }
                (made.into(), None)
            }
            _ => return None,
        })
    }

    /// A set of constants is a constant that another set is filled from: where elements collide, both orders
    /// differ from that of a set that takes them one by one.
    fn set(&self, items: impl Iterator<Item = PyObjectRef>, constant: bool) -> Option<PyRef<PySet>> {
        let (vm, ctx) = (self.vm, &self.vm.ctx);
        let made = PySet::default().into_ref(ctx);
        if constant {
            // As the compiler does, which makes a second set of the first one's elements to merge equal constants.
            let once = PyFrozenSet::from_iter(vm, items).ok()?;
            let frozen = PyFrozenSet::from_iter(vm, once.elements_in_any_order()).ok()?.into_ref(ctx);
            vm.call_method(made.as_object(), "update", (frozen,)).ok()?;
        } else {
            for item in items {
                made.add(item, vm).ok()?;
            }
        }
        Some(made)
    }

    fn all(&mut self, exprs: &[Expr]) -> Option<Vec<PyObjectRef>> {
        exprs.iter().map(|item| self.object(item)).collect()
    }

    fn constant(&mut self, key: Key, make: impl FnOnce() -> PyObjectRef) -> Made {
        let object = self.constants.entry(key.clone()).or_insert_with(make).clone();
        (object, Some(key))
    }

    fn number(&mut self, number: &Number, negative: bool) -> Option<Made> {
        let ctx = &self.vm.ctx;
        Some(match number {
            Number::Int(int) => {
                let int = int.as_i64()?;
                let int = if negative { -int } else { int };
                // The interpreter keeps the smallest, as CPython does.
                if (-5..=256).contains(&int) {
                    return Some(single(ctx.new_int(int).into()));
                }
                self.constant(Key::Int(int), || ctx.new_int(int).into())
            }
            Number::Float(float) => {
                let float = if negative { -float } else { *float };
                self.constant(Key::Float(float.to_bits()), || ctx.new_float(float).into())
            }
            Number::Complex { .. } => return None,
        })
    }

    /// A string as the compiler makes a constant: what could be a name exists once.
    fn text(&mut self, text: &str) -> Made {
        let ctx = &self.vm.ctx;
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return single(ctx.intern_str(text).to_object());
        }
        self.constant(Key::Text(text.to_owned()), || ctx.new_str(text).into())
    }
}

fn single(object: PyObjectRef) -> Made {
    let key = Key::Single(object.get_id());
    (object, Some(key))
}
