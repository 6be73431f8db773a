//! The registry of code: all machine code of the process by address, readable without locks.
//!
//! Readers are signal handlers and failing host functions. A writer publishes a new sorted array
//! and frees the old one when no reader is left in it; readers only count themselves in and out.
//!
//! Writer and readers synchronise through the count of readers, which both change by
//! read-modify-write operations; these have one order. A reader that increments the count after the
//! writer has looked at it acquires the new array, which the writer published before. The writer sees
//! a reader that increments the count earlier, and waits.

use super::module::Module;
use crate::vm::sync::{self, AtomicPtr, AtomicUsize, Mutex, Ordering, Watch, yield_now};
use crate::vm::sys::Fault;
use precast_abi::artifact::HandlerDesc;
use precast_abi::trap::TrapCode;
use std::ptr;
use std::sync::Arc;

/// A range of code, as traps and backtraces need it.
pub(crate) trait CodeRange: Send + Sync {
    /// The handler of the call that returns to this text offset.
    fn handler(&self, ret: u32) -> Option<HandlerDesc>;

    /// The reason why the instruction at this text offset traps. Code whose trap table cannot be
    /// read derives it from the kind of fault.
    fn trap(&self, offset: u32, fault: Fault) -> Option<TrapCode>;

    /// Whether a host thunk starts at this text offset. A host thunk takes an importer's slot as its
    /// context.
    fn is_host_thunk(&self, _offset: u32) -> bool {
        false
    }

    /// The module that the code belongs to; none for a thunk made at run time.
    fn module(&self) -> Option<Arc<Module>> {
        None
    }
}

#[derive(Clone)]
struct Range {
    start: usize,
    end: usize,
    code: &'static dyn CodeRange,
}

/// Ranges by their starts.
#[derive(Default)]
struct Table {
    ranges: Vec<Range>,
    watch: Watch,
}

/// A set of ranges of code.
pub(in crate::vm) struct Registry {
    table: AtomicPtr<Table>,
    readers: AtomicUsize,
    writer: Mutex<()>,
}

sync::global! {
    static CODE: Registry = Registry::new();
}

/// Makes `code` known to the process for the addresses from `start` on.
///
/// # Safety
///
/// `code` must live until [`unregister`] with the same `start` has returned.
pub(in crate::vm) unsafe fn register(start: usize, len: usize, code: *const dyn CodeRange) {
    // SAFETY: by the contract.
    unsafe { CODE.register(start, len, code) }
}

/// Forgets the code that starts at `start`.
pub(in crate::vm) fn unregister(start: usize) {
    CODE.unregister(start);
}

/// Calls `f` with the code that holds `pc` and the offset of `pc` in it.
pub(in crate::vm) fn lookup<R>(pc: usize, f: impl FnOnce(&dyn CodeRange, u32) -> R) -> Option<R> {
    CODE.lookup(pc, f)
}

impl Registry {
    sync::constructor! {
        /// No code.
        pub(in crate::vm) fn new() -> Self {
            Registry {
                table: AtomicPtr::new(ptr::null_mut()),
                readers: AtomicUsize::new(0),
                writer: Mutex::new(()),
            }
        }
    }

    /// Makes `code` known for the addresses from `start` on.
    ///
    /// # Safety
    ///
    /// `code` must live until [`Registry::unregister`] with the same `start` has returned.
    pub(in crate::vm) unsafe fn register(
        &self,
        start: usize,
        len: usize,
        code: *const dyn CodeRange,
    ) {
        // SAFETY: by the contract the reference is not used after `unregister`.
        let code: &'static dyn CodeRange = unsafe { &*code };
        self.replace(|ranges| {
            let at = ranges.partition_point(|r| r.start < start);
            ranges.insert(at, Range { start, end: start + len, code });
        });
    }

    /// Forgets the code that starts at `start`.
    pub(in crate::vm) fn unregister(&self, start: usize) {
        self.replace(|ranges| ranges.retain(|r| r.start != start));
    }

    fn replace(&self, change: impl FnOnce(&mut Vec<Range>)) {
        let _one = self.writer.lock().unwrap_or_else(|e| e.into_inner());
        let old = self.table.load(Ordering::Acquire);
        // SAFETY: only writers free tables, and this is the only one.
        let mut ranges = unsafe { old.as_ref() }.map(|t| t.ranges.clone()).unwrap_or_default();
        change(&mut ranges);
        let new = Box::new(Table { ranges, watch: Watch::default() });
        self.table.store(Box::into_raw(new), Ordering::Release);
        // A load could overtake the store above, and miss a reader of the old table.
        while self.readers.fetch_add(0, Ordering::AcqRel) != 0 {
            // Readers are short, but may wait for this processor.
            yield_now();
        }
        if !old.is_null() {
            // SAFETY: no reader that could have loaded `old` is left, and new ones load the new
            // table.
            drop(unsafe { Box::from_raw(old) });
        }
    }

    /// Calls `f` with the code that holds `pc` and the offset of `pc` in it.
    pub(in crate::vm) fn lookup<R>(
        &self,
        pc: usize,
        f: impl FnOnce(&dyn CodeRange, u32) -> R,
    ) -> Option<R> {
        let reader = Reader::enter(&self.readers);
        let table = self.table.load(Ordering::Acquire);
        // SAFETY: this reader is counted, so the table is not freed until it leaves.
        let found = unsafe { table.as_ref() }.and_then(|table| {
            table.watch.read();
            let at = table.ranges.partition_point(|r| r.start <= pc).checked_sub(1)?;
            let range = &table.ranges[at];
            (pc < range.end).then(|| f(range.code, (pc - range.start) as u32))
        });
        drop(reader);
        found
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let table = self.table.load(Ordering::Acquire);
        if !table.is_null() {
            // SAFETY: nobody else has `self`, and the table is its own.
            drop(unsafe { Box::from_raw(table) });
        }
    }
}

/// A reader that is counted until this is dropped.
struct Reader<'a>(&'a AtomicUsize);

impl<'a> Reader<'a> {
    fn enter(readers: &'a AtomicUsize) -> Self {
        readers.fetch_add(1, Ordering::AcqRel);
        Reader(readers)
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Code whose handlers say which code it is.
    struct Named(TrapCode);

    impl CodeRange for Named {
        fn handler(&self, _: u32) -> Option<HandlerDesc> {
            None
        }

        fn trap(&self, _: u32, _: Fault) -> Option<TrapCode> {
            Some(self.0)
        }
    }

    const A: Named = Named(TrapCode::Unreachable);
    const B: Named = Named(TrapCode::StackOverflow);

    /// The code at an address and the offset in it.
    fn at(registry: &Registry, pc: usize) -> Option<(TrapCode, u32)> {
        let found = |code: &dyn CodeRange, offset| (code.trap(0, Fault::Arithmetic), offset);
        registry.lookup(pc, found).and_then(|(name, offset)| Some((name?, offset)))
    }

    #[test]
    fn an_address_belongs_to_the_range_around_it() {
        let registry = Registry::new();
        assert_eq!(at(&registry, 0x1000), None);
        // SAFETY: constants live for ever.
        unsafe {
            // The later range first: the table is sorted. The two touch each other.
            registry.register(0x2000, 0x10, &B);
            registry.register(0x1000, 0x1000, &A);
            registry.register(0x8000, 0, &A);
        }
        for (pc, expected) in [
            (0, None),
            (0xfff, None),
            (0x1000, Some((A.0, 0))),
            (0x1fff, Some((A.0, 0xfff))),
            (0x2000, Some((B.0, 0))),
            (0x200f, Some((B.0, 0xf))),
            (0x2010, None),
            (0x8000, None),
            (usize::MAX, None),
        ] {
            assert_eq!(at(&registry, pc), expected, "{pc:#x}");
        }
    }

    #[test]
    fn code_that_is_forgotten_is_not_found_and_its_addresses_are_free() {
        let registry = Registry::new();
        // SAFETY: constants live for ever.
        unsafe {
            registry.register(0x1000, 0x100, &A);
            registry.register(0x1100, 0x100, &A);
        }
        registry.unregister(0x1080);
        assert_eq!(at(&registry, 0x1080), Some((A.0, 0x80)), "no range starts there");
        registry.unregister(0x1000);
        assert_eq!(at(&registry, 0x1080), None);
        assert_eq!(at(&registry, 0x1180), Some((A.0, 0x80)));
        // SAFETY: as above.
        unsafe { registry.register(0x1000, 0x100, &B) };
        assert_eq!(at(&registry, 0x1080), Some((B.0, 0x80)));
    }
}
