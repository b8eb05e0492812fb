//! Bytes that nobody vouches for: decoded without a panic, and never to something that encodes otherwise.
//!
//! The fuzz target of the same name goes on for as long as it is let; this is its bounded, repeatable part.

use azr_wire::{Frame, HostCall, Literal, ModuleProblem, Reader, Reads, Response, Termination, Value};

/// Hostile and honest bytes, as the decoder is given them.
fn check(bytes: &[u8]) {
    if let Ok(value) = Value::decode(bytes) {
        assert_eq!(value.encode(), bytes, "two encodings of one value");
    }
    if let Ok(response) = Response::decode(bytes) {
        assert_eq!(response.encode(), bytes, "two encodings of one response");
    }
    if let Ok(call) = HostCall::decode(bytes) {
        assert_eq!(call.encode(), bytes, "two encodings of one call");
    }
    let mut reader = Reader::new(bytes);
    while reader.bytes().is_ok() || reader.u64().is_ok() {}
}

fn corpus() -> Vec<Vec<u8>> {
    let int = |number: i64| Value::Int(number.into());
    let values = vec![
        Value::None,
        Value::List(vec![int(0), int(-1), int(i64::MAX), Value::Bool(true)]),
        Value::Dict(vec![(Value::Str("\u{1F600}".into()), Value::Set(vec![int(3), int(1)]))]),
        Value::Tuple(vec![Value::Float(1.5), Value::Complex(0.0, -1.0), Value::Bytes(vec![0, 255])]),
        Value::FrozenSet(vec![Value::Str(b"\xed\xa0\x80".to_vec()), Value::None]),
    ];
    let mut bytes: Vec<Vec<u8>> = values.iter().map(Value::encode).collect();
    let frame = Frame { line: 3, function: "f".to_owned() };
    let (stdout, stderr) = (b"out".to_vec(), Vec::new());
    let run = |termination| Response::Run {
        termination,
        stdout: stdout.clone(),
        stderr: stderr.clone(),
        peak_memory: 70_000,
        reads: Reads::CLOCK,
    };
    let problem = ModuleProblem { module: "a.b".to_owned(), line: 9, message: "KeyError".to_owned() };
    let responses = [
        run(Termination::Returned(Value::List(values.clone()))),
        run(Termination::Raised { class: "E".to_owned(), message: "m".to_owned(), traceback: vec![frame; 3] }),
        run(Termination::SyntaxError { message: "m".to_owned(), line: 1 }),
        run(Termination::InvalidInput("i".to_owned())),
        Response::Literals(values.into_iter().map(Literal::Value).chain([Literal::Invalid("no".to_owned())]).collect()),
        Response::Imports(vec![Ok(vec!["os.path".to_owned()]), Err("bad".to_owned())]),
        Response::Modules(Ok(())),
        Response::Modules(Err(problem)),
        Response::Files(vec![("/a.csv".to_owned(), b"1,2".to_vec()), ("/b".to_owned(), Vec::new())]),
    ];
    bytes.extend(responses.iter().map(Response::encode));
    let named = vec![("key".to_owned(), int(7))];
    bytes.push(HostCall { name: "lookup".to_owned(), arguments: vec![int(1), Value::None], named }.encode());
    bytes
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound.max(1) as u64).expect("below a usize")
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("below 256")
    }
}

#[test]
fn honest_bytes_come_back() {
    corpus().iter().for_each(|bytes| {
        check(bytes);
        assert!(Value::decode(bytes).is_ok() || Response::decode(bytes).is_ok() || HostCall::decode(bytes).is_ok());
    });
}

#[test]
fn a_hundred_thousand_damaged_messages_do_no_harm() {
    let corpus = corpus();
    let mut random = Random(1);
    for _ in 0..100_000 {
        let mut bytes = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), random.byte()),
                2 => bytes.extend_from_slice(&corpus[random.below(corpus.len())]),
                3 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
                _ if !bytes.is_empty() => bytes[at] = [0xff, 0x80, 0x7f, 9, 10][random.below(5)],
                _ => {}
            }
        }
        check(&bytes);
    }
}

#[test]
fn bytes_without_sense_do_no_harm() {
    let mut random = Random(2);
    for _ in 0..50_000 {
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| random.byte()).collect();
        check(&bytes);
    }
    for tag in 0..=255 {
        // Deep nesting, and lists that promise more than there is.
        check(&[&[tag, 1][..]; 400].concat());
        check(&[tag, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    }
}
