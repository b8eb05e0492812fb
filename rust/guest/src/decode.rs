//! A [`Value`] as a Python object: exact built-in types, made without the program's code.

use azr_wire::Value;
use malachite_bigint::{BigInt, Sign};
use num_complex::Complex64;
use rustpython_common::wtf8::Wtf8Buf;
use rustpython_vm::builtins::{PyFrozenSet, PySet};
use rustpython_vm::{PyObjectRef, PyPayload, VirtualMachine};

/// The object, or why there is none: an unhashable key, text that is not WTF-8.
pub(crate) fn decode(vm: &VirtualMachine, value: &Value) -> Result<PyObjectRef, String> {
    let all =
        |items: &[Value]| -> Result<Vec<PyObjectRef>, String> { items.iter().map(|item| decode(vm, item)).collect() };
    let unhashable = |_| "an element or key that cannot be hashed".to_owned();
    Ok(match value {
        Value::None => vm.ctx.none(),
        Value::Bool(flag) => vm.ctx.new_bool(*flag).into(),
        Value::Int(int) => {
            let sign = if int.is_negative() { Sign::Minus } else { Sign::Plus };
            vm.ctx.new_int(BigInt::from_bytes_le(sign, int.magnitude())).into()
        }
        Value::Float(float) => vm.ctx.new_float(*float).into(),
        Value::Complex(real, imaginary) => vm.ctx.new_complex(Complex64::new(*real, *imaginary)).into(),
        Value::Str(text) => {
            let text =
                Wtf8Buf::from_bytes(text.clone()).map_err(|_| "text that this interpreter cannot hold".to_owned())?;
            vm.ctx.new_str(text).into()
        }
        Value::Bytes(bytes) => vm.ctx.new_bytes(bytes.clone()).into(),
        Value::List(items) => vm.ctx.new_list(all(items)?).into(),
        Value::Tuple(items) => vm.ctx.new_tuple(all(items)?).into(),
        Value::Dict(pairs) => {
            let dict = vm.ctx.new_dict();
            for (key, value) in pairs {
                let (key, value) = (decode(vm, key)?, decode(vm, value)?);
                dict.set_item(&*key, value, vm).map_err(unhashable)?;
            }
            dict.into()
        }
        Value::Set(items) => {
            let set = PySet::default().into_ref(&vm.ctx);
            for item in all(items)? {
                set.add(item, vm).map_err(unhashable)?;
            }
            set.into()
        }
        Value::FrozenSet(items) => {
            let set = PyFrozenSet::from_iter(vm, all(items)?).map_err(unhashable)?;
            set.into_ref(&vm.ctx).into()
        }
    })
}
