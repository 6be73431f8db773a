//! All machine code of the process, found by address, without locks.
//!
//! Readers are signal handlers and failing host functions. A writer publishes a new sorted array
//! and frees the old one when no reader is left in it; readers only count themselves in and out.

use precast_abi::artifact::HandlerDesc;
use precast_abi::trap::TrapCode;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering, fence};

/// What must be known of a range of code when something stops in it.
pub(crate) trait CodeRange: Send + Sync {
    /// The handler of the call that returns to this text offset.
    fn handler(&self, ret: u32) -> Option<HandlerDesc>;

    /// Why the instruction at this text offset traps. `fault` says what the machine noticed,
    /// for code whose trap table cannot be read.
    fn trap(&self, offset: u32, fault: Fault) -> Option<TrapCode>;

    /// Whether a host thunk starts at this text offset, which takes an importer's slot as its
    /// context.
    fn is_host_thunk(&self, _offset: u32) -> bool {
        false
    }
}

/// What the machine noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// An access to the address.
    Memory(usize),
    /// Division by zero, or a quotient that does not fit.
    Arithmetic,
    /// An instruction that only stops.
    Instruction,
}

#[derive(Clone)]
struct Range {
    start: usize,
    end: usize,
    code: &'static dyn CodeRange,
}

type Table = Vec<Range>;

static TABLE: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
static READERS: AtomicUsize = AtomicUsize::new(0);
static WRITER: Mutex<()> = Mutex::new(());

/// Makes `code` known for the addresses from `start` on.
///
/// # Safety
///
/// `code` must live until [`unregister`] with the same `start` has returned.
pub(super) unsafe fn register(start: usize, len: usize, code: *const dyn CodeRange) {
    // SAFETY: by the contract the reference is not used after `unregister`.
    let code: &'static dyn CodeRange = unsafe { &*code };
    replace(|table| {
        let at = table.partition_point(|r| r.start < start);
        table.insert(at, Range { start, end: start + len, code });
    });
}

/// Forgets the code that starts at `start`.
pub(super) fn unregister(start: usize) {
    replace(|table| table.retain(|r| r.start != start));
}

fn replace(change: impl FnOnce(&mut Table)) {
    let _one = WRITER.lock().unwrap_or_else(|e| e.into_inner());
    let old = TABLE.load(Ordering::Acquire);
    // SAFETY: only writers free tables, and this is the only one.
    let mut table = unsafe { old.as_ref() }.cloned().unwrap_or_default();
    change(&mut table);
    TABLE.store(Box::into_raw(Box::new(table)), Ordering::SeqCst);
    // The orderings are enough by the memory model, but QEMU lets the load below overtake the store
    // when it emulates AArch64 on x86-64, and a reader of the old table is missed.
    fence(Ordering::SeqCst);
    while READERS.load(Ordering::SeqCst) != 0 {
        // Readers are short, but may be waiting for this processor.
        std::thread::yield_now();
    }
    if !old.is_null() {
        // SAFETY: no reader that could have loaded `old` is left, and new ones load the new table.
        drop(unsafe { Box::from_raw(old) });
    }
}

/// Calls `f` with the code that holds `pc` and the offset of `pc` in it.
pub(super) fn lookup<R>(pc: usize, f: impl FnOnce(&dyn CodeRange, u32) -> R) -> Option<R> {
    READERS.fetch_add(1, Ordering::SeqCst);
    let table = TABLE.load(Ordering::SeqCst);
    // SAFETY: this reader is counted, so the table is not freed until it leaves.
    let found = unsafe { table.as_ref() }.and_then(|table| {
        let at = table.partition_point(|r| r.start <= pc).checked_sub(1)?;
        let range = &table[at];
        (pc < range.end).then(|| f(range.code, (pc - range.start) as u32))
    });
    READERS.fetch_sub(1, Ordering::SeqCst);
    found
}
