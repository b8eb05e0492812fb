//! Values under keys: at most one value for a key, numbered without gaps in order of publication.
//!
//! A value has up to two keys, claimed in order. The thread that claims the last one publishes the value. A thread that
//! loses a key finds the value that holds it, finishes that one if need be, and reports its number: it neither waits nor
//! uses up a number. Equal keys prove nothing, so values are compared, and a value that merely collides goes one further.

use std::sync::Arc;

use crate::append_log::{AppendLog, Fate, Node};
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
    appended: AppendLog<T>,
    keys: [Map<Arc<Node<T>>>; 2],
}

impl<T: Keyed> Table<T> {
    pub(crate) fn with_capacity(capacity: [usize; 2]) -> Self {
        Self { appended: AppendLog::new(), keys: capacity.map(Map::with_capacity) }
    }

    pub(crate) fn appended(&self) -> &AppendLog<T> {
        &self.appended
    }

    pub(crate) fn appended_mut(&mut self) -> &mut AppendLog<T> {
        &mut self.appended
    }

    /// Publish `node` unless it is the `same` as one that is there; `same(level, a, b)` decides where keys are equal.
    pub(crate) fn insert(&self, node: &Arc<Node<T>>, same: &impl Fn(usize, &T, &T) -> bool) -> Result<u64, Same> {
        // Read before anybody else can know the node.
        let from = self.appended.near_end();
        self.decide(node, 0, from, same)
    }

    /// Publish `node` whatever it equals: it was accepted before. A key that is taken stays with its first holder.
    pub(crate) fn restore(&self, node: &Arc<Node<T>>, same: &impl Fn(usize, &T, &T) -> bool) -> u64 {
        let from = self.appended.near_end();
        for (level, key) in node.value.keys().into_iter().enumerate() {
            if let Some(key) = key {
                let _ = self.claim(level, key, node, same);
            }
        }
        self.appended.publish(node, from)
    }

    /// Claim the keys from `level` on, then publish into a slot that is not below `from`.
    fn decide(
        &self,
        node: &Arc<Node<T>>,
        level: usize,
        from: u64,
        same: &impl Fn(usize, &T, &T) -> bool,
    ) -> Result<u64, Same> {
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
        Ok(self.appended.publish(node, from))
    }

    /// The number that stands for `holder`, which has its key of `level` and those before.
    fn finish(&self, holder: &Arc<Node<T>>, level: usize, same: &impl Fn(usize, &T, &T) -> bool) -> u64 {
        // Read before the fate: what is in a slot below the mark has its number.
        let from = self.appended.mark();
        match holder.fate() {
            Fate::Published(of) | Fate::Refused(of) => of,
            Fate::Undecided => match self.decide(holder, level + 1, from, same) {
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

/// Every interleaving of two or three threads, by loom. The map is one atomic step here.
#[cfg(all(test, loom))]
mod models {
    use loom::thread;

    use super::*;
    use crate::by_kind::{ByKind, Cap, Policy};
    use crate::task::Kind;

    #[derive(Debug, Clone, Copy)]
    struct Value {
        keys: Keys,
        content: u64,
    }

    impl Keyed for Value {
        fn keys(&self) -> Keys {
            self.keys
        }
    }

    fn table() -> Arc<Table<Value>> {
        Arc::new(Table::with_capacity([0, 0]))
    }

    fn value(keys: Keys, content: u64) -> Value {
        Value { keys, content }
    }

    fn insert(table: &Table<Value>, value: Value) -> Result<u64, Same> {
        let result = table.insert(&Node::new(value), &|level, a, b| level == 0 || a.content == b.content);
        match result {
            Ok(id) => {
                let there = table.appended().get(id).expect("an id that was given out is visible");
                assert_eq!(there.value.content, value.content);
            }
            Err(refused) => {
                assert!(table.appended().get(refused.of).is_some(), "a refusal names a task that is visible")
            }
        }
        result
    }

    /// Run each value's insert in a thread of its own; the results and the table.
    fn race(values: &[Value]) -> (Vec<Result<u64, Same>>, Arc<Table<Value>>) {
        let table = table();
        let (first, rest) = values.split_first().expect("there are values");
        let threads: Vec<_> = rest
            .iter()
            .map(|value| {
                let (table, value) = (Arc::clone(&table), *value);
                thread::spawn(move || insert(&table, value))
            })
            .collect();
        let mut results = vec![insert(&table, *first)];
        results.extend(threads.into_iter().map(|thread| thread.join().expect("the thread ends")));
        (results, table)
    }

    fn check_dense(results: &[Result<u64, Same>], table: &Table<Value>) {
        let mut ids: Vec<u64> = results.iter().filter_map(|result| result.ok()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..table.appended().len()).collect::<Vec<_>>(), "no id is lost or given twice");
        for refused in results.iter().filter_map(|result| result.err()) {
            assert!(table.appended().get(refused.of).is_some(), "a refusal names a task that is there");
        }
    }

    #[test]
    fn two_values_get_two_ids() {
        loom::model(|| {
            let (results, table) = race(&[value([None, Some(1)], 1), value([None, Some(2)], 2)]);
            check_dense(&results, &table);
            assert_eq!(table.appended().len(), 2);
        });
    }

    #[test]
    fn of_two_equal_values_one_is_published_and_the_other_learns_its_id() {
        loom::model(|| {
            let (results, table) = race(&[value([None, Some(1)], 1), value([None, Some(1)], 1)]);
            check_dense(&results, &table);
            assert_eq!(table.appended().len(), 1);
        });
    }

    #[test]
    fn values_that_collide_are_both_published() {
        loom::model(|| {
            let (results, table) = race(&[value([None, Some(1)], 1), value([None, Some(1)], 2)]);
            check_dense(&results, &table);
            assert_eq!(table.appended().len(), 2);
        });
    }

    #[test]
    fn of_two_values_with_one_first_key_one_is_published() {
        loom::model(|| {
            let (results, table) = race(&[value([Some(7), Some(1)], 1), value([Some(7), Some(2)], 2)]);
            check_dense(&results, &table);
            assert_eq!(table.appended().len(), 1);
        });
    }

    #[test]
    fn of_two_values_with_one_last_key_one_is_published() {
        loom::model(|| {
            let (results, table) = race(&[value([Some(7), Some(1)], 1), value([None, Some(1)], 1)]);
            check_dense(&results, &table);
            assert_eq!(table.appended().len(), 1);
        });
    }

    #[test]
    fn three_values_that_are_equal_by_different_keys() {
        let mut builder = loom::model::Builder::new();
        // Three threads: with more preemptions it does not end; two find every bug that one thread's delay can cause.
        builder.preemption_bound = Some(2);
        builder.check(|| {
            let (results, table) =
                race(&[value([Some(7), Some(1)], 1), value([None, Some(1)], 1), value([Some(7), Some(2)], 2)]);
            check_dense(&results, &table);
            assert!((1..=2).contains(&table.appended().len()));
        });
    }

    #[test]
    fn a_reader_sees_only_whole_values() {
        loom::model(|| {
            let table = table();
            let writer = {
                let table = Arc::clone(&table);
                thread::spawn(move || insert(&table, value([None, Some(1)], 41)))
            };
            for id in 0..table.appended().len() {
                let there = table.appended().get(id).expect("an id below the length is visible");
                assert_eq!(there.value.content, 41);
                assert_eq!(there.fate(), Fate::Published(id));
            }
            assert_eq!(writer.join().expect("the thread ends"), Ok(0));
        });
    }

    #[test]
    fn lists_by_kind_hold_each_id_once_and_in_order() {
        for policy in [Policy::Newest, Policy::Reservoir] {
            let mut builder = loom::model::Builder::new();
            // The log has its own models; here the helping on top of it is looked at.
            builder.preemption_bound = Some(3);
            builder.check(move || {
                let table = table();
                let by_kind = Arc::new(ByKind::new(Cap { tasks: 2, policy }));
                let kind = by_kind.intern(&Kind::DEDUCTION);
                let add = move |table: &Table<Value>, by_kind: &ByKind, content: u64| {
                    let id = insert(table, value([None, Some(u128::from(content))], content)).expect("it is new");
                    by_kind.enter(id, |id| table.appended().get(id).map(|_| (kind, 0)));
                    assert!(by_kind.served(kind).contains(id), "a task is served when its insert returns");
                };
                let other = {
                    let (table, by_kind) = (Arc::clone(&table), Arc::clone(&by_kind));
                    thread::spawn(move || add(&table, &by_kind, 1))
                };
                add(&table, &by_kind, 2);
                other.join().expect("the thread ends");
                let served = by_kind.served(kind);
                assert_eq!(served.len(), 2);
                assert_eq!([served.id(0), served.id(1)], [Some(0), Some(1)]);
            });
        }
    }

    #[test]
    fn threads_that_meet_a_kind_at_once_give_it_one_number() {
        loom::model(|| {
            let by_kind = Arc::new(ByKind::new(Cap { tasks: 2, policy: Policy::None }));
            let other = {
                let by_kind = Arc::clone(&by_kind);
                thread::spawn(move || by_kind.intern(&Kind::ABDUCTION))
            };
            let [deduction, abduction] = [Kind::DEDUCTION, Kind::ABDUCTION].map(|kind| by_kind.intern(&kind));
            assert_ne!(deduction, abduction);
            assert_eq!(other.join().expect("the thread ends"), abduction);
            assert_eq!(by_kind.numbers(), [deduction, abduction], "in the order of kinds, each once");
            assert_eq!(by_kind.find(Kind::ABDUCTION.name()), Some(abduction));
        });
    }
}
