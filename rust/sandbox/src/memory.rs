//! The linear memory of a guest: a private view of one pristine image, put back after every program.
//!
//! What the operating system has to do for that is in [`crate::pages`]. The rest of the crate's `unsafe`: [`crate::instance`]
//! calls what is unsafe here, `crate::compile` promises instructions to Cranelift, [`crate::code`] loads native code
//! ([`crate::guest`] passes on that promise), [`crate::signals`] installs handlers.
//!
//! # Why a reset guest is a fresh guest
//!
//! A core WebAssembly instance has no other state than its memory, its mutable globals, its tables and
//! which segments it has dropped. `crate::instrument` refuses a module that could change the last two or
//! that has a mutable global besides the stack pointer, which the host sets before every program.
//! That leaves the memory. Its code was given companions that note every page it writes
//! (`crate::instrument`), out of its own reach; the host notes what it writes itself, the request. After a
//! program [`Image::restore`] puts back every noted page from the pristine copy, and nothing else can
//! have changed. A test compares every byte.
//!
//! Pages stay where they are, so the next program writes them without a fault, and a reset is no business
//! of the kernel's: page faults and `madvise` make all threads of a process wait for one another. Only long
//! runs of heap are given back to it, so that one large program does not make its instance large for ever.
//!
//! # Calls of one program
//!
//! When several calls of a program follow each other, the program is loaded once, and a [`Checkpoint`] keeps what
//! its noted pages hold then; all other pages are still the image's. After a call the pages that were noted since
//! are put back to the one or the other, so that each call starts from the same bytes as if the program had been
//! loaded for it alone. A test compares every byte here, too.

#![expect(unsafe_code, reason = "maps memory; every block says why it is right")]

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::{io, slice};

use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

use crate::layout::{CARD_BYTES, PAGE, WINDOW};
use crate::pages::{Contents, Mapping, clear};

/// A multiple of every host's pages (4 to 64 KiB) and a divisor of every memory's size: what is mapped, or given
/// back to the host, starts and ends on one.
const GRAIN: usize = 64 << 10;

/// The memory of a guest after start-up, in contents that every instance maps.
#[derive(Debug)]
pub(crate) struct Image {
    /// The bytes that are not all zero.
    contents: Contents,
    /// Where they lie in the guest's memory.
    data: Range<usize>,
    /// Bytes of the guest's memory, all of it.
    size: usize,
}

/// Pages behind the image that are given back to the kernel rather than zeroed: runs this long, or everything
/// when a program wrote [`MOST_PAGES`] in all.
const LONG_RUN: usize = 128;
const MOST_PAGES: usize = 1024;

/// Most pages that a checkpoint keeps, and that are put back to one.
const KEPT_PAGES: usize = 512;

/// Cards that are looked at together.
const GLANCE: usize = 256;

impl Image {
    /// An image of `size` bytes, zero but for `bytes` at `start`.
    pub(crate) fn new(start: usize, bytes: &[u8], size: usize) -> io::Result<Self> {
        let data = start / GRAIN * GRAIN..(start + bytes.len()).next_multiple_of(GRAIN);
        assert!(size.is_multiple_of(GRAIN) && data.end <= size);
        let contents = Contents::new(start - data.start, bytes, data.len())?;
        Ok(Self { contents, data, size })
    }

    /// Bytes of the guest's memory.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Bytes behind which a memory of this image with these cards is all zero: most of its size, which is never read.
    pub(crate) fn used(&self, cards: &[u8]) -> usize {
        // A card stands for the start of the next page, too.
        let written = cards.iter().rposition(|&card| card != 0).map_or(0, |last| (last + 2) * PAGE);
        written.max(self.data.end).min(self.size)
    }

    /// Maps a memory that starts as the image.
    fn map(&self, reservation: usize) -> io::Result<Mapping> {
        let mut memory = Mapping::zeros(self.size, reservation)?;
        memory.start_as(&self.contents, self.data.start)?;
        Ok(memory)
    }

    /// Makes every byte of the memory at `base` what it was at the start, and clears the cards: one for each
    /// page that may have been written, together with the start of the next.
    ///
    /// # Safety
    /// `base` must be the address of a memory that [`Image::map`] of this image made and that is still
    /// mapped, and nothing else may use that memory meanwhile.
    pub(crate) unsafe fn restore(&self, base: *mut u8, cards: &mut [u8]) -> io::Result<()> {
        // Cards behind the memory's end stand for no page.
        let (cards, _) = cards.split_at_mut(self.size / PAGE);
        let behind = self.data.end / PAGE;
        // SAFETY: the range lies within the memory, behind the image, and ends on grains.
        let drop = |range: Range<usize>| unsafe { clear(base.add(range.start), range.len()) };
        let (mut from, mut heap_pages) = (0, 0);
        while let Some(run) = next_run(cards, from) {
            // A run of the image ends where the heap begins: only heap is given back.
            let run = if run.start < behind { run.start..run.end.min(behind) } else { run };
            from = run.end;
            cards[run.clone()].fill(0);
            if run.start >= behind {
                heap_pages += run.len();
                if heap_pages > MOST_PAGES {
                    drop(self.data.end..self.size)?;
                    cards[from..].fill(0);
                    break;
                }
                if run.len() >= LONG_RUN {
                    let whole = (run.start * PAGE).next_multiple_of(GRAIN)..run.end * PAGE / GRAIN * GRAIN;
                    // SAFETY: the caller owns the memory.
                    unsafe { self.put_back(base, run.start * PAGE..whole.start) };
                    drop(whole.clone())?;
                    // SAFETY: as above.
                    unsafe { self.put_back(base, whole.end..run.end * PAGE) };
                    continue;
                }
            }
            // SAFETY: the caller owns the memory.
            unsafe { self.put_back(base, run.start * PAGE..run.end * PAGE) };
        }
        Ok(())
    }

    /// Keeps what the pages hold that may have been written since the start, and clears their cards. None, and
    /// nothing changes, where there are more than [`KEPT_PAGES`].
    ///
    /// # Safety
    /// As for [`Image::restore`].
    pub(crate) unsafe fn checkpoint(&self, base: *const u8, cards: &mut [u8]) -> Option<Checkpoint> {
        let (cards, _) = cards.split_at_mut(self.size / PAGE);
        let mut pages: Vec<usize> = Vec::new();
        let mut from = 0;
        while let Some(run) = next_run(cards, from) {
            from = run.end;
            // A card stands for the start of the next page, too.
            let first = pages.last().map_or(run.start, |last| run.start.max(last + 1));
            pages.extend(first..(run.end + 1).min(self.size / PAGE));
            if pages.len() > KEPT_PAGES {
                return None;
            }
        }
        let mut bytes = Vec::with_capacity(pages.len() * PAGE);
        for &page in &pages {
            cards[page] = 0;
            // SAFETY: the page lies within the memory, which the caller owns.
            bytes.extend_from_slice(unsafe { slice::from_raw_parts(base.add(page * PAGE), PAGE) });
        }
        Some(Checkpoint { pages, bytes })
    }

    /// Makes every byte of the memory what it was at the checkpoint, and clears the cards. False, and nothing
    /// changes, where more than [`KEPT_PAGES`] may have been written since: a reset gives such memory back.
    ///
    /// # Safety
    /// As for [`Image::restore`]; the checkpoint must be of this memory, all of whose bytes that are not in it were what
    /// they were at the start when it was made.
    pub(crate) unsafe fn return_to(&self, checkpoint: &Checkpoint, base: *mut u8, cards: &mut [u8]) -> bool {
        let (cards, _) = cards.split_at_mut(self.size / PAGE);
        let mut runs = Vec::new();
        let (mut from, mut pages) = (0, 0);
        while let Some(run) = next_run(cards, from) {
            from = run.end;
            pages += run.len();
            if pages > KEPT_PAGES {
                return false;
            }
            runs.push(run);
        }
        for run in runs {
            cards[run.clone()].fill(0);
            let behind = run.end;
            for page in run {
                // SAFETY: the page lies within the memory, which the caller owns.
                let bytes = unsafe { slice::from_raw_parts_mut(base.add(page * PAGE), PAGE) };
                self.copy_kept(checkpoint, page, bytes);
            }
            if behind * PAGE < self.size {
                // SAFETY: as above; a window is shorter than a page.
                let bytes = unsafe { slice::from_raw_parts_mut(base.add(behind * PAGE), WINDOW) };
                let mut kept = [0; WINDOW];
                self.copy_kept(checkpoint, behind, &mut kept);
                // As in `put_back`: most often nothing was written there.
                if *bytes != kept {
                    bytes.copy_from_slice(&kept);
                }
            }
        }
        true
    }

    /// Writes a session's pages to a memory that is as it was at the start. Sets no cards: those are of what is written
    /// from now on.
    ///
    /// # Safety
    /// As for [`Image::restore`].
    pub(crate) unsafe fn apply(&self, pages: &Pages, base: *mut u8) {
        for (page, bytes) in &pages.0 {
            let at = *page as usize * PAGE;
            assert!(at < self.size, "a session's pages are pages of its memory");
            // SAFETY: the page lies within the memory, which the caller owns.
            unsafe { slice::from_raw_parts_mut(base.add(at), PAGE) }.copy_from_slice(&bytes[..]);
        }
    }

    /// What differs from the image in a memory to which `before` was applied, and whose cards say what was written since.
    /// Pages that are as they were are shared with `before`.
    ///
    /// # Safety
    /// As for [`Image::restore`].
    pub(crate) unsafe fn collect(&self, before: &Pages, base: *const u8, cards: &[u8]) -> Pages {
        let cards = &cards[..self.size / PAGE];
        let mut old = before.0.iter().peekable();
        let mut pages = Vec::with_capacity(before.0.len());
        let mut pristine = [0; PAGE];
        let (mut from, mut next) = (0, 0);
        while let Some(run) = next_run(cards, from) {
            from = run.end;
            // A card stands for the start of the next page, too.
            for page in run.start.max(next)..(run.end + 1).min(self.size / PAGE) {
                let number = u32::try_from(page).expect("a memory has fewer than 2^32 pages");
                while let Some(kept) = old.next_if(|(at, _)| *at < number) {
                    pages.push(kept.clone());
                }
                let was = old.next_if(|(at, _)| *at == number);
                // SAFETY: the page lies within the memory, which the caller owns.
                let bytes = unsafe { slice::from_raw_parts(base.add(page * PAGE), PAGE) };
                match was {
                    Some((_, was)) if was[..] == *bytes => pages.push((number, Arc::clone(was))),
                    Some(_) => pages.push((number, Arc::from(bytes))),
                    None => {
                        self.copy_pristine(&(page * PAGE..(page + 1) * PAGE), &mut pristine);
                        if pristine != *bytes {
                            pages.push((number, Arc::from(bytes)));
                        }
                    }
                }
            }
            next = run.end + 1;
        }
        pages.extend(old.cloned());
        Pages(pages)
    }

    /// Copies the start of what a page held at the checkpoint to `to`.
    fn copy_kept(&self, checkpoint: &Checkpoint, page: usize, to: &mut [u8]) {
        match checkpoint.pages.binary_search(&page) {
            Ok(at) => to.copy_from_slice(&checkpoint.bytes[at * PAGE..][..to.len()]),
            Err(_) => self.copy_pristine(&(page * PAGE..page * PAGE + to.len()), to),
        }
    }

    /// Copies the image to a range of pages, and to what lies a window behind it where that differs.
    ///
    /// # Safety
    /// As for [`Image::restore`]; the range must lie within the memory.
    unsafe fn put_back(&self, base: *mut u8, range: Range<usize>) {
        // SAFETY: the range lies within the memory, which the caller owns.
        let bytes = unsafe { slice::from_raw_parts_mut(base.add(range.start), range.len()) };
        self.copy_pristine(&range, bytes);
        let behind = range.end..(range.end + WINDOW).min(self.size);
        // SAFETY: as above.
        let bytes = unsafe { slice::from_raw_parts_mut(base.add(behind.start), behind.len()) };
        // Most often nothing was written there, and writing would make the page this instance's own.
        let mut pristine = [0; WINDOW];
        self.copy_pristine(&behind, &mut pristine[..behind.len()]);
        if *bytes != pristine[..behind.len()] {
            bytes.copy_from_slice(&pristine[..behind.len()]);
        }
    }

    /// Copies what the image has at `range` to `to`.
    fn copy_pristine(&self, range: &Range<usize>, to: &mut [u8]) {
        let data = self.contents.bytes();
        let (start, end) =
            (range.start.clamp(self.data.start, self.data.end), range.end.clamp(self.data.start, self.data.end));
        if start == end {
            to.fill(0);
            return;
        }
        to[..start - range.start].fill(0);
        to[start - range.start..end - range.start]
            .copy_from_slice(&data[start - self.data.start..end - self.data.start]);
        to[end - range.start..].fill(0);
    }

    /// Whether every byte of the memory at `base` is what it was at the start. Slow.
    ///
    /// # Safety
    /// As for [`Image::restore`].
    #[cfg(test)]
    pub(crate) unsafe fn is_pristine(&self, base: *const u8) -> bool {
        // SAFETY: the caller's promise.
        let memory = unsafe { slice::from_raw_parts(base, self.size) };
        let zero = |bytes: &[u8]| bytes.chunks(PAGE).all(|page| *page == [0; PAGE][..page.len()]);
        zero(&memory[..self.data.start])
            && memory[self.data.clone()] == *self.contents.bytes()
            && zero(&memory[self.data.end..])
    }
}

/// What a session's memory holds where it differs from its image: numbers of pages, in order, and their bytes. Copies share
/// the bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages(pub(crate) Vec<(u32, Arc<[u8]>)>);

impl Pages {
    /// Sets the cards of its pages.
    pub(crate) fn mark(&self, cards: &mut [u8]) {
        self.0.iter().for_each(|(page, _)| cards[*page as usize] = 1);
    }
}

/// What a memory held, where it may have differed from its image.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// Numbers of the pages, in order.
    pages: Vec<usize>,
    /// Their bytes.
    bytes: Vec<u8>,
}

impl Checkpoint {
    /// Sets the cards of its pages.
    pub(crate) fn mark(&self, cards: &mut [u8]) {
        self.pages.iter().for_each(|&page| cards[page] = 1);
    }
}

/// The next run of bytes that are not zero. Nearly all are: looks at [`GLANCE`] at a time.
fn next_run(cards: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = &cards[from..];
    let clear = clear_groups(rest) * GLANCE;
    let start = from + clear + first_set(&rest[clear..])?;
    let end = start + cards[start..].iter().position(|&card| card == 0).unwrap_or(cards.len() - start);
    Some(start..end)
}

/// How many groups of [`GLANCE`] zeros come first. A quarter of a megabyte is walked through for every program, so
/// with the widest instructions that the processor has.
fn clear_groups(cards: &[u8]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { clear_groups_avx2(cards) };
    }
    clear_groups_plain(cards)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn clear_groups_avx2(cards: &[u8]) -> usize {
    clear_groups_plain(cards)
}

#[inline(always)]
fn clear_groups_plain(cards: &[u8]) -> usize {
    let (groups, _) = cards.as_chunks::<GLANCE>();
    groups.iter().take_while(|group| group.iter().fold(0, |all, card| all | card) == 0).count()
}

/// Where the first byte is that is not zero.
fn first_set(cards: &[u8]) -> Option<usize> {
    let (words, rest) = cards.as_chunks::<8>();
    match words.iter().position(|word| u64::from_ne_bytes(*word) != 0) {
        Some(word) => {
            let within = words[word].iter().position(|&card| card != 0).expect("one of them is set");
            Some(word * 8 + within)
        }
        None => Some(words.len() * 8 + rest.iter().position(|&card| card != 0)?),
    }
}

thread_local! {
    /// The image that the instance being made in this thread starts from.
    static CHOSEN: RefCell<Option<Arc<Image>>> = const { RefCell::new(None) };
}

/// Runs `make`, in which memories start as `image`.
pub(crate) fn starting_as<T>(image: &Arc<Image>, make: impl FnOnce() -> T) -> T {
    CHOSEN.set(Some(Arc::clone(image)));
    let made = make();
    CHOSEN.set(None);
    made
}

/// Gives wasmtime memories that start as the image of [`starting_as`]: guests that differ in their image
/// alone share an engine and its code.
#[derive(Debug)]
pub(crate) struct Creator;

// SAFETY: each memory is its own mapping with the reservation and guard that wasmtime asks for. It is not
// zero at first, as the trait wants for modules that fill it from data segments: the module's data
// segments were moved into the image when it was loaded.
unsafe impl MemoryCreator for Creator {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let image = CHOSEN.with_borrow(Option::clone).ok_or("no image was chosen for this memory")?;
        let length = |size: usize| reserved.unwrap_or(size).max(size) + guard;
        let (mapping, size) = match (minimum, maximum) {
            (CARD_BYTES, Some(CARD_BYTES)) => (Mapping::zeros(CARD_BYTES, length(CARD_BYTES)), CARD_BYTES),
            (size, Some(most)) if size == most && size == image.size() => (image.map(length(size)), size),
            _ => return Err("the module's memory is not of the image's size".to_owned()),
        };
        Ok(Box::new(Memory { mapping: mapping.map_err(|error| error.to_string())?, size }))
    }
}

#[derive(Debug)]
struct Memory {
    mapping: Mapping,
    size: usize,
}

// SAFETY: `as_ptr` is aligned to pages, `size` bytes behind it are mapped for reading and writing, and the
// rest of the reservation has no access.
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.size
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        wasmtime::bail!("the guest's memory has its full size of {} bytes, not {size}", self.size)
    }

    fn as_ptr(&self) -> *mut u8 {
        self.mapping.base()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{GLANCE, next_run};

    proptest! {
        #[test]
        fn runs_are_the_bytes_that_are_not_zero(
            length in 0..5 * GLANCE,
            set in prop::collection::vec((0..5 * GLANCE, 1..20_usize), 0..8),
            skipped in 0..3 * GLANCE,
        ) {
            let mut cards = vec![0_u8; length];
            for (at, long) in set {
                for card in cards.iter_mut().skip(at).take(long) {
                    *card = 1;
                }
            }
            let (mut found, mut from) = (Vec::new(), skipped.min(length));
            while let Some(run) = next_run(&cards, from) {
                prop_assert!(!run.is_empty() && cards.get(run.end).is_none_or(|&card| card == 0));
                from = run.end;
                found.extend(run);
            }
            let wanted: Vec<usize> = (skipped.min(length)..length).filter(|&at| cards[at] != 0).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
