//! `memcpy`, `memmove` and `memset` as loops.
//!
//! WebAssembly's bulk instructions cost one unit of fuel whatever their length, and each is a call
//! into the host's runtime. As loops, copying is metered by the byte like everything else, short
//! copies are several times faster, and no code outside the guest touches the guest's memory while it runs.

use core::arch::wasm32::{u8x16_splat, v128, v128_load, v128_store};

/// Copies forward.
///
/// # Safety
/// The contract of C's `memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: every access lies within `length` bytes of the caller's two pointers.
    unsafe {
        if length >= 16 {
            let mut at = 0;
            while at + 64 <= length {
                let (a, b) = (load(from, at), load(from, at + 16));
                let (c, d) = (load(from, at + 32), load(from, at + 48));
                store(to, at, a);
                store(to, at + 16, b);
                store(to, at + 32, c);
                store(to, at + 48, d);
                at += 64;
            }
            while at + 16 <= length {
                store(to, at, load(from, at));
                at += 16;
            }
            // The last, overlapping sixteen: a forward copy has not overwritten its source yet.
            let tail = length - 16;
            if at < length {
                store(to, tail, load(from, tail));
            }
        } else if length >= 8 {
            let last = from.add(length - 8).cast::<u64>().read_unaligned();
            let first = from.cast::<u64>().read_unaligned();
            to.cast::<u64>().write_unaligned(first);
            to.add(length - 8).cast::<u64>().write_unaligned(last);
        } else if length >= 4 {
            let last = from.add(length - 4).cast::<u32>().read_unaligned();
            let first = from.cast::<u32>().read_unaligned();
            to.cast::<u32>().write_unaligned(first);
            to.add(length - 4).cast::<u32>().write_unaligned(last);
        } else if length > 0 {
            let (first, middle, last) = (*from, *from.add(length / 2), *from.add(length - 1));
            *to = first;
            *to.add(length / 2) = middle;
            *to.add(length - 1) = last;
        }
    }
    to
}

/// Copies between ranges that may overlap.
///
/// # Safety
/// The contract of C's `memmove`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: every access lies within `length` bytes of the caller's two pointers.
    unsafe {
        let apart = to.addr().wrapping_sub(from.addr());
        if length < 16 || apart >= length && from.addr().wrapping_sub(to.addr()) >= length {
            // Short copies load everything before they store.
            return memcpy(to, from, length);
        }
        if apart < length {
            let first = load(from, 0);
            let mut at = length;
            while at >= 16 {
                at -= 16;
                store(to, at, load(from, at));
            }
            if at > 0 {
                store(to, 0, first);
            }
        } else {
            let last = load(from, length - 16);
            let mut at = 0;
            while at + 16 <= length {
                store(to, at, load(from, at));
                at += 16;
            }
            if at < length {
                store(to, length - 16, last);
            }
        }
    }
    to
}

/// Fills.
///
/// # Safety
/// The contract of C's `memset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
    // SAFETY: every access lies within `length` bytes of the caller's pointer.
    unsafe {
        if length >= 16 {
            let lanes = u8x16_splat(byte as u8);
            let mut at = 0;
            while at + 64 <= length {
                store(to, at, lanes);
                store(to, at + 16, lanes);
                store(to, at + 32, lanes);
                store(to, at + 48, lanes);
                at += 64;
            }
            while at + 16 <= length {
                store(to, at, lanes);
                at += 16;
            }
            store(to, length - 16, lanes);
        } else {
            let mut at = 0;
            while at < length {
                // Volatile, or the loop becomes a call of `memset`.
                to.add(at).write_volatile(byte as u8);
                at += 1;
            }
        }
    }
    to
}

/// # Safety
/// Sixteen bytes at `from + at` must be readable.
#[inline(always)]
unsafe fn load(from: *const u8, at: usize) -> v128 {
    // SAFETY: the caller's promise; the instruction takes any alignment.
    unsafe { v128_load(from.add(at).cast()) }
}

/// # Safety
/// Sixteen bytes at `to + at` must be writable.
#[inline(always)]
unsafe fn store(to: *mut u8, at: usize, lanes: v128) {
    // SAFETY: the caller's promise; the instruction takes any alignment.
    unsafe { v128_store(to.add(at).cast(), lanes) }
}
