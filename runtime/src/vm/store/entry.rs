//! Entering a store: the stack limit of the call, and the outer call's limit when it returns.

use super::Store;
use crate::error::Error;
use crate::trap::Trap;
use crate::vm::activation::stack::Outer;
use precast_abi::trap::TrapCode;
use std::ptr::NonNull;

/// A store that a call has entered; the call leaves it when this is dropped.
pub(in crate::vm) struct Entered {
    store: NonNull<Store>,
    /// The stack of the outer call, to restore.
    outer: Outer,
}

impl Entered {
    /// Enters a store to run machine code on this thread. `sp` is the stack pointer of the function
    /// that calls machine code: the guest's stack begins there. The store comes as a pointer because
    /// host functions that machine code calls use it too, until this is dropped.
    #[inline(always)]
    pub(in crate::vm) fn enter(mut store: NonNull<Store>, sp: usize) -> Result<Entered, Error> {
        // SAFETY: the caller has the namespace borrowed; this borrow ends here.
        let outer = unsafe { store.as_mut() }.enter(sp)?;
        Ok(Entered { store, outer })
    }

    /// Whether the store is cleared when the call leaves it: it was closed from within, and no call is
    /// around this one.
    #[inline]
    pub(in crate::vm) fn is_last_of_closed(&mut self) -> bool {
        let store = self.store();
        store.closed && store.depth == 1
    }

    /// The store. No reference to it is kept while machine code runs.
    pub(in crate::vm) fn store(&mut self) -> &mut Store {
        // SAFETY: the caller of `enter` still has the namespace borrowed.
        unsafe { self.store.as_mut() }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let Outer { stack_limit, guest_sp } = self.outer;
        let store = self.store();
        store.context.stack_limit = stack_limit;
        store.guest_sp = guest_sp;
        store.depth -= 1;
        if store.depth == 0 && store.closed {
            store.clear();
        }
    }
}

impl Store {
    /// Sets the stack limit for this thread and depth, and gives the outer call's. The cost does not
    /// depend on the number of instances, as all contexts point to the one store context.
    ///
    /// Inlined with everything but its failures: it is most of the cost of a call.
    #[inline(always)]
    fn enter(&mut self, sp: usize) -> Result<Outer, Error> {
        if self.is_closed() {
            return Err(self.closed());
        }
        let outer = Outer { stack_limit: self.context.stack_limit, guest_sp: self.guest_sp };
        let budget = match self.depth {
            0 => self.stack.guest,
            _ => outer.left(),
        };
        let limit = self.stack.stack_limit(sp, budget);
        if sp < limit {
            return Err(no_stack());
        }
        self.context.stack_limit = limit;
        self.guest_sp = sp;
        self.depth += 1;
        Ok(outer)
    }

    /// Says at which stack pointer the host function left the guest that is about to be given the
    /// namespace.
    #[inline]
    pub(in crate::vm) fn left_guest_at(&mut self, sp: usize) {
        self.guest_sp = sp;
    }
}

/// There is not enough stack for a call.
#[cold]
fn no_stack() -> Error {
    Trap::new(TrapCode::StackOverflow, None, Vec::new()).into()
}
