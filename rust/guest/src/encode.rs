//! A Python object as a [`Value`]: by its exact type, in Rust, without asking the program's code.

use azr_wire::{Int, MAX_DEPTH, Value};
use rustpython_vm::builtins::{PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyStr, PyTuple};
use rustpython_vm::{AsObject, PyObject, PyObjectRef, VirtualMachine};

/// The value of `object`, or why it is not plain data of at most `bytes` encoded bytes.
pub(crate) fn encode(vm: &VirtualMachine, object: &PyObject, bytes: usize) -> Result<Value, String> {
    Encoder { vm, left: bytes, limit: bytes }.value(object, 0)
}

struct Encoder<'vm> {
    vm: &'vm VirtualMachine,
    left: usize,
    limit: usize,
}

impl Encoder<'_> {
    fn value(&mut self, object: &PyObject, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH}, or inside itself"));
        }
        self.take(1)?;
        let types = &self.vm.ctx.types;
        let class = object.class();
        // Exact classes only: a subclass may carry code and state of the program.
        Ok(if self.vm.is_none(object) {
            Value::None
        } else if class.is(types.bool_type) {
            Value::Bool(object.is(&self.vm.ctx.true_value))
        } else if class.is(types.int_type) {
            self.int(object.downcast_ref::<PyInt>().expect("exact class"))?
        } else if class.is(types.float_type) {
            self.take(8)?;
            let float = object.downcast_ref::<PyFloat>().expect("exact class").to_f64();
            Value::Float(not_nan(float)?)
        } else if class.is(types.complex_type) {
            self.take(16)?;
            let complex = object.downcast_ref::<PyComplex>().expect("exact class").to_complex();
            Value::Complex(not_nan(complex.re)?, not_nan(complex.im)?)
        } else if class.is(types.str_type) {
            let text = object.downcast_ref::<PyStr>().expect("exact class").as_bytes();
            self.take(text.len() + 1)?;
            Value::Str(text.to_vec())
        } else if class.is(types.bytes_type) {
            let bytes = object.downcast_ref::<PyBytes>().expect("exact class").as_bytes();
            self.take(bytes.len() + 1)?;
            Value::Bytes(bytes.to_vec())
        } else if class.is(types.list_type) {
            let list = object.downcast_ref::<PyList>().expect("exact class");
            let items = list.borrow_vec();
            Value::List(self.items(&items, depth)?)
        } else if class.is(types.tuple_type) {
            let tuple = object.downcast_ref::<PyTuple>().expect("exact class");
            Value::Tuple(self.items(tuple.as_slice(), depth)?)
        } else if class.is(types.dict_type) {
            let items = object.downcast_ref::<PyDict>().expect("exact class").items_vec();
            self.take(items.len())?;
            let mut pairs = Vec::with_capacity(items.len());
            for (key, value) in &items {
                pairs.push((self.value(key, depth + 1)?, self.value(value, depth + 1)?));
            }
            Value::Dict(pairs)
        } else if class.is(types.set_type) {
            let items = object.downcast_ref::<PySet>().expect("exact class").elements_in_any_order();
            Value::Set(self.items(&items, depth)?)
        } else if class.is(types.frozenset_type) {
            let items = object.downcast_ref::<PyFrozenSet>().expect("exact class").elements_in_any_order();
            Value::FrozenSet(self.items(&items, depth)?)
        } else {
            // The text tells two settings of the entropy apart when it shows an address.
            let text = object.repr(self.vm).map_or_else(
                |_| "whose repr fails".to_owned(),
                |text| text.to_string_lossy().chars().take(200).collect::<String>(),
            );
            return Err(format!("an object of class {} is not plain data: {text}", class.name()));
        })
    }

    fn items(&mut self, items: &[PyObjectRef], depth: usize) -> Result<Vec<Value>, String> {
        self.take(items.len())?;
        items.iter().map(|item| self.value(item, depth + 1)).collect()
    }

    fn int(&mut self, int: &PyInt) -> Result<Value, String> {
        let int = int.as_bigint();
        self.take(int.bits() as usize / 8 + 1)?;
        let (sign, magnitude) = int.to_bytes_le();
        let negative = sign == malachite_bigint::Sign::Minus;
        Ok(Value::Int(Int::from_parts(negative, magnitude)))
    }

    /// Counts bytes of the encoding before they are made.
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(format!("larger than {} bytes", self.limit)),
        }
    }
}

fn not_nan(float: f64) -> Result<f64, String> {
    if float.is_nan() { Err("NaN equals nothing, not even itself".to_owned()) } else { Ok(float) }
}
