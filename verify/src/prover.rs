//! The proof of a function: its blocks are executed on what is known of values until nothing new is
//! found. Obligations are shown in every execution, so also in the last.

use crate::allow::is_pure;
use crate::contract::{Module, Passed, SAVED, Signature, refs_of};
use crate::error::{Failure, VerifyError, fail, show};
use crate::state::{FIXED, Flags, RBP, RSP, State};
use crate::value::{Id, Node, Place, Range, Refs, Values};
use iced_x86::{Decoder, DecoderOptions, Instruction, InstructionInfoFactory, Register};
use precast_abi::artifact::FuncDesc;
use std::collections::{BTreeMap, BTreeSet};

/// The most times that all blocks of a function are executed because a fact became weaker.
const MAX_ROUNDS: usize = 200;

/// The proof of a function.
pub(crate) struct Prover<'m> {
    pub(crate) module: &'m Module<'m>,
    func: &'m FuncDesc,
    pub(crate) signature: &'m Signature,
    pub(crate) values: Values,
    /// The state at the first instruction of each block.
    blocks: BTreeMap<u64, State>,
    /// Per byte of the function, the block that was last executed over an instruction there, plus
    /// one.
    owners: Vec<u32>,
    work: BTreeSet<u64>,
    /// The address of the instruction.
    pub(crate) at: u64,
    pub(crate) infos: InstructionInfoFactory,
    pub(crate) obligations: u64,
}

/// Where control goes after an instruction.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// To the next instruction.
    Fall,
    /// Elsewhere, or nowhere.
    Stop,
}

impl<'m> Prover<'m> {
    pub(crate) fn new(module: &'m Module<'m>, func: &'m FuncDesc) -> Option<Self> {
        let end = (func.start as usize).checked_add(func.len as usize)?;
        let signature = module.signatures.get(func.ty as usize)?;
        (end <= module.text.len() && func.len > 0).then(|| Prover {
            module,
            func,
            signature,
            values: Values::default(),
            blocks: BTreeMap::new(),
            owners: vec![0; func.len as usize],
            work: BTreeSet::new(),
            at: u64::from(func.start),
            infos: InstructionInfoFactory::new(),
            obligations: 0,
        })
    }

    /// Proves the function; returns the number of obligations of one execution or more.
    pub(crate) fn run(mut self, function: u32) -> Result<u64, VerifyError> {
        let start = u64::from(self.func.start);
        let state = self.entry();
        self.blocks.insert(start, state);
        self.work.insert(start);
        let mut rounds = 0;
        loop {
            while let Some(block) = self.work.pop_first() {
                self.execute(block).map_err(|failure| self.error(function, failure))?;
            }
            if !std::mem::take(&mut self.values.weakened) {
                return Ok(self.obligations);
            }
            rounds += 1;
            if rounds > MAX_ROUNDS {
                let failure = Failure { goal: "the proof ends", known: String::new() };
                return Err(self.error(function, failure));
            }
            self.obligations = 0;
            self.work.extend(self.blocks.keys());
        }
    }

    fn error(&self, function: u32, failure: Failure) -> VerifyError {
        let code = self.module.text.get(self.at as usize..).unwrap_or_default();
        let mut decoder = Decoder::with_ip(64, code, self.at, DecoderOptions::NONE);
        let len = decoder.decode().len().min(code.len());
        VerifyError {
            function,
            offset: self.at,
            code: code[..len].to_vec(),
            goal: failure.goal,
            known: failure.known,
        }
    }

    /// What the convention gives a function.
    fn entry(&mut self) -> State {
        let mut fixed = [0; FIXED];
        for (place, id) in fixed.iter_mut().enumerate() {
            *id = self.values.get(Node::Entry(place as Place));
        }
        fixed[RSP] = self.values.get(Node::EntryStack);
        let mut slots = BTreeMap::new();
        let signature = self.signature;
        for &(passed, ty) in &signature.params {
            match passed {
                Passed::In(place) => {
                    fixed[place as usize] =
                        self.values.define(Node::Entry(place), Range::ALL, refs_of(ty));
                    if ty.is_ref() {
                        let node = Node::Def(u64::MAX, place);
                        fixed[place as usize] = self.values.define(node, Range::ALL, refs_of(ty));
                    }
                }
                Passed::Memory(at, size) => {
                    let node = Node::Def(u64::MAX - 1, at);
                    let id = self.values.define(node, Range::ALL, refs_of(ty));
                    slots.insert(8 + at, (id, size));
                }
            }
        }
        fixed[signature.context as usize] = self.values.get(Node::Context);
        if let Some((place, _)) = signature.area {
            fixed[place as usize] = self.values.get(Node::ResultArea);
        }
        State { fixed, slots, flags: Flags::Unknown, ranges: Vec::new(), orders: Vec::new() }
    }

    fn execute(&mut self, block: u64) -> Result<(), Failure> {
        let mut st = self.blocks[&block].clone();
        let end = u64::from(self.func.start) + u64::from(self.func.len);
        let text = self.module.text;
        self.at = block;
        loop {
            if self.at != block && self.blocks.contains_key(&self.at) {
                return self.edge(self.at, &st);
            }
            if self.at >= end {
                return fail("control stays in the function");
            }
            self.owners[(self.at - u64::from(self.func.start)) as usize] =
                (block - u64::from(self.func.start)) as u32 + 1;
            let mut decoder = Decoder::with_ip(
                64,
                &text[self.at as usize..end as usize],
                self.at,
                DecoderOptions::NONE,
            );
            let ins = decoder.decode();
            show(!ins.is_invalid(), "an instruction inside the function")?;
            let plain = !ins.has_rep_prefix()
                && !ins.has_repne_prefix()
                && !ins.has_xacquire_prefix()
                && !ins.has_xrelease_prefix()
                && ins.segment_prefix() == Register::None;
            show(plain, "an instruction without unexpected prefixes")?;
            let next = self.step(&mut st, &ins)?;
            if next == Next::Stop {
                return Ok(());
            }
            self.at = ins.next_ip();
        }
    }

    /// Control may go to an address of the function with this state.
    pub(crate) fn edge(&mut self, to: u64, st: &State) -> Result<(), Failure> {
        let start = u64::from(self.func.start);
        let inside = to >= start && to < start + u64::from(self.func.len);
        show(inside, "a jump inside the function")?;
        match self.blocks.get_mut(&to) {
            Some(state) => {
                if state.join(to, st, &mut self.values) {
                    self.work.insert(to);
                }
            }
            None => {
                self.blocks.insert(to, st.clone());
                self.work.insert(to);
                // A block that was executed over this address now ends here.
                let owner = self.owners[(to - start) as usize];
                if owner != 0 {
                    self.work.insert(start + u64::from(owner - 1));
                }
            }
        }
        Ok(())
    }

    /// Shows that frame pointers lead to the caller, as the walk after a fault needs.
    pub(crate) fn frame_is_walkable(&mut self, st: &State) -> Result<(), Failure> {
        let at = self.stack_distance(st.fixed[RBP]);
        let saved = st.slots.get(&-8).map(|&(id, size)| (self.values.node(id), size));
        show(
            at == Some(-8) && saved == Some((Node::Entry(RBP as Place), 8)),
            "the frame pointer leads to the caller's",
        )
    }

    /// Shows what a caller expects, at a return that removes `bytes` of parameters.
    pub(crate) fn returns(&mut self, st: &State, bytes: i64) -> Result<(), Failure> {
        self.obligations += 1;
        show(
            self.stack_distance(st.fixed[RSP]) == Some(0),
            "the stack pointer is that of the entry",
        )?;
        show(bytes == self.signature.stack, "a return removes the parameters")?;
        for place in SAVED {
            let kept = self.values.node(st.fixed[place as usize]) == Node::Entry(place);
            show(kept, "a preserved register has its value")?;
        }
        let signature = self.signature;
        for &(passed, ty) in signature.results.iter().filter(|(_, ty)| ty.is_ref()) {
            let value = match passed {
                Passed::In(place) => Some(st.fixed[place as usize]),
                Passed::Memory(at, size) => {
                    let slot = st.slots.get(&(crate::access::AREA + at));
                    slot.filter(|(_, have)| *have == size).map(|&(id, _)| id)
                }
            };
            self.is_of(value, refs_of(ty))?;
        }
        Ok(())
    }

    /// The low 32 bits of a value.
    pub(crate) fn low(&mut self, id: Id) -> Id {
        match self.values.node(id) {
            Node::Const(c) => self.values.constant(c & 0xffff_ffff),
            // A narrower interval of this path must not decide the number of a value.
            _ if self.values.own_range(id).hi <= u64::from(u32::MAX) => id,
            Node::Low(_) => id,
            _ => self.values.get(Node::Low(id)),
        }
    }

    /// An instruction that only computes: what it writes is unknown.
    pub(crate) fn pure(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        show(is_pure(ins.mnemonic()), "an instruction of the list")?;
        self.clobber(st, ins)
    }

    /// Gives every register that an instruction writes an unknown value.
    pub(crate) fn clobber(&mut self, st: &mut State, ins: &Instruction) -> Result<(), Failure> {
        let written: Vec<Register> = {
            let info = self.infos.info(ins);
            info.used_registers()
                .iter()
                .filter(|used| crate::transfer::writes(used.access()))
                .map(|used| used.register())
                .collect()
        };
        for register in written {
            let full = register.full_register();
            if full.is_gpr64() {
                let place = full.number();
                show(place != RSP && place != RBP, "no arithmetic on the frame's registers")?;
                let range = if register.size() == 4 { Range::LOW } else { Range::ALL };
                let id = self.values.define(Node::Def(self.at, place as Place), range, Refs::NONE);
                st.fixed[place] = id;
            } else if register.is_vector_register() {
                show(full.number() < 16, "a vector register of the first sixteen")?;
                let place = crate::state::VECTOR + full.number() as Place;
                st.fixed[place as usize] = self.fresh(place, Range::ALL);
            } else {
                return fail("a register that functions may write");
            }
        }
        if ins.rflags_modified() != 0 {
            st.flags = Flags::Unknown;
        }
        Ok(())
    }

    /// The distance of a stack address from the stack pointer at the entry.
    pub(crate) fn stack_distance(&self, id: Id) -> Option<i64> {
        match self.values.node(id) {
            Node::EntryStack => Some(0),
            Node::Plus(base, at) if self.values.node(base) == Node::EntryStack => Some(at),
            _ => None,
        }
    }

    /// A value that this instruction computes.
    pub(crate) fn fresh(&mut self, place: Place, range: Range) -> Id {
        self.values.define(Node::Def(self.at, place), range, Refs::NONE)
    }
}
