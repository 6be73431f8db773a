//! Decoding of x86-64, with iced-x86.

use crate::listing::{Decoder, Flow, Names, Step};
use iced_x86::{
    Decoder as IcedDecoder, DecoderOptions, FlowControl, Formatter, Instruction, IntelFormatter,
    SymbolResolver, SymbolResult,
};

/// The decoder of x86-64.
pub(crate) struct X86_64;

impl Decoder for X86_64 {
    fn decode(&self, text: &[u8], at: u64) -> Option<Step> {
        let instruction = decode(text, at)?;
        let branch = || Some(instruction.near_branch_target());
        let (flow, target) = match instruction.flow_control() {
            FlowControl::Next | FlowControl::IndirectCall => (Flow::Next, None),
            FlowControl::Call => (Flow::Call, branch()),
            FlowControl::ConditionalBranch => (Flow::Branch, branch()),
            FlowControl::UnconditionalBranch => (Flow::Jump, branch()),
            FlowControl::IndirectBranch => (Flow::IndirectJump, None),
            FlowControl::Return | FlowControl::Exception => (Flow::End, None),
            _ => return None,
        };
        let data = instruction.is_ip_rel_memory_operand();
        let data = data.then(|| instruction.ip_rel_memory_address());
        Some(Step { len: instruction.len() as u64, flow, target, data })
    }

    fn format(&self, text: &[u8], at: u64, names: &Names) -> String {
        let instruction = decode(text, at).expect("it was decoded before");
        let resolver = Resolver(names.clone());
        let mut formatter = IntelFormatter::with_options(Some(Box::new(resolver)), None);
        let options = formatter.options_mut();
        options.set_hex_prefix("0x");
        options.set_hex_suffix("");
        options.set_uppercase_hex(false);
        options.set_space_after_operand_separator(true);
        options.set_rip_relative_addresses(true);
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        line
    }
}

fn decode(text: &[u8], at: u64) -> Option<Instruction> {
    let bytes = text.get(at as usize..)?;
    let mut decoder = IcedDecoder::with_ip(64, bytes, at, DecoderOptions::NONE);
    let instruction = decoder.decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// Gives the formatter the names of addresses.
struct Resolver(Names);

impl SymbolResolver for Resolver {
    fn symbol(
        &mut self,
        instruction: &Instruction,
        operand: u32,
        _: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let kind = instruction.op_kind(operand);
        let is_branch = kind == iced_x86::OpKind::NearBranch64;
        let is_data = kind == iced_x86::OpKind::Memory && instruction.is_ip_rel_memory_operand();
        let name = if is_branch || is_data { self.0.name(address) } else { None };
        name.map(|name| SymbolResult::with_string(address, name))
    }
}
