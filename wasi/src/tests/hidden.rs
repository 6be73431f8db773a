//! Tests of hidden files: a file that a mount hides cannot be reached by another name.
//!
//! A file system that folds case gives a directory other names. Most of these tests rename the
//! directory instead, which works on every file system and looks the same to the guest.

use std::sync::Arc;

use super::*;
use crate::calls::dirs::fd_readdir;
use crate::calls::path::*;
use crate::fs::{Entry, File, FileStat, FileSystem, OpenOptions};

/// The results of every function that takes a path, for `path` in the directory `dir`.
fn uses(guest: &mut Guest, dir: u32, path: &str) -> Vec<(&'static str, Result<(), Errno>)> {
    let read = Rights::ALL.without(Rights::FD_WRITE);
    let open = |guest: &mut Guest, oflags, rights| {
        guest.open_with(dir, FOLLOW, path, oflags, rights, 0).map(drop)
    };
    vec![
        ("open", open(guest, 0, Rights::FD_READ)),
        ("open for writing", open(guest, 0, Rights::ALL)),
        ("open a directory", open(guest, DIRECTORY, read)),
        ("open without rights", open(guest, 0, Rights::NONE)),
        ("truncate", open(guest, TRUNC, read)),
        ("create", open(guest, CREAT, Rights::ALL)),
        ("create exclusively", open(guest, CREAT | EXCL, Rights::ALL)),
        ("stat", guest.with_path(path, |w, m, p, n| path_filestat_get(w, m, dir, 0, p, n, OUT))),
        (
            "set times",
            guest
                .with_path(path, |w, m, p, n| path_filestat_set_times(w, m, dir, 0, p, n, 0, 0, 5)),
        ),
        ("mkdir", guest.with_path(path, |w, m, p, n| path_create_directory(w, m, dir, p, n))),
        ("rmdir", guest.with_path(path, |w, m, p, n| path_remove_directory(w, m, dir, p, n))),
        ("unlink", guest.with_path(path, |w, m, p, n| path_unlink_file(w, m, dir, p, n))),
        (
            "readlink",
            guest.with_path(path, |w, m, p, n| path_readlink(w, m, dir, p, n, DATA, 9, OUT)),
        ),
        (
            "rename",
            guest.with_paths(path, "new", |w, m, o, n| {
                path_rename(w, m, dir, o.0, o.1, dir, n.0, n.1)
            }),
        ),
        (
            "rename to",
            guest.with_paths("mine", path, |w, m, o, n| {
                path_rename(w, m, DIR, o.0, o.1, dir, n.0, n.1)
            }),
        ),
        (
            "link",
            guest.with_paths(path, "new", |w, m, o, n| {
                path_link(w, m, dir, 0, o.0, o.1, DIR, n.0, n.1)
            }),
        ),
        (
            "link to",
            guest.with_paths("mine", path, |w, m, o, n| {
                path_link(w, m, DIR, 0, o.0, o.1, dir, n.0, n.1)
            }),
        ),
        (
            "symlink",
            guest
                .with_paths("mine", path, |w, m, o, n| path_symlink(w, m, o.0, o.1, dir, n.0, n.1)),
        ),
    ]
}

/// A directory of the host with `data/secret` and `x/data/secret`, and mounts on `data` and
/// `x/data`.
struct Tree {
    guest: Guest,
    root: TempDir,
    _shown: TempDir,
}

impl Tree {
    fn new(portable: bool) -> Self {
        let (root, shown) = (TempDir::new(), TempDir::new());
        for dir in ["data", "x/data", "x/sub", "sub"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
            fs::write(root.path().join(dir).join("secret"), "secret").unwrap();
        }
        fs::write(root.path().join("mine"), "mine").unwrap();
        fs::write(shown.path().join("shown"), "shown").unwrap();
        let builder = Builder::new()
            .dir(root.path(), "/")
            .read_only_dir(shown.path(), "/data")
            .read_only_dir(shown.path(), "/x/data")
            .portable_paths(portable);
        Tree { guest: Guest::new(builder), root, _shown: shown }
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.root.path().join(from), self.root.path().join(to)).unwrap();
    }

    fn refuses(&mut self, dir: u32, paths: &[&str]) {
        for path in paths {
            for (function, result) in uses(&mut self.guest, dir, path) {
                // A slash at the end may cause another error.
                let slash = path.ends_with('/') && result == Err(Errno::Isdir);
                assert!(slash || result == Err(Errno::Perm), "{function} {path} {result:?}");
            }
        }
    }

    fn is_whole(&self, dir: &str) {
        let dir = self.root.path().join(dir);
        assert_eq!(fs::read(dir.join("secret")).unwrap(), b"secret");
        assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
        assert_eq!(fs::read(self.root.path().join("mine")).unwrap(), b"mine");
    }
}

#[test]
fn another_name_of_a_hidden_file_is_refused() {
    for portable in [false, true] {
        let mut tree = Tree::new(portable);
        let sub = tree.guest.open("sub", DIRECTORY, false).unwrap();
        tree.rename("data", "DATA");
        tree.refuses(DIR, &["DATA", "DATA/", "DATA/secret", "DATA/new", "sub/../DATA/secret"]);
        tree.is_whole("DATA");

        // In a directory without mount points in it.
        tree.rename("DATA", "sub/d");
        tree.refuses(DIR, &["sub/d", "sub/d/secret", "sub/d/new"]);
        tree.refuses(sub, &["d", "d/", "d/secret", "d/new", "./d/secret"]);
        tree.is_whole("sub/d");

        // Through the directory above it.
        tree.rename("x", "X");
        tree.refuses(DIR, &["X/data", "X/data/secret", "X/data/new", "X/sub/../data/secret"]);
        let above = tree.guest.open("X", DIRECTORY, false).unwrap();
        tree.refuses(above, &["data", "data/secret", "data/new", "sub/../data/secret"]);
        tree.is_whole("X/data");
        let below = tree.guest.open("X/sub", DIRECTORY, false).unwrap();
        assert!(tree.guest.open_with(below, 0, "secret", 0, Rights::FD_READ, 0).is_ok());

        // The mount and all files that are not hidden can be reached.
        for path in ["data/shown", "sub/secret", "X/sub/secret", "mine"] {
            assert!(tree.guest.open(path, 0, false).is_ok(), "{path}");
        }
        let listed = tree.guest.call(|w, m| fd_readdir(w, m, DIR, DATA, 1000, 0, OUT));
        assert_eq!(listed, Ok(()));
    }
}

#[test]
fn a_hard_link_to_a_hidden_file_is_refused() {
    for portable in [false, true] {
        let (root, shown) = (TempDir::new(), TempDir::new());
        fs::write(root.path().join("data"), "secret").unwrap();
        fs::write(root.path().join("mine"), "mine").unwrap();
        fs::hard_link(root.path().join("data"), root.path().join("Data")).unwrap();
        let builder = Builder::new().dir(root.path(), "/").read_only_dir(shown.path(), "/data");
        let mut guest = Guest::new(builder.portable_paths(portable));
        for (function, result) in uses(&mut guest, DIR, "Data") {
            assert_eq!(result, Err(Errno::Perm), "{function}");
        }
        assert_eq!(fs::read(root.path().join("Data")).unwrap(), b"secret");
        assert!(guest.open("mine", 0, true).is_ok());
    }
}

/// A file system of the embedder that folds case.
struct Folding(crate::MemoryFs);

impl FileSystem for Folding {
    fn stat(&self, path: &str) -> Result<FileStat, Errno> {
        self.0.stat(&path.to_lowercase())
    }
    fn open(&self, path: &str, options: OpenOptions) -> Result<Box<dyn File>, Errno> {
        self.0.open(&path.to_lowercase(), options)
    }
    fn list(
        &self,
        path: &str,
        cookie: u64,
        each: &mut dyn FnMut(Entry<'_>) -> bool,
    ) -> Result<(), Errno> {
        self.0.list(&path.to_lowercase(), cookie, each)
    }
    fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        self.0.rename(&from.to_lowercase(), &to.to_lowercase())
    }
    fn remove_directory(&self, path: &str) -> Result<(), Errno> {
        self.0.remove_directory(&path.to_lowercase())
    }
    fn remove_file(&self, path: &str) -> Result<(), Errno> {
        self.0.remove_file(&path.to_lowercase())
    }
    fn link(&self, from: &str, to: &str) -> Result<(), Errno> {
        self.0.link(&from.to_lowercase(), &to.to_lowercase())
    }
}

#[test]
fn hidden_files_stay_hidden_if_the_file_system_folds_case() {
    let (files, shown) = (crate::MemoryFs::new(), TempDir::new());
    for path in ["data/secret", "x/data/secret", "x/mine", "mine"] {
        files.write(path, b"secret").unwrap();
    }
    fs::write(shown.path().join("shown"), "shown").unwrap();
    let builder = Builder::new()
        .file_system(Arc::new(Folding(files.clone())), "/")
        .read_only_dir(shown.path(), "/data")
        .memory_dir("/x/data");
    let mut guest = Guest::new(builder);
    for path in ["DATA", "Data/secret", "x/../DATA/new", "X/DATA", "X/data/secret", "x/DATA/a"] {
        for (function, result) in uses(&mut guest, DIR, path) {
            assert_eq!(result, Err(Errno::Perm), "{function} {path}");
        }
    }
    let above = guest.open("X", DIRECTORY, false).unwrap();
    for (function, result) in uses(&mut guest, above, "data/secret") {
        assert_eq!(result, Err(Errno::Perm), "{function}");
    }
    for path in ["data/shown", "MINE", "X/Mine"] {
        assert!(guest.open(path, 0, false).is_ok(), "{path}");
    }
    assert_eq!(files.read("data/secret").unwrap(), b"secret");
}

/// The directories fold case, or may fold case.
#[test]
fn possible_aliases_of_a_mount_point_are_checked() {
    for known in [false, true] {
        let mut tree = Tree::new(false);
        tree.guest.wasi.mounts.fold(known);
        // A name that the directory lists is accepted.
        for path in ["mine", "sub/secret", "x/sub/secret", "data/shown", "x/data/shown"] {
            assert!(tree.guest.open(path, 0, false).is_ok(), "{path} {known}");
        }
        for path in ["new", "x/new", "sub/new"] {
            assert!(tree.guest.open(path, CREAT, true).is_ok(), "{path} {known}");
        }
        // A file that gets the name of the mount point after the start.
        tree.rename("data", "moved");
        fs::write(tree.root.path().join("data"), "secret").unwrap();
        fs::hard_link(tree.root.path().join("data"), tree.root.path().join("DATA")).unwrap();
        tree.refuses(DIR, &["DATA", "moved", "moved/secret"]);
    }
}
