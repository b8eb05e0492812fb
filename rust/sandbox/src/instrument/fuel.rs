//! Code that counts what it does, and asks the host now and then whether it may go on.
//!
//! A global holds what is left of a slice of fuel. Code takes from it at the head of every loop that does not take on
//! every way around, at the entry of functions that are called through tables or lead back to themselves by direct calls
//! or to more than [`UNCHECKED`] operators, and wherever more than [`GRAIN`] has come together since. Where nothing is left,
//! it calls the one function that the host gives it, which tells how much more there is, or stops it. So whatever a guest
//! does, it soon takes fuel.
//!
//! What is taken is what has been done on the way, by the [`weight`] of each operator, or by how long they wait for one
//! another if that is longer ([`Chain`]); where ways meet that differ by less
//! than the grain, it is their average, as if each were as likely as not. It depends on the module alone, so the same
//! program takes the same fuel everywhere. Fuel is time, about: native work of any kind costs by what it does. Wasmtime's
//! own fuel counts each operator that is executed, and needs epochs beside it to look at the clock: together a quarter of
//! the time of a hot loop, where this is next to nothing.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, BranchHint, Function, Instruction};
use wasmparser::{BinaryReaderError, ElementItems, FunctionBody, Operator, Parser, Payload};

use crate::error::Error;
use crate::layout::IMPORTS;

/// What it takes to write to a page by an instruction that writes to many.
pub(crate) const BULK: i64 = 4096;
/// From how much on fuel is taken on the way, instead of on average at the next loop or in the caller: finer, and taking
/// would itself take time (a third of this cost hot loops a tenth). Averages alone do not do: rare branches dominate the
/// mean of a large switch, and a loop with thousands of operators on its rare way ran for minutes
/// (`benchmarks/sandbox.md`).
const GRAIN: f64 = 500.0;
/// Most operators that a function may lead to without taking fuel for its entry. To take at every entry cost 8% of the
/// time; a fourth of this, or 64 times as much, makes no difference.
const UNCHECKED: u64 = 1 << 14;
/// Most operators that any function may lead to before fuel is taken: a second.
const MOST: u64 = 1 << 30;

/// Renumbers functions: those that the host gives are the first.
pub(crate) struct Renumbered;

impl Reencode for Renumbered {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, wasm_encoder::reencode::Error> {
        Ok(function + IMPORTS)
    }
}

/// What a function takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Charges {
    /// Before which operators, by number, and how much, in order.
    pub(crate) takes: Vec<(usize, i64)>,
}

/// What each function of a module takes.
///
/// # Errors
/// When a function leads to too much before any fuel is taken.
pub(crate) fn charges(wasm: &[u8]) -> Result<Vec<Charges>, Error> {
    let mut functions = Vec::new();
    let mut in_tables = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(bad)? {
            Payload::CodeSectionEntry(body) => functions.push(Called::of(body)?),
            Payload::ElementSection(elements) => {
                for element in elements {
                    match element.map_err(bad)?.items {
                        ElementItems::Functions(functions) => {
                            for function in functions {
                                in_tables.insert(function.map_err(bad)?);
                            }
                        }
                        ElementItems::Expressions(_, expressions) => {
                            for expression in expressions {
                                for operator in expression.map_err(bad)?.get_operators_reader() {
                                    if let Operator::RefFunc { function_index } = operator.map_err(bad)? {
                                        in_tables.insert(function_index);
                                    }
                                }
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
    Costs::new(functions, &in_tables).all()
}

fn bad(error: BinaryReaderError) -> Error {
    Error::BadGuest(error.to_string())
}

/// Takes fuel from the slice in `global`. `scratch` is a local for an i64.
pub(crate) fn take(out: &mut Function, hints: &mut Vec<BranchHint>, amount: i64, global: u32, scratch: u32) {
    for instruction in [
        Instruction::GlobalGet(global),
        Instruction::I64Const(amount),
        Instruction::I64Sub,
        Instruction::LocalTee(scratch),
        Instruction::GlobalSet(global),
        Instruction::LocalGet(scratch),
        Instruction::I64Const(0),
        Instruction::I64LtS,
    ] {
        out.instruction(&instruction);
    }
    // Keeps the call out of the way of the code around it.
    hints.push(BranchHint {
        branch_func_offset: u32::try_from(out.byte_len()).expect("wasmparser allows bodies of 7.6 MB"),
        branch_hint_value: 0,
    });
    for instruction in [
        Instruction::If(BlockType::Empty),
        Instruction::LocalGet(scratch),
        Instruction::Call(0),
        Instruction::GlobalSet(global),
        Instruction::End,
    ] {
        out.instruction(&instruction);
    }
}

/// What is owed, as a charge: at least 1, as what costs nothing must end, too.
fn charge(owed: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a sum of weights over at most MOST operators, far below 2^53")]
    let whole = owed.round() as i64;
    whole.max(1)
}

/// What an operator costs, in about a twentieth of a nanosecond: what becomes no instruction costs nothing.
fn weight(operator: &Operator<'_>) -> f64 {
    use Operator::*;
    match operator {
        Block { .. }
        | Loop { .. }
        | Else
        | End
        | Nop
        | Drop
        | Unreachable
        | LocalGet { .. }
        | LocalSet { .. }
        | LocalTee { .. }
        | I32Const { .. }
        | I64Const { .. }
        | F32Const { .. }
        | F64Const { .. }
        | V128Const { .. }
        | Br { .. } => 0.0,
        If { .. } | BrIf { .. } => 2.4,
        BrTable { .. } => 17.0,
        Call { .. } => 35.0,
        CallIndirect { .. } => 76.0,
        Return => 1.7,
        I32DivS | I32DivU | I32RemS | I32RemU => 17.0,
        I64DivS | I64DivU | I64RemS | I64RemU => 26.0,
        I64Mul | I32Mul => 2.6,
        F64Div | F64Sqrt | F32Div | F32Sqrt => 17.0,
        F64Add | F64Sub | F64Mul | F32Add | F32Sub | F32Mul => 5.2,
        MemoryFill { .. } | MemoryCopy { .. } => 87.0,
        I32Load { .. }
        | I64Load { .. }
        | I32Load8U { .. }
        | I32Load8S { .. }
        | I32Load16U { .. }
        | I32Load16S { .. }
        | I64Load8U { .. }
        | I64Load8S { .. }
        | I64Load16U { .. }
        | I64Load16S { .. }
        | I64Load32U { .. }
        | I64Load32S { .. }
        | F64Load { .. }
        | F32Load { .. } => 2.2,
        V128Load { .. } => 5.2,
        I32Store { .. }
        | I64Store { .. }
        | I32Store8 { .. }
        | I32Store16 { .. }
        | I64Store8 { .. }
        | I64Store16 { .. }
        | I64Store32 { .. }
        | F64Store { .. }
        | F32Store { .. } => 3.0,
        V128Store { .. } => 8.7,
        // Several of them in one cycle.
        I32Xor | I32And | I32Or | I32Shl | I32ShrU | I32ShrS | I32Rotl | I32Rotr => 1.0,
        I64Xor | I64And | I64Or | I64Shl | I64ShrU | I64ShrS | I64Rotl | I64Rotr => 1.5,
        _ => 1.65,
    }
}

/// Operators of a straight run up to which a processor does other work while one waits for another.
const AHEAD: usize = 400;
/// What a cycle costs.
const CYCLE: f64 = 5.2;

/// The longest chain of operators in a straight run, each of which waits for the one before: the rounds of a hash such as
/// MD5 are one, and take as long as it, though most of a processor is idle.
#[derive(Default)]
struct Chain {
    operators: usize,
    /// Their weights.
    owed: f64,
    /// When the values on the stack and in locals are there, in cycles since the start.
    stack: Vec<f64>,
    locals: BTreeMap<u32, f64>,
    longest: f64,
}

impl Chain {
    fn step(&mut self, operator: &Operator<'_>) {
        use Operator::*;
        self.operators += 1;
        self.owed += weight(operator);
        match operator {
            LocalGet { local_index } => {
                self.stack.push(self.locals.get(local_index).copied().unwrap_or_default());
            }
            LocalSet { local_index } => {
                let ready = self.pop();
                self.locals.insert(*local_index, ready);
            }
            LocalTee { local_index } => {
                let ready = self.stack.last().copied().unwrap_or_default();
                self.locals.insert(*local_index, ready);
            }
            I32Const { .. } | I64Const { .. } | GlobalGet { .. } => self.stack.push(0.0),
            Drop => {
                self.pop();
            }
            I32Add | I32Sub | I32And | I32Or | I32Xor | I32Shl | I32ShrU | I32ShrS | I32Rotl | I32Rotr | I64Add
            | I64Sub | I64And | I64Or | I64Xor | I64Shl | I64ShrU | I64ShrS | I64Rotl | I64Rotr => self.takes(2, 1.0),
            I32Mul | I64Mul => self.takes(2, 3.0),
            I32WrapI64 | I64ExtendI32U | I64ExtendI32S => self.takes(1, 0.0),
            I32Load { .. } | I64Load { .. } | I32Load8U { .. } | I64Load32U { .. } => self.takes(1, 4.0),
            I32Store { .. } | I64Store { .. } | I32Store8 { .. } => {
                self.pop();
                self.pop();
            }
            // What others wait for is not counted: never too much.
            _ => self.stack.clear(),
        }
    }

    fn pop(&mut self) -> f64 {
        self.stack.pop().unwrap_or_default()
    }

    /// An operator that takes so many values and gives one so many cycles later.
    fn takes(&mut self, values: usize, cycles: f64) {
        let ready = (0..values).fold(0.0, |ready: f64, _| ready.max(self.pop())) + cycles;
        self.longest = self.longest.max(ready);
        self.stack.push(ready);
    }

    /// Ends the run: by how much waiting is longer than working.
    fn end(&mut self) -> f64 {
        let ended = std::mem::take(self);
        if ended.operators > AHEAD { (ended.longest * CYCLE - ended.owed).max(0.0) } else { 0.0 }
    }
}

/// Whom a function calls, and how long it is.
struct Called<'a> {
    body: FunctionBody<'a>,
    operators: u64,
    calls: Vec<u32>,
}

impl<'a> Called<'a> {
    fn of(body: FunctionBody<'a>) -> Result<Self, Error> {
        let (mut operators, mut calls) = (0, Vec::new());
        for operator in body.get_operators_reader().map_err(bad)? {
            operators += 1;
            if let Operator::Call { function_index } = operator.map_err(bad)? {
                calls.push(function_index);
            }
        }
        Ok(Self { body, operators, calls })
    }
}

/// Where code leads before it branches.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ahead {
    /// To a trap: hardly ever.
    Trap,
    /// To a call: what is beside it is likelier, as making room is rarer than having it.
    Call,
    /// To a branch.
    Branch,
}

impl Ahead {
    /// How likely another way is.
    fn other(self) -> f64 {
        match self {
            Self::Trap => 1.0 - 1e-6,
            Self::Call => 0.85,
            Self::Branch => 0.5,
        }
    }
}

/// For each operator, where it and what follows lead.
fn ahead(operators: &[Operator<'_>]) -> Vec<Ahead> {
    let mut ahead = vec![Ahead::Branch; operators.len() + 1];
    for (at, operator) in operators.iter().enumerate().rev() {
        ahead[at] = match (operator, ahead[at + 1]) {
            (Operator::Unreachable, _) => Ahead::Trap,
            (
                Operator::If { .. }
                | Operator::Else
                | Operator::End
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::BrTable { .. }
                | Operator::Return,
                _,
            ) => Ahead::Branch,
            (Operator::Call { .. } | Operator::CallIndirect { .. }, Ahead::Branch) => Ahead::Call,
            (_, next) => next,
        };
    }
    ahead
}

/// What is known where a walk through a function is.
#[derive(Debug, Clone, Copy, Default)]
struct Here {
    /// How often one comes here for each entry of the function, if each branch is as likely as not.
    share: f64,
    /// What has been done since fuel was taken last, on average over the ways here.
    owed: f64,
    /// For each loop around, by depth, whether fuel has been taken since its head on every way here.
    taken: u64,
}

impl Here {
    /// What is known where two ways meet.
    fn meet(self, other: Self) -> Self {
        let share = self.share + other.share;
        if self.share == 0.0 || other.share == 0.0 {
            return if self.share == 0.0 { other } else { self };
        }
        let owed = (self.share * self.owed + other.share * other.owed) / share;
        Self { share, owed, taken: self.taken & other.taken }
    }
}

/// A block that is open.
struct Open {
    /// For a loop, its number in the function.
    number: Option<usize>,
    /// What is known where its end is reached from branches so far; for a loop, its head from its inside.
    met: Here,
    /// Of an `if` before its `else`, what is known where it is not taken.
    otherwise: Here,
    /// What was owed before a loop that takes fuel at its head: a turn does not pay for the way to the loop, so it is
    /// added again where the loop is left.
    carried: f64,
    /// Of a loop, where its head is in `takes`.
    place: usize,
}

/// What is known of a loop from a walk before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Head {
    /// Takes fuel at its head.
    Takes,
    /// Fuel is taken on every way around it anyway; at its head so much is owed.
    Owes(f64),
}

/// A walk through a function.
struct Walk<'a> {
    costs: &'a Costs<'a>,
    here: Here,
    open: Vec<Open>,
    /// How many of the open ones are loops.
    depth: usize,
    heads: Vec<Head>,
    /// Place in `takes` of each loop that takes fuel.
    takes: Vec<(usize, i64)>,
    loops: usize,
    chain: Chain,
}

impl<'a> Walk<'a> {
    /// What a function takes, and what is owed where it returns.
    fn through(costs: &'a Costs<'a>, operators: &[Operator<'_>]) -> Result<(Vec<(usize, i64)>, f64), Error> {
        let ahead = ahead(operators);
        let mut heads = Vec::new();
        loop {
            let mut walk = Self {
                costs,
                here: Here { share: 1.0, owed: 0.0, taken: 0 },
                open: vec![Open {
                    number: None,
                    met: Here::default(),
                    otherwise: Here::default(),
                    carried: 0.0,
                    place: 0,
                }],
                depth: 0,
                heads: heads.clone(),
                takes: Vec::new(),
                loops: 0,
                chain: Chain::default(),
            };
            for (at, operator) in operators.iter().enumerate() {
                walk.operator(at, operator, ahead[at + 1])?;
            }
            // Some loops were found to take fuel on every way around: once more, without their heads.
            if walk.heads == heads || !heads.is_empty() {
                let takes = walk.takes.into_iter().filter(|(_, amount)| *amount > 0).collect();
                return Ok((takes, walk.here.owed));
            }
            heads = walk.heads;
        }
    }

    /// `ahead` says where what follows leads.
    fn operator(&mut self, at: usize, operator: &Operator<'_>, ahead: Ahead) -> Result<(), Error> {
        let turns = matches!(
            operator,
            Operator::If { .. }
                | Operator::Else
                | Operator::End
                | Operator::Br { .. }
                | Operator::BrIf { .. }
                | Operator::BrTable { .. }
                | Operator::Loop { .. }
                | Operator::Return
        );
        if turns || matches!(operator, Operator::Call { .. } | Operator::CallIndirect { .. }) {
            self.here.owed += self.chain.end();
        } else {
            self.chain.step(operator);
        }
        if turns && self.here.share > 0.0 && self.here.owed >= GRAIN {
            self.takes.push((at, charge(self.here.owed)));
            self.here.owed = 0.0;
            self.here.taken = u64::MAX;
        }
        self.here.owed += weight(operator);
        match operator {
            Operator::Call { function_index } => self.here.owed += self.costs.owed[*function_index as usize],
            Operator::Block { .. } => self.open(None, Here::default()),
            Operator::Loop { .. } => self.enter(at),
            Operator::If { .. } => {
                let otherwise = self.split(ahead);
                self.open(None, otherwise);
            }
            Operator::Else => {
                if let Some(block) = self.open.last_mut() {
                    block.met = block.met.meet(self.here);
                    self.here = std::mem::take(&mut block.otherwise);
                }
            }
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth, self.here);
                self.here = Here::default();
            }
            Operator::BrIf { relative_depth } => {
                let taken = self.split(ahead);
                self.branch(*relative_depth, taken);
            }
            Operator::BrTable { targets } => {
                let mut each = self.here;
                each.share /= f64::from(targets.len()) + 1.0;
                for target in targets.targets() {
                    self.branch(target.map_err(bad)?, each);
                }
                self.branch(targets.default(), each);
                self.here = Here::default();
            }
            Operator::Return => {
                let depth = u32::try_from(self.open.len()).expect("a body has fewer blocks than bytes");
                self.branch(depth - 1, self.here);
                self.here = Here::default();
            }
            Operator::Unreachable => self.here = Here::default(),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, number: Option<usize>, otherwise: Here) {
        self.open.push(Open { number, met: Here::default(), otherwise, carried: 0.0, place: self.takes.len() });
    }

    /// Takes off what goes another way.
    fn split(&mut self, ahead: Ahead) -> Here {
        let mut other = self.here;
        other.share *= ahead.other();
        self.here.share -= other.share;
        other
    }

    /// Enters a loop.
    fn enter(&mut self, at: usize) {
        let number = self.loops;
        self.loops += 1;
        if number == self.heads.len() {
            self.heads.push(Head::Takes);
        }
        self.open(Some(number), Here::default());
        // `taken` has a bit for each of 64 loops around. One deeper down takes fuel at its head in any case.
        if self.depth < 64 {
            self.here.taken &= !(1 << self.depth);
        }
        self.depth += 1;
        match self.heads[number] {
            Head::Takes => {
                let block = self.open.last_mut().expect("just opened");
                block.carried = std::mem::take(&mut self.here.owed);
            }
            Head::Owes(owed) => self.here.owed = owed,
        }
        // How much is known at its end.
        self.takes.push((at + 1, 0));
    }

    fn end(&mut self) {
        let Some(block) = self.open.pop() else { return };
        let Some(number) = block.number else {
            self.here = self.here.meet(block.otherwise).meet(block.met);
            return;
        };
        self.depth -= 1;
        let around = block.met;
        let taken = self.depth < 64 && around.taken >> self.depth & 1 == 1;
        self.here.owed += block.carried;
        let owed = if around.share > 0.0 { around.owed } else { 0.0 };
        match self.heads[number] {
            Head::Takes if taken => {
                self.heads[number] = Head::Owes(owed);
                self.takes[block.place].1 = charge(owed);
            }
            Head::Owes(_) if taken || around.share == 0.0 => {}
            _ => self.takes[block.place].1 = charge(owed),
        }
    }

    fn branch(&mut self, depth: u32, mut from: Here) {
        if from.share == 0.0 {
            return;
        }
        let Some(target) = self.open.len().checked_sub(depth as usize + 1) else { return };
        for left in &self.open[target + 1..] {
            from.owed += left.carried;
        }
        let block = &mut self.open[target];
        block.met = block.met.meet(from);
    }
}

/// What functions cost, with those that they call.
struct Costs<'a> {
    functions: Vec<Called<'a>>,
    /// Functions that take fuel for their entry: those that are called through tables, and those that one comes back
    /// to while looking at what they call: every cycle of calls has one.
    enters: Vec<bool>,
    /// Operators that are executed at most before fuel is taken, of those that are done.
    most: Vec<Option<u64>>,
    /// What a call owes when it returns.
    owed: Vec<f64>,
    charges: Vec<Charges>,
}

impl<'a> Costs<'a> {
    fn new(functions: Vec<Called<'a>>, in_tables: &BTreeSet<u32>) -> Self {
        let count = functions.len();
        let enters = (0..u32::try_from(count).expect("a module has fewer functions than bytes"))
            .map(|function| in_tables.contains(&function))
            .collect();
        let charges = vec![Charges::default(); count];
        Self { enters, most: vec![None; count], owed: vec![0.0; count], charges, functions }
    }

    /// Looks at each function after those that it calls.
    fn all(mut self) -> Result<Vec<Charges>, Error> {
        let mut waits = vec![false; self.functions.len()];
        let mut path: Vec<usize> = (0..self.functions.len()).rev().collect();
        while let Some(&at) = path.last() {
            if waits[at] {
                if self.most[at].is_none() {
                    self.finish(at)?;
                }
                path.pop();
                continue;
            }
            waits[at] = true;
            for called in &self.functions[at].calls {
                let called = *called as usize;
                if !waits[called] {
                    path.push(called);
                } else if self.most[called].is_none() {
                    self.enters[called] = true;
                }
            }
        }
        Ok(self.charges)
    }

    fn finish(&mut self, at: usize) -> Result<(), Error> {
        let function = &self.functions[at];
        let calls = function.calls.iter();
        let most = calls.fold(function.operators, |sum, called| sum.saturating_add(self.unchecked(*called)));
        if most > MOST {
            return Err(Error::BadGuest(format!("function {at} leads to {most} operators without a loop")));
        }
        let operators = function.body.get_operators_reader().map_err(bad)?.into_iter();
        let operators: Vec<Operator<'_>> = operators.collect::<Result<_, _>>().map_err(bad)?;
        let (mut takes, owed) = Walk::through(self, &operators)?;
        self.most[at] = Some(most);
        self.enters[at] |= most > UNCHECKED;
        if self.enters[at] {
            takes.insert(0, (0, charge(owed)));
        } else {
            self.owed[at] = owed;
        }
        self.charges[at].takes = takes;
        Ok(())
    }

    /// Operators that a call leads to at most before fuel is taken.
    fn unchecked(&self, called: u32) -> u64 {
        let called = called as usize;
        match self.most[called] {
            Some(most) if !self.enters[called] => most,
            _ => 0,
        }
    }
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use std::fmt::Write;

    use wasmtime::{Config, Engine, Func, Instance, Module, Store, Trap, Val};

    use super::*;
    use crate::layout::FUEL;

    const HEAD: &str = "(memory (export \"memory\") 16) (table 4 funcref)
        (global (export \"__stack_pointer\") (mut i32) (i32.const 0))";

    fn charges_of(functions: &str) -> Vec<Charges> {
        charges(&wat::parse_str(format!("(module {HEAD} {functions})")).unwrap()).unwrap()
    }

    /// Runs `run`, which takes a number and returns nothing, with so much fuel: how much it takes, or the trap.
    fn run(functions: &str, input: i32, fuel: i64) -> Result<i64, Trap> {
        let wasm = wat::parse_str(format!("(module {HEAD} {functions})")).unwrap();
        let instrumented = crate::instrument::instrument(&wasm, crate::instrument::Nans::Minus).unwrap();
        let mut config = Config::new();
        config.max_wasm_stack(1 << 20);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, &instrumented.code).unwrap();
        let mut store = Store::new(&engine, fuel);
        let refuel = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, i64>, slice: i64| {
            let rest = std::mem::take(caller.data_mut()) + slice;
            if rest < 0 { Err(wasmtime::Error::from(Trap::OutOfFuel)) } else { Ok(rest) }
        });
        // Nothing here calls the host.
        let host = Func::wrap(&mut store, |_: i32, _: i32, _: i32| 0_i32);
        let instance = Instance::new(&mut store, &module, &[refuel.into(), host.into()]).unwrap();
        let run = instance.get_typed_func::<i32, ()>(&mut store, "run").unwrap();
        run.call(&mut store, input).map_err(|error| *error.downcast_ref::<Trap>().unwrap())?;
        let Val::I64(slice) = instance.get_global(&mut store, FUEL).unwrap().get(&mut store) else { panic!() };
        Ok(fuel - slice - store.data())
    }

    #[test]
    fn nothing_that_goes_on_does_so_without_fuel() {
        let mut doubling = String::from("(func $f0 (local i32) (local.set 0 (i32.const 1)))");
        for number in 1..=60 {
            let called = number - 1;
            writeln!(doubling, "(func $f{number} (call $f{called}) (call $f{called}))").unwrap();
        }
        let endless = [
            ("a loop", "(func (export \"run\") (param i32) (loop (br 0)))".to_owned()),
            ("a loop's table", "(func (export \"run\") (param i32) (loop (br_table 0 0 (local.get 0))))".to_owned()),
            (
                "a loop of loops",
                "(func (export \"run\") (param i32) (loop (loop (br_if 0 (i32.const 0))) (br 0)))".to_owned(),
            ),
            (
                // Recursion that is never deep.
                "functions that call one another",
                "(func $a (param i32) (if (local.get 0) (then
                    (call $b (i32.sub (local.get 0) (i32.const 1))) (call $b (i32.sub (local.get 0) (i32.const 1))))))
                (func $b (param i32) (call $a (local.get 0)))
                (func (export \"run\") (param i32) (call $a (i32.const 60)))"
                    .to_owned(),
            ),
            (
                "calls through a table",
                "(elem (i32.const 0) $a) (type $t (func (param i32)))
                (func $a (param i32) (if (local.get 0) (then
                    (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))
                    (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))
                (func (export \"run\") (param i32) (call $a (i32.const 60)))"
                    .to_owned(),
            ),
            ("calls that double at every step", format!("{doubling} (func (export \"run\") (param i32) (call $f60))")),
            (
                "instructions that write to many pages",
                "(func (export \"run\") (param i32)
                    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000000)) (br 0)))"
                    .to_owned(),
            ),
        ];
        for (what, functions) in &endless {
            assert_eq!(run(functions, 0, 10_000_000), Err(Trap::OutOfFuel), "{what}");
        }
    }

    #[test]
    fn what_leads_to_hours_without_fuel_is_no_guest() {
        // 2^13 operators and more, called 200,000 times by a function without a loop.
        let mut functions = String::from("(func $f0 (local i32) (local.set 0 (i32.const 1)))");
        for number in 1..=11 {
            let called = number - 1;
            writeln!(functions, "(func $f{number} (call $f{called}) (call $f{called}))").unwrap();
        }
        let calls = "(call $f11)".repeat(200_000);
        let wasm = wat::parse_str(format!("(module {HEAD} {functions} (func (export \"run\") {calls}))")).unwrap();
        assert!(matches!(charges(&wasm), Err(Error::BadGuest(why)) if why.contains("function 12 leads to")));
    }

    #[test]
    fn a_run_takes_the_same_fuel_always_and_exactly_that_is_enough() {
        let functions = "(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func $fib (param i32) (result i32)
                (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
                    (then (local.get 0))
                    (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                                   (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
            (func (export \"run\") (param i32)
                (loop (drop (call $fib (call $leaf (local.get 0))))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))";
        let used = run(functions, 12, 1 << 40).unwrap();
        assert_eq!(run(functions, 12, 1 << 40), Ok(used));
        assert_eq!(run(functions, 12, used), Ok(used));
        assert_eq!(run(functions, 12, used - 1), Err(Trap::OutOfFuel));
        assert!(run(functions, 13, 1 << 40).unwrap() > used * 3 / 2, "fuel grows with what is done");
    }

    /// Additions, so many.
    fn adds(count: usize) -> String {
        "(drop (i32.add (local.get 0) (i32.const 1)))".repeat(count)
    }

    /// What turns of a loop take, whose turns count the parameter down.
    fn turns(functions: &str, body: &str, turns: i32) -> i64 {
        let run_loop = format!(
            "{functions} (func (export \"run\") (param i32)
                (loop {body} (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"
        );
        run(&run_loop, turns, 1 << 40).unwrap()
    }

    #[test]
    fn a_long_turn_takes_as_much_as_many_short_ones() {
        let one = turns("", &adds(50_000), 1) as f64;
        let many = turns("", &adds(50), 1_000) as f64;
        assert!((0.5..2.0).contains(&(one / many)), "{one} and {many}");
    }

    #[test]
    fn a_dear_way_is_paid_where_it_is_gone_and_not_elsewhere() {
        let every =
            |turn: i32| format!("(if (i32.eqz (i32.rem_u (local.get 0) (i32.const {turn}))) (then {}))", adds(20_000));
        let (always, rarely, never) =
            (turns("", &every(1), 100), turns("", &every(10), 100), turns("", &every(1_000), 100));
        assert!((9..=11).contains(&((always - never) / (rarely - never))), "{always}, {rarely}, {never}");
        assert!(never * 100 < always, "{never} and {always}");
    }

    #[test]
    fn a_switch_takes_by_the_way_that_it_goes() {
        let switch = |way: i32| {
            let (short, long) = (adds(1), adds(20_000));
            format!("(block (block (block (br_table 0 1 2 (i32.const {way}))) {long} (br 1)) {short} (br 0)) {short}")
        };
        assert!(turns("", &switch(1), 100) * 100 < turns("", &switch(0), 100));
    }

    #[test]
    fn operators_that_wait_for_one_another_take_more_in_a_long_run_alone() {
        let waits = |count: usize| "(local.set 1 (i32.rotl (local.get 1) (local.get 0)))".repeat(count);
        let ready = |count: usize| "(local.set 1 (i32.rotl (local.get 0) (local.get 0)))".repeat(count);
        let run = |body: String| {
            run(&format!("(func (export \"run\") (param i32) (local i32) {body})"), 1, 1 << 40).unwrap() as f64
        };
        assert!(run(waits(10_000)) > 3.0 * run(ready(10_000)));
        assert_eq!(run(waits(50)), run(ready(50)));
    }

    #[test]
    fn what_is_called_is_paid_by_whoever_calls() {
        let leaf = format!("(func $leaf (param i32) {})", adds(20));
        let called = turns(&leaf, "(call $leaf (local.get 0))", 1_000) as f64;
        let here = turns("", &adds(20), 1_000) as f64;
        assert!((1.0..3.0).contains(&(called / here)), "{called} and {here}");
        let through = format!("(elem (i32.const 0) $leaf) (type $t (func (param i32))) {leaf}");
        let through = turns(&through, "(call_indirect (type $t) (local.get 0) (i32.const 0))", 1_000) as f64;
        assert!((1.0..3.0).contains(&(through / called)), "{through} and {called}");
    }

    #[test]
    fn loops_that_always_take_on_the_way_need_not_take_at_their_head() {
        let counted = charges_of(&format!("(func (param i32) (loop {} (br_if 0 (local.get 0))))", adds(1_000)));
        assert_eq!(counted[0].takes.len(), 1, "{counted:?}");
        let counted = charges_of("(func (param i32) (loop (br_if 0 (local.get 0))))");
        assert_eq!(counted[0].takes.len(), 1, "{counted:?}");
    }
}
