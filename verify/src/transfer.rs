//! Transfer functions: what an instruction does to the state.

use crate::access::Way;
use crate::error::{Failure, fail, show};
use crate::prover::{Next, Prover};
use crate::state::{Flags, RSP, State, VECTOR};
use crate::value::{Id, Node, Place, Range};
use iced_x86::{FlowControl, Instruction, Mnemonic, OpAccess, OpKind, Register};

/// Whether an access of an operand may write it.
pub(crate) fn writes(access: OpAccess) -> bool {
    !matches!(access, OpAccess::None | OpAccess::Read | OpAccess::CondRead | OpAccess::NoMemAccess)
}

/// The place of a general register of 32 or 64 bits, and its bytes.
fn general(register: Register) -> Option<(usize, u64)> {
    (register.is_gpr64() || register.is_gpr32())
        .then(|| (register.full_register().number(), register.size() as u64))
}

fn vector(register: Register) -> Option<usize> {
    (register.is_xmm() && register.number() < 16).then(|| VECTOR as usize + register.number())
}

/// The bytes of an operand.
fn operand_size(ins: &Instruction, op: u32) -> u64 {
    match ins.op_kind(op) {
        OpKind::Register => ins.op_register(op).size() as u64,
        _ => ins.memory_size().size() as u64,
    }
}

impl Prover<'_> {
    /// Executes an instruction.
    pub(crate) fn step(&mut self, st: &mut State, ins: &Instruction) -> Result<Next, Failure> {
        use Mnemonic::*;
        if ins.flow_control() != FlowControl::Next {
            return self.flow(st, ins);
        }
        match ins.mnemonic() {
            Mov => self.mov(st, ins)?,
            Movdqu | Movups | Movupd | Movdqa | Movaps | Movapd | Vmovdqu | Vmovups | Vmovupd
            | Vmovdqa | Vmovaps | Vmovapd
                if ins.op_count() == 2 =>
            {
                self.mov_vector(st, ins)?
            }
            Lea => self.lea(st, ins)?,
            Movsxd => self.movsxd(st, ins)?,
            Movzx => {
                let range = Range::of(0, (1 << (8 * operand_size(ins, 1).min(7))) - 1);
                self.other(st, ins)?;
                self.bound(st, ins, range)?;
            }
            Add | Sub => self.add(st, ins)?,
            And | Shl | Shr | Xor | Or => self.bits(st, ins)?,
            Pxor | Xorps | Xorpd | Vpxor | Vxorps | Vxorpd => {
                let last = ins.op_count() - 1;
                let same = ins.op_kind(last) == OpKind::Register
                    && ins.op_register(last) == ins.op_register(last - 1);
                match vector(ins.op0_register()).filter(|_| same) {
                    Some(place) => st.fixed[place] = self.values.constant(0),
                    None => self.other(st, ins)?,
                }
            }
            Imul if ins.op_count() == 3 => self.multiply(st, ins)?,
            Cmp | Test => self.compare(st, ins)?,
            Push => {
                let Some((place, 8)) = general(ins.op0_register()) else {
                    return fail("a push of a register");
                };
                let id = st.fixed[place];
                self.move_stack(st, -8)?;
                let sp = st.fixed[RSP];
                self.access(st, sp, 8, Way::Store(Some(id)))?;
            }
            Pop => {
                let Some((place, 8)) = general(ins.op0_register()) else {
                    return fail("a pop into a register");
                };
                show(place != RSP, "a pop into another register")?;
                let sp = st.fixed[RSP];
                let id = self.access(st, sp, 8, Way::Load)?;
                self.move_stack(st, 8)?;
                st.fixed[place] = id;
            }
            Div | Idiv => {
                self.frame_is_walkable(st)?;
                self.other(st, ins)?;
            }
            mnemonic if is_cmov(mnemonic) => self.cmov(st, ins)?,
            _ => self.other(st, ins)?,
        }
        Ok(Next::Fall)
    }

    /// An instruction of the list without a transfer function of its own.
    fn other(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let memory: Vec<(OpAccess, u64)> = {
            let info = self.infos.info(ins);
            info.used_memory().iter().map(|m| (m.access(), m.memory_size().size() as u64)).collect()
        };
        for (access, size) in memory {
            show(size > 0, "an access of known size")?;
            let address = self.address(st, ins)?;
            let way = if writes(access) { Way::Store(None) } else { Way::Load };
            self.access(st, address, size, way)?;
        }
        self.pure(st, ins)
    }

    /// Bounds what the last instruction has put in its first operand.
    fn bound(&mut self, st: &mut State, ins: &Instruction, range: Range) -> Result<(), Failure> {
        if let Some((place, _)) = general(ins.op0_register()) {
            st.fixed[place] = self.fresh(128 + place as Place, range);
        }
        Ok(())
    }

    /// The address of the memory operand.
    pub(crate) fn address(&mut self, st: &State, ins: &Instruction) -> Result<Id, Failure> {
        if ins.is_ip_rel_memory_operand() {
            show(ins.memory_base() == Register::RIP, "a 64-bit address")?;
            return Ok(self.values.get(Node::Image(ins.ip_rel_memory_address())));
        }
        let (base, index) = (ins.memory_base(), ins.memory_index());
        let wide = |r: Register| r == Register::None || r.is_gpr64();
        show(wide(base) && wide(index), "a 64-bit address")?;
        let mut sum = self.values.constant(0);
        if base != Register::None {
            sum = st.fixed[base.number()];
        }
        if index != Register::None {
            let scale = ins.memory_index_scale().trailing_zeros() as u8;
            let scaled = self.values.shl(st.fixed[index.number()], scale);
            let Some(total) = scaled.and_then(|scaled| self.values.sum(sum, scaled)) else {
                return Ok(self.fresh(192, Range::ALL));
            };
            sum = total;
        }
        let total = self.values.plus(sum, ins.memory_displacement64() as i64);
        Ok(total.unwrap_or_else(|| self.fresh(192, Range::ALL)))
    }

    /// The value of an operand of 4 or 8 bytes, as 64 bits.
    fn operand(
        &mut self,
        st: &mut State,
        ins: &Instruction,
        op: u32,
        size: u64,
    ) -> Result<Option<Id>, Failure> {
        match ins.op_kind(op) {
            OpKind::Register => {
                let Some((place, _)) = general(ins.op_register(op)) else { return Ok(None) };
                let id = st.fixed[place];
                Ok(Some(if size == 4 { self.low(id) } else { id }))
            }
            OpKind::Memory => {
                let address = self.address(st, ins)?;
                let id = self.access(st, address, ins.memory_size().size() as u64, Way::Load)?;
                Ok((size >= 4).then_some(id))
            }
            _ => {
                let mask = if size == 4 { u64::from(u32::MAX) } else { u64::MAX };
                let Ok(imm) = ins.try_immediate(op) else { return fail("an operand") };
                Ok(Some(self.values.constant(imm & mask)))
            }
        }
    }

    /// Writes a general register; a value of 4 bytes is extended with zeros.
    fn set(&mut self, st: &mut State, place: usize, id: Id) -> Result<(), Failure> {
        st.fixed[place] = id;
        if place == RSP {
            let at = self.stack_offset(st)?;
            st.forget_slots(i64::MIN / 2, at);
        }
        Ok(())
    }

    pub(crate) fn move_stack(&mut self, st: &mut State, by: i64) -> Result<(), Failure> {
        let Some(sp) = self.values.plus(st.fixed[RSP], by) else {
            return fail("the stack pointer is known");
        };
        self.set(st, RSP, sp)
    }

    fn mov(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let size = operand_size(ins, 0);
        if ins.op0_kind() == OpKind::Register {
            let Some((place, size)) = general(ins.op0_register()) else {
                return self.other(st, ins);
            };
            let Some(id) = self.operand(st, ins, 1, size)? else { return self.other(st, ins) };
            return self.set(st, place, id);
        }
        let value = if size >= 4 { self.operand(st, ins, 1, size)? } else { None };
        let address = self.address(st, ins)?;
        self.access(st, address, size, Way::Store(value))?;
        Ok(())
    }

    fn mov_vector(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        match (vector(ins.op0_register()), vector(ins.op1_register())) {
            (Some(to), Some(from)) => st.fixed[to] = st.fixed[from],
            (Some(to), None) if ins.op1_kind() == OpKind::Memory => {
                let address = self.address(st, ins)?;
                st.fixed[to] = self.access(st, address, 16, Way::Load)?;
            }
            (None, Some(from)) if ins.op0_kind() == OpKind::Memory => {
                let address = self.address(st, ins)?;
                self.access(st, address, 16, Way::Store(Some(st.fixed[from])))?;
            }
            _ => return self.other(st, ins),
        }
        Ok(())
    }

    fn lea(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let Some((place, size)) = general(ins.op0_register()) else {
            return fail("an address in a register");
        };
        let id = self.address(st, ins)?;
        let id = if size == 4 { self.low(id) } else { id };
        self.set(st, place, id)
    }

    fn movsxd(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        if ins.op1_kind() == OpKind::Memory {
            let Some((place, 8)) = general(ins.op0_register()) else { return self.other(st, ins) };
            let address = self.address(st, ins)?;
            let id = self.access(st, address, 4, Way::Load)?;
            let id = match self.values.node(id) {
                Node::Const(c) => self.values.constant(c as u32 as i32 as u64),
                Node::Dispatch(at, index, by, offset) => {
                    self.values.get(Node::Dispatch(at, index, by, offset & 0x7f))
                }
                _ => self.fresh(place as Place, Range::ALL),
            };
            return self.set(st, place, id);
        }
        self.other(st, ins)
    }

    fn add(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let subtract = ins.mnemonic() == Mnemonic::Sub;
        let general = general(ins.op0_register()).filter(|_| ins.op0_kind() == OpKind::Register);
        let Some((place, size)) = general else { return self.other(st, ins) };
        let Some(a) = self.operand(st, ins, 0, size)? else { return self.other(st, ins) };
        let Some(b) = self.operand(st, ins, 1, size)? else { return self.other(st, ins) };
        let sum = match (subtract, self.values.node(b)) {
            (true, Node::Const(c)) => self.values.plus(a, (c as i64).wrapping_neg()),
            (true, _) => None,
            (false, _) => self.values.sum(a, b),
        };
        let id = match (sum, size) {
            (Some(id), 8) => id,
            (Some(id), _) => match self.values.node(id) {
                // Without a carry the sum is the value itself.
                Node::Plus(of, c)
                    if st.range(&self.values, of).hi.saturating_add_signed(c)
                        <= u64::from(u32::MAX)
                        && c > 0 =>
                {
                    id
                }
                _ => self.low(id),
            },
            (None, 8) => self.fresh(place as Place, Range::ALL),
            (None, _) => self.fresh(place as Place, Range::LOW),
        };
        st.flags = if subtract { Flags::Compare(a, b) } else { Flags::Zero(id) };
        self.set(st, place, id)
    }

    fn bits(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        use Mnemonic::*;
        let general = general(ins.op0_register()).filter(|_| ins.op0_kind() == OpKind::Register);
        let Some((place, size)) = general else { return self.other(st, ins) };
        if ins.mnemonic() == Xor
            && ins.op1_kind() == OpKind::Register
            && ins.op1_register() == ins.op0_register()
        {
            st.flags = Flags::Unknown;
            let zero = self.values.constant(0);
            return self.set(st, place, zero);
        }
        let Some(a) = self.operand(st, ins, 0, size)? else { return fail("an operand") };
        // Only the count matters to a shift.
        let b = match ins.op1_kind() {
            OpKind::Register if ins.op1_register() == Register::CL => Some(st.fixed[1]),
            _ => self.operand(st, ins, 1, size)?,
        };
        let top = if size == 4 { Range::LOW } else { Range::ALL };
        let (x, y) = (st.range(&self.values, a), b.map_or(top, |b| st.range(&self.values, b)));
        let by = y.single().map(|by| (by & (size * 8 - 1)) as u8);
        let whole = |bits: u64| if bits == 0 { 0 } else { u64::MAX >> bits.leading_zeros() };
        let exact = match (ins.mnemonic(), by) {
            (Shl, Some(by)) if size == 8 || x.hi <= u64::from(u32::MAX) >> by => {
                self.values.shl(a, by)
            }
            _ => None,
        };
        let range = match (ins.mnemonic(), by) {
            (And, _) => Range::of(0, x.hi.min(y.hi)),
            (Shr, Some(by)) => Range::of(x.lo >> by, x.hi >> by),
            (Shr, None) => Range::of(0, x.hi),
            (Or | Xor, _) => Range::of(0, whole(x.hi | y.hi)),
            _ => top,
        };
        let id = match exact {
            Some(id) => id,
            None => self.fresh(place as Place, range.meet(top)),
        };
        // A shift by zero leaves the flags of an earlier instruction.
        st.flags =
            if matches!(ins.mnemonic(), Shl | Shr) { Flags::Unknown } else { Flags::Zero(id) };
        show(place != RSP, "no arithmetic on the stack pointer")?;
        self.set(st, place, id)
    }

    /// A product with a constant, which is a shift if the constant is a power of two.
    fn multiply(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let Some((place, size)) = general(ins.op0_register()) else { return self.other(st, ins) };
        if size == 4 {
            // A register of 4 bytes that is written has zeros above.
            self.other(st, ins)?;
            return self.bound(st, ins, Range::LOW);
        }
        let factor = ins.try_immediate(2).ok().filter(|c| c.is_power_of_two() && *c <= 32);
        let Some(factor) = factor.filter(|_| ins.op1_kind() == OpKind::Register) else {
            return self.other(st, ins);
        };
        let Some(a) = self.operand(st, ins, 1, size)? else { return self.other(st, ins) };
        let Some(id) = self.values.shl(a, factor.trailing_zeros() as u8) else {
            return self.other(st, ins);
        };
        st.flags = Flags::Unknown;
        show(place != RSP, "no arithmetic on the stack pointer")?;
        self.set(st, place, id)
    }

    fn compare(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let size = operand_size(ins, 0);
        let a = self.operand(st, ins, 0, size)?;
        let b = self.operand(st, ins, 1, size)?;
        st.flags = match (a, b) {
            _ if size < 4 => Flags::Unknown,
            (Some(a), Some(b)) if ins.mnemonic() == Mnemonic::Cmp => Flags::Compare(a, b),
            (Some(a), Some(b)) if a == b => Flags::Zero(a),
            _ => Flags::Unknown,
        };
        Ok(())
    }

    fn cmov(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let Some((place, size)) = general(ins.op0_register()) else {
            return fail("a move of 4 or 8 bytes");
        };
        show(place != RSP, "no conditional move of the stack pointer")?;
        let Some(from) = self.operand(st, ins, 1, size)? else {
            return fail("a move of 4 or 8 bytes");
        };
        let old = st.fixed[place];
        let old = if size == 4 { self.low(old) } else { old };
        let code = ins.condition_code();
        let (mut moved, mut kept) = (st.clone(), st.clone());
        let may_move = moved.assume(&self.values, code, true);
        let may_keep = kept.assume(&self.values, code, false);
        st.fixed[place] = match (may_move, may_keep) {
            _ if from == old => from,
            (true, false) => from,
            (false, _) => old,
            (true, true) => {
                let range = moved.range(&self.values, from).hull(kept.range(&self.values, old));
                let refs = self.refs(from).and(self.refs(old));
                self.values.define(Node::Def(self.at, place as Place), range, refs)
            }
        };
        Ok(())
    }
}

fn is_cmov(mnemonic: Mnemonic) -> bool {
    use Mnemonic::*;
    matches!(
        mnemonic,
        Cmova
            | Cmovae
            | Cmovb
            | Cmovbe
            | Cmove
            | Cmovg
            | Cmovge
            | Cmovl
            | Cmovle
            | Cmovne
            | Cmovno
            | Cmovnp
            | Cmovns
            | Cmovo
            | Cmovp
            | Cmovs
    )
}
