//! The guest: RustPython as one WebAssembly module that imports nothing.
//!
//! The host calls four exports. `azr_init` once, before the snapshot; then, in every fresh copy of
//! the snapshot, `azr_begin` for a place to write a request to and `azr_run` to answer it. A guest
//! answers one request and is thrown away, so nothing here cleans up. Two requests ask to be kept:
//! the memory after [`Request::Modules`] is a snapshot in its turn, and after [`Response::Loaded`] the
//! program's call follows, for which `azr_next` makes room. After [`Request::Open`] any number of requests
//! follow, for each of which `azr_resume` makes room.

mod abort;
mod arguments;
mod call;
mod compile;
mod decimal;
mod decode;
mod encode;
mod entropy;
mod exception;
mod expat;
mod files;
mod heap;
mod host;
mod imports;
mod interpreter;
mod library;
mod literal;
mod memory;
mod modules;
mod native;
mod output;
mod plain;
mod run;
mod scope;
mod session;

use std::alloc::Layout;

use azr_wire::{Abort, Request, Response};

use crate::abort::abort;

/// Bytes of a panic's text that are kept.
const PANIC_BYTES: usize = 4096;

/// The text of a panic, for a person: length, then bytes.
#[unsafe(no_mangle)]
pub static mut AZR_PANIC: [u8; 4 + PANIC_BYTES] = [0; 4 + PANIC_BYTES];

/// Starts the interpreter and imports the standard modules; what follows starts from here.
#[unsafe(no_mangle)]
pub extern "C" fn azr_init() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        // What is longer than the address space fits no memory, however much a program may take.
        if text.ends_with("capacity overflow") {
            abort(Abort::Memory);
        }
        note_panic(&text);
        abort(Abort::Panic);
    }));
    interpreter::start();
    heap::seal();
}

/// Opens the heap of a request and returns where its `length` bytes go.
#[unsafe(no_mangle)]
pub extern "C" fn azr_begin(length: u32, memory: u32, shift: u32) -> *mut u8 {
    // The request itself is not the program's to pay for.
    heap::open(memory.saturating_add(length).saturating_add(64 * 1024), shift);
    room(length)
}

/// Makes room for the `length` bytes of the call of a program that has run.
#[unsafe(no_mangle)]
pub extern "C" fn azr_next(length: u32) -> *mut u8 {
    heap::extend(length.saturating_add(64 * 1024));
    room(length)
}

/// Makes room for the `length` bytes of the next request of a session.
#[unsafe(no_mangle)]
pub extern "C" fn azr_resume(length: u32) -> *mut u8 {
    session::next(length);
    let at = room(length);
    session::note(0, at.expose_provenance(), length.max(1) as usize);
    at
}

fn room(length: u32) -> *mut u8 {
    let layout = Layout::array::<u8>(length.max(1) as usize).expect("a request is below 2 GiB");
    // SAFETY: the size is not zero.
    unsafe { std::alloc::alloc(layout) }
}

/// Answers the request that `azr_begin` or `azr_next` made room for: address in the high half, length in the low.
///
/// # Safety
/// `request` and `length` must be those of that call, with every byte written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn azr_run(request: *const u8, length: u32) -> u64 {
    // SAFETY: the caller's promise.
    let bytes = unsafe { core::slice::from_raw_parts(request, length as usize) };
    let request = Request::decode(bytes).expect("the host speaks this crate's wire format");
    let response = match request {
        Request::Run(run) => run::run(&run),
        Request::Call(call) => run::call(&call),
        Request::Literals { texts, value_bytes } => {
            Response::Literals(texts.iter().map(|text| literal::parse(text, value_bytes as usize)).collect())
        }
        Request::Imports(programs) => {
            Response::Imports(programs.iter().map(|program| imports::imports(program)).collect())
        }
        Request::Modules { modules, entropy } => Response::Modules(modules::import(&modules, &entropy)),
        Request::Open(open) => session::open(&open),
        Request::Exec(exec) => session::exec(&exec),
        Request::Get(name) => session::get(&name),
        Request::Set(variables) => session::set(&variables),
        Request::Put { files, stdin } => session::put(&files, stdin.as_deref()),
        Request::Files => session::files(),
    };
    let bytes = response.encode();
    let size = bytes.capacity();
    let bytes = bytes.leak();
    session::note(1, bytes.as_ptr().expose_provenance(), size);
    if matches!(response, Response::Modules(Ok(()))) {
        heap::seal_again();
    }
    (bytes.as_ptr().addr() as u64) << 32 | bytes.len() as u64
}

fn note_panic(text: &str) {
    let length = text.len().min(PANIC_BYTES);
    // SAFETY: one thread, and no other reference to the array exists.
    let place = unsafe { &mut *(&raw mut AZR_PANIC) };
    place[..4].copy_from_slice(&(length as u32).to_le_bytes());
    place[4..4 + length].copy_from_slice(&text.as_bytes()[..length]);
}
