//! Values under keys: at most one value for a key, numbered without gaps in order of publication.
//!
//! A value has up to two keys, claimed in order. The thread that claims the last one publishes the value. A thread that
//! loses a key finds the value that holds it, finishes that one if need be, and reports its number: it neither waits nor
//! uses up a number. Equal keys prove nothing, so values are compared, and a value that merely collides goes one further.

use std::sync::Arc;

use crate::raw::{Fate, Node, Shelf};
use crate::sync::Map;

/// Keys of one value, in the order in which they are claimed.
pub(crate) type Keys = [Option<u128>; 2];

/// A value that knows its keys.
pub(crate) trait Keyed {
    fn keys(&self) -> Keys;
}

/// A refusal: the value is the same as `of` under its key `level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Same {
    pub(crate) of: u64,
    pub(crate) level: usize,
}

pub(crate) struct Table<T> {
    shelf: Shelf<T>,
    keys: [Map<Arc<Node<T>>>; 2],
}

impl<T: Keyed> Table<T> {
    pub(crate) fn with_capacity(capacity: [usize; 2]) -> Self {
        Self { shelf: Shelf::new(), keys: capacity.map(Map::with_capacity) }
    }

    pub(crate) fn shelf(&self) -> &Shelf<T> {
        &self.shelf
    }

    pub(crate) fn shelf_mut(&mut self) -> &mut Shelf<T> {
        &mut self.shelf
    }

    /// Publish `node` unless it is the `same` as one that is there; `same(level, a, b)` decides where keys are equal.
    pub(crate) fn insert(&self, node: &Arc<Node<T>>, same: &impl Fn(usize, &T, &T) -> bool) -> Result<u64, Same> {
        self.decide(node, 0, same)
    }

    /// Publish `node` whatever it equals: it was accepted before. A key that is taken stays with its first holder.
    pub(crate) fn restore(&self, node: &Arc<Node<T>>, same: &impl Fn(usize, &T, &T) -> bool) -> u64 {
        for (level, key) in node.value.keys().into_iter().enumerate() {
            if let Some(key) = key {
                let _ = self.claim(level, key, node, same);
            }
        }
        self.shelf.publish(node)
    }

    /// Claim the keys from `level` on, then publish.
    fn decide(&self, node: &Arc<Node<T>>, level: usize, same: &impl Fn(usize, &T, &T) -> bool) -> Result<u64, Same> {
        let keys = node.value.keys();
        for (level, key) in keys.iter().enumerate().skip(level) {
            let Some(key) = *key else { continue };
            if let Err(holder) = self.claim(level, key, node, same) {
                let of = self.finish(&holder, level, same);
                // With an earlier key in hand others may find this node there: tell them what it is the same as.
                node.refuse(of);
                return Err(Same { of, level });
            }
        }
        Ok(self.shelf.publish(node))
    }

    /// The number that stands for `holder`, which has its key of `level` and those before.
    fn finish(&self, holder: &Arc<Node<T>>, level: usize, same: &impl Fn(usize, &T, &T) -> bool) -> u64 {
        match holder.fate() {
            Fate::Published(_) => self.shelf.publish(holder),
            Fate::Refused(of) => of,
            Fate::Undecided => match self.decide(holder, level + 1, same) {
                Ok(id) => id,
                Err(found) => found.of,
            },
        }
    }

    fn claim(
        &self,
        level: usize,
        key: u128,
        node: &Arc<Node<T>>,
        same: &impl Fn(usize, &T, &T) -> bool,
    ) -> Result<(), Arc<Node<T>>> {
        let mut key = key;
        loop {
            match self.keys[level].claim(key, Arc::clone(node)) {
                Ok(()) => return Ok(()),
                // Another thread has claimed it for this node.
                Err(holder) if Arc::ptr_eq(&holder, node) => return Ok(()),
                Err(holder) if same(level, &holder.value, &node.value) => return Err(holder),
                Err(_) => key = key.wrapping_add(1),
            }
        }
    }
}
