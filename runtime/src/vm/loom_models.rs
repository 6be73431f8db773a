//! Models of the lock-free structures: loom runs them in every order of steps, and with every value
//! that a load may give by the memory model.
//!
//! `tests/loom.sh` runs them.

use super::code::registry::{CodeRange, Registry};
use super::memory::ranges::Ranges;
use super::sys::Fault;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;
use precast_abi::artifact::HandlerDesc;
use precast_abi::trap::TrapCode;

/// Code that knows its traps until it is freed.
struct Code {
    trap: UnsafeCell<TrapCode>,
}

// SAFETY: loom fails a model in which accesses to the cell race.
unsafe impl Sync for Code {}
// SAFETY: as above.
unsafe impl Send for Code {}

impl CodeRange for Code {
    fn handler(&self, _ret: u32) -> Option<HandlerDesc> {
        None
    }

    fn trap(&self, _offset: u32, _fault: Fault) -> Option<TrapCode> {
        // SAFETY: the cell is only written by dropping it, which loom sees.
        Some(self.trap.with(|trap| unsafe { *trap }))
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // A write, so that a reader which does not happen before is a failure of the model.
        self.trap.with_mut(|_| ());
    }
}

/// Code of 16 bytes in a registry while it lives, as `CodeMemory` is.
struct Loaded {
    registry: Arc<Registry>,
    start: usize,
    _code: Box<Code>,
}

impl Loaded {
    fn new(registry: &Arc<Registry>, start: usize, trap: TrapCode) -> Self {
        let code = Box::new(Code { trap: UnsafeCell::new(trap) });
        // SAFETY: Drop unregisters before the code is dropped.
        unsafe { registry.register(start, 16, &raw const *code as *const dyn CodeRange) };
        Loaded { registry: registry.clone(), start, _code: code }
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.registry.unregister(self.start);
    }
}

/// The lookup that a signal handler makes.
fn trap_at(registry: &Registry, pc: usize) -> Option<TrapCode> {
    registry.lookup(pc, |code, offset| code.trap(offset, Fault::Instruction)).flatten()
}

/// Runs a model with at most so many preemptions of a thread in one run.
fn model(preemptions: usize, run: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(run);
}

const A: TrapCode = TrapCode::Unreachable;
const B: TrapCode = TrapCode::StackOverflow;

#[test]
fn code_and_tables_outlive_their_readers() {
    model(3, || {
        let registry = Arc::new(Registry::new());
        let loaded = Loaded::new(&registry, 0x1000, A);
        let reader = thread::spawn({
            let registry = registry.clone();
            move || {
                let found = trap_at(&registry, 0x1008);
                assert!(found.is_none() || found == Some(A));
            }
        });
        drop(loaded);
        assert_eq!(trap_at(&registry, 0x1008), None);
        reader.join().unwrap();
    });
}

#[test]
fn code_that_runs_is_found_while_other_code_comes_and_goes() {
    model(3, || {
        let registry = Arc::new(Registry::new());
        let _running = Loaded::new(&registry, 0x1000, A);
        let reader = thread::spawn({
            let registry = registry.clone();
            move || {
                assert_eq!(trap_at(&registry, 0x1008), Some(A));
                assert_eq!(trap_at(&registry, 0x1010), None);
            }
        });
        drop(Loaded::new(&registry, 0x0100, B));
        reader.join().unwrap();
    });
}

#[test]
fn two_readers_leave_in_any_order() {
    model(2, || {
        let registry = Arc::new(Registry::new());
        let loaded = Loaded::new(&registry, 0x1000, A);
        let readers = [0x1000, 0x100f].map(|pc| {
            let registry = registry.clone();
            thread::spawn(move || trap_at(&registry, pc))
        });
        drop(loaded);
        for reader in readers {
            let found = reader.join().unwrap();
            assert!(found.is_none() || found == Some(A));
        }
    });
}

#[test]
fn two_writers_lose_nothing() {
    model(2, || {
        let registry = Arc::new(Registry::new());
        let writer = thread::spawn({
            let registry = registry.clone();
            move || Loaded::new(&registry, 0x1000, A)
        });
        let second = Loaded::new(&registry, 0x2000, B);
        let first = writer.join().unwrap();
        assert_eq!(trap_at(&registry, 0x1000), Some(A));
        assert_eq!(trap_at(&registry, 0x2000), Some(B));
        drop(second);
        assert_eq!(trap_at(&registry, 0x1000), Some(A));
        drop(first);
    });
}

/// A reader that fails if it combines the start of 10..20 with the end of 30..40.
fn look_between(ranges: &Arc<Ranges>) -> thread::JoinHandle<()> {
    let ranges = ranges.clone();
    thread::spawn(move || assert!(!ranges.contains(25), "an address between two ranges"))
}

#[test]
fn a_reader_never_combines_the_bounds_of_two_ranges() {
    model(3, || {
        let ranges = Arc::new(Ranges::new());
        let first = ranges.insert(10, 20);
        let reader = look_between(&ranges);
        ranges.remove(first, 10);
        ranges.insert(30, 40);
        reader.join().unwrap();
    });
}

/// The first range comes back after the second, so that its start is the same before and after a
/// reader takes the end.
#[test]
fn a_reader_notices_that_a_range_went_and_came_back() {
    model(3, || {
        let ranges = Arc::new(Ranges::new());
        let first = ranges.insert(10, 20);
        let reader = look_between(&ranges);
        ranges.remove(first, 10);
        let second = ranges.insert(30, 40);
        ranges.remove(second, 30);
        ranges.insert(10, 15);
        reader.join().unwrap();
    });
}

#[test]
fn a_range_that_lives_is_found_while_others_come_and_go() {
    model(3, || {
        let ranges = Arc::new(Ranges::new());
        let first = ranges.insert(30, 40);
        ranges.insert(10, 20);
        let reader = thread::spawn({
            let ranges = ranges.clone();
            move || assert!(ranges.contains(10) && ranges.contains(19) && !ranges.contains(20))
        });
        ranges.remove(first, 30);
        ranges.insert(50, 60);
        reader.join().unwrap();
    });
}

/// The hint where free entries are may be wrong. It never makes the list grow without need.
#[test]
fn an_entry_that_is_freed_meanwhile_is_found_again() {
    model(3, || {
        let ranges = Arc::new(Ranges::new());
        let first = ranges.insert(10, 20);
        let second = ranges.insert(30, 40);
        let writer = thread::spawn({
            let ranges = ranges.clone();
            move || ranges.remove(first, 10)
        });
        ranges.remove(second, 30);
        ranges.insert(50, 60);
        writer.join().unwrap();
        assert!(ranges.insert(70, 80) < 2, "one of two entries is free");
        assert!(ranges.contains(55) && ranges.contains(75));
    });
}

#[test]
fn two_writers_never_share_an_entry() {
    model(2, || {
        let ranges = Arc::new(Ranges::new());
        let writer = thread::spawn({
            let ranges = ranges.clone();
            move || ranges.insert(10, 20)
        });
        let first = ranges.insert(30, 40);
        ranges.insert(50, 60);
        ranges.remove(first, 30);
        writer.join().unwrap();
        let found = [15, 35, 55].map(|address| ranges.contains(address));
        assert_eq!(found, [true, false, true]);
    });
}
