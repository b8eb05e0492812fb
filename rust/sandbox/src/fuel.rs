//! Code that counts what it does, and asks the host now and then whether it may go on.
//!
//! A global holds what is left of a slice of fuel. Code takes from it where it turns: at the head of every loop,
//! before every indirect call, and at the entry of functions that lead back to themselves by direct calls, or to more
//! than [`UNCHECKED`] operators. Where nothing is left, it calls the one function that the host gives it,
//! which tells how much more there is, or stops it. So whatever a guest does, it soon takes fuel.
//!
//! What is taken is what one turn, or one entry, costs on average, in operators, with all that is called directly, if
//! each branch is as likely as not and none leads to a trap. It depends on the module alone, so the same program
//! takes the same fuel everywhere. Wasmtime's own fuel counts each operator that is executed, and needs epochs
//! beside it to look at the clock: together a quarter of the time of a hot loop, where this is next to nothing.

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, BranchHint, Function, Instruction};
use wasmparser::{FunctionBody, Operator, Parser, Payload};

use crate::error::Error;

/// Name under which the global is exported.
pub(crate) const FUEL: &str = "azr fuel";
/// Module and name of the function that gives another slice.
pub(crate) const REFUEL: (&str, &str) = ("azr", "refuel");
/// Most fuel of a slice. The clock is looked at whenever one is spent: every millisecond, about.
pub(crate) const SLICE: i64 = 1 << 23;

/// What an indirect call takes: nobody knows whom it calls.
pub(crate) const INDIRECT: i64 = 32;
/// What it takes to write to a page by an instruction that writes to many.
pub(crate) const BULK: i64 = 256;
/// The most that a turn or an entry takes. Of a large switch's ways the long ones are the rare ones.
const DEAREST: f64 = 256.0;
/// Most operators that a function may lead to without taking fuel for its entry.
const UNCHECKED: u64 = 1 << 14;
/// Most operators that any function may lead to before fuel is taken: a second.
const MOST: u64 = 1 << 30;

/// Renumbers functions: the one that the host gives is the first.
pub(crate) struct Renumbered;

impl Reencode for Renumbered {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, wasm_encoder::reencode::Error> {
        Ok(function + 1)
    }
}

/// What a function takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Charges {
    /// At its entry, if anything.
    pub(crate) entry: Option<i64>,
    /// At the head of each loop, in order.
    pub(crate) loops: Vec<i64>,
}

/// What each function of a module takes.
///
/// # Errors
/// When a function leads to too much before any fuel is taken.
pub(crate) fn charges(wasm: &[u8]) -> Result<Vec<Charges>, Error> {
    let bad = |error: wasmparser::BinaryReaderError| Error::BadGuest(error.to_string());
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload.map_err(bad)? {
            functions.push(Flow::of(&body).map_err(bad)?);
        }
    }
    Costs::new(functions).all()
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
    hints.push(BranchHint { branch_func_offset: out.byte_len() as u32, branch_hint_value: 0 });
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

/// The entry of a function, or one turn of a loop, up to the loops inside.
#[derive(Debug)]
struct Region {
    /// How often it is come by for each entry of the function, on average.
    share: f64,
    /// Operators that are executed meanwhile.
    operators: f64,
    /// Functions that are called directly, and how often.
    calls: Vec<(u32, f64)>,
}

/// What a function does by itself, the average way through it.
#[derive(Debug)]
struct Flow {
    /// All operators that there are.
    operators: u64,
    /// The entry, and each loop in order.
    regions: Vec<Region>,
}

/// A block that is open.
struct Open {
    /// A branch to a loop leads to its start.
    is_loop: bool,
    /// How often its end is reached from branches so far.
    end: f64,
    /// Of an `if` before its `else`, how often it is not taken.
    otherwise: f64,
}

impl Flow {
    fn of(body: &FunctionBody<'_>) -> Result<Self, wasmparser::BinaryReaderError> {
        let operators: Vec<Operator<'_>> = body.get_operators_reader()?.into_iter().collect::<Result<_, _>>()?;
        let traps = traps(&operators);
        let mut flow = Walk {
            share: 1.0,
            open: Vec::new(),
            inside: vec![0],
            regions: vec![Region { share: 1.0, operators: 0.0, calls: Vec::new() }],
        };
        for (at, operator) in operators.iter().enumerate() {
            flow.operator(operator, traps[at + 1])?;
        }
        Ok(Self { operators: operators.len() as u64, regions: flow.regions })
    }
}

/// For each operator, whether it and what follows end in a trap before any branch.
fn traps(operators: &[Operator<'_>]) -> Vec<bool> {
    let mut traps = vec![false; operators.len() + 1];
    for (at, operator) in operators.iter().enumerate().rev() {
        traps[at] = match operator {
            Operator::Unreachable => true,
            Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return => false,
            _ => traps[at + 1],
        };
    }
    traps
}

/// A walk through a function, with how often one comes to where it is.
struct Walk {
    share: f64,
    open: Vec<Open>,
    /// The regions that one is inside of, by number.
    inside: Vec<usize>,
    regions: Vec<Region>,
}

impl Walk {
    /// `traps` says whether what follows ends in a trap.
    fn operator(&mut self, operator: &Operator<'_>, traps: bool) -> Result<(), wasmparser::BinaryReaderError> {
        let here = *self.inside.last().expect("the function's own is the first");
        self.regions[here].operators += self.share;
        match operator {
            Operator::Call { function_index } => self.regions[here].calls.push((*function_index, self.share)),
            Operator::Block { .. } => self.open.push(Open { is_loop: false, end: 0.0, otherwise: 0.0 }),
            Operator::Loop { .. } => {
                self.open.push(Open { is_loop: true, end: 0.0, otherwise: 0.0 });
                self.inside.push(self.regions.len());
                self.regions.push(Region { share: self.share, operators: 0.0, calls: Vec::new() });
            }
            Operator::If { .. } => {
                let otherwise = if traps { self.share } else { self.share / 2.0 };
                self.open.push(Open { is_loop: false, end: 0.0, otherwise });
                self.share -= otherwise;
            }
            Operator::Else => {
                if let Some(block) = self.open.last_mut() {
                    block.end += self.share;
                    self.share = std::mem::take(&mut block.otherwise);
                }
            }
            Operator::End => match self.open.pop() {
                Some(Open { is_loop: true, .. }) => {
                    self.inside.pop();
                }
                Some(Open { end, otherwise, .. }) => self.share += end + otherwise,
                None => {}
            },
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth, self.share);
                self.share = 0.0;
            }
            Operator::BrIf { relative_depth } => {
                let taken = if traps { self.share } else { self.share / 2.0 };
                self.branch(*relative_depth, taken);
                self.share -= taken;
            }
            Operator::BrTable { targets } => {
                let each = self.share / (f64::from(targets.len()) + 1.0);
                for target in targets.targets() {
                    self.branch(target?, each);
                }
                self.branch(targets.default(), each);
                self.share = 0.0;
            }
            Operator::Return | Operator::Unreachable => self.share = 0.0,
            _ => {}
        }
        Ok(())
    }

    fn branch(&mut self, depth: u32, share: f64) {
        let block = self.open.len().checked_sub(depth as usize + 1).and_then(|at| self.open.get_mut(at));
        if let Some(block) = block
            && !block.is_loop
        {
            block.end += share;
        }
    }
}

/// What functions cost, with those that they call.
struct Costs {
    functions: Vec<Flow>,
    /// Functions that one comes back to while looking at those that they call: every cycle has one.
    recursive: Vec<bool>,
    /// Operators that are executed at most before fuel is taken, of those that are done.
    most: Vec<Option<u64>>,
    /// What an entry costs on average, of those that are done.
    entry: Vec<f64>,
    charges: Vec<Charges>,
}

impl Costs {
    fn new(functions: Vec<Flow>) -> Self {
        let charges = vec![Charges { entry: None, loops: Vec::new() }; functions.len()];
        let count = functions.len();
        Self { recursive: vec![false; count], most: vec![None; count], entry: vec![0.0; count], charges, functions }
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
            for (called, _) in self.functions[at].regions.iter().flat_map(|region| &region.calls) {
                let called = *called as usize;
                if !waits[called] {
                    path.push(called);
                } else if self.most[called].is_none() {
                    self.recursive[called] = true;
                }
            }
        }
        Ok(self.charges)
    }

    fn finish(&mut self, at: usize) -> Result<(), Error> {
        let function = &self.functions[at];
        let calls = function.regions.iter().flat_map(|region| &region.calls);
        let most = calls.fold(function.operators, |sum, (called, _)| sum.saturating_add(self.unchecked(*called)));
        if most > MOST {
            return Err(Error::BadGuest(format!("function {at} leads to {most} operators without a loop")));
        }
        let costs: Vec<i64> = function.regions.iter().map(|region| self.cost(region)).collect();
        self.most[at] = Some(most);
        if self.recursive[at] || most > UNCHECKED {
            self.charges[at].entry = Some(costs[0]);
        } else {
            self.entry[at] = costs[0] as f64;
        }
        self.charges[at].loops = costs[1..].to_vec();
        Ok(())
    }

    /// Operators that a call leads to at most before fuel is taken.
    fn unchecked(&self, called: u32) -> u64 {
        let called = called as usize;
        match self.most[called] {
            Some(most) if self.charges[called].entry.is_none() => most,
            _ => 0,
        }
    }

    /// What a region costs, once, on average.
    fn cost(&self, region: &Region) -> i64 {
        let called: f64 = region.calls.iter().map(|(called, share)| share * self.entry[*called as usize]).sum();
        // What cannot be reached costs what it would if it could.
        let share = if region.share > 0.0 { region.share } else { 1.0 };
        ((region.operators + called) / share).round().clamp(1.0, DEAREST) as i64
    }
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use std::fmt::Write;

    use wasmtime::{Config, Engine, Func, Instance, Module, Store, Trap, Val};

    use super::*;

    const HEAD: &str = "(memory (export \"memory\") 16) (table 4 funcref)
        (global (export \"__stack_pointer\") (mut i32) (i32.const 0))";

    fn charges_of(functions: &str) -> Vec<Charges> {
        charges(&wat::parse_str(format!("(module {HEAD} {functions})")).unwrap()).unwrap()
    }

    /// Runs `run`, which takes a number and returns nothing, with so much fuel: how much it takes, or the trap.
    fn run(functions: &str, input: i32, fuel: i64) -> Result<i64, Trap> {
        let wasm = wat::parse_str(format!("(module {HEAD} {functions})")).unwrap();
        let split = crate::split::split(&wasm).unwrap();
        let mut config = Config::new();
        config.max_wasm_stack(1 << 20);
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, &split.code).unwrap();
        let mut store = Store::new(&engine, fuel);
        let refuel = Func::wrap(&mut store, |mut caller: wasmtime::Caller<'_, i64>, slice: i64| {
            let rest = std::mem::take(caller.data_mut()) + slice;
            if rest < 0 { Err(wasmtime::Error::from(Trap::OutOfFuel)) } else { Ok(rest) }
        });
        let instance = Instance::new(&mut store, &module, &[refuel.into()]).unwrap();
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

    #[test]
    fn a_turn_takes_its_operators_by_the_average_way_with_those_of_calls() {
        let counted = charges_of(
            "(func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func (param i32) (loop (drop (call $leaf (local.get 0))) (br_if 0 (local.get 0))))
            (func (param i32) (loop
                (if (local.get 0) (then nop nop nop nop nop nop nop nop nop))
                (if (local.get 0) (then nop nop nop nop nop nop nop nop nop unreachable))
                (br_if 0 (local.get 0))))
            (func $self (param i32) (if (local.get 0) (then (call $self (local.get 0)))))",
        );
        let loops = |number: usize| &counted[number].loops[..];
        assert_eq!(counted[0], Charges { entry: None, loops: vec![] });
        // local.get, call with its 4, drop, local.get, br_if; `end` on half of the turns.
        assert_eq!(loops(1), [5 + 4 + 1]);
        // Half of nine and an `end`; nothing of what leads to a trap; `end` on half of the turns: 11.5.
        assert_eq!(loops(2), [2 + 5 + 2 + 2 + 1]);
        // local.get, if, half of three, `end`: 4.5.
        assert_eq!(counted[3].entry, Some(5), "it calls itself");
    }

    #[test]
    fn a_switch_of_many_ways_takes_no_more_than_the_dearest_turn() {
        let ways = "nop ".repeat(5_000);
        let counted = charges_of(&format!("(func (param i32) (loop {ways} (br_if 0 (local.get 0))))"));
        assert_eq!(counted[0].loops, [DEAREST as i64]);
    }
}
