//! Entering a store: the activation of the call, its stack limit, and what is restored when it
//! returns.

use super::Store;
use crate::error::Error;
use crate::trap::Trap;
use crate::vm::activation::place::{OnThread, Place};
use crate::vm::activation::stack::Outer;
use crate::vm::activation::{Activation, thread};
use crate::vm::instance::context::Context;
use precast_abi::trap::TrapCode;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A store that a call has entered; the call leaves it when this is dropped.
pub(in crate::vm) struct Entered<'a, P: Place = OnThread> {
    store: NonNull<Store>,
    activation: &'a Activation,
    place: PhantomData<P>,
}

impl<'a, P: Place> Entered<'a, P> {
    /// An activation of a store, to enter it with. `sp` is the stack pointer of the function that calls
    /// machine code: the guest's stack begins there.
    #[inline(always)]
    pub(in crate::vm) fn activation(mut store: NonNull<Store>, sp: usize) -> Activation {
        // SAFETY: the caller has the namespace borrowed; this borrow ends here.
        let outer = unsafe { store.as_mut() }.outer_stack();
        Activation::new(store.as_ptr(), sp, outer)
    }

    /// Enters a store to run machine code on this thread: of the instance with the context `callee`,
    /// or of a host function. `sp` is the stack pointer of the function that calls machine code: the
    /// guest's stack begins there. The store comes as a pointer because host functions that machine
    /// code calls use it too, until this is dropped.
    #[inline(always)]
    pub(in crate::vm) fn enter(
        activation: &'a Activation,
        mut store: NonNull<Store>,
        callee: Option<Context>,
    ) -> Result<Entered<'a, P>, Error> {
        // This makes the thread known to others before the store is asked whether calls must stop.
        let stack_low = thread::stack_low();
        thread::enter(activation);
        // SAFETY: the caller has the namespace borrowed; this borrow ends here.
        let entered = unsafe { store.as_mut() }.enter(activation, callee, stack_low);
        match entered {
            Ok(()) => {
                P::entered(activation);
                Ok(Entered { store, activation, place: PhantomData })
            }
            Err(error) => {
                thread::leave(activation.outer.get());
                Err(error)
            }
        }
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

impl<P: Place> Drop for Entered<'_, P> {
    #[inline]
    fn drop(&mut self) {
        let activation = self.activation;
        let Outer { stack_limit, guest_sp } = activation.outer_stack;
        let store = self.store();
        store.context.stack_limit = stack_limit;
        store.guest_sp = guest_sp;
        store.depth -= 1;
        P::leave(activation.outer.get());
        if store.has_attention() {
            store.leave_with_attention(activation);
        }
    }
}

impl Store {
    /// Sets the stack limit for this thread and depth. The cost does not depend on the number of
    /// instances, as all contexts point to the one store context.
    ///
    /// Inlined with everything but its failures: it is most of the cost of a call.
    #[inline(always)]
    fn enter(
        &mut self,
        activation: &Activation,
        callee: Option<Context>,
        stack_low: usize,
    ) -> Result<(), Error> {
        let sp = activation.sp;
        if self.has_attention() || self.engine.is_closed() {
            self.enter_with_attention(activation, callee)?;
        }
        let budget = match self.depth {
            0 => self.stack.guest,
            _ => activation.outer_stack.left(),
        };
        let limit = self.stack.stack_limit(sp, budget, stack_low);
        if sp < limit {
            return Err(self.no_stack(activation));
        }
        activation.stack_limit.set(limit);
        self.context.stack_limit = limit;
        self.guest_sp = sp;
        self.depth += 1;
        self.was_entered = true;
        Ok(())
    }

    /// The stack of the call that runs, for an inner one.
    #[inline(always)]
    fn outer_stack(&mut self) -> Outer {
        // An interrupt whose reason is gone may have left its mark.
        if self.attention {
            self.restore_stack_limit(thread::innermost());
        }
        Outer { stack_limit: self.context.stack_limit, guest_sp: self.guest_sp }
    }

    /// Says at which stack pointer the host function left the guest that is about to be given the
    /// namespace.
    #[inline]
    pub(in crate::vm) fn left_guest_at(&mut self, sp: usize) {
        self.guest_sp = sp;
    }

    /// There is not enough stack for a call.
    #[cold]
    fn no_stack(&mut self, activation: &Activation) -> Error {
        if self.has_attention() {
            self.leave_with_attention(activation);
        }
        Trap::new(TrapCode::StackOverflow, None, Vec::new()).into()
    }
}
