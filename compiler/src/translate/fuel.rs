//! Fuel: code that counts the operators that it executes, and traps when there are more than the
//! fuel allows.
//!
//! A function keeps the number of operators executed in a value of its own, loads it from the store
//! context when it starts and after each call, and stores it before each call and when it returns. The
//! number begins so that it overflows when it exceeds the fuel, and an addition that overflows traps:
//! that is one instruction more, which processors fuse with the addition.
//!
//! The translator counts operators and adds their number where it must: before a call, and when the
//! function returns. Until then a number is not added. Where branches join, it must be the same on all
//! paths: that of the first branch counts, and the others add the difference. So of the two arms of an
//! `if` one adds nothing, and a loop adds the operators of an iteration where it begins the next.
//!
//! Each iteration and each call adds at least one operator, so no code runs without end. A guest stops at
//! the same operator on every machine. What it has executed beyond its fuel is at most as many operators
//! as the function has.
//!
//! `block`, `loop`, `else`, `end` and `nop` count nothing, and every other operator counts one. Bulk
//! operators count one more for every 16 bytes or elements.

use super::FuncTranslator;
use super::alias::AliasClass;
use crate::types::trap_code;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::Variable;
use precast_abi::store_context;
use precast_abi::trap::TrapCode;
use precast_abi::vmctx::STORE;
use wasmparser::Operator;

/// The fuel of a function that counts its operators.
pub(super) struct Fuel {
    /// [`store_context::FUEL_USED`], without the operators in `uncounted`.
    used: Variable,
    /// Operators that are not added yet.
    uncounted: i64,
}

/// What fuel does at an operator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing: the operator only structures code.
    Skip,
    /// Counts it.
    Count,
    /// Counts it, and stores the number for the callee, which counts on.
    Call,
    /// Counts it, with its length.
    Bulk,
}

fn step(op: &Operator<'_>) -> Step {
    match op {
        Operator::Nop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End => Step::Skip,
        // The number is stored before the trap, so that all operators are counted.
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
    /// Starts counting.
    pub(super) fn start_fuel(&mut self) {
        let used = self.builder.declare_var(types::I64);
        self.fuel = Some(Fuel { used, uncounted: 0 });
        self.load_fuel();
    }

    /// What precedes an operator.
    pub(super) fn fuel_before(&mut self, op: &Operator<'_>) {
        let Some(fuel) = &mut self.fuel else { return };
        let step = step(op);
        if step != Step::Skip {
            fuel.uncounted += 1;
        }
        match step {
            Step::Skip | Step::Count => {}
            Step::Call => {
                self.add_uncounted();
                self.store_fuel();
            }
            Step::Bulk => {
                let len = self.top();
                let len = self.widen(len);
                let cost = self.builder.ins().ushr_imm_u(len, 4);
                self.add_used(cost);
            }
        }
    }

    /// What follows an operator, if code after it is reachable.
    pub(super) fn fuel_after(&mut self, op: &Operator<'_>) {
        if self.fuel.is_some() && step(op) == Step::Call {
            self.load_fuel();
        }
    }

    /// Stores the number of operators, for the caller. All must have been added.
    pub(super) fn store_fuel(&mut self) {
        let Some(fuel) = &self.fuel else { return };
        let used = self.builder.use_var(fuel.used);
        let store = self.store_context();
        let flags = self.flags(AliasClass::Fuel);
        self.builder.ins().store(flags, used, store, store_context::FUEL_USED);
    }

    fn load_fuel(&mut self) {
        let store = self.store_context();
        let flags = self.flags(AliasClass::Fuel);
        let used = self.builder.ins().load(types::I64, flags, store, store_context::FUEL_USED);
        if let Some(fuel) = &self.fuel {
            self.builder.def_var(fuel.used, used);
        }
    }

    /// Operators that are not added yet; 0 in code that does not count.
    pub(super) fn uncounted_fuel(&self) -> i64 {
        self.fuel.as_ref().map_or(0, |fuel| fuel.uncounted)
    }

    /// Continues where another path has so many operators that are not added yet.
    pub(super) fn set_uncounted_fuel(&mut self, uncounted: i64) {
        if let Some(fuel) = &mut self.fuel {
            fuel.uncounted = uncounted;
        }
    }

    /// Adds all operators.
    pub(super) fn add_uncounted(&mut self) {
        self.leave_uncounted(0);
    }

    /// Prepares a branch to the label of a construct.
    pub(super) fn join_fuel(&mut self, at: usize) {
        let uncounted = self.uncounted_at(at);
        self.leave_uncounted(uncounted);
    }

    /// Whether a branch to the label of a construct needs no preparation.
    pub(super) fn joins_fuel(&mut self, at: usize) -> bool {
        self.uncounted_at(at) == self.uncounted_fuel()
    }

    fn uncounted_at(&mut self, at: usize) -> i64 {
        let here = self.uncounted_fuel();
        self.control.frame(at).uncounted(here)
    }

    /// Adds operators so that `rest` are not added yet. There may be fewer than that.
    fn leave_uncounted(&mut self, rest: i64) {
        let Some(fuel) = &mut self.fuel else { return };
        let count = std::mem::replace(&mut fuel.uncounted, rest) - rest;
        let variable = fuel.used;
        if count > 0 {
            let cost = self.builder.ins().iconst(types::I64, count);
            self.add_used(cost);
        } else if count < 0 {
            let used = self.builder.use_var(variable);
            // There is less fuel than the number can hold, by more than a function has operators.
            let used = self.builder.ins().iadd_imm_s(used, count);
            self.builder.def_var(variable, used);
        }
    }

    /// Adds operators, and traps if there are more than the fuel allows.
    fn add_used(&mut self, cost: Value) {
        let Some(fuel) = &self.fuel else { return };
        let variable = fuel.used;
        let used = self.builder.use_var(variable);
        let code = trap_code(TrapCode::OutOfFuel);
        let used = self.builder.ins().uadd_overflow_trap(used, cost, code);
        self.builder.def_var(variable, used);
    }

    fn store_context(&mut self) -> Value {
        let flags = self.constant_flags();
        self.builder.ins().load(types::I64, flags, self.ctx, STORE)
    }
}
