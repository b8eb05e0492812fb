//! Any text, and words of Python in any order: see `checks.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target has its part")]
mod checks;
#[path = "../../../sandbox/fuzz/soup.rs"]
mod soup;

fuzz_target!(|data: (bool, &[u8], &str)| {
    let (words, bytes, input) = data;
    let program = if words { soup::soup(bytes) } else { String::from_utf8_lossy(bytes).into_owned() };
    checks::canonical(&program, input);
});
