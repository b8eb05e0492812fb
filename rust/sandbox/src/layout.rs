//! What instrumented code and the host that runs it agree on: the parts of memory, and what goes by which name.
//!
//! `azr-sandbox-build` has this file, too.

/// What a card stands for. Hosts may have larger pages: see `GRAIN` in `crate::memory`.
pub(crate) const PAGE: usize = 4096;

/// Memory behind the image: what all programs' memory limits must lie below.
pub(crate) const HEAP_BYTES: u64 = 1 << 30;

/// Name of the second memory, which holds the cards of dirty pages: a byte for each page.
pub(crate) const CARDS: &str = "azr cards";
/// Bytes of the second memory: a card for each page that 32 bits can address.
pub(crate) const CARD_BYTES: usize = (1 << 32) / PAGE;
/// Bytes behind a marked page that may have been written with it.
pub(crate) const WINDOW: usize = 256;

/// Name of the global that holds what is left of a slice of fuel.
pub(crate) const FUEL: &str = "azr fuel";
/// Module and name of the import that gives another slice.
pub(crate) const REFUEL: (&str, &str) = ("azr", "refuel");
/// Most fuel of a slice. The clock is looked at whenever one is spent: every millisecond, about.
pub(crate) const SLICE: i64 = 1 << 23;
/// Module and name of the import that calls functions of the embedder's.
pub(crate) const HOST: (&str, &str) = ("azr", "host");
/// Name of the guest's function in whose place that import is called.
pub(crate) const HOST_STUB: &str = "azr_host";
/// How many functions the instrumented code imports: its own are numbered after them.
pub(crate) const IMPORTS: u32 = 2;
