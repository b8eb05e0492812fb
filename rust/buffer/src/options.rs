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
///
/// ```
/// use azr_buffer::{Level, Options};
///
/// let options = Options::default().with_level(Level::Exact).with_similarity(false);
/// assert_eq!(options.expected, 1 << 16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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

impl Options {
    /// With another level of equality.
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// With a cap.
    #[must_use]
    pub fn with_cap(mut self, cap: Cap) -> Self {
        self.cap = cap;
        self
    }

    /// With the index of similar programs, or without it.
    #[must_use]
    pub fn with_similarity(mut self, similarity: bool) -> Self {
        self.similarity = similarity;
        self
    }

    /// With the name of the function that inputs are arguments of.
    #[must_use]
    pub fn with_entry(mut self, entry: impl Into<String>) -> Self {
        self.entry = Some(entry.into());
        self
    }

    /// With room for so many tasks from the start.
    #[must_use]
    pub fn with_expected(mut self, expected: usize) -> Self {
        self.expected = expected;
        self
    }

    /// With segments of the log that are closed at this size.
    #[must_use]
    pub fn with_segment_bytes(mut self, segment_bytes: u64) -> Self {
        self.segment_bytes = segment_bytes;
        self
    }

    /// With commits in the background.
    #[must_use]
    pub fn with_group_commit(mut self, group_commit: GroupCommit) -> Self {
        self.group_commit = Some(group_commit);
        self
    }
}
