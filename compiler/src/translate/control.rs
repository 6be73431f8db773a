//! Blocks, branches and the code that no branch reaches.
//!
//! The CLIF block for the end of a construct is created at the first branch to it, so a `block`
//! without branches costs nothing.

use super::FuncTranslator;
use crate::types::{clif_type, trap_code};
use cranelift_codegen::ir::{self, Block, BlockArg, InstBuilder, JumpTableData, Value};
use precast_abi::index::TypeIndex;
use precast_abi::trap::TrapCode;
use std::collections::HashMap;
use wasmparser::{BlockType, BrTable, Operator};

/// Forwarding blocks by the depth of the label that they jump to, in the order of their first use.
#[derive(Default)]
struct Forwarders {
    blocks: Vec<(u32, Block)>,
    by_depth: HashMap<u32, Block>,
}

/// The open constructs, and whether code at this point is reachable.
#[derive(Default)]
pub(super) struct Control {
    frames: Vec<Frame>,
    /// Number of open loops.
    loops: u32,
    unreachable: bool,
    /// Number of open constructs that started in unreachable code.
    skipped: u32,
    /// Operands at the start of the open `if`s, for their second arms.
    saved: Vec<Value>,
}

/// An open construct.
pub(super) struct Frame {
    kind: FrameKind,
    ty: Option<BlockType>,
    results: usize,
    /// Height of the operand stack below its parameters.
    height: usize,
    /// The block at its end, once a branch goes there.
    end: Option<Block>,
    /// Whether a branch goes to `end`. The end of an `if` exists before one does.
    reached: bool,
    /// Number of branches to its label.
    branches: usize,
    /// Operators that are not added to the fuel used where branches arrive, once one does.
    uncounted: Option<i64>,
    /// As `uncounted`, of an `if`'s second arm.
    uncounted_otherwise: i64,
}

enum FrameKind {
    Function,
    Block,
    /// A loop; branches go to its header.
    Loop {
        header: Block,
        params: usize,
    },
    /// The first arm of an `if`, with the destination for a false condition.
    If(Otherwise),
    Else,
}

enum Otherwise {
    /// The end, unless an `else` redirects the branch; for an `if` without parameters and results.
    End { branch: ir::Inst, unlikely: bool },
    /// A block of its own, which takes the operands that were saved last; the number of them.
    Block(Block, usize),
}

impl Frame {
    /// The outermost frame.
    pub(super) fn function(results: usize) -> Self {
        Frame {
            kind: FrameKind::Function,
            ty: None,
            results,
            height: 0,
            end: None,
            reached: false,
            branches: 0,
            uncounted: None,
            uncounted_otherwise: 0,
        }
    }

    /// Operators that are not added to the fuel used where branches to its label arrive: those of the
    /// first, which are so many.
    pub(super) fn uncounted(&mut self, first: i64) -> i64 {
        *self.uncounted.get_or_insert(first)
    }

    fn is_loop(&self) -> bool {
        matches!(self.kind, FrameKind::Loop { .. })
    }

    /// Number of operands of a branch to it.
    fn arity(&self) -> usize {
        match self.kind {
            FrameKind::Loop { params, .. } => params,
            _ => self.results,
        }
    }
}

impl Control {
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.loops = 0;
        self.unreachable = false;
        self.skipped = 0;
        self.saved.clear();
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.loops += u32::from(frame.is_loop());
        self.frames.push(frame);
    }

    pub(super) fn reachable(&self) -> bool {
        !self.unreachable
    }

    /// Whether a loop is open.
    pub(super) fn in_loop(&self) -> bool {
        self.loops > 0
    }

    /// The construct at this place, from the outermost.
    pub(super) fn frame(&mut self, at: usize) -> &mut Frame {
        &mut self.frames[at]
    }

    fn depth(&self, depth: u32) -> usize {
        self.frames.len() - 1 - depth as usize
    }
}

/// Tracks the nesting of constructs in unreachable code.
pub(super) fn translate_unreachable(t: &mut FuncTranslator<'_, '_>, op: &Operator<'_>) {
    match op {
        Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
            t.control.skipped += 1;
        }
        Operator::Else if t.control.skipped == 0 => t.else_(),
        Operator::End if t.control.skipped == 0 => t.end(),
        Operator::End => t.control.skipped -= 1,
        _ => {}
    }
}

impl FuncTranslator<'_, '_> {
    pub(super) fn unreachable(&mut self) {
        self.builder.ins().trap(trap_code(TrapCode::Unreachable));
        self.leave();
    }

    /// Marks the code from here on as unreachable.
    pub(super) fn leave(&mut self) {
        self.control.unreachable = true;
    }

    /// Appends the parameters or results of a construct as parameters of a block.
    fn block_params(&mut self, block: Block, ty: BlockType, results: bool) {
        let module = self.plan.module;
        match ty {
            BlockType::Empty => {}
            BlockType::Type(ty) if results => {
                let ty = crate::parse::module::val_type(ty).map_or(ir::types::I64, clif_type);
                self.builder.append_block_param(block, ty);
            }
            BlockType::Type(_) => {}
            BlockType::FuncType(index) => {
                let ty = &module.types[TypeIndex(index).index()];
                for &ty in if results { ty.results() } else { ty.params() } {
                    self.builder.append_block_param(block, clif_type(ty));
                }
            }
        }
    }

    fn push_frame(&mut self, kind: FrameKind, ty: BlockType, end: Option<Block>) {
        let (params, results) = self.plan.module.block_arity(ty);
        let height = self.stack.len() - params;
        let ty = Some(ty);
        let frame = Frame::function(results);
        self.control.push(Frame { kind, ty, height, end, ..frame });
    }

    /// Continues in a block whose predecessors are all known.
    fn enter(&mut self, block: Block) {
        self.builder.seal_block(block);
        self.builder.switch_to_block(block);
    }

    pub(super) fn block(&mut self, ty: BlockType) {
        self.push_frame(FrameKind::Block, ty, None);
    }

    pub(super) fn loop_(&mut self, ty: BlockType) {
        let (params, _) = self.plan.module.block_arity(ty);
        let header = self.builder.create_block();
        self.block_params(header, ty, false);
        self.jump(header, params);
        self.builder.switch_to_block(header);
        self.push_frame(FrameKind::Loop { header, params }, ty, None);
        self.join_fuel(self.control.depth(0));
        let height = self.stack.len() - params;
        self.stack.truncate(height);
        self.stack.extend_from_slice(&self.builder.block_params(header)[..params]);
    }

    /// The hint of the module for this branch: whether it is likely.
    fn hint(&self) -> Option<bool> {
        let here = self.builder.srcloc().bits().wrapping_sub(self.body_start);
        let at = self.hints.binary_search_by_key(&here, |&(offset, _)| offset);
        at.ok().map(|at| self.hints[at].1)
    }

    pub(super) fn if_(&mut self, ty: BlockType) {
        let condition = self.pop();
        let (params, results) = self.plan.module.block_arity(ty);
        let then = self.builder.create_block();
        let otherwise = self.builder.create_block();
        let hint = self.hint();
        if hint == Some(false) {
            self.builder.set_cold_block(then);
        }
        let unlikely = hint == Some(true);
        let branch = self.builder.ins().brif(condition, then, &[], otherwise, &[]);
        self.enter(then);
        if (params, results) == (0, 0) {
            let kind = FrameKind::If(Otherwise::End { branch, unlikely });
            self.push_frame(kind, ty, Some(otherwise));
            self.join_fuel(self.control.depth(0));
        } else {
            if unlikely {
                self.builder.set_cold_block(otherwise);
            }
            self.builder.seal_block(otherwise);
            let operands = &self.stack[self.stack.len() - params..];
            self.control.saved.extend_from_slice(operands);
            let kind = FrameKind::If(Otherwise::Block(otherwise, params));
            self.push_frame(kind, ty, None);
        }
        let at = self.control.depth(0);
        self.control.frames[at].uncounted_otherwise = self.uncounted_fuel();
    }

    pub(super) fn else_(&mut self) {
        let at = self.control.depth(0);
        if self.control.reachable() {
            let frame = &self.control.frames[at];
            let results = frame.results;
            let end = self.end_block(at);
            self.join_fuel(at);
            self.jump(end, results);
        }
        self.control.unreachable = false;
        self.set_uncounted_fuel(self.control.frames[at].uncounted_otherwise);
        let frame = &mut self.control.frames[at];
        self.stack.truncate(frame.height);
        let FrameKind::If(otherwise) = std::mem::replace(&mut frame.kind, FrameKind::Else) else {
            unreachable!("the validator pairs if and else");
        };
        let block = match otherwise {
            Otherwise::Block(block, params) => {
                let first = self.control.saved.len() - params;
                self.stack.extend(self.control.saved.drain(first..));
                block
            }
            Otherwise::End { branch, unlikely } => {
                let block = self.builder.create_block();
                if unlikely {
                    self.builder.set_cold_block(block);
                }
                let end = frame.end.expect("such an if has an end");
                self.builder.change_jump_destination(branch, end, block);
                self.builder.seal_block(block);
                block
            }
        };
        self.builder.switch_to_block(block);
    }

    /// The block at the end of the construct at `at`, for a branch to it.
    fn end_block(&mut self, at: usize) -> Block {
        self.control.frames[at].reached = true;
        if let Some(end) = self.control.frames[at].end {
            return end;
        }
        let end = self.builder.create_block();
        match self.control.frames[at].ty {
            Some(ty) => self.block_params(end, ty, true),
            None => self.builder.append_block_params_for_function_returns(end),
        }
        self.control.frames[at].end = Some(end);
        end
    }

    pub(super) fn end(&mut self) {
        let at = self.control.depth(0);
        if let FrameKind::If(Otherwise::Block(..)) = self.control.frames[at].kind {
            // Without a second arm, the operands are the results.
            self.else_();
        }
        let results = self.control.frames[at].results;
        if self.control.reachable() && self.control.frames[at].end.is_some() {
            let end = self.end_block(at);
            self.join_fuel(at);
            self.jump(end, results);
        }
        let mut frame = self.control.frames.pop().expect("the validator pairs blocks and ends");
        self.control.loops -= u32::from(frame.is_loop());
        frame.reached |= matches!(frame.kind, FrameKind::If(_));
        if let FrameKind::Loop { header, .. } = frame.kind {
            // Sealing adds an argument to each branch for every local that is live in the loop.
            let locals = self.builder.func.dfg.num_block_params(header);
            let arguments = locals * (frame.branches + 1);
            if self.budget.allows(self.builder.func, arguments) && self.budget.allows_header(locals)
            {
                self.builder.seal_block(header);
            }
        }
        match frame.end {
            Some(end) if frame.reached => {
                self.enter(end);
                self.stack.truncate(frame.height);
                self.stack.extend_from_slice(&self.builder.block_params(end)[..results]);
                self.control.unreachable = false;
                self.set_uncounted_fuel(frame.uncounted.unwrap_or_default());
            }
            Some(end) => self.builder.seal_block(end),
            None => {}
        }
        if let FrameKind::Function = frame.kind
            && self.control.reachable()
        {
            self.return_();
        }
        if !self.control.reachable() {
            self.stack.truncate(frame.height);
        }
    }

    /// The destination of a branch, and its number of operands.
    fn target(&mut self, depth: u32) -> (Block, usize) {
        let at = self.control.depth(depth);
        let frame = &mut self.control.frames[at];
        frame.branches += 1;
        let arity = frame.arity();
        match frame.kind {
            FrameKind::Loop { header, .. } => (header, arity),
            _ => (self.end_block(at), arity),
        }
    }

    /// Takes the upper `count` operands as arguments of a branch, and leaves them.
    fn branch_args(&mut self, count: usize) {
        self.block_args.clear();
        let operands = &self.stack[self.stack.len() - count..];
        self.block_args.extend(operands.iter().map(|&value| BlockArg::Value(value)));
    }

    fn jump(&mut self, block: Block, count: usize) {
        self.branch_args(count);
        self.builder.ins().jump(block, &*self.block_args);
    }

    pub(super) fn br(&mut self, depth: u32) {
        if self.control.depth(depth) == 0 {
            return self.return_();
        }
        let (block, arity) = self.target(depth);
        self.join_fuel(self.control.depth(depth));
        self.jump(block, arity);
        self.leave();
    }

    pub(super) fn br_if(&mut self, depth: u32) {
        let condition = self.pop();
        let (block, arity) = self.target(depth);
        self.join_fuel(self.control.depth(depth));
        self.branch_args(arity);
        let next = self.builder.create_block();
        if self.hint() == Some(true) {
            self.builder.set_cold_block(next);
        }
        self.builder.ins().brif(condition, block, &*self.block_args, next, &[]);
        self.enter(next);
    }

    pub(super) fn br_table(&mut self, targets: &BrTable<'_>) {
        let index = self.pop();
        if targets.is_empty() {
            return self.br(targets.default());
        }
        let mut forwarders = Forwarders::default();
        let default = self.table_target(targets.default(), &mut forwarders);
        let mut table = Vec::with_capacity(targets.len() as usize);
        for depth in targets.targets() {
            let Ok(depth) = depth else { unreachable!("the validator reads targets") };
            table.push(self.table_target(depth, &mut forwarders));
        }
        let table = self.builder.create_jump_table(JumpTableData::new(default, &table));
        self.builder.ins().br_table(index, table);
        let uncounted = self.uncounted_fuel();
        for (depth, block) in forwarders.blocks {
            self.enter(block);
            self.set_uncounted_fuel(uncounted);
            let (target, arity) = self.target(depth);
            self.join_fuel(self.control.depth(depth));
            self.jump(target, arity);
        }
        self.leave();
    }

    /// The destination of an entry of a branch table. Entries with arguments, and those at whose label
    /// another number of operators is not counted yet, share one forwarding block per depth, which passes
    /// the arguments and counts: an edge with arguments for each entry would be code for each entry.
    fn table_target(&mut self, depth: u32, forwarders: &mut Forwarders) -> ir::BlockCall {
        let (mut block, arity) = self.target(depth);
        if arity > 0 || !self.joins_fuel(self.control.depth(depth)) {
            block = *forwarders.by_depth.entry(depth).or_insert_with(|| {
                let block = self.builder.create_block();
                forwarders.blocks.push((depth, block));
                block
            });
        }
        self.builder.func.dfg.block_call(block, &[])
    }

    pub(super) fn return_(&mut self) {
        self.add_uncounted();
        self.store_fuel();
        let results = self.builder.func.signature.returns.len();
        let at = self.stack.len() - results;
        self.builder.ins().return_(&self.stack[at..]);
        self.leave();
    }

    /// Emits a branch to a cold block if `condition` is not zero. `then` builds that block and ends
    /// it. Code continues where the condition is zero.
    pub(super) fn cold(&mut self, condition: Value, then: impl FnOnce(&mut Self)) {
        let cold = self.builder.create_block();
        let next = self.builder.create_block();
        self.builder.set_cold_block(cold);
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        self.enter(cold);
        then(self);
        self.enter(next);
    }
}
