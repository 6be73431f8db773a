//! `poll_oneoff` that waits without a thread.

use std::future::poll_fn;
use std::os::fd::BorrowedFd;
use std::task::Poll;
use std::time::Duration;

use rustix::event::PollFlags;

use super::{Event, EventSource};
use crate::calls::poll::{Request, SubscriptionLayout, Wait, ready_now, time_to_wait, wait};
use crate::errno::Errno;
use crate::guest::Memory;
use crate::state::{Clocks, Wasi};

/// [`poll_oneoff`](crate::calls::poll::poll_oneoff), which waits for events of the embedder's source.
pub(super) async fn poll_oneoff(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Result<(), Errno> {
    let args = (subscriptions, events, nsubscriptions, nevents);
    poll(wasi, memory, args, &crate::calls::poll::SUBSCRIPTION).await
}

/// [`poll_oneoff`] of preview 0.
pub(super) async fn poll_oneoff_of_preview0(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Result<(), Errno> {
    let args = (subscriptions, events, nsubscriptions, nevents);
    poll(wasi, memory, args, &crate::calls::preview0::SUBSCRIPTION).await
}

/// [`poll_oneoff`] with the given layout of subscriptions. A guest with virtual clocks, or with a
/// function of the embedder for sleeping, does not wait.
async fn poll(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    (subscriptions, events, nsubscriptions, nevents): (u32, u32, u32, u32),
    layout: &SubscriptionLayout,
) -> Result<(), Errno> {
    let request =
        Request::read(wasi, memory, subscriptions, events, nsubscriptions, nevents, layout)?;
    let without_host =
        wasi.callbacks.sleep.is_some() || matches!(wasi.clocks, Clocks::Virtual { .. });
    let source = wasi.callbacks.events.clone().filter(|_| !without_host);
    let occurred = match source {
        None => wait(&request.subscriptions, &mut wasi.clocks, &wasi.callbacks, &wasi.fds)?,
        Some(source) => loop {
            let occurred = ready_now(&request.subscriptions, &wasi.clocks, &wasi.fds)?;
            if !occurred.is_empty() {
                break occurred;
            }
            let timeout = time_to_wait(&request.subscriptions, &wasi.clocks)?;
            let mut descriptors = Vec::new();
            for subscription in &request.subscriptions {
                if let Wait::Host { fd, interest } = subscription.wait {
                    let host = wasi.fds.get(fd)?.host_fd().ok_or(Errno::Badf)?;
                    descriptors.push((host, interest));
                }
            }
            first(&*source, &descriptors, timeout.map(Duration::from_nanos)).await?;
        },
    };
    request.finish(memory, &occurred)
}

/// Waits until one of the descriptors is ready or the time has passed.
async fn first(
    source: &dyn EventSource,
    descriptors: &[(BorrowedFd<'_>, PollFlags)],
    timeout: Option<Duration>,
) -> Result<(), Errno> {
    let mut timer = timeout.map(|timeout| source.sleep(timeout));
    let ready = descriptors.iter().map(|&(fd, interest)| match interest {
        PollFlags::OUT => source.writable(fd),
        _ => source.readable(fd),
    });
    let mut ready: Vec<Event<'_, _>> = ready.collect();
    let result = poll_fn(|context| {
        if let Some(timer) = &mut timer
            && timer.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Ok(()));
        }
        for event in &mut ready {
            if let Poll::Ready(result) = event.as_mut().poll(context) {
                return Poll::Ready(result);
            }
        }
        Poll::Pending
    });
    Ok(result.await?)
}
