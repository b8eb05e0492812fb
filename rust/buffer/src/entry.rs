//! A task as the buffer keeps it: encoded, with the few things beside it that are looked at often or that change.

use crate::by_kind::KindNumber;
use crate::codec::{self, Head};
use crate::keys::{self, Level};
use crate::sample::Facts;
use crate::similarity::{self, Links, Signature};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::table::{Keyed, Keys};
use crate::task::{Solved, Task};

/// One measurement in the chain of a task's history.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) solved: Solved,
    /// The measurement before, index plus one.
    pub(crate) previous: AtomicU32,
}

#[derive(Debug)]
pub(crate) struct Entry {
    /// The encoded task.
    payload: Box<[u8]>,
    /// Its key at the level of the buffer, or at the canonical level where that is by behaviour. In bytes, since a `u128`
    /// would be aligned to 16 bytes, and there are millions of these.
    key: [u8; 16],
    /// The number of its kind; and above it, whether the buffer also looks at behaviour and this task has a signature. In
    /// one word, since there are millions of these.
    kind: u32,
    pub(crate) step: u32,
    /// The last measurement: step, successes, attempts, in 32, 16 and 16 bits. No attempts: none.
    latest: AtomicU64,
    served: AtomicU32,
    /// Twice the order of the last change, plus one while in quarantine.
    held: AtomicU64,
    /// Excluded by a rule of the curriculum.
    excluded: AtomicBool,
    /// The last measurement recorded, index plus one.
    history: AtomicU32,
    pub(crate) signature: Signature,
    pub(crate) links: Links,
}

/// Above the number of a kind.
const HAS_BEHAVIOUR: u32 = 1 << 31;

impl Keyed for Entry {
    fn keys(&self) -> Keys {
        let by_behaviour = || {
            let head = self.head();
            head.behaviour.map(|signature| keys::behaviour(head.kind, signature))
        };
        let behaviour = if self.kind & HAS_BEHAVIOUR == 0 { None } else { by_behaviour() };
        // Behaviour first: the canonical key is then the last one that can be lost, and needs no undoing.
        [behaviour, Some(self.key())]
    }
}

impl Entry {
    /// `payload` has been checked: it decodes.
    pub(crate) fn new(
        payload: Box<[u8]>,
        kind: KindNumber,
        key: u128,
        level: Level,
        signature: Option<Signature>,
    ) -> Self {
        let head = codec::decode_head(&payload).expect("the payload was encoded or checked by this program");
        let step = head.step;
        let has_behaviour = level == Level::Behaviour && head.behaviour.is_some();
        assert!(kind < HAS_BEHAVIOUR, "two thousand million kinds are more than memory holds");
        Self {
            payload,
            key: key.to_le_bytes(),
            kind: kind | if has_behaviour { HAS_BEHAVIOUR } else { 0 },
            step,
            latest: AtomicU64::new(0),
            served: AtomicU32::new(0),
            held: AtomicU64::new(0),
            excluded: AtomicBool::new(false),
            history: AtomicU32::new(0),
            signature: signature.unwrap_or([0; similarity::WIDTH]),
            links: similarity::no_links(),
        }
    }

    /// The number of its kind.
    pub(crate) fn kind(&self) -> KindNumber {
        self.kind & !HAS_BEHAVIOUR
    }

    pub(crate) fn key(&self) -> u128 {
        u128::from_le_bytes(self.key)
    }

    /// Count that the task was served so many more times; past four billion it is not counted on.
    pub(crate) fn serve(&self, count: u64) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        // Relaxed: a count.
        let _ =
            self.served.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |served| Some(served.saturating_add(count)));
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    pub(crate) fn head(&self) -> Head<'_> {
        codec::decode_head(&self.payload).expect("the payload was encoded or checked by this program")
    }

    pub(crate) fn task(&self) -> Task {
        codec::decode_task(&self.payload).expect("the payload was encoded or checked by this program")
    }

    #[inline]
    pub(crate) fn facts(&self) -> Facts {
        // Relaxed, here and below: each is one number that says nothing about other memory.
        let latest = self.latest.load(Ordering::Relaxed);
        let solved = unpack(latest);
        Facts {
            step: self.step,
            drawable: self.is_drawable(),
            served: u64::from(self.served.load(Ordering::Relaxed)),
            solved: (solved.attempts > 0).then_some((solved.successes, solved.attempts)),
        }
    }

    /// Whether batches may hold it: neither in quarantine nor excluded.
    #[inline]
    pub(crate) fn is_drawable(&self) -> bool {
        self.held.load(Ordering::Relaxed) & 1 == 0 && !self.is_excluded()
    }

    #[inline]
    pub(crate) fn is_excluded(&self) -> bool {
        self.excluded.load(Ordering::Relaxed)
    }

    /// Exclude it for good.
    pub(crate) fn exclude(&self) {
        self.excluded.store(true, Ordering::Relaxed);
    }

    /// The order of the last change of its quarantine, and whether it is in it.
    pub(crate) fn held(&self) -> (u64, bool) {
        let held = self.held.load(Ordering::Relaxed);
        (held >> 1, held & 1 == 1)
    }

    /// Into quarantine or out of it; the change with the greatest `order` counts, whichever is applied last.
    pub(crate) fn hold(&self, order: u64, held: bool) {
        self.held.fetch_max(order << 1 | u64::from(held), Ordering::Relaxed);
    }

    /// Count `solved` in the last measurement: a later step replaces, the same step adds. The order does not matter.
    pub(crate) fn measure(&self, solved: Solved) {
        let mut old = self.latest.load(Ordering::Relaxed);
        loop {
            let last = unpack(old);
            let new = if last.attempts == 0 || solved.step > last.step {
                solved
            } else if solved.step == last.step {
                add(last, solved)
            } else {
                return;
            };
            match self.latest.compare_exchange_weak(old, pack(new), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => old = current,
            }
        }
    }

    /// Make `index` the head of the history; `link` is called with the head that it follows.
    pub(crate) fn chain(&self, index: u32, link: impl Fn(u32)) {
        let mut head = self.history.load(Ordering::Relaxed);
        loop {
            link(head);
            // Release: who reads the head sees the measurement and its link.
            match self.history.compare_exchange_weak(head, index + 1, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(current) => head = current,
            }
        }
    }

    pub(crate) fn history(&self) -> u32 {
        // Acquire: pairs with the release in `chain`.
        self.history.load(Ordering::Acquire)
    }
}

/// Sum of two measurements of one step, halved together until it fits: the rate stays, the weight is bounded.
fn add(a: Solved, b: Solved) -> Solved {
    let mut successes = u32::from(a.successes) + u32::from(b.successes);
    let mut attempts = u32::from(a.attempts) + u32::from(b.attempts);
    while attempts > u32::from(u16::MAX) {
        successes /= 2;
        attempts /= 2;
    }
    let narrow = |value: u32| u16::try_from(value).expect("halved until it fits");
    Solved { step: a.step, successes: narrow(successes), attempts: narrow(attempts) }
}

fn pack(solved: Solved) -> u64 {
    u64::from(solved.step) << 32 | u64::from(solved.successes) << 16 | u64::from(solved.attempts)
}

#[inline]
fn unpack(bits: u64) -> Solved {
    let part = |shift: u32| u16::try_from(bits >> shift & 0xffff).expect("masked to 16 bits");
    let step = u32::try_from(bits >> 32).expect("shifted to 32 bits");
    Solved { step, successes: part(16), attempts: part(0) }
}
