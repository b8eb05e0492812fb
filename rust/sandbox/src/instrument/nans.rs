//! One sign for the NaNs that arithmetic makes, whatever the processor.
//!
//! WebAssembly leaves it open, and processors differ: x86-64 sets the sign, aarch64 does not. A program sees it, by
//! `math.copysign` and by `struct`. CPython on x86-64 shows a minus, so that is what programs get everywhere. Where the
//! processor makes a plus, every operation that can make a NaN gets a companion: was there none among the operands and is
//! the result one, then it becomes the one with a minus. An operand that is a NaN passes through on both.

use wasm_encoder::{BlockType, BranchHint, Function, Ieee32, Ieee64, Instruction, ValType};
use wasmparser::Operator;

/// The sign of a NaN that the processor makes where no operand is one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nans {
    Minus,
    Plus,
}

impl Nans {
    /// Those of what Rust calls by this name, or of this machine.
    pub(crate) fn of(triple: Option<&str>) -> Self {
        let architecture = triple.map_or(std::env::consts::ARCH, |triple| triple.split('-').next().unwrap_or(triple));
        if architecture == "aarch64" { Self::Plus } else { Self::Minus }
    }
}

/// Locals that [`minus`] works with: of each type, two operands and a result.
pub(crate) const SCRATCH: [(u32, ValType); 3] = [(3, ValType::F32), (3, ValType::F64), (3, ValType::V128)];

/// Numbers of a type: where their locals begin, how they are compared, and what a lane of a vector has.
struct Floats {
    locals: u32,
    equal: Instruction<'static>,
    differ: Instruction<'static>,
    minus: Instruction<'static>,
    vector: bool,
}

const F32_NAN: u32 = 0xffc0_0000;
const F64_NAN: u64 = 0xfff8_0000_0000_0000;

fn f32() -> Floats {
    let minus = Instruction::F32Const(Ieee32::new(F32_NAN));
    Floats { locals: 0, equal: Instruction::F32Eq, differ: Instruction::F32Ne, minus, vector: false }
}

fn f64() -> Floats {
    let minus = Instruction::F64Const(Ieee64::new(F64_NAN));
    Floats { locals: 3, equal: Instruction::F64Eq, differ: Instruction::F64Ne, minus, vector: false }
}

fn f32x4() -> Floats {
    let lane = i128::from(F32_NAN);
    let minus = Instruction::V128Const(lane << 96 | lane << 64 | lane << 32 | lane);
    Floats { locals: 6, equal: Instruction::F32x4Eq, differ: Instruction::F32x4Ne, minus, vector: true }
}

fn f64x2() -> Floats {
    let lane = i128::from(F64_NAN);
    let minus = Instruction::V128Const(lane << 64 | lane);
    Floats { locals: 6, equal: Instruction::F64x2Eq, differ: Instruction::F64x2Ne, minus, vector: true }
}

/// Which numbers an operation makes that can make a NaN of others, and of how many. What only passes NaNs on is not one.
fn makes(operator: &Operator<'_>) -> Option<(Floats, u32)> {
    use Operator::*;
    Some(match operator {
        F32Add | F32Sub | F32Mul | F32Div => (f32(), 2),
        F64Add | F64Sub | F64Mul | F64Div => (f64(), 2),
        F32x4Add | F32x4Sub | F32x4Mul | F32x4Div => (f32x4(), 2),
        F64x2Add | F64x2Sub | F64x2Mul | F64x2Div => (f64x2(), 2),
        F32Sqrt => (f32(), 1),
        F64Sqrt => (f64(), 1),
        F32x4Sqrt => (f32x4(), 1),
        F64x2Sqrt => (f64x2(), 1),
        _ => return None,
    })
}

/// Writes an operation, encoded as `instruction`, so that a NaN that it makes has a minus; `scratch` is the first of
/// [`SCRATCH`]. False, and nothing is written, where it makes none.
pub(crate) fn minus(
    out: &mut Function,
    hints: &mut Vec<BranchHint>,
    operator: &Operator<'_>,
    instruction: &Instruction<'_>,
    scratch: u32,
) -> bool {
    let Some((floats, operands)) = makes(operator) else {
        return false;
    };
    let local = |number| scratch + floats.locals + number;
    let (first, result) = (local(0), local(2));
    // The operands, the last at the top.
    for number in (0..operands).rev() {
        out.instruction(&Instruction::LocalSet(local(number)));
    }
    for number in 0..operands {
        out.instruction(&Instruction::LocalGet(local(number)));
    }
    out.instruction(instruction).instruction(&Instruction::LocalSet(result));
    // A NaN differs from itself, and nothing else does.
    let compare = |out: &mut Function, at, how: &Instruction<'_>| {
        out.instruction(&Instruction::LocalGet(at)).instruction(&Instruction::LocalGet(at)).instruction(how);
    };
    compare(out, result, &floats.differ);
    if floats.vector {
        out.instruction(&Instruction::V128AnyTrue);
    }
    hints.push(BranchHint {
        branch_func_offset: u32::try_from(out.byte_len()).expect("wasmparser allows bodies of 7.6 MB"),
        branch_hint_value: 0,
    });
    out.instruction(&Instruction::If(BlockType::Empty));
    if floats.vector {
        // Lane by lane: what is to be, what is, and where to take the former.
        out.instruction(&floats.minus).instruction(&Instruction::LocalGet(result));
        compare(out, result, &floats.differ);
    }
    compare(out, first, &floats.equal);
    let and = if floats.vector { Instruction::V128And } else { Instruction::I32And };
    if operands == 2 {
        compare(out, local(1), &floats.equal);
        out.instruction(&and);
    }
    if floats.vector {
        out.instruction(&and).instruction(&Instruction::V128Bitselect).instruction(&Instruction::LocalSet(result));
    } else {
        out.instruction(&Instruction::If(BlockType::Empty));
        out.instruction(&floats.minus).instruction(&Instruction::LocalSet(result)).instruction(&Instruction::End);
    }
    out.instruction(&Instruction::End).instruction(&Instruction::LocalGet(result));
    true
}

#[cfg(test)]
#[cfg(feature = "compiler")]
mod tests {
    use wasmtime::{Engine, Func, Instance, Module, Store};

    use super::*;

    const DOUBLES: [f64; 9] = [0.0, -0.0, 1.5, -3.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::NAN, -1e-300];

    /// A module with each operation on numbers of 64 and of 32 bits, and on vectors of them, all given and taken as bits.
    fn operations() -> String {
        let mut functions = String::new();
        for name in ["add", "sub", "mul", "div", "sqrt"] {
            let operands = if name == "sqrt" { 1 } else { 2 };
            for (scalar, bits, vector) in [("f64", "i64", "f64x2"), ("f32", "i32", "f32x4")] {
                let given =
                    format!("({scalar}.reinterpret_{bits} (local.get 0))({scalar}.reinterpret_{bits} (local.get 1))");
                let one = format!("({scalar}.reinterpret_{bits} (local.get 0))");
                let given = if operands == 2 { given } else { one };
                functions += &format!(
                    "(func (export \"{scalar}{name}\") (param {bits} {bits}) (result {bits})
                       ({bits}.reinterpret_{scalar} ({scalar}.{name} {given})))\n"
                );
                // The numbers in the first lane, and ones in the others: those make no NaN.
                let lane = |local: u32| {
                    let ones = format!("({vector}.splat ({scalar}.const 1))");
                    format!("({vector}.replace_lane 0 {ones} ({scalar}.reinterpret_{bits} (local.get {local})))")
                };
                let given = (0..operands).map(lane).collect::<String>();
                functions += &format!(
                    "(func (export \"{vector}{name}\") (param {bits} {bits}) (result {bits}) (local v128)
                       (local.set 2 ({vector}.{name} {given}))
                       (if ({scalar}.ne ({vector}.extract_lane 1 (local.get 2)) ({vector}.extract_lane 1 (local.get 2)))
                         (then unreachable))
                       ({bits}.reinterpret_{scalar} ({vector}.extract_lane 0 (local.get 2))))\n"
                );
            }
        }
        format!(
            "(module (memory (export \"memory\") 1) (global (export \"__stack_pointer\") (mut i32) (i32.const 0)) {functions})"
        )
    }

    /// Runs an operation on bits.
    fn ran(nans: Nans) -> impl FnMut(&str, u64, u64) -> u64 {
        let wasm = wat::parse_str(operations()).unwrap();
        let engine = Engine::default();
        let module = Module::new(&engine, super::super::instrument(&wasm, nans).unwrap().code).unwrap();
        let mut store = Store::new(&engine, ());
        let refuel = Func::wrap(&mut store, |_: i64| 1_000_000_i64);
        let host = Func::wrap(&mut store, |_: i32, _: i32, _: i32| 0_i32);
        let instance = Instance::new(&mut store, &module, &[refuel.into(), host.into()]).unwrap();
        move |name, a, b| {
            if name.starts_with("f64") {
                let function = instance.get_typed_func::<(u64, u64), u64>(&mut store, name).unwrap();
                function.call(&mut store, (a, b)).unwrap()
            } else {
                let function = instance.get_typed_func::<(u32, u32), u32>(&mut store, name).unwrap();
                let [a, b] = [a, b].map(|bits| u32::try_from(bits).expect("an f32's bits"));
                function.call(&mut store, (a, b)).unwrap().into()
            }
        }
    }

    /// What holds of the results on every processor, by what the module was instrumented for.
    fn check(nans: Nans) {
        let mut ran = ran(nans);
        let mut made = 0;
        for name in ["add", "sub", "mul", "div", "sqrt"] {
            for (a, b) in DOUBLES.iter().flat_map(|&a| DOUBLES.map(|b| (a, b))) {
                // A NaN with a plus that is given, at either place, comes out as it was.
                let given = a.is_nan() || b.is_nan() && name != "sqrt";
                for kind in ["f64", "f64x2"] {
                    let found = ran(&format!("{kind}{name}"), a.to_bits(), b.to_bits());
                    if f64::from_bits(found).is_nan() {
                        let wanted = if given { f64::NAN.to_bits() } else { F64_NAN };
                        assert_eq!(found, wanted, "{kind}{name} of {a} and {b}");
                        made += u32::from(!given);
                    }
                }
                for kind in ["f32", "f32x4"] {
                    #[expect(clippy::cast_possible_truncation, reason = "the nearest number of 32 bits is meant")]
                    let bits = |number: f64| u64::from((number as f32).to_bits());
                    let found = u32::try_from(ran(&format!("{kind}{name}"), bits(a), bits(b))).unwrap();
                    if f32::from_bits(found).is_nan() {
                        let wanted = if given { f32::NAN.to_bits() } else { F32_NAN };
                        assert_eq!(found, wanted, "{kind}{name} of {a} and {b}");
                    }
                }
            }
        }
        assert!(made > 30, "only {made} NaNs were made");
    }

    #[test]
    fn a_nan_that_an_operation_makes_has_a_minus_and_one_that_it_is_given_is_left() {
        check(Nans::of(None));
    }

    #[test]
    fn the_companions_are_right_on_any_processor() {
        check(Nans::Plus);
    }
}
