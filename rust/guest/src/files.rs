//! Files of a session: what they may take, and what the host is given of them. The rest is in Python, `azr_files`.

use core::cell::OnceCell;
use core::sync::atomic::{AtomicI64, Ordering::Relaxed};

use azr_wire::FileQuota;
use rustpython_vm::builtins::{PyByteArray, PyDict, PyStr};
use rustpython_vm::{PyRef, PyResult, VirtualMachine};

use crate::library;

/// Bytes of a path, as on Linux.
const PATH_BYTES: usize = 4096;

// Relaxed everywhere: the guest has one thread; atomics only spare `static mut`.
/// Bytes and entries that files may still take.
static BYTES_LEFT: AtomicI64 = AtomicI64::new(0);
static ENTRIES_LEFT: AtomicI64 = AtomicI64::new(0);
/// What files may take in all; none without files.
static QUOTA_BYTES: AtomicI64 = AtomicI64::new(0);
static QUOTA_ENTRIES: AtomicI64 = AtomicI64::new(0);

struct Once(OnceCell<PyRef<PyDict>>);

// SAFETY: the guest has one thread.
unsafe impl Sync for Once {}

/// `azr_files.files`: whatever a program does to the module's names, this is what its files are.
static FILES: Once = Once(OnceCell::new());

/// Finds what the snapshot must hold.
pub(crate) fn prepare(vm: &VirtualMachine) -> PyResult<()> {
    let files = library::import(vm, "azr_files")?.get_attr("files", vm)?;
    let files = files.downcast::<PyDict>().expect("files is a dict");
    assert!(FILES.0.set(files).is_ok(), "prepared once");
    Ok(())
}

/// Gives the session files that may take so much.
pub(crate) fn mount(vm: &VirtualMachine, quota: FileQuota) -> PyResult<()> {
    for (cells, most) in [([&QUOTA_BYTES, &BYTES_LEFT], quota.bytes), ([&QUOTA_ENTRIES, &ENTRIES_LEFT], quota.entries)]
    {
        cells.iter().for_each(|cell| cell.store(i64::from(most), Relaxed));
    }
    library::call(vm, "azr_files", "mount")?;
    Ok(())
}

/// The files as they are, without those below `/tmp`; none where they take more than they may. Runs no code of the program,
/// and trusts none: a name that is no absolute path without detours is left out.
pub(crate) fn collect() -> Option<Vec<(String, Vec<u8>)>> {
    let table = FILES.0.get().expect("prepared before the snapshot");
    let mut files = Vec::new();
    let mut bytes = 0_i64;
    for (name, content) in table.items_vec() {
        let (Some(name), Some(content)) = (name.downcast_ref::<PyStr>(), content.downcast_ref::<PyByteArray>()) else {
            continue;
        };
        let Some(path) = name.to_str().filter(|path| is_path(path) && !path.starts_with("/tmp/")) else {
            continue;
        };
        let content = content.borrow_buf();
        bytes += (path.len() + content.len()) as i64;
        if bytes > QUOTA_BYTES.load(Relaxed) || files.len() as i64 >= QUOTA_ENTRIES.load(Relaxed) {
            return None;
        }
        files.push((path.to_owned(), content.to_vec()));
    }
    files.sort();
    Some(files)
}

/// Whether a text is an absolute path that leads straight to a file.
fn is_path(text: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255 && !part.contains('\0');
    text.len() <= PATH_BYTES && text.strip_prefix('/').is_some_and(|path| path.split('/').all(part))
}

/// Takes from what files may still take, or gives back to it; whether there was as much.
pub(crate) fn charge(bytes: i64, entries: i64) -> bool {
    let left = |cell: &AtomicI64, amount: i64| cell.load(Relaxed).saturating_sub(amount);
    let (bytes_left, entries_left) = (left(&BYTES_LEFT, bytes), left(&ENTRIES_LEFT, entries));
    if bytes > 0 && bytes_left < 0 || entries > 0 && entries_left < 0 {
        return false;
    }
    BYTES_LEFT.store(bytes_left.min(QUOTA_BYTES.load(Relaxed)), Relaxed);
    ENTRIES_LEFT.store(entries_left.min(QUOTA_ENTRIES.load(Relaxed)), Relaxed);
    true
}
