//! Opening files: `path_open`.

use rustix::fs::Mode;

use crate::errno::Errno;
use crate::fd::{DirectoryRef, OpenRequest, Rights};
use crate::guest::Memory;
use crate::guest::layout::{Fdflags, Filetype, Lookupflags, Oflags};
use crate::state::Wasi;

/// Opens a file or directory beneath a directory.
///
/// ```text
/// reads   path: u8[path_len]
/// writes  opened: u32
/// ```
/// - `EBADF`: no such descriptor.
/// - `EINVAL`: no such flag; `CREAT` with `DIRECTORY`; a NUL in the path.
/// - `ELOOP`: too many symbolic links, or one that must not be followed.
/// - `ENOTCAPABLE`: without `PATH_OPEN` or the rights for the flags, or for a right that is not an
///   inheriting right of the directory.
/// - `ENOTDIR`: the descriptor or a component of the path is not a directory, or, with `DIRECTORY`,
///   the last component.
/// - `EPERM`: the path leads outside the directory.
/// - `EROFS`: writing, creating or truncating on a read-only mount.
/// - `EFAULT`, `EILSEQ`, `ENAMETOOLONG`: a bad path.
/// - `EMFILE`: too many descriptors.
/// - `EISDIR`: writing, truncating or creating a directory, with or without `DIRECTORY`.
/// - errors of the host: `EACCES`, `EEXIST`, `ENFILE`, `ENOENT`, `ENOSPC`, ...
///
/// [`path_open`](https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#path_open),
/// [openat2(2)](https://man7.org/linux/man-pages/man2/openat2.2.html)
#[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
pub(crate) fn path_open(
    wasi: &mut Wasi,
    memory: &mut Memory<'_>,
    fd: u32,
    dirflags: u32,
    path: u32,
    path_len: u32,
    oflags: u32,
    base: u64,
    inheriting: u64,
    fdflags: u32,
    opened: u32,
) -> Result<(), Errno> {
    memory.check(opened, 4)?;
    let path = memory.path(path, path_len)?;
    let mut request = OpenRequest {
        follow: Lookupflags::from_guest(dirflags)?.contains(Lookupflags::SYMLINK_FOLLOW),
        oflags: Oflags::from_guest(oflags)?,
        fdflags: Fdflags::from_guest(fdflags)?,
        base: Rights::from_bits(base),
        inheriting: Rights::from_bits(inheriting),
    };

    // Kernels differ about these two flags together: some create a file.
    if request.oflags.contains(Oflags::CREAT.with(Oflags::DIRECTORY)) {
        return Err(Errno::Inval);
    }
    let directory = wasi.fds.directory(fd, request.required_rights())?;
    let parent_inheriting = wasi.fds.get(fd)?.inheriting;
    if !parent_inheriting.contains(request.required_inheriting()) {
        return Err(Errno::Notcapable);
    }
    request.inheriting = request.inheriting_of(parent_inheriting);
    wasi.fds.check_capacity()?;
    let opened_fd = match directory {
        DirectoryRef::Host(directory) => {
            request.require_writable(directory.writable)?;
            // The host's umask applies, as for any program.
            let mode = Mode::from_raw_mode(0o666);
            let flags = request.host_flags();
            let file = wasi.resolver.open(directory.root(), path, flags, mode)?;
            let file = request.unclassified(file, directory.writable, directory.hidden.clone());
            match request.oflags.contains(Oflags::DIRECTORY) {
                // The host opens nothing else with `O_DIRECTORY`.
                true => wasi.fds.insert(file.descriptor(Filetype::Directory)),
                false => wasi.fds.insert_unclassified(file),
            }
        }
        DirectoryRef::Virtual(directory) => {
            let descriptor = directory.open(&wasi.mounts, path, &request)?;
            wasi.fds.insert(descriptor)
        }
    }?;
    memory.write_u32(opened, opened_fd)
}
