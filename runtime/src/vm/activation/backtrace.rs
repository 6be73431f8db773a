//! Where a trap was, with names.

use crate::trap::{Frame, Trap};
use crate::vm::activation::thread;
use crate::vm::code::CodeMemory;
use crate::vm::store::{Member, Store};
use precast_abi::vmctx;

impl Store {
    /// The trap that the thread's record describes, with names.
    pub(in crate::vm) fn describe_trap(&mut self) -> Trap {
        let raw = thread::raw_trap();
        let frames = raw.frames[..raw.len].iter().enumerate();
        let frames = frames.filter_map(|(i, &pc)| self.frame(pc, i == 0));
        let frames = frames.take(thread::MAX_FRAMES).collect();
        let mut element = None;
        for member in &self.members {
            if let Member::Wasm(instance) = member {
                // SAFETY: invariant **context**.
                let operand: u64 = unsafe { instance.ctx.read(vmctx::TRAP_OPERAND) };
                if operand != 0 {
                    element = Some(operand - 1);
                    // SAFETY: invariant **context**.
                    unsafe { instance.ctx.write(vmctx::TRAP_OPERAND, 0u64) };
                }
            }
        }
        Trap::new(raw.code, element, frames)
    }

    /// The function a program counter lies in; none for thunks. A return address may be the
    /// first byte behind its function, so it is looked up by the byte before.
    fn frame(&self, pc: usize, innermost: bool) -> Option<Frame> {
        self.members.iter().find_map(|member| {
            let Member::Wasm(instance) = member else {
                return None;
            };
            let module = &instance.module;
            let code: &CodeMemory = module.code();
            let code_offset = code.offset_of(pc)?;
            let inside = if innermost { code_offset } else { code_offset.checked_sub(1)? };
            let func_index = module.func_at(inside)?;
            Some(Frame {
                module: module.name().map(str::to_owned),
                func_index,
                func_name: module.func_name(func_index).map(str::to_owned),
                wasm_offset: module.wasm_offset(code_offset),
                code_offset,
            })
        })
    }
}
