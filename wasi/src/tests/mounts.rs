//! Tests of read-only mounts: no function changes anything on them.

use super::*;
use crate::calls::fd_io::fd_allocate;
use crate::calls::fd_meta::{fd_filestat_set_size, fd_filestat_set_times};
use crate::calls::path::*;

const READ_ONLY: u32 = 4;

/// A guest with a writable directory at 3 and a read-only one at 4, which holds `file` and `dir`.
fn guest(portable: bool) -> (Guest, TempDir, TempDir) {
    let (writable, read_only) = (TempDir::new(), TempDir::new());
    fs::write(writable.path().join("mine"), "mine").unwrap();
    fs::write(read_only.path().join("file"), "kept").unwrap();
    fs::create_dir(read_only.path().join("dir")).unwrap();
    let builder = Builder::new()
        .dir(writable.path(), "/w")
        .read_only_dir(read_only.path(), "/r")
        .portable_paths(portable);
    (Guest::new(builder), writable, read_only)
}

#[test]
fn nothing_changes_on_a_read_only_mount() {
    for portable in [false, true] {
        let (mut guest, writable, read_only) = guest(portable);
        let before = fs::metadata(read_only.path().join("file")).unwrap();
        // Through the mount and through a directory opened in it.
        let read = Rights::ALL.without(Rights::FD_WRITE);
        let beneath = guest.open_with(READ_ONLY, 0, "dir", DIRECTORY, read, 0).unwrap();
        for (dir, file) in [(READ_ONLY, "file"), (beneath, "../file"), (READ_ONLY, "dir/../file")] {
            let rofs = Err(Errno::Rofs);
            let rofs_or_outside = |result: Result<(), Errno>| match result {
                Err(Errno::Rofs) => {}
                Err(Errno::Perm) if file.starts_with("..") => {}
                other => panic!("{file}: {other:?}"),
            };
            for (oflags, rights) in [
                (0, Rights::FD_WRITE),
                (0, Rights::ALL),
                (CREAT, read),
                (TRUNC, read),
                (CREAT | EXCL, read),
                (TRUNC, Rights::NONE),
            ] {
                let opened = guest.open_with(dir, FOLLOW, file, oflags, rights, 0).map(drop);
                assert_eq!(opened, rofs, "{file} {oflags}");
                let opened = guest.open_with(dir, FOLLOW, "new", oflags, rights, 0).map(drop);
                assert_eq!(opened, rofs);
            }
            assert_eq!(
                guest.with_path("new", |w, m, p, n| path_create_directory(w, m, dir, p, n)),
                rofs
            );
            rofs_or_outside(guest.with_path(file, |w, m, p, n| path_unlink_file(w, m, dir, p, n)));
            assert_eq!(
                guest.with_path("dir", |w, m, p, n| path_remove_directory(w, m, dir, p, n)),
                rofs
            );
            rofs_or_outside(guest.with_path(file, |w, m, p, n| {
                path_filestat_set_times(w, m, dir, 0, p, n, 0, 0, 5)
            }));
            assert_eq!(
                guest.with_paths("x", "new", |w, m, o, n| path_symlink(
                    w, m, o.0, o.1, dir, n.0, n.1
                )),
                rofs
            );
            for (from, from_path, to, to_path) in
                [(DIR, "mine", dir, "new"), (dir, file, DIR, "stolen"), (dir, file, dir, "new")]
            {
                rofs_or_outside(guest.with_paths(from_path, to_path, |w, m, o, n| {
                    path_rename(w, m, from, o.0, o.1, to, n.0, n.1)
                }));
                rofs_or_outside(guest.with_paths(from_path, to_path, |w, m, o, n| {
                    path_link(w, m, from, 0, o.0, o.1, to, n.0, n.1)
                }));
            }
        }
        // The host sets timestamps with a descriptor that is open for reading. WASI must not.
        let fd = guest
            .open_with(READ_ONLY, 0, "file", 0, Rights::ALL.without(Rights::FD_WRITE), 0)
            .unwrap();
        for fd in [fd, READ_ONLY, beneath] {
            assert_eq!(
                guest.call(|w, m| fd_filestat_set_times(w, m, fd, 0, 0, 5)),
                Err(Errno::Rofs)
            );
        }
        assert_eq!(guest.call(|w, m| fd_filestat_set_size(w, m, fd, 0)), Err(Errno::Rofs));
        assert_eq!(guest.call(|w, m| fd_allocate(w, m, fd, 0, 100)), Err(Errno::Rofs));
        assert_eq!(guest.write(fd, b"x"), Err(Errno::Badf));
        assert_eq!(guest.read(fd, 10).unwrap(), b"kept");

        let after = fs::metadata(read_only.path().join("file")).unwrap();
        assert_eq!(before.modified().unwrap(), after.modified().unwrap());
        assert_eq!(fs::read_dir(read_only.path()).unwrap().count(), 2);
        assert_eq!(fs::read_dir(writable.path()).unwrap().count(), 1);
    }
}
