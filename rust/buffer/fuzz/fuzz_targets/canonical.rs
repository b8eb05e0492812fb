//! Any text: no panic, no stack overflow, and a canonical form is its own canonical form.
#![no_main]

use azr_buffer::canonicalize;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str)| {
    let (program, input) = data;
    if let Ok(form) = canonicalize(program, &[input], None) {
        let again = canonicalize(&form.program, &form.inputs, None).expect("a canonical form parses");
        assert_eq!(again.program, form.program);
        assert_eq!(again.inputs, form.inputs);
    }
});
