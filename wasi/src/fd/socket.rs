//! Descriptors of sockets.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::{SocketType, sockopt};

use super::{Descriptor, HostFd, HostFile, Object, Rights};
use crate::errno::Errno;
use crate::guest::layout::Filetype;

impl Descriptor {
    /// The descriptor for a socket of the host. `ENOTSOCK`: not a socket.
    pub(crate) fn of_socket(fd: HostFd) -> Result<Self, Errno> {
        let filetype = filetype(fd.as_fd())?;
        let listens = sockopt::socket_acceptconn(&fd)?;
        let (base, inheriting) = if listens {
            (Rights::LISTENER, Rights::SOCKET)
        } else {
            (Rights::SOCKET, Rights::NONE)
        };
        // A socket is not on a mount.
        let object =
            Object::HostFile(HostFile { fd, filetype, writable: true, offset: Default::default() });
        Ok(Descriptor { object, opened_for: Rights::DATA, base, inheriting })
    }
}

/// The type of a socket.
fn filetype(fd: BorrowedFd<'_>) -> Result<Filetype, Errno> {
    Ok(match sockopt::socket_type(fd)? {
        SocketType::DGRAM => Filetype::SocketDgram,
        _ => Filetype::SocketStream,
    })
}
