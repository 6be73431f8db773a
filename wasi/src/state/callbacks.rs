//! `Callbacks`: functions of the embedder for sleeping, yielding and waiting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "async")]
use crate::waiting::EventSource;

/// Called instead of a sleep of the host's thread.
type Sleep = Arc<dyn Fn(Duration) + Send + Sync>;

/// Called instead of a yield of the host's thread.
type Yield = Arc<dyn Fn() + Send + Sync>;

/// The functions that the embedder has set.
#[derive(Clone, Default)]
pub(crate) struct Callbacks {
    pub(crate) sleep: Option<Sleep>,
    pub(crate) yield_now: Option<Yield>,
    /// The events for which the guest waits without a thread.
    #[cfg(feature = "async")]
    pub(crate) events: Option<Arc<dyn EventSource>>,
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("sleep", &self.sleep.is_some())
            .field("yield_now", &self.yield_now.is_some())
            .finish_non_exhaustive()
    }
}
