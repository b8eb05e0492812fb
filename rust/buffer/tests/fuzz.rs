//! Programs that nobody would write and logs that nobody wrote: answered or refused, never a panic.
//!
//! The fuzz targets `canonical` and `log` go on for as long as they are let; this is their bounded, repeatable part.

#[path = "../fuzz/checks.rs"]
mod checks;
#[path = "../../sandbox/fuzz/soup.rs"]
mod soup;

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

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.byte()).collect()
    }
}

#[test]
fn a_hundred_thousand_texts_have_one_canonical_form_or_none() {
    let mut random = Random(1);
    for _ in 0..100_000 {
        let mut text = |most: usize| {
            let bytes: Vec<u8> = (0..random.below(most)).map(|_| random.byte() % 128).collect();
            soup::soup(&bytes)
        };
        checks::canonical(&text(24), &text(4));
    }
}

#[test]
fn five_hundred_hurt_logs_are_read_or_refused() {
    let mut random = Random(2);
    for round in 0..500 {
        // Half of them whole, so that what is added to them is looked at.
        let keep = if round % 2 == 0 { usize::MAX } else { random.below(600) };
        let records: Vec<checks::Record> = (0..random.below(4))
            .map(|_| {
                let keep =
                    if random.below(3) == 0 { u8::MAX } else { u8::try_from(random.below(70)).expect("below 70") };
                let rest = if random.below(2) == 0 { Vec::new() } else { random.bytes(12) };
                (random.byte(), keep, rest)
            })
            .collect();
        checks::log(keep, &records, &random.bytes(30));
    }
}

#[test]
fn a_record_is_taken_whole_or_not_at_all() {
    // Served: task 0 nine times, and task 7, which is not there.
    checks::log(usize::MAX, &[(0, 0, vec![3, 2, 0, 9, 7, 1])], &[]);
    // The same of tasks that are all there.
    checks::log(usize::MAX, &[(0, 0, vec![3, 2, 0, 9, 2, 1])], &[]);
}
