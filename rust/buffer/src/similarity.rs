//! How much a program is like those that are there, by MinHash over its canonical tokens.
//!
//! A signature holds, for each of [`WIDTH`] classes of shingles, the low byte of the least hash in the class (one
//! permutation; an empty class borrows from another by a fixed rule). Two signatures agree in a place about as often as
//! the programs' sets of shingles overlap (Jaccard). Tasks are linked in lists by bands of four places, so a query meets
//! only those that agree in a whole band: of tasks half alike it finds 54 %, of 0.7 alike 96 %, of 0.8 alike 99.8 %.

use std::ops::Range;

use twox_hash::XxHash3_64;

use crate::canonical;
use crate::rng::mix;
use crate::slots::Slots;
use crate::sync::{AtomicU32, Ordering};

/// Places of a signature.
pub(crate) const WIDTH: usize = 48;
/// Places in a band.
const ROWS: usize = 4;
/// Lists that each task is linked in.
pub(crate) const BANDS: usize = WIDTH / ROWS;
/// Tokens in a shingle.
const SHINGLE: usize = 4;
/// Tasks that share the lists of the first level; each further level has twice as many tasks and lists.
const FIRST_LEVEL: u64 = if cfg!(test) { 1 << 6 } else { 1 << 14 };
/// Links that one query follows, and tasks that it looks at when the lists are longer than that.
const BUDGET: usize = 1024;

pub(crate) type Signature = [u8; WIDTH];

/// What a query found.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Neighbourhood {
    /// The most similar task and its similarity, 0 to 1; none where nothing agrees in a whole band.
    pub nearest: Option<(u64, f64)>,
    /// The share of all tasks that are at least as similar as the threshold.
    pub share: f64,
    /// The share is a count. Otherwise so many tasks are alike that it was estimated from a sample of 1024.
    pub exact: bool,
}

/// The signature of a canonical program.
pub(crate) fn signature(program: &str) -> Signature {
    // Variables all count as one: a program that has one more is not a different program.
    let anonymous =
        |token: &str| token.len() > 1 && token.starts_with('_') && token[1..].bytes().all(|byte| byte.is_ascii_digit());
    let mut window = [0_u64; SHINGLE];
    let mut least = [u64::MAX; WIDTH];
    let mut count = 0;
    let mut add = |window: &[u64; SHINGLE]| {
        let hash = window.iter().fold(0, |hash: u64, token| mix(hash.rotate_left(17) ^ token));
        let class = usize::try_from(hash % WIDTH as u64).expect("below the width");
        least[class] = least[class].min(mix(hash));
    };
    for token in canonical::tokens(program) {
        let hash = if anonymous(token) { 1 } else { XxHash3_64::oneshot(token.as_bytes()) };
        window.rotate_left(1);
        window[SHINGLE - 1] = hash;
        count += 1;
        if count >= SHINGLE {
            add(&window);
        }
    }
    if count < SHINGLE {
        add(&window);
    }
    densify(&least).map(|hash| hash.to_le_bytes()[0])
}

/// Fill each empty class from a full one, chosen by the same walk for every signature.
fn densify(least: &[u64; WIDTH]) -> [u64; WIDTH] {
    std::array::from_fn(|class| {
        let mut from = class;
        let mut attempt = 0;
        while least[from] == u64::MAX {
            attempt += 1;
            from = usize::try_from(mix((class as u64) << 32 | attempt) % WIDTH as u64).expect("below the width");
        }
        least[from]
    })
}

/// Similarity of two signatures, 0 to 1. One place in 256 agrees by chance.
pub(crate) fn similarity(a: &Signature, b: &Signature) -> f64 {
    let agree = a.iter().zip(b).filter(|(a, b)| a == b).count();
    let share = f64::from(u32::try_from(agree).expect("at most the width")) / WIDTH as f64;
    ((share - 1.0 / 256.0) / (1.0 - 1.0 / 256.0)).max(0.0)
}

/// The links of one task: the next older task, id plus one, in each band's list.
pub(crate) type Links = [AtomicU32; BANDS];

pub(crate) fn no_links() -> Links {
    std::array::from_fn(|_| AtomicU32::new(0))
}

/// The heads of all lists. Level 0 has `FIRST_LEVEL` lists a band and ids below that; level `n` ids from
/// `FIRST_LEVEL << (n - 1)` on, and as many lists.
pub(crate) struct Index {
    heads: Slots<AtomicU32>,
}

fn level_of(id: u64) -> (u64, u64) {
    let above = u64::from(u64::BITS - (id / FIRST_LEVEL).leading_zeros());
    let size = if above == 0 { FIRST_LEVEL } else { FIRST_LEVEL << (above - 1) };
    (above, size)
}

fn head_of(signature: &Signature, band: usize, level: u64, size: u64) -> u64 {
    let rows: [u8; ROWS] = signature[band * ROWS..(band + 1) * ROWS].try_into().expect("a band is four bytes");
    let start = if level == 0 { 0 } else { size };
    let list = mix(u64::from(u32::from_le_bytes(rows)) ^ (band as u64) << 40) % size;
    (start + list) * BANDS as u64 + band as u64
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { heads: Slots::new() }
    }

    /// Link a task in these bands' lists, once.
    pub(crate) fn add(&self, id: u64, signature: &Signature, links: &Links, bands: Range<usize>) {
        let (level, size) = level_of(id);
        let this = u32::try_from(id + 1).expect("the buffer refuses ids that do not fit");
        for (band, link) in links.iter().enumerate().take(bands.end).skip(bands.start) {
            let head = self.heads.get_or_grow(head_of(signature, band, level, size));
            // Relaxed: the exchange below decides.
            let mut old = head.load(Ordering::Relaxed);
            loop {
                // Relaxed: published by the exchange.
                link.store(old, Ordering::Relaxed);
                // Release: who finds the task in the list sees its link. Relaxed on failure: tried again.
                match head.compare_exchange_weak(old, this, Ordering::Release, Ordering::Relaxed) {
                    Ok(_) => break,
                    Err(current) => old = current,
                }
            }
        }
    }

    /// Look `signature` up among the `present` tasks with ids below `len`; `task(id)` gives a task's signature and links.
    pub(crate) fn query<'t>(
        &self,
        signature: &Signature,
        (len, present): (u64, u64),
        threshold: f64,
        exclude: Option<u64>,
        task: impl Fn(u64) -> Option<(&'t Signature, &'t Links)>,
    ) -> Neighbourhood {
        let mut found: Vec<u32> = Vec::with_capacity(BUDGET);
        let mut complete = true;
        let levels = if len == 0 { 0 } else { level_of(len - 1).0 + 1 };
        let lists = (levels * BANDS as u64).max(1);
        for level in (0..levels).rev() {
            let size = if level == 0 { FIRST_LEVEL } else { FIRST_LEVEL << (level - 1) };
            for band in 0..BANDS {
                // Each list gets its part of what is left, so that one long list does not hide the others.
                let done = (levels - 1 - level) * BANDS as u64 + band as u64;
                let left = usize::try_from(lists - done).expect("a few lists");
                let mut budget = (BUDGET - found.len().min(BUDGET)) / left + 1;
                // Acquire: pairs with the release in `add`.
                let head = self.heads.get(head_of(signature, band, level, size));
                let mut at = head.map_or(0, |head| head.load(Ordering::Acquire));
                while at != 0 && budget > 0 {
                    found.push(at - 1);
                    budget -= 1;
                    // Acquire: an older link may have been written by another thread.
                    at = task(u64::from(at - 1)).map_or(0, |(_, links)| links[band].load(Ordering::Acquire));
                }
                complete &= at == 0;
            }
        }
        found.sort_unstable();
        found.dedup();
        let mut nearest: Option<(u64, f64)> = None;
        let mut alike = 0_u64;
        for id in found.into_iter().map(u64::from).filter(|id| Some(*id) != exclude) {
            let Some((other, _)) = task(id) else { continue };
            let similar = similarity(signature, other);
            alike += u64::from(similar >= threshold);
            if nearest.is_none_or(|(_, best)| similar > best) {
                nearest = Some((id, similar));
            }
        }
        let others = present - u64::from(exclude.is_some_and(|id| task(id).is_some()));
        let share =
            if complete { ratio(alike, others) } else { sampled_share(signature, len, threshold, exclude, task) };
        Neighbourhood { nearest: nearest.filter(|(_, similar)| *similar > 0.0), share, exact: complete }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The share of similar tasks among `BUDGET` that are spread over all, at most 1.6 % off (one standard deviation).
fn sampled_share<'t>(
    signature: &Signature,
    len: u64,
    threshold: f64,
    exclude: Option<u64>,
    task: impl Fn(u64) -> Option<(&'t Signature, &'t Links)>,
) -> f64 {
    let (mut alike, mut seen) = (0, 0);
    for index in 0..BUDGET as u64 {
        let id = mix(index) % len;
        if let Some((other, _)) = task(id).filter(|_| Some(id) != exclude) {
            seen += 1;
            alike += u64::from(similarity(signature, other) >= threshold);
        }
    }
    ratio(alike, seen)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A program of `lines` statements, one in five of which depends on `variant`.
    fn program(seed: u64, variant: u64, lines: u64) -> String {
        let line = |index: u64| {
            let own = if index.is_multiple_of(5) { variant } else { 0 };
            let [a, b] = [1, 2].map(|salt| mix(seed ^ mix(own) ^ index << 8 ^ salt) % 900);
            format!(" _{}=_{}+{a}*g{b}(_{index})\n", index + 1, index)
        };
        (0..lines).map(line).collect()
    }

    struct Bank {
        index: Index,
        tasks: Vec<(Signature, Links)>,
    }

    impl Bank {
        fn of(programs: impl Iterator<Item = String>) -> Self {
            let mut bank = Self { index: Index::new(), tasks: Vec::new() };
            bank.tasks.extend(programs.map(|program| (signature(&program), no_links())));
            for (id, (signature, links)) in bank.tasks.iter().enumerate() {
                bank.index.add(id as u64, signature, links, 0..BANDS);
            }
            bank
        }

        fn query(&self, program: &str, exclude: Option<u64>) -> Neighbourhood {
            let task = |id: u64| self.tasks.get(usize::try_from(id).ok()?).map(|(signature, links)| (signature, links));
            let extent = (self.tasks.len() as u64, self.tasks.len() as u64);
            self.index.query(&signature(program), extent, 0.6, exclude, task)
        }
    }

    #[test]
    fn similarity_follows_the_overlap_of_token_shingles() {
        let of = |a: &str, b: &str| similarity(&signature(a), &signature(b));
        let shingles = |text: &str| -> std::collections::HashSet<Vec<String>> {
            let tokens: Vec<String> = canonical::tokens(text)
                .map(|token| if token.starts_with('_') { "_".into() } else { token.into() })
                .collect();
            tokens.windows(SHINGLE).map(<[String]>::to_vec).collect()
        };
        let mut off = 0.0;
        for seed in 0..100 {
            let (a, b) = (program(seed, 1, 40), program(seed, 2, 40));
            let (x, y) = (shingles(&a), shingles(&b));
            let jaccard = x.intersection(&y).count() as f64 / x.union(&y).count() as f64;
            off += (of(&a, &b) - jaccard) / 100.0;
            assert!((of(&a, &b) - jaccard).abs() < 0.35, "one estimate is within five deviations");
        }
        assert!(off.abs() < 0.03, "estimates are {off} off on average");
        assert!((of(&program(1, 1, 40), &program(1, 1, 40)) - 1.0).abs() < 1e-9);
        assert!(of(&program(1, 1, 40), &program(2, 1, 40)) < 0.3);
    }

    #[test]
    fn names_of_variables_do_not_count() {
        assert_eq!(signature("def f(_0):\n return _0+1"), signature("def f(_7):\n return _9+1"));
    }

    #[test]
    fn the_nearest_task_is_found_across_all_levels_of_the_index() {
        let bank = Bank::of((0..500).map(|seed| program(seed, 1, 40)));
        let mut variants = 0;
        for seed in (0..500).step_by(5) {
            let found = bank.query(&program(seed, 1, 40), None);
            assert_eq!(found.nearest, Some((seed, 1.0)));
            assert!(found.exact);
            assert!((found.share - 1.0 / 500.0).abs() < 1e-9);
            let similar = bank.query(&program(seed, 2, 40), None).nearest;
            variants += u32::from(similar.is_some_and(|(id, _)| id == seed));
        }
        assert!(variants >= 80, "of 100 programs with a fifth of the lines changed {variants} were found");
    }

    #[test]
    fn a_task_can_be_left_out_of_its_own_neighbourhood() {
        let bank = Bank::of((0..100).map(|seed| program(seed, 1, 40)));
        let found = bank.query(&program(5, 1, 40), Some(5));
        assert!(found.nearest.is_none_or(|(id, _)| id != 5));
        assert!(found.share < 1e-9);
    }

    #[test]
    fn the_share_of_a_large_cluster_is_estimated() {
        // Half of the tasks are one program.
        let bank = Bank::of((0..6000).map(|seed| program(if seed % 2 == 0 { 1 } else { seed }, 1, 12)));
        let found = bank.query(&program(1, 1, 12), None);
        assert!(!found.exact);
        assert!((found.share - 0.5).abs() < 0.08, "{found:?}");
        assert_eq!(found.nearest.map(|(_, similar)| similar), Some(1.0));
    }

    #[test]
    fn an_empty_memory_has_no_neighbours() {
        let found = Bank::of(std::iter::empty()).query("x", None);
        assert_eq!(found, Neighbourhood { nearest: None, share: 0.0, exact: true });
    }
}
