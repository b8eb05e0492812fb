//! Two heaps, so that a fresh guest writes few of its old pages.
//!
//! Everything that start-up allocates lies in the first heap and is in the snapshot. The second heap
//! takes over before the first program: new objects lie together at its start instead of in holes
//! all over the old heap, and freeing an old object writes nothing. An allocation that would pass
//! the program's memory limit ends the program there and then, so that running out of memory is
//! the same verdict by every route.
//!
//! Most objects are small and die young. In the second heap they come from one list of free blocks for
//! each size and go back to it: a few instructions either way, no header beside the block, and what is
//! used again is memory that the program has written already. Larger ones are dlmalloc's.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

use azr_wire::Abort;
use dlmalloc::{Allocator, Dlmalloc};

const PAGE: usize = 64 * 1024;
/// Sizes of small blocks are rounded up to this; it is also their alignment.
const STEP: usize = 16;
/// Largest small block.
const SMALL: usize = 512;
/// What the lists of small blocks take from the arena at a time.
const CHUNK: usize = 4096;

#[global_allocator]
static HEAPS: Heaps = Heaps(UnsafeCell::new(State {
    first: Dlmalloc::new_with_allocator(Grow),
    second: Dlmalloc::new_with_allocator(Arena),
    small: Small { largest: 0, free: [ptr::null_mut(); SMALL / STEP], next: 0, end: 0 },
    start: usize::MAX,
    top: 0,
    limit: 0,
    opened: 0,
    held: 0,
    collect_at: COLLECT_STEP,
    handed: 0,
}));

struct Heaps(UnsafeCell<State>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Heaps {}

struct State {
    first: Dlmalloc<Grow>,
    second: Dlmalloc<Arena>,
    small: Small,
    /// First address of the second heap; everything below is old. `usize::MAX` before it takes over.
    start: usize,
    /// End of what the second heap has taken.
    top: usize,
    /// What it may take.
    limit: usize,
    /// What it might take when it was opened.
    opened: usize,
    /// Bytes of its blocks that are not small.
    held: usize,
    /// From how many on garbage is looked for.
    collect_at: usize,
    /// Bytes of such blocks that were handed out since garbage was looked for.
    handed: usize,
}

/// By how much more is held, at least, before garbage is looked for: cycles of few large objects are no reason for the
/// collector, which counts objects.
const COLLECT_STEP: usize = 32 << 20;

impl State {
    /// Notes a block that is not small.
    #[inline]
    fn hold(&mut self, size: usize) {
        self.held += size;
        self.handed = self.handed.saturating_add(size);
        if self.held > self.collect_at {
            self.collect();
        }
    }

    /// Notes that such a block is free.
    #[inline]
    fn let_go(&mut self, size: usize) {
        self.held -= size;
        self.collect_at = self.collect_at.min(self.held + (self.held / 2).max(2 * COLLECT_STEP));
    }

    /// Has garbage looked for, unless less was handed out since the last time than half of what there is to look
    /// through: so all looking takes time in proportion to what is handed out.
    #[cold]
    #[inline(never)]
    fn collect(&mut self) {
        if self.start == usize::MAX || self.handed < (self.top - self.start) / 2 {
            return;
        }
        self.handed = 0;
        self.collect_at = self.held + (self.held / 2).max(COLLECT_STEP);
        rustpython_vm::gc_state::collect_soon();
    }
}

/// Free small blocks of the second heap, by size; the first word of each says where the next one is.
struct Small {
    /// Largest size that is served here: nothing before the second heap takes over.
    largest: usize,
    free: [*mut u8; SMALL / STEP],
    /// What is left of the chunk that new blocks are cut from.
    next: usize,
    end: usize,
}

impl Small {
    fn serves(&self, layout: Layout) -> bool {
        layout.size() <= self.largest && layout.align() <= STEP
    }

    /// # Safety
    /// `size` must be served, and not zero: layouts of zero bytes are never allocated.
    #[inline]
    unsafe fn alloc(&mut self, size: usize) -> *mut u8 {
        let class = (size - 1) / STEP;
        let block = self.free[class];
        if block.is_null() {
            return self.cut((class + 1) * STEP);
        }
        // SAFETY: what is on a list is a free block of this class, which holds the next one's address.
        self.free[class] = unsafe { block.cast::<*mut u8>().read() };
        block
    }

    /// # Safety
    /// `block` must be one that `alloc` gave for a size of the same class, and used no longer.
    #[inline]
    unsafe fn free(&mut self, block: *mut u8, size: usize) {
        let class = (size - 1) / STEP;
        // SAFETY: a block is at least a step long and aligned to one; the caller gave it up.
        unsafe { block.cast::<*mut u8>().write(self.free[class]) };
        self.free[class] = block;
    }

    /// A new block. What is left of a chunk that is too short for it stays unused: at most `SMALL` bytes.
    #[cold]
    fn cut(&mut self, bytes: usize) -> *mut u8 {
        if self.end - self.next < bytes {
            let (chunk, ..) = Arena.alloc(CHUNK);
            self.next = chunk.addr().next_multiple_of(STEP);
            self.end = chunk.addr() + CHUNK;
        }
        let block = self.next;
        self.next += bytes;
        ptr::without_provenance_mut(block)
    }
}

/// Seals the first heap: from now on allocations come from fresh pages behind everything that
/// exists.
pub(crate) fn seal() {
    // SAFETY: one thread, and no reference into the state outlives a call of this module.
    let state = unsafe { &mut *HEAPS.0.get() };
    state.start = core::arch::wasm32::memory_size::<0>() * PAGE;
    state.top = state.start;
    state.limit = usize::MAX;
    state.small.largest = SMALL;
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
    state.held = 0;
    state.collect_at = COLLECT_STEP;
    state.handed = 0;
    state.small = Small { largest: SMALL, free: [ptr::null_mut(); SMALL / STEP], next: 0, end: 0 };
}

/// Opens the second heap for one request: `shift` bytes into the fresh pages, `memory` bytes long.
pub(crate) fn open(memory: u32, shift: u32) {
    // SAFETY: as in `seal`.
    let state = unsafe { &mut *HEAPS.0.get() };
    state.top = state.start.saturating_add(shift as usize);
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE);
    state.limit = state.top.saturating_add(memory as usize).min(end);
    state.opened = state.limit;
}

/// Lets one request at a time of a session take `bytes` more than the session may.
pub(crate) fn allow(bytes: u32) {
    // SAFETY: as in `seal`.
    let state = unsafe { &mut *HEAPS.0.get() };
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE);
    state.limit = state.limit.max(state.opened.saturating_add(bytes as usize)).min(end);
}

/// Lets the request that is open take `bytes` more.
pub(crate) fn extend(bytes: u32) {
    // SAFETY: as in `seal`.
    let state = unsafe { &mut *HEAPS.0.get() };
    let end = core::arch::wasm32::memory_size::<0>().saturating_mul(PAGE);
    state.limit = state.limit.saturating_add(bytes as usize).min(end);
}

/// Most bytes that the program has held at once, in whole allocator steps.
pub(crate) fn peak(shift: u32) -> u32 {
    // SAFETY: as in `seal`.
    let state = unsafe { &*HEAPS.0.get() };
    (state.top - state.start) as u32 - shift
}

// SAFETY: dlmalloc keeps the contract of `GlobalAlloc`, and so do the lists of small blocks: no block is
// on a list twice or in use while it is on one. A block goes back to where it came from, which its size,
// its alignment and its address tell; blocks of the sealed heap are never handed out again.
unsafe impl GlobalAlloc for Heaps {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread; the allocators below touch no field that is borrowed here.
        unsafe {
            let state = self.0.get();
            if (*state).small.serves(layout) {
                (*state).small.alloc(layout.size())
            } else if (*state).start == usize::MAX {
                (*state).first.malloc(layout.size(), layout.align())
            } else {
                (*state).hold(layout.size());
                (*state).second.malloc(layout.size(), layout.align())
            }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the caller vouches for `block` and `layout`.
        unsafe {
            let state = self.0.get();
            if block.addr() >= (*state).start {
                if (*state).small.serves(layout) {
                    (*state).small.free(block, layout.size());
                } else {
                    (*state).let_go(layout.size());
                    (*state).second.free(block, layout.size(), layout.align());
                }
            } else if (*state).start == usize::MAX {
                (*state).first.free(block, layout.size(), layout.align());
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe {
            let state = self.0.get();
            if (*state).small.serves(layout) {
                let block = (*state).small.alloc(layout.size());
                block.write_bytes(0, layout.size());
                block
            } else if (*state).start == usize::MAX {
                (*state).first.calloc(layout.size(), layout.align())
            } else {
                (*state).hold(layout.size());
                (*state).second.calloc(layout.size(), layout.align())
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`; a block that changes its heap or its class is copied.
        unsafe {
            let state = self.0.get();
            if (*state).start == usize::MAX {
                return (*state).first.realloc(block, layout.size(), layout.align(), size);
            }
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            if block.addr() >= (*state).start {
                match ((*state).small.serves(layout), (*state).small.serves(wanted)) {
                    (false, false) => {
                        (*state).let_go(layout.size());
                        (*state).hold(size);
                        return (*state).second.realloc(block, layout.size(), layout.align(), size);
                    }
                    (true, true) if (layout.size() - 1) / STEP == (size - 1) / STEP => return block,
                    _ => {}
                }
            }
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
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
        // SAFETY: one thread; dlmalloc and the small blocks hold a reference to their own field, this takes
        // the others.
        let state = HEAPS.0.get();
        let (top, limit) = unsafe { ((*state).top, (*state).limit) };
        if size > limit.saturating_sub(top) {
            crate::abort::abort(Abort::Memory);
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
