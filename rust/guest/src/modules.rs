//! Modules that a domain brings: imported once, before the snapshot from which its programs start.

use azr_wire::{Entropy, ModuleProblem};
use rustpython_vm::builtins::PyTuple;
use rustpython_vm::{AsObject, PyObjectRef, PyResult, VirtualMachine};

use crate::exception::cut;
use crate::{entropy, interpreter, library, output};

/// Bytes that modules may print while they are imported; nobody reads them.
const OUTPUT_BYTES: u32 = 1 << 20;

/// Imports every module, and says which line is at fault if one cannot be.
pub(crate) fn import(modules: &[(String, String)], entropy: &Entropy) -> Result<(), ModuleProblem> {
    output::limit(OUTPUT_BYTES);
    interpreter::enter(|vm| {
        entropy::set(vm, entropy);
        let found = import_all(vm, modules).and_then(|problem| interpreter::keep(vm).map(|()| problem));
        output::clear();
        match found {
            Ok(None) => Ok(()),
            Ok(Some(problem)) => Err(problem),
            // The prelude catches what modules raise: this is a fault of its own.
            Err(error) => {
                let message = format!("{} while importing", error.class().name());
                Err(ModuleProblem { module: String::new(), line: 0, message })
            }
        }
    })
}

fn import_all(vm: &VirtualMachine, modules: &[(String, String)]) -> PyResult<Option<ModuleProblem>> {
    let sources = vm.ctx.new_dict();
    for (name, source) in modules {
        let source: PyObjectRef = vm.ctx.new_str(source.as_str()).into();
        sources.set_item(name.as_str(), source, vm)?;
    }
    let prelude = library::import(vm, "azr_prelude")?;
    let found = vm.call_method(&prelude, "import_given", (sources,))?;
    let Some(problem) = found.downcast_ref::<PyTuple>() else {
        return Ok(None);
    };
    let [module, line, message] = problem.as_slice() else {
        unreachable!("the prelude gives None or three items");
    };
    let text = |object: &PyObjectRef| Ok(cut(object.str(vm)?.to_string_lossy().into_owned()));
    let line = line.str(vm)?.to_string_lossy().parse().unwrap_or(0);
    Ok(Some(ModuleProblem { module: text(module)?, line, message: text(message)? }))
}
