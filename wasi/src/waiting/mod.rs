//! Waiting without a thread: the embedder's source of events, and the functions of WASI that use it.

mod event_source;
mod export;
mod poll;
mod send;
#[cfg(feature = "tokio")]
mod tokio;

use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::OFlags;

use crate::fd::Object;
use crate::guest::layout::Filetype;
use crate::state::Wasi;

#[cfg(feature = "tokio")]
pub use self::tokio::Tokio;
pub use event_source::{Event, EventSource};
pub(crate) use export::export;

/// Waits until a read of a descriptor of the host would not block. Errors are left to the read.
///
/// Another reader of the same pipe or socket may be faster. Then the read blocks its thread after all.
async fn until_readable(wasi: &mut Wasi, fd: u32) {
    let Some(source) = wasi.callbacks.events.clone() else { return };
    let Ok(descriptor) = wasi.fds.get(fd) else { return };
    let host = match &descriptor.object {
        Object::HostFile(file) if file.filetype != Filetype::RegularFile => descriptor.host_fd(),
        _ => None,
    };
    let Some(host) = host else { return };
    let would_block = || {
        let ready = rustix::event::poll(
            &mut [PollFd::from_borrowed_fd(host, PollFlags::IN)],
            Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 }),
        );
        ready == Ok(0)
    };
    if !would_block() || rustix::fs::fcntl_getfl(host).is_ok_and(|f| f.contains(OFlags::NONBLOCK)) {
        return;
    }
    while source.readable(host).await.is_ok() && would_block() {}
}

/// Lets other tasks of the executor run.
async fn yield_to_executor(wasi: &mut Wasi) {
    if wasi.callbacks.events.is_some() && wasi.callbacks.yield_now.is_none() {
        YieldOnce(false).await;
    }
}

/// A future that is ready when it is polled the second time. It wakes its task at once.
struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
