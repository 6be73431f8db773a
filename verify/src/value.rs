//! Value numbers: what is known of a value wherever it lies, in a register or on the stack.

use std::collections::HashMap;

/// A value number of one function.
pub(crate) type Id = u32;

/// A place that holds a value: a register, a pseudo register, or a slot of the frame.
pub(crate) type Place = i64;

/// How a value was computed. Equal nodes are equal values, at every point where both are held.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Node {
    /// The context pointer, which is the base of memory 0.
    Context,
    /// The stack pointer at the function's first instruction.
    EntryStack,
    /// What a place held at the function's first instruction.
    Entry(Place),
    /// The address of results that do not fit in registers.
    ResultArea,
    /// What the latest execution of the instruction at an address put in a place.
    Def(u64, Place),
    /// What a place held when a block was entered the last time.
    Phi(u64, Place),
    /// A number.
    Const(u64),
    /// An address in text or read-only data, relative to the start of the text.
    Image(u64),
    /// The low 32 bits of a value.
    Low(Id),
    /// A value plus a constant, modulo 2^64.
    Plus(Id, i64),
    /// The sum of two values, modulo 2^64.
    Sum(Id, Id),
    /// A value shifted to the left.
    Shl(Id, u8),
    /// A field of the context that never changes.
    Field(i32),
    /// The length of a memory, as it was in an epoch of calls.
    MemoryLen(u32, Id),
    /// The address of the first entry of a table, as it was in an epoch of calls.
    TableBase(u32, Id),
    /// The length of a table, as it was in an epoch of calls.
    TableLen(u32, Id),
    /// A word of the table entry at an address, as it was in an epoch of stores to tables.
    Entry64(Id, i32, Id),
    /// Half of the record of a function reference.
    RecordHalf(Id, u8),
    /// The table entry at an address has no type, and its first half is that of a record, if any.
    Pending(Id, Option<Id>),
    /// A 32-bit number of a table in the image: the table's address, the position as a value, its
    /// scale, and the distance from the entry's start, plus 128 if its upper half is zero and not the
    /// sign.
    Dispatch(u64, Id, u8, u8),
}

/// What references a value is known to be. Null is of both kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refs {
    /// A function reference or null.
    pub(crate) func: bool,
    /// A reference to a value of the host or null.
    pub(crate) host: bool,
}

impl Refs {
    pub(crate) const NONE: Refs = Refs { func: false, host: false };
    pub(crate) const FUNC: Refs = Refs { func: true, host: false };
    pub(crate) const HOST: Refs = Refs { func: false, host: true };

    /// The kinds that both are of.
    pub(crate) fn and(self, other: Refs) -> Refs {
        Refs { func: self.func & other.func, host: self.host & other.host }
    }
}

/// An interval of unsigned 64-bit numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Range {
    pub(crate) lo: u64,
    pub(crate) hi: u64,
}

impl Range {
    pub(crate) const ALL: Range = Range { lo: 0, hi: u64::MAX };
    pub(crate) const LOW: Range = Range { lo: 0, hi: u32::MAX as u64 };

    pub(crate) fn of(lo: u64, hi: u64) -> Range {
        Range { lo, hi }
    }

    pub(crate) fn hull(self, other: Range) -> Range {
        Range { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// Numbers in both; one of them if there is none, which only code that is never reached sees.
    pub(crate) fn meet(self, other: Range) -> Range {
        let met = Range { lo: self.lo.max(other.lo), hi: self.hi.min(other.hi) };
        if met.lo <= met.hi { met } else { self }
    }

    pub(crate) fn single(self) -> Option<u64> {
        (self.lo == self.hi).then_some(self.lo)
    }
}

/// Facts that hold of a value at every point of the function.
#[derive(Clone, Copy, Debug)]
struct Fact {
    range: Range,
    refs: Refs,
    depth: u8,
    updates: u8,
}

/// The value numbers of a function.
#[derive(Default)]
pub(crate) struct Values {
    ids: HashMap<Node, Id>,
    nodes: Vec<(Node, Fact)>,
    /// Whether a fact became weaker since this was cleared.
    pub(crate) weakened: bool,
}

/// The most operations in one value number; more become a value of their own.
const MAX_DEPTH: u8 = 16;

impl Values {
    /// The number of a value whose facts follow from its node.
    pub(crate) fn get(&mut self, node: Node) -> Id {
        self.intern(node, None)
    }

    /// The number of a value of which `range` and `refs` are known. If it has had other facts, both
    /// are merged.
    pub(crate) fn define(&mut self, node: Node, range: Range, refs: Refs) -> Id {
        let id = self.intern(node, Some((range, refs)));
        let fact = &mut self.nodes[id as usize].1;
        let hull = fact.range.hull(range);
        let both = fact.refs.and(refs);
        if hull != fact.range || both != fact.refs {
            fact.updates = fact.updates.saturating_add(1);
            fact.range = if fact.updates > 3 && hull != fact.range { widen(hull) } else { hull };
            fact.refs = both;
            self.weakened = true;
        }
        id
    }

    fn intern(&mut self, node: Node, known: Option<(Range, Refs)>) -> Id {
        if let Some(&id) = self.ids.get(&node) {
            return id;
        }
        let depth = match node {
            Node::Low(a) | Node::Plus(a, _) | Node::Shl(a, _) => self.depth(a) + 1,
            Node::Sum(a, b) => self.depth(a).max(self.depth(b)) + 1,
            _ => 0,
        };
        let (range, refs) = known.unwrap_or(match node {
            Node::Const(c) => (Range::of(c, c), Refs { func: c == 0, host: c == 0 }),
            Node::Low(_) => (Range::LOW, Refs::NONE),
            _ => (Range::ALL, Refs::NONE),
        });
        let id = self.nodes.len() as Id;
        self.nodes.push((node, Fact { range, refs, depth, updates: 0 }));
        self.ids.insert(node, id);
        id
    }

    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id as usize].0
    }

    pub(crate) fn own_range(&self, id: Id) -> Range {
        self.nodes[id as usize].1.range
    }

    pub(crate) fn refs(&self, id: Id) -> Refs {
        self.nodes[id as usize].1.refs
    }

    fn depth(&self, id: Id) -> u8 {
        self.nodes[id as usize].1.depth
    }

    pub(crate) fn constant(&mut self, c: u64) -> Id {
        self.get(Node::Const(c))
    }

    /// `id + c`; none if the number would have too many operations.
    pub(crate) fn plus(&mut self, id: Id, c: i64) -> Option<Id> {
        if c == 0 {
            return Some(id);
        }
        Some(match self.node(id) {
            Node::Const(n) => self.constant(n.wrapping_add_signed(c)),
            Node::Image(n) => self.get(Node::Image(n.wrapping_add_signed(c))),
            Node::Plus(a, b) => {
                let sum = b.wrapping_add(c);
                return if sum == 0 { Some(a) } else { Some(self.get(Node::Plus(a, sum))) };
            }
            _ if self.depth(id) >= MAX_DEPTH => return None,
            _ => self.get(Node::Plus(id, c)),
        })
    }

    /// The sum of two values. Constants move outwards, so that equal sums have equal numbers.
    pub(crate) fn sum(&mut self, a: Id, b: Id) -> Option<Id> {
        match (self.node(a), self.node(b)) {
            (_, Node::Const(c)) => self.plus(a, c as i64),
            (Node::Const(c), _) => self.plus(b, c as i64),
            (Node::Plus(a, c), _) => {
                let sum = self.sum(a, b)?;
                self.plus(sum, c)
            }
            (_, Node::Plus(b, c)) => {
                let sum = self.sum(a, b)?;
                self.plus(sum, c)
            }
            _ if self.depth(a).max(self.depth(b)) >= MAX_DEPTH => None,
            _ => Some(self.get(Node::Sum(a.min(b), a.max(b)))),
        }
    }

    pub(crate) fn shl(&mut self, a: Id, by: u8) -> Option<Id> {
        match self.node(a) {
            _ if by == 0 => Some(a),
            Node::Const(c) => Some(self.constant(c << by)),
            _ if self.depth(a) >= MAX_DEPTH => None,
            _ => Some(self.get(Node::Shl(a, by))),
        }
    }
}

/// The bounds at which intervals that keep growing stop.
fn widen(range: Range) -> Range {
    let stops = [0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 33];
    let hi = stops.into_iter().find(|&stop| range.hi <= stop).unwrap_or(u64::MAX);
    Range { lo: 0, hi }
}
