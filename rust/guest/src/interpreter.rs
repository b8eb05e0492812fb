//! The one interpreter of a guest: started before the snapshot, entered once per request.

use core::cell::OnceCell;

use rustpython_compiler_core::frozen::{FrozenCodeObject, FrozenModule};
use rustpython_vm::builtins::PyCode;
use rustpython_vm::compiler::Mode;
use rustpython_vm::{AsObject, Interpreter, PyObjectRef, PyRef, PyResult, Settings, VirtualMachine};

use crate::library::{call, import};
use crate::{arguments, decimal, entropy, expat, files, native, output, scope};

/// Modules that are imported before the snapshot, so that a program's `import` finds them loaded.
const IMPORTED: &str = "
    math cmath json re collections collections.abc itertools functools heapq bisect string operator
    random statistics copy typing dataclasses enum datetime decimal fractions abc numbers textwrap
    types contextlib array hashlib struct base64 binascii pprint calendar graphlib queue time io sys
    warnings weakref inspect ast traceback unicodedata difflib secrets uuid zlib os os.path threading
    keyword token tokenize linecache reprlib csv hmac shlex fnmatch stat timeit contextvars locale
    pickle _strptime builtins errno gc
";

struct Once(OnceCell<Interpreter>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Once {}

static INTERPRETER: Once = Once(OnceCell::new());

/// Runs `work` in the interpreter.
pub(crate) fn enter<R>(work: impl FnOnce(&VirtualMachine) -> R) -> R {
    INTERPRETER.0.get().expect("azr_init comes first").enter(work)
}

/// Builds the interpreter and brings it to the state from which every program starts.
pub(crate) fn start() {
    let mut settings = Settings::default();
    settings.hash_seed = Some(0);
    settings.install_signal_handlers = false;
    settings.import_site = false;
    settings.user_site_directory = false;
    settings.ignore_environment = true;
    settings.isolated = true;
    settings.write_bytecode = false;
    let builder = Interpreter::builder(settings);
    let mut modules = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    // `_queue` asks the operating system for the time, which is a panic here; the library falls back to its
    // Python version, which asks `time`. `pyexpat` is this crate's own.
    modules.retain(|module| !["_queue", "pyexpat"].contains(&module.name.as_str()));
    modules.push(native::module_def(&builder.ctx));
    modules.push(decimal::module_def(&builder.ctx));
    modules.push(expat::module_def(&builder.ctx));
    let interpreter = builder.add_native_modules(&modules).add_frozen_modules(frozen()).build();
    assert!(INTERPRETER.0.set(interpreter).is_ok(), "azr_init comes once");
    enter(|vm| {
        if let Err(error) = prepare(vm) {
            let mut text = String::new();
            vm.write_exception(&mut text, &error).expect("strings take any text");
            // The last lines say most.
            let end = &text[text.floor_char_boundary(text.len().saturating_sub(3_000))..];
            panic!("the standard modules do not load: {end}");
        }
    });
}

fn frozen() -> impl Iterator<Item = (&'static str, FrozenModule)> {
    let files: Vec<(&str, FrozenCodeObject<&[u8]>, bool)> = Vec::from(include!(concat!(env!("OUT_DIR"), "/frozen.rs")));
    files.into_iter().map(|(name, code, package)| (name, FrozenModule { code, package }))
}

fn prepare(vm: &VirtualMachine) -> PyResult<()> {
    output::install(vm)?;
    call(vm, "azr_prelude", "set_clock")?;
    let mut failed = String::new();
    for name in IMPORTED.split_whitespace() {
        if let Err(error) = import(vm, name) {
            vm.write_exception(&mut failed, &error).expect("strings take any text");
        }
    }
    assert!(failed.is_empty(), "standard modules do not load: {failed}");
    call(vm, "azr_prelude", "set_identity")?;
    call(vm, "azr_prelude", "set_names")?;
    scope::prepare(vm)?;
    crate::call::prepare(vm);
    files::prepare(vm)?;
    warm_up(vm)?;
    keep(vm)
}

/// What exists now lives for ever: keeps the collector away from it.
pub(crate) fn keep(vm: &VirtualMachine) -> PyResult<()> {
    let gc = import(vm, "gc")?;
    vm.call_method(&gc, "collect", ())?;
    entropy::find_moving(vm)?;
    vm.call_method(&gc, "freeze", ())?;
    Ok(())
}

/// Runs typical code once, so that what the interpreter makes at first use is in the snapshot.
fn warm_up(vm: &VirtualMachine) -> PyResult<()> {
    let source = include_str!("warm_up.py");
    for _ in 0..3 {
        let scope = scope::fresh(vm)?;
        let code = compiled(vm, source, Mode::Exec, "<program>");
        vm.run_code_obj(code, scope.clone())?;
        let code = compiled(vm, "f([3, 1, 2], text='text')", Mode::Eval, "<call>");
        vm.run_code_obj(code, scope.clone())?;
        let arguments = arguments::check("[3, 1, 2], 'text'").expect("an argument list");
        let function = scope.globals.get_item("f", vm)?;
        let plain = arguments.plain(vm).expect("plain data");
        let value = crate::call::call(vm, &scope, function, plain)?;
        crate::encode::encode(vm, &value, 1 << 16).expect("the warm-up returns plain data");
    }
    output::clear();
    Ok(())
}

fn compiled(vm: &VirtualMachine, source: &str, mode: Mode, name: &str) -> PyRef<PyCode> {
    crate::compile::compile(vm, source, mode, name).unwrap_or_else(|termination| panic!("{termination:?}"))
}
