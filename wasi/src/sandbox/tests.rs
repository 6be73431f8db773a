//! Path resolution on hostile trees, by both implementations.

use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use super::*;

/// A directory for one test, removed with it.
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("precast-wasi-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        TempDir(path)
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// ```text
/// secret                  a file that must not be reached
/// outside/                a directory that must not be reached
/// root/
///   file                  "inside"
///   dir/sub/deep          "deep"
///   to-file -> file       up -> ..              to-secret -> ../secret
///   to-dir -> dir         to-outside -> ../outside
///   absolute -> /         absolute-file -> (the secret, by its full path)
///   dangling -> nothing   loop -> loop          chain -> to-file
///   dir/back -> ../file   dir/out -> ../../secret   slashed -> dir/   filed -> file/
/// ```
struct Tree {
    temp: TempDir,
    root: OwnedFd,
}

impl Tree {
    fn new() -> Self {
        let temp = TempDir::new();
        let at = |path: &str| temp.path().join(path);
        fs::write(at("secret"), "secret").unwrap();
        fs::create_dir(at("outside")).unwrap();
        fs::create_dir_all(at("root/dir/sub")).unwrap();
        fs::write(at("root/file"), "inside").unwrap();
        fs::write(at("root/dir/sub/deep"), "deep").unwrap();
        for (name, target) in [
            ("to-file", "file"),
            ("to-dir", "dir"),
            ("up", ".."),
            ("to-secret", "../secret"),
            ("to-outside", "../outside"),
            ("absolute", "/"),
            ("dangling", "nothing"),
            ("loop", "loop"),
            ("chain", "to-file"),
            ("dir/back", "../file"),
            ("dir/out", "../../secret"),
            ("slashed", "dir/"),
            ("filed", "file/"),
        ] {
            symlink(target, at("root").join(name)).unwrap();
        }
        symlink(at("secret"), at("root/absolute-file")).unwrap();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let root = rustix::fs::openat(rustix::fs::CWD, at("root"), flags, Mode::empty()).unwrap();
        Tree { temp, root }
    }

    fn open(&self, resolver: Resolver, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let path = GuestPath::new(path.as_bytes())?;
        resolver.open(self.root.as_fd(), path, flags, Mode::from_raw_mode(0o600))
    }

    fn is_untouched(&self) -> bool {
        let secret = fs::read(self.temp.path().join("secret")).unwrap();
        let names = |path: &str| fs::read_dir(self.temp.path().join(path)).unwrap().count();
        secret == b"secret" && names("") == 3 && names("outside") == 0
    }
}

/// Runs a test with each implementation, on a tree of its own.
fn both(test: impl Fn(&Tree, Resolver)) {
    for resolver in [Resolver::Kernel, Resolver::Userspace] {
        if resolver == Resolver::Kernel && !kernel::is_available() {
            continue;
        }
        let tree = Tree::new();
        test(&tree, resolver);
        assert!(tree.is_untouched(), "{resolver:?}");
    }
}

#[test]
fn a_resolver_without_symlinks_refuses_links() {
    both(|tree, resolver| {
        let strict = resolver.without_symlinks();
        for path in ["file", "dir/sub/deep", "dir/../file"] {
            assert!(tree.open(strict, path, OFlags::RDONLY).is_ok(), "{path}");
        }
        for path in ["to-file", "to-dir/sub/deep", "chain", "to-dir/", "dir/back", "up/file"] {
            let opened = tree.open(strict, path, OFlags::RDONLY).map(drop);
            assert_eq!(opened, Err(Errno::Loop), "{path} {resolver:?}");
        }
        let created = tree.open(strict, "to-dir/new", OFlags::WRONLY | OFlags::CREATE);
        assert_eq!(created.map(drop), Err(Errno::Loop));
        assert_eq!(strict.without_symlinks(), strict);
    });
}

/// Paths, and the result of opening each for reading.
const READS: [(&str, Result<&str, Errno>); 27] = [
    ("file", Ok("inside")),
    ("./file", Ok("inside")),
    ("dir/../file", Ok("inside")),
    ("dir//sub/./deep", Ok("deep")),
    ("to-file", Ok("inside")),
    ("chain", Ok("inside")),
    ("to-dir/sub/deep", Ok("deep")),
    ("slashed/sub/deep", Ok("deep")),
    ("dir/back", Ok("inside")),
    ("to-dir/back", Ok("inside")),
    ("to-dir/../file", Ok("inside")),
    ("missing", Err(Errno::Noent)),
    ("missing/..", Err(Errno::Noent)),
    ("dangling", Err(Errno::Noent)),
    ("file/", Err(Errno::Notdir)),
    ("file/.", Err(Errno::Notdir)),
    ("file/..", Err(Errno::Notdir)),
    ("file/x", Err(Errno::Notdir)),
    ("to-file/", Err(Errno::Notdir)),
    ("filed", Err(Errno::Notdir)),
    ("loop", Err(Errno::Loop)),
    ("loop/x", Err(Errno::Loop)),
    ("..", Err(Errno::Perm)),
    ("../secret", Err(Errno::Perm)),
    ("dir/../../secret", Err(Errno::Perm)),
    ("../root/file", Err(Errno::Perm)),
    ("dir/out", Err(Errno::Perm)),
];

/// Paths that lead outside, whichever implementation resolves them.
const ESCAPES: [&str; 20] = [
    "..",
    "../",
    "../.",
    "dir/../..",
    "dir/../../outside",
    "to-dir/../../secret",
    "up",
    "up/",
    "up/.",
    "up/root/file",
    "up/secret",
    "to-secret",
    "to-secret/",
    "to-outside",
    "to-outside/",
    "to-outside/.",
    "absolute",
    "absolute/",
    "absolute/etc/passwd",
    "absolute-file",
];

fn read(fd: OwnedFd) -> String {
    std::io::read_to_string(fs::File::from(fd)).unwrap()
}

#[test]
fn reading() {
    both(|tree, resolver| {
        for (path, expected) in READS {
            let found = tree.open(resolver, path, OFlags::RDONLY).map(read);
            assert_eq!(found.as_deref().map_err(|e| *e), expected, "{resolver:?} {path}");
        }
    });
}

#[test]
fn nothing_leads_outside() {
    let flag_sets = [
        OFlags::RDONLY,
        OFlags::PATH,
        OFlags::RDONLY | OFlags::DIRECTORY,
        OFlags::WRONLY | OFlags::TRUNC,
    ];
    both(|tree, resolver| {
        for path in ESCAPES {
            for flags in flag_sets {
                let error = tree.open(resolver, path, flags).unwrap_err();
                assert_eq!(error, Errno::Perm, "{resolver:?} {path} {flags:?}");
            }
            let guest = GuestPath::new(path.as_bytes()).unwrap();
            let error = resolver.lookup(tree.root.as_fd(), guest, true).err();
            assert_eq!(error, Some(Errno::Perm), "{resolver:?} {path}");
        }
    });
}

#[test]
fn a_slash_follows_a_link_only_inside() {
    both(|tree, resolver| {
        let kind = |path: &str, follow| {
            let path = GuestPath::new(path.as_bytes()).unwrap();
            let (_, stat) = resolver.lookup(tree.root.as_fd(), path, follow)?;
            Ok::<_, Errno>(FileType::from_raw_mode(stat.st_mode))
        };
        assert_eq!(kind("to-outside", false), Ok(FileType::Symlink));
        assert_eq!(kind("to-outside/", false), Err(Errno::Perm));
        assert_eq!(kind("to-outside/.", false), Err(Errno::Perm));
        assert_eq!(kind("absolute/", false), Err(Errno::Perm));
        assert_eq!(kind("to-dir", false), Ok(FileType::Symlink));
        assert_eq!(kind("to-dir", true), Ok(FileType::Directory));
        assert_eq!(kind("to-dir/", false), Ok(FileType::Directory));
        assert_eq!(kind("to-dir/.", false), Ok(FileType::Directory));
        assert_eq!(kind("slashed", true), Ok(FileType::Directory));
        assert_eq!(kind("to-file/", false), Err(Errno::Notdir));
        assert_eq!(kind("filed", true), Err(Errno::Notdir));
        assert_eq!(kind("file/", true), Err(Errno::Notdir));
        assert_eq!(kind("chain", true), Ok(FileType::RegularFile));
        assert_eq!(kind("dir/back", true), Ok(FileType::RegularFile));
        assert_eq!(kind("dir/..", true), Ok(FileType::Directory));
        assert_eq!(kind("loop", true), Err(Errno::Loop));
        assert_eq!(kind("dangling", true), Err(Errno::Noent));
        assert_eq!(kind("dangling", false), Ok(FileType::Symlink));
    });
}

#[test]
fn links_are_not_followed_when_asked() {
    both(|tree, resolver| {
        let open = |path, flags| tree.open(resolver, path, flags | OFlags::NOFOLLOW).err();
        assert_eq!(open("to-file", OFlags::RDONLY), Some(Errno::Loop));
        assert_eq!(open("to-secret", OFlags::RDONLY), Some(Errno::Loop));
        assert_eq!(open("to-dir", OFlags::RDONLY | OFlags::DIRECTORY), Some(Errno::Notdir));
        assert_eq!(
            open("to-dir/sub", OFlags::RDONLY),
            None,
            "NOFOLLOW applies to the last component"
        );
        assert_eq!(open("to-dir/", OFlags::RDONLY), None, "a slash follows the link");
        assert_eq!(open("to-outside/", OFlags::RDONLY), Some(Errno::Perm));
    });
}

#[test]
fn creating() {
    let create = OFlags::WRONLY | OFlags::CREATE;
    both(|tree, resolver| {
        let open = |path, flags| tree.open(resolver, path, flags).err();
        assert_eq!(open("new", create), None);
        assert_eq!(open("new", create | OFlags::EXCL), Some(Errno::Exist));
        assert_eq!(open("to-file", create | OFlags::EXCL), Some(Errno::Exist));
        assert_eq!(open("to-secret", create | OFlags::EXCL), Some(Errno::Exist));
        assert_eq!(open("dangling", create), None, "created at the target of the link");
        assert!(tree.temp.path().join("root/nothing").exists());
        assert_eq!(open("new/", create), Some(Errno::Isdir));
        assert_eq!(open("other/", create), Some(Errno::Isdir));
        assert_eq!(open("dir", create), Some(Errno::Isdir));
        assert_eq!(open("dir/.", create), Some(Errno::Isdir));
        assert_eq!(open("../new", create), Some(Errno::Perm));
        assert_eq!(open("up/new", create), Some(Errno::Perm));
        assert_eq!(open("to-outside/new", create), Some(Errno::Perm));
        assert_eq!(open("missing/new", create), Some(Errno::Noent));
    });
}

#[test]
fn an_entry_has_one_component() {
    both(|tree, resolver| {
        for path in READS.map(|read| read.0).iter().chain(&ESCAPES) {
            let path = GuestPath::new(path.as_bytes()).unwrap();
            let Ok(entry) = resolver.entry(tree.root.as_fd(), path) else {
                continue;
            };
            assert!(!entry.bare_name().contains(&b'/'), "{path:?}");
            assert!(!entry.bare_name().is_empty(), "{path:?}");
            assert_ne!(entry.bare_name(), b"..", "{path:?}");
        }
    });
}

#[test]
fn the_limit_of_symbolic_links_is_the_kernels() {
    both(|tree, resolver| {
        let root = tree.temp.path().join("root");
        symlink("file", root.join("link1")).unwrap();
        for i in 1..MAX_LINKS + 1 {
            symlink(format!("link{i}"), root.join(format!("link{}", i + 1))).unwrap();
        }
        let open = |n: usize| tree.open(resolver, &format!("link{n}"), OFlags::RDONLY).map(read);
        let lookup = |n: usize| {
            let path = format!("link{n}");
            let path = GuestPath::new(path.as_bytes()).unwrap();
            resolver.lookup(tree.root.as_fd(), path, true).map(drop)
        };
        assert_eq!(open(MAX_LINKS).as_deref(), Ok("inside"), "{resolver:?}");
        assert_eq!(open(MAX_LINKS + 1), Err(Errno::Loop), "{resolver:?}");
        assert_eq!(lookup(MAX_LINKS), Ok(()), "{resolver:?}");
        assert_eq!(lookup(MAX_LINKS + 1), Err(Errno::Loop), "{resolver:?}");
    });
}

#[test]
fn a_directory_moved_during_a_resolution_does_not_lead_outside() {
    // `..` of a moved directory must not be its new parent.
    both(|tree, resolver| {
        let at = |path: &str| tree.temp.path().join(path);
        std::thread::scope(|scope| {
            let mover = scope.spawn(|| {
                for _ in 0..500 {
                    fs::rename(at("root/dir/sub"), at("root/sub")).unwrap();
                    fs::rename(at("root/sub"), at("root/dir/sub")).unwrap();
                }
            });
            while !mover.is_finished() {
                match tree.open(resolver, "dir/sub/../../secret", OFlags::RDONLY) {
                    Ok(fd) => panic!("{resolver:?} read {}", read(fd)),
                    Err(Errno::Noent | Errno::Perm) => {}
                    Err(error) => panic!("{resolver:?} {error}"),
                }
            }
        });
    });
}
