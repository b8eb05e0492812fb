//! A log that is cut off, goes on with records that nobody wrote, and ends in bytes that are none: see `checks.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target has its part")]
mod checks;

fuzz_target!(|data: (u16, Vec<checks::Record>, &[u8])| {
    let (keep, records, tail) = data;
    checks::log(usize::from(keep), &records, tail);
});
