//! Polling: `poll_oneoff`, which waits for clocks and descriptors at once.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll as poll_host};
use rustix::io::ioctl_fionread;

use crate::errno::Errno;
use crate::fd::{FdTable, Object, Rights};
use crate::guest::Memory;
use crate::guest::layout::{
    self, EVENT_SIZE, Eventrwflags, SUBSCRIPTION_SIZE, Subclockflags, eventtype,
};
use crate::state::{Callbacks, Clocks, Wasi};

/// The most subscriptions of a call; more are `EINVAL`. This bounds the memory that a guest makes
/// the host allocate. The host's limit on descriptors is of the same order.
const MAX: u32 = 4096;

/// Waits until at least one of the subscribed events has occurred, and writes all that have.
///
/// An error of one subscription is reported in its event, without waiting: `EBADF` (no such
/// descriptor, a directory, or not opened for this direction), `ENOTCAPABLE` (without
/// `POLL_FD_READWRITE` and the right to read or write), `EINVAL` (no such clock or flag), `ENOTSUP`
/// (a CPU-time clock).
///
/// ```text
/// reads   subscriptions: subscription[nsubscriptions]
/// writes  events: event[nsubscriptions], up to the number that have occurred; nevents: u32
/// ```
/// - `EINVAL`: no subscriptions, too many of them, or an unknown type.
/// - `EINTR`: interrupted.
/// - `EFAULT`: a bad pointer.
///
/// [`poll_oneoff`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#poll_oneoff),
/// [ppoll(2)](https://man7.org/linux/man-pages/man2/poll.2.html)
pub(crate) fn poll_oneoff(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Result<(), Errno> {
    poll(wasi, memory, subscriptions, events, nsubscriptions, nevents, &SUBSCRIPTION)
}

/// The offsets of the fields of a `subscription`. They depend on the version of WASI.
pub(crate) struct SubscriptionLayout {
    pub(crate) size: usize,
    pub(crate) fd: usize,
    pub(crate) clock: usize,
    pub(crate) timeout: usize,
    pub(crate) flags: usize,
}

pub(crate) const SUBSCRIPTION: SubscriptionLayout =
    SubscriptionLayout { size: SUBSCRIPTION_SIZE, fd: 16, clock: 16, timeout: 24, flags: 40 };

/// [`poll_oneoff`] with the given layout of subscriptions.
pub(crate) fn poll(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
    layout: &SubscriptionLayout,
) -> Result<(), Errno> {
    let request =
        Request::read(wasi, memory, subscriptions, events, nsubscriptions, nevents, layout)?;
    let occurred = wait(&request.subscriptions, &mut wasi.clocks, &wasi.callbacks, &wasi.fds)?;
    request.finish(memory, &occurred)
}

/// A call that has been checked.
pub(crate) struct Request {
    pub(crate) subscriptions: Vec<Subscription>,
    events: u32,
    nevents: u32,
}

impl Request {
    /// Reads the subscriptions. All are read before the first event is written: the arrays may overlap.
    pub(crate) fn read(
        wasi: &Wasi,
        memory: &Memory<'_>,
        subscriptions: u32,
        events: u32,
        nsubscriptions: u32,
        nevents: u32,
        layout: &SubscriptionLayout,
    ) -> Result<Request, Errno> {
        if nsubscriptions == 0 || nsubscriptions > MAX {
            return Err(Errno::Inval);
        }
        memory.check(nevents, 4)?;
        memory.check(events, nsubscriptions as usize * EVENT_SIZE)?;
        let subscriptions = memory
            .bytes(subscriptions, nsubscriptions * layout.size as u32)?
            .chunks_exact(layout.size)
            .map(|bytes| Subscription::read(bytes, layout, &wasi.clocks, &wasi.fds))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Request { subscriptions, events, nevents })
    }

    /// Writes the events that have occurred.
    pub(crate) fn finish(
        &self,
        memory: &mut Memory<'_>,
        occurred: &[[u8; EVENT_SIZE]],
    ) -> Result<(), Errno> {
        for (event, at) in occurred.iter().zip((self.events..).step_by(EVENT_SIZE)) {
            memory.write(at, event)?;
        }
        // At most `nsubscriptions`.
        memory.write_u32(self.nevents, occurred.len() as u32)
    }
}

/// A decoded subscription.
pub(crate) struct Subscription {
    userdata: u64,
    eventtype: u8,
    pub(crate) wait: Wait,
}

/// The event that a subscription waits for.
pub(crate) enum Wait {
    /// The clock numbered `clock` reaches `deadline`.
    Clock { clock: u32, deadline: u64 },
    /// The host's descriptor behind `fd` becomes ready.
    Host { fd: u32, interest: PollFlags },
    /// The event has occurred, with this number of bytes to read.
    Ready { nbytes: u64 },
    /// The subscription has an error.
    Failed(Errno),
}

impl Subscription {
    fn read(
        bytes: &[u8],
        layout: &SubscriptionLayout,
        clocks: &Clocks,
        fds: &FdTable,
    ) -> Result<Self, Errno> {
        let fd = layout::u32_at(bytes, layout.fd);
        let eventtype = bytes[8];
        let wait = match eventtype {
            eventtype::CLOCK => clock(bytes, layout, clocks),
            eventtype::FD_READ => descriptor(fd, fds, Rights::FD_READ, PollFlags::IN),
            eventtype::FD_WRITE => descriptor(fd, fds, Rights::FD_WRITE, PollFlags::OUT),
            _ => return Err(Errno::Inval),
        };
        let userdata = layout::u64_at(bytes, 0);
        Ok(Subscription { userdata, eventtype, wait: wait.unwrap_or_else(Wait::Failed) })
    }

    fn event(&self, error: Errno, nbytes: u64, flags: Eventrwflags) -> [u8; EVENT_SIZE] {
        layout::event(self.userdata, error, self.eventtype, nbytes, flags)
    }
}

fn clock(bytes: &[u8], layout: &SubscriptionLayout, clocks: &Clocks) -> Result<Wait, Errno> {
    const FIRST_CPU_CLOCK: u32 = 2;

    let clock = layout::u32_at(bytes, layout.clock);
    let timeout = layout::u64_at(bytes, layout.timeout);
    let flags = Subclockflags::from_guest(layout::u16_at(bytes, layout.flags).into())?;
    let now = clocks.now(clock)?;
    if clock >= FIRST_CPU_CLOCK {
        // CPU time does not pass while the guest waits.
        return Err(Errno::Notsup);
    }
    let absolute = flags.contains(Subclockflags::ABSTIME);
    let deadline = if absolute { timeout } else { now.saturating_add(timeout) };
    Ok(Wait::Clock { clock, deadline })
}

fn descriptor(fd: u32, fds: &FdTable, right: Rights, interest: PollFlags) -> Result<Wait, Errno> {
    let descriptor = fds.get(fd)?;
    if descriptor.is_directory() {
        return Err(Errno::Badf);
    }
    descriptor.require(Rights::POLL_FD_READWRITE | right)?;
    Ok(match &descriptor.object {
        // An embedder's reader cannot be polled.
        Object::Stream(stream) => Wait::Ready { nbytes: stream.available() },
        Object::VirtualFile(file) if right == Rights::FD_READ => {
            Wait::Ready { nbytes: file.available() }
        }
        Object::VirtualFile(_) => Wait::Ready { nbytes: 0 },
        // The host counts the bytes from the kernel's offset on.
        Object::HostFile(file) if right == Rights::FD_READ => {
            file.return_offset()?;
            Wait::Host { fd, interest }
        }
        _ => Wait::Host { fd, interest },
    })
}

/// The descriptors of the host to be polled, in the order of the subscriptions.
fn polled<'a>(subscriptions: &[Subscription], fds: &'a FdTable) -> Result<Vec<PollFd<'a>>, Errno> {
    let mut polled = Vec::new();
    for subscription in subscriptions {
        if let Wait::Host { fd, interest } = subscription.wait {
            let host = fds.get(fd)?.host_fd().ok_or(Errno::Badf)?;
            polled.push(PollFd::from_borrowed_fd(host, interest));
        }
    }
    Ok(polled)
}

/// The events that have occurred, perhaps none.
#[cfg(feature = "async")]
pub(crate) fn ready_now(
    subscriptions: &[Subscription],
    clocks: &Clocks,
    fds: &FdTable,
) -> Result<Vec<[u8; EVENT_SIZE]>, Errno> {
    let mut polled = polled(subscriptions, fds)?;
    if !polled.is_empty() {
        poll_host(&mut polled, Some(&timespec(0)))?;
    }
    occurred(subscriptions, clocks, &polled, 0)
}

/// Waits and returns the events that have occurred, at least one.
pub(crate) fn wait(
    subscriptions: &[Subscription],
    clocks: &mut Clocks,
    callbacks: &Callbacks,
    fds: &FdTable,
) -> Result<Vec<[u8; EVENT_SIZE]>, Errno> {
    let mut polled = polled(subscriptions, fds)?;
    loop {
        let timeout = time_to_wait(subscriptions, clocks)?;
        // With a virtual clock or a callback the host only polls and does not sleep.
        let without_host = callbacks.sleep.is_some() || matches!(clocks, Clocks::Virtual { .. });
        let virtual_timeout = timeout.filter(|timeout| *timeout > 0 && without_host);
        let host_timeout = if virtual_timeout.is_some() { Some(0) } else { timeout };
        let ready = match (polled.as_slice(), host_timeout) {
            // Nothing to poll.
            ([], Some(0)) => 0,
            _ => poll_host(&mut polled, host_timeout.map(timespec).as_ref())?,
        };
        if let (0, Some(timeout)) = (ready, virtual_timeout) {
            if let Some(sleep) = &callbacks.sleep {
                sleep(Duration::from_nanos(timeout));
            }
            clocks.pass(timeout);
        }
        let mut events = occurred(subscriptions, clocks, &polled, 0)?;
        if let (true, Some(timeout)) = (events.is_empty(), virtual_timeout) {
            // The callback may return early. The guest's time has passed nevertheless.
            events = occurred(subscriptions, clocks, &polled, timeout)?;
        }
        // The host's timer may expire slightly before the clock reaches the deadline.
        if !events.is_empty() {
            return Ok(events);
        }
    }
}

/// The nanoseconds until the first deadline; `None` without deadlines.
pub(crate) fn time_to_wait(
    subscriptions: &[Subscription],
    clocks: &Clocks,
) -> Result<Option<u64>, Errno> {
    let mut first: Option<u64> = None;
    for subscription in subscriptions {
        let timeout = match subscription.wait {
            Wait::Clock { clock, deadline } => deadline.saturating_sub(clocks.now(clock)?),
            Wait::Ready { .. } | Wait::Failed(_) => 0,
            Wait::Host { .. } => continue,
        };
        first = Some(first.map_or(timeout, |first| first.min(timeout)));
    }
    Ok(first)
}

/// The events that have occurred, or will have in `ahead` nanoseconds. `polled` are the host's
/// descriptors, in the order of the subscriptions.
fn occurred(
    subscriptions: &[Subscription],
    clocks: &Clocks,
    polled: &[PollFd<'_>],
    ahead: u64,
) -> Result<Vec<[u8; EVENT_SIZE]>, Errno> {
    let mut polled = polled.iter();
    let mut events = Vec::new();
    for subscription in subscriptions {
        match subscription.wait {
            Wait::Clock { clock, deadline } => {
                if clocks.now(clock)?.saturating_add(ahead) >= deadline {
                    events.push(subscription.event(Errno::Success, 0, Eventrwflags::empty()));
                }
            }
            Wait::Ready { nbytes } => {
                events.push(subscription.event(Errno::Success, nbytes, Eventrwflags::empty()));
            }
            Wait::Failed(error) => {
                events.push(subscription.event(error, 0, Eventrwflags::empty()));
            }
            Wait::Host { .. } => {
                let Some(polled) = polled.next() else {
                    continue;
                };
                events.extend(descriptor_event(subscription, polled));
            }
        }
    }
    Ok(events)
}

/// The event of a descriptor of the host, if it has occurred. An error of the descriptor is not
/// reported here: the guest's next read or write reports it and does not block.
fn descriptor_event(subscription: &Subscription, polled: &PollFd<'_>) -> Option<[u8; EVENT_SIZE]> {
    let state = polled.revents();
    if state.is_empty() {
        return None;
    }
    if state.contains(PollFlags::NVAL) {
        return Some(subscription.event(Errno::Badf, 0, Eventrwflags::empty()));
    }
    let nbytes = if subscription.eventtype == eventtype::FD_READ {
        // A listening socket does not support this.
        ioctl_fionread(polled.as_fd()).unwrap_or(0)
    } else {
        0
    };
    let hung_up = state.intersects(PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR);
    let flags = if hung_up { Eventrwflags::HANGUP } else { Eventrwflags::empty() };
    Some(subscription.event(Errno::Success, nbytes, flags))
}

fn timespec(nanoseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (nanoseconds / 1_000_000_000) as i64,
        tv_nsec: (nanoseconds % 1_000_000_000) as _,
    }
}
