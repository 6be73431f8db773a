//! Control flow: branches, jump tables, calls and returns.

use crate::contract::{FieldKind, Passed, SAVED, Signature, refs_of};
use crate::error::{Failure, fail, show};
use crate::prover::{Next, Prover};
use crate::state::{CALLS, FIXED, Flags, PENDING, RSP, STORES, State};
use crate::value::{Id, Node, Place, Range, Refs, Values};
use iced_x86::{ConditionCode, FlowControl, Instruction, Mnemonic, OpKind};
use precast_abi::builtin::{Builtin, Word};
use precast_abi::vmctx::FuncRef;

/// `push rbp; mov rbp, rsp; ud2`: a stub that traps.
const TRAP_STUB: [u8; 6] = [0x55, 0x48, 0x89, 0xe5, 0x0f, 0x0b];
/// The most targets of one jump or call.
const MAX_TARGETS: u64 = 1 << 20;

/// What a call reaches.
enum Callee {
    /// Code of a type, with the context that it must be passed.
    Typed(u32, Id),
    /// A stub that traps whatever it is passed.
    Trap,
}

impl State {
    /// Adds what follows if a condition has a value. False if it cannot have it.
    pub(crate) fn assume(&mut self, values: &Values, code: ConditionCode, holds: bool) -> bool {
        use ConditionCode::*;
        let code = if holds { code } else { negate(code) };
        match self.flags {
            Flags::Unknown => true,
            Flags::Zero(id) => {
                let range = self.range(values, id);
                match code {
                    e => self.narrow(values, id, Range::of(0, 0)),
                    ne => self.narrow(values, id, Range::of(1, u64::MAX)),
                    _ => return true,
                }
                if code == e { range.lo == 0 } else { range.hi != 0 }
            }
            Flags::Compare(x, y) => {
                // Of non-negative numbers of 32 bits, signed and unsigned orders agree.
                let small = |id| self.range(values, id).hi <= i32::MAX as u64;
                let code = match code {
                    l if small(x) && small(y) => b,
                    ge if small(x) && small(y) => ae,
                    le if small(x) && small(y) => be,
                    g if small(x) && small(y) => a,
                    code => code,
                };
                let (less, more, strict) = match code {
                    b => (x, y, true),
                    a => (y, x, true),
                    be => (x, y, false),
                    ae => (y, x, false),
                    e => {
                        let (left, right) = (self.range(values, x), self.range(values, y));
                        self.narrow(values, x, right);
                        self.narrow(values, y, left);
                        return left.lo.max(right.lo) <= left.hi.min(right.hi);
                    }
                    ne => {
                        let (left, right) = (self.range(values, x), self.range(values, y));
                        if let Some(c) = right.single() {
                            if left.hi == c && c > 0 {
                                self.narrow(values, x, Range::of(0, c - 1));
                            } else if left.lo == c {
                                self.narrow(values, x, Range::of(c.saturating_add(1), u64::MAX));
                            }
                        }
                        return x != y && (left.single().is_none() || left != right);
                    }
                    _ => return true,
                };
                if self.is_below(values, more, less, !strict) {
                    return false;
                }
                self.add_order(values, less, more, strict);
                true
            }
        }
    }
}

fn negate(code: ConditionCode) -> ConditionCode {
    use ConditionCode::*;
    match code {
        o => no,
        no => o,
        b => ae,
        ae => b,
        e => ne,
        ne => e,
        be => a,
        a => be,
        s => ns,
        ns => s,
        p => np,
        np => p,
        l => ge,
        ge => l,
        le => g,
        g => le,
        None => None,
    }
}

impl Prover<'_> {
    /// Executes an instruction that may go elsewhere.
    pub(crate) fn flow(&mut self, st: &mut State, ins: &Instruction) -> Result<Next, Failure> {
        match ins.flow_control() {
            FlowControl::ConditionalBranch if ins.is_jcc_short_or_near() => {
                let mut taken = st.clone();
                if taken.assume(&self.values, ins.condition_code(), true) {
                    self.edge(ins.near_branch_target(), &taken)?;
                }
                let falls = st.assume(&self.values, ins.condition_code(), false);
                Ok(if falls { Next::Fall } else { Next::Stop })
            }
            FlowControl::UnconditionalBranch if ins.is_jmp_short_or_near() => {
                self.edge(ins.near_branch_target(), st)?;
                Ok(Next::Stop)
            }
            FlowControl::IndirectBranch
                if ins.op0_kind() == OpKind::Register && ins.op0_register().is_gpr64() =>
            {
                self.obligations += 1;
                let target = st.fixed[ins.op0_register().number()];
                for at in self.targets(st, target, false)? {
                    self.edge(at, st)?;
                }
                Ok(Next::Stop)
            }
            FlowControl::Return if ins.mnemonic() == Mnemonic::Ret => {
                let bytes = if ins.op_count() == 0 { 0 } else { i64::from(ins.immediate16()) };
                self.returns(st, bytes)?;
                Ok(Next::Stop)
            }
            FlowControl::Exception if ins.mnemonic() == Mnemonic::Ud2 => {
                self.obligations += 1;
                self.frame_is_walkable(st)?;
                Ok(Next::Stop)
            }
            FlowControl::Call if ins.is_call_near() => {
                let context = self.values.get(Node::Context);
                self.call_image(st, ins.near_branch_target(), context)?;
                Ok(Next::Fall)
            }
            FlowControl::IndirectCall => {
                self.call_value(st, ins)?;
                Ok(Next::Fall)
            }
            _ => fail("a transfer of control of the list"),
        }
    }

    /// The addresses that a sum of a table's address and a number of the table can be. `calls` says
    /// that entries whose type number is not the compared one are left out.
    fn targets(&mut self, st: &State, target: Id, calls: bool) -> Result<Vec<u64>, Failure> {
        let Node::Sum(a, b) = self.values.node(target) else {
            return Err(Failure {
                goal: "a target of a table",
                known: format!("{:?}", self.values.node(target)),
            });
        };
        let (image, entry) = match (self.values.node(a), self.values.node(b)) {
            (Node::Image(image), entry) | (entry, Node::Image(image)) => (image, entry),
            _ => return fail("a target of a table"),
        };
        let Node::Dispatch(table, index, by, 0) = entry else { return fail("a target of a table") };
        show(table == image, "distances of the table that they are added to")?;
        let range = st.range(&self.values, index);
        show(range.hi - range.lo < MAX_TARGETS, "an index of the table")?;
        let number =
            self.values.define(Node::Dispatch(table, index, by, 0x84), Range::LOW, Refs::NONE);
        let number = st.range(&self.values, number).single();
        show(by == 2 || calls, "entries of four bytes")?;
        show(by == 2 || number.is_some(), "the type of the entry is compared")?;
        let mut found = Vec::new();
        for n in range.lo..=range.hi {
            let word = |at: u64| {
                let bytes = self.module.image(table + (n << by) + at, 4)?;
                Some(u32::from_le_bytes(*bytes.first_chunk()?))
            };
            let Some(distance) = word(0) else { return fail("an entry inside the table") };
            if by == 3 && word(4).map(u64::from) != number {
                continue;
            }
            found.push(table.wrapping_add_signed(i64::from(distance as i32)));
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    fn call_value(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        self.obligations += 1;
        let target = match ins.op0_kind() {
            OpKind::Register if ins.op0_register().is_gpr64() => {
                st.fixed[ins.op0_register().number()]
            }
            OpKind::Memory if ins.is_call_near_indirect() => {
                let address = self.address(st, ins)?;
                self.access(st, address, 8, crate::access::Way::Load)?
            }
            _ => return fail("a call of an address"),
        };
        let callee = match self.values.node(target) {
            Node::Field(at) => match self.module.field(at) {
                Some(FieldKind::Code(import)) => {
                    let context =
                        at - precast_abi::vmctx::FuncSlot::CODE + precast_abi::vmctx::FuncSlot::CTX;
                    let context = self.values.get(Node::Field(context));
                    Callee::Typed(self.module.imports[import as usize], context)
                }
                _ => return fail("a call of code"),
            },
            Node::Entry64(start, FuncRef::CODE, epoch) => {
                show(epoch == st.fixed[STORES as usize], "the entry has not changed")?;
                let ty = self.values.define(
                    Node::Entry64(start, FuncRef::TYPE, epoch),
                    Range::ALL,
                    Refs::NONE,
                );
                let Some(digest) = st.range(&self.values, ty).single() else {
                    return fail("the type of the entry is compared");
                };
                let Some(ty) = self.module.digests.iter().position(|&d| d == digest) else {
                    return fail("the digest of a type");
                };
                let context = self.values.define(
                    Node::Entry64(start, FuncRef::CTX, epoch),
                    Range::ALL,
                    Refs::NONE,
                );
                Callee::Typed(ty as u32, context)
            }
            Node::Image(at) => {
                let context = self.values.get(Node::Context);
                match self.callee(at, context) {
                    Some(callee) => callee,
                    None => return fail("the target is a function"),
                }
            }
            Node::Sum(..) => {
                let context = self.values.get(Node::Context);
                let mut common = None;
                for at in self.targets(st, target, true)? {
                    match self.callee(at, context) {
                        Some(Callee::Trap) => {}
                        Some(Callee::Typed(ty, _)) => {
                            let ty = self.module.canonical[ty as usize];
                            show(common.is_none_or(|other| other == ty), "targets of one type")?;
                            common = Some(ty);
                        }
                        None => return fail("every target is a function"),
                    }
                }
                common.map_or(Callee::Trap, |ty| Callee::Typed(ty, context))
            }
            node => {
                return Err(Failure { goal: "a call of known code", known: format!("{node:?}") });
            }
        };
        self.perform(st, callee)
    }

    /// The function, forwarder or stub at an address.
    fn callee(&self, at: u64, context: Id) -> Option<Callee> {
        if let Some(func) = self.module.func_at(at) {
            return Some(Callee::Typed(func.ty, context));
        }
        // A function that is not one of the list begins behind all of them.
        let inside =
            self.module.funcs.last().is_some_and(|f| at < u64::from(f.start) + u64::from(f.len));
        let bytes = self.module.text.get(usize::try_from(at).ok()?..)?;
        if inside {
            return None;
        }
        if bytes.starts_with(&TRAP_STUB) {
            return Some(Callee::Trap);
        }
        // A forwarder: mov rax, [context + CODE]; mov context, [context + CTX]; jmp rax.
        let &[0x48, 0x8b, load, a, b, c, d, 0x48, 0x8b, next, e, f, g, h, 0xff, 0xe0, ..] = bytes
        else {
            return None;
        };
        let (code, callee) = (i32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]));
        let (Some(FieldKind::Code(n)), Some(FieldKind::Callee(m))) =
            (self.module.field(code), self.module.field(callee))
        else {
            return None;
        };
        let ty = *self.module.imports.get(n as usize)?;
        let signature = self.module.signatures.get(ty as usize)?;
        let registers = if signature.area.is_some() { (0x86, 0xb6) } else { (0x87, 0xbf) };
        (n == m && (load, next) == registers).then_some(Callee::Typed(ty, context))
    }

    fn call_image(&mut self, st: &mut State, at: u64, context: Id) -> Result<(), Failure> {
        self.obligations += 1;
        if let Some(callee) = self.callee(at, context) {
            return self.perform(st, callee);
        }
        // The stub of a builtin: that it is one is shown where stubs are proven.
        let builtin = self.module.builtin_at(at);
        let Some(builtin) = builtin else { return fail("a call of a function or a stub") };
        self.call_builtin(st, builtin, context)
    }

    fn perform(&mut self, st: &mut State, callee: Callee) -> Result<(), Failure> {
        match callee {
            // Nothing returns from it. What follows is analysed as if the call had kept its promise.
            Callee::Trap => {
                self.frame_is_walkable(st)?;
                let nothing = Signature {
                    context: 7,
                    area: None,
                    params: Vec::new(),
                    results: Vec::new(),
                    stack: 0,
                };
                let context = st.fixed[7];
                self.call(st, &nothing, context)
            }
            Callee::Typed(ty, context) => {
                let module = self.module;
                let Some(signature) = module.signatures.get(ty as usize) else {
                    return fail("a type");
                };
                self.call(st, signature, context)
            }
        }
    }

    fn call(&mut self, st: &mut State, signature: &Signature, context: Id) -> Result<(), Failure> {
        self.frame_is_walkable(st)?;
        let passed = st.fixed[signature.context as usize];
        if passed != context {
            let known =
                format!("{:?}, not {:?}", self.values.node(passed), self.values.node(context));
            return Err(Failure { goal: "the callee's context is passed", known });
        }
        let sp = self.stack_offset(st)?;
        let kept = sp + signature.stack;
        show(kept <= -8, "parameters lie in the caller's frame")?;
        for &(place, ty) in signature.params.iter().filter(|(_, ty)| ty.is_ref()) {
            let value = match place {
                Passed::In(place) => Some(st.fixed[place as usize]),
                Passed::Memory(at, size) => {
                    st.slots.get(&(sp + at)).filter(|s| s.1 == size).map(|s| s.0)
                }
            };
            self.is_of(value, refs_of(ty))?;
        }
        let mut area = None;
        if let Some((place, bytes)) = signature.area {
            let at = self.stack_distance(st.fixed[place as usize]);
            let Some(at) = at.filter(|&at| at >= kept && at + bytes <= -8) else {
                return fail("the area of results lies in the caller's frame");
            };
            st.forget_slots(at, at + bytes);
            area = Some(at);
        }
        self.after_call(st, signature.stack)?;
        for &(place, ty) in &signature.results {
            let refs = refs_of(ty);
            match (place, area) {
                (Passed::In(place), _) => {
                    st.fixed[place as usize] =
                        self.values.define(Node::Def(self.at, place), Range::ALL, refs);
                }
                (Passed::Memory(at, size), Some(area)) => {
                    let id = self.values.define(Node::Def(self.at, 4096 + at), Range::ALL, refs);
                    st.slots.insert(area + at, (id, size));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a call leaves: preserved registers, and the frame above its parameters.
    fn after_call(&mut self, st: &mut State, stack: i64) -> Result<(), Failure> {
        for place in (0..FIXED).filter(|&p| p != RSP && !SAVED.contains(&(p as Place))) {
            st.fixed[place] = self.values.get(Node::Def(self.at, 256 + place as Place));
        }
        st.fixed[CALLS as usize] = self.fresh(CALLS, Range::ALL);
        st.fixed[STORES as usize] = self.fresh(STORES, Range::ALL);
        st.fixed[PENDING as usize] = self.values.constant(0);
        st.flags = Flags::Unknown;
        self.move_stack(st, stack)
    }

    fn call_builtin(
        &mut self,
        st: &mut State,
        builtin: Builtin,
        context: Id,
    ) -> Result<(), Failure> {
        self.frame_is_walkable(st)?;
        show(st.fixed[7] == context, "the stub is passed the context")?;
        let module = self.module;
        const PARAMS: [usize; 5] = [6, 2, 1, 8, 9];
        let limit = |what: u8| match what {
            b'm' => module.memories.len() as u64,
            b't' => module.tables.len() as u64,
            b'e' => module.elems,
            _ => module.datas,
        };
        // Which parameters are indices of the module.
        let indices: &[u8] = match builtin {
            Builtin::MemoryGrow | Builtin::MemoryFill => b"m",
            Builtin::MemoryCopy => b"mm",
            Builtin::MemoryInit => b"md",
            Builtin::DataDrop => b"d",
            Builtin::TableGrow | Builtin::TableFill => b"t",
            Builtin::TableCopy => b"tt",
            Builtin::TableInit => b"te",
            Builtin::ElemDrop => b"e",
        };
        for (n, &kind) in indices.iter().enumerate() {
            let id = st.fixed[PARAMS[n]];
            let id = self.low(id);
            show(st.range(&self.values, id).hi < limit(kind), "an index of the module")?;
        }
        let table = |id: Id, p: &Self| {
            p.values.own_range(id).single().and_then(|n| module.tables.get(n as usize))
        };
        if let Builtin::TableGrow | Builtin::TableFill = builtin {
            let first = st.fixed[PARAMS[0]];
            let first = self.low(first);
            let Some(desc) = table(first, self) else { return fail("a constant table") };
            let refs = if crate::contract::holds_functions(desc) { Refs::FUNC } else { Refs::HOST };
            self.is_of(Some(st.fixed[PARAMS[2]]), refs)?;
        }
        if builtin == Builtin::TableCopy {
            let (to, from) = (st.fixed[PARAMS[0]], st.fixed[PARAMS[1]]);
            let (to, from) = (self.low(to), self.low(from));
            let (to, from) = (table(to, self), table(from, self));
            show(
                to.zip(from).is_some_and(|(to, from)| to.element == from.element),
                "tables of one type",
            )?;
        }
        self.after_call(st, 0)?;
        if let Some(word) = builtin.result() {
            let range = if word == Word::U32 { Range::LOW } else { Range::ALL };
            st.fixed[0] = self.fresh(0, range);
        }
        Ok(())
    }
}
