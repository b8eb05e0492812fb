//! What a program may use.

use std::time::Duration;

use crate::error::Error;
use crate::layout::HEAP_BYTES;

/// Bounds of one run. All are on by default, and all but [`Limits::wall`] decide outcomes.
///
/// ```
/// use azr_sandbox::Limits;
///
/// let limits = Limits::DEFAULT.with_fuel(1_000_000_000).with_memory_bytes(64 << 20);
/// assert_eq!(limits.nesting, Limits::default().nesting);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Processor time, counted in what the code does: the same program always takes the same amount. `azr sandbox
    /// bench` prints how much a millisecond takes here, for each of 67 kinds of program: some twenty million, and
    /// within a factor of three whatever a program does. The default is some ten seconds, and 20 at most.
    pub fuel: u64,
    /// Bytes of heap that the program may take beyond what the interpreter holds at the start.
    pub memory_bytes: u32,
    /// Bytes that the program may print, stdout and stderr together.
    pub output_bytes: u32,
    /// Bytes of encoding that the returned value may take.
    pub value_bytes: u32,
    /// Bytes of source, program and arguments each.
    pub source_bytes: u32,
    /// Depth of brackets and of indentation, checked before anything is parsed.
    pub nesting: u32,
    /// Backstop against an overloaded machine: past it the run fails with [`Error::WallClock`], which is
    /// no outcome.
    pub wall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Limits {
    /// The limits that hold where none are given.
    pub const DEFAULT: Self = Self {
        fuel: 200_000_000_000,
        memory_bytes: 256 << 20,
        output_bytes: 1 << 20,
        value_bytes: 64 << 10,
        source_bytes: 256 << 10,
        nesting: 100,
        wall: Duration::from_secs(300),
    };

    /// The same with this much fuel.
    #[must_use]
    pub const fn with_fuel(mut self, fuel: u64) -> Self {
        self.fuel = fuel;
        self
    }

    /// The same with this much heap.
    #[must_use]
    pub const fn with_memory_bytes(mut self, memory_bytes: u32) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// The same with this much output.
    #[must_use]
    pub const fn with_output_bytes(mut self, output_bytes: u32) -> Self {
        self.output_bytes = output_bytes;
        self
    }

    /// The same with a returned value of this size.
    #[must_use]
    pub const fn with_value_bytes(mut self, value_bytes: u32) -> Self {
        self.value_bytes = value_bytes;
        self
    }

    /// The same with source of this size.
    #[must_use]
    pub const fn with_source_bytes(mut self, source_bytes: u32) -> Self {
        self.source_bytes = source_bytes;
        self
    }

    /// The same with this depth of brackets and indentation.
    #[must_use]
    pub const fn with_nesting(mut self, nesting: u32) -> Self {
        self.nesting = nesting;
        self
    }

    /// The same with this backstop.
    #[must_use]
    pub const fn with_wall(mut self, wall: Duration) -> Self {
        self.wall = wall;
        self
    }

    /// Fails for limits that no run can keep.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let check = |name, range, value: u64, good: bool| {
            if good { Ok(()) } else { Err(Error::BadLimit { name, range, value }) }
        };
        let memory = u64::from(self.memory_bytes);
        check("fuel", "above 0", self.fuel, self.fuel > 0 && self.fuel < i64::MAX as u64)?;
        check(
            "memory_bytes",
            "between 1 MiB and 768 MiB",
            memory,
            (1 << 20..=HEAP_BYTES - (256 << 20)).contains(&memory),
        )?;
        check("output_bytes", "at most 64 MiB", self.output_bytes.into(), self.output_bytes <= 64 << 20)?;
        check("value_bytes", "at most 64 MiB", self.value_bytes.into(), self.value_bytes <= 64 << 20)?;
        check("source_bytes", "at most 16 MiB", self.source_bytes.into(), self.source_bytes <= 16 << 20)?;
        check("nesting", "at most 200", self.nesting.into(), self.nesting <= 200)?;
        // A check of more than u64::MAX milliseconds does not fail, so nobody reads what it was.
        let wall = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        check("wall", "above 0 ms", wall, !self.wall.is_zero())
    }
}
