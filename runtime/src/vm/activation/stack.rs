//! The stack limit: how much of a thread's stack guests and host functions may use.
//!
//! ```text
//!   high   frames of the host
//!          ---- stack pointer when the host calls the outermost guest
//!          guest: at most `max_stack` bytes, without the frames of host functions in between
//!          ---- stack limit
//!          the host function that a guest calls at the limit: at least `host_stack` bytes
//!   low    ---- end of the thread's stack
//! ```
//!
//! Functions of a guest compare their stack pointer with the limit, and so do the thunks that lead
//! from a guest to the host. A call sets the limit for its thread and depth, and restores the limit
//! of the outer call when it returns.

use precast_abi::limits::UNCHECKED_STACK;

/// Largest bound in bytes: more than any stack has, and no sum with an address overflows.
const MOST: usize = 1 << 48;

/// Bytes for the frames of this crate between machine code and a host function.
const SHIMS: usize = 32 << 10;

/// The bounds that a runtime's settings ask for, in bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct StackBounds {
    /// Most stack of all guests in one call of the host.
    pub(in crate::vm) guest: usize,
    /// Least stack below the stack limit.
    reserve: usize,
}

impl StackBounds {
    /// Guests use at most `max_stack` bytes, and host functions have at least `host_stack`.
    pub(in crate::vm) fn new(max_stack: usize, host_stack: usize) -> Self {
        let reserve = host_stack.max(UNCHECKED_STACK as usize).saturating_add(SHIMS);
        StackBounds { guest: max_stack.min(MOST), reserve: reserve.min(MOST) }
    }

    /// The same, with guests that use at most `max_stack` bytes; `usize::MAX` changes nothing.
    pub(in crate::vm) fn with_guest(self, max_stack: usize) -> Self {
        match max_stack {
            usize::MAX => self,
            bytes => StackBounds { guest: bytes.min(MOST), ..self },
        }
    }

    /// Bytes of a stack of its own for a call: enough for the bounds, and for the frames of this crate
    /// around the guest.
    #[cfg(feature = "async")]
    pub(in crate::vm) fn own_stack(&self) -> usize {
        /// Most of it that is for guests: a bound that is meant to exceed every stack has no stack.
        const MOST_GUEST: usize = 64 << 20;
        (self.guest.min(MOST_GUEST) + self.reserve).saturating_add(SHIMS)
    }

    /// The stack limit of a guest that may use `budget` bytes below the stack pointer `sp` of a
    /// thread whose stack ends at `stack_low`. It is above the stack pointer when there is not enough
    /// stack for a call.
    #[inline]
    pub(in crate::vm) fn stack_limit(&self, sp: usize, budget: usize, stack_low: usize) -> usize {
        let lowest = stack_low + self.reserve;
        // A budget that exceeds the address makes the difference negative, so it is signed.
        (sp as isize - budget as isize).max(lowest as isize) as usize
    }
}

/// The stack of the outer call, in which a host function makes an inner call. The inner call may
/// run on another thread.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct Outer {
    pub(in crate::vm) stack_limit: usize,
    /// The stack pointer at which the guest called the host function that makes the inner call.
    pub(in crate::vm) guest_sp: usize,
}

impl Outer {
    /// Bytes of stack that the outer guests have left; the guests of the inner call may use them.
    pub(in crate::vm) fn left(self) -> usize {
        self.guest_sp.saturating_sub(self.stack_limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::activation::thread;

    #[test]
    fn a_guest_has_its_budget_or_what_the_stack_has_left() {
        let low = thread::stack_low();
        let bounds = StackBounds::new(1 << 20, 256 << 10);
        let lowest = low + (256 << 10) + SHIMS;
        let sp = lowest + (2 << 20);
        assert_eq!(bounds.stack_limit(sp, 1 << 20, low), sp - (1 << 20));
        assert_eq!(bounds.stack_limit(sp, 2 << 20, low), lowest);
        assert_eq!(bounds.stack_limit(sp, 3 << 20, low), lowest);
        assert_eq!(bounds.stack_limit(sp, 0, low), sp);
        // With too little stack for the host, the limit is above the stack pointer.
        assert!(bounds.stack_limit(lowest - 16, 1 << 20, low) > lowest - 16);
        assert_eq!(bounds.stack_limit(sp, MOST, low), lowest, "a budget that exceeds the address");
    }

    #[test]
    fn bounds_beyond_any_stack_do_not_overflow() {
        let bounds = StackBounds::new(usize::MAX, usize::MAX);
        assert_eq!((bounds.guest, bounds.reserve), (MOST, MOST));
        let low = thread::stack_low();
        let sp = low + (1 << 20);
        assert!(bounds.stack_limit(sp, bounds.guest, low) > sp, "no call fits");
        // Functions that do not compare their stack pointer need their stack in any case.
        let least = StackBounds::new(0, 0);
        assert_eq!((least.guest, least.reserve), (0, UNCHECKED_STACK as usize + SHIMS));
    }

    #[test]
    fn an_inner_call_has_what_the_outer_guests_left() {
        let left = |guest_sp, stack_limit| Outer { guest_sp, stack_limit }.left();
        assert_eq!(left(1000, 400), 600);
        assert_eq!(left(400, 400), 0);
        assert_eq!(left(0, usize::MAX), 0, "a guest beyond its limit has nothing left");
    }
}
