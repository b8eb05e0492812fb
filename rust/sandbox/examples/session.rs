//! A session with a function and files: `cargo run --release -p azr-sandbox --example session`.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use azr_sandbox::{
    Arguments, Exception, FileQuota, FunctionTable, Guest, Limits, Sandbox, SessionOptions, SessionRun, Value,
};

fn main() -> Result<(), azr_sandbox::Error> {
    let sandbox = Sandbox::new(&Guest::embedded()?, Limits::default())?;
    let functions = FunctionTable::new().with("price", |arguments: Arguments| match &arguments.positional[..] {
        [Value::Str(name)] if name == b"tea" => Ok(Value::Int(3.into())),
        _ => Err(Exception::new("LookupError", "no such thing")),
    });
    let options =
        SessionOptions::new().with_functions(functions).with_files(FileQuota { bytes: 1 << 20, entries: 100 });
    let mut session = sandbox.session(options.clone())?;

    let read = "import csv\nrows = list(csv.DictReader(open('cart.csv')))";
    session.run_with(&SessionRun::new(read).with_file("cart.csv", "what,count\ntea,2\ntea,5\n"))?;
    // A branch shares the state, and goes its own way.
    let mut branch = session.branch();
    let sum = "total = sum(price(row['what']) * int(row['count']) for row in rows)\nopen('total', 'w').write(str(total))\ntotal";
    println!("{:?}", branch.run(sum)?.termination);
    println!("{:?}", branch.files()?.keys().collect::<Vec<_>>());
    println!("{:?}", session.get("total")?.termination);

    // Bytes that another process can go on from, with the same options.
    let snapshot = branch.snapshot(None);
    let mut restored = sandbox.restore(options, &snapshot, None)?;
    println!("{:?}, from {} KiB", restored.get("total")?.termination, snapshot.len() >> 10);
    Ok(())
}
