//! Plain data written down, as objects: what compiling and running the text would make, without either.
//!
//! Most argument lists are nothing else, and compiling one takes longer than running most functions. What
//! is not certain to mean the same is left to the compiler.

use malachite_bigint::BigInt;
use ruff_python_ast::{Expr, Number, UnaryOp};
use rustpython_vm::builtins::PySet;
use rustpython_vm::{PyObjectRef, PyPayload, VirtualMachine};

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

/// The object that a plain literal makes; `None` if it is anything else, or cannot be made.
pub(crate) fn object(vm: &VirtualMachine, expr: &Expr) -> Option<PyObjectRef> {
    let objects = |exprs: &[Expr]| -> Option<Vec<PyObjectRef>> {
        exprs.iter().map(|item| object(vm, item)).collect()
    };
    Some(match expr {
        Expr::NoneLiteral(_) => vm.ctx.none(),
        Expr::BooleanLiteral(literal) => vm.ctx.new_bool(literal.value).into(),
        Expr::StringLiteral(literal) => text(vm, literal.value.to_str()),
        Expr::BytesLiteral(literal) => vm.ctx.new_bytes(literal.value.bytes().collect()).into(),
        Expr::NumberLiteral(literal) => number(vm, &literal.value, false)?,
        Expr::UnaryOp(unary) => match (unary.op, &*unary.operand) {
            (UnaryOp::USub, Expr::NumberLiteral(literal)) => number(vm, &literal.value, true)?,
            _ => return None,
        },
        Expr::List(list) => vm.ctx.new_list(objects(&list.elts)?).into(),
        Expr::Tuple(tuple) => vm.ctx.new_tuple(objects(&tuple.elts)?).into(),
        Expr::Set(set) => {
            let made = PySet::default().into_ref(&vm.ctx);
            for item in objects(&set.elts)? {
                made.add(item, vm).ok()?;
            }
            made.into()
        }
        Expr::Dict(dict) => {
            let made = vm.ctx.new_dict();
            for item in &dict.items {
                let (key, value) = (object(vm, item.key.as_ref()?)?, object(vm, &item.value)?);
                made.set_item(&*key, value, vm).ok()?;
            }
            made.into()
        }
        _ => return None,
    })
}

fn number(vm: &VirtualMachine, number: &Number, negative: bool) -> Option<PyObjectRef> {
    Some(match number {
        Number::Int(int) => {
            let int = int.as_i64()?;
            vm.ctx.new_int(if negative { -BigInt::from(int) } else { BigInt::from(int) }).into()
        }
        Number::Float(float) => vm.ctx.new_float(if negative { -float } else { *float }).into(),
        Number::Complex { .. } => return None,
    })
}

/// A string as the compiler makes a constant: what could be a name exists once, so that `is` says the same.
fn text(vm: &VirtualMachine, text: &str) -> PyObjectRef {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        vm.ctx.intern_str(text).to_object()
    } else {
        vm.ctx.new_str(text).into()
    }
}
