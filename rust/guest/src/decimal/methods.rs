//! Methods of the module's classes: how they are added, and how their arguments are bound.

use rustpython_vm::builtins::{PyStr, PyType};
use rustpython_vm::function::{FuncArgs, PyMethodDef, PyMethodFlags};
use rustpython_vm::{AsObject, Context, Py, PyObject, PyObjectRef, PyResult, VirtualMachine};

pub(super) const PLAIN: PyMethodFlags = PyMethodFlags::METHOD;

/// Arguments by the order of a function's parameters.
pub(super) type Arguments = Vec<Option<PyObjectRef>>;

/// Puts arguments in the order of parameters, of which the first `required` ones must be there.
pub(super) fn bind(
    name: &str,
    parameters: &[&str],
    required: usize,
    args: FuncArgs,
    vm: &VirtualMachine,
) -> PyResult<Arguments> {
    let FuncArgs { args, mut kwargs } = args;
    if args.len() > parameters.len() {
        return Err(vm.new_type_error(format!(
            "{name}() takes at most {} argument{} ({} given)",
            parameters.len(),
            if parameters.len() == 1 { "" } else { "s" },
            args.len()
        )));
    }
    let mut bound: Arguments = args.into_iter().map(Some).collect();
    if kwargs.is_empty() && bound.len() >= required {
        bound.resize(parameters.len(), None);
        return Ok(bound);
    }
    let given = bound.len();
    bound.resize(parameters.len(), None);
    for (place, parameter) in parameters.iter().enumerate() {
        if let Some(value) = kwargs.shift_remove(*parameter) {
            if place < given {
                return Err(vm.new_type_error(format!(
                    "argument for {name}() given by name ('{parameter}') and position ({})",
                    place + 1
                )));
            }
            bound[place] = Some(value);
        } else if place < required && bound[place].is_none() {
            return Err(
                vm.new_type_error(format!("{name}() missing required argument '{parameter}' (pos {})", place + 1))
            );
        }
    }
    if let Some(unknown) = kwargs.keys().next() {
        return Err(
            vm.new_type_error(format!("{name}() got an unexpected keyword argument '{}'", unknown.to_string_lossy()))
        );
    }
    Ok(bound)
}

/// Adds a method to a class: its parameters as in Python, those with `=None` may be left out.
pub(super) fn add_method(
    ctx: &Context,
    class: &'static Py<PyType>,
    name: &'static str,
    parameters: &'static [&'static str],
    flags: PyMethodFlags,
    work: impl Fn(&PyObject, &Arguments, &VirtualMachine) -> PyResult + 'static,
) {
    let names: Vec<&'static str> =
        parameters.iter().map(|text| text.split('=').next().expect("one part at least")).collect();
    let required = parameters.iter().filter(|text| !text.contains('=')).count();
    let func = move |vm: &VirtualMachine, mut args: FuncArgs, _callee| {
        if args.args.is_empty() {
            return Err(vm.new_type_error(format!("{name}() needs an argument")));
        }
        let zelf = args.shift();
        if !flags.contains(PyMethodFlags::CLASS) && !zelf.fast_isinstance(class) {
            return Err(vm.new_type_error(format!(
                "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
                class.name(),
                zelf.class().name()
            )));
        }
        let args = bind(name, &names, required, args, vm)?;
        work(&zelf, &args, vm)
    };
    let zelf = if flags.contains(PyMethodFlags::CLASS) { "$type" } else { "$self" };
    let mut doc = format!("{name}({zelf}, /");
    for parameter in parameters {
        doc += ", ";
        doc += parameter;
    }
    doc += ")\n--\n\n";
    // A class lives for ever, and its methods with it.
    let def: &'static PyMethodDef = Box::leak(Box::new(PyMethodDef {
        name,
        func: Box::leak(Box::new(func)),
        flags,
        doc: Some(Box::leak(doc.into_boxed_str())),
        doc_off: 0,
        doc_len: 0,
        doc_body_pending: false,
    }));
    class.set_attr(ctx.intern_str(name), def.to_proper_method(class, ctx));
}

pub(super) fn class_name(object: &PyObject) -> String {
    object.class().name().to_string()
}

pub(super) fn text_of<'a>(object: &'a PyObject) -> Option<&'a Py<PyStr>> {
    object.downcast_ref::<PyStr>()
}

pub(super) fn given(args: &Arguments, place: usize) -> &PyObjectRef {
    args[place].as_ref().expect("required")
}
