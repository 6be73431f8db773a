//! Sockets: `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`.
//!
//! Preview 1 has no function that creates sockets. An embedder grants listening or connected
//! sockets with [`Builder::socket`](crate::Builder::socket).

use std::mem::MaybeUninit;

use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendFlags, Shutdown,
    SocketFlags, accept_with, recvmsg, sendmsg, shutdown,
};

use crate::errno::Errno;
use crate::fd::{Descriptor, HostFd, Rights};
use crate::guest::Memory;
use crate::guest::layout::{Fdflags, Riflags, Roflags, Sdflags};
use crate::state::Wasi;

/// Accepts a connection of a listening socket.
///
/// ```text
/// writes  accepted: u32
/// ```
/// - `EBADF`: no such descriptor. `ENOTSOCK`: not a socket.
/// - `EINVAL`: not listening, or a flag other than `NONBLOCK`.
/// - `ENOTCAPABLE`: without `SOCK_ACCEPT`.
/// - `EFAULT`: a bad pointer.
/// - errors of the host: `EAGAIN`, `ECONNABORTED`, `EINTR`, `EMFILE`, ...
///
/// [`sock_accept`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_accept),
/// [accept4(2)](https://man7.org/linux/man-pages/man2/accept.2.html)
pub(crate) fn sock_accept(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    flags: u32,
    accepted: u32,
) -> Result<(), Errno> {
    memory.check(accepted, 4)?;
    let mut host_flags = SocketFlags::CLOEXEC;
    match Fdflags::from_guest(flags)? {
        Fdflags::NONBLOCK => host_flags |= SocketFlags::NONBLOCK,
        flags if flags == Fdflags::empty() => {}
        _ => return Err(Errno::Inval),
    }
    let listener = wasi.fds.socket(fd, Rights::SOCK_ACCEPT)?;
    // Without a free number an accepted connection would be lost.
    wasi.fds.check_capacity()?;
    let connection = accept_with(&listener.fd, host_flags)?;
    let mut descriptor = Descriptor::of_socket(HostFd::Owned(connection))?;
    descriptor.base = descriptor.base & wasi.fds.get(fd)?.inheriting;
    let connection = wasi.fds.insert(descriptor)?;
    memory.write_u32(accepted, connection)
}

/// Receives from a socket.
///
/// ```text
/// reads   data: iovec[data_len]
/// writes  the buffers; received: u32; ro_flags: u16
/// ```
/// - `EBADF`: no such descriptor. `ENOTSOCK`: not a socket.
/// - `EINVAL`: no such flag.
/// - `ENOTCAPABLE`: without `FD_READ`.
/// - `EFAULT`, `EINVAL`: bad buffers.
/// - errors of the host: `EAGAIN`, `ECONNRESET`, `EINTR`, `ENOTCONN`, ...
///
/// [`sock_recv`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_recv),
/// [recvmsg(2)](https://man7.org/linux/man-pages/man2/recv.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn sock_recv(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    data: u32,
    data_len: u32,
    ri_flags: u32,
    received: u32,
    ro_flags: u32,
) -> Result<(), Errno> {
    memory.check(received, 4)?;
    memory.check(ro_flags, 2)?;
    let ri_flags = Riflags::from_guest(ri_flags)?;
    let mut flags = RecvFlags::empty();
    flags.set(RecvFlags::PEEK, ri_flags.contains(Riflags::PEEK));
    flags.set(RecvFlags::WAITALL, ri_flags.contains(Riflags::WAITALL));
    let socket = wasi.fds.socket(fd, Rights::FD_READ)?;

    let mut result = Roflags::empty();
    let n = memory.scatter(data, data_len, |bufs| {
        // The kernel drops descriptors that a peer passes, because the buffer for them is empty.
        let mut space: [MaybeUninit<u8>; 0] = [];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let message = recvmsg(&socket.fd, bufs, &mut control, flags)?;
        if message.flags.contains(ReturnFlags::TRUNC) {
            result = Roflags::DATA_TRUNCATED;
        }
        Ok(message.bytes)
    })?;
    memory.write_u32(received, n)?;
    memory.write(ro_flags, &result.bits().to_le_bytes())
}

/// Sends on a socket. `EPIPE`, and no signal, if the peer has closed it.
///
/// ```text
/// reads   data: ciovec[data_len], the buffers
/// writes  sent: u32
/// ```
/// - `EBADF`: no such descriptor. `ENOTSOCK`: not a socket.
/// - `EINVAL`: `si_flags` is not 0; no flags exist.
/// - `ENOTCAPABLE`: without `FD_WRITE`.
/// - `EFAULT`, `EINVAL`: bad buffers.
/// - errors of the host: `EAGAIN`, `ECONNRESET`, `EINTR`, `EMSGSIZE`, `ENOTCONN`, `EPIPE`, ...
///
/// [`sock_send`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_send),
/// [sendmsg(2)](https://man7.org/linux/man-pages/man2/send.2.html)
pub(crate) fn sock_send(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    data: u32,
    data_len: u32,
    si_flags: u32,
    sent: u32,
) -> Result<(), Errno> {
    send(wasi, memory, fd, data, data_len, si_flags, sent, SendFlags::empty())
}

/// [`sock_send`] with flags of the host.
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's, and one more")]
#[inline(always)]
pub(crate) fn send(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    data: u32,
    data_len: u32,
    si_flags: u32,
    sent: u32,
    flags: SendFlags,
) -> Result<(), Errno> {
    memory.check(sent, 4)?;
    if si_flags != 0 {
        return Err(Errno::Inval);
    }
    let socket = wasi.fds.socket(fd, Rights::FD_WRITE)?;
    let n = memory.gather(data, data_len, |bufs| {
        let mut control = SendAncillaryBuffer::default();
        Ok(sendmsg(&socket.fd, bufs, &mut control, flags | SendFlags::NOSIGNAL)?)
    })?;
    memory.write_u32(sent, n)
}

/// Shuts down one or both directions of a connection.
///
/// - `EBADF`: no such descriptor. `ENOTSOCK`: not a socket.
/// - `EINVAL`: no such flag, or no direction.
/// - `ENOTCAPABLE`: without `SOCK_SHUTDOWN`.
/// - `ENOTCONN`: not connected.
///
/// [`sock_shutdown`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#sock_shutdown),
/// [shutdown(2)](https://man7.org/linux/man-pages/man2/shutdown.2.html)
pub(crate) fn sock_shutdown(
    wasi: &mut Wasi,
    _: &mut Memory<'_>,
    fd: u32,
    how: u32,
) -> Result<(), Errno> {
    let how = Sdflags::from_guest(how)?;
    let how = match (how.contains(Sdflags::RD), how.contains(Sdflags::WR)) {
        (true, true) => Shutdown::Both,
        (true, false) => Shutdown::Read,
        (false, true) => Shutdown::Write,
        (false, false) => return Err(Errno::Inval),
    };
    let socket = wasi.fds.socket(fd, Rights::SOCK_SHUTDOWN)?;
    Ok(shutdown(&socket.fd, how)?)
}
