//! The budget of a function: a limit on the size of its intermediate code.
//!
//! A few bytes of WebAssembly can become much code: a branch with a thousand arguments takes two
//! bytes, and a local that is live across blocks costs at each of them. Code from compilers is far
//! below these limits. A module that exceeds them is refused before the code generator spends
//! memory on it. The limits depend on the function alone.

use crate::error::{CompileError, ErrorKind};
use cranelift_codegen::ir::Function;

/// Number of values, instructions and operands that every function may have.
const BASE: usize = 1 << 16;

/// Number of further ones per byte of the body. RATIONALE.md has the numbers of real programs.
const PER_BYTE: usize = 160;

/// Maximum pairs of a local and a block before its last use: the construction of SSA form keeps a
/// table of definitions with a four-byte entry for each.
const LOCALS_BY_BLOCKS: u64 = 1 << 26;

/// Number of moves of loop parameters that every function may need.
const BASE_MOVES: u64 = 1 << 26;

/// Number of further moves per byte of the body.
const MOVES_PER_BYTE: u64 = 1 << 10;

/// The budget of one function, and its use.
#[derive(Default)]
pub(super) struct Budget {
    /// Maximum of values, instructions and operands together.
    size: usize,
    /// Maximum of moves of loop parameters.
    max_moves: u64,
    /// The moves that loops so far may need.
    moves: u64,
    /// Per local, the number of blocks at its last use.
    reach: Vec<u32>,
    /// The sum of `reach`.
    reached: u64,
}

impl Budget {
    /// Starts a function whose body has `len` bytes.
    pub(super) fn start(&mut self, len: usize) {
        self.size = BASE + PER_BYTE * len;
        self.max_moves = BASE_MOVES + MOVES_PER_BYTE * len as u64;
        self.moves = 0;
        self.reach.clear();
        self.reached = 0;
    }

    /// Counts a read or write of a local while there are `blocks` blocks.
    pub(super) fn touch(&mut self, local: u32, blocks: usize) {
        let (local, blocks) = (local as usize, blocks as u32);
        if self.reach.len() <= local {
            self.reach.resize(local + 1, 0);
        }
        let before = std::mem::replace(&mut self.reach[local], blocks);
        self.reached += u64::from(blocks - before);
    }

    /// Whether a function stays within its limits with `more` operands. If not, the next
    /// [`Self::check`] fails.
    pub(super) fn allows(&mut self, func: &Function, more: usize) -> bool {
        let allowed = size(func) + more <= self.size;
        if !allowed {
            self.size = 0;
        }
        allowed
    }

    /// Whether a function stays within its limits when a loop header with `params` parameters is
    /// sealed. If not, the next [`Self::check`] fails.
    ///
    /// A header gets a parameter for each local that is read in the loop before it is written.
    /// Sealing removes those that no branch changes, and each removal moves the parameters behind.
    pub(super) fn allows_header(&mut self, params: usize) -> bool {
        let params = params as u64;
        self.moves += params * params / 2;
        self.moves <= self.max_moves
    }

    /// Fails if a function exceeds its limits after an operator.
    pub(super) fn check(&self, func: &Function, offset: u32) -> Result<(), CompileError> {
        let what = match () {
            _ if size(func) > self.size => "a function's code grows out of proportion",
            _ if self.reached > LOCALS_BY_BLOCKS => "a function has too many locals and blocks",
            _ if self.moves > self.max_moves => "a function has too many locals in loops",
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
