//! Decoding of aarch64, with yaxpeax-arm.

use crate::listing::{Decoder, Flow, Names, Step};
use yaxpeax_arch::{Decoder as _, U8Reader};
use yaxpeax_arm::armv8::a64::{InstDecoder, Instruction, Opcode, Operand, ShiftStyle, SizeCode};

/// The decoder of aarch64.
pub(crate) struct Aarch64;

impl Decoder for Aarch64 {
    fn decode(&self, text: &[u8], at: u64) -> Option<Step> {
        let instruction = decode(text, at)?;
        let offset = instruction.operands.iter().find_map(pc_offset);
        let target = offset.map(|offset| at.wrapping_add_signed(offset));
        let (flow, is_data) = match instruction.opcode {
            Opcode::BL => (Flow::Call, false),
            Opcode::B => (Flow::Jump, false),
            Opcode::BR => (Flow::IndirectJump, false),
            Opcode::RET | Opcode::UDF | Opcode::BRK => (Flow::End, false),
            Opcode::Bcc(_) | Opcode::CBZ | Opcode::CBNZ | Opcode::TBZ | Opcode::TBNZ => {
                (Flow::Branch, false)
            }
            _ => (Flow::Next, true),
        };
        let page = instruction.opcode == Opcode::ADRP;
        let data = if page { paged(text, at) } else { target.filter(|_| is_data) };
        Some(Step { len: 4, flow, target: target.filter(|_| !is_data), data })
    }

    fn format(&self, text: &[u8], at: u64, names: &Names) -> String {
        let instruction = decode(text, at).expect("it was decoded before");
        let line = extended(&instruction, duplicated(instruction.to_string()));
        // The low bits of an address whose page the instruction before has computed.
        let before = at.checked_sub(4).and_then(|before| paged(text, before));
        if let Some(name) = before.and_then(|address| names.name(address)) {
            let (operands, _) = line.rsplit_once('#').expect("an addition of a constant");
            return format!("{operands}low bits of {name}");
        }
        let target = match (instruction.opcode, instruction.operands.iter().find_map(pc_offset)) {
            (Opcode::ADRP, _) => paged(text, at),
            (_, offset) => offset.map(|offset| at.wrapping_add_signed(offset)),
        };
        let name = target.and_then(|target| names.name(target));
        match (name, line.split_once('$')) {
            (Some(name), Some((operands, _))) if instruction.opcode == Opcode::ADRP => {
                format!("{operands}page of {name}")
            }
            (Some(name), Some((operands, _))) => format!("{operands}{name}"),
            _ => line,
        }
    }
}

fn decode(text: &[u8], at: u64) -> Option<Instruction> {
    let bytes = text.get(at as usize..at as usize + 4)?;
    let mut instruction = Instruction::default();
    let mut reader = U8Reader::new(bytes);
    InstDecoder::default().decode_into(&mut instruction, &mut reader).ok()?;
    Some(instruction)
}

fn pc_offset(operand: &Operand) -> Option<i64> {
    match operand {
        Operand::PCOffset(offset) => Some(*offset),
        _ => None,
    }
}

/// The address that `adrp` at `at` and the addition behind it compute.
fn paged(text: &[u8], at: u64) -> Option<u64> {
    let (page, low) = (decode(text, at)?, decode(text, at + 4)?);
    if page.opcode != Opcode::ADRP || low.opcode != Opcode::ADD {
        return None;
    }
    let offset = page.operands.iter().find_map(pc_offset)?;
    let low = low.operands.iter().find_map(|operand| match operand {
        Operand::Immediate(low) => Some(u64::from(*low)),
        _ => None,
    });
    Some((at & !0xfff).wrapping_add_signed(offset) + low?)
}

/// The decoder leaves out the extension of a 32-bit register that is added to a 64-bit one, when
/// it is by zeros.
fn extended(instruction: &Instruction, line: String) -> String {
    let wide = |operand: &Operand| {
        matches!(operand, Operand::Register(SizeCode::X, _) | Operand::RegisterOrSP(SizeCode::X, _))
    };
    let by_zeros = |operand: &Operand| {
        matches!(operand, Operand::RegShift(ShiftStyle::LSL, _, SizeCode::W, _))
    };
    let operands = &instruction.operands;
    if !(operands.iter().any(wide) && operands.iter().any(by_zeros)) {
        return line;
    }
    match line.split_once(", lsl ") {
        Some((registers, amount)) => format!("{registers}, uxtw {amount}"),
        None => line + ", uxtw",
    }
}

/// The decoder writes `mov` for a `dup` of one lane to all.
fn duplicated(line: String) -> String {
    let mut words = line.split([' ', ',']).filter(|word| !word.is_empty());
    let (name, to, from) = (words.next(), words.next(), words.next());
    let lanes = to.is_some_and(|to| to.starts_with('v') && to.contains('.') && !to.ends_with(']'));
    match name == Some("mov") && lanes && from.is_some_and(|from| from.ends_with(']')) {
        true => line.replacen("mov", "dup", 1),
        false => line,
    }
}
