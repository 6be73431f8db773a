//! Obligations of memory accesses: where an address can point, and what may be read and written
//! there.

use crate::contract::{FieldKind, global_type, holds_functions, refs_of};
use crate::error::{Failure, fail, show};
use crate::prover::Prover;
use crate::state::{CALLS, PENDING, RSP, STORES, State};
use crate::value::{Id, Node, Range, Refs};
use precast_abi::artifact::GlobalDesc;
use precast_abi::limits::{MEMORY_GUARD, MEMORY32_SPAN, WASM_PAGE};
use precast_abi::store_context::{FUEL_USED, STACK_LIMIT};
use precast_abi::vmctx::{FuncRef, MemoryDef, TRAP_OPERAND, TableDef};

/// An address as a sum.
#[derive(Default, Debug)]
pub(crate) struct Linear {
    /// The pointer in the sum.
    pub(crate) base: Option<Id>,
    /// The other values, each times a power of two.
    pub(crate) terms: Vec<(Id, u8)>,
    pub(crate) offset: i64,
}

/// The direction of an access, and the value that a store writes if it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Load,
    Store(Option<Id>),
}

/// Where the area of results lies among the slots of the frame, far above them.
pub(crate) const AREA: i64 = 1 << 32;

impl Prover<'_> {
    /// An address as a sum, whose offset does not wrap.
    pub(crate) fn linear(&self, id: Id) -> Option<Linear> {
        let mut sum = Linear::default();
        self.add_to(&mut sum, id, 0)?;
        Some(sum)
    }

    fn add_to(&self, sum: &mut Linear, id: Id, shift: u8) -> Option<()> {
        match self.values.node(id) {
            Node::Plus(a, c) if shift == 0 => {
                sum.offset = sum.offset.checked_add(c)?;
                self.add_to(sum, a, 0)
            }
            Node::Const(c) if shift == 0 => {
                sum.offset = sum.offset.checked_add(i64::try_from(c).ok()?)?;
                Some(())
            }
            Node::Sum(a, b) if shift == 0 => {
                self.add_to(sum, a, 0)?;
                self.add_to(sum, b, 0)
            }
            Node::Shl(a, by) if shift == 0 => {
                sum.terms.push((a, by));
                Some(())
            }
            node => {
                let pointer = matches!(
                    node,
                    Node::Context
                        | Node::EntryStack
                        | Node::ResultArea
                        | Node::Field(_)
                        | Node::TableBase(..)
                        | Node::Image(_)
                ) || (self.values.refs(id).func && !matches!(node, Node::Const(_)));
                if pointer && sum.base.is_none() && shift == 0 {
                    sum.base = Some(id);
                } else {
                    sum.terms.push((id, shift));
                }
                Some(())
            }
        }
    }

    /// The interval of a sum without its pointer, as integers that do not wrap.
    fn bounds(&self, st: &State, sum: &Linear) -> (i128, i128) {
        let (mut lo, mut hi) = (i128::from(sum.offset), i128::from(sum.offset));
        for &(id, by) in &sum.terms {
            let range = st.range(&self.values, id);
            lo += i128::from(range.lo) << by;
            hi += i128::from(range.hi) << by;
            // A shifted value that wraps is any number.
            if range.hi > u64::MAX >> by {
                hi = i128::MAX / 4;
            }
        }
        (lo, hi)
    }

    /// Shows that an access is allowed, and performs it. Returns the value that a load reads.
    pub(crate) fn access(
        &mut self,
        st: &mut State,
        address: Id,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        self.obligations += 1;
        let Some(sum) = self.linear(address) else { return fail("the address does not wrap") };
        let Some(base) = sum.base else {
            let known = format!(
                "{:?}",
                sum.terms.iter().map(|&(id, by)| (self.values.node(id), by)).collect::<Vec<_>>()
            );
            return Err(Failure { goal: "the address has a known base", known });
        };
        let exact = sum.terms.is_empty().then_some(sum.offset);
        let node = self.values.node(base);
        if let (Node::EntryStack, Some(at)) = (node, exact) {
            return self.stack(st, at, size, way);
        }
        self.frame_is_walkable(st)?;
        match (node, exact) {
            (Node::Context, Some(at)) if at < 0 => self.context_field(st, at, size, way),
            (Node::Context, _) => {
                show(self.module.owns_memory0(), "the module has a memory at its context")?;
                self.memory(st, 0, &sum, size, way)
            }
            (Node::Field(at), _) => self.through_field(st, at, &sum, size, way),
            (Node::TableBase(table, epoch), _) => {
                self.table(st, table, epoch, address, &sum, size, way)
            }
            (Node::Image(at), _) => self.image(st, at, &sum, size, way),
            (Node::ResultArea, Some(at)) => {
                let bytes = self.signature.area.map_or(0, |(_, bytes)| bytes);
                show(
                    way != Way::Load && at >= 0 && at + size as i64 <= bytes,
                    "a store inside the area of results",
                )?;
                st.forget_slots(AREA + at, AREA + at + size as i64);
                if let Way::Store(Some(id)) = way {
                    st.slots.insert(AREA + at, (id, size as u8));
                }
                Ok(0)
            }
            (_, Some(at @ (0 | 16)))
                if self.values.refs(base).func && way == Way::Load && size == 16 =>
            {
                Ok(self.values.get(Node::RecordHalf(base, (at / 16) as u8)))
            }
            _ => Err(Failure {
                goal: "an access through this pointer",
                known: format!("{node:?} {sum:?} {size}"),
            }),
        }
    }

    /// A value of which nothing but its type is known.
    fn loaded(&mut self, size: u64, refs: Refs) -> Id {
        let range = if size >= 8 { Range::ALL } else { Range::of(0, (1 << (8 * size)) - 1) };
        let place = 64;
        self.values.define(Node::Def(self.at, place), range, refs)
    }

    fn stack(&mut self, st: &mut State, at: i64, size: u64, way: Way) -> Result<Id, Failure> {
        let end = at + size as i64;
        let frame = self.stack_offset(st)?;
        let own = at >= frame && end <= 0;
        let argument = at >= 8 && end <= 8 + self.signature.stack;
        show(own || argument, "an access inside the function's frame")?;
        match way {
            Way::Load => match st.slots.get(&at) {
                Some(&(id, have)) if u64::from(have) == size => Ok(id),
                Some(&(id, 8)) if size == 4 => Ok(self.low(id)),
                _ => Ok(self.loaded(size, Refs::NONE)),
            },
            Way::Store(value) => {
                st.forget_slots(at, end);
                if let (Some(id), 4 | 8 | 16) = (value, size) {
                    st.slots.insert(at, (id, size as u8));
                }
                Ok(0)
            }
        }
    }

    fn context_field(
        &mut self,
        st: &mut State,
        at: i64,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        let Ok(at) = i32::try_from(at) else { return fail("a field of the context") };
        let imports = self.module.info.global_imports as usize;
        let own = self.module.globals.iter().skip(imports).find(|g| g.offset == at);
        if let Some(global) = own {
            return self.global(global, 0, size, way);
        }
        let from = i64::from(at) - i64::from(self.module.regions.func_refs);
        let record = i64::from(FuncRef::SIZE);
        if way == Way::Load
            && size == 16
            && from >= 0
            && from % 16 == 0
            && from / record < i64::from(self.module.func_refs)
        {
            let context = self.values.get(Node::Context);
            let start = i64::from(at) - from % record;
            let Some(start) = self.values.plus(context, start) else { return fail("the record") };
            return Ok(self.values.get(Node::RecordHalf(start, (from % record / 16) as u8)));
        }
        if let Way::Store(_) = way {
            show(at == TRAP_OPERAND && size == 8, "a store to a field that functions may write")?;
            return Ok(0);
        }
        let Some(kind) = self.module.field(at).filter(|_| size == 8) else {
            return fail("a load of a field that functions may read");
        };
        let calls = st.fixed[CALLS as usize];
        let node = match kind {
            FieldKind::MemoryBase(0) if self.module.owns_memory0() => Node::Context,
            FieldKind::MemoryLen(memory) => return Ok(self.memory_len(memory, calls)),
            FieldKind::TableBase(table) => Node::TableBase(table, calls),
            FieldKind::TableLen(table) => Node::TableLen(table, calls),
            _ => Node::Field(at),
        };
        Ok(self.values.get(node))
    }

    fn memory_len(&mut self, memory: u32, calls: Id) -> Id {
        self.values.define(Node::MemoryLen(memory, calls), Range::of(0, MEMORY32_SPAN), Refs::NONE)
    }

    fn through_field(
        &mut self,
        st: &mut State,
        at: i32,
        sum: &Linear,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        let exact = sum.terms.is_empty().then(|| i32::try_from(sum.offset).ok()).flatten();
        let calls = st.fixed[CALLS as usize];
        match (self.module.field(at), exact, way) {
            (Some(FieldKind::MemoryBase(memory)), _, _) => self.memory(st, memory, sum, size, way),
            (Some(FieldKind::MemoryDef(memory)), Some(MemoryDef::LEN), Way::Load) if size == 8 => {
                Ok(self.memory_len(memory, calls))
            }
            (Some(FieldKind::TableDef(table)), Some(TableDef::BASE), Way::Load) if size == 8 => {
                Ok(self.values.get(Node::TableBase(table, calls)))
            }
            (Some(FieldKind::TableDef(table)), Some(TableDef::LEN), Way::Load) if size == 8 => {
                Ok(self.values.get(Node::TableLen(table, calls)))
            }
            (Some(FieldKind::StoreContext), Some(STACK_LIMIT), Way::Load) if size == 8 => {
                Ok(self.loaded(8, Refs::NONE))
            }
            (Some(FieldKind::StoreContext), Some(FUEL_USED), _)
                if size == 8 && self.module.info.counts_fuel == 1 =>
            {
                Ok(self.loaded(8, Refs::NONE))
            }
            (Some(FieldKind::GlobalAddress(global)), Some(offset), _) => {
                self.global(&self.module.globals[global as usize], offset, size, way)
            }
            _ => fail("an access through a field of the context"),
        }
    }

    fn global(
        &mut self,
        global: &GlobalDesc,
        offset: i32,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        let Some(ty) = global_type(global) else { return fail("a global has a type") };
        show(offset == 0 && size <= u64::from(ty.size()), "an access inside the global")?;
        match way {
            Way::Load => {
                let refs = if size == 8 { refs_of(ty) } else { Refs::NONE };
                Ok(self.loaded(size, refs))
            }
            Way::Store(value) => {
                show(global.mutable == 1, "a store to a mutable global")?;
                show(!ty.is_ref() || size == 8, "a store of a whole reference")?;
                self.is_of(value, refs_of(ty))?;
                Ok(0)
            }
        }
    }

    /// Shows that a value is a reference, if `refs` demands one.
    pub(crate) fn is_of(&self, value: Option<Id>, refs: Refs) -> Result<(), Failure> {
        let known = value.map_or(Refs::NONE, |id| self.refs(id));
        show(
            (!refs.func || known.func) && (!refs.host || known.host),
            "the value is a reference of the type",
        )
    }

    /// What references a value is known to be.
    pub(crate) fn refs(&self, id: Id) -> Refs {
        let mut refs = self.values.refs(id);
        if let Node::Plus(base, at) = self.values.node(id)
            && self.values.node(base) == Node::Context
        {
            let from = at - i64::from(self.module.regions.func_refs);
            let size = i64::from(FuncRef::SIZE);
            refs.func |=
                from >= 0 && from % size == 0 && from / size < i64::from(self.module.func_refs);
        }
        refs
    }

    fn memory(
        &mut self,
        st: &State,
        memory: u32,
        sum: &Linear,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        let (lo, hi) = self.bounds(st, sum);
        let end = hi + i128::from(size);
        let min = self.module.memories.get(memory as usize).map_or(0, |m| m.min);
        let min = i128::from(min.min(1 << 16) * WASM_PAGE);
        let guarded = self.module.info.explicit_bounds == 0;
        let in_guard = guarded && end <= i128::from(MEMORY32_SPAN + MEMORY_GUARD);
        let inside = lo >= 0 && (in_guard || end <= min || self.is_checked(st, memory, sum, size));
        if !inside {
            let known = format!(
                "offset {lo:#x}..={hi:#x} size {size} {:?}",
                sum.terms.iter().map(|&(id, by)| (self.values.node(id), by)).collect::<Vec<_>>()
            );
            return Err(Failure { goal: "the access is inside the memory or its guard", known });
        }
        Ok(match way {
            Way::Load => self.loaded(size, Refs::NONE),
            Way::Store(_) => 0,
        })
    }

    /// Whether a comparison has shown that the last byte is below the length of the memory.
    fn is_checked(&self, st: &State, memory: u32, sum: &Linear, size: u64) -> bool {
        let end = sum.offset.checked_add(size as i64).and_then(|end| u64::try_from(end).ok());
        if sum.terms.is_empty() {
            let least = st.orders.iter().filter(
                |o| matches!(self.values.node(o.more), Node::MemoryLen(m, _) if m == memory),
            );
            return least.map(|o| st.range(&self.values, o.less).lo).max()
                >= Some(end.unwrap_or(u64::MAX));
        }
        let &[(index, 0)] = &sum.terms[..] else { return false };
        st.orders.iter().any(|order| {
            let of_memory =
                matches!(self.values.node(order.more), Node::MemoryLen(m, _) if m == memory);
            let (of, end) = match self.values.node(order.less) {
                Node::Plus(of, end) => (of, end),
                _ => (order.less, 0),
            };
            // The compared sum did not wrap, nor does the address.
            let whole = st.range(&self.values, index).hi <= u64::from(u32::MAX)
                && (0..=1 << 34).contains(&end);
            of_memory
                && of == index
                && whole
                && sum.offset.checked_add(size as i64).is_some_and(|last| last <= end)
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn table(
        &mut self,
        st: &mut State,
        table: u32,
        epoch: Id,
        address: Id,
        sum: &Linear,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        show(epoch == st.fixed[CALLS as usize], "no call since the table's address was loaded")?;
        let Some(desc) = self.module.tables.get(table as usize) else { return fail("a table") };
        let functions = holds_functions(desc);
        let (entry, shift) = if functions { (i64::from(FuncRef::SIZE), 5) } else { (8, 3) };
        let at = match sum.terms[..] {
            [] => {
                let index = u64::try_from(sum.offset / entry).unwrap_or(u64::MAX);
                show(sum.offset >= 0 && index < desc.min, "an index below the table's length")?;
                sum.offset % entry
            }
            [(index, by)] => {
                show(by == shift, "a multiple of an entry's size")?;
                let len = self.values.get(Node::TableLen(table, epoch));
                let below = st.range(&self.values, index).hi < desc.min
                    || (st.range(&self.values, index).hi <= u64::from(u32::MAX)
                        && st.is_below(&self.values, index, len, true));
                show(below, "an index below the table's length")?;
                sum.offset
            }
            _ => return fail("one index of a table"),
        };
        show(at >= 0 && at + size as i64 <= entry, "an access inside an entry")?;
        if !functions {
            show(size == 8, "an access of a whole reference")?;
            if let Way::Store(value) = way {
                self.is_of(value, Refs::HOST)?;
            }
            return Ok(self.loaded(8, Refs::HOST));
        }
        let Some(start) = self.values.plus(address, -at) else { return fail("the entry") };
        match way {
            Way::Load => {
                show(size == 8 && at % 8 == 0, "a load of a field of an entry")?;
                let refs = if at as i32 == FuncRef::REF { Refs::FUNC } else { Refs::NONE };
                let node = Node::Entry64(start, at as i32, st.fixed[STORES as usize]);
                Ok(self.values.define(node, Range::ALL, refs))
            }
            Way::Store(value) => self.store_entry(st, start, at, size, value),
        }
    }

    /// A store to an entry of a table of functions: first no type, then the two halves of a record.
    fn store_entry(
        &mut self,
        st: &mut State,
        start: Id,
        at: i64,
        size: u64,
        value: Option<Id>,
    ) -> Result<Id, Failure> {
        let zero = self.values.constant(0);
        let pending = self.values.node(st.fixed[PENDING as usize]);
        let record = match value.map(|id| (id, self.values.node(id))) {
            Some((id, Node::Const(0))) => Some((id, None)),
            Some((_, Node::RecordHalf(record, half))) => Some((record, Some(half))),
            _ => None,
        };
        let next = match (at as i32, size, record) {
            (FuncRef::TYPE, 8, Some((_, None))) => self.values.get(Node::Pending(start, None)),
            (0, 16, Some((record, None | Some(0)))) => {
                show(pending == Node::Pending(start, None), "the entry has no type")?;
                self.values.get(Node::Pending(start, Some(record)))
            }
            (16, 16, Some((record, None | Some(1)))) => {
                show(
                    pending == Node::Pending(start, Some(record)),
                    "both halves are of one record",
                )?;
                zero
            }
            _ => return fail("a store of a function reference"),
        };
        st.fixed[PENDING as usize] = next;
        st.fixed[STORES as usize] = self.fresh(STORES, Range::ALL);
        Ok(0)
    }

    fn image(
        &mut self,
        st: &State,
        at: u64,
        sum: &Linear,
        size: u64,
        way: Way,
    ) -> Result<Id, Failure> {
        show(way == Way::Load, "no store to text or constants")?;
        let (lo, hi) = self.bounds(st, sum);
        let from = u64::try_from(lo + i128::from(at)).ok();
        let len = u64::try_from(hi - lo + i128::from(size)).ok();
        let bytes = from.zip(len).and_then(|(from, len)| self.module.image(from, len));
        let Some(bytes) = bytes else { return fail("a load inside text or constants") };
        match (&sum.terms[..], size) {
            ([], 8) => {
                let bytes = bytes.first_chunk().copied().unwrap_or_default();
                Ok(self.values.constant(u64::from_le_bytes(bytes)))
            }
            ([], 4) => {
                let bytes = bytes.first_chunk().copied().unwrap_or_default();
                Ok(self.values.constant(u64::from(u32::from_le_bytes(bytes))))
            }
            (&[(index, by @ (2 | 3))], 4) if (0..8).contains(&sum.offset) => {
                let node = Node::Dispatch(at, index, by, 0x80 | sum.offset as u8);
                Ok(self.values.define(node, Range::LOW, Refs::NONE))
            }
            _ => Ok(self.loaded(size, Refs::NONE)),
        }
    }

    /// The stack pointer as a distance from that at the entry.
    pub(crate) fn stack_offset(&self, st: &State) -> Result<i64, Failure> {
        match self.stack_distance(st.fixed[RSP]) {
            Some(at) if at <= 0 => Ok(at),
            _ => fail("the stack pointer is known"),
        }
    }
}
