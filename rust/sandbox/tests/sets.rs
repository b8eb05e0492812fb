//! Sets lie in CPython's table: they are walked in its order, by every route that makes or changes one.
//!
//! The expected values are CPython 3.13's on 64 bits, under `PYTHONHASHSEED=0` where there is text.

mod common;

use common::{run, text};

#[test]
fn a_set_that_changes_at_random_is_walked_in_cpythons_order() {
    let numbers = [3_755_963_796_u32, 4_085_800_421, 1_400_176_934, 1_283_039_668, 1_589_752_632, 2_619_271_301];
    let texts = [527_764_609_u32, 2_017_661_625, 2_411_406_306, 2_189_707_410, 3_384_223_865, 1_119_637_569];
    for (digests, flag) in [(numbers, "False"), (texts, "True")] {
        for (seed, digest) in digests.into_iter().enumerate() {
            let outcome = run(include_str!("programs/set_walks.py"), &format!("{seed}, {flag}"));
            assert_eq!(text(&outcome), digest.to_string(), "seed {seed}, texts {flag}");
        }
    }
}

#[test]
fn a_set_of_numbers_is_walked_in_cpythons_order() {
    for (expression, order) in [
        ("set((3, 4, 5, 6)) & set((5, 7, 4, 10))", "[4, 5]"),
        ("{3, 5, 7, 2}", "[2, 3, 5, 7]"),
        // Where elements collide, a constant's order is that of a set made twice.
        ("{9, 1, 17, 25, 33}", "[33, 1, 17, 9, 25]"),
        ("[x for x in {9, 1, 17, 25}]", "[9, 17, 25, 1]"),
        ("set(range(100, 0, -7))", "[65, 2, 100, 37, 72, 9, 44, 79, 16, 51, 86, 23, 58, 93, 30]"),
        // A deleted element's place is taken again.
        ("(lambda s: (s.discard(0), s.add(8), s)[2])({0, 1, 2})", "[8, 1, 2]"),
        ("{x * 8 for x in range(6)}", "[0, 32, 8, 40, 16, 24]"),
        ("{**{8: 1, 0: 2}}.keys() | {16}", "[8, 0, 16]"),
    ] {
        let program = format!("def f(x): return list({expression})");
        assert_eq!(text(&run(&program, "0")), order, "{expression}");
    }
}

#[test]
fn pop_goes_on_where_it_last_was() {
    let program = "def f(n):
    s = set(range(n))
    first = [s.pop() for _ in range(3)]
    s.update([0, 1])
    return first, [s.pop() for _ in range(len(s))]";
    assert_eq!(text(&run(program, "6")), "([0, 1, 2], [3, 4, 5, 1, 0])");
}

#[test]
fn a_change_that_is_taken_back_does_not_end_a_walk() {
    let program = "def f(x):
    s, d = {1, 2, 3}, {'a': 1, 'b': 2}
    seen = []
    for item in s:
        s.add(10)
        s.discard(10)
        seen.append(item)
    for key in d:
        d['other'] = 3
        del d['other']
        seen.append(key)
    return seen";
    assert_eq!(text(&run(program, "0")), "[1, 2, 3, 'a', 'b']");
}

#[test]
fn a_change_of_size_ends_a_walk() {
    for (change, message) in [
        ("s = {1, 2}\n    for x in s: s.add(x + 5)", "Set changed size during iteration"),
        ("d = {1: 2}\n    for k in d: d[k + 1] = 0", "dictionary changed size during iteration"),
        ("d = {1: 2, 3: 4}\n    for k in d: d[k] = d.pop(k)", "dictionary keys changed during iteration"),
    ] {
        let program =
            format!("def g():\n    {change}\ndef f(x):\n    try: g()\n    except RuntimeError as e: return str(e)");
        assert_eq!(text(&run(&program, "0")), format!("'{message}'"), "{change}");
    }
}

#[test]
fn a_comparison_that_changes_the_set_is_survived() {
    let program = "class K:
    def __init__(self, s): self.s = s
    def __hash__(self): return 1
    def __eq__(self, other):
        self.s.clear()
        self.s.update(range(100))
        return False
def f(x):
    s = set()
    for _ in range(3): s.add(K(s))
    return len(s) > 100, K(s) in s, len(s - {K(s)}) >= 100";
    assert_eq!(text(&run(program, "0")), "(True, False, True)");
}
