//! Writes to sockets that wait without a thread.

use rustix::fs::OFlags;
use rustix::net::SendFlags;

use crate::calls::{fd_io, sock};
use crate::errno::Errno;
use crate::fd::{Object, Rights};
use crate::guest::Memory;
use crate::state::Wasi;

/// [`fd_write`](fd_io::fd_write), which waits until a socket has room. A write to any other object blocks.
pub(super) async fn fd_write(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    iovs: u32,
    iovs_len: u32,
    nwritten: u32,
) -> Result<(), Errno> {
    // A reference to a file cannot be kept while the guest waits.
    let is_socket = wasi.fds.get(fd).is_ok_and(|descriptor| match &descriptor.object {
        Object::HostFile(file) => file.is_socket(),
        _ => false,
    });
    match is_socket {
        true => sock_send(wasi, memory, fd, iovs, iovs_len, 0, nwritten).await,
        false => fd_io::fd_write(wasi, memory, fd, iovs, iovs_len, nwritten),
    }
}

/// [`sock_send`](sock::sock_send), which waits until the socket has room. It sends as much as there is
/// room for, so that the guest sees a short write where the system call would block for the rest.
pub(super) async fn sock_send(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    data: u32,
    data_len: u32,
    si_flags: u32,
    sent: u32,
) -> Result<(), Errno> {
    let Some(source) = wasi.callbacks.events.clone() else {
        return sock::sock_send(wasi, memory, fd, data, data_len, si_flags, sent);
    };
    loop {
        let flags = SendFlags::DONTWAIT;
        match sock::send(wasi, memory, fd, data, data_len, si_flags, sent, flags) {
            Err(Errno::Again) => {}
            result => return result,
        }
        let socket = wasi.fds.socket(fd, Rights::FD_WRITE)?;
        let host = rustix::fd::AsFd::as_fd(&socket.fd);
        if rustix::fs::fcntl_getfl(host)?.contains(OFlags::NONBLOCK) {
            return Err(Errno::Again);
        }
        source.writable(host).await?;
    }
}
