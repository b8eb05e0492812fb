//! Code that notes which pages it writes.
//!
//! Every store of the guest gets a companion that sets a byte, the page's card, in a second memory of the
//! module. The guest's own instructions all name the first memory, so nothing that it does can reach a
//! card. After a program the host reads off the cards what to put back: no page fault, no system call, and
//! nothing that two threads would have to wait for each other over.
//!
//! What a card stands for: a store of `size` bytes at `base + offset`, with `offset + size` at most
//! [`WINDOW`], sets the card of `base`'s page; any other, the card of `base + offset`'s. So a set card says
//! that its page **and the first [`WINDOW`] bytes of the next** may have been written, and a card that is not
//! set that its page was not written, except there. Two kinds of stores need no companion of their own:
//!
//! - one whose base is a local that has been marked on every way to it and not changed since;
//! - one into the function's own stack frame: where the frame is made, the cards of its first and last byte are
//!   set, and a frame larger than a page is treated like any other memory.

use std::collections::BTreeSet;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{Function, Instruction, MemArg, ValType};
use wasmparser::{BlockType, FrameKind, FunctionBody, ModuleArity, Operator, SubType};

use crate::error::Error;
use crate::memory::PAGE;

/// Name under which the second memory is exported.
pub(crate) const CARDS: &str = "azr cards";
/// Bytes of the second memory: a card for each page that 32 bits can address.
pub(crate) const CARD_BYTES: usize = (1 << 32) / PAGE;
/// Bytes behind a marked page that may have been written with it.
pub(crate) const WINDOW: usize = 256;

const CARD_SHIFT: i32 = PAGE.trailing_zeros() as i32;

/// What of a module decides how many operands an instruction takes.
pub(crate) struct Types {
    /// The module's types.
    pub(crate) types: Vec<SubType>,
    /// Each function's type.
    pub(crate) functions: Vec<u32>,
    /// The stack pointer, a global.
    pub(crate) stack_pointer: u32,
}

impl ModuleArity for Types {
    fn sub_type_at(&self, at: u32) -> Option<&SubType> {
        self.types.get(at as usize)
    }
    fn type_index_of_function(&self, at: u32) -> Option<u32> {
        self.functions.get(at as usize).copied()
    }
    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }
    fn func_type_of_cont_type(&self, _: &wasmparser::ContType) -> Option<&wasmparser::FuncType> {
        None
    }
    fn sub_type_of_ref_type(&self, _: &wasmparser::RefType) -> Option<&SubType> {
        None
    }
    fn control_stack_height(&self) -> u32 {
        0
    }
    fn label_block(&self, _: u32) -> Option<(BlockType, FrameKind)> {
        None
    }
}

impl Types {
    fn parameters(&self, function: usize) -> Option<u32> {
        let at = *self.functions.get(function)?;
        Some(self.types.get(at as usize)?.unwrap_func().params().len() as u32)
    }
}

/// The function with a companion for every store that needs one. `number` counts the module's functions.
pub(crate) fn instrument(types: &Types, number: usize, body: &FunctionBody<'_>) -> Result<Function, Error> {
    let bad = |error: wasmparser::BinaryReaderError| Error::BadGuest(error.to_string());
    let mut locals = Vec::new();
    let mut next = types.parameters(number).ok_or_else(|| Error::BadGuest("a function without a type".to_owned()))?;
    for group in body.get_locals_reader().map_err(bad)? {
        let (count, kind) = group.map_err(bad)?;
        next += count;
        locals.push((count, RoundtripReencoder.val_type(kind).map_err(|error| Error::BadGuest(error.to_string()))?));
    }
    let operators: Vec<Operator<'_>> =
        body.get_operators_reader().map_err(bad)?.into_iter().collect::<Result<_, _>>().map_err(bad)?;
    let bulk = |operator: &Operator<'_>| matches!(operator, Operator::MemoryFill { .. } | Operator::MemoryCopy { .. });
    if operators.iter().any(|operator| Store::of(operator).is_some() || bulk(operator)) {
        let scratch =
            [ValType::I32, ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::I32];
        locals.extend(scratch.map(|kind| (1, kind)));
    }
    let frame = Frame::of(&operators, types.stack_pointer);
    let mut writer = Writer {
        types,
        out: Function::new(locals),
        scratch: next,
        frame,
        operands: Vec::new(),
        marked: BTreeSet::new(),
    };
    for (at, operator) in operators.into_iter().enumerate() {
        writer.operator(at, operator)?;
    }
    Ok(writer.out)
}

/// A store: how many bytes, at which offset, of which scratch local's type.
struct Store {
    size: u64,
    offset: u64,
    value: u32,
}

impl Store {
    fn of(operator: &Operator<'_>) -> Option<Self> {
        use Operator::*;
        let (memarg, size, value) = match operator {
            I32Store8 { memarg } => (memarg, 1, 1),
            I32Store16 { memarg } => (memarg, 2, 1),
            I32Store { memarg } => (memarg, 4, 1),
            I64Store8 { memarg } => (memarg, 1, 2),
            I64Store16 { memarg } => (memarg, 2, 2),
            I64Store32 { memarg } => (memarg, 4, 2),
            I64Store { memarg } => (memarg, 8, 2),
            F32Store { memarg } => (memarg, 4, 3),
            F64Store { memarg } => (memarg, 8, 4),
            V128Store { memarg } => (memarg, 16, 5),
            V128Store8Lane { memarg, .. } => (memarg, 1, 5),
            V128Store16Lane { memarg, .. } => (memarg, 2, 5),
            V128Store32Lane { memarg, .. } => (memarg, 4, 5),
            V128Store64Lane { memarg, .. } => (memarg, 8, 5),
            _ => return None,
        };
        Some(Self { size, offset: memarg.offset, value })
    }
}

/// The function's own stack frame, no larger than a page.
struct Frame {
    /// Where in the function it has been made.
    made: usize,
    /// The local that holds its address, and nothing else ever.
    local: u32,
    /// Its bytes.
    bytes: u64,
}

impl Frame {
    /// The frame, if the function starts by making one.
    fn of(operators: &[Operator<'_>], stack_pointer: u32) -> Option<Self> {
        let [
            Operator::GlobalGet { global_index: from },
            Operator::I32Const { value: bytes },
            Operator::I32Sub,
            Operator::LocalTee { local_index: local },
            Operator::GlobalSet { global_index: to },
            ..,
        ] = operators
        else {
            return None;
        };
        let assigned = operators.iter().filter(|operator| {
            matches!(operator, Operator::LocalSet { local_index } | Operator::LocalTee { local_index } if local_index == local)
        });
        let bytes = u64::try_from(*bytes).ok()?;
        let plain = *from == stack_pointer && *to == stack_pointer && assigned.count() == 1;
        (plain && bytes > 0 && bytes <= PAGE as u64).then_some(Self { made: 4, local: *local, bytes })
    }
}

struct Writer<'a> {
    types: &'a Types,
    out: Function,
    /// The first of the scratch locals: an address, a value of each type, a length.
    scratch: u32,
    frame: Option<Frame>,
    /// What is known of the operands on the stack, the last at the top: the local whose value one is.
    operands: Vec<Option<u32>>,
    /// Locals that the card of their value's page is set for.
    marked: BTreeSet<u32>,
}

impl Writer<'_> {
    fn operator(&mut self, at: usize, operator: Operator<'_>) -> Result<(), Error> {
        match &operator {
            Operator::LocalGet { local_index } => self.operands.push(Some(*local_index)),
            Operator::LocalSet { local_index } => {
                self.operands.pop();
                self.forget(*local_index);
            }
            Operator::LocalTee { local_index } => {
                self.operands.pop();
                self.forget(*local_index);
                self.operands.push(Some(*local_index));
            }
            // What is known inside a block was known before it; at a loop's start and at an end ways meet.
            Operator::Block { .. } => self.operands.clear(),
            Operator::If { .. } => self.operands.clear(),
            Operator::BrIf { .. } => {
                self.operands.pop();
            }
            Operator::Loop { .. } | Operator::Else | Operator::End => {
                self.operands.clear();
                self.marked.clear();
            }
            Operator::MemoryFill { .. } | Operator::MemoryCopy { .. } => {
                let left = self.operands.len().saturating_sub(3);
                self.operands.truncate(left);
                return self.bulk(operator);
            }
            store if Store::of(store).is_some() => {
                let store = Store::of(store).expect("just seen");
                self.operands.pop();
                let base = self.operands.pop().flatten();
                return self.store(&operator, &store, base);
            }
            other => match other.operator_arity(self.types) {
                Some((taken, given)) => {
                    let left = self.operands.len().saturating_sub(taken as usize);
                    self.operands.truncate(left);
                    self.operands.extend((0..given).map(|_| None));
                }
                // Nothing is known below what cannot be counted.
                None => self.operands.clear(),
            },
        }
        self.plain(operator)?;
        if let Some(Frame { made, local, bytes }) = self.frame
            && made == at
        {
            self.mark(local, 0);
            if bytes > WINDOW as u64 {
                self.mark(local, bytes - 1);
            }
            self.marked.insert(local);
        }
        Ok(())
    }

    fn forget(&mut self, local: u32) {
        self.marked.remove(&local);
        for operand in &mut self.operands {
            if *operand == Some(local) {
                *operand = None;
            }
        }
    }

    fn plain(&mut self, operator: Operator<'_>) -> Result<(), Error> {
        let instruction = RoundtripReencoder.instruction(operator);
        self.out.instruction(&instruction.map_err(|error| Error::BadGuest(error.to_string()))?);
        Ok(())
    }

    fn store(&mut self, operator: &Operator<'_>, store: &Store, base: Option<u32>) -> Result<(), Error> {
        let near = store.offset + store.size <= WINDOW as u64;
        let in_frame = self
            .frame
            .as_ref()
            .is_some_and(|frame| base == Some(frame.local) && store.offset + store.size <= frame.bytes);
        if in_frame || near && base.is_some_and(|base| self.marked.contains(&base)) {
            return self.plain(operator.clone());
        }
        if let Some(base) = base {
            self.plain(operator.clone())?;
            self.mark(base, if near { 0 } else { store.offset });
            if near {
                self.marked.insert(base);
            }
            return Ok(());
        }
        let (address, value) = (self.scratch, self.scratch + store.value);
        self.emit(&[Instruction::LocalSet(value), Instruction::LocalTee(address), Instruction::LocalGet(value)]);
        self.plain(operator.clone())?;
        self.mark(address, if near { 0 } else { store.offset });
        Ok(())
    }

    /// An instruction that writes any number of bytes, with a loop over their pages. Its operands are an
    /// address, something, and a length.
    fn bulk(&mut self, operator: Operator<'_>) -> Result<(), Error> {
        let (address, other, length) = (self.scratch, self.scratch + 1, self.scratch + 6);
        for local in [length, other, address] {
            self.out.instruction(&Instruction::LocalSet(local));
        }
        for local in [address, other, length] {
            self.out.instruction(&Instruction::LocalGet(local));
        }
        self.plain(operator)?;
        // It did not trap, so address and length add up to less than 2^32. `length` becomes the last byte's
        // address.
        let page = Instruction::I32Const(PAGE as i32);
        self.emit(&[
            Instruction::Block(wasm_encoder::BlockType::Empty),
            Instruction::LocalGet(length),
            Instruction::I32Eqz,
            Instruction::BrIf(0),
            Instruction::LocalGet(address),
            Instruction::LocalGet(length),
            Instruction::I32Add,
            Instruction::I32Const(1),
            Instruction::I32Sub,
            Instruction::LocalSet(length),
            Instruction::Loop(wasm_encoder::BlockType::Empty),
        ]);
        self.mark(address, 0);
        self.emit(&[
            Instruction::LocalGet(address),
            page,
            Instruction::I32Add,
            Instruction::LocalTee(address),
            Instruction::LocalGet(length),
            Instruction::I32LtU,
            Instruction::BrIf(0),
            Instruction::End,
        ]);
        self.mark(length, 0);
        self.emit(&[Instruction::End]);
        Ok(())
    }

    fn emit(&mut self, instructions: &[Instruction<'_>]) {
        for instruction in instructions {
            self.out.instruction(instruction);
        }
    }

    /// Sets the card of the page at a local's value and an offset. The store before it has shown that this is
    /// an address; where there is none (a frame that is being made), any number below 2^32 has a card.
    fn mark(&mut self, local: u32, offset: u64) {
        let card = MemArg { offset: 0, align: 0, memory_index: 1 };
        self.emit(&[Instruction::LocalGet(local)]);
        if offset > 0 {
            self.emit(&[Instruction::I32Const(offset as u32 as i32), Instruction::I32Add]);
        }
        self.emit(&[
            Instruction::I32Const(CARD_SHIFT),
            Instruction::I32ShrU,
            Instruction::I32Const(1),
            Instruction::I32Store8(card),
        ]);
    }
}
