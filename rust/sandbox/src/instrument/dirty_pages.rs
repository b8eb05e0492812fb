//! Card marking: code that notes which pages it writes.
//!
//! Every store of the guest gets a companion that sets a byte, the page's card, in a second memory of the
//! module. The guest's own instructions all name the first memory, so nothing that it does can reach a
//! card. After a program the host reads off the cards what to put back: no page fault, no system call, and
//! nothing that two threads would have to wait for each other over. Page protection needs both, and held two
//! threads back: each fault and each `madvise` interrupts the other cores
//! (`benchmarks/sandbox.md`). A companion is three instructions; what is known to be marked already needs none.
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

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BranchHint, Function, Instruction, MemArg, ValType};
use wasmparser::{BlockType, FrameKind, FunctionBody, ModuleArity, Operator, SubType};

use super::fuel::{self, Charges, Renumbered};
use super::nans::{self, Nans};
use crate::error::Error;
use crate::layout::{PAGE, WINDOW};

const CARD_SHIFT: i32 = PAGE.trailing_zeros().cast_signed();

/// What of a module decides how many operands an instruction takes.
pub(crate) struct Types {
    /// The module's types.
    pub(crate) types: Vec<SubType>,
    /// Each function's type.
    pub(crate) functions: Vec<u32>,
    /// The stack pointer, a global, if it is exported.
    pub(crate) stack_pointer: Option<u32>,
    /// The function in whose place the host is called, if there is one.
    pub(crate) host_stub: Option<u32>,
    /// The global that holds what is left of a slice of fuel.
    pub(crate) fuel: u32,
    /// What sign the processor gives to NaNs that it makes.
    pub(crate) nans: Nans,
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
        let parameters = self.types.get(at as usize)?.unwrap_func().params().len();
        Some(u32::try_from(parameters).expect("wasmparser allows 1000 of them"))
    }
}

/// The function with a companion for every store that needs one, and with what takes its fuel. `number` counts the
/// module's functions. Also where its rare branches are.
pub(crate) fn function(
    types: &Types,
    number: usize,
    charges: &Charges,
    body: &FunctionBody<'_>,
) -> Result<(Function, Vec<BranchHint>), Error> {
    let bad = |error: wasmparser::BinaryReaderError| Error::BadGuest(error.to_string());
    let mut locals = Vec::new();
    let mut next = types.parameters(number).ok_or_else(|| Error::BadGuest("a function without a type".to_owned()))?;
    for group in body.get_locals_reader().map_err(bad)? {
        let (count, kind) = group.map_err(bad)?;
        next += count;
        locals.push((count, Renumbered.val_type(kind).map_err(|error| Error::BadGuest(error.to_string()))?));
    }
    let operators: Vec<Operator<'_>> =
        body.get_operators_reader().map_err(bad)?.into_iter().collect::<Result<_, _>>().map_err(bad)?;
    let scratch = [ValType::I32, ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::I32];
    locals.extend(scratch.map(|kind| (1, kind)));
    if types.nans == Nans::Plus {
        locals.extend(nans::SCRATCH);
    }
    let frame = Frame::of(&operators, types.stack_pointer);
    let assigned = assigned_in_loops(&operators);
    let mut writer = Writer {
        types,
        out: Function::new(locals),
        scratch: next,
        frame,
        operands: Vec::new(),
        marked: Some(BTreeSet::new()),
        blocks: Vec::new(),
        assigned: assigned.into_iter(),
        hints: Vec::new(),
    };
    let mut takes = charges.takes.iter().peekable();
    for (at, operator) in operators.into_iter().enumerate() {
        while let Some((_, amount)) = takes.next_if(|(before, _)| *before == at) {
            writer.take(*amount);
        }
        writer.operator(at, operator)?;
    }
    Ok((writer.out, writer.hints))
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
    fn of(operators: &[Operator<'_>], stack_pointer: Option<u32>) -> Option<Self> {
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
        let plain = Some(*from) == stack_pointer && from == to && assigned.count() == 1;
        (plain && bytes > 0 && bytes <= PAGE as u64).then_some(Self { made: 4, local: *local, bytes })
    }
}

/// For each loop, in order, the locals that are assigned inside.
fn assigned_in_loops(operators: &[Operator<'_>]) -> Vec<BTreeSet<u32>> {
    let (mut loops, mut open) = (Vec::new(), Vec::new());
    for operator in operators {
        match operator {
            Operator::Block { .. } | Operator::If { .. } => open.push(None),
            Operator::Loop { .. } => {
                open.push(Some(loops.len()));
                loops.push(BTreeSet::new());
            }
            Operator::End => {
                open.pop();
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                for &number in open.iter().flatten() {
                    loops[number].insert(*local_index);
                }
            }
            _ => {}
        }
    }
    loops
}

/// Locals that the card of their value's page is set for, or nothing where the code cannot be reached.
type Marked = Option<BTreeSet<u32>>;

/// A block that is open.
struct Block {
    /// A branch to a loop leads to its start.
    is_loop: bool,
    /// What is marked on all ways to its end so far.
    end: Marked,
    /// Of an `if` before its `else`, what is marked where it starts.
    otherwise: Marked,
}

impl Block {
    fn meet(&mut self, marked: &Marked) {
        match (&mut self.end, marked) {
            (_, None) => {}
            (end @ None, Some(_)) => end.clone_from(marked),
            (Some(end), Some(marked)) => end.retain(|local| marked.contains(local)),
        }
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
    marked: Marked,
    blocks: Vec<Block>,
    /// What the loops to come assign.
    assigned: std::vec::IntoIter<BTreeSet<u32>>,
    hints: Vec<BranchHint>,
}

impl Writer<'_> {
    fn take(&mut self, amount: i64) {
        fuel::take(&mut self.out, &mut self.hints, amount, self.types.fuel, self.scratch + 2);
    }

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
            Operator::Block { .. } => {
                self.operands.clear();
                self.blocks.push(Block { is_loop: false, end: None, otherwise: None });
            }
            Operator::If { .. } => {
                self.operands.clear();
                self.blocks.push(Block { is_loop: false, end: None, otherwise: self.marked.clone() });
            }
            Operator::Loop { .. } => {
                self.operands.clear();
                // Another turn finds what was marked before the loop, unless the loop assigns it.
                let assigned = self.assigned.next().expect("every loop was looked at before");
                if let Some(marked) = &mut self.marked {
                    marked.retain(|local| !assigned.contains(local));
                }
                self.blocks.push(Block { is_loop: true, end: None, otherwise: None });
            }
            Operator::Else => {
                self.operands.clear();
                if let Some(block) = self.blocks.last_mut() {
                    block.meet(&self.marked);
                    self.marked = block.otherwise.take();
                }
            }
            Operator::End => {
                self.operands.clear();
                if let Some(mut block) = self.blocks.pop()
                    && !block.is_loop
                {
                    let otherwise = block.otherwise.take();
                    block.meet(&otherwise);
                    block.meet(&self.marked);
                    self.marked = block.end;
                }
            }
            Operator::BrIf { relative_depth } => {
                self.operands.pop();
                self.branch(*relative_depth);
            }
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.leave();
            }
            Operator::BrTable { targets } => {
                for target in targets.targets() {
                    let target = target.map_err(|error| Error::BadGuest(error.to_string()))?;
                    self.branch(target);
                }
                self.branch(targets.default());
                self.leave();
            }
            Operator::Return | Operator::Unreachable => self.leave(),
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
            self.set_marked(local);
        }
        Ok(())
    }

    /// Notes what is marked on a way to the end of a block.
    fn branch(&mut self, depth: u32) {
        let block = self.blocks.len().checked_sub(depth as usize + 1).and_then(|at| self.blocks.get_mut(at));
        if let Some(block) = block
            && !block.is_loop
        {
            block.meet(&self.marked);
        }
    }

    /// What follows is not reached from here.
    fn leave(&mut self) {
        self.operands.clear();
        self.marked = None;
    }

    fn set_marked(&mut self, local: u32) {
        if let Some(marked) = &mut self.marked {
            marked.insert(local);
        }
    }

    fn forget(&mut self, local: u32) {
        if let Some(marked) = &mut self.marked {
            marked.remove(&local);
        }
        for operand in &mut self.operands {
            if *operand == Some(local) {
                *operand = None;
            }
        }
    }

    fn plain(&mut self, operator: Operator<'_>) -> Result<(), Error> {
        let instruction = Renumbered.instruction(operator.clone());
        let instruction = instruction.map_err(|error| Error::BadGuest(error.to_string()))?;
        // Behind the scratch locals of this module.
        let scratch = self.scratch + 7;
        let rewritten = self.types.nans == Nans::Plus
            && nans::minus(&mut self.out, &mut self.hints, &operator, &instruction, scratch);
        if !rewritten {
            self.out.instruction(&instruction);
        }
        Ok(())
    }

    fn store(&mut self, operator: &Operator<'_>, store: &Store, base: Option<u32>) -> Result<(), Error> {
        let near = store.offset + store.size <= WINDOW as u64;
        let in_frame = self
            .frame
            .as_ref()
            .is_some_and(|frame| base == Some(frame.local) && store.offset + store.size <= frame.bytes);
        let marked = |base| self.marked.as_ref().is_some_and(|marked| marked.contains(&base));
        if in_frame || near && base.is_some_and(marked) {
            return self.plain(operator.clone());
        }
        if let Some(base) = base {
            self.plain(operator.clone())?;
            self.mark(base, if near { 0 } else { store.offset });
            if near {
                self.set_marked(base);
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
        let page = Instruction::I32Const(i32::try_from(PAGE).expect("a page is small"));
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
        self.take(fuel::BULK);
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

    /// Sets the card of the page at a local's value and an offset. A card is a byte, so that setting it reads nothing. The store before it has shown that this is
    /// an address; where there is none (a frame that is being made), any number below 2^32 has a card.
    fn mark(&mut self, local: u32, offset: u64) {
        let card = MemArg { offset: 0, align: 0, memory_index: 1 };
        self.emit(&[Instruction::LocalGet(local)]);
        if offset > 0 {
            let offset = u32::try_from(offset & u64::from(u32::MAX)).expect("masked to 32 bits").cast_signed();
            self.emit(&[Instruction::I32Const(offset), Instruction::I32Add]);
        }
        self.emit(&[
            Instruction::I32Const(CARD_SHIFT),
            Instruction::I32ShrU,
            Instruction::I32Const(1),
            Instruction::I32Store8(card),
        ]);
    }
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use std::fmt::Write;

    use wasmtime::{Engine, Func, Instance, Module, Store};

    use super::*;
    use crate::instrument::unreserved;
    use crate::layout::CARDS;

    /// Pages that the made-up code may store to, behind the first.
    const PAGES: u32 = 40;
    /// Pages that its offsets reach. The memory is a gigabyte, which takes its time to fill.
    const REACHED: usize = 64;

    /// Code of blocks, loops and branches that stores through its four locals, from a seed.
    struct Code {
        seed: u64,
        text: String,
        open: u32,
    }

    impl Code {
        fn pick(&mut self, below: u32) -> u32 {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from(self.seed >> 33).expect("31 bits") % below
        }

        fn line(&mut self, line: std::fmt::Arguments<'_>) {
            writeln!(self.text, "{line}").unwrap();
        }

        /// A condition that runs have in common with nothing.
        fn condition(&mut self) {
            let bit = self.pick(20);
            self.line(format_args!("(i32.and (i32.shr_u (local.get $input) (i32.const {bit})) (i32.const 1))"));
        }

        fn statements(&mut self, depth: u32) {
            for _ in 0..self.pick(5) + 1 {
                let (local, page, offset) = (self.pick(4), self.pick(PAGES) + 1, self.pick(5_000));
                match self.pick(10) {
                    0..=3 => self.line(format_args!(
                        "(i32.store offset={} (local.get {local}) (i32.const -1))",
                        if offset % 2 == 0 { offset % 300 } else { offset }
                    )),
                    4..=5 => self.line(format_args!("(local.set {local} (i32.const {}))", page * 4096 + offset % 4096)),
                    6 if depth > 0 => {
                        self.line(format_args!("block"));
                        self.nested(depth);
                    }
                    7 if depth > 0 => {
                        self.condition();
                        self.line(format_args!("if"));
                        self.nested(depth);
                    }
                    8 if depth > 0 => {
                        // A loop that turns a few times at most: `$turns` only grows.
                        self.line(format_args!("loop (local.set $turns (i32.add (local.get $turns) (i32.const 1)))"));
                        self.open += 1;
                        self.statements(depth - 1);
                        self.line(format_args!("(br_if 0 (i32.lt_u (local.get $turns) (i32.const 9)))"));
                        self.statements(depth - 1);
                        self.open -= 1;
                        self.line(format_args!("end"));
                    }
                    _ => self.jump(),
                }
            }
        }

        fn nested(&mut self, depth: u32) {
            let is_if = self.text.ends_with("if\n");
            self.open += 1;
            self.statements(depth - 1);
            if is_if && self.pick(2) == 0 {
                self.line(format_args!("else"));
                self.statements(depth - 1);
            }
            self.open -= 1;
            self.line(format_args!("end"));
        }

        fn jump(&mut self) {
            let (a, b) = (self.pick(self.open + 1), self.pick(self.open + 1));
            match self.pick(6) {
                // Upwards only with a condition that a loop's turns end.
                0 => self.line(format_args!("(br_if {a} (i32.eq (local.get $turns) (i32.const 3)))")),
                1 => {
                    self.condition();
                    self.line(format_args!("if (local.set $turns (i32.add (local.get $turns) (i32.const 1)))"));
                    self.line(format_args!("(if (i32.lt_u (local.get $turns) (i32.const 30)) (then"));
                    self.line(format_args!("(br_table {} {} (local.get $input))))", a + 2, b + 2));
                    self.line(format_args!("end"));
                }
                2 => {
                    self.condition();
                    self.line(format_args!("if return end"));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn whatever_way_code_takes_every_page_that_it_writes_has_its_card() {
        let engine = Engine::new(&unreserved()).unwrap();
        let mut written = 0;
        for seed in 0..150_u32 {
            let mut code = Code { seed: seed.into(), text: String::new(), open: 0 };
            code.statements(4);
            let wat = format!(
                "(module (memory (export \"memory\") 16) (global (export \"__stack_pointer\") (mut i32) (i32.const 0))
                (func (export \"run\") (param i32 i32 i32 i32) (param $input i32) (local $turns i32)\n{}))",
                code.text
            );
            let instrumented = crate::instrument::instrument(&wat::parse_str(&wat).unwrap(), Nans::Minus).unwrap();
            let module = Module::new(&engine, &instrumented.code).unwrap();
            let mut store = Store::new(&engine, ());
            let refuel = Func::wrap(&mut store, |_: i64| 1_000_000_i64);
            // Nothing here calls the host.
            let host = Func::wrap(&mut store, |_: i32, _: i32, _: i32| 0_i32);
            let instance = Instance::new(&mut store, &module, &[refuel.into(), host.into()]).unwrap();
            let run = instance.get_typed_func::<(u32, u32, u32, u32, u32), ()>(&mut store, "run").unwrap();
            for input in 0..12_u32 {
                for (name, reached) in [("memory", REACHED * PAGE), (CARDS, REACHED)] {
                    instance.get_memory(&mut store, name).unwrap().data_mut(&mut store)[..reached].fill(0);
                }
                let at = |number: u32| 4096 + (seed * 977 + number * 4000) % (PAGES * 4096);
                let input = input.wrapping_mul(0x9e37_79b9) >> 3;
                let termination = run.call(&mut store, (at(1), at(2), at(3), at(4), input));
                assert!(termination.is_ok(), "{termination:?}\n{wat}");
                let mut memory = |name: &str| instance.get_memory(&mut store, name).unwrap();
                let (memory, cards) = (memory("memory"), memory(CARDS));
                let (memory, cards) = (memory.data(&store), cards.data(&store));
                for (at, _) in memory.iter().enumerate().take(REACHED * PAGE).filter(|(_, byte)| **byte != 0) {
                    let (page, within) = (at / PAGE, at % PAGE);
                    let noted = cards[page] != 0 || within < WINDOW && cards[page - 1] != 0;
                    assert!(noted, "byte {at} of seed {seed}\n{wat}");
                    written += 1;
                }
            }
        }
        assert!(written > 5_000, "only {written} bytes were written");
    }
}
