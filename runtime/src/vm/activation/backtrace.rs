//! Backtraces: the functions that were running at a trap, with names.

use super::thread;
use crate::trap::{Frame, Trap};
use crate::vm::code::registry;
use crate::vm::store::Store;
use precast_abi::trap::TrapCode;

impl Store {
    /// The trap that the thread's record describes, with names. The cost grows with the number of
    /// frames, not with that of instances.
    pub(in crate::vm) fn describe_trap(&mut self) -> Trap {
        let raw = thread::raw_trap();
        let frames = raw.frames[..raw.len].iter().enumerate();
        let frames = frames.filter_map(|(i, &pc)| frame(pc, i == 0));
        let frames = frames.take(thread::MAX_FRAMES).collect();
        let element = match raw.code {
            TrapCode::UninitializedElement => self.take_trap_operand(&raw.registers),
            _ => None,
        };
        Trap::new(raw.code, element, frames)
    }
}

/// The function that a program counter lies in; none for thunks. A return address may be the first
/// byte behind its function, so it is looked up by the byte before.
pub(super) fn frame(pc: usize, innermost: bool) -> Option<Frame> {
    let found = registry::lookup(pc, |code, offset| code.module().map(|m| (m, offset)));
    let (module, code_offset) = found??;
    let inside = if innermost { code_offset } else { code_offset.checked_sub(1)? };
    let func_index = module.func_at(inside)?;
    Some(Frame {
        module: module.name().map(str::to_owned),
        func_index,
        func_name: module.func_name(func_index).map(str::to_owned),
        wasm_offset: module.wasm_offset(code_offset),
        code_offset,
    })
}
