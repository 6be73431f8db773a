//! Tests of sockets that the embedder grants.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};

use super::*;
use crate::calls::fd_meta::{fd_fdstat_get, fd_fdstat_set_flags};
use crate::calls::sock::{sock_accept, sock_recv, sock_send, sock_shutdown};

impl Guest {
    /// The received bytes, and whether the message was truncated.
    fn recv(&mut self, fd: u32, len: u32, flags: u32) -> Result<(Vec<u8>, bool), Errno> {
        self.one_buffer(len);
        self.call(|w, m| sock_recv(w, m, fd, IOVS, 1, flags, OUT, OUT + 4))?;
        let bytes = self.get(DATA, self.u32(OUT)).to_vec();
        Ok((bytes, layout::u16_at(&self.memory, OUT as usize + 4) != 0))
    }

    fn send(&mut self, fd: u32, bytes: &[u8]) -> Result<u32, Errno> {
        self.put(DATA, bytes);
        self.one_buffer(bytes.len() as u32);
        self.call(|w, m| sock_send(w, m, fd, IOVS, 1, 0, OUT))?;
        Ok(self.u32(OUT))
    }
}

#[test]
fn a_listener_accepts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut guest = Guest::new(Builder::new().socket(listener));
    let fd = 3;
    assert_eq!(guest.filetype(fd), Ok(Filetype::SocketStream as u8), "the type of the listener");
    let mut host = TcpStream::connect(address).unwrap();
    assert_eq!(guest.call(|w, m| sock_accept(w, m, fd, 1, OUT)), Err(Errno::Inval));
    guest.call(|w, m| sock_accept(w, m, fd, 0, OUT)).unwrap();
    let connection = guest.u32(OUT);
    assert_eq!(connection, 4);
    assert_eq!(guest.rights(connection).0, Rights::SOCKET);

    host.write_all(b"ping").unwrap();
    assert_eq!(
        guest.recv(connection, 4, 1 | 2),
        Ok((b"ping".to_vec(), false)),
        "PEEK does not consume the bytes"
    );
    assert_eq!(guest.recv(connection, 100, 0), Ok((b"ping".to_vec(), false)));
    assert_eq!(guest.send(connection, b"pong"), Ok(4));
    assert_eq!(guest.call(|w, m| sock_shutdown(w, m, connection, 0)), Err(Errno::Inval));
    assert_eq!(guest.call(|w, m| sock_shutdown(w, m, connection, 2)), Ok(()));
    let mut answer = String::new();
    host.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "pong");
    assert_eq!(guest.send(connection, b"x"), Err(Errno::Pipe));
    assert_eq!(guest.recv(fd, 1, 0), Err(Errno::Notconn));
    assert_eq!(guest.call(|w, m| sock_accept(w, m, connection, 0, OUT)), Err(Errno::Notcapable));
}

#[test]
fn a_datagram_may_be_cut_off() {
    let (host, socket) = UnixDatagram::pair().unwrap();
    let mut guest = Guest::new(Builder::new().socket(socket));
    host.send(b"datagram").unwrap();
    assert_eq!(guest.recv(3, 4, 0), Ok((b"data".to_vec(), true)));
    assert_eq!(guest.recv(3, 4, 8), Err(Errno::Inval));
}

#[test]
fn socket_functions_refuse_other_objects() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    for fd in [0, DIR] {
        assert_eq!(guest.recv(fd, 1, 0), Err(Errno::Notsock));
        assert_eq!(guest.send(fd, b"x"), Err(Errno::Notsock));
        assert_eq!(guest.call(|w, m| sock_shutdown(w, m, fd, 1)), Err(Errno::Notsock));
    }
    assert_eq!(guest.recv(9, 1, 0), Err(Errno::Badf));
    let file = fs::File::open("/dev/null").unwrap();
    assert!(Builder::new().socket(file).blueprint().is_err());
}

#[test]
fn nonblocking_sockets() {
    const NONBLOCK: u32 = 4;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut guest = Guest::new(Builder::new().socket(listener));
    let fd = 3;
    guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, NONBLOCK)).unwrap();
    let accept = |guest: &mut Guest, flags| {
        guest.call(|w, m| sock_accept(w, m, fd, flags, OUT))?;
        Ok(guest.u32(OUT))
    };
    assert_eq!(accept(&mut guest, NONBLOCK), Err(Errno::Again), "no connection yet");
    let hosts = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    let connection = accept(&mut guest, NONBLOCK).unwrap();
    assert_eq!(guest.recv(connection, 1, 0), Err(Errno::Again), "no data yet");
    // An accepted connection blocks unless `NONBLOCK` is passed, even if the listener does not.
    let connection = accept(&mut guest, 0).unwrap();
    guest.call(|w, m| fd_fdstat_get(w, m, connection, OUT)).unwrap();
    assert_eq!(guest.get(OUT + 2, 2), [0, 0]);
    drop(hosts);
    assert_eq!(guest.recv(connection, 1, 0), Ok((Vec::new(), false)), "the end of the stream");
}

#[test]
fn receiving_with_waitall() {
    const WAITALL: u32 = 2;
    let (mut host, socket) = UnixStream::pair().unwrap();
    let mut guest = Guest::new(Builder::new().socket(socket));
    host.write_all(b"first ").unwrap();
    let later = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        host.write_all(b"second").unwrap();
    });
    assert_eq!(guest.recv(3, 12, WAITALL), Ok((b"first second".to_vec(), false)));
    later.join().unwrap();
    assert_eq!(guest.recv(3, 12, WAITALL), Ok((Vec::new(), false)), "the end of the stream");
}
