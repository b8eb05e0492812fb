//! How a buffer behaves.

use std::time::Duration;

use crate::by_kind::Cap;
use crate::keys::Level;

/// When tasks are acknowledged without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCommit {
    /// After so many tasks.
    pub tasks: u64,
    /// After so much time.
    pub interval: Duration,
}

/// How a buffer behaves. It can be reopened with other options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What counts as a duplicate.
    pub level: Level,
    /// What is served once there are many.
    pub cap: Cap,
    /// Keep the index for [`TaskBuffer::neighbours`](crate::TaskBuffer::neighbours).
    pub similarity: bool,
    /// The function that inputs are arguments of; see [`canonicalize`](crate::canonicalize).
    pub entry: Option<String>,
    /// Room for so many tasks from the start. More may come; then the map grows, which costs each insert a little.
    pub expected: usize,
    /// Close a segment of the log at this size.
    pub segment_bytes: u64,
    /// Commit in the background. None: tasks are durable when [`TaskBuffer::commit`](crate::TaskBuffer::commit) returns, and not before.
    pub group_commit: Option<GroupCommit>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Level::Canonical,
            cap: Cap::NONE,
            similarity: true,
            entry: None,
            expected: 1 << 16,
            segment_bytes: 64 << 20,
            group_commit: None,
        }
    }
}
