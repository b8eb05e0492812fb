//! Tasks that come back from the log: accepted before, so added again whatever they equal.

use std::ops::Range;

use crate::buffer::{Options, TaskBuffer};
use crate::canonical::canonicalize;
use crate::codec;
use crate::entry::Entry;
use crate::keys::{self, Level};
use crate::log::record::Derived;
use crate::raw::Node;
use crate::similarity::{self, BANDS};

impl TaskBuffer {
    /// Add a task from the log.
    ///
    /// The similarity index is filled afterwards, by [`TaskBuffer::link_restored`].
    pub(crate) fn restore(&self, payload: &[u8], derived: Derived) -> u64 {
        let Options { level, similarity, .. } = &self.options;
        let head = codec::decode_head(payload).expect("the caller has checked it");
        let exact = || keys::exact(&head).expect("the caller has checked it");
        let known = derived.canonical.filter(|(version, _)| *version == keys::CANONICALISER);
        let need_key = *level >= Level::Canonical && known.is_none();
        let need_signature = *similarity && derived.signature.is_none();
        let form = if need_key || need_signature {
            let program = head.program().expect("the caller has checked it");
            let inputs = head.input_texts().expect("the caller has checked it");
            canonicalize(program, &inputs, self.options.entry.as_deref()).ok()
        } else {
            None
        };
        let key = match (known, &form) {
            _ if *level == Level::Exact => exact(),
            (Some((_, key)), _) => key,
            (None, Some(form)) => keys::canonical(head.kind, form),
            // Written at the exact level, which asks for no canonical form.
            (None, None) => exact(),
        };
        let signature = derived.signature.or_else(|| form.map(|form| similarity::signature(&form.program)));
        let node = Node::new(Entry::new(payload.into(), key, *level, signature));
        let id = self.table.restore(&node, &|index, a, b| self.is_same(index, a, b, None));
        // At once: the ordinals of the reservoir depend on the gaps read so far.
        self.enter_lanes();
        id
    }

    /// Link all restored tasks in the similarity index. Each thread has bands of its own: the lists come out the same.
    pub(crate) fn link_restored(&self) {
        if !self.options.similarity {
            return;
        }
        let link = |bands: Range<usize>| {
            for id in 0..self.len() {
                if let Some(entry) = self.entry(id) {
                    self.index.add(id, &entry.signature, &entry.links, bands.clone());
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
        if threads == 1 || self.len() < 10_000 {
            return link(0..BANDS);
        }
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let link = &link;
                scope.spawn(move || link(thread * BANDS / threads..(thread + 1) * BANDS / threads));
            }
        });
    }

    /// What the log keeps of a task beside itself.
    pub(crate) fn derived(&self, entry: &Entry) -> Derived {
        Derived {
            canonical: (self.options.level >= Level::Canonical).then_some((keys::CANONICALISER, entry.key())),
            signature: self.options.similarity.then_some(entry.signature),
        }
    }
}
