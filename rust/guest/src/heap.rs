//! Two heaps, so that a fresh guest writes few of its old pages.
//!
//! Everything that start-up allocates lies in the first heap and is in the snapshot. The second heap
//! takes over before the first program: new objects lie together at its start instead of in holes
//! all over the old heap, and freeing an old object writes nothing. An allocation that would pass
//! the program's memory limit ends the program there and then, so that running out of memory is
//! the same verdict by every route.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

use azr_wire::Abort;
use dlmalloc::{Allocator, Dlmalloc};

const PAGE: usize = 64 * 1024;

#[global_allocator]
static HEAPS: Heaps = Heaps(UnsafeCell::new(State {
    first: Dlmalloc::new_with_allocator(Grow),
    second: Dlmalloc::new_with_allocator(Arena),
    start: usize::MAX,
    top: 0,
    limit: 0,
}));

struct Heaps(UnsafeCell<State>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Heaps {}

struct State {
    first: Dlmalloc<Grow>,
    second: Dlmalloc<Arena>,
    /// First address of the second heap; everything below is old. `usize::MAX` before it takes over.
    start: usize,
    /// End of what the second heap has taken.
    top: usize,
    /// What it may take.
    limit: usize,
}

/// Seals the first heap: from now on allocations come from fresh pages behind everything that
/// exists.
pub(crate) fn seal() {
    // SAFETY: one thread, and no reference into the state outlives a call of this module.
    let state = unsafe { &mut *HEAPS.0.get() };
    state.start = core::arch::wasm32::memory_size::<0>() * PAGE;
    state.top = state.start;
    state.limit = usize::MAX;
}

/// Seals what the second heap holds too: the memory becomes a snapshot, and the programs that start from
/// it get a second heap of their own behind it. The allocator's state of the old one is forgotten, so
/// nothing may be allocated or freed between this and the snapshot.
pub(crate) fn seal_again() {
    // SAFETY: as in `seal`.
    let state = unsafe { &mut *HEAPS.0.get() };
    state.start = state.top.next_multiple_of(PAGE);
    state.top = state.start;
    state.second = Dlmalloc::new_with_allocator(Arena);
}

/// Opens the second heap for one request: `shift` bytes into the fresh pages, `memory` bytes long.
pub(crate) fn open(memory: u32, shift: u32) {
    // SAFETY: as in `seal`.
    let state = unsafe { &mut *HEAPS.0.get() };
    state.top = state.start.saturating_add(shift as usize);
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE);
    state.limit = state.top.saturating_add(memory as usize).min(end);
}

/// Most bytes that the program has held at once, in whole allocator steps.
pub(crate) fn peak(shift: u32) -> u32 {
    // SAFETY: as in `seal`.
    let state = unsafe { &*HEAPS.0.get() };
    (state.top - state.start) as u32 - shift
}

// SAFETY: both heaps are dlmalloc, which keeps the contract of `GlobalAlloc`; a block goes back to the
// heap whose address range it lies in, and blocks of the sealed heap are never handed out again.
unsafe impl GlobalAlloc for Heaps {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread; `System` implementations below do not touch the dlmalloc fields.
        unsafe {
            let state = self.0.get();
            if (*state).start == usize::MAX {
                (*state).first.malloc(layout.size(), layout.align())
            } else {
                (*state).second.malloc(layout.size(), layout.align())
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the caller vouches for `block` and `layout`.
        unsafe {
            let state = self.0.get();
            if (*state).start == usize::MAX {
                (*state).first.free(block, layout.size(), layout.align());
            } else if block.addr() >= (*state).start {
                (*state).second.free(block, layout.size(), layout.align());
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe {
            let state = self.0.get();
            if (*state).start == usize::MAX {
                (*state).first.calloc(layout.size(), layout.align())
            } else {
                (*state).second.calloc(layout.size(), layout.align())
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`; a block of the sealed heap is copied out of it.
        unsafe {
            let state = self.0.get();
            if (*state).start == usize::MAX {
                return (*state).first.realloc(block, layout.size(), layout.align(), size);
            }
            if block.addr() >= (*state).start {
                return (*state).second.realloc(block, layout.size(), layout.align(), size);
            }
            let moved = (*state).second.malloc(size, layout.align());
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
            }
            moved
        }
    }
}

/// Memory for the first heap: the module's memory grows.
struct Grow;

// SAFETY: `alloc` hands out memory that nothing else has: what `memory.grow` just added.
unsafe impl Allocator for Grow {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let pages = size.div_ceil(PAGE);
        match core::arch::wasm32::memory_grow::<0>(pages) {
            usize::MAX => (ptr::null_mut(), 0, 0),
            page => (ptr::without_provenance_mut(page * PAGE), pages * PAGE, 0),
        }
    }
    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }
    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }
    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }
    fn can_release_part(&self, _: u32) -> bool {
        false
    }
    fn allocates_zeros(&self) -> bool {
        true
    }
    fn page_size(&self) -> usize {
        PAGE
    }
}

/// Memory for the second heap: the pages behind the snapshot, up to the request's limit.
struct Arena;

// SAFETY: `alloc` hands out memory that nothing else has: `top` only rises, and it starts behind
// everything that existed when the first heap was sealed.
unsafe impl Allocator for Arena {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // SAFETY: one thread; dlmalloc holds a reference to its own field, this takes the others.
        let state = HEAPS.0.get();
        let (top, limit) = unsafe { ((*state).top, (*state).limit) };
        if size > limit.saturating_sub(top) {
            crate::abort(Abort::Memory);
        }
        // SAFETY: as above.
        unsafe { (*state).top = top + size };
        (ptr::without_provenance_mut(top), size, 0)
    }
    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        ptr::null_mut()
    }
    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }
    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }
    fn can_release_part(&self, _: u32) -> bool {
        false
    }
    fn allocates_zeros(&self) -> bool {
        true
    }
    fn page_size(&self) -> usize {
        4096
    }
}
