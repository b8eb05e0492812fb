//! Memories on Windows: reserved address space, of which as much is committed as the guest has memory.

#![expect(unsafe_code, reason = "maps memory; every block says why it is right")]

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::ptr;

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};

/// Bytes that memories start as.
#[derive(Debug)]
pub(crate) struct Contents(Vec<u8>);

impl Contents {
    /// `length` bytes, zero but for `bytes` at `at`.
    pub(crate) fn new(at: usize, bytes: &[u8], length: usize) -> io::Result<Self> {
        let mut contents = vec![0; length];
        contents[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(Self(contents))
    }

    /// All of them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Address space that is released when this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: *mut c_void,
    /// Bytes at its start that can be read and written.
    size: usize,
}

// SAFETY: a mapping is an address range, which means the same in every thread.
unsafe impl Send for Mapping {}
// SAFETY: shared access only reads the address.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves address space, with zeros at its start for reading and writing.
    pub(crate) fn zeros(size: usize, reservation: usize) -> io::Result<Self> {
        assert!(size <= reservation);
        // SAFETY: the system picks an unused range.
        let base = unsafe { VirtualAlloc(ptr::null(), reservation, MEM_RESERVE, PAGE_NOACCESS) };
        if base.is_null() {
            return Err(io::Error::last_os_error());
        }
        let memory = Self { base, size };
        // SAFETY: the range lies within the reservation, which nothing else uses yet.
        unsafe { commit(base, size)? };
        Ok(memory)
    }

    /// Has the bytes at an offset start as `contents`.
    pub(crate) fn start_as(&mut self, contents: &Contents, at: usize) -> io::Result<()> {
        let bytes = contents.bytes();
        assert!(at + bytes.len() <= self.size);
        // SAFETY: the range is committed, and this value is borrowed for this alone; contents lie elsewhere.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.base().add(at), bytes.len()) };
        Ok(())
    }

    /// Where it starts.
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value owns the range, and what borrowed from it is gone.
        let released = unsafe { VirtualFree(self.base, 0, MEM_RELEASE) };
        debug_assert!(released != 0, "an owned range can be released");
    }
}

/// Makes reserved pages readable and writable; those that were not are zero.
///
/// # Safety
/// The range must be one of whole pages of a mapping, and nothing else may use it meanwhile.
unsafe fn commit(at: *mut c_void, length: usize) -> io::Result<()> {
    // SAFETY: the caller owns the range.
    let base = unsafe { VirtualAlloc(at, length, MEM_COMMIT, PAGE_READWRITE) };
    if base.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes bytes zero, and gives their pages back to the system.
///
/// # Safety
/// The range must be one of whole pages of a mapping, and nothing else may use it meanwhile.
pub(crate) unsafe fn clear(at: *mut u8, length: usize) -> io::Result<()> {
    // To decommit no bytes would be to decommit all of the reservation.
    if length == 0 {
        return Ok(());
    }
    // SAFETY: the caller owns the range.
    if unsafe { VirtualFree(at.cast(), length, MEM_DECOMMIT) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    unsafe { commit(at.cast(), length) }
}

/// Large pages take a privilege here that few processes have.
pub(crate) fn enlarge(_: Range<*const u8>) -> bool {
    false
}
