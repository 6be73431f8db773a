//! Compiled functions: what is kept of the code generator's result until linking.

use crate::target::relocate;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::{CompiledCode, FinalizedMachExceptionHandler, ir};
use cranelift_module::{FuncId, ModuleReloc, ModuleRelocTarget};
use precast_abi::artifact::NONE;
use std::borrow::Cow;

/// Machine code, and what linking and the artifact need to know about it. Offsets are from the
/// start of the code.
pub(crate) struct CompiledFunction<'b> {
    pub(crate) code: Cow<'b, [u8]>,
    pub(crate) align: u32,
    /// Bytes of its frame, with return address and frame pointer; zero where it is not known.
    pub(crate) frame: u32,
    /// Where locations in the WebAssembly file are counted from: the start of the body.
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
    /// Where in the body it comes from, or [`NONE`].
    pub(crate) wasm: u32,
}

/// A call of WebAssembly.
pub(crate) struct Call {
    /// The offset it returns to.
    pub(crate) ret: u32,
    /// Where in the body it comes from.
    pub(crate) wasm: u32,
}

/// A call whose exceptional return is handled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handler {
    /// The offset the call returns to.
    pub ret: u32,
    /// The offset of the handler.
    pub handler: u32,
    /// Bytes from the frame pointer down to the stack pointer the handler expects.
    pub frame: u32,
}

impl CompiledFunction<'_> {
    /// Takes over what the code generator made of `func`, whose body starts at `base` in the
    /// WebAssembly file.
    pub(crate) fn new(compiled: &CompiledCode, func: &ir::Function, id: FuncId, base: u32) -> Self {
        let buffer = &compiled.buffer;
        let relocs = buffer.relocs().iter();
        let locations: Vec<_> = buffer.get_srclocs_sorted().iter().collect();
        // Traps and calls come in the order of the code, and so do locations.
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

    /// Code from elsewhere, about which nothing more is known.
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

/// The handlers of compiled code, which the entry thunks have one of.
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

/// A walk through the ranges of code that have a location.
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

/// What a relocation refers to.
#[derive(Clone, Copy)]
pub(crate) enum RelocTarget {
    Func(u32),
    Data(u32),
}

/// The target of a relocation; `None` for library functions, which no code here may need.
pub(crate) fn reloc_target(reloc: &ModuleReloc) -> Option<RelocTarget> {
    match reloc.name {
        ModuleRelocTarget::User { namespace: 0, index } => Some(RelocTarget::Func(index)),
        ModuleRelocTarget::User { namespace: 1, index } => Some(RelocTarget::Data(index)),
        _ => None,
    }
}

/// Writes the distance a relocation stands for into code at `at`; `None` when it does not fit or
/// the kind is not known.
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
