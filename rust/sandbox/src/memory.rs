//! The linear memory of a guest: a private view of one pristine image, put back after every program.
//!
//! This file holds the crate's memory mapping, and with [`crate::guest`]'s loading of native code all
//! of its `unsafe`.
//!
//! # Why a reset guest is a fresh guest
//!
//! A core WebAssembly instance has no other state than its memory, its mutable globals, its tables and
//! which segments it has dropped. [`crate::guest`] refuses a module that could change the last two or
//! that has a mutable global besides the stack pointer, which the host sets before every program.
//! That leaves the memory, and [`Image::restore`] gives every page of it one of two treatments, whether
//! the program wrote to it or not:
//!
//! - the pages in [`Treatment::hot`], which nearly every program writes, are copied back from the image;
//! - all others are given back to the kernel (`MADV_DONTNEED` on a private mapping), which maps the
//!   image's page, or a zero page, at the next touch.
//!
//! Nothing tracks what was written, so nothing can be missed.

#![expect(unsafe_code, reason = "maps memory; every block says why it is right")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::fs::File;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};
use std::{io, ptr, slice};

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// Pages of the host; the image is laid out in these.
pub(crate) const PAGE: usize = 4096;

/// The memory of a guest after start-up, in a sealed memory file that every instance maps.
#[derive(Debug)]
pub(crate) struct Image {
    file: OwnedFd,
    /// Where the file's bytes lie in the guest's memory.
    data: Range<usize>,
    /// The file's bytes, mapped for reading.
    pristine: Mapping,
    /// Bytes of the guest's memory, all of it.
    size: usize,
    treatment: OnceLock<Treatment>,
}

/// What a reset does with which pages.
#[derive(Debug)]
struct Treatment {
    /// Ranges that are copied back instead of given back; sorted, apart, page-aligned.
    hot: Vec<Range<usize>>,
    /// What lies between them.
    cold: Vec<Range<usize>>,
}

impl Image {
    /// An image of `size` bytes, zero but for `bytes` at `start`.
    pub(crate) fn new(start: usize, bytes: &[u8], size: usize) -> io::Result<Self> {
        let end = (start + bytes.len()).next_multiple_of(PAGE);
        assert!(start.is_multiple_of(PAGE) && size.is_multiple_of(PAGE) && end <= size);
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("azr-guest", flags)?;
        let mut writer = File::from(file);
        io::Write::write_all(&mut writer, bytes)?;
        writer.set_len((end - start) as u64)?;
        let file = OwnedFd::from(writer);
        // From here on nothing in this process can change the image either.
        let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
        rustix::fs::fcntl_add_seals(&file, seals)?;
        let pristine = Mapping::of_file(&file, end - start)?;
        Ok(Self { file, data: start..end, pristine, size, treatment: OnceLock::new() })
    }

    /// Bytes of the guest's memory.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Chooses the ranges that are copied back: page-aligned, sorted, apart. Once, before any reset.
    pub(crate) fn set_hot(&self, hot: Vec<Range<usize>>) {
        let mut cold = Vec::with_capacity(hot.len() + 1);
        let mut from = 0;
        for range in &hot {
            assert!(range.start.is_multiple_of(PAGE) && range.end.is_multiple_of(PAGE));
            assert!(from <= range.start && range.start < range.end && range.end <= self.size);
            if from < range.start {
                cold.push(from..range.start);
            }
            from = range.end;
        }
        if from < self.size {
            cold.push(from..self.size);
        }
        assert!(self.treatment.set(Treatment { hot, cold }).is_ok(), "chosen once");
    }

    fn treatment(&self) -> &Treatment {
        self.treatment.get().expect("chosen when the guest is loaded")
    }

    /// Bytes that every reset copies.
    pub(crate) fn hot_bytes(&self) -> usize {
        self.treatment().hot.iter().map(Range::len).sum()
    }

    /// Maps a memory that starts as the image.
    fn map(&self, reservation: usize) -> io::Result<Mapping> {
        let memory = Mapping::reserve(reservation)?;
        // SAFETY: the range lies within `memory`'s reservation, which nothing else uses yet; FIXED
        // replaces parts of it and of nothing else.
        unsafe {
            let read_write = ProtFlags::READ | ProtFlags::WRITE;
            let private = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
            mmap_anonymous(memory.base, self.size, read_write, private)?;
            let at = memory.base.byte_add(self.data.start);
            mmap(at, self.data.len(), read_write, private, &self.file, 0)?;
        }
        Ok(memory)
    }

    /// Makes every byte of the memory at `base` what it was at the start.
    ///
    /// # Safety
    /// `base` must be the address of a memory that [`Image::map`] of this image made and that is still
    /// mapped, and nothing else may use that memory meanwhile.
    pub(crate) unsafe fn restore(&self, base: *mut u8) -> io::Result<()> {
        for range in &self.treatment().cold {
            // SAFETY: the range lies within the memory, whose pages are all private.
            unsafe {
                madvise(base.add(range.start).cast(), range.len(), Advice::LinuxDontNeed)?;
            }
        }
        for range in &self.treatment().hot {
            // SAFETY: the range lies within the memory, which the caller owns.
            let page = unsafe { slice::from_raw_parts_mut(base.add(range.start), range.len()) };
            self.copy_pristine(range, page);
        }
        Ok(())
    }

    /// Copies what the image has at `range` to `to`.
    fn copy_pristine(&self, range: &Range<usize>, to: &mut [u8]) {
        let data = self.pristine.bytes();
        let (start, end) = (
            range.start.clamp(self.data.start, self.data.end),
            range.end.clamp(self.data.start, self.data.end),
        );
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
        memory[..self.data.start].iter().all(|&byte| byte == 0)
            && memory[self.data.clone()] == *self.pristine.bytes()
            && memory[self.data.end..].iter().all(|&byte| byte == 0)
    }

    /// The pages of the memory at `base` that have been written since it was mapped or restored.
    ///
    /// # Safety
    /// As for [`Image::restore`].
    pub(crate) unsafe fn written_pages(&self, base: *const u8) -> io::Result<Vec<usize>> {
        use std::os::unix::fs::FileExt;
        let map = File::open("/proc/self/pagemap")?;
        let mut entries = vec![0; self.size / PAGE * 8];
        map.read_exact_at(&mut entries, (base.addr() / PAGE * 8) as u64)?;
        let (entries, _) = entries.as_chunks::<8>();
        // Bit 63: present. Bit 62: swapped out. Bit 61: still the file's page.
        let written = entries.iter().enumerate().filter(|(_, entry)| {
            let bits = u64::from_le_bytes(**entry);
            bits >> 62 != 0 && bits >> 61 & 1 == 0
        });
        Ok(written.map(|(page, _)| page).collect())
    }
}

/// Address space that is unmapped when this is dropped.
#[derive(Debug)]
struct Mapping {
    base: *mut c_void,
    length: usize,
}

// SAFETY: a mapping is an address range, which means the same in every thread.
unsafe impl Send for Mapping {}
// SAFETY: shared access only reads the address, and the bytes of mappings that nobody writes.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves address space without access.
    fn reserve(length: usize) -> io::Result<Self> {
        // SAFETY: the kernel picks an unused range.
        let base = unsafe {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
            mmap_anonymous(ptr::null_mut(), length, ProtFlags::empty(), flags)?
        };
        Ok(Self { base, length })
    }

    /// Maps a sealed file for reading.
    fn of_file(file: &OwnedFd, length: usize) -> io::Result<Self> {
        // SAFETY: the kernel picks an unused range.
        let base =
            unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0)? };
        Ok(Self { base, length })
    }

    /// The bytes of a mapping made by [`Mapping::of_file`].
    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for reading, as long as `self`; the file is sealed against writing.
        unsafe { slice::from_raw_parts(self.base.cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value owns the range, and what borrowed from it is gone.
        let unmapped = unsafe { munmap(self.base, self.length) };
        debug_assert!(unmapped.is_ok(), "an owned range can be unmapped");
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
        let size = image.size();
        if minimum != size || maximum != Some(size) {
            return Err("the module's memory is not of the image's size".to_owned());
        }
        let length = reserved.unwrap_or(size).max(size) + guard;
        let mapping = image.map(length).map_err(|error| error.to_string())?;
        Ok(Box::new(Memory { mapping, size }))
    }
}

#[derive(Debug)]
struct Memory {
    mapping: Mapping,
    size: usize,
}

// SAFETY: `as_ptr` is page-aligned, `size` bytes behind it are mapped for reading and writing, and the
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
        self.mapping.base.cast()
    }
}
