//! What a hostile guest may answer: see `tests/decoder.rs`.
#![no_main]

use azr_wire::{HostCall, Response, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = Value::decode(bytes) {
        assert_eq!(value.encode(), bytes);
    }
    if let Ok(response) = Response::decode(bytes) {
        assert_eq!(response.encode(), bytes);
    }
    if let Ok(call) = HostCall::decode(bytes) {
        assert_eq!(call.encode(), bytes);
    }
});
