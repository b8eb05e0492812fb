//! The module: what makes parsers, its exception, and its tables of numbers and words.

pub(crate) use decl::module_def;

#[rustpython_derive::pymodule(name = "pyexpat")]
mod decl {
    use rustpython_derive::FromArgs;
    use rustpython_vm::builtins::{PyDict, PyModule, PyStr, PyStrRef, PyTypeRef};
    use rustpython_vm::class::PyClassImpl;
    use rustpython_vm::function::OptionalArg;
    use rustpython_vm::{AsObject, Py, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, extend_module};

    use super::super::class::PyParser;
    use super::super::error::ERRORS;
    use super::super::names::Names;
    use super::super::scanner::Scanner;

    #[pyattr]
    const EXPAT_VERSION: &str = "expat_2.6.3";
    #[pyattr(name = "native_encoding")]
    const NATIVE_ENCODING: &str = "UTF-8";
    #[pyattr]
    const XML_PARAM_ENTITY_PARSING_NEVER: i32 = 0;
    #[pyattr]
    const XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE: i32 = 1;
    #[pyattr]
    const XML_PARAM_ENTITY_PARSING_ALWAYS: i32 = 2;

    const MODEL: [(&str, u32); 10] = [
        ("XML_CTYPE_EMPTY", 1),
        ("XML_CTYPE_ANY", 2),
        ("XML_CTYPE_MIXED", 3),
        ("XML_CTYPE_NAME", 4),
        ("XML_CTYPE_CHOICE", 5),
        ("XML_CTYPE_SEQ", 6),
        ("XML_CQUANT_NONE", 0),
        ("XML_CQUANT_OPT", 1),
        ("XML_CQUANT_REP", 2),
        ("XML_CQUANT_PLUS", 3),
    ];
    const FEATURES: [(&str, u32); 8] = [
        ("sizeof(XML_Char)", 1),
        ("sizeof(XML_LChar)", 1),
        ("XML_DTD", 0),
        ("XML_CONTEXT_BYTES", 1024),
        ("XML_NS", 0),
        ("XML_BLAP_MAX_AMP", 100),
        ("XML_BLAP_ACT_THRES", 8 << 20),
        ("XML_GE", 0),
    ];

    #[pyattr(name = "ExpatError", once)]
    fn expat_error(vm: &VirtualMachine) -> PyTypeRef {
        vm.ctx.new_exception_type("xml.parsers.expat", "ExpatError", None)
    }

    #[derive(FromArgs)]
    struct ParserArgs {
        #[pyarg(any, default)]
        encoding: Option<PyObjectRef>,
        #[pyarg(any, default)]
        namespace_separator: Option<PyObjectRef>,
        #[pyarg(any, optional)]
        intern: OptionalArg<PyObjectRef>,
    }

    fn text_of(value: Option<PyObjectRef>, name: &str, vm: &VirtualMachine) -> PyResult<Option<PyStrRef>> {
        let Some(value) = value.filter(|value| !vm.is_none(value)) else { return Ok(None) };
        value.downcast::<PyStr>().map(Some).map_err(|value| {
            let class = value.class().name().to_string();
            vm.new_type_error(format!("ParserCreate() argument '{name}' must be str or None, not {class}"))
        })
    }

    /// Return a new XML parser object.
    #[pyfunction(name = "ParserCreate")]
    fn parser_create(args: ParserArgs, vm: &VirtualMachine) -> PyResult<PyRef<PyParser>> {
        let encoding = text_of(args.encoding, "encoding", vm)?;
        let separator = text_of(args.namespace_separator, "namespace_separator", vm)?;
        let names = match separator {
            Some(text) if text.char_len() > 1 => {
                let message = "namespace_separator must be at most one character, omitted, or None";
                return Err(vm.new_value_error(message));
            }
            Some(text) => {
                let separator = text.to_str().and_then(|text| text.chars().next()).filter(|&char| char != '\0');
                Some(Names { separator, with_prefixes: false, bindings: Vec::new() })
            }
            None => None,
        };
        let intern = match args.intern {
            OptionalArg::Missing => vm.ctx.new_dict().into(),
            OptionalArg::Present(given) if vm.is_none(&given) || given.downcast_ref::<PyDict>().is_some() => given,
            OptionalArg::Present(_) => return Err(vm.new_type_error("intern must be a dictionary")),
        };
        let mut scanner = Scanner::new(names);
        if let Some(encoding) = encoding {
            scanner.force_named(&encoding.to_string_lossy());
        }
        Ok(PyParser::new(scanner, intern, vm).into_ref(&vm.ctx))
    }

    /// Returns string error for given number.
    #[pyfunction(name = "ErrorString")]
    fn error_string(code: i64) -> Option<&'static str> {
        let place = usize::try_from(code.checked_sub(1)?).ok()?;
        ERRORS.get(place).map(|&(_, words)| words)
    }

    fn submodule(name: &str, doc: &str, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let module: PyObjectRef = vm.new_module(name, vm.ctx.new_dict(), Some(vm.ctx.new_str(doc))).into();
        let modules = vm.sys_module.as_object().get_attr("modules", vm)?;
        modules.set_item(name, module.clone(), vm)?;
        Ok(module)
    }

    fn errors(vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let module = submodule("pyexpat.errors", "Constants used to describe error conditions.", vm)?;
        let (codes, messages) = (vm.ctx.new_dict(), vm.ctx.new_dict());
        for (code, (name, words)) in (1..).zip(ERRORS) {
            let (code, words): (PyObjectRef, PyObjectRef) = (vm.ctx.new_int(code).into(), vm.ctx.new_str(words).into());
            module.set_attr(vm.ctx.intern_str(name), words.clone(), vm)?;
            codes.set_item(&*words, code.clone(), vm)?;
            messages.set_item(&*code, words, vm)?;
        }
        module.set_attr("codes", codes, vm)?;
        module.set_attr("messages", messages, vm)?;
        Ok(module)
    }

    fn model(vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let module = submodule("pyexpat.model", "Constants used to interpret content model information.", vm)?;
        for (name, number) in MODEL {
            module.set_attr(vm.ctx.intern_str(name), vm.ctx.new_int(number), vm)?;
        }
        Ok(module)
    }

    pub(crate) fn module_exec(vm: &VirtualMachine, module: &Py<PyModule>) -> PyResult<()> {
        __module_exec(vm, module);
        let feature = |(name, number): (&str, u32)| -> PyObjectRef {
            vm.ctx.new_tuple(vec![vm.ctx.new_str(name).into(), vm.ctx.new_int(number).into()]).into()
        };
        let version = [2, 6, 3].map(|part| vm.ctx.new_int(part).into()).to_vec();
        extend_module!(vm, module, {
            "XMLParserType" => PyParser::make_static_type(),
            "error" => module.get_attr("ExpatError", vm)?,
            "errors" => errors(vm)?,
            "model" => model(vm)?,
            "features" => vm.ctx.new_list(FEATURES.map(feature).to_vec()),
            "version_info" => vm.ctx.new_tuple(version),
        });
        Ok(())
    }
}
