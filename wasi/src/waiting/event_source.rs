//! `EventSource`: the embedder's timers, and its notification of descriptors that are ready.

use std::io;
use std::os::fd::BorrowedFd;
use std::pin::Pin;
use std::time::Duration;

/// The future of an event.
pub type Event<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// The events of an executor for which guests wait: see [`Builder::events`](crate::Builder::events).
///
/// Its functions are called, and their futures polled, by the task that polls the guest's call. With
/// the feature `tokio`, `Tokio` is that of tokio.
pub trait EventSource: Send + Sync + 'static {
    /// Is ready when the duration has passed.
    fn sleep(&self, duration: Duration) -> Event<'static, ()>;

    /// Is ready when a read from the descriptor would not block: there are bytes, a connection to
    /// accept, an end or an error. It may be ready too early.
    ///
    /// # Errors
    ///
    /// If the descriptor cannot be waited for.
    fn readable<'a>(&'a self, fd: BorrowedFd<'a>) -> Event<'a, io::Result<()>>;

    /// As [`EventSource::readable`], for a write.
    ///
    /// # Errors
    ///
    /// As [`EventSource::readable`].
    fn writable<'a>(&'a self, fd: BorrowedFd<'a>) -> Event<'a, io::Result<()>>;
}
