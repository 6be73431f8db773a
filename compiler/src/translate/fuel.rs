//! Fuel: code that counts the operators that it executes, and traps when there are more than the
//! fuel allows.
//!
//! A function keeps the fuel that is left in a value of its own, loads it from the store context when
//! it starts and after each call, and stores it before each call and when it returns. A run of
//! operators without branches is one subtraction at its end. The fuel is compared with zero where
//! code may run without end: at the start of each iteration of a loop, and of each function that can
//! be part of a cycle of calls. So a guest stops at the same operator on every machine, and what it
//! has executed beyond its fuel is at most the code between two comparisons.
//!
//! `block`, `loop`, `else`, `end` and `nop` count nothing, and every other operator counts one. Bulk
//! operators count one more for every 16 bytes or elements.

use super::FuncTranslator;
use super::alias::AliasClass;
use crate::types::trap_code;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::Variable;
use precast_abi::store_context;
use precast_abi::trap::TrapCode;
use precast_abi::vmctx::STORE;
use wasmparser::Operator;

/// The fuel of a function that counts its operators.
pub(super) struct Fuel {
    /// The fuel that is left, without the operators in `uncounted`.
    left: Variable,
    /// Operators since the last subtraction.
    uncounted: i64,
}

/// What fuel does at an operator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing: the operator only structures code.
    Skip,
    /// Counts it.
    Count,
    /// As [`Step::Skip`], and the count ends here: other code joins.
    Join,
    /// Counts it, and the count ends here: control may go elsewhere.
    Branch,
    /// As [`Step::Branch`], and the callee counts on.
    Call,
    /// Counts it, with its length.
    Bulk,
}

fn step(op: &Operator<'_>) -> Step {
    match op {
        Operator::Nop | Operator::Block { .. } => Step::Skip,
        Operator::Loop { .. } | Operator::Else | Operator::End => Step::Join,
        Operator::If { .. }
        | Operator::Br { .. }
        | Operator::BrIf { .. }
        | Operator::BrTable { .. }
        | Operator::Return => Step::Branch,
        // The fuel is stored before the trap, so that all operators are counted.
        Operator::Unreachable => Step::Call,
        Operator::Call { .. } | Operator::CallIndirect { .. } => Step::Call,
        Operator::MemoryCopy { .. }
        | Operator::MemoryFill { .. }
        | Operator::MemoryInit { .. }
        | Operator::TableCopy { .. }
        | Operator::TableFill { .. }
        | Operator::TableInit { .. } => Step::Bulk,
        _ => Step::Count,
    }
}

impl FuncTranslator<'_, '_> {
    /// Starts counting. `in_cycle` says whether the function can be part of a cycle of calls.
    pub(super) fn start_fuel(&mut self, in_cycle: bool) {
        let left = self.builder.declare_var(types::I64);
        self.fuel = Some(Fuel { left, uncounted: 0 });
        self.load_fuel();
        if in_cycle {
            self.check_fuel();
        }
    }

    /// What precedes an operator.
    pub(super) fn fuel_before(&mut self, op: &Operator<'_>) {
        let Some(fuel) = &mut self.fuel else { return };
        let step = step(op);
        if !matches!(step, Step::Skip | Step::Join) {
            fuel.uncounted += 1;
        }
        match step {
            Step::Skip | Step::Count => {}
            Step::Join | Step::Branch => self.subtract_fuel(),
            Step::Call => {
                self.subtract_fuel();
                self.store_fuel();
            }
            Step::Bulk => {
                let len = self.top();
                let len = self.widen(len);
                let cost = self.builder.ins().ushr_imm_u(len, 4);
                self.subtract_fuel();
                self.subtract(cost);
            }
        }
    }

    /// What follows an operator, if code after it is reachable.
    pub(super) fn fuel_after(&mut self, op: &Operator<'_>) {
        if self.fuel.is_none() {
            return;
        }
        match op {
            Operator::Loop { .. } => self.check_fuel(),
            op if step(op) == Step::Call => self.load_fuel(),
            _ => {}
        }
    }

    /// Stores the fuel that is left, for the caller. All operators must have been counted.
    pub(super) fn store_fuel(&mut self) {
        let Some(fuel) = &self.fuel else { return };
        let left = self.builder.use_var(fuel.left);
        let store = self.store_context();
        let flags = self.flags(AliasClass::Fuel);
        self.builder.ins().store(flags, left, store, store_context::FUEL);
    }

    fn load_fuel(&mut self) {
        let store = self.store_context();
        let flags = self.flags(AliasClass::Fuel);
        let left = self.builder.ins().load(types::I64, flags, store, store_context::FUEL);
        if let Some(fuel) = &self.fuel {
            self.builder.def_var(fuel.left, left);
        }
    }

    /// Counts the operators since the last subtraction.
    fn subtract_fuel(&mut self) {
        let Some(fuel) = &mut self.fuel else { return };
        let uncounted = std::mem::take(&mut fuel.uncounted);
        if uncounted != 0 {
            let cost = self.builder.ins().iconst(types::I64, uncounted);
            self.subtract(cost);
        }
    }

    fn subtract(&mut self, cost: Value) {
        let Some(fuel) = &self.fuel else { return };
        let variable = fuel.left;
        let left = self.builder.use_var(variable);
        let left = self.builder.ins().isub(left, cost);
        self.builder.def_var(variable, left);
    }

    /// Traps if more fuel has been used than there was.
    fn check_fuel(&mut self) {
        let Some(fuel) = &self.fuel else { return };
        let left = self.builder.use_var(fuel.left);
        let used = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, left, 0);
        self.cold(used, |t| {
            t.store_fuel();
            t.builder.ins().trap(trap_code(TrapCode::OutOfFuel));
        });
    }

    fn store_context(&mut self) -> Value {
        let flags = self.constant_flags();
        self.builder.ins().load(types::I64, flags, self.ctx, STORE)
    }
}
