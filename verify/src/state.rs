//! The state at a point of a function, and how the states of several paths are joined.

use crate::value::{Id, Node, Place, Range, Values};
use std::collections::{BTreeMap, HashMap};

/// The first vector register; those below are general registers.
pub(crate) const VECTOR: Place = 16;
/// The epoch of calls: after a call, tables may have moved.
pub(crate) const CALLS: Place = 32;
/// The epoch of stores to tables.
pub(crate) const STORES: Place = 33;
/// The table entry that is being stored, as a [`Node::Pending`].
pub(crate) const PENDING: Place = 34;
/// Places that are not slots.
pub(crate) const FIXED: usize = 35;
/// A slot of the frame is at this place plus its distance from the entry's stack pointer.
const SLOT: Place = 1 << 40;

/// The place of a slot.
pub(crate) fn slot_place(at: i64) -> Place {
    SLOT + at
}

/// The general registers by number.
pub(crate) const RSP: usize = 4;
pub(crate) const RBP: usize = 5;

/// What the last comparison compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flags {
    /// Nothing that is known.
    Unknown,
    /// `a - b` of unsigned numbers.
    Compare(Id, Id),
    /// The zero flag says whether a value is zero.
    Zero(Id),
}

/// The order of two values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Order {
    pub(crate) less: Id,
    pub(crate) more: Id,
    pub(crate) strict: bool,
}

/// The state at a point.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) fixed: [Id; FIXED],
    /// Slots of the frame by distance from the entry's stack pointer: value and bytes.
    pub(crate) slots: BTreeMap<i64, (Id, u8)>,
    pub(crate) flags: Flags,
    /// Intervals that branches have shown, oldest first.
    pub(crate) ranges: Vec<(Id, Range)>,
    /// Orders that branches have shown, oldest first.
    pub(crate) orders: Vec<Order>,
}

/// The most facts of a kind that a state holds; older ones are forgotten.
const MAX_FACTS: usize = 48;

impl State {
    /// The interval of a value at this point.
    pub(crate) fn range(&self, values: &Values, id: Id) -> Range {
        let mut range = values.own_range(id);
        if let Some((_, known)) = self.ranges.iter().find(|(of, _)| *of == id) {
            range = range.meet(*known);
        }
        let computed = match values.node(id) {
            Node::Low(a) => {
                let a = self.range(values, a);
                (a.hi <= u64::from(u32::MAX)).then_some(a)
            }
            Node::Plus(a, c) => {
                let a = self.range(values, a);
                let end = |n: u64| u64::try_from(i128::from(n) + i128::from(c)).ok();
                end(a.lo).zip(end(a.hi)).map(|(lo, hi)| Range { lo, hi })
            }
            Node::Sum(a, b) => {
                let (a, b) = (self.range(values, a), self.range(values, b));
                a.hi.checked_add(b.hi).map(|hi| Range { lo: a.lo + b.lo, hi })
            }
            Node::Shl(a, by) => {
                let a = self.range(values, a);
                (a.hi <= u64::MAX >> by).then(|| Range { lo: a.lo << by, hi: a.hi << by })
            }
            _ => None,
        };
        computed.map_or(range, |computed| range.meet(computed))
    }

    /// Narrows the interval of a value, and of the value that it is computed from.
    pub(crate) fn narrow(&mut self, values: &Values, id: Id, to: Range) {
        let old = self.range(values, id);
        let new = old.meet(to);
        if new == old {
            return;
        }
        self.ranges.retain(|(of, _)| *of != id);
        if self.ranges.len() >= MAX_FACTS {
            self.ranges.remove(0);
        }
        self.ranges.push((id, new));
        if let Node::Plus(a, c) = values.node(id) {
            // Without a wrap, the bounds of the sum are bounds of the summand.
            let of = self.range(values, a);
            let fits = |n: u64| u64::try_from(i128::from(n) + i128::from(c)).is_ok();
            let back = |n: u64| u64::try_from(i128::from(n) - i128::from(c)).ok();
            if fits(of.lo) && fits(of.hi) {
                let lo = back(new.lo).unwrap_or(of.lo);
                let hi = back(new.hi).unwrap_or(of.hi);
                self.narrow(values, a, Range { lo, hi });
            }
        }
    }

    /// Adds an order of two values.
    pub(crate) fn add_order(&mut self, values: &Values, less: Id, more: Id, strict: bool) {
        let (a, b) = (self.range(values, less), self.range(values, more));
        let by = u64::from(strict);
        self.narrow(values, less, Range::of(0, b.hi.saturating_sub(by)));
        self.narrow(values, more, Range::of(a.lo.saturating_add(by), u64::MAX));
        let order = Order { less, more, strict };
        if !self.orders.contains(&order) {
            if self.orders.len() >= MAX_FACTS {
                self.orders.remove(0);
            }
            self.orders.push(order);
        }
    }

    /// Whether `a` is known to be below `b`.
    pub(crate) fn is_below(&self, values: &Values, a: Id, b: Id, strict: bool) -> bool {
        let (ra, rb) = (self.range(values, a), self.range(values, b));
        let known = |o: &Order| o.less == a && o.more == b && (o.strict || !strict);
        ra.hi < rb.lo || (!strict && (ra.hi <= rb.lo || a == b)) || self.orders.iter().any(known)
    }

    /// Forgets the slots that overlap some bytes of the frame.
    pub(crate) fn forget_slots(&mut self, from: i64, to: i64) {
        let hit = self
            .slots
            .range(from - 15..to)
            .filter(|&(&at, &(_, size))| at + i64::from(size) > from);
        let hit: Vec<i64> = hit.map(|(&at, _)| at).collect();
        for at in hit {
            self.slots.remove(&at);
        }
    }

    /// Joins the state of another path to a block's state. Returns whether it changed.
    pub(crate) fn join(&mut self, block: u64, other: &State, values: &mut Values) -> bool {
        let before = self.clone();
        let mut changed = false;
        let mut classes: HashMap<(Id, Id), Id> = HashMap::new();
        let mut phi = |place: Place, a: Id, b: Id, values: &mut Values| {
            if a == b {
                return a;
            }
            *classes.entry((a, b)).or_insert_with(|| {
                let range = before.range(values, a).hull(other.range(values, b));
                let refs = values.refs(a).and(values.refs(b));
                values.define(Node::Phi(block, place), range, refs)
            })
        };
        for place in 0..FIXED {
            let id = phi(place as Place, self.fixed[place], other.fixed[place], values);
            changed |= id != self.fixed[place];
            self.fixed[place] = id;
        }
        let mut slots = BTreeMap::new();
        for (&at, &(id, size)) in &self.slots {
            match other.slots.get(&at) {
                Some(&(theirs, n)) if n == size => {
                    slots.insert(at, (phi(slot_place(at), id, theirs, values), size));
                }
                _ => {}
            }
        }
        changed |= slots != self.slots;
        self.slots = slots;
        if self.flags != other.flags && self.flags != Flags::Unknown {
            self.flags = Flags::Unknown;
            changed = true;
        }
        // A fact stays if it holds on both paths.
        let mut ranges = Vec::new();
        for &(id, range) in &self.ranges {
            let hull = range.hull(other.range(values, id));
            if hull == range {
                ranges.push((id, range));
            }
        }
        changed |= ranges.len() != self.ranges.len();
        self.ranges = ranges;
        let orders = self.orders.len();
        self.orders.retain(|o| other.is_below(values, o.less, o.more, o.strict));
        changed | (orders != self.orders.len())
    }
}
