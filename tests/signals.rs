//! Tests that a failed write of a guest is an error for the guest and that no signal ends the host.
//! It is one test, because signal actions belong to the whole process.

use std::fs::{self, OpenOptions};
use std::os::unix::net::UnixStream;

use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use precast_wasi::{Builder, Errno};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[path = "../wasi/tests/common/mod.rs"]
mod common;
use common::{CREAT, Guest, IOVEC, RESULT, TempDir, WRITE};

/// A lowered limit on the size of files. It applies to the output of the test harness too, so it is
/// restored.
struct LimitedFiles(Rlimit);

impl LimitedFiles {
    fn to(bytes: u64) -> Self {
        let before = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), ..before }).unwrap();
        LimitedFiles(before)
    }
}

impl Drop for LimitedFiles {
    fn drop(&mut self) {
        setrlimit(Resource::Fsize, self.0).unwrap();
    }
}

#[test]
fn a_guest_that_writes_where_it_cannot_does_not_end_the_host() {
    for of_write in [Signal::SIGPIPE, Signal::SIGXFSZ] {
        // SAFETY: the default action runs no code of this process. Rust's library ignores SIGPIPE,
        // and a C program's does not.
        unsafe { signal(of_write, SigHandler::SigDfl) }.unwrap();
    }
    let temp = TempDir::new("signals");
    let (ours, theirs) = UnixStream::pair().unwrap();
    let builder = Builder::new().dir(temp.path(), "/").socket(theirs);
    let mut guest = Guest::new(&builder);

    // A socket whose other end is closed, as a file and as a socket.
    drop(ours);
    assert_eq!(guest.fd_write(4, 100), Errno::Pipe);
    guest.iovec(100);
    assert_eq!(guest.call("sock_send", &[4, IOVEC.into(), 1, 0, RESULT.into()]), Errno::Pipe);

    // A pipe without a reader.
    let path = temp.path().join("pipe");
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let pipe = guest.open_with("pipe", 0, WRITE).unwrap();
    assert_eq!(guest.fd_write(pipe, 100), Errno::Success);
    drop(reader);
    assert_eq!(guest.fd_write(pipe, 100), Errno::Pipe);

    // A file beyond the size limit of the process.
    let _limited = LimitedFiles::to(4096);
    let file = guest.open_with("file", CREAT, !0).unwrap();
    assert_eq!(guest.fd_write(file, 4096), Errno::Success);
    assert_eq!(guest.fd_write(file, 1), Errno::Fbig);
    assert_eq!(
        guest.call("fd_pwrite", &[file, IOVEC.into(), 1, 1 << 40, RESULT.into()]),
        Errno::Fbig
    );
    assert_eq!(guest.call("fd_allocate", &[file, 0, 1 << 20]), Errno::Fbig);
    assert_eq!(guest.call("fd_filestat_set_size", &[file, 1 << 20]), Errno::Fbig);
    assert_eq!(fs::metadata(temp.path().join("file")).unwrap().len(), 4096);
}
