//! A place in the log, and with it a state of the buffer.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A place between two records of a log. Its text, four numbers with dots, is what a checkpoint stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// Counts the times that the log was rewritten.
    pub generation: u64,
    /// The segment.
    pub segment: u32,
    /// Bytes into the segment.
    pub offset: u64,
    /// Ids given out before.
    pub tasks: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.generation, self.segment, self.offset, self.tasks)
    }
}

impl FromStr for Position {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadPosition { text: text.to_owned() };
        let parts: Vec<&str> = text.split('.').collect();
        let [generation, segment, offset, tasks] = parts[..] else { return Err(bad()) };
        Ok(Self {
            generation: generation.parse().map_err(|_| bad())?,
            segment: segment.parse().map_err(|_| bad())?,
            offset: offset.parse().map_err(|_| bad())?,
            tasks: tasks.parse().map_err(|_| bad())?,
        })
    }
}
