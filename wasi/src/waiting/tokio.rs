//! `Tokio`: the events of tokio.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Event, EventSource};

/// The timers and descriptors of the tokio runtime that polls the guest's call. Both must be enabled
/// there (`enable_all`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl EventSource for Tokio {
    fn sleep(&self, duration: Duration) -> Event<'static, ()> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }

    fn readable<'a>(&'a self, fd: BorrowedFd<'a>) -> Event<'a, io::Result<()>> {
        Box::pin(ready(fd, Interest::READABLE))
    }

    fn writable<'a>(&'a self, fd: BorrowedFd<'a>) -> Event<'a, io::Result<()>> {
        Box::pin(ready(fd, Interest::WRITABLE))
    }
}

async fn ready(fd: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
    // A duplicate: the kernel refuses a descriptor that another task has registered.
    let own = rustix::io::fcntl_dupfd_cloexec(fd.as_fd(), 0)?;
    #[allow(deprecated, reason = "it is unsound for types that may change or close the descriptor")]
    let registered = AsyncFd::with_interest(own, interest)?;
    let _guard = registered.ready(interest).await?;
    Ok(())
}
