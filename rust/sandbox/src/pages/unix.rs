//! Memories on Unix: private mappings of a file without a name.

#![expect(unsafe_code, reason = "maps memory; every block says why it is right")]

use std::ffi::c_void;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::{ptr, slice};

use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

/// Bytes that memories start as: a file that nobody can change any more, and a view of it.
#[derive(Debug)]
pub(crate) struct Contents {
    file: OwnedFd,
    view: Mapping,
}

impl Contents {
    /// `length` bytes, zero but for `bytes` at `at`.
    pub(crate) fn new(at: usize, bytes: &[u8], length: usize) -> io::Result<Self> {
        let mut file = nameless()?;
        file.set_len(length as u64)?;
        file.seek(SeekFrom::Start(at as u64))?;
        file.write_all(bytes)?;
        let file = OwnedFd::from(file);
        seal(&file)?;
        let view = Mapping::of_file(&file, length)?;
        Ok(Self { file, view })
    }

    /// All of them.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for reading, as long as `self`; nobody writes to the file.
        unsafe { slice::from_raw_parts(self.view.base.cast(), self.view.length) }
    }
}

/// An empty file in memory.
#[cfg(target_os = "linux")]
fn nameless() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(File::from(memfd_create("azr-guest", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?))
}

/// From here on nothing in this process can change the file either.
#[cfg(target_os = "linux")]
fn seal(file: &OwnedFd) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let seals = SealFlags::SEAL | SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK;
    Ok(fcntl_add_seals(file, seals)?)
}

/// An empty file of the user's folder for temporary files, which has lost its name.
#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    use std::sync::atomic::{AtomicU64, Ordering};
    static MADE: AtomicU64 = AtomicU64::new(0);
    loop {
        // Relaxed: only the number counts, and it is taken once.
        let name = format!("azr-guest-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        match File::options().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            // Someone else's, or left behind by a process of the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

/// Without a name, and with no other descriptor, the file is this value's alone: there is nothing to seal.
#[cfg(not(target_os = "linux"))]
fn seal(_: &OwnedFd) -> io::Result<()> {
    Ok(())
}

/// Address space that is unmapped when this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
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

    /// Reserves address space, with zeros at its start for reading and writing.
    pub(crate) fn zeros(size: usize, reservation: usize) -> io::Result<Self> {
        assert!(size <= reservation);
        let memory = Self::reserve(reservation)?;
        // SAFETY: the range lies within the reservation, which nothing else uses yet.
        unsafe { map_zeros(memory.base, size)? };
        Ok(memory)
    }

    /// Has the bytes at an offset start as `contents`, shared until they are written.
    pub(crate) fn start_as(&mut self, contents: &Contents, at: usize) -> io::Result<()> {
        assert!(at + contents.view.length <= self.length);
        let read_write = ProtFlags::READ | ProtFlags::WRITE;
        let private = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
        // SAFETY: the range lies within the mapping, which is borrowed for this alone; FIXED replaces that part and
        // nothing else.
        unsafe { mmap(self.base.byte_add(at), contents.view.length, read_write, private, &contents.file, 0)? };
        Ok(())
    }

    /// Maps a file that nobody changes, for reading.
    fn of_file(file: &OwnedFd, length: usize) -> io::Result<Self> {
        // SAFETY: the kernel picks an unused range.
        let base = unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0)? };
        Ok(Self { base, length })
    }

    /// Where it starts.
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value owns the range, and what borrowed from it is gone.
        let unmapped = unsafe { munmap(self.base, self.length) };
        debug_assert!(unmapped.is_ok(), "an owned range can be unmapped");
    }
}

/// Maps zeros in the place of what is there.
///
/// # Safety
/// The range must be a mapping's, of whole pages, and nothing else may use it meanwhile.
unsafe fn map_zeros(at: *mut c_void, length: usize) -> rustix::io::Result<()> {
    let private = MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE;
    // SAFETY: the caller owns the range.
    unsafe { mmap_anonymous(at, length, ProtFlags::READ | ProtFlags::WRITE, private)? };
    Ok(())
}

/// Makes bytes zero, and gives their pages back to the system.
///
/// # Safety
/// The range must be one of whole pages of a mapping, of zeros at first, and nothing else may use it meanwhile.
pub(crate) unsafe fn clear(at: *mut u8, length: usize) -> io::Result<()> {
    // Elsewhere advice may leave the bytes what they are.
    #[cfg(target_os = "linux")]
    // SAFETY: the caller owns the range, whose pages are private and of no file.
    unsafe {
        rustix::mm::madvise(at.cast(), length, rustix::mm::Advice::LinuxDontNeed)?;
    }
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the caller owns the range.
    unsafe {
        map_zeros(at.cast(), length)?;
    }
    Ok(())
}

/// Has the system keep bytes in large pages, where it can: Linux since 6.1, if enough of them lie in one such page.
/// Whether it did: nothing but time depends on it, so a system that declines is no error.
pub(crate) fn enlarge(bytes: Range<*const u8>) -> bool {
    #[cfg(target_os = "linux")]
    {
        /// `madvise(2)`; libc names it for glibc alone.
        const MADV_COLLAPSE: libc::c_int = 25;
        let address = bytes.start.align_offset(LARGE);
        let length = (bytes.end.addr() - bytes.start.addr()).saturating_sub(address) / LARGE * LARGE;
        let start = bytes.start.wrapping_add(address).cast_mut().cast();
        // SAFETY: only moves pages: what the bytes are, and what may be done with them, stays.
        length > 0 && unsafe { libc::madvise(start, length, MADV_COLLAPSE) } == 0
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bytes;
        false
    }
}

/// Bytes of a large page, on x86-64 and (with small pages of 4 KiB) on aarch64.
#[cfg(target_os = "linux")]
const LARGE: usize = 2 << 20;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{LARGE, Mapping, enlarge};

    /// Bytes in large pages of the mapping that an address lies in.
    fn enlarged(address: usize) -> usize {
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("procfs is there");
        let mut inside = false;
        for line in smaps.lines() {
            let (first, rest) = line.split_once(' ').expect("every line has several words");
            if let Some((from, to)) = first.split_once('-') {
                let number = |text| usize::from_str_radix(text, 16).expect("an address");
                inside = (number(from)..number(to)).contains(&address);
            } else if inside && first == "AnonHugePages:" {
                let size: usize = rest.trim().trim_end_matches(" kB").parse().expect("a size");
                return size << 10;
            }
        }
        0
    }

    #[test]
    fn bytes_in_large_pages_are_what_they_were_and_so_are_those_beside() {
        let memory = Mapping::zeros(4 * LARGE, 4 * LARGE).expect("address space is there");
        // SAFETY: mapped for reading and writing as long as `memory`, and nothing else uses it.
        let bytes = unsafe { std::slice::from_raw_parts_mut(memory.base(), 4 * LARGE) };
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(at % 251).expect("less than 251");
        }
        let moved = enlarge(bytes[100..4 * LARGE - 100].as_ptr_range());
        assert!(bytes.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251));
        // Kernels before 6.1, and those without large pages, decline.
        let large = enlarged(memory.base().addr() + 2 * LARGE);
        assert!(!moved || large >= 2 * LARGE, "{large} bytes");
        assert!(!enlarge(bytes[..LARGE / 2].as_ptr_range()), "half a page is none");
        assert!(!enlarge(bytes[..0].as_ptr_range()));
    }
}
