//! The one way out of a guest: a function that the host puts in place of the one below, and that asks for what the request
//! has named. In a guest as it is built there is none: it imports nothing.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use azr_wire::{HostCall, HostReply, host};
use rustpython_vm::builtins::{PyBaseException, PyType};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::{AsObject, Py, PyObjectRef, PyRef, PyResult, VirtualMachine};

use crate::{decode, encode, library, scope};

/// Bytes of encoding that a call of a function may hand over.
// Relaxed everywhere: the guest has one thread; atomics only spare `static mut`.
static VALUE_BYTES: AtomicU32 = AtomicU32::new(0);

/// Asks the host. `operation` is one of [`host`]'s.
///
/// When the host compiles the guest it gives this function another body, which calls the host; this one answers nothing.
/// What the compiler does with callers must not depend on it.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn azr_host(operation: u32, at: *mut u8, length: u32) -> u32 {
    core::hint::black_box((operation, at, length));
    core::hint::black_box(0)
}

/// Calls a function of the host's. What comes back is what the host says, which is trusted to speak this crate's format.
fn ask(call: &HostCall) -> HostReply {
    let mut request = call.encode();
    let length = azr_host(host::CALL, request.as_mut_ptr(), request.len() as u32);
    drop(request);
    let mut reply = vec![0; length as usize];
    azr_host(host::TAKE, reply.as_mut_ptr(), length);
    HostReply::decode(&reply).expect("the host speaks this crate's wire format")
}

/// Hands over output that the request wants at once.
pub(crate) fn output(stream: u32, text: &[u8]) {
    let operation = if stream == 1 { host::STDOUT } else { host::STDERR };
    azr_host(operation, text.as_ptr().cast_mut(), text.len() as u32);
}

/// Gives programs the functions of the host's, with the bound on what one call may hand over.
pub(crate) fn define(vm: &VirtualMachine, names: &[String], value_bytes: u32) -> PyResult<()> {
    VALUE_BYTES.store(value_bytes, Relaxed);
    if names.is_empty() {
        return Ok(());
    }
    let prelude = library::import(vm, "azr_prelude")?;
    for name in names {
        let function = vm.call_method(&prelude, "host_function", (vm.ctx.new_str(name.as_str()),))?;
        scope::main().globals.set_item(name.as_str(), function, vm)?;
    }
    Ok(())
}

/// Calls a function of the host's for a program.
pub(crate) fn call(vm: &VirtualMachine, name: &str, arguments: &FuncArgs) -> PyResult {
    let most = VALUE_BYTES.load(Relaxed) as usize;
    let plain = |object: &PyObjectRef| {
        encode::encode(vm, object, most).map_err(|why| vm.new_type_error(format!("{name}() takes plain data: {why}")))
    };
    let call = HostCall {
        name: name.to_owned(),
        arguments: arguments.args.iter().map(plain).collect::<PyResult<_>>()?,
        named: arguments
            .kwargs
            .iter()
            .map(|(key, object)| Ok((key.to_string_lossy().into_owned(), plain(object)?)))
            .collect::<PyResult<_>>()?,
    };
    match ask(&call) {
        HostReply::Value(value) => decode::decode(vm, &value).map_err(|why| vm.new_value_error(why)),
        HostReply::Raise { class, message } => Err(exception(vm, &class, &message)?),
    }
}

/// The exception that a function of the host's raised: of a built-in class that programs catch, or a RuntimeError.
fn exception(vm: &VirtualMachine, class: &str, message: &str) -> PyResult<PyRef<PyBaseException>> {
    let found = vm.builtins.as_object().get_attr(&*vm.ctx.intern_str(class), vm).ok();
    let found = found.and_then(|object| object.downcast::<PyType>().ok());
    let is_exception = |class: &Py<PyType>| class.fast_issubclass(vm.ctx.exceptions.exception_type);
    match found.filter(|class| is_exception(class)) {
        Some(class) => vm.invoke_exception(&class, vec![vm.ctx.new_str(message).into()]),
        None => Ok(vm.new_runtime_error(format!("{class}: {message}"))),
    }
}
