//! Compiled functions: machine code, and the records that linking and the artifact need.

use crate::target::relocate;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::{CompiledCode, FinalizedMachExceptionHandler, ir};
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use precast_abi::artifact::NONE;
use std::borrow::Cow;

/// The machine code of a function, and its records. Offsets are from the start of the code.
pub(crate) struct CompiledFunction<'b> {
    pub(crate) code: Cow<'b, [u8]>,
    pub(crate) align: u32,
    /// Bytes of its frame, with return address and frame pointer; zero if unknown.
    pub(crate) frame: u32,
    /// Offset of the body in the WebAssembly file; locations are relative to it.
    pub(crate) base: u32,
    pub(crate) relocs: Box<[ModuleReloc]>,
    pub(crate) traps: Box<[Trap]>,
    pub(crate) calls: Box<[Call]>,
    pub(crate) handlers: Box<[Handler]>,
}

/// An instruction that may trap.
pub(crate) struct Trap {
    pub(crate) offset: u32,
    pub(crate) code: u8,
    /// Location in the body, or [`NONE`].
    pub(crate) wasm: u32,
}

/// A call that WebAssembly makes.
pub(crate) struct Call {
    /// The offset that the call returns to.
    pub(crate) ret: u32,
    /// Location in the body.
    pub(crate) wasm: u32,
}

/// A call whose exceptional return is handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The offset that the call returns to.
    pub ret: u32,
    /// The offset of the handler.
    pub handler: u32,
    /// Bytes from the frame pointer down to the stack pointer the handler expects.
    pub frame: u32,
}

impl CompiledFunction<'_> {
    /// Copies the result of compiling `func`, whose body starts at `base` in the WebAssembly file.
    pub(crate) fn new(compiled: &CompiledCode, func: &ir::Function, id: FuncId, base: u32) -> Self {
        let buffer = &compiled.buffer;
        let relocs = buffer.relocs().iter();
        let locations: Vec<_> = buffer.get_srclocs_sorted().iter().collect();
        // Traps, calls and locations are all sorted by offset.
        let mut locate = Locations { ranges: &locations, next: 0, base };
        let traps = buffer.traps().iter().map(|trap| Trap {
            offset: trap.offset,
            code: trap.code.as_raw().get(),
            wasm: locate.at(trap.offset),
        });
        let traps = traps.collect();
        let mut locate = Locations { ranges: &locations, next: 0, base };
        let calls = buffer.call_sites().filter_map(|site| {
            let wasm = locate.at(site.ret_addr - 1);
            (wasm != NONE).then_some(Call { ret: site.ret_addr, wasm })
        });
        CompiledFunction {
            code: Cow::Owned(buffer.data().into()),
            align: buffer.alignment,
            frame: buffer.frame_layout().map_or(0, |frame| frame.frame_to_fp_offset + 16),
            base,
            relocs: relocs.map(|reloc| ModuleReloc::from_mach_reloc(reloc, func, id)).collect(),
            traps,
            calls: calls.collect(),
            handlers: handlers(compiled).into(),
        }
    }

    /// A function from code and relocations alone.
    pub(crate) fn from_bytes(code: &[u8], align: u32, relocs: &[ModuleReloc]) -> Self {
        CompiledFunction {
            code: Cow::Owned(code.into()),
            align,
            frame: 0,
            base: 0,
            relocs: relocs.into(),
            traps: Box::default(),
            calls: Box::default(),
            handlers: Box::default(),
        }
    }
}

/// The exception handlers of compiled code. An entry thunk has one; other code has none.
pub fn handlers(compiled: &CompiledCode) -> Vec<Handler> {
    let mut handlers = Vec::new();
    for site in compiled.buffer.call_sites() {
        for handler in site.exception_handlers {
            if let FinalizedMachExceptionHandler::Default(handler) = *handler {
                let frame = site.frame_offset.unwrap_or(0);
                handlers.push(Handler { ret: site.ret_addr, handler, frame });
            }
        }
    }
    handlers
}

/// A cursor over the ranges of code that have a location.
struct Locations<'a> {
    ranges: &'a [&'a cranelift_codegen::MachSrcLoc<cranelift_codegen::Final>],
    next: usize,
    base: u32,
}

impl Locations<'_> {
    fn at(&mut self, offset: u32) -> u32 {
        while self.ranges.get(self.next).is_some_and(|range| range.end <= offset) {
            self.next += 1;
        }
        let range = self.ranges.get(self.next).filter(|range| range.start <= offset);
        range
            .filter(|range| !range.loc.is_default())
            .map_or(NONE, |range| range.loc.bits() - self.base)
    }
}

/// The function or data object that a relocation refers to, by its number.
#[derive(Clone, Copy)]
pub(crate) enum RelocTarget {
    Func(u32),
    Data(u32),
}

/// The target of a relocation; `None` for a library function, since artifacts have none.
pub(crate) fn reloc_target(reloc: &ModuleReloc) -> Option<RelocTarget> {
    match reloc.name {
        ModuleRelocTarget::User { namespace: 0, index } => Some(RelocTarget::Func(index)),
        ModuleRelocTarget::User { namespace: 1, index } => Some(RelocTarget::Data(index)),
        _ => None,
    }
}

/// Resolves a relocation in the code at `at`; `None` if the distance does not fit or the kind is
/// unknown.
pub(crate) fn patch(
    text: &mut [u8],
    at: usize,
    kind: Reloc,
    target: i64,
    addend: i64,
) -> Option<()> {
    let place: &mut [u8; 4] = text.get_mut(at..at + 4)?.try_into().ok()?;
    let word = u32::from_le_bytes(*place);
    let patched = relocate(word, at as i64, kind, target + addend)?;
    *place = patched.to_le_bytes();
    Some(())
}
