//! `azr-snapshot RAW.wasm OUT.wasm.zst`: runs the guest's start-up once and writes the module back with
//! its memory as it was afterwards.
//!
//! `wasmtime-wizer` does the same for any module; it also turns on wasmtime's async, GC and threads
//! features and instruments the module to find state that this guest does not have: its one mutable
//! global is exported, and nothing touches its table.

#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::fs;
use std::ops::Range;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportSection, Function, Instruction, MemorySection, MemoryType, Module,
    RawSection,
};
use wasmparser::{FunctionBody, Operator, Parser, Payload};
use wasmtime::error::{Context as _, Result};
use wasmtime::{Config, Engine, Instance, Store};

const WASM_PAGE: usize = 64 * 1024;
/// Start-up's export, gone from the module that is written.
const START: &str = "azr_init";
/// Runs of zeros longer than this are left out between two data segments.
const GAP: usize = 64;

fn main() -> Result<()> {
    let [raw, out] = <[String; 2]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|_| wasmtime::format_err!("usage: azr-snapshot RAW.wasm OUT.wasm.zst"))?;
    let raw = fs::read(&raw).with_context(|| format!("cannot read {raw}"))?;
    let memory = start(&raw)?;
    let module = rewrite(&raw, &memory)?;
    wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::default()).validate_all(&module)?;
    let compressed = zstd::encode_all(&module[..], 22)?;
    println!(
        "{} bytes of WebAssembly, {} bytes of memory; {} bytes after start-up, {} compressed",
        raw.len(),
        memory.len(),
        module.len(),
        compressed.len()
    );
    fs::write(&out, &compressed)?;
    fs::write(format!("{out}.blake3"), format!("{}\n", blake3::hash(&module).to_hex()))?;
    Ok(())
}

/// The module's memory after start-up.
fn start(raw: &[u8]) -> Result<Vec<u8>> {
    let mut config = Config::new();
    config.max_wasm_stack(64 << 20).async_stack_size(128 << 20);
    let engine = Engine::new(&config)?;
    let module = wasmtime::Module::new(&engine, raw)?;
    let worker = std::thread::Builder::new().stack_size(128 << 20).spawn(move || {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").context("no memory")?;
        let pointer = instance.get_global(&mut store, "__stack_pointer").context("no stack pointer")?;
        let before = pointer.get(&mut store).i32();
        let started = instance.get_typed_func::<(), ()>(&mut store, START)?.call(&mut store, ());
        if let Err(error) = started {
            return Err(error).context(panic_text(&mut store, &instance, &memory));
        }
        wasmtime::ensure!(pointer.get(&mut store).i32() == before, "start-up moved the stack pointer");
        Ok(memory.data(&store).to_vec())
    })?;
    worker.join().expect("the worker does not panic")
}

fn panic_text(store: &mut Store<()>, instance: &Instance, memory: &wasmtime::Memory) -> String {
    let read = || {
        let at = instance.get_global(&mut *store, "AZR_PANIC")?.get(&mut *store).i32()? as usize;
        let data = memory.data(&store);
        let length = u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize;
        Some(String::from_utf8_lossy(data.get(at + 4..at + 4 + length)?).into_owned())
    };
    let mut read = read;
    read().unwrap_or_else(|| "the guest trapped without a word".to_owned())
}

/// The module with `memory` as its data, without its start-up.
fn rewrite(raw: &[u8], memory: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut segments = DataSection::new();
    for run in runs(memory) {
        segments.active(0, &ConstExpr::i32_const(run.start as i32), memory[run].iter().copied());
    }
    let mut loops = Loops::default();
    let (mut bodies, mut count) = (CodeSection::new(), 0);
    for payload in Parser::new(0).parse_all(raw) {
        match payload? {
            Payload::MemorySection(_) => {
                let minimum = (memory.len() / WASM_PAGE) as u64;
                let memories =
                    MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None };
                module.section(MemorySection::new().memory(memories));
            }
            Payload::ExportSection(reader) => {
                let mut exports = ExportSection::new();
                for export in reader {
                    let export = export?;
                    loops.note(export.name, export.index);
                    if export.name != START {
                        let kind = RoundtripReencoder.export_kind(export.kind)?;
                        exports.export(export.name, kind, export.index);
                    }
                }
                module.section(&exports);
            }
            Payload::CodeSectionStart { count: all, .. } => count = all,
            Payload::CodeSectionEntry(body) => {
                bodies.function(&loops.called_in(bodies.len(), &body)?);
                if bodies.len() == count {
                    module.section(&bodies);
                }
            }
            Payload::DataCountSection { .. } | Payload::DataSection(_) | Payload::CustomSection(_) => {}
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &raw[range] });
                }
            }
        }
    }
    module.section(&segments);
    Ok(module.finish())
}

/// The guest's loops that copy and fill. A standard library that was compiled with bulk memory brings its instructions
/// into all code, and `src/memory.rs` says why the guest has none.
#[derive(Default)]
struct Loops {
    memcpy: Option<u32>,
    memmove: Option<u32>,
    memset: Option<u32>,
}

impl Loops {
    fn note(&mut self, name: &str, function: u32) {
        match name {
            "memcpy" => self.memcpy = Some(function),
            "memmove" => self.memmove = Some(function),
            "memset" => self.memset = Some(function),
            _ => {}
        }
    }

    /// A function that calls them where it had such instructions.
    fn called_in(&self, number: u32, body: &FunctionBody<'_>) -> Result<Function> {
        let mut function = RoundtripReencoder.new_function_with_parsed_locals(body)?;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let call = match operator {
                // What `memmove` does not copy itself is apart, and was a call of `memcpy`.
                Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } if self.memmove == Some(number) => self.memcpy,
                Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => self.memmove,
                Operator::MemoryFill { mem: 0 } => self.memset,
                operator => {
                    function.instruction(&RoundtripReencoder.instruction(operator)?);
                    continue;
                }
            };
            let call = call.context("the guest exports no memmove or no memset")?;
            wasmtime::ensure!(call != number, "the guest's loops are no loops");
            function.instruction(&Instruction::Call(call)).instruction(&Instruction::Drop);
        }
        Ok(function)
    }
}

/// The parts of `memory` that are not zero, apart by more than [`GAP`].
fn runs(memory: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, _) in memory.iter().enumerate().filter(|(_, byte)| **byte != 0) {
        match runs.last_mut() {
            Some(run) if at - run.end <= GAP => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}
