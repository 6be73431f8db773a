//! Bulk operators on linear memories. Stubs and the runtime execute them (see
//! `compiler/src/link/bulk_fast_path.rs`), except for short copies and fills of constant length,
//! which compilers emit to move a structure: these are inline.
//!
//! An inline copy is a few loads and then a few stores, which trap by themselves where a guard
//! follows the memory, and after a check where none does. If any byte is out of bounds, so is the
//! last one. So the last store is executed first: nothing is written if the operator must trap. If a
//! store that crosses into unmapped memory may write a part of its bytes, a load of the last byte
//! precedes it.

use super::{FuncTranslator, HeapAccess, memory};
use crate::link::bulk_fast_path;
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use precast_abi::builtin::Builtin;
use precast_abi::index::MemoryIndex;

/// The longest inline copy or fill.
const MAX_INLINE: u64 = 128;

impl FuncTranslator<'_, '_> {
    pub(super) fn memory_copy(&mut self, dst: u32, src: u32) {
        let (to, from, len) = self.pop3();
        if let Some(len) = self.inline_len(len) {
            return self.copy_inline((dst, to), (src, from), len);
        }
        let (dst, src) = (self.index(dst), self.index(src));
        let (to, from, len) = (self.widen(to), self.widen(from), self.widen(len));
        self.builtin(Builtin::MemoryCopy, &[dst, src, to, from, len]);
    }

    pub(super) fn memory_fill(&mut self, memory: u32) {
        let (to, byte, len) = self.pop3();
        if let Some(len) = self.inline_len(len) {
            return self.fill_inline((memory, to), byte, len);
        }
        let (memory, to, len) = (self.index(memory), self.widen(to), self.widen(len));
        self.builtin(Builtin::MemoryFill, &[memory, to, byte, len]);
    }

    pub(super) fn memory_init(&mut self, memory: u32, data: u32) {
        let (to, from, len) = self.pop3();
        let (memory, data, to) = (self.index(memory), self.index(data), self.widen(to));
        self.builtin(Builtin::MemoryInit, &[memory, data, to, from, len]);
    }

    pub(super) fn data_drop(&mut self, data: u32) {
        let data = self.index(data);
        self.builtin(Builtin::DataDrop, &[data]);
    }

    /// The length, if it is constant, short and not zero. An inline copy of length zero would have
    /// no access to check its bounds.
    fn inline_len(&self, len: Value) -> Option<u32> {
        let len = self.constant(len).filter(|len| (1..=MAX_INLINE).contains(len))?;
        Some(len as u32)
    }

    /// A run of `len` bytes of a memory from an index on.
    fn run(&mut self, (memory, index): (u32, Value), len: u32) -> HeapAccess {
        memory::access_at(self, MemoryIndex(memory), index, 0, len)
    }

    fn copy_inline(&mut self, to: (u32, Value), from: (u32, Value), len: u32) {
        let (to, from) = (self.run(to, len), self.run(from, len));
        let (ty, parts) = parts(len);
        let load = |at: &i32| self.builder.ins().load(ty, from.flags, from.addr, from.offset + at);
        let values: Vec<Value> = parts.iter().map(load).collect();
        self.probe_store(&to, len, ty.bytes());
        for (value, at) in values.into_iter().zip(parts).rev() {
            self.builder.ins().store(to.flags, value, to.addr, to.offset + at);
        }
    }

    fn fill_inline(&mut self, to: (u32, Value), byte: Value, len: u32) {
        let to = self.run(to, len);
        let (ty, parts) = parts(len);
        let byte = self.builder.ins().ireduce(types::I8, byte);
        let value = bulk_fast_path::repeat(&mut self.builder, byte, ty);
        self.probe_store(&to, len, ty.bytes());
        for at in parts.into_iter().rev() {
            self.builder.ins().store(to.flags, value, to.addr, to.offset + at);
        }
    }
}

/// Accesses of one type that cover a run of bytes: the type, and ascending offsets. They may
/// overlap, and the last covers the last byte.
fn parts(len: u32) -> (Type, Vec<i32>) {
    let ty = bulk_fast_path::bytes(1 << len.ilog2().min(4));
    let last = len - ty.bytes();
    let mut parts: Vec<i32> = (0..last as i32).step_by(ty.bytes() as usize).collect();
    parts.push(last as i32);
    (ty, parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_byte_and_no_more() {
        for len in 1..=MAX_INLINE as u32 {
            let (ty, parts) = parts(len);
            let mut end = 0;
            for &at in &parts {
                assert!(at <= end, "{len}: a gap");
                end = at + ty.bytes() as i32;
            }
            assert_eq!(end, len as i32);
            assert_eq!(parts.last(), parts.iter().max());
        }
    }
}
