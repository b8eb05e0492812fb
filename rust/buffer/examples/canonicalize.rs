//! Read JSON lines `{"code", "inputs"}` from standard input, write `{"program", "inputs", "mode"}` or `{"error"}`.

use std::io::{BufRead, Write};

use azr_buffer::canonicalize;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let code = row["code"].as_str().ok_or("a row has no code")?;
        let inputs: Vec<&str> = row["inputs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let answer = match canonicalize(code, &inputs, None) {
            Ok(form) => json!({"program": form.program, "inputs": form.inputs, "mode": format!("{:?}", form.mode)}),
            Err(error) => json!({"error": error.to_string()}),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
