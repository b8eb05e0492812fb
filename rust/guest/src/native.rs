//! `_azr`: what the guest's own Python modules need from Rust.

pub(crate) use decl::module_def;

#[rustpython_derive::pymodule(name = "_azr")]
mod decl {
    use rustpython_vm::builtins::{PyBytes, PyInt, PyStr, PyStrRef};
    use rustpython_vm::common::hash::{PyHash, hash_bigint};
    use rustpython_vm::function::{FuncArgs, ItemDoc, PyComparisonValue, PyMethodFlags};
    use rustpython_vm::protocol::PyNumberMethods;
    use rustpython_vm::types::{AsNumber, Comparable, Constructor, Hashable, PyComparisonOp, Representable};
    use rustpython_vm::{
        AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass, unpromised,
    };

    use crate::{entropy, files, host, output};

    /// Appends text to a captured stream: 1 is stdout, 2 is stderr. As in CPython, a surrogate is an error for
    /// the first and escaped for the second.
    #[pyfunction]
    fn write(stream: u32, text: PyStrRef, vm: &VirtualMachine) -> PyResult<usize> {
        if let Some(utf8) = text.to_str() {
            output::write(stream, utf8.as_bytes());
        } else {
            let errors = if stream == 1 { "strict" } else { "backslashreplace" };
            let encoded = vm.call_method(text.as_object(), "encode", ("utf-8", errors))?;
            output::write(stream, encoded.downcast_ref::<PyBytes>().expect("str.encode gives bytes").as_bytes());
        }
        Ok(text.char_len())
    }

    /// Nanoseconds since 1970.
    #[pyfunction]
    fn clock() -> u64 {
        entropy::clock()
    }

    /// Lets time pass.
    #[pyfunction]
    fn sleep(nanoseconds: u64) {
        entropy::sleep(nanoseconds);
    }

    /// What `id` gives, for library code that only tells objects apart by it: equal to that number, found by it in
    /// tables, and shown as it. It counts as a read once somebody sees the number, and not before.
    #[pyattr]
    #[pyclass(name = "identity", module = "_azr")]
    #[derive(Debug, PyPayload)]
    struct Identity {
        address: usize,
    }

    impl Identity {
        fn shown(&self, vm: &VirtualMachine) -> PyObjectRef {
            vm.ctx.new_int(unpromised::shown_address(self.address)).into()
        }
    }

    #[pyclass(with(AsNumber, Comparable, Constructor, Hashable, Representable))]
    impl Identity {
        #[pymethod]
        fn __format__(zelf: &Py<Self>, spec: PyStrRef, vm: &VirtualMachine) -> PyResult<PyStrRef> {
            vm.format(&zelf.shown(vm), spec)
        }
    }

    impl Constructor for Identity {
        type Args = (PyObjectRef,);

        fn py_new(
            _cls: &Py<rustpython_vm::builtins::PyType>,
            (object,): Self::Args,
            _vm: &VirtualMachine,
        ) -> PyResult<Self> {
            Ok(Self { address: object.get_id() })
        }
    }

    impl Hashable for Identity {
        fn hash(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<PyHash> {
            unpromised::note_seeded_hash();
            Ok(hash_bigint(&unpromised::address_in_variation(zelf.address).into()))
        }
    }

    impl Comparable for Identity {
        fn cmp(
            zelf: &Py<Self>,
            other: &PyObject,
            op: PyComparisonOp,
            vm: &VirtualMachine,
        ) -> PyResult<PyComparisonValue> {
            let equality = matches!(op, PyComparisonOp::Eq | PyComparisonOp::Ne);
            let other = match other.downcast_ref::<Self>() {
                Some(other) if equality => {
                    return Ok(op.eval_ord(zelf.address.cmp(&other.address)).into());
                }
                Some(other) => other.shown(vm),
                None if other.downcast_ref::<PyInt>().is_some() => other.to_owned(),
                None => return Ok(PyComparisonValue::NotImplemented),
            };
            Ok(zelf.shown(vm).rich_compare_bool(&other, op, vm)?.into())
        }
    }

    impl AsNumber for Identity {
        fn as_number() -> &'static PyNumberMethods {
            static METHODS: PyNumberMethods = PyNumberMethods {
                int: Some(|number, vm| Ok(Identity::number_downcast(number).shown(vm))),
                index: Some(|number, vm| Ok(Identity::number_downcast(number).shown(vm))),
                ..PyNumberMethods::NOT_IMPLEMENTED
            };
            &METHODS
        }
    }

    impl Representable for Identity {
        fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
            Ok(unpromised::shown_address(zelf.address).to_string())
        }
    }

    /// A number that stands for a thread as an address does.
    #[pyfunction]
    fn shown(number: usize) -> u64 {
        unpromised::shown_address(number)
    }

    /// The process's number.
    #[pyfunction]
    fn process() -> u32 {
        entropy::process()
    }

    /// Random bytes, from the request's seed.
    #[pyfunction]
    fn random_bytes(count: usize, vm: &VirtualMachine) -> PyResult<Vec<u8>> {
        if count > 1 << 26 {
            return Err(vm.new_memory_error("too many random bytes"));
        }
        let mut bytes = vec![0; count];
        entropy::random_bytes(&mut bytes);
        Ok(bytes)
    }

    /// A built-in function that calls the given one, which is written in Python. As those of CPython that it stands
    /// for, it is no method where a class holds it.
    #[pyfunction]
    fn builtin(module: PyStrRef, function: PyObjectRef, vm: &VirtualMachine) -> PyResult {
        let name = function.get_attr("__name__", vm)?.try_into_value::<PyStrRef>(vm)?;
        let name = name.to_str().ok_or_else(|| vm.new_value_error("not a function's name"))?;
        let name = vm.ctx.intern_str(name).as_str();
        let doc = match function.get_attr("__doc__", vm)?.downcast_ref::<PyStr>().and_then(|doc| doc.to_str()) {
            // Made once, before the snapshot.
            Some(doc) => ItemDoc::static_text(Box::leak(doc.to_owned().into_boxed_str())),
            None => ItemDoc::NONE,
        };
        let call = move |args: FuncArgs, vm: &VirtualMachine| function.call(args, vm);
        let def = vm.ctx.new_method_def(name, call, PyMethodFlags::empty(), doc);
        let built: PyObjectRef = def.build_function(vm, None).into();
        built.set_attr("__module__", module, vm)?;
        Ok(built)
    }

    /// Calls a function of the host's, named by the first argument, with the others.
    #[pyfunction]
    fn call(name: PyStrRef, arguments: FuncArgs, vm: &VirtualMachine) -> PyResult {
        let name = name.to_str().ok_or_else(|| vm.new_value_error("not a function's name"))?;
        host::call(vm, name, &arguments)
    }

    /// Takes bytes and entries from what files may take, or gives them back where the numbers are below zero. Whether
    /// there were as many.
    #[pyfunction]
    fn charge(bytes: i64, entries: i64) -> bool {
        files::charge(bytes, entries)
    }

    /// Ends the program at once.
    #[pyfunction]
    fn exit() {
        crate::abort::abort(azr_wire::Abort::Exit);
    }
}
