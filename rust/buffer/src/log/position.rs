//! A place in the log, and with it a state of the buffer.

use std::fmt;
use std::str::FromStr;

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

impl Position {
    /// The start of any log: the empty buffer.
    pub const START: Self = Self { generation: 0, segment: 0, offset: 0, tasks: 0 };

    /// The position as one number, for those who store numbers; zero is the start.
    ///
    /// Holds generations and segments below 2^24, offsets below 2^40 and ids below 2^32.
    #[must_use]
    pub fn to_number(self) -> u128 {
        let parts = [(u128::from(self.segment), 24), (u128::from(self.offset), 40), (u128::from(self.tasks), 32)];
        parts.into_iter().fold(u128::from(self.generation), |number, (part, bits)| number << bits | part)
    }

    /// The position of a number; whether it is one of a log shows when it is opened.
    #[must_use]
    pub fn from_number(number: u128) -> Self {
        let part = |shift: u32, bits: u32| u64::try_from(number >> shift & ((1 << bits) - 1)).expect("at most 64 bits");
        Self {
            generation: part(96, 32),
            segment: u32::try_from(part(72, 24)).expect("24 bits"),
            offset: part(32, 40),
            tasks: part(0, 32),
        }
    }
}

/// A text is not a position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a log position such as `1.0.32.0`")]
pub struct BadPosition {
    /// The text.
    pub text: String,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.generation, self.segment, self.offset, self.tasks)
    }
}

impl FromStr for Position {
    type Err = BadPosition;

    fn from_str(text: &str) -> Result<Self, BadPosition> {
        let bad = || BadPosition { text: text.to_owned() };
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
