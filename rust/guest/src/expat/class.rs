//! The class of parsers: handlers by their names, and what they are called with.

use std::cell::{Cell, RefCell};

use rustpython_derive::{FromArgs, Traverse};
use rustpython_vm::builtins::{PyBaseExceptionRef, PyBytes, PyInt, PyStr, PyStrRef, PyType, PyTypeRef};
use rustpython_vm::common::lock::PyRwLock;
use rustpython_vm::function::{ArgBytesLike, OptionalArg, PySetterValue};
use rustpython_vm::{
    AsObject, Context, Py, PyObjectRef, PyPayload, PyRef, PyResult, TryFromObject, VirtualMachine, pyclass,
};

use super::error::{ERRORS, EXTERNAL_ENTITY_HANDLING, Fault, NOT_STANDALONE};
use super::event::{EntityDecl, Event, Happening, ModelNode};
use super::scanner::{Scanner, Wants};
use super::text::{Encoding, pieces};

#[derive(Clone, Copy, PartialEq)]
enum Handler {
    Start,
    End,
    Instruction,
    Text,
    Unparsed,
    Notation,
    NamespaceStart,
    NamespaceEnd,
    Comment,
    SectionStart,
    SectionEnd,
    Rest,
    RestExpanded,
    NotStandalone,
    External,
    DoctypeStart,
    DoctypeEnd,
    Entity,
    XmlDecl,
    Element,
    Attribute,
    Skipped,
}

const HANDLERS: [(Handler, &str); 22] = [
    (Handler::Start, "StartElementHandler"),
    (Handler::End, "EndElementHandler"),
    (Handler::Instruction, "ProcessingInstructionHandler"),
    (Handler::Text, "CharacterDataHandler"),
    (Handler::Unparsed, "UnparsedEntityDeclHandler"),
    (Handler::Notation, "NotationDeclHandler"),
    (Handler::NamespaceStart, "StartNamespaceDeclHandler"),
    (Handler::NamespaceEnd, "EndNamespaceDeclHandler"),
    (Handler::Comment, "CommentHandler"),
    (Handler::SectionStart, "StartCdataSectionHandler"),
    (Handler::SectionEnd, "EndCdataSectionHandler"),
    (Handler::Rest, "DefaultHandler"),
    (Handler::RestExpanded, "DefaultHandlerExpand"),
    (Handler::NotStandalone, "NotStandaloneHandler"),
    (Handler::External, "ExternalEntityRefHandler"),
    (Handler::DoctypeStart, "StartDoctypeDeclHandler"),
    (Handler::DoctypeEnd, "EndDoctypeDeclHandler"),
    (Handler::Entity, "EntityDeclHandler"),
    (Handler::XmlDecl, "XmlDeclHandler"),
    (Handler::Element, "ElementDeclHandler"),
    (Handler::Attribute, "AttlistDeclHandler"),
    (Handler::Skipped, "SkippedEntityHandler"),
];

/// Bytes of text that are put together before a handler is called.
const BUFFER_SIZE: usize = 8192;

/// Text for `CharacterDataHandler` that has not been handed over.
struct Buffer {
    text: String,
    size: usize,
    used: bool,
}

#[pyclass(module = "pyexpat", name = "xmlparser", traverse)]
#[derive(PyPayload)]
pub(super) struct PyParser {
    handlers: PyRwLock<Vec<PyObjectRef>>,
    intern: PyRwLock<PyObjectRef>,
    #[pytraverse(skip)]
    scanner: RefCell<Scanner>,
    #[pytraverse(skip)]
    buffer: RefCell<Buffer>,
    #[pytraverse(skip)]
    base: RefCell<Option<String>>,
    /// The handler of the rest that counts: the one that was set last.
    #[pytraverse(skip)]
    rest: Cell<Option<Handler>>,
    #[pytraverse(skip)]
    expanded: Cell<bool>,
    #[pytraverse(skip)]
    ordered: Cell<bool>,
    #[pytraverse(skip)]
    specified: Cell<bool>,
    #[pytraverse(skip)]
    busy: Cell<bool>,
}

impl core::fmt::Debug for PyParser {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("xmlparser")
    }
}

#[derive(FromArgs)]
struct ParseArgs {
    #[pyarg(positional)]
    data: PyObjectRef,
    #[pyarg(positional, default)]
    last: Option<PyObjectRef>,
}

#[derive(FromArgs)]
struct ChildArgs {
    #[pyarg(positional)]
    context: Option<PyStrRef>,
    #[pyarg(positional, default)]
    encoding: Option<PyStrRef>,
}

impl PyParser {
    pub(super) fn new(scanner: Scanner, intern: PyObjectRef, vm: &VirtualMachine) -> Self {
        Self {
            handlers: PyRwLock::new(vec![vm.ctx.none(); HANDLERS.len()]),
            intern: PyRwLock::new(intern),
            scanner: RefCell::new(scanner),
            buffer: RefCell::new(Buffer { text: String::new(), size: BUFFER_SIZE, used: false }),
            base: RefCell::new(None),
            rest: Cell::new(None),
            expanded: Cell::new(true),
            ordered: Cell::new(false),
            specified: Cell::new(false),
            busy: Cell::new(false),
        }
    }

    fn handler(&self, which: Handler, vm: &VirtualMachine) -> Option<PyObjectRef> {
        let handler = self.handlers.read()[which as usize].clone();
        (!vm.is_none(&handler)).then_some(handler)
    }

    fn set_handler(&self, which: Handler, handler: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        if which == Handler::Text {
            self.flush(vm)?;
        }
        if matches!(which, Handler::Rest | Handler::RestExpanded) {
            self.rest.set((!vm.is_none(&handler)).then_some(which));
            self.expanded.set(which == Handler::RestExpanded);
        }
        let old = core::mem::replace(&mut self.handlers.write()[which as usize], handler);
        // Dropped when nothing is borrowed any more: that may run code.
        drop(old);
        Ok(())
    }

    fn wants(&self, vm: &VirtualMachine) -> Wants {
        Wants {
            raw: self.rest.get().is_some(),
            external: self.handler(Handler::External, vm).is_some(),
            skipped: self.handler(Handler::Skipped, vm).is_some(),
            not_standalone: self.handler(Handler::NotStandalone, vm).is_some(),
            expanded: self.expanded.get(),
        }
    }

    /// Reads a piece of the document, and calls handlers with what is in it.
    fn feed(zelf: &Py<Self>, bytes: &[u8], last: bool, vm: &VirtualMachine) -> PyResult<()> {
        if zelf.busy.replace(true) {
            return Err(vm.new_runtime_error("a parser cannot be given more by one of its own handlers"));
        }
        zelf.scanner.borrow_mut().feed(bytes, last);
        let result = zelf.drive(vm).and_then(|()| zelf.flush(vm));
        zelf.busy.set(false);
        if result.is_err() {
            // A handler has raised, or the document is at fault: nothing more is handed over.
            zelf.buffer.borrow_mut().text.clear();
        }
        result
    }

    fn drive(&self, vm: &VirtualMachine) -> PyResult<()> {
        loop {
            let wants = self.wants(vm);
            let next = self.scanner.borrow_mut().next(wants);
            match next {
                Ok(None) => return Ok(()),
                Ok(Some(happening)) => {
                    if let Err(error) = self.dispatch(happening, vm) {
                        self.scanner.borrow_mut().stop();
                        let none = vec![vm.ctx.none(); HANDLERS.len()];
                        let old = core::mem::replace(&mut *self.handlers.write(), none);
                        drop(old);
                        self.rest.set(None);
                        return Err(error);
                    }
                }
                Err(fault) => return Err(expat_error(fault, vm)?),
            }
        }
    }

    fn flush(&self, vm: &VirtualMachine) -> PyResult<()> {
        let text = core::mem::take(&mut self.buffer.borrow_mut().text);
        if text.is_empty() {
            return Ok(());
        }
        match self.handler(Handler::Text, vm) {
            Some(handler) => handler.call((vm.ctx.new_str(text),), vm).map(drop),
            None => Ok(()),
        }
    }

    fn text(&self, text: String, vm: &VirtualMachine) -> PyResult<()> {
        let Some(handler) = self.handler(Handler::Text, vm) else { return Ok(()) };
        let (used, size, held) = {
            let buffer = self.buffer.borrow();
            (buffer.used, buffer.size, buffer.text.len())
        };
        if used {
            if held + text.len() > size {
                self.flush(vm)?;
            }
            if text.len() <= size {
                self.buffer.borrow_mut().text += &text;
                return Ok(());
            }
        }
        handler.call((vm.ctx.new_str(text),), vm).map(drop)
    }

    /// A name, one object however often it comes.
    fn name(&self, name: String, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let intern = self.intern.read().clone();
        let name: PyObjectRef = vm.ctx.new_str(name).into();
        if vm.is_none(&intern) {
            return Ok(name);
        }
        match intern.get_item(&*name, vm) {
            Ok(known) => Ok(known),
            Err(error) if error.fast_isinstance(vm.ctx.exceptions.key_error) => {
                intern.set_item(&*name, name.clone(), vm)?;
                Ok(name)
            }
            Err(error) => Err(error),
        }
    }

    fn optional_name(&self, name: Option<String>, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        name.map_or_else(|| Ok(vm.ctx.none()), |name| self.name(name, vm))
    }

    fn base(&self, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let base = self.base.borrow().clone();
        self.optional_name(base, vm)
    }

    fn dispatch(&self, happening: Happening, vm: &VirtualMachine) -> PyResult<()> {
        let Happening { event, raw, .. } = happening;
        let which = match &event {
            Event::Text(_) if self.handler(Handler::Text, vm).is_some() => {
                let Event::Text(text) = event else { unreachable!("just matched") };
                return self.text(text, vm);
            }
            Event::Encoding(name) => return self.find_encoding(name, vm),
            Event::DoctypePart if self.handler(Handler::DoctypeStart, vm).is_some() => return Ok(()),
            Event::Entity(decl) if decl.notation.is_some() && self.handler(Handler::Unparsed, vm).is_some() => {
                Some(Handler::Unparsed)
            }
            other => handler_of(other),
        };
        let Some(handler) = which.and_then(|which| self.handler(which, vm)) else {
            let handled_later =
                matches!(event, Event::Start { empty: true, .. }) && self.handler(Handler::End, vm).is_some();
            let rest = self.rest.get().and_then(|which| self.handler(which, vm));
            let (Some(raw), Some(rest), false) = (raw, rest, handled_later) else { return Ok(()) };
            self.flush(vm)?;
            let is_declaration = raw.starts_with("<!") && !raw.starts_with("<!-") && !raw.starts_with("<![");
            let parts = if is_declaration { pieces(&raw) } else { vec![raw.as_str()] };
            for part in parts {
                rest.call((vm.ctx.new_str(part),), vm)?;
            }
            return Ok(());
        };
        self.flush(vm)?;
        let refused = match event {
            Event::External { .. } => Some(EXTERNAL_ENTITY_HANDLING),
            Event::NotStandalone => Some(NOT_STANDALONE),
            _ => None,
        };
        let arguments = self.arguments(event, which == Some(Handler::Unparsed), vm)?;
        let answer = handler.call(arguments, vm)?;
        if let Some(code) = refused
            && answer.try_index(vm)?.as_bigint().sign() == malachite_bigint::Sign::NoSign
        {
            self.scanner.borrow_mut().fail(code);
        }
        Ok(())
    }

    fn arguments(&self, event: Event, unparsed: bool, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
        let text = |text: String| -> PyObjectRef { vm.ctx.new_str(text).into() };
        let optional = |given: Option<String>| given.map_or_else(|| vm.ctx.none(), text);
        let int = |number: i32| -> PyObjectRef { vm.ctx.new_int(number).into() };
        Ok(match event {
            Event::Start { name, attributes, specified, .. } => {
                let name = self.name(name, vm)?;
                let count = if self.specified.get() { specified } else { attributes.len() };
                vec![name, self.attributes(attributes.into_iter().take(count), vm)?]
            }
            Event::End { name } => vec![self.name(name, vm)?],
            Event::Instruction { target, data } => vec![self.name(target, vm)?, text(data)],
            Event::Comment(comment) => vec![text(comment)],
            Event::NamespaceStart { prefix, uri } => {
                vec![self.optional_name(prefix, vm)?, self.optional_name(uri, vm)?]
            }
            Event::NamespaceEnd { prefix } => vec![self.optional_name(prefix, vm)?],
            Event::XmlDecl { version, encoding, standalone } => {
                vec![optional(version), optional(encoding), int(standalone)]
            }
            Event::DoctypeStart { name, system, public, internal } => vec![
                self.name(name, vm)?,
                self.optional_name(system, vm)?,
                self.optional_name(public, vm)?,
                int(internal.into()),
            ],
            Event::Entity(EntityDecl { name, parameter, value, system, public, notation }) => {
                let name = self.name(name, vm)?;
                let base = self.base(vm)?;
                let (system, public) = (self.optional_name(system, vm)?, self.optional_name(public, vm)?);
                let notation = self.optional_name(notation, vm)?;
                if unparsed {
                    vec![name, base, system, public, notation]
                } else {
                    vec![name, int(parameter.into()), optional(value), base, system, public, notation]
                }
            }
            Event::Notation { name, system, public } => vec![
                self.name(name, vm)?,
                self.base(vm)?,
                self.optional_name(system, vm)?,
                self.optional_name(public, vm)?,
            ],
            Event::Element { name, model } => vec![self.name(name, vm)?, self.model(model, vm)?],
            Event::Attribute { element, name, kind, default, required } => {
                vec![self.name(element, vm)?, self.name(name, vm)?, text(kind), optional(default), int(required.into())]
            }
            Event::External { context, system, public } => vec![
                optional(context),
                self.base(vm)?,
                self.optional_name(system, vm)?,
                self.optional_name(public, vm)?,
            ],
            Event::Skipped { name, parameter } => vec![self.name(name, vm)?, int(parameter.into())],
            Event::Text(_)
            | Event::SectionStart
            | Event::SectionEnd
            | Event::DoctypeEnd
            | Event::NotStandalone
            | Event::Encoding(_)
            | Event::DoctypePart
            | Event::Rest => Vec::new(),
        })
    }

    fn attributes(
        &self,
        attributes: impl Iterator<Item = (String, String)>,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        if self.ordered.get() {
            let mut items = Vec::new();
            for (name, value) in attributes {
                items.push(self.name(name, vm)?);
                items.push(vm.ctx.new_str(value).into());
            }
            return Ok(vm.ctx.new_list(items).into());
        }
        let dict = vm.ctx.new_dict();
        for (name, value) in attributes {
            dict.set_item(&*self.name(name, vm)?, vm.ctx.new_str(value).into(), vm)?;
        }
        Ok(dict.into())
    }

    /// Tuples of type, quantity, name and children: the last ones first, so that children are there before parents.
    fn model(&self, nodes: Vec<ModelNode>, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        let mut built: Vec<Option<PyObjectRef>> = Vec::new();
        built.resize(nodes.len(), None);
        for (place, node) in nodes.into_iter().enumerate().rev() {
            let children = node.children.into_iter().map(|child| built[child].take().expect("built before")).collect();
            let tuple = vec![
                vm.ctx.new_int(node.kind).into(),
                vm.ctx.new_int(node.quantity).into(),
                self.optional_name(node.name, vm)?,
                vm.ctx.new_tuple(children).into(),
            ];
            built[place] = Some(vm.ctx.new_tuple(tuple).into());
        }
        Ok(built.swap_remove(0).expect("a model has a root"))
    }

    /// An encoding of one byte a character, from Python's codec of that name.
    fn find_encoding(&self, name: &str, vm: &VirtualMachine) -> PyResult<()> {
        let bytes: Vec<u8> = (0..=255).collect();
        let errors = vm.ctx.new_utf8_str("replace");
        let text = vm.state.codec_registry.decode_text(vm.ctx.new_bytes(bytes).into(), name, Some(errors), vm)?;
        let text = text.to_string_lossy();
        let chars: Vec<char> = text.chars().collect();
        let Ok(chars) = <[char; 256]>::try_from(chars) else {
            return Err(vm.new_value_error("multi-byte encodings are not supported"));
        };
        let table = chars.map(|char| (char != char::REPLACEMENT_CHARACTER).then_some(char));
        self.scanner.borrow_mut().resolve(Some(Encoding::Table(Box::new(table))));
        Ok(())
    }
}

fn handler_of(event: &Event) -> Option<Handler> {
    Some(match event {
        Event::Start { .. } => Handler::Start,
        Event::End { .. } => Handler::End,
        Event::Instruction { .. } => Handler::Instruction,
        Event::Text(_) => Handler::Text,
        Event::Comment(_) => Handler::Comment,
        Event::SectionStart => Handler::SectionStart,
        Event::SectionEnd => Handler::SectionEnd,
        Event::NamespaceStart { .. } => Handler::NamespaceStart,
        Event::NamespaceEnd { .. } => Handler::NamespaceEnd,
        Event::XmlDecl { .. } => Handler::XmlDecl,
        Event::DoctypeStart { .. } => Handler::DoctypeStart,
        Event::DoctypeEnd => Handler::DoctypeEnd,
        Event::Entity(_) => Handler::Entity,
        Event::Notation { .. } => Handler::Notation,
        Event::Element { .. } => Handler::Element,
        Event::Attribute { .. } => Handler::Attribute,
        Event::External { .. } => Handler::External,
        Event::Skipped { .. } => Handler::Skipped,
        Event::NotStandalone => Handler::NotStandalone,
        Event::Encoding(_) | Event::DoctypePart | Event::Rest => return None,
    })
}

/// What a faulty document raises.
fn expat_error(fault: Fault, vm: &VirtualMachine) -> PyResult<PyBaseExceptionRef> {
    let class: PyTypeRef = crate::library::import(vm, "pyexpat")?.get_attr("ExpatError", vm)?.try_into_value(vm)?;
    let words = ERRORS[fault.code - 1].1;
    let message = format!("{words}: line {}, column {}", fault.place.line, fault.place.column);
    let error = vm.new_exception_msg(class, message.into());
    error.as_object().set_attr("code", vm.ctx.new_int(fault.code), vm)?;
    error.as_object().set_attr("offset", vm.ctx.new_int(fault.place.column), vm)?;
    error.as_object().set_attr("lineno", vm.ctx.new_int(fault.place.line), vm)?;
    Ok(error)
}

#[pyclass(flags(DISALLOW_INSTANTIATION))]
impl PyParser {
    #[extend_class]
    fn add_handlers(ctx: &Context, class: &'static Py<PyType>) {
        for (which, name) in HANDLERS {
            let get = move |zelf: &Py<Self>, _vm: &VirtualMachine| zelf.handlers.read()[which as usize].clone();
            let set = move |zelf: &Py<Self>, value: PySetterValue, vm: &VirtualMachine| match value {
                PySetterValue::Assign(handler) => zelf.set_handler(which, handler, vm),
                PySetterValue::Delete => Err(vm.new_runtime_error("Cannot delete attribute")),
            };
            class.attributes.insert(ctx.intern_str(name), ctx.new_static_getset(name, class, get, set).into());
        }
    }

    /// Parse XML data.
    #[pymethod(name = "Parse")]
    fn parse(zelf: &Py<Self>, args: ParseArgs, vm: &VirtualMachine) -> PyResult<i32> {
        let last = args.last.map_or(Ok(false), |last| last.try_to_bool(vm))?;
        if let Some(text) = args.data.downcast_ref::<PyStr>() {
            let Some(text) = text.to_str() else {
                vm.call_method(&args.data, "encode", ("utf-8",))?;
                unreachable!("surrogates are an error");
            };
            zelf.scanner.borrow_mut().force(Encoding::Utf8);
            Self::feed(zelf, text.as_bytes(), last, vm)?;
        } else {
            let bytes = ArgBytesLike::try_from_object(vm, args.data)?.borrow_buf().to_vec();
            Self::feed(zelf, &bytes, last, vm)?;
        }
        Ok(1)
    }

    /// Parse XML data from file-like object.
    #[pymethod(name = "ParseFile")]
    fn parse_file(zelf: &Py<Self>, file: PyObjectRef, vm: &VirtualMachine) -> PyResult<i32> {
        const SIZE: usize = 2048;
        let read = file.get_attr("read", vm).map_err(|error| {
            let missing = error.fast_isinstance(vm.ctx.exceptions.attribute_error);
            if missing { vm.new_type_error("argument must have 'read' attribute") } else { error }
        })?;
        loop {
            let piece = read.call((SIZE,), vm)?;
            let class = piece.class().name().to_string();
            let Some(bytes) = piece.downcast_ref::<PyBytes>() else {
                return Err(vm.new_type_error(format!("read() did not return a bytes object (type={class})")));
            };
            let bytes = bytes.as_bytes();
            if bytes.len() > SIZE {
                let returned = bytes.len();
                let message = format!("read() returned too much data: {SIZE} bytes requested, {returned} returned");
                return Err(vm.new_value_error(message));
            }
            Self::feed(zelf, bytes, bytes.is_empty(), vm)?;
            if bytes.is_empty() {
                return Ok(1);
            }
        }
    }

    /// Set the base URL for the parser.
    #[pymethod(name = "SetBase")]
    fn set_base(zelf: &Py<Self>, base: PyStrRef) {
        *zelf.base.borrow_mut() = Some(base.to_string_lossy().into_owned());
    }

    /// Return base URL string for the parser.
    #[pymethod(name = "GetBase")]
    fn get_base(zelf: &Py<Self>) -> Option<String> {
        zelf.base.borrow().clone()
    }

    /// Return the untranslated text of the input that caused the current event.
    #[pymethod(name = "GetInputContext")]
    fn get_input_context(zelf: &Py<Self>, vm: &VirtualMachine) -> PyObjectRef {
        if !zelf.busy.get() {
            return vm.ctx.none();
        }
        vm.ctx.new_bytes(zelf.scanner.borrow().input().to_vec()).into()
    }

    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[pymethod(name = "ExternalEntityParserCreate")]
    fn external_entity_parser_create(zelf: &Py<Self>, args: ChildArgs, vm: &VirtualMachine) -> PyRef<Self> {
        let context = args.context.map(|context| context.to_string_lossy().into_owned());
        let mut scanner = zelf.scanner.borrow().child(context.as_deref());
        if let Some(encoding) = args.encoding {
            scanner.force_named(&encoding.to_string_lossy());
        }
        let child = Self::new(scanner, zelf.intern.read().clone(), vm);
        child.handlers.write().clone_from(&zelf.handlers.read());
        *child.base.borrow_mut() = zelf.base.borrow().clone();
        child.rest.set(zelf.rest.get());
        child.expanded.set(zelf.expanded.get());
        child.ordered.set(zelf.ordered.get());
        child.specified.set(zelf.specified.get());
        let (size, used) = (zelf.buffer.borrow().size, zelf.buffer.borrow().used);
        *child.buffer.borrow_mut() = Buffer { text: String::new(), size, used };
        child.into_ref(&vm.ctx)
    }

    /// Controls parsing of parameter entities (including the external DTD subset).
    #[pymethod(name = "SetParamEntityParsing")]
    fn set_param_entity_parsing(zelf: &Py<Self>, flag: i32) -> i32 {
        let mut scanner = zelf.scanner.borrow_mut();
        let fits = !scanner.has_begun() && (0..=2).contains(&flag);
        if fits {
            scanner.parameter_parsing = flag as u8;
        }
        fits.into()
    }

    /// Allows the application to provide an artificial external subset if one is not specified.
    #[pymethod(name = "UseForeignDTD")]
    fn use_foreign_dtd(zelf: &Py<Self>, flag: OptionalArg<PyObjectRef>, vm: &VirtualMachine) -> PyResult<()> {
        let flag = flag.map_or(Ok(true), |flag| flag.try_to_bool(vm))?;
        if zelf.scanner.borrow().has_begun() {
            let class: PyTypeRef =
                crate::library::import(vm, "pyexpat")?.get_attr("ExpatError", vm)?.try_into_value(vm)?;
            let words = "cannot change setting once parsing has begun";
            return Err(vm.new_exception_msg(class, format!("{words}: line 1, column 0").into()));
        }
        zelf.scanner.borrow_mut().foreign_dtd = flag;
        Ok(())
    }

    /// Enable/Disable reparse deferral; enabled by default with Expat >=2.6.0.
    #[pymethod(name = "SetReparseDeferralEnabled")]
    fn set_reparse_deferral_enabled(zelf: &Py<Self>, enabled: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let enabled = enabled.try_to_bool(vm)?;
        zelf.scanner.borrow_mut().deferral = enabled;
        Ok(())
    }

    /// Retrieve reparse deferral enabled status; always returns false with Expat <2.6.0.
    #[pymethod(name = "GetReparseDeferralEnabled")]
    fn get_reparse_deferral_enabled(zelf: &Py<Self>) -> bool {
        zelf.scanner.borrow().deferral
    }

    #[pygetset]
    fn intern(zelf: &Py<Self>) -> PyObjectRef {
        zelf.intern.read().clone()
    }

    #[pygetset]
    fn buffer_text(zelf: &Py<Self>) -> bool {
        zelf.buffer.borrow().used
    }

    #[pygetset(setter)]
    fn set_buffer_text(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let used = value.try_to_bool(vm)?;
        if !used {
            zelf.flush(vm)?;
        }
        zelf.buffer.borrow_mut().used = used;
        Ok(())
    }

    #[pygetset]
    fn buffer_size(zelf: &Py<Self>) -> usize {
        zelf.buffer.borrow().size
    }

    #[pygetset(setter)]
    fn set_buffer_size(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let Some(number) = value.downcast_ref::<PyInt>() else {
            return Err(vm.new_type_error("buffer_size must be an integer"));
        };
        let size: i64 = number.try_to_primitive(vm)?;
        if size <= 0 {
            return Err(vm.new_value_error("buffer_size must be greater than zero"));
        }
        let Ok(size) = i32::try_from(size) else {
            return Err(vm.new_value_error(format!("buffer_size must not be greater than {}", i32::MAX)));
        };
        zelf.flush(vm)?;
        zelf.buffer.borrow_mut().size = size as usize;
        Ok(())
    }

    #[pygetset]
    fn buffer_used(zelf: &Py<Self>) -> usize {
        zelf.buffer.borrow().text.len()
    }

    #[pygetset]
    fn namespace_prefixes(zelf: &Py<Self>) -> bool {
        zelf.scanner.borrow().names.as_ref().is_some_and(|names| names.with_prefixes)
    }

    #[pygetset(setter)]
    fn set_namespace_prefixes(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        let with_prefixes = value.try_to_bool(vm)?;
        if let Some(names) = &mut zelf.scanner.borrow_mut().names {
            names.with_prefixes = with_prefixes;
        }
        Ok(())
    }

    #[pygetset]
    fn ordered_attributes(zelf: &Py<Self>) -> bool {
        zelf.ordered.get()
    }

    #[pygetset(setter)]
    fn set_ordered_attributes(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        zelf.ordered.set(value.try_to_bool(vm)?);
        Ok(())
    }

    #[pygetset]
    fn specified_attributes(zelf: &Py<Self>) -> bool {
        zelf.specified.get()
    }

    #[pygetset(setter)]
    fn set_specified_attributes(zelf: &Py<Self>, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
        zelf.specified.set(value.try_to_bool(vm)?);
        Ok(())
    }

    #[pygetset(name = "ErrorCode")]
    fn error_code(zelf: &Py<Self>) -> usize {
        zelf.scanner.borrow().fault.map_or(0, |fault| fault.code)
    }

    #[pygetset(name = "ErrorLineNumber")]
    fn error_line_number(zelf: &Py<Self>) -> u64 {
        zelf.scanner.borrow().shown().line
    }

    #[pygetset(name = "ErrorColumnNumber")]
    fn error_column_number(zelf: &Py<Self>) -> u64 {
        zelf.scanner.borrow().shown().column
    }

    #[pygetset(name = "ErrorByteIndex")]
    fn error_byte_index(zelf: &Py<Self>) -> i64 {
        Self::current_byte_index(zelf)
    }

    #[pygetset(name = "CurrentLineNumber")]
    fn current_line_number(zelf: &Py<Self>) -> u64 {
        zelf.scanner.borrow().shown().line
    }

    #[pygetset(name = "CurrentColumnNumber")]
    fn current_column_number(zelf: &Py<Self>) -> u64 {
        zelf.scanner.borrow().shown().column
    }

    #[pygetset(name = "CurrentByteIndex")]
    fn current_byte_index(zelf: &Py<Self>) -> i64 {
        let scanner = zelf.scanner.borrow();
        if scanner.has_begun() { scanner.shown().byte as i64 } else { -1 }
    }
}
