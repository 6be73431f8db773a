//! Stack checks: which functions compare their stack pointer with the stack limit.
//!
//! A check in every function would bound the stack, but it would make the code of small functions
//! some percent larger. It suffices that every cycle of calls has a check, and that the functions
//! between two checks need little stack. Calls whose callee is unknown at compile time (through
//! tables, to imports, from the host) only reach functions that are exported, started or referred
//! to, so these are checked, unless they call nothing. Among direct calls, a depth-first search
//! finds a function of every cycle.
//!
//! Invariant: a chain of calls between unchecked functions has at most [`UNCHECKED_CALLS`]
//! functions, and none of them has a frame of more than [`precast_abi::limits::UNCHECKED_FRAME`]
//! bytes. The size of a frame is known after compilation: a function with a larger one is compiled
//! again, with a check.

use crate::parse::module::{Item, Module};
use crate::parse::scan::{Calls, Scan};
use precast_abi::artifact::Kind;
use precast_abi::index::FuncIndex;
use precast_abi::limits::UNCHECKED_CALLS;

/// Length of a body from which a function is checked whatever its frame: the cost of a check is
/// negligible there.
const LARGE_BODY: usize = 8 << 10;

/// Number of locals from which a function is checked whatever its frame.
const MANY_LOCALS: u32 = 256;

/// Whether each defined function is checked.
pub(crate) fn stack_checks(module: &Module<'_>, scan: &Scan) -> Vec<bool> {
    let calls = &scan.calls;
    let mut checked: Vec<bool> = module
        .bodies
        .iter()
        .zip(calls)
        .map(|(body, calls)| {
            body.body.as_bytes().len() >= LARGE_BODY || calls.locals >= MANY_LOCALS
        })
        .collect();
    for func in reachable_from_outside(module, scan) {
        // Bodies that are not validated yet may refer to functions that do not exist.
        if let Some(n) = module.defined(func).filter(|&n| (n as usize) < calls.len()) {
            let calls = &calls[n as usize];
            checked[n as usize] |= calls.others || !calls.direct.is_empty();
        }
    }
    Search { calls, checked, depths: vec![UNSEEN; calls.len()] }.run()
}

/// The functions that calls with an unknown callee can reach.
fn reachable_from_outside(module: &Module<'_>, scan: &Scan) -> Vec<FuncIndex> {
    let exported = module.exports_of(Kind::Func).map(|export| FuncIndex(export.index));
    let items = module.elems.iter().flat_map(|elem| &elem.items);
    let elements = items.filter_map(|item| match item {
        Item::Func(func) => Some(*func),
        Item::Null | Item::Global(_) => None,
    });
    let globals = module.globals.iter().flat_map(|global| global.init.functions());
    let referenced = scan.referenced.iter().copied();
    exported.chain(module.start).chain(elements).chain(globals).chain(referenced).collect()
}

const UNSEEN: u64 = u64::MAX;
/// The function is on the search's stack.
const OPEN: u64 = u64::MAX - 1;

/// A depth-first search through direct calls.
struct Search<'a> {
    calls: &'a [Calls],
    checked: Vec<bool>,
    /// Per function, the length of the longest chain of calls from it through unchecked functions.
    depths: Vec<u64>,
}

impl Search<'_> {
    fn run(mut self) -> Vec<bool> {
        for root in 0..self.calls.len() {
            if self.depths[root] == UNSEEN {
                self.visit(root);
            }
        }
        self.checked
    }

    /// Visits all functions that `root` calls, with an explicit stack, since modules decide its
    /// depth.
    fn visit(&mut self, root: usize) {
        let mut open = vec![(root, 0)];
        self.depths[root] = OPEN;
        while let Some((func, next)) = open.last_mut() {
            let func = *func;
            let Some(&callee) = self.calls[func].direct.get(*next) else {
                self.close(func);
                open.pop();
                continue;
            };
            *next += 1;
            match self.depths[callee as usize] {
                UNSEEN => {
                    self.depths[callee as usize] = OPEN;
                    open.push((callee as usize, 0));
                }
                // A cycle.
                OPEN => self.checked[callee as usize] = true,
                _ => {}
            }
        }
    }

    /// Ends the visit of a function after all of its callees.
    fn close(&mut self, func: usize) {
        let calls = &self.calls[func];
        // An unknown callee is checked, or calls nothing.
        let others = u64::from(calls.others);
        let depth = |callee: &u32| match self.checked[*callee as usize] {
            true => 0,
            false => self.depths[*callee as usize],
        };
        let below = calls.direct.iter().map(depth).max().unwrap_or(0).max(others);
        self.depths[func] = 1 + below;
        self.checked[func] |= self.depths[func] > UNCHECKED_CALLS;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(calls: &[&[u32]]) -> Vec<bool> {
        let calls: Vec<Calls> = calls
            .iter()
            .map(|direct| Calls { direct: direct.to_vec(), others: false, locals: 0 })
            .collect();
        let checked = vec![false; calls.len()];
        Search { calls: &calls, checked, depths: vec![UNSEEN; calls.len()] }.run()
    }

    /// The length of the longest chain without a check; none for a cycle.
    fn longest(calls: &[Vec<u32>], checked: &[bool]) -> Option<u64> {
        fn depth(n: u32, calls: &[Vec<u32>], checked: &[bool], left: usize) -> Option<u64> {
            if checked[n as usize] {
                return Some(0);
            }
            let left = left.checked_sub(1)?;
            let mut most = 0;
            for &callee in &calls[n as usize] {
                most = most.max(depth(callee, calls, checked, left)?);
            }
            Some(1 + most)
        }
        (0..calls.len() as u32).map(|n| depth(n, calls, checked, calls.len())).max()?
    }

    #[test]
    fn one_function_of_a_cycle_is_checked() {
        assert_eq!(search(&[&[0]]), [true]);
        assert_eq!(search(&[&[1], &[2], &[0]]), [true, false, false]);
        assert_eq!(search(&[&[1], &[2, 1], &[]]), [false, true, false]);
        assert_eq!(search(&[&[1, 2], &[], &[1]]), [false; 3]);
    }

    #[test]
    fn long_chains_are_cut() {
        let chain: Vec<Vec<u32>> = (1..=1000).map(|n| vec![n]).chain([vec![]]).collect();
        let calls: Vec<&[u32]> = chain.iter().map(Vec::as_slice).collect();
        let checked = search(&calls);
        assert_eq!(longest(&chain, &checked), Some(UNCHECKED_CALLS));
        assert!(checked.iter().filter(|&&c| c).count() <= 1000 / UNCHECKED_CALLS as usize);
    }

    #[test]
    fn no_graph_has_a_cycle_without_a_check() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..2000 {
            let n = random.u32(1..12);
            let mut list = || {
                let mut list: Vec<u32> = (0..random.u32(0..4)).map(|_| random.u32(0..n)).collect();
                list.sort_unstable();
                list.dedup();
                list
            };
            let graph: Vec<Vec<u32>> = (0..n).map(|_| list()).collect();
            let calls: Vec<&[u32]> = graph.iter().map(Vec::as_slice).collect();
            let checked = search(&calls);
            let longest = longest(&graph, &checked);
            assert!(longest.is_some_and(|n| n <= UNCHECKED_CALLS), "{graph:?} {checked:?}");
        }
    }
}
