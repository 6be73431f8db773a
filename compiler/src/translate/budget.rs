//! How large the intermediate code of one function may grow.
//!
//! A few bytes of WebAssembly can stand for much code: a branch that takes a thousand arguments is
//! two bytes, and a local that is alive across blocks costs at each of them. No compiler's output
//! comes near these limits, and a module made to exceed them is refused before the code generator
//! spends memory on it. The limits depend on the function alone.

use crate::error::{CompileError, ErrorKind};
use cranelift_codegen::ir::Function;

/// Values, instructions and operands that every function may have.
const BASE: usize = 1 << 16;

/// The same per byte of the body. RATIONALE.md has what real programs need.
const PER_BYTE: usize = 160;

/// Most pairs of a local and a block that lies before its last use: the table of definitions that
/// construction of SSA form keeps has an entry of four bytes for each.
const LOCALS_BY_BLOCKS: u64 = 1 << 26;

/// What a function has spent.
#[derive(Default)]
pub(super) struct Budget {
    /// Most values, instructions and operands together.
    size: usize,
    /// Per local, the number of blocks there were when it was last used.
    reach: Vec<u32>,
    /// The sum of those.
    reached: u64,
}

impl Budget {
    /// Starts a function whose body has `len` bytes.
    pub(super) fn start(&mut self, len: usize) {
        self.size = BASE + PER_BYTE * len;
        self.reach.clear();
        self.reached = 0;
    }

    /// Notes that a local is read or written when there are `blocks` blocks.
    pub(super) fn touch(&mut self, local: u32, blocks: usize) {
        let (local, blocks) = (local as usize, blocks as u32);
        if self.reach.len() <= local {
            self.reach.resize(local + 1, 0);
        }
        let before = std::mem::replace(&mut self.reach[local], blocks);
        self.reached += u64::from(blocks - before);
    }

    /// Whether a function is within its limits with `more` operands. When it is not, the next
    /// [`Self::check`] fails.
    pub(super) fn allows(&mut self, func: &Function, more: usize) -> bool {
        let allowed = size(func) + more <= self.size;
        if !allowed {
            self.size = 0;
        }
        allowed
    }

    /// Fails when a function is not within its limits at an operator.
    pub(super) fn check(&self, func: &Function, offset: u32) -> Result<(), CompileError> {
        let what = match () {
            _ if size(func) > self.size => "a function's code grows out of proportion",
            _ if self.reached > LOCALS_BY_BLOCKS => "a function has too many locals and blocks",
            _ => return Ok(()),
        };
        Err(CompileError::new(ErrorKind::Limit, offset as usize, what))
    }
}

/// The values, instructions and operands of a function.
fn size(func: &Function) -> usize {
    let dfg = &func.dfg;
    dfg.num_values() + dfg.num_insts() + dfg.value_lists.capacity()
}
