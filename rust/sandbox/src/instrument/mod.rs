//! Checks a guest module and instruments it: code without data segments, and the memory that they describe.
//!
//! Nothing in a module that passes can keep state outside its memory and its stack pointer, which is
//! what lets [`crate::memory`] make a used instance fresh; its code gets companions that mark the pages it
//! writes ([`dirty_pages`]) and count what it does ([`fuel`]), and NaNs have one sign on every processor ([`nans`]).

mod dirty_pages;
mod fuel;
mod nans;

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    BranchHints, CodeSection, ConstExpr as Constant, ElementSection, EntityType, ExportKind, ExportSection, Function,
    GlobalSection, ImportSection, Instruction, MemorySection, MemoryType, Module, RawSection, TypeSection, ValType,
};
use wasmparser::{
    ConstExpr, DataKind, ExternalKind, FunctionBody, GlobalType, Operator, Parser, Payload, Validator, WasmFeatures,
};

use self::dirty_pages::Types;
use self::fuel::Renumbered;
pub(crate) use self::nans::Nans;
use crate::error::Error;
use crate::layout::{CARD_BYTES, CARDS, FUEL, HEAP_BYTES, HOST, HOST_STUB, IMPORTS, PAGE, REFUEL};

const WASM_PAGE: u64 = 64 * 1024;

/// A module in two parts.
pub(crate) struct Instrumented {
    /// The module without data segments; its memory has one size, the largest.
    pub(crate) code: Vec<u8>,
    /// Address of the first byte of `image`, page-aligned.
    pub(crate) start: usize,
    /// The memory's bytes from `start`; all others are zero.
    pub(crate) image: Vec<u8>,
    /// Bytes of the memory.
    pub(crate) size: usize,
}

/// What a guest may use: the WebAssembly of 2022 without what could keep state.
fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
}

/// Instruments `wasm` for a processor that makes such NaNs.
///
/// # Errors
/// When it is no guest: it imports something, or could keep state outside its memory.
pub(crate) fn instrument(wasm: &[u8], nans: Nans) -> Result<Instrumented, Error> {
    let instrumented = rewrite(wasm, nans)?;
    let types = types(wasm, nans)?;
    check_globals(wasm, &types)?;
    if types.functions.is_empty() {
        return Err(bad("it has no functions".to_owned()));
    }
    Ok(instrumented)
}

/// Instruments `wasm`, whatever its globals.
fn rewrite(wasm: &[u8], nans: Nans) -> Result<Instrumented, Error> {
    Validator::new_with_features(features())
        .validate_all(wasm)
        .map_err(|error| bad(format!("not valid WebAssembly: {error}")))?;
    let mut code = Module::new();
    let mut memory = None;
    let mut data = Vec::new();
    let types = types(wasm, nans)?;
    let mut charges = Vec::new();
    let (mut bodies, mut hints) = (CodeSection::new(), BranchHints::new());
    let mut functions = 0;
    let encoded = |error: wasm_encoder::reencode::Error| bad(error.to_string());
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| bad(error.to_string()))? {
            Payload::ImportSection(reader) if reader.count() == 0 => {}
            Payload::ImportSection(reader) => {
                return Err(bad(format!("it has {} imports, and a guest has none", reader.count())));
            }
            Payload::StartSection { .. } => return Err(bad("it has a start function".to_owned())),
            Payload::MemorySection(reader) => {
                let memories: Vec<_> = reader.into_iter().flatten().collect();
                let [one] = memories[..] else {
                    return Err(bad(format!("it has {} memories, not one", memories.len())));
                };
                let pages = one.initial + HEAP_BYTES / WASM_PAGE;
                if pages > 65536 {
                    return Err(bad(format!("its memory starts at {} pages", one.initial)));
                }
                memory = Some(one.initial * WASM_PAGE);
                let of = |pages| MemoryType {
                    minimum: pages,
                    maximum: Some(pages),
                    memory64: false,
                    shared: false,
                    page_size_log2: None,
                };
                let cards = of(CARD_BYTES as u64 / WASM_PAGE);
                code.section(MemorySection::new().memory(of(pages)).memory(cards));
            }
            Payload::DataSection(reader) => {
                for segment in reader {
                    let segment = segment.map_err(|error| bad(error.to_string()))?;
                    let DataKind::Active { memory_index: 0, offset_expr } = segment.kind else {
                        return Err(bad("it has a passive data segment".to_owned()));
                    };
                    data.push((constant(&offset_expr)?, segment.data));
                }
            }
            Payload::DataCountSection { .. } | Payload::CustomSection(_) => {}
            Payload::TypeSection(reader) => {
                let mut section = TypeSection::new();
                Renumbered.parse_type_section(&mut section, reader).map_err(encoded)?;
                section.ty().function([ValType::I64], [ValType::I64]);
                section.ty().function([ValType::I32; 3], [ValType::I32]);
                code.section(&section);
                let next = u32::try_from(types.types.len()).expect("a module has fewer types than bytes");
                let mut section = ImportSection::new();
                section.import(REFUEL.0, REFUEL.1, EntityType::Function(next));
                section.import(HOST.0, HOST.1, EntityType::Function(next + 1));
                code.section(&section);
            }
            Payload::ElementSection(reader) => {
                let mut section = ElementSection::new();
                Renumbered.parse_element_section(&mut section, reader).map_err(encoded)?;
                code.section(&section);
            }
            Payload::GlobalSection(reader) => {
                let mut section = GlobalSection::new();
                Renumbered.parse_global_section(&mut section, reader).map_err(encoded)?;
                let kind = wasm_encoder::GlobalType { val_type: ValType::I64, mutable: true, shared: false };
                code.section(section.global(kind, &Constant::i64_const(0)));
            }
            Payload::ExportSection(reader) => {
                let mut section = ExportSection::new();
                for export in reader {
                    let export = export.map_err(|error| bad(error.to_string()))?;
                    let kind = Renumbered.export_kind(export.kind).map_err(encoded)?;
                    let index = export.index + if kind == ExportKind::Func { IMPORTS } else { 0 };
                    section.export(export.name, kind, index);
                }
                section.export(CARDS, ExportKind::Memory, 1).export(FUEL, ExportKind::Global, types.fuel);
                code.section(&section);
            }
            // Only here it is known that functions are numbered without imports.
            Payload::CodeSectionStart { .. } => charges = fuel::charges(wasm)?,
            Payload::CodeSectionEntry(body) => {
                check_body(&body)?;
                let (function, unlikely) = match types.host_stub {
                    Some(stub) if stub as usize == functions => (call_of_host(&types, functions)?, Vec::new()),
                    _ => dirty_pages::function(&types, functions, &charges[functions], &body)?,
                };
                bodies.function(&function);
                let number = u32::try_from(functions).expect("a module has fewer functions than bytes");
                hints.function_hints(number + IMPORTS, unlikely);
                functions += 1;
                if functions == types.functions.len() {
                    code.section(&hints).section(&bodies);
                }
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    code.section(&RawSection { id, data: &wasm[range] });
                }
            }
        }
    }
    let initial = memory.ok_or_else(|| bad("it has no memory".to_owned()))?;
    let (start, image) = image(&data, initial)?;
    let size = host_size(initial + HEAP_BYTES);
    Ok(Instrumented { code: code.finish(), start, image, size })
}

/// What stands in the place of the guest's stub: a call of the host with what it is given.
fn call_of_host(types: &Types, number: usize) -> Result<Function, Error> {
    let kind = types.functions.get(number).and_then(|&kind| types.types.get(kind as usize));
    let kind = kind.ok_or_else(|| bad("a function without a type".to_owned()))?.unwrap_func();
    let wanted = wasmparser::FuncType::new([wasmparser::ValType::I32; 3], [wasmparser::ValType::I32]);
    if *kind != wanted {
        return Err(bad(format!("{HOST_STUB} has another type than it must have")));
    }
    let mut function = Function::new([]);
    for parameter in 0..3 {
        function.instruction(&Instruction::LocalGet(parameter));
    }
    function.instruction(&Instruction::Call(1)).instruction(&Instruction::End);
    Ok(function)
}

/// The types, and which of them each function has.
fn types(wasm: &[u8], nans: Nans) -> Result<Types, Error> {
    let mut types =
        Types { types: Vec::new(), functions: Vec::new(), stack_pointer: None, host_stub: None, fuel: 0, nans };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| bad(error.to_string()))? {
            Payload::TypeSection(reader) => {
                for group in reader {
                    types.types.extend(group.map_err(|error| bad(error.to_string()))?.into_types());
                }
            }
            Payload::GlobalSection(reader) => types.fuel = reader.count(),
            Payload::FunctionSection(reader) => {
                for function in reader {
                    types.functions.push(function.map_err(|error| bad(error.to_string()))?);
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export.map_err(|error| bad(error.to_string()))?;
                    match export.kind {
                        ExternalKind::Global if export.name == "__stack_pointer" => {
                            types.stack_pointer = Some(export.index);
                        }
                        ExternalKind::Func if export.name == HOST_STUB => types.host_stub = Some(export.index),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(types)
}

/// Refuses instructions that change state which is not memory.
fn check_body(body: &FunctionBody<'_>) -> Result<(), Error> {
    let operators = body.get_operators_reader().map_err(|error| bad(error.to_string()))?;
    for operator in operators {
        let operator = operator.map_err(|error| bad(error.to_string()))?;
        if matches!(
            operator,
            Operator::TableSet { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. }
                | Operator::ElemDrop { .. }
                | Operator::MemoryInit { .. }
                | Operator::DataDrop { .. }
        ) {
            return Err(bad(format!("it changes state outside its memory: {operator:?}")));
        }
    }
    Ok(())
}

/// The only mutable global is the stack pointer, which the host sets before every program.
fn check_globals(wasm: &[u8], types: &Types) -> Result<(), Error> {
    let pointer = types.stack_pointer.ok_or_else(|| bad("it does not export __stack_pointer".to_owned()))?;
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::GlobalSection(reader) = payload.map_err(|error| bad(error.to_string()))? {
            for (index, global) in reader.into_iter().enumerate() {
                let GlobalType { mutable, .. } = global.map_err(|error| bad(error.to_string()))?.ty;
                if mutable && u32::try_from(index) != Ok(pointer) {
                    return Err(bad(format!("global {index} is mutable and not the stack pointer")));
                }
            }
        }
    }
    Ok(())
}

/// The memory's bytes, from the first page that is not all zero to the last.
fn image(data: &[(u64, &[u8])], initial: u64) -> Result<(usize, Vec<u8>), Error> {
    let page = PAGE as u64;
    let start = data.iter().map(|(at, _)| *at).min().unwrap_or(0) / page * page;
    let end = data.iter().map(|(at, bytes)| at + bytes.len() as u64).max().unwrap_or(0);
    if end > initial {
        return Err(bad("a data segment lies outside its memory".to_owned()));
    }
    let mut image = vec![0; host_size(end.next_multiple_of(page) - start)];
    for (at, bytes) in data {
        let at = host_size(at - start);
        image[at..at + bytes.len()].copy_from_slice(bytes);
    }
    Ok((host_size(start), image))
}

/// A size or an address of the guest's memory on the host.
fn host_size(bytes: u64) -> usize {
    usize::try_from(bytes).expect("a 32-bit memory fits into the host's addresses")
}

fn constant(expr: &ConstExpr<'_>) -> Result<u64, Error> {
    match expr.get_operators_reader().read() {
        Ok(Operator::I32Const { value }) => Ok(u64::from(value.cast_unsigned())),
        _ => Err(bad("a data segment's address is not a constant".to_owned())),
    }
}

fn bad(why: String) -> Error {
    Error::BadGuest(why)
}

/// Memories that reserve no address space: an emulator of another processor keeps tables of all that is reserved, and
/// runs out of memory after some hundred instances.
#[cfg(test)]
#[cfg(feature = "compiler")]
fn unreserved() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config.memory_reservation(0).memory_reservation_for_growth(0).memory_guard_size(0);
    config
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use arbitrary::Unstructured;
    use wasm_smith::{Config, InstructionKind, InstructionKinds};
    use wasmtime::{Engine, Func, Instance, Store, Trap};

    use super::*;

    /// What a run of made-up code comes to: its result or trap, and the start of its memory.
    type Ran = (Result<i64, Trap>, Vec<u8>);

    /// A module that code is made up for, with what a guest has to have.
    fn made_up(seed: u64) -> Vec<u8> {
        let shape = "(module (memory (export \"memory\") 2)
            (global (export \"__stack_pointer\") (mut i32) (i32.const 70000))
            (func (export \"run\") (param i32 i64) (result i64) unreachable))";
        let config = Config {
            exports: Some(wat::parse_str(shape).unwrap()),
            // Floats may be NaNs, whose bits nobody promises.
            allow_floats: false,
            allowed_instructions: InstructionKinds::new(&[
                InstructionKind::NumericInt,
                InstructionKind::VectorInt,
                InstructionKind::Parametric,
                InstructionKind::Variable,
                InstructionKind::Memory,
                InstructionKind::Control,
            ]),
            allow_start_export: false,
            disallow_traps: !seed.is_multiple_of(4),
            bulk_memory_enabled: seed.is_multiple_of(3),
            exceptions_enabled: false,
            extended_const_enabled: false,
            gc_enabled: false,
            max_globals: 0,
            max_imports: 0,
            max_instructions: 400,
            // Beside those that the shape has. With instructions for many bytes come segments that they may drop.
            max_memories: 0,
            max_data_segments: if seed.is_multiple_of(3) { 0 } else { 5 },
            memory64_enabled: false,
            min_funcs: 4,
            reference_types_enabled: false,
            relaxed_simd_enabled: false,
            tail_call_enabled: false,
            threads_enabled: false,
            ..Config::default()
        };
        let mut bytes = vec![0; 1 << 13];
        blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
        wasm_smith::Module::new(config, &mut Unstructured::new(&bytes)).unwrap().to_bytes()
    }

    /// The same code in a memory of the size that an instrumented module has.
    struct Enlarged;

    impl Reencode for Enlarged {
        type Error = std::convert::Infallible;

        fn memory_type(&mut self, memory: wasmparser::MemoryType) -> Result<MemoryType, wasm_encoder::reencode::Error> {
            let pages = memory.initial + HEAP_BYTES / WASM_PAGE;
            Ok(MemoryType {
                minimum: pages,
                maximum: Some(pages),
                memory64: false,
                shared: false,
                page_size_log2: None,
            })
        }
    }

    /// Compiled once for all inputs, without fuel of ours and with it.
    struct Both {
        as_it_is: wasmtime::Module,
        rewritten: wasmtime::Module,
        start: usize,
        image: Vec<u8>,
    }

    impl Both {
        fn of(wasm: &[u8], instrumented: &Instrumented) -> Self {
            let mut module = Module::new();
            Enlarged.parse_core_module(&mut module, Parser::new(0), wasm).unwrap();
            let metered = Engine::new(unreserved().consume_fuel(true)).unwrap();
            let plain = Engine::new(&unreserved()).unwrap();
            Self {
                as_it_is: wasmtime::Module::new(&metered, module.finish()).unwrap(),
                rewritten: wasmtime::Module::new(&plain, &instrumented.code).unwrap(),
                start: instrumented.start,
                image: instrumented.image.clone(),
            }
        }

        fn run_as_it_is(&self, input: i32) -> Ran {
            let mut store = Store::new(self.as_it_is.engine(), ());
            store.set_fuel(1_000_000).unwrap();
            match Instance::new(&mut store, &self.as_it_is, &[]) {
                Ok(instance) => finish(&mut store, instance, input),
                // A table's segment outside the table.
                Err(error) => (Err(*error.downcast_ref::<Trap>().unwrap()), Vec::new()),
            }
        }

        fn run_rewritten(&self, input: i32) -> Ran {
            let mut store = Store::new(self.rewritten.engine(), 100);
            let refuel = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, i32>, _: i64| {
                *caller.data_mut() -= 1;
                if *caller.data() < 0 { Err(wasmtime::Error::from(Trap::OutOfFuel)) } else { Ok(1_000_000_i64) }
            });
            // Nothing here calls the host.
            let host = Func::wrap(&mut store, |_: i32, _: i32, _: i32| 0_i32);
            let instance = match Instance::new(&mut store, &self.rewritten, &[refuel.into(), host.into()]) {
                Ok(instance) => instance,
                Err(error) => return (Err(*error.downcast_ref::<Trap>().unwrap()), Vec::new()),
            };
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            memory.write(&mut store, self.start, &self.image).unwrap();
            finish(&mut store, instance, input)
        }
    }

    fn finish<T>(store: &mut Store<T>, instance: Instance, input: i32) -> Ran {
        let run = instance.get_typed_func::<(i32, i64), i64>(&mut *store, "run").unwrap();
        let result =
            run.call(&mut *store, (input, i64::from(input) << 20)).map_err(|error| *error.downcast_ref().unwrap());
        let memory = instance.get_memory(&mut *store, "memory").unwrap();
        (result, memory.data(&*store)[..4 << 20].to_vec())
    }

    #[test]
    fn rewritten_code_does_what_the_module_does() {
        let (mut returned, mut trapped, mut stored) = (0, 0, 0);
        for seed in 0..200 {
            let wasm = made_up(seed);
            // Made-up functions leave what they have in globals of their own.
            let instrumented = rewrite(&wasm, Nans::of(None)).unwrap();
            Validator::new_with_features(features() | WasmFeatures::MULTI_MEMORY)
                .validate_all(&instrumented.code)
                .unwrap();
            let both = Both::of(&wasm, &instrumented);
            for input in [0, 3, -1, 65_536] {
                let wanted = both.run_as_it_is(input);
                // How long and how deep is what differs.
                if matches!(wanted.0, Err(Trap::OutOfFuel | Trap::StackOverflow)) {
                    continue;
                }
                let found = both.run_rewritten(input);
                assert!(wanted == found, "seed {seed}, input {input}: {:?}, not {:?}", found.0, wanted.0);
                returned += i32::from(wanted.0.is_ok());
                trapped += i32::from(wanted.0.is_err());
                stored += i32::from(found.1.iter().any(|&byte| byte != 0));
            }
        }
        assert!(
            returned > 200 && trapped > 50 && stored > 80,
            "{returned} returned, {trapped} trapped, {stored} stored"
        );
    }
}
