//! Tests of pseudo file systems: no guest reaches one.

use std::os::unix::fs::symlink;
use std::path::Path;

use precast_runtime::Runtime;

use super::*;
use crate::calls::dirs::fd_readdir;
use crate::calls::path::*;

/// The pseudo file systems that are mounted on most machines.
const SYSTEMS: [&str; 4] = ["/proc", "/sys", "/sys/fs/cgroup/unified", "/sys/kernel/tracing"];

fn is_system(path: &str) -> bool {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    rustix::fs::open(path, flags, rustix::fs::Mode::empty())
        .is_ok_and(|fd| matches!(crate::sandbox::pseudo_file_system(fd), Ok(Some(_))))
}

#[test]
fn procfs_is_not_granted() {
    let runtime = Runtime::new();
    for path in SYSTEMS.into_iter().chain([
        "/proc/self",
        "/proc/self/fd",
        "/proc/thread-self",
        "/proc/sys/kernel",
        "/proc/self/fd/..",
        "/dev/fd",
    ]) {
        if !is_system(path) {
            assert!(!path.starts_with("/proc"), "{path}");
            continue;
        }
        for builder in [
            Builder::new().dir(path, "/"),
            Builder::new().read_only_dir(path, "/"),
            Builder::new().memory_dir("/").dir(path, "/proc"),
        ] {
            let error = builder.compile(&runtime).map(drop).unwrap_err().to_string();
            assert!(error.starts_with(path) && error.contains("no guest is granted"), "{error}");
        }
    }
    // A magic link to an ordinary directory can be granted.
    let cwd = Builder::new().dir("/proc/self/cwd", "/").compile(&runtime);
    assert!(cwd.is_ok());
}

/// Paths from the root of the host into pseudo file systems.
const INSIDE: [&str; 22] = [
    "proc",
    "proc/",
    "proc/.",
    "proc/self",
    "proc/self/mem",
    "proc/self/environ",
    "proc/self/fd/0",
    "proc/self/fd",
    "proc/self/root",
    "proc/self/cwd",
    "proc/self/exe",
    "proc/thread-self/mem",
    "proc/1/root/etc",
    "proc/version",
    "proc/sys/kernel/hostname",
    "etc/../proc/version",
    "sys",
    "sys/kernel",
    "sys/kernel/fscaps",
    "sys/kernel/tracing/trace",
    "dev/fd",
    "dev/stdin",
];

#[test]
fn procfs_is_not_reached_from_the_root() {
    // An emulator may open a root other than the one from which it resolves paths.
    let mut root = std::fs::read_dir("/").unwrap().flatten();
    if !root.any(|entry| entry.file_name() == "proc") {
        return println!("skipped: the root directory has no /proc");
    }
    for portable in [false, true] {
        for builder in [
            Builder::new().dir("/", "/"),
            Builder::new().read_only_dir("/", "/"),
            // Directories with mounts beneath, whose paths are resolved in user space.
            Builder::new().read_only_dir("/", "/").memory_dir("/precast-nothing/here"),
            Builder::new().read_only_dir("/", "/").memory_dir("/etc"),
        ] {
            let mut guest = Guest::new(builder.portable_paths(portable));
            for path in INSIDE {
                // A link is followed only with `FOLLOW`. The link itself is in `/dev`.
                let link = path.starts_with("dev/");
                for (rights, oflags, follow) in [
                    (Rights::FD_READ, 0, FOLLOW),
                    (Rights::FD_READ, 0, 0),
                    (Rights::ALL.without(Rights::FD_WRITE), DIRECTORY, FOLLOW),
                    (Rights::NONE, 0, FOLLOW),
                    (Rights::FD_WRITE, 0, FOLLOW),
                    (Rights::ALL, TRUNC, FOLLOW),
                    (Rights::NONE, CREAT, FOLLOW),
                ] {
                    let opened = guest.open_with(DIR, follow, path, oflags, rights, 0);
                    assert!(opened.is_err(), "{path} {rights:?} {oflags} {portable}");
                    let changes = oflags != 0 || rights.contains(Rights::FD_WRITE);
                    let plain = !link && !changes && follow == FOLLOW && oflags == 0;
                    let there = Path::new("/").join(path).exists();
                    if plain && there && !path.contains("/self/") && !path.contains("/root/") {
                        assert_eq!(opened, Err(Errno::Perm), "{path} {portable}");
                    }
                }
                if path.matches('/').count() > 1 && !link && !path.contains("..") {
                    let stat = guest.with_path(path, |w, m, p, n| {
                        path_filestat_get(w, m, DIR, FOLLOW, p, n, OUT)
                    });
                    assert!(stat.is_err(), "{path}");
                }
            }
            for path in ["proc/self", "proc/self/cwd", "proc/self/fd/0"] {
                let link = guest
                    .with_path(path, |w, m, p, n| path_readlink(w, m, DIR, p, n, DATA, 100, OUT));
                assert_eq!(link, Err(Errno::Perm), "{path}");
            }
            // Other files of the host can be reached.
            let fd = guest.open_with(DIR, FOLLOW, "dev/null", 0, Rights::FD_READ, 0).unwrap();
            assert_eq!(guest.read(fd, 10), Ok(Vec::new()));
            let rights = Rights::FD_READDIR;
            let fd = guest.open_with(DIR, FOLLOW, ".", DIRECTORY, rights, 0).unwrap();
            assert_eq!(guest.call(|w, m| fd_readdir(w, m, fd, DATA, 1000, 0, OUT)), Ok(()));
        }
    }
}

#[test]
fn procfs_is_not_reached_by_a_link() {
    both(|mut mounted| {
        for (name, target) in
            [("absolute", "/proc/self"), ("relative", "../../../../../../../../proc/self")]
        {
            symlink(target, mounted.host(name)).unwrap();
        }
        let guest = &mut mounted.guest;
        for path in ["absolute", "relative", "absolute/mem", "relative/mem"] {
            assert_eq!(guest.open(path, 0, false), Err(Errno::Perm), "{path}");
        }
    });
}
