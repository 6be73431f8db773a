//! Waiting: `poll_oneoff`, over clocks and descriptors in one wait.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll as poll_host};
use rustix::io::ioctl_fionread;

use crate::errno::Errno;
use crate::fd::rights::Rights;
use crate::fd::table::{FdTable, Object};
use crate::guest::Memory;
use crate::guest::layout::{
    self, EVENT_SIZE, Eventrwflags, SUBSCRIPTION_SIZE, Subclockflags, eventtype,
};
use crate::state::blueprint::Wasi;
use crate::state::callbacks::Hooks;
use crate::state::clocks::Clocks;

/// More subscriptions than this are `EINVAL`, so that a guest does not choose how much memory the
/// host allocates. The host has a limit on descriptors that is of this order.
const MAX: u32 = 4096;

/// Waits until at least one of the subscribed events has occurred, and tells all that have.
///
/// What is wrong with one subscription is told in its event, at once: `EBADF` (no such descriptor,
/// a directory, or not open for that), `ENOTCAPABLE` (without `POLL_FD_READWRITE` and the right to
/// read or write), `EINVAL` (no such clock or flag), `ENOTSUP` (a CPU-time clock).
///
/// ```text
/// reads   subscriptions: subscription[nsubscriptions]
/// writes  events: event[nsubscriptions], as many as have occurred; nevents: u32
/// ```
/// - `EINVAL`: no subscription, too many of them, or an unknown type.
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

/// Where the fields of a `subscription` lie; which, depends on the version of WASI.
pub(crate) struct SubscriptionLayout {
    pub(crate) size: usize,
    pub(crate) fd: usize,
    pub(crate) clock: usize,
    pub(crate) timeout: usize,
    pub(crate) flags: usize,
}

const SUBSCRIPTION: SubscriptionLayout =
    SubscriptionLayout { size: SUBSCRIPTION_SIZE, fd: 16, clock: 16, timeout: 24, flags: 40 };

/// As [`poll_oneoff`], of subscriptions that lie as `layout` says.
pub(crate) fn poll(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
    layout: &SubscriptionLayout,
) -> Result<(), Errno> {
    if nsubscriptions == 0 || nsubscriptions > MAX {
        return Err(Errno::Inval);
    }
    memory.check(nevents, 4)?;
    memory.check(events, nsubscriptions as usize * EVENT_SIZE)?;
    // All of them before the first event is written: the two arrays may overlap.
    let subscriptions = memory
        .bytes(subscriptions, nsubscriptions * layout.size as u32)?
        .chunks_exact(layout.size)
        .map(|bytes| Subscription::read(bytes, layout, &wasi.clocks, &wasi.fds))
        .collect::<Result<Vec<_>, _>>()?;

    let occurred = wait(&subscriptions, &mut wasi.clocks, &wasi.hooks, &wasi.fds)?;
    for (event, at) in occurred.iter().zip((events..).step_by(EVENT_SIZE)) {
        memory.write(at, event)?;
    }
    // At most `nsubscriptions`.
    memory.write_u32(nevents, occurred.len() as u32)
}

/// A subscription, ready to wait for.
struct Subscription {
    userdata: u64,
    eventtype: u8,
    wait: Wait,
}

/// What a subscription waits for.
enum Wait {
    /// The time `deadline` of the clock numbered `clock`.
    Clock { clock: u32, deadline: u64 },
    /// The host's descriptor behind `fd`.
    Host { fd: u32, interest: PollFlags },
    /// Nothing: it has occurred, with this many bytes to read.
    Ready { nbytes: u64 },
    /// Nothing: it cannot occur.
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
        // It stands still while the guest waits.
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
        // An embedder's reader cannot be asked.
        Object::Stream(stream) => Wait::Ready { nbytes: stream.available() },
        Object::Virtual(file) if right == Rights::FD_READ => {
            Wait::Ready { nbytes: file.available() }
        }
        Object::Virtual(_) => Wait::Ready { nbytes: 0 },
        // The host tells how many bytes there are from its own offset on.
        Object::Host(file) if right == Rights::FD_READ => {
            file.return_offset()?;
            Wait::Host { fd, interest }
        }
        _ => Wait::Host { fd, interest },
    })
}

/// Waits; answers the events that have occurred, at least one.
fn wait(
    subscriptions: &[Subscription],
    clocks: &mut Clocks,
    hooks: &Hooks,
    fds: &FdTable,
) -> Result<Vec<[u8; EVENT_SIZE]>, Errno> {
    let mut polled = Vec::new();
    for subscription in subscriptions {
        if let Wait::Host { fd, interest } = subscription.wait {
            let host = fds.get(fd)?.host_fd().ok_or(Errno::Badf)?;
            polled.push(PollFd::from_borrowed_fd(host, interest));
        }
    }
    loop {
        let timeout = time_to_wait(subscriptions, clocks)?;
        // Where the host must not sleep, it is only asked what is ready.
        let instead = hooks.sleep.is_some() || matches!(clocks, Clocks::Virtual { .. });
        let instead = timeout.filter(|timeout| *timeout > 0 && instead);
        let timeout_of_host = if instead.is_some() { Some(0) } else { timeout };
        let ready = match (polled.as_slice(), timeout_of_host) {
            // Nothing to ask the host.
            ([], Some(0)) => 0,
            _ => poll_host(&mut polled, timeout_of_host.map(timespec).as_ref())?,
        };
        if let (0, Some(timeout)) = (ready, instead) {
            if let Some(sleep) = &hooks.sleep {
                sleep(Duration::from_nanos(timeout));
            }
            clocks.pass(timeout);
        }
        let mut events = occurred(subscriptions, clocks, &polled, 0)?;
        if let (true, Some(timeout)) = (events.is_empty(), instead) {
            // The embedder's sleep may be shorter than asked for, or none at all. It counts.
            events = occurred(subscriptions, clocks, &polled, timeout)?;
        }
        // A clock may be a little behind the host's timer.
        if !events.is_empty() {
            return Ok(events);
        }
    }
}

/// How many nanoseconds until the first clock strikes; none if there is no clock.
fn time_to_wait(subscriptions: &[Subscription], clocks: &Clocks) -> Result<Option<u64>, Errno> {
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

/// The events that have occurred by now, or will have in `ahead` nanoseconds. `polled` are the
/// host's descriptors, in order.
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

/// The event of a descriptor of the host, if it has occurred. An error of the descriptor is told
/// by what the guest does next: it will not block.
fn descriptor_event(subscription: &Subscription, polled: &PollFd<'_>) -> Option<[u8; EVENT_SIZE]> {
    let state = polled.revents();
    if state.is_empty() {
        return None;
    }
    if state.contains(PollFlags::NVAL) {
        return Some(subscription.event(Errno::Badf, 0, Eventrwflags::empty()));
    }
    let nbytes = if subscription.eventtype == eventtype::FD_READ {
        // A listening socket has no bytes.
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
