//! Tests of rights: they are kept, inherited and enforced.

use super::*;
use crate::calls::dirs::fd_readdir;
use crate::calls::fd_meta::{
    fd_fdstat_set_rights, fd_filestat_get, fd_prestat_dir_name, fd_prestat_get,
};
use crate::calls::path::path_filestat_get;

impl Guest {
    fn set_rights(&mut self, fd: u32, base: Rights, inheriting: Rights) -> Result<(), Errno> {
        self.call(|w, m| fd_fdstat_set_rights(w, m, fd, base.bits(), inheriting.bits()))
    }
}

#[test]
fn a_file_has_the_rights_asked_for() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "abc");
    let guest = &mut mounted.guest;
    let fd = guest.open_with(DIR, 0, "a", 0, Rights::FD_READ | Rights::PATH_OPEN, 0).unwrap();
    assert_eq!(
        guest.rights(fd),
        (Rights::FD_READ, Rights::ALL),
        "PATH_OPEN does not apply to a file"
    );
    assert_eq!(guest.read(fd, 1).unwrap(), b"a");
    assert_eq!(guest.write(fd, b"x"), Err(Errno::Badf), "as in POSIX");
    assert_eq!(guest.seek(fd, 0, 0), Err(Errno::Notcapable));
    assert_eq!(guest.seek(fd, 0, 1), Err(Errno::Notcapable));
    assert_eq!(guest.call(|w, m| fd_filestat_get(w, m, fd, OUT)), Err(Errno::Notcapable));
    let fd = guest.open_with(DIR, 0, "a", 0, Rights::FD_TELL, 0).unwrap();
    assert_eq!(
        guest.seek(fd, 0, 1),
        Ok(0),
        "FD_TELL is enough for a seek that does not move the offset"
    );
    assert_eq!(guest.seek(fd, 1, 1), Err(Errno::Notcapable));
    assert_eq!(guest.read(fd, 1), Err(Errno::Badf));
    let fd = guest.open("a", 0, true).unwrap();
    guest.set_rights(fd, Rights::FD_READ, Rights::NONE).unwrap();
    assert_eq!(guest.write(fd, b"x"), Err(Errno::Notcapable), "given up");
}

#[test]
fn rights_are_only_given_up() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "abc");
    let guest = &mut mounted.guest;
    assert_eq!(guest.rights(DIR), (Rights::DIRECTORY, Rights::ALL));

    let inheriting = Rights::ALL.without(Rights::FD_WRITE);
    assert_eq!(guest.set_rights(DIR, Rights::DIRECTORY, inheriting), Ok(()));
    assert_eq!(guest.set_rights(DIR, Rights::DIRECTORY, Rights::ALL), Err(Errno::Notcapable));
    assert_eq!(guest.set_rights(DIR, Rights::ALL, inheriting), Err(Errno::Notcapable));
    let rights = |guest: &mut Guest, base: Rights, inheriting: Rights| {
        let len = guest.put(PATH, b"a");
        let (base, inheriting) = (base.bits(), inheriting.bits());
        guest.call(|w, m| path_open(w, m, DIR, 0, PATH, len, 0, base, inheriting, 0, OUT))
    };
    assert_eq!(rights(guest, Rights::FD_READ, inheriting), Ok(()));
    assert_eq!(rights(guest, Rights::FD_WRITE, inheriting), Err(Errno::Notcapable));
    assert_eq!(rights(guest, Rights::FD_READ, Rights::ALL), Err(Errno::Notcapable));

    // Truncation needs a right of the directory, not of the file.
    let fd = guest.open_with(DIR, 0, "a", TRUNC, Rights::NONE, 0);
    assert_eq!(fd, Err(Errno::Notcapable), "open_with asks for all inheriting rights");
    let trunc = |guest: &mut Guest, oflags| {
        let len = guest.put(PATH, b"a");
        guest.call(|w, m| path_open(w, m, DIR, 0, PATH, len, oflags, 0, 0, 0, OUT))
    };
    let trunc_as = |guest: &mut Guest, base: Rights| {
        let (len, base) = (guest.put(PATH, b"a"), base.bits());
        guest.call(|w, m| path_open(w, m, DIR, 0, PATH, len, TRUNC, base, 0, 0, OUT))
    };
    assert_eq!(trunc(guest, TRUNC), Ok(()));
    let base = Rights::DIRECTORY.without(Rights::PATH_FILESTAT_SET_SIZE | Rights::PATH_CREATE_FILE);
    guest.set_rights(DIR, base, inheriting).unwrap();
    assert_eq!(trunc(guest, TRUNC), Err(Errno::Notcapable));
    assert_eq!(trunc(guest, CREAT), Err(Errno::Notcapable));
    assert_eq!(trunc(guest, 0), Ok(()));

    // With the right to set the size, truncation needs no right of the directory.
    assert!(guest.set_rights(DIR, base, inheriting).is_ok());
    assert_eq!(trunc_as(guest, Rights::FD_FILESTAT_SET_SIZE), Ok(()));
    let fixed = inheriting.without(Rights::FD_FILESTAT_SET_SIZE);
    guest.set_rights(DIR, base, fixed).unwrap();
    assert_eq!(trunc_as(guest, Rights::FD_FILESTAT_SET_SIZE), Err(Errno::Notcapable));

    guest.set_rights(DIR, Rights::NONE, Rights::NONE).unwrap();
    assert_eq!(trunc(guest, 0), Err(Errno::Notcapable));
    let stat = guest.with_path("a", |w, m, p, n| path_filestat_get(w, m, DIR, 0, p, n, OUT));
    assert_eq!(stat, Err(Errno::Notcapable));
    assert_eq!(guest.call(|w, m| fd_readdir(w, m, DIR, DATA, 100, 0, OUT)), Err(Errno::Notcapable));
    assert_eq!(mounted.contents("a"), "");
}

/// Zig's library opens directories with equal base and inheriting rights. Other requests get
/// exactly the inheriting rights that they ask for.
#[test]
fn a_directory_opened_as_by_zig_inherits_the_rights_of_files() {
    let mut mounted = Mounted::new(false);
    fs::create_dir(mounted.host("d")).unwrap();
    let guest = &mut mounted.guest;
    let open = |guest: &mut Guest, fd, path: &str, oflags, base: Rights, inheriting: Rights| {
        let (len, base, inheriting) =
            (guest.put(PATH, path.as_bytes()), base.bits(), inheriting.bits());
        guest.call(|w, m| path_open(w, m, fd, 0, PATH, len, oflags, base, inheriting, 0, OUT))?;
        Ok::<_, Errno>(guest.u32(OUT))
    };
    let zigs = Rights::DIRECTORY.without(Rights::FD_SYNC | Rights::FD_DATASYNC);
    let dir = open(guest, DIR, "d", DIRECTORY, zigs, zigs).unwrap();
    assert_eq!(guest.rights(dir), (zigs, zigs | Rights::FILE));
    assert!(open(guest, dir, "new", CREAT, Rights::FILE, Rights::NONE).is_ok());

    for inheriting in [Rights::NONE, zigs.without(Rights::PATH_SYMLINK), zigs | Rights::FD_TELL] {
        let dir = open(guest, DIR, "d", DIRECTORY, zigs, inheriting).unwrap();
        assert_eq!(guest.rights(dir), (zigs, inheriting));
        let refused = open(guest, dir, "new", 0, Rights::FD_READ, Rights::NONE);
        assert_eq!(refused, Err(Errno::Notcapable));
    }

    // Rights that were given up are not inherited.
    let fewer = Rights::ALL.without(Rights::FD_WRITE);
    guest.set_rights(DIR, Rights::DIRECTORY, fewer).unwrap();
    let dir = open(guest, DIR, "d", DIRECTORY, zigs, zigs).unwrap();
    assert!(open(guest, dir, "new", 0, Rights::FD_READ, Rights::NONE).is_ok());
    let refused = open(guest, dir, "new", 0, Rights::FD_WRITE, Rights::NONE);
    assert_eq!(refused, Err(Errno::Notcapable));
}

/// Like `open(O_DIRECTORY | O_RDWR)`. A request without the right to write, as by Zig's library,
/// succeeds.
#[test]
fn a_directory_opened_for_writing_is_a_directory() {
    let (root, data) = (TempDir::new(), TempDir::new());
    for dir in [root.path(), data.path()] {
        fs::create_dir(dir.join("d")).unwrap();
        fs::write(dir.join("f"), "kept").unwrap();
        std::os::unix::fs::symlink("d", dir.join("to-d")).unwrap();
    }
    let files = crate::MemoryFs::new();
    files.write("f", b"kept").unwrap();
    files.write("d/f", b"kept").unwrap();
    crate::fs::FileSystem::symlink(&files, "d", "to-d").unwrap();
    let files: std::sync::Arc<dyn crate::fs::FileSystem> = std::sync::Arc::new(files);
    let nothing = TempDir::new();
    for portable in [false, true] {
        // Directories of the host, in memory and with mounts beneath, writable and read-only.
        let builders = [
            Builder::new().dir(root.path(), "/"),
            Builder::new().read_only_dir(root.path(), "/"),
            Builder::new().dir(root.path(), "/").dir(nothing.path(), "/mnt"),
            Builder::new().dir(root.path(), "/").dir(nothing.path(), "/d/mnt"),
            Builder::new().read_only_dir(root.path(), "/").dir(nothing.path(), "/d/mnt"),
            Builder::new().dir(nothing.path(), "/").dir(data.path(), "/mnt"),
            Builder::new().file_system(files.clone(), "/"),
            Builder::new().read_only_file_system(files.clone(), "/"),
            Builder::new().file_system(files.clone(), "/").memory_dir("/d/mnt"),
        ];
        for (i, builder) in builders.into_iter().enumerate() {
            let mut guest = Guest::new(builder.portable_paths(portable));
            let at = |path: &str| if i == 5 { format!("mnt/{path}") } else { path.to_owned() };
            let zigs = Rights::DIRECTORY.without(Rights::FD_SYNC | Rights::FD_DATASYNC);
            let writes = [Rights::ALL, Rights::FD_WRITE, zigs | Rights::FD_WRITE, Rights::FILE];
            for (path, refusal) in [
                ("d", Errno::Isdir),
                ("d/", Errno::Isdir),
                (".", Errno::Isdir),
                ("to-d", Errno::Isdir),
                ("to-d/", Errno::Isdir),
                ("f", Errno::Notdir),
                ("f/", Errno::Notdir),
                ("none", Errno::Noent),
            ] {
                let mut open = |oflags, rights| {
                    guest.open_with(DIR, FOLLOW, &at(path), DIRECTORY | oflags, rights, 0)
                };
                for rights in writes {
                    assert_eq!(open(0, rights), Err(refusal), "{i} {path} {rights:?}");
                    assert_eq!(open(EXCL, rights), Err(refusal), "{i} {path}");
                    assert_eq!(open(TRUNC, rights), Err(refusal), "{i} {path}");
                    for creating in [CREAT, CREAT | EXCL, CREAT | TRUNC] {
                        assert_eq!(open(creating, rights), Err(Errno::Inval), "{i} {path}");
                    }
                }
                // Like `open(O_DIRECTORY | O_TRUNC)`.
                assert_eq!(open(TRUNC, zigs), Err(refusal), "{i} {path}");
                let reads = [zigs, Rights::NONE, Rights::ALL.without(Rights::FD_WRITE)];
                for rights in reads {
                    let opened = open(0, rights).map(drop);
                    let expected = if refusal == Errno::Isdir { Ok(()) } else { Err(refusal) };
                    assert_eq!(opened, expected, "{i} {path} {rights:?}");
                }
            }
        }
    }
    assert_eq!(fs::read(root.path().join("f")).unwrap(), b"kept");
}

#[test]
fn preopens_have_names() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    guest.call(|w, m| fd_prestat_get(w, m, DIR, OUT)).unwrap();
    assert_eq!(guest.get(OUT, 8), [0, 0, 0, 0, 1, 0, 0, 0]);
    guest.call(|w, m| fd_prestat_dir_name(w, m, DIR, DATA, 1)).unwrap();
    assert_eq!(guest.get(DATA, 1), b"/");
    assert_eq!(guest.call(|w, m| fd_prestat_dir_name(w, m, DIR, DATA, 0)), Err(Errno::Nametoolong));
    for fd in [0, 4, u32::MAX] {
        assert_eq!(guest.call(|w, m| fd_prestat_get(w, m, fd, OUT)), Err(Errno::Badf));
    }
    let dir = guest.open(".", DIRECTORY, false).unwrap();
    assert_eq!(guest.call(|w, m| fd_prestat_get(w, m, dir, OUT)), Err(Errno::Badf));
}
