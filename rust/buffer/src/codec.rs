//! Bytes of tasks and of the records of the log: variable-length integers, length before content, no padding.

use crate::task::{Kind, NUMBERED, Output, Role, Task};

/// The bytes are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).expect("seven bits fit in a byte") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("the rest is below 128"));
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_list<T>(out: &mut Vec<u8>, items: &[T], put: impl Fn(&mut Vec<u8>, &T)) {
    put_number(out, items.len() as u64);
    for item in items {
        put(out, item);
    }
}

/// A reader over bytes that nobody vouches for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.narrow()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let count: usize = self.narrow()?;
        // Each item takes at least a byte: a count that lies cannot make us allocate.
        let mut items = Vec::with_capacity(count.min(self.0.len()).min(1024));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// The byte before a kind's name.
const NAMED: u8 = 4;
const _: () = assert!(NUMBERED.len() == NAMED as usize);

/// A kind: a number for those that had one when there were no others, else a name.
pub(crate) fn put_kind(out: &mut Vec<u8>, name: &str) {
    match Kind::number(name) {
        Some(number) => out.push(number),
        None => {
            out.push(NAMED);
            put_bytes(out, name.as_bytes());
        }
    }
}

/// The bytes of a task. What duplicates are compared by comes first.
pub(crate) fn encode_task(task: &Task) -> Vec<u8> {
    let size =
        64 + task.program.len() + task.message.len() + task.inputs.iter().map(|input| input.len() + 2).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    put_kind(&mut out, task.kind.name());
    put_bytes(&mut out, task.program.as_bytes());
    put_list(&mut out, &task.inputs, |out, input| put_bytes(out, input.as_bytes()));
    put_number(&mut out, u64::from(task.step));
    match task.behaviour {
        None => out.push(0),
        Some(signature) => {
            out.push(1);
            out.extend_from_slice(&signature.to_le_bytes());
        }
    }
    out.push(task.role as u8);
    put_list(&mut out, &task.outputs, |out, output| {
        put_bytes(out, &output.value);
        put_bytes(out, output.repr.as_bytes());
    });
    put_bytes(&mut out, task.message.as_bytes());
    put_list(&mut out, &task.imports, |out, import| put_bytes(out, import.as_bytes()));
    put_list(&mut out, &task.references, |out, id| put_number(out, *id));
    put_list(&mut out, &task.parents, |out, id| put_number(out, *id));
    out
}

/// The parts of an encoded task that the buffer itself looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) kind: &'a str,
    program: &'a [u8],
    /// The encoded list of inputs.
    inputs: &'a [u8],
    pub(crate) step: u32,
    pub(crate) behaviour: Option<u128>,
}

impl<'a> Head<'a> {
    /// The same kind, program text and input texts.
    pub(crate) fn is_exactly(&self, other: &Self) -> bool {
        (self.kind, self.program, self.inputs) == (other.kind, other.program, other.inputs)
    }

    pub(crate) fn program(&self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.program).map_err(|_| Malformed)
    }

    /// Program and inputs as bytes.
    pub(crate) fn parts(&self) -> Result<Vec<&'a [u8]>, Malformed> {
        let mut parts = Bytes(self.inputs).list(Bytes::bytes)?;
        parts.insert(0, self.program);
        Ok(parts)
    }

    pub(crate) fn input_texts(&self) -> Result<Vec<&'a str>, Malformed> {
        Bytes(self.inputs).list(|bytes| bytes.text())
    }
}

/// A kind's name. One kind has one form: a number is not written as a name.
pub(crate) fn kind<'a>(bytes: &mut Bytes<'a>) -> Result<&'a str, Malformed> {
    let number = bytes.byte()?;
    if number == NAMED {
        let name = bytes.text()?;
        return if Kind::is_name(name) && Kind::number(name).is_none() { Ok(name) } else { Err(Malformed) };
    }
    NUMBERED.get(usize::from(number)).copied().ok_or(Malformed)
}

/// Read the head. Texts are checked when they are asked for.
pub(crate) fn decode_head(payload: &[u8]) -> Result<Head<'_>, Malformed> {
    let mut bytes = Bytes(payload);
    let kind = kind(&mut bytes)?;
    let program = bytes.bytes()?;
    let before = bytes.0;
    for _ in 0..bytes.number()? {
        bytes.bytes()?;
    }
    let inputs = &before[..before.len() - bytes.0.len()];
    Ok(Head { kind, program, inputs, step: bytes.narrow()?, behaviour: behaviour(&mut bytes)? })
}

pub(crate) fn decode_task(payload: &[u8]) -> Result<Task, Malformed> {
    let mut bytes = Bytes(payload);
    let owned = |bytes: &mut Bytes<'_>| bytes.text().map(str::to_owned);
    let task = Task {
        kind: Kind::new(kind(&mut bytes)?).map_err(|_| Malformed)?,
        program: owned(&mut bytes)?,
        inputs: bytes.list(owned)?,
        step: bytes.narrow()?,
        behaviour: behaviour(&mut bytes)?,
        role: Role::ALL.get(usize::from(bytes.byte()?)).copied().ok_or(Malformed)?,
        outputs: bytes.list(|bytes| Ok(Output { value: bytes.bytes()?.to_vec(), repr: owned(bytes)? }))?,
        message: owned(&mut bytes)?,
        imports: bytes.list(owned)?,
        references: bytes.list(Bytes::number)?,
        parents: bytes.list(Bytes::number)?,
    };
    bytes.end()?;
    Ok(task)
}

fn behaviour(bytes: &mut Bytes<'_>) -> Result<Option<u128>, Malformed> {
    match bytes.byte()? {
        0 => Ok(None),
        1 => Ok(Some(u128::from_le_bytes(bytes.array()?))),
        _ => Err(Malformed),
    }
}

/// Check that `payload` is a whole task, without keeping it.
pub(crate) fn check_task(payload: &[u8]) -> Result<(), Malformed> {
    let mut bytes = Bytes(payload);
    let texts = |bytes: &mut Bytes<'_>| -> Result<(), Malformed> {
        for _ in 0..bytes.number()? {
            bytes.text()?;
        }
        Ok(())
    };
    kind(&mut bytes)?;
    bytes.text()?;
    texts(&mut bytes)?;
    bytes.narrow::<u32>()?;
    behaviour(&mut bytes)?;
    if usize::from(bytes.byte()?) >= Role::ALL.len() {
        return Err(Malformed);
    }
    for _ in 0..bytes.number()? {
        bytes.bytes()?;
        bytes.text()?;
    }
    bytes.text()?;
    texts(&mut bytes)?;
    for _ in 0..2 {
        for _ in 0..bytes.number()? {
            bytes.number()?;
        }
    }
    bytes.end()
}
