//! Tests of file systems in memory, file systems of the embedder, and mounts in mounts.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::calls::dirs::fd_readdir;
use crate::calls::fd_io::{fd_allocate, fd_pread, fd_pwrite, fd_sync};
use crate::calls::fd_meta::{fd_filestat_set_size, fd_filestat_set_times};
use crate::calls::path::*;
use crate::fs::{FileSystem, MemoryFs};
use crate::limits::Limits;

impl Guest {
    /// Calls a function with one path and the directory `dir`.
    fn at<R>(
        &mut self,
        dir: u32,
        path: &str,
        function: impl FnOnce(&mut Wasi, &mut Memory<'_>, u32, u32, u32) -> R,
    ) -> R {
        self.with_path(path, |w, m, p, n| function(w, m, dir, p, n))
    }
    fn mkdir_at(&mut self, dir: u32, path: &str) -> Result<(), Errno> {
        self.at(dir, path, path_create_directory)
    }
    fn rmdir_at(&mut self, dir: u32, path: &str) -> Result<(), Errno> {
        self.at(dir, path, path_remove_directory)
    }
    fn unlink_at(&mut self, dir: u32, path: &str) -> Result<(), Errno> {
        self.at(dir, path, path_unlink_file)
    }
    fn rename_at(&mut self, dir: u32, old: &str, to: u32, new: &str) -> Result<(), Errno> {
        self.with_paths(old, new, |w, m, o, n| path_rename(w, m, dir, o.0, o.1, to, n.0, n.1))
    }
    fn link_at(&mut self, dir: u32, old: &str, to: u32, new: &str) -> Result<(), Errno> {
        self.with_paths(old, new, |w, m, o, n| path_link(w, m, dir, 0, o.0, o.1, to, n.0, n.1))
    }
    fn symlink_at(&mut self, target: &str, dir: u32, new: &str) -> Result<(), Errno> {
        self.with_paths(target, new, |w, m, o, n| path_symlink(w, m, o.0, o.1, dir, n.0, n.1))
    }
    fn readlink_at(&mut self, dir: u32, path: &str) -> Result<Vec<u8>, Errno> {
        self.with_path(path, |w, m, p, n| path_readlink(w, m, dir, p, n, DATA, 100, OUT))?;
        Ok(self.get(DATA, self.u32(OUT)).to_vec())
    }
    /// Device, inode, type, links, size.
    fn stat_at(&mut self, dir: u32, path: &str, flags: u32) -> Result<[u64; 5], Errno> {
        self.with_path(path, |w, m, p, n| path_filestat_get(w, m, dir, flags, p, n, OUT))?;
        let filetype = u64::from(self.memory[OUT as usize + 16]);
        Ok([self.u64(OUT), self.u64(OUT + 8), filetype, self.u64(OUT + 24), self.u64(OUT + 32)])
    }
    fn open_at(&mut self, dir: u32, path: &str, oflags: u32) -> Result<u32, Errno> {
        let write = oflags & DIRECTORY == 0;
        let rights = if write { Rights::ALL } else { Rights::ALL.without(Rights::FD_WRITE) };
        self.open_with(dir, FOLLOW, path, oflags, rights, 0)
    }
    fn put_file(&mut self, dir: u32, path: &str, contents: &str) -> Result<(), Errno> {
        let fd = self.open_at(dir, path, CREAT | TRUNC)?;
        self.write(fd, contents.as_bytes())?;
        self.close(fd)
    }
    fn get_file(&mut self, dir: u32, path: &str) -> Result<String, Errno> {
        let rights = Rights::FD_READ;
        let fd = self.open_with(dir, FOLLOW, path, 0, rights, 0)?;
        let contents = self.read(fd, 1000)?;
        self.close(fd)?;
        Ok(String::from_utf8(contents).unwrap())
    }
    /// Names and types, through a buffer of `len` bytes.
    fn names(&mut self, fd: u32, len: u32) -> BTreeMap<String, u8> {
        let (mut names, mut cookie) = (BTreeMap::new(), 0);
        loop {
            self.call(|w, m| fd_readdir(w, m, fd, DATA, len, cookie, OUT)).unwrap();
            let used = self.u32(OUT);
            let buffer = self.get(DATA, used).to_vec();
            let mut at = 0;
            while at + 24 <= buffer.len() {
                let namlen = layout::u32_at(&buffer, at + 16) as usize;
                let Some(name) = buffer.get(at + 24..at + 24 + namlen) else { break };
                cookie = layout::u64_at(&buffer, at);
                let name = String::from_utf8(name.to_vec()).unwrap();
                assert_eq!(names.insert(name, buffer[at + 20]), None);
                at += 24 + namlen;
            }
            if used < len {
                return names;
            }
            assert!(at > 0, "the buffer holds no entry");
        }
    }
}

fn list(names: &BTreeMap<String, u8>) -> String {
    names.iter().map(|(name, ty)| format!("{name}:{ty}")).collect::<Vec<_>>().join(" ")
}

fn memory() -> Guest {
    Guest::new(Builder::new().memory_dir("/").fixed_clocks(Duration::from_secs(1)))
}

#[test]
fn a_file_in_memory() {
    let mut guest = memory();
    let fd = guest.open_at(DIR, "a", CREAT | EXCL).unwrap();
    assert_eq!(guest.open_at(DIR, "a", CREAT | EXCL), Err(Errno::Exist));
    assert_eq!(guest.write(fd, b"hello world"), Ok(11));
    assert_eq!(guest.seek(fd, -5, 2), Ok(6));
    assert_eq!(guest.read(fd, 100).unwrap(), b"world");
    assert_eq!(guest.seek(fd, -12, 1), Err(Errno::Inval));
    assert_eq!(guest.seek(fd, i64::MAX, 1), Err(Errno::Inval));
    guest.put(DATA, b"XY");
    guest.one_buffer(2);
    guest.call(|w, m| fd_pwrite(w, m, fd, IOVS, 1, 20, OUT)).unwrap();
    guest.one_buffer(100);
    guest.call(|w, m| fd_pread(w, m, fd, IOVS, 1, 9, OUT)).unwrap();
    assert_eq!(guest.get(DATA, guest.u32(OUT)), b"ld\0\0\0\0\0\0\0\0\0XY");
    let far = guest.call(|w, m| fd_pread(w, m, fd, IOVS, 1, u64::MAX, OUT));
    assert_eq!(far, Err(Errno::Inval));
    assert_eq!(guest.seek(fd, 0, 1), Ok(11));

    let appending = guest.open_with(DIR, 0, "a", 0, Rights::ALL, APPEND).unwrap();
    guest.write(appending, b"!").unwrap();
    assert_eq!(guest.seek(appending, 0, 1), Ok(23));
    guest.call(|w, m| fd_filestat_set_size(w, m, fd, 4)).unwrap();
    guest.call(|w, m| fd_allocate(w, m, fd, 2, 6)).unwrap();
    guest.call(|w, m| fd_filestat_set_times(w, m, fd, 5, 7, 1 | 4)).unwrap();
    guest.call(|w, m| fd_sync(w, m, fd)).unwrap();
    let stat = guest.stat_at(DIR, "a", 0).unwrap();
    assert_eq!(stat[2..], [4, 1, 8]);
    assert_eq!([40, 48, 56].map(|at| guest.u64(at)), [5, 7, 1_000_000_000]);
    assert_eq!(guest.filetype(fd), Ok(4));
    assert_eq!(guest.get_file(DIR, "a").unwrap(), "hell\0\0\0\0");

    // An open file exists after its name is removed.
    assert_eq!(guest.unlink_at(DIR, "a"), Ok(()));
    assert_eq!(guest.unlink_at(DIR, "a"), Err(Errno::Noent));
    guest.seek(fd, 0, 0).unwrap();
    assert_eq!(guest.read(fd, 4).unwrap(), b"hell");
    let read_only = guest.open_with(DIR, 0, "b", CREAT, Rights::FILE.without(Rights::FD_WRITE), 0);
    let read_only = read_only.unwrap();
    assert_eq!(guest.write(read_only, b"x"), Err(Errno::Badf));
    let set_size = guest.call(|w, m| fd_filestat_set_size(w, m, read_only, 4));
    assert_eq!(set_size, Err(Errno::Inval), "as for a file of the host");
}

#[test]
fn directories_in_memory() {
    let mut guest = memory();
    assert_eq!(guest.mkdir_at(DIR, "d"), Ok(()));
    assert_eq!(guest.mkdir_at(DIR, "d/e/"), Ok(()));
    assert_eq!(guest.mkdir_at(DIR, "d"), Err(Errno::Exist));
    assert_eq!(guest.mkdir_at(DIR, "x/y"), Err(Errno::Noent));
    guest.put_file(DIR, "d/f", "file").unwrap();
    assert_eq!(guest.mkdir_at(DIR, "d/f/g"), Err(Errno::Notdir));
    assert_eq!(guest.rmdir_at(DIR, "d"), Err(Errno::Notempty));
    assert_eq!(guest.rmdir_at(DIR, "d/f"), Err(Errno::Notdir));
    assert_eq!(guest.unlink_at(DIR, "d/e"), Err(Errno::Isdir));
    assert_eq!(guest.unlink_at(DIR, "d/f/"), Err(Errno::Notdir));
    for path in [".", "d/.", "d/e/.."] {
        assert_eq!(guest.rmdir_at(DIR, path), Err(Errno::Inval));
        assert_eq!(guest.mkdir_at(DIR, path), Err(Errno::Exist));
        assert_eq!(guest.rename_at(DIR, path, DIR, "x"), Err(Errno::Busy));
    }
    for path in ["..", "d/../..", "d/e/../../../x"] {
        assert_eq!(guest.stat_at(DIR, path, 0), Err(Errno::Perm), "{path}");
        assert_eq!(guest.open_at(DIR, path, DIRECTORY), Err(Errno::Perm));
        assert_eq!(guest.mkdir_at(DIR, path), Err(Errno::Perm));
    }
    assert_eq!(guest.stat_at(DIR, "d", 0).unwrap()[2..4], [3, 3]);
    assert_eq!(guest.open_at(DIR, "d", 0), Err(Errno::Isdir), "for writing");
    assert_eq!(guest.open_at(DIR, "d", CREAT), Err(Errno::Isdir));
    assert_eq!(guest.open_at(DIR, "d/f", DIRECTORY), Err(Errno::Notdir));
    assert_eq!(guest.open_at(DIR, "d/f/", 0), Err(Errno::Notdir));
    assert_eq!(guest.open_at(DIR, "new/", CREAT), Err(Errno::Isdir));

    // A descriptor of a directory remains valid after a rename.
    let dir = guest.open_at(DIR, "d", DIRECTORY).unwrap();
    assert_eq!(guest.rights(dir), (Rights::DIRECTORY, Rights::ALL));
    assert_eq!(guest.rename_at(DIR, "d", DIR, "d/e/x"), Err(Errno::Inval));
    assert_eq!(guest.rename_at(DIR, "d", DIR, "renamed"), Ok(()));
    assert_eq!(guest.get_file(dir, "f").unwrap(), "file");
    assert_eq!(guest.stat_at(dir, "..", 0), Err(Errno::Perm));
    assert_eq!(list(&guest.names(dir, 4096)), ".:3 ..:3 e:3 f:4");
    guest.put_file(DIR, "renamed/f", "other").unwrap();
    assert_eq!(guest.get_file(dir, "./e/../f").unwrap(), "other");
}

#[test]
fn names_in_memory() {
    let mut guest = memory();
    guest.put_file(DIR, "a", "a").unwrap();
    guest.put_file(DIR, "b", "b").unwrap();
    guest.mkdir_at(DIR, "d").unwrap();
    assert_eq!(guest.link_at(DIR, "a", DIR, "d/a"), Ok(()));
    assert_eq!(guest.link_at(DIR, "a", DIR, "b"), Err(Errno::Exist));
    assert_eq!(guest.link_at(DIR, "d", DIR, "x"), Err(Errno::Perm));
    assert_eq!(guest.stat_at(DIR, "a", 0).unwrap(), guest.stat_at(DIR, "d/a", 0).unwrap());
    assert_eq!(guest.stat_at(DIR, "a", 0).unwrap()[3], 2);
    assert_eq!(guest.rename_at(DIR, "a", DIR, "d/a"), Ok(()), "two names of one file");
    assert_eq!(guest.rename_at(DIR, "b", DIR, "a"), Ok(()));
    assert_eq!(guest.get_file(DIR, "a").unwrap(), "b");
    assert_eq!(guest.rename_at(DIR, "a", DIR, "d"), Err(Errno::Isdir));
    assert_eq!(guest.rename_at(DIR, "d", DIR, "a"), Err(Errno::Notdir));
    guest.mkdir_at(DIR, "e").unwrap();
    assert_eq!(guest.rename_at(DIR, "e", DIR, "d"), Err(Errno::Notempty));
    assert_eq!(guest.rename_at(DIR, "d", DIR, "e"), Ok(()));
    assert_eq!(list(&guest.names(DIR, 4096)), ".:3 ..:3 a:4 e:3");

    assert_eq!(guest.symlink_at("e/a", DIR, "l"), Ok(()));
    assert_eq!(guest.symlink_at("x", DIR, "l"), Err(Errno::Exist));
    assert_eq!(guest.symlink_at("/x", DIR, "m"), Err(Errno::Perm));
    assert_eq!(guest.readlink_at(DIR, "l").unwrap(), b"e/a");
    assert_eq!(guest.readlink_at(DIR, "a"), Err(Errno::Inval));
    assert_eq!(guest.get_file(DIR, "l").unwrap(), "a");
    assert_eq!(guest.stat_at(DIR, "l", 0).unwrap()[2], 7);
    assert_eq!(guest.stat_at(DIR, "l", FOLLOW).unwrap()[2], 4);
    assert_eq!(guest.open_with(DIR, 0, "l", 0, Rights::FD_READ, 0), Err(Errno::Loop));
    guest.symlink_at("../e/", DIR, "e/up").unwrap();
    assert_eq!(guest.get_file(DIR, "e/up/up/a").unwrap(), "a");
    guest.symlink_at("loop", DIR, "loop").unwrap();
    assert_eq!(guest.get_file(DIR, "loop"), Err(Errno::Loop));
    guest.symlink_at("../..", DIR, "e/out").unwrap();
    assert_eq!(guest.get_file(DIR, "e/out/x"), Err(Errno::Perm));
    guest.symlink_at("made", DIR, "dangling").unwrap();
    assert_eq!(guest.open_at(DIR, "dangling", CREAT | EXCL), Err(Errno::Exist));
    guest.put_file(DIR, "dangling", "through a link").unwrap();
    assert_eq!(guest.get_file(DIR, "made").unwrap(), "through a link");
    let long = "n".repeat(256);
    assert_eq!(guest.mkdir_at(DIR, &long), Err(Errno::Nametoolong));
}

#[test]
fn memory_is_bounded() {
    let mut limits = Limits::default();
    (limits.memory_bytes, limits.memory_entries) = (3 * 4096, 10);
    let mut guest = Guest::new(Builder::new().memory_dir("/").limits(limits));
    for round in 0..3 {
        let fd = guest.open_at(DIR, "a", CREAT).unwrap();
        guest.call(|w, m| fd_filestat_set_size(w, m, fd, 1 << 50)).unwrap();
        assert_eq!(guest.seek(fd, 1 << 40, 0), Ok(1 << 40));
        for n in [4096, 4096, 4096] {
            assert_eq!(guest.write(fd, &vec![1; n]), Ok(4096), "round {round}");
        }
        assert_eq!(guest.write(fd, b"x"), Err(Errno::Nospc));
        assert_eq!(guest.call(|w, m| fd_allocate(w, m, fd, 0, 1 << 60)), Err(Errno::Nospc));
        assert_eq!(guest.symlink_at("x", DIR, "l"), Err(Errno::Nospc));
        guest.unlink_at(DIR, "a").unwrap();
        guest.close(fd).unwrap();
        for i in 0..10 {
            guest.mkdir_at(DIR, &format!("{i}")).unwrap();
        }
        assert_eq!(guest.mkdir_at(DIR, "x"), Err(Errno::Nospc));
        assert_eq!(guest.open_at(DIR, "x", CREAT), Err(Errno::Nospc));
        for i in 0..10 {
            guest.rmdir_at(DIR, &format!("{i}")).unwrap();
        }
    }
}

#[test]
fn listings_survive_changes() {
    let mut guest = memory();
    for i in 0..200 {
        guest.put_file(DIR, &format!("{i}"), "").unwrap();
    }
    let all = guest.names(DIR, 0x8000);
    assert_eq!(all.len(), 202);
    for len in [30, 64, 100, 4096] {
        assert_eq!(guest.names(DIR, len), all);
    }
    // Removing each listed entry, like `rm -r`, skips no entry.
    let mut cookie = 0;
    let mut removed = 0;
    loop {
        guest.call(|w, m| fd_readdir(w, m, DIR, DATA, 100, cookie, OUT)).unwrap();
        let buffer = guest.get(DATA, guest.u32(OUT)).to_vec();
        let namlen = if buffer.len() < 24 { break } else { layout::u32_at(&buffer, 16) as usize };
        cookie = layout::u64_at(&buffer, 0);
        let name = String::from_utf8(buffer[24..24 + namlen].to_vec()).unwrap();
        if !name.starts_with('.') {
            guest.unlink_at(DIR, &name).unwrap();
            guest.put_file(DIR, "new", "").unwrap();
            guest.unlink_at(DIR, "new").unwrap();
            removed += 1;
        }
    }
    assert_eq!(removed, 200);
    for cookie in [u64::MAX, 1 << 63, (1 << 63) - 1, 12345] {
        guest.call(|w, m| fd_readdir(w, m, DIR, DATA, 100, cookie, OUT)).unwrap();
        assert_eq!(guest.u32(OUT), 0);
    }
}

#[test]
fn mounts_in_mounts() {
    for portable in [false, true] {
        let (root, data) = (TempDir::new(), TempDir::new());
        fs::create_dir(root.path().join("tmp")).unwrap();
        fs::write(root.path().join("tmp/hidden"), "").unwrap();
        fs::write(root.path().join("file"), "root").unwrap();
        fs::create_dir_all(root.path().join("sub/dir")).unwrap();
        symlink("tmp", root.path().join("to-tmp")).unwrap();
        symlink("../tmp/x", root.path().join("sub/to-x")).unwrap();
        symlink("../../etc", root.path().join("sub/out")).unwrap();
        fs::write(data.path().join("kept"), "kept").unwrap();
        let mut guest = Guest::new(
            Builder::new()
                .dir(root.path(), "/")
                .memory_dir("/tmp")
                .read_only_dir(data.path(), "/mnt/data")
                .memory_dir("/mnt/data/deep")
                .portable_paths(portable),
        );
        let (tmp, data_fd) = (4, 5);
        assert_eq!(list(&guest.names(DIR, 4096)), ".:3 ..:3 file:4 mnt:3 sub:3 tmp:3 to-tmp:7");
        assert_eq!(guest.names(DIR, 40), guest.names(DIR, 4096));
        let sub = guest.open_at(DIR, "sub", DIRECTORY).unwrap();
        assert!(guest.wasi.fds.get(sub).unwrap().host_fd().is_some(), "no mount beneath");

        // The root, a link and the mount itself lead to the same directory.
        guest.put_file(DIR, "tmp/x", "in memory").unwrap();
        assert!(!root.path().join("tmp/x").exists());
        for (dir, path) in [
            (DIR, "tmp/x"),
            (DIR, "to-tmp/x"),
            (DIR, "sub/../tmp/./x"),
            (DIR, "sub/dir/../to-x"),
            (tmp, "x"),
        ] {
            assert_eq!(guest.get_file(dir, path).unwrap(), "in memory", "{path}");
        }
        assert_eq!(guest.get_file(tmp, "../file"), Err(Errno::Perm));
        assert_eq!(guest.get_file(DIR, "tmp/../file").unwrap(), "root");
        assert_eq!(guest.get_file(DIR, "tmp/hidden"), Err(Errno::Noent));
        assert_eq!(guest.get_file(DIR, "sub/out/passwd"), Err(Errno::Perm));
        assert_eq!(guest.get_file(DIR, "../x"), Err(Errno::Perm));
        assert_eq!(guest.stat_at(DIR, "tmp", 0), guest.stat_at(tmp, ".", 0));
        assert_ne!(
            guest.stat_at(DIR, "tmp", 0).unwrap()[0],
            guest.stat_at(DIR, ".", 0).unwrap()[0]
        );

        // A file of the host has a descriptor of the host, also if it is found through mounts.
        let fd = guest.open_at(DIR, "file", 0).unwrap();
        assert!(guest.wasi.fds.get(fd).unwrap().host_fd().is_some());
        guest.put_file(DIR, "sub/new", "new").unwrap();
        assert_eq!(fs::read_to_string(root.path().join("sub/new")).unwrap(), "new");
        assert_eq!(guest.rename_at(DIR, "sub/new", sub, "dir/new"), Ok(()));
        assert_eq!(guest.link_at(sub, "dir/new", DIR, "linked"), Ok(()));
        assert_eq!(guest.mkdir_at(DIR, "made"), Ok(()));
        assert_eq!(guest.rmdir_at(DIR, "made"), Ok(()));
        assert_eq!(guest.rename_at(DIR, "file", DIR, "tmp/file"), Err(Errno::Xdev));
        assert_eq!(guest.link_at(DIR, "tmp/x", DIR, "x"), Err(Errno::Xdev));
        assert_eq!(guest.readlink_at(DIR, "to-tmp").unwrap(), b"tmp");

        // The read-only mount does not change. It does not affect a mount beneath it.
        let rofs = Err(Errno::Rofs);
        assert_eq!(guest.get_file(DIR, "mnt/data/kept").unwrap(), "kept");
        for (dir, path) in [(DIR, "mnt/data/kept"), (data_fd, "kept"), (DIR, "mnt/kept")] {
            assert_eq!(guest.put_file(dir, path, "lost"), rofs, "{path}");
            assert_eq!(guest.unlink_at(dir, path), rofs);
            assert_eq!(guest.rename_at(DIR, "file", dir, path), rofs);
            assert_eq!(guest.link_at(dir, path, DIR, "x"), rofs);
            assert_eq!(guest.mkdir_at(dir, path), rofs);
            assert_eq!(guest.symlink_at("x", dir, path), rofs);
            let times = guest
                .at(dir, path, |w, m, d, p, n| path_filestat_set_times(w, m, d, 0, p, n, 0, 0, 5));
            assert_eq!(times, rofs);
        }
        guest.put_file(DIR, "mnt/data/deep/x", "deep").unwrap();
        assert_eq!(guest.get_file(data_fd, "deep/x").unwrap(), "deep");
        assert_eq!(list(&guest.names(data_fd, 4096)), ".:3 ..:3 deep:3 kept:4");

        // A mount point and the directories above it cannot be renamed or removed.
        for path in ["tmp", "mnt", "mnt/data"] {
            assert_eq!(guest.rmdir_at(DIR, path), Err(Errno::Busy), "{path}");
            assert_eq!(guest.rename_at(DIR, path, DIR, "elsewhere"), Err(Errno::Busy));
            assert_eq!(guest.rename_at(DIR, "sub", DIR, path), Err(Errno::Busy));
            assert_eq!(guest.mkdir_at(DIR, path), Err(Errno::Exist));
            assert_eq!(guest.unlink_at(DIR, path), Err(Errno::Isdir));
        }
    }
}

/// A guest that moves directories into one another while one of them is open.
#[test]
fn locations_do_not_grow_without_bound() {
    let mut guest = memory();
    let name = "n".repeat(200);
    let chain = |n: usize| vec![name.as_str(); n].join("/");
    for n in 1..=20 {
        guest.mkdir_at(DIR, &chain(n)).unwrap();
    }
    let dir = guest.open_at(DIR, &chain(20), DIRECTORY).unwrap();
    guest.put_file(dir, "file", "here").unwrap();
    // The location of 4,019 bytes becomes 3,822 bytes long, and would become 4,224.
    guest.mkdir_at(DIR, "a").unwrap();
    assert_eq!(guest.rename_at(DIR, &name, DIR, "a/b"), Ok(()));
    guest.mkdir_at(DIR, &chain(1)).unwrap();
    guest.mkdir_at(DIR, &chain(2)).unwrap();
    let deep = format!("{}/a", chain(2));
    assert_eq!(guest.rename_at(DIR, "a", DIR, &deep), Err(Errno::Nametoolong));
    assert_eq!(guest.get_file(dir, "file").unwrap(), "here");
    guest.close(dir).unwrap();
    assert_eq!(guest.rename_at(DIR, "a", DIR, &deep), Ok(()), "the directory is not open any more");
}

#[test]
fn a_file_system_of_the_embedder() {
    let files = MemoryFs::new();
    files.write("etc/motd", b"be nice").unwrap();
    let shared: Arc<dyn FileSystem> = Arc::new(files.clone());
    let builder =
        Builder::new().file_system(shared.clone(), "/rw").read_only_file_system(shared, "/ro");
    let (rw, ro) = (3, 4);
    let mut guest = Guest::new(builder.clone());
    let mut other = Guest::new(builder);
    assert_eq!(guest.get_file(ro, "etc/motd").unwrap(), "be nice");
    assert_eq!(guest.put_file(ro, "etc/motd", "no"), Err(Errno::Rofs));
    guest.put_file(rw, "etc/motd", "be quick").unwrap();
    assert_eq!(other.get_file(ro, "etc/motd").unwrap(), "be quick");
    assert_eq!(files.read("etc/motd").unwrap(), b"be quick");
    assert_eq!(guest.stat_at(rw, "etc", 0), guest.stat_at(ro, "etc", 0), "one device");
    assert_eq!(guest.link_at(ro, "etc/motd", rw, "x"), Err(Errno::Rofs));
    let fd = guest
        .open_with(
            ro,
            0,
            "etc/motd",
            0,
            Rights::FD_READ | Rights::FILE.without(Rights::FD_WRITE),
            0,
        )
        .unwrap();
    assert_eq!(guest.call(|w, m| fd_filestat_set_times(w, m, fd, 0, 0, 5)), Err(Errno::Rofs));
    assert_eq!(guest.call(|w, m| fd_allocate(w, m, fd, 0, 5)), Err(Errno::Rofs));
    assert_eq!(guest.call(|w, m| fd_filestat_set_size(w, m, fd, 0)), Err(Errno::Rofs));
}
