//! Hashes are CPython's on 64 bits, though the guest's pointers have 32.

mod common;

use common::{run, text};

/// By CPython 3.13.
const HASHES: &[(&str, i64)] = &[
    ("1", 1),
    ("-1", -2),
    ("2**61 - 1", 0),
    ("2**61", 1),
    ("-2**61", -2),
    ("10**30", 465_258_685_558_744_706),
    ("2**2000", 281_474_976_710_656),
    ("True", 1),
    ("0.1", 230_584_300_921_369_408),
    ("1.5", 1_152_921_504_606_846_977),
    ("-0.0", 0),
    ("1e300", 1_224_995_262_755_759_164),
    ("5e-324", 16_777_216),
    ("float('inf')", 314_159),
    ("-float('inf')", -314_159),
    ("1+2j", 2_000_007),
    ("None", 4_238_894_112),
    ("()", 5_740_354_900_026_072_187),
    ("(0,)", -8_753_497_827_991_233_192),
    ("(1, 2, 3)", 529_344_067_295_497_451),
    ("(1.5, True)", 1_767_087_712_303_363_268),
    ("(1, (2, 3))", 7_267_574_591_690_527_098),
    ("tuple(range(100))", 4_479_737_025_582_696_436),
    ("range(3)", -8_338_477_496_398_685_190),
    ("range(0)", 2_676_694_398_852_732_306),
    ("range(5, 6)", -7_048_428_680_432_378_585),
    ("range(0, 10, 3)", -1_816_567_394_155_750_349),
    ("slice(1, 2)", -2_178_470_213_028_018_262),
    ("slice(None)", 4_032_618_106_351_268_893),
    ("frozenset()", 133_146_708_735_736),
    ("frozenset({1, 2, 3})", -272_375_401_224_217_160),
    ("frozenset({frozenset({1}), 2, None})", -2_039_076_312_078_500_102),
    ("Fraction(1, 3)", 1_537_228_672_809_129_301),
    ("Fraction(7, 2**61 - 1)", 314_159),
    ("Fraction(4, 2)", 2),
    ("Decimal('0.1')", 2_075_258_708_292_324_556),
    ("Decimal('Infinity')", 314_159),
    ("Decimal(3)", 3),
    ("datetime.timedelta(days=1, seconds=2)", -3_194_506_032_951_434_905),
    ("''", 0),
    ("b''", 0),
];

#[test]
fn every_kind_of_value_hashes_as_on_64_bits() {
    let imports = "import datetime\nfrom fractions import Fraction\nfrom decimal import Decimal\n";
    let expressions: Vec<&str> = HASHES.iter().map(|(expression, _)| *expression).collect();
    let program = format!("{imports}def f(x): return [hash(v) for v in ({},)]", expressions.join(", "));
    let wanted: Vec<String> = HASHES.iter().map(|(_, hash)| hash.to_string()).collect();
    assert_eq!(text(&run(&program, "0")), format!("[{}]", wanted.join(", ")));
}

#[test]
fn a_hash_method_is_reduced_as_on_64_bits() {
    let program = "class K:
    def __init__(self, v): self.v = v
    def __hash__(self): return self.v
def f(x): return [hash(K(v)) for v in (2**64, 2**63, -1, 2**63 - 1, 2**61 - 1, 2**61)]";
    let wanted = "[8, 4, -2, 9223372036854775807, 2305843009213693951, 2305843009213693952]";
    assert_eq!(text(&run(program, "0")), wanted);
}

#[test]
fn text_hashes_as_under_hash_seed_0() {
    let program = "def f(x): return [hash(t) for t in ('', 'a', 'abcdefgh', '\\xe9', '\\u20acx', '\\U0001f600', b'abc', memoryview(b'abc'))]";
    let wanted = "[0, 4644417185603328019, 4574395652268504554, 6047309291227476195, -483395623852268653, \
                  -3536540696076613844, -4594863902769663758, -4594863902769663758]";
    assert_eq!(text(&run(program, "0")), wanted);
}

#[test]
fn a_point_falls_into_the_bucket_that_it_falls_into_in_cpython() {
    let program = "def f(size): return [hash((x, y)) % size for x in range(2) for y in range(3)]";
    assert_eq!(text(&run(program, "8")), "[7, 0, 2, 0, 2, 3]");
}
