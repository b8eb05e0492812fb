//! Which ids a batch holds: functions of what is served, a strategy and a seed, and of nothing else.
//!
//! A batch never holds an id twice, and holds as many as were asked for while as many are served. Draws are rejection
//! sampling over indices, which costs a few draws an id; where too many are rejected, the candidates are listed and drawn
//! from exactly. Both ways use integers only, so that the same seed gives the same batch everywhere.

use rustc_hash::FxHashSet;

use crate::rng::Rng;

/// How ids are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// All alike.
    Uniform,
    /// Tasks made at `since` or later, as many as there are; the rest uniform. The recent ones come first.
    MaxNew {
        /// The first step that is recent.
        since: u32,
    },
    /// As [`Strategy::MaxNew`], with at most half of the batch recent while there are older tasks.
    HalfNew {
        /// The first step that is recent.
        since: u32,
    },
    /// In proportion to step + 1.
    Recency,
    /// In proportion to 4p(1 - p) over times served + 1, p being the last solve rate, one half where there is none; never
    /// below 1/256 of the weight of a new task.
    Priority,
    /// Tasks with a last solve rate in `low..=high`; the rest uniform.
    SolveRate {
        /// Least solve rate.
        low: f64,
        /// Greatest solve rate.
        high: f64,
        /// Take tasks that nobody has tried, too.
        unknown: bool,
    },
}

/// What a sampler may know about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) step: u32,
    /// Neither in quarantine nor excluded.
    pub(crate) drawable: bool,
    pub(crate) served: u64,
    /// Successes and attempts of the last step that tried it.
    pub(crate) solved: Option<(u16, u16)>,
}

/// One run of served ids, ascending, such as those of one kind.
pub(crate) trait Run {
    fn len(&self) -> u64;
    /// The id at an index below the length; none in a hole.
    fn id(&self, index: u64) -> Option<u64>;
    /// Steps never fall along the run, and it has no holes.
    fn ascending(&self) -> bool;
}

/// Full weight of a task in fixed point.
const ONE: u64 = 1 << 16;

/// Where ids are drawn from.
enum Space<'a, R> {
    Runs(Vec<(&'a R, u64, u64)>),
    List(Vec<u64>),
}

impl<R: Run> Space<'_, R> {
    fn len(&self) -> u64 {
        match self {
            Self::Runs(runs) => runs.iter().map(|(_, _, len)| len).sum(),
            Self::List(ids) => ids.len() as u64,
        }
    }

    fn id(&self, mut index: u64) -> Option<u64> {
        match self {
            Self::Runs(runs) => {
                for (run, start, len) in runs {
                    if index < *len {
                        return run.id(start + index);
                    }
                    index -= len;
                }
                None
            }
            Self::List(ids) => ids.get(usize::try_from(index).ok()?).copied(),
        }
    }
}

/// Draw up to `count` ids of `runs`, none of `exclude`.
pub(crate) fn draw<R: Run>(
    runs: &[R],
    facts: impl Fn(u64) -> Option<Facts>,
    count: usize,
    strategy: Strategy,
    seed: u64,
    exclude: &[u64],
) -> Vec<u64> {
    let mut draw = Draw { rng: Rng::new(seed), facts, taken: exclude.iter().copied().collect(), ids: Vec::new() };
    let all = Space::Runs(runs.iter().map(|run| (run, 0, run.len())).collect());
    let any = |_: &Facts| true;
    match strategy {
        Strategy::Uniform => {}
        Strategy::MaxNew { since } => draw.fill(&draw.recent(runs, since), count, any),
        Strategy::HalfNew { since } => {
            draw.fill(&draw.recent(runs, since), count / 2, any);
            draw.fill(&all, count, |facts: &Facts| facts.step < since);
        }
        Strategy::Recency => {
            let most = draw.last_step(runs);
            draw.fill_weighted(&all, count, u64::from(most) + 1, |facts| u64::from(facts.step) + 1);
        }
        Strategy::Priority => draw.fill_weighted(&all, count, ONE, priority),
        Strategy::SolveRate { low, high, unknown } => draw.fill(&all, count, |facts: &Facts| match facts.solved {
            Some((successes, attempts)) => {
                let rate = f64::from(successes) / f64::from(attempts);
                low <= rate && rate <= high
            }
            None => unknown,
        }),
    }
    draw.fill(&all, count, any);
    draw.ids
}

fn priority(facts: &Facts) -> u64 {
    let weight = match facts.solved {
        Some((successes, attempts)) => {
            let (right, all) = (u64::from(successes), u64::from(attempts));
            ONE * 4 * right * (all - right) / (all * all)
        }
        None => ONE,
    };
    (weight / (facts.served + 1)).max(ONE / 256)
}

struct Draw<F> {
    rng: Rng,
    facts: F,
    taken: FxHashSet<u64>,
    ids: Vec<u64>,
}

impl<F: Fn(u64) -> Option<Facts>> Draw<F> {
    /// What is known of `id`, if it may be drawn.
    fn open(&self, id: Option<u64>) -> Option<(u64, Facts)> {
        let id = id.filter(|id| !self.taken.contains(id))?;
        let facts = (self.facts)(id).filter(|facts| facts.drawable)?;
        Some((id, facts))
    }

    fn take(&mut self, id: u64) {
        self.taken.insert(id);
        self.ids.push(id);
    }

    fn step(&self, id: Option<u64>) -> u32 {
        id.and_then(&self.facts).map_or(0, |facts| facts.step)
    }

    /// Fill up to `count` with ids that are `wanted`, all alike.
    fn fill<R: Run>(&mut self, space: &Space<'_, R>, count: usize, wanted: impl Fn(&Facts) -> bool) {
        let len = space.len();
        let mut tries = 16 * count.saturating_sub(self.ids.len()) + 64;
        while self.ids.len() < count && len > 0 && tries > 0 {
            tries -= 1;
            let index = self.rng.below(len);
            if let Some((id, _)) = self.open(space.id(index)).filter(|(_, facts)| wanted(facts)) {
                self.take(id);
            }
        }
        if self.ids.len() < count && len > 0 {
            let mut left: Vec<u64> = (0..len)
                .filter_map(|index| self.open(space.id(index)))
                .filter(|(_, facts)| wanted(facts))
                .map(|(id, _)| id)
                .collect();
            while self.ids.len() < count && !left.is_empty() {
                let index = self.rng.below(left.len() as u64);
                let id = left.swap_remove(usize::try_from(index).expect("below the length of a vector"));
                self.take(id);
            }
        }
    }

    /// Fill up to `count` in proportion to `weight`, which is between one and `most`.
    fn fill_weighted<R: Run>(&mut self, space: &Space<'_, R>, count: usize, most: u64, weight: impl Fn(&Facts) -> u64) {
        let len = space.len();
        let mut tries = 64 * count + 256;
        while self.ids.len() < count && len > 0 && tries > 0 {
            tries -= 1;
            let index = self.rng.below(len);
            if let Some((id, facts)) = self.open(space.id(index))
                && self.rng.below(most) < weight(&facts)
            {
                self.take(id);
            }
        }
        if self.ids.len() < count && len > 0 {
            self.fill_by_sums(space, count, weight);
        }
    }

    /// The same, by running sums over all candidates; drawn ids are skipped, and dropped once they are many.
    fn fill_by_sums<R: Run>(&mut self, space: &Space<'_, R>, count: usize, weight: impl Fn(&Facts) -> u64) {
        let mut left: Vec<(u64, u64)> = (0..space.len())
            .filter_map(|index| self.open(space.id(index)))
            .map(|(id, facts)| (id, weight(&facts)))
            .collect();
        while self.ids.len() < count && !left.is_empty() {
            let mut sum = 0;
            let sums: Vec<u64> = left
                .iter()
                .map(|(_, weight)| {
                    sum += weight;
                    sum
                })
                .collect();
            let mut misses = 0;
            while self.ids.len() < count && misses < 16 {
                let at = self.rng.below(sum);
                let id = left[sums.partition_point(|sum| *sum <= at)].0;
                if self.taken.contains(&id) {
                    misses += 1;
                } else {
                    self.take(id);
                }
            }
            left.retain(|(id, _)| !self.taken.contains(id));
        }
    }

    /// The ids made at `since` or later.
    fn recent<'a, R: Run>(&self, runs: &'a [R], since: u32) -> Space<'a, R> {
        if runs.iter().all(Run::ascending) {
            let tail = |run: &'a R| {
                let (mut low, mut high) = (0, run.len());
                while low < high {
                    let middle = low.midpoint(high);
                    if self.step(run.id(middle)) < since {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                (run, low, run.len() - low)
            };
            return Space::Runs(runs.iter().map(tail).collect());
        }
        let ids = runs.iter().flat_map(|run| (0..run.len()).filter_map(|index| run.id(index)));
        Space::List(ids.filter(|id| self.step(Some(*id)) >= since).collect())
    }

    /// The greatest step.
    fn last_step<R: Run>(&self, runs: &[R]) -> u32 {
        let last = |run: &R| {
            if run.ascending() {
                run.len().checked_sub(1).map_or(0, |last| self.step(run.id(last)))
            } else {
                (0..run.len()).map(|index| self.step(run.id(index))).max().unwrap_or(0)
            }
        };
        runs.iter().map(last).max().unwrap_or(0)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Plain {
        ids: Vec<u64>,
        ascending: bool,
    }

    impl Run for Plain {
        fn len(&self) -> u64 {
            self.ids.len() as u64
        }

        fn id(&self, index: u64) -> Option<u64> {
            self.ids.get(usize::try_from(index).ok()?).copied()
        }

        fn ascending(&self) -> bool {
            self.ascending
        }
    }

    fn facts(step: u32) -> Facts {
        Facts { step, drawable: true, served: 0, solved: None }
    }

    /// One hundred tasks, ten a step.
    fn tasks() -> [Plain; 1] {
        [Plain { ids: (0..100).collect(), ascending: true }]
    }

    fn of_ten(id: u64) -> Option<Facts> {
        Some(facts(u32::try_from(id / 10).expect("a small step")))
    }

    /// These values are a promise: a run that is resumed by a later version goes on with the same batches.
    #[test]
    fn golden_batches_are_the_same_in_every_version() {
        let band = Strategy::SolveRate { low: 0.2, high: 0.5, unknown: false };
        let rated = |id: u64| {
            let solved = (!id.is_multiple_of(3)).then(|| (u16::try_from(id % 8).expect("small"), 8));
            Some(Facts { solved, served: id % 5, ..facts(u32::try_from(id / 10).expect("small")) })
        };
        let strategies = [
            Strategy::Uniform,
            Strategy::MaxNew { since: 9 },
            Strategy::HalfNew { since: 9 },
            Strategy::Recency,
            Strategy::Priority,
            band,
        ];
        let batches = strategies.map(|strategy| draw(&tasks(), rated, 8, strategy, 42, &[]));
        assert_eq!(batches, GOLDEN);
    }

    const GOLDEN: [[u64; 8]; 6] = [
        [34, 28, 49, 36, 82, 6, 48, 26],
        [93, 92, 94, 98, 90, 97, 95, 91],
        [93, 92, 94, 98, 6, 48, 26, 46],
        [34, 49, 82, 48, 50, 40, 75, 66],
        [82, 50, 75, 10, 78, 5, 45, 70],
        [34, 28, 82, 26, 59, 50, 19, 4],
    ];

    #[test]
    fn a_batch_never_repeats_and_never_under_fills() {
        let strategies = [
            Strategy::Uniform,
            Strategy::MaxNew { since: 5 },
            Strategy::HalfNew { since: 5 },
            Strategy::Recency,
            Strategy::Priority,
            Strategy::SolveRate { low: 0.9, high: 1.0, unknown: false },
        ];
        for strategy in strategies {
            for count in [0, 1, 50, 99, 100, 101, 1000] {
                for seed in 0..5 {
                    let mut ids = draw(&tasks(), of_ten, count, strategy, seed, &[3, 7]);
                    assert_eq!(ids.len(), count.min(98), "{strategy:?}");
                    ids.sort_unstable();
                    ids.dedup();
                    assert_eq!(ids.len(), count.min(98), "{strategy:?}");
                    assert!(!ids.contains(&3) && !ids.contains(&7));
                }
            }
        }
    }

    #[test]
    fn recent_tasks_come_first_and_the_rest_is_filled() {
        let batch = draw(&tasks(), of_ten, 30, Strategy::MaxNew { since: 9 }, 1, &[]);
        assert!(batch[..10].iter().all(|id| *id >= 90) && batch[10..].iter().all(|id| *id < 90));
        let batch = draw(&tasks(), of_ten, 12, Strategy::HalfNew { since: 9 }, 1, &[]);
        assert!(batch[..6].iter().all(|id| *id >= 90) && batch[6..].iter().all(|id| *id < 90));
        let batch = draw(&tasks(), of_ten, 5, Strategy::MaxNew { since: 9 }, 1, &[]);
        assert!(batch.iter().all(|id| *id >= 90));
    }

    #[test]
    fn steps_out_of_order_give_the_same_recent_tasks() {
        let mut shuffled = tasks();
        shuffled[0].ascending = false;
        for seed in 0..20 {
            let strategy = Strategy::MaxNew { since: 7 };
            assert_eq!(
                draw(&tasks(), of_ten, 20, strategy, seed, &[]),
                draw(&shuffled, of_ten, 20, strategy, seed, &[])
            );
        }
        let backwards = |id: u64| Some(facts(u32::try_from(9 - id / 10).expect("a small step")));
        let batch = draw(&shuffled, backwards, 10, Strategy::MaxNew { since: 9 }, 0, &[]);
        assert!(batch.iter().all(|id| *id < 10));
    }

    /// Share of draws of one id that fall on each task.
    fn shares(facts: impl Fn(u64) -> Option<Facts> + Copy, strategy: Strategy, draws: u64) -> Vec<f64> {
        let runs = [Plain { ids: (0..4).collect(), ascending: false }];
        let mut counts = [0.0; 4];
        for seed in 0..draws {
            counts[usize::try_from(draw(&runs, facts, 1, strategy, seed, &[])[0]).expect("small")] +=
                1.0 / draws as f64;
        }
        counts.to_vec()
    }

    #[track_caller]
    fn close(found: &[f64], wanted: &[f64]) {
        let near = found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 0.02);
        assert!(near, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn draws_follow_their_weights() {
        close(&shares(|id| Some(facts(u32::try_from(id).expect("small"))), Strategy::Uniform, 20_000), &[0.25; 4]);
        close(
            &shares(|id| Some(facts(u32::try_from(id).expect("small"))), Strategy::Recency, 20_000),
            &[0.1, 0.2, 0.3, 0.4],
        );
        // Solve rates 0, 1/4, 1/2 and unknown: weights nearly 0, 3/4, 1, 1.
        let rated = |id: u64| {
            let solved = (id < 3).then(|| (u16::try_from(id).expect("small"), 4));
            Some(Facts { solved, ..facts(0) })
        };
        close(&shares(rated, Strategy::Priority, 20_000), &[0.0014, 0.272, 0.363, 0.363]);
        let served = |id: u64| Some(Facts { served: id, ..facts(0) });
        close(&shares(served, Strategy::Priority, 20_000), &[0.48, 0.24, 0.16, 0.12]);
    }

    /// One task outweighs all others by far: rejection gives up, and the exact way takes over.
    #[test]
    fn draws_follow_their_weights_when_almost_all_are_rejected() {
        let runs = [Plain { ids: (0..2000).collect(), ascending: false }];
        let skewed = |id: u64| Some(facts(if id == 1234 { 3_000_000_000 } else { 1_000 }));
        for seed in 0..5 {
            let batch = draw(&runs, skewed, 600, Strategy::Recency, seed, &[]);
            assert_eq!(batch.len(), 600);
            assert!(batch.contains(&1234));
        }
    }

    #[test]
    fn tasks_held_back_are_never_drawn() {
        let held = |id: u64| of_ten(id).map(|facts| Facts { drawable: !id.is_multiple_of(2), ..facts });
        for strategy in [Strategy::Uniform, Strategy::MaxNew { since: 3 }, Strategy::Recency, Strategy::Priority] {
            let batch = draw(&tasks(), held, 80, strategy, 5, &[]);
            assert_eq!(batch.len(), 50);
            assert!(batch.iter().all(|id| id % 2 == 1));
        }
    }

    #[test]
    fn a_band_of_solve_rates_is_filled_from_within_first() {
        let rated = |id: u64| {
            of_ten(id).map(|facts| Facts { solved: Some((u16::try_from(id % 10).expect("small"), 10)), ..facts })
        };
        let batch = draw(&tasks(), rated, 40, Strategy::SolveRate { low: 0.4, high: 0.6, unknown: false }, 3, &[]);
        assert!(batch[..30].iter().all(|id| (4..=6).contains(&(id % 10))));
        assert_eq!(batch.len(), 40);
    }
}
