//! What the embedder does instead of the host: sleeping and yielding.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Called instead of letting the host's thread sleep.
type Sleep = Arc<dyn Fn(Duration) + Send + Sync>;

/// Called instead of giving the processor to another thread of the host.
type Yield = Arc<dyn Fn() + Send + Sync>;

/// The embedder's functions, where there are some.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) sleep: Option<Sleep>,
    pub(crate) yield_now: Option<Yield>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("sleep", &self.sleep.is_some())
            .field("yield_now", &self.yield_now.is_some())
            .finish()
    }
}
