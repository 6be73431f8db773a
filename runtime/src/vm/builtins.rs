//! Builtins: functions that machine code calls for instructions that it does not do inline.

use super::instance::context::Context;
use super::instance::{self, ModuleInstance};
use super::speculation;
use super::table::TableData;
use precast_abi::builtin::Builtin;

/// An entry of the table: a function address. The signatures are those of [`Builtin`].
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Entry(*const ());

// SAFETY: addresses of functions are the same on all threads.
unsafe impl Sync for Entry {}

/// All builtins, in the order of [`Builtin::ALL`].
pub(super) static TABLE: [Entry; Builtin::ALL.len()] = {
    let mut table = [Entry(std::ptr::null()); Builtin::ALL.len()];
    let mut i = 0;
    while i < table.len() {
        table[i] = Entry(match Builtin::ALL[i] {
            Builtin::MemoryGrow => memory_grow as *const (),
            Builtin::MemoryCopy => memory_copy as *const (),
            Builtin::MemoryFill => memory_fill as *const (),
            Builtin::MemoryInit => memory_init as *const (),
            Builtin::DataDrop => data_drop as *const (),
            Builtin::TableGrow => table_grow as *const (),
            Builtin::TableFill => table_fill as *const (),
            Builtin::TableCopy => table_copy as *const (),
            Builtin::TableInit => table_init as *const (),
            Builtin::ElemDrop => elem_drop as *const (),
        });
        i += 1;
    }
    table
};

/// The result of a builtin that can trap.
fn status(ok: bool) -> u32 {
    u32::from(!ok)
}

/// The instance whose code is calling.
fn caller<'a>(ctx: Context) -> &'a ModuleInstance {
    // SAFETY: machine code passes its own context, and while it waits for the builtin nothing
    // else uses the instance.
    unsafe { instance::of(ctx) }
}

/// The first byte and the length of a memory. Two memories of an instance may be the same one, so
/// there is no reference to the bytes.
fn bytes(ctx: Context, index: u32) -> (*mut u8, u64) {
    let memory = caller(ctx).memories[index as usize];
    // SAFETY: invariant **store**: an instance's memories live as long as it.
    unsafe {
        let def = (*memory).def();
        ((*def).base, (*def).len)
    }
}

fn table(ctx: Context, index: u32) -> *mut TableData {
    caller(ctx).tables[index as usize]
}

/// `start..start + len` if it lies in `0..size`.
fn range(start: u64, len: u64, size: u64) -> Option<std::ops::Range<usize>> {
    speculation::range(start, len, size)
}

extern "C" fn memory_grow(ctx: Context, index: u32, delta: u64) -> u64 {
    let (store, memory) = (caller(ctx).store, caller(ctx).memories[index as usize]);
    // SAFETY: nothing else uses the store while machine code waits.
    unsafe { (*store.as_ptr()).grow_memory(memory, delta) }.unwrap_or(u64::MAX)
}

extern "C" fn memory_copy(ctx: Context, to: u32, from: u32, at: u64, of: u64, len: u64) -> u32 {
    let ((target, target_len), (source, source_len)) = (bytes(ctx, to), bytes(ctx, from));
    let (Some(at), Some(of)) = (range(at, len, target_len), range(of, len, source_len)) else {
        return status(false);
    };
    // SAFETY: both ranges were checked; they may overlap. Nothing else uses the memories while
    // machine code waits for the builtin.
    unsafe { target.add(at.start).copy_from(source.add(of.start), of.len()) };
    status(true)
}

extern "C" fn memory_fill(ctx: Context, index: u32, at: u64, byte: u32, len: u64) -> u32 {
    let (base, size) = bytes(ctx, index);
    let Some(range) = range(at, len, size) else { return status(false) };
    // SAFETY: the range was checked; nothing else uses the memory while machine code waits.
    unsafe { base.add(range.start).write_bytes(byte as u8, range.len()) };
    status(true)
}

extern "C" fn memory_init(ctx: Context, index: u32, data: u32, at: u64, of: u32, len: u32) -> u32 {
    status(caller(ctx).init_memory(index, data, at, of.into(), len.into(), false))
}

extern "C" fn data_drop(ctx: Context, data: u32) {
    caller(ctx).dropped_data[data as usize].set(true);
}

extern "C" fn table_grow(ctx: Context, index: u32, delta: u64, value: u64) -> u64 {
    let (store, table) = (caller(ctx).store, table(ctx, index));
    // SAFETY: as in `memory_grow`; machine code passes a reference of the table's type.
    unsafe { (*store.as_ptr()).grow_elements(table, delta, value) }.unwrap_or(u64::MAX)
}

extern "C" fn table_fill(ctx: Context, index: u32, at: u64, value: u64, len: u64) -> u32 {
    // SAFETY: as in `bytes`; machine code passes a reference of the table's type.
    status(unsafe { (*table(ctx, index)).fill(at, value, len) })
}

extern "C" fn table_copy(ctx: Context, to: u32, from: u32, at: u64, of: u64, len: u64) -> u32 {
    let (to, from) = (table(ctx, to), table(ctx, from));
    // SAFETY: as in `bytes`; validation checked that the element types agree.
    status(unsafe { TableData::copy(to, from, at, of, len) })
}

extern "C" fn table_init(ctx: Context, index: u32, elem: u32, at: u64, of: u32, len: u32) -> u32 {
    status(caller(ctx).init_table(index, elem, at, of.into(), len.into(), false))
}

extern "C" fn elem_drop(ctx: Context, elem: u32) {
    caller(ctx).dropped_elems[elem as usize].set(true);
}
