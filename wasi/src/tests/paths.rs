//! Tests of the functions on directory entries, on hostile trees.

use std::os::unix::fs::symlink;

use super::*;
use crate::calls::path::*;

impl Guest {
    fn mkdir(&mut self, path: &str) -> Result<(), Errno> {
        self.with_path(path, |w, m, p, n| path_create_directory(w, m, DIR, p, n))
    }
    fn rmdir(&mut self, path: &str) -> Result<(), Errno> {
        self.with_path(path, |w, m, p, n| path_remove_directory(w, m, DIR, p, n))
    }
    fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        self.with_path(path, |w, m, p, n| path_unlink_file(w, m, DIR, p, n))
    }
    fn rename(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        self.with_paths(old, new, |w, m, o, n| path_rename(w, m, DIR, o.0, o.1, DIR, n.0, n.1))
    }
    fn link(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        self.with_paths(old, new, |w, m, o, n| path_link(w, m, DIR, 0, o.0, o.1, DIR, n.0, n.1))
    }
    fn symlink(&mut self, old: &str, new: &str) -> Result<(), Errno> {
        self.with_paths(old, new, |w, m, o, n| path_symlink(w, m, o.0, o.1, DIR, n.0, n.1))
    }
    fn readlink(&mut self, path: &str, len: u32) -> Result<Vec<u8>, Errno> {
        self.with_path(path, |w, m, p, n| path_readlink(w, m, DIR, p, n, DATA, len, OUT))?;
        Ok(self.get(DATA, self.u32(OUT)).to_vec())
    }
    fn stat(&mut self, path: &str, flags: u32) -> Result<u8, Errno> {
        self.with_path(path, |w, m, p, n| path_filestat_get(w, m, DIR, flags, p, n, OUT))?;
        Ok(self.memory[OUT as usize + 16])
    }
    fn touch(&mut self, path: &str, flags: u32) -> Result<(), Errno> {
        self.with_path(path, |w, m, p, n| path_filestat_set_times(w, m, DIR, flags, p, n, 0, 5, 4))
    }
}

/// Symbolic links out of the mount, and paths through them.
fn hostile() -> (TempDir, impl Fn(bool) -> Mounted) {
    let outside = TempDir::new();
    fs::create_dir(outside.path().join("dir")).unwrap();
    fs::write(outside.path().join("file"), "secret").unwrap();
    let path = outside.path().to_owned();
    let mount = move |portable| {
        let mounted = Mounted::new(portable);
        let name = path.file_name().unwrap().to_str().unwrap();
        symlink(format!("../{name}"), mounted.host("out")).unwrap();
        symlink(format!("../{name}/dir"), mounted.host("out-dir")).unwrap();
        symlink(format!("../{name}/file"), mounted.host("out-file")).unwrap();
        symlink(format!("../{name}/new"), mounted.host("out-new")).unwrap();
        symlink(&path, mounted.host("out-absolute")).unwrap();
        mounted.file("in", "inside");
        fs::create_dir(mounted.host("in-dir")).unwrap();
        mounted
    };
    (outside, mount)
}

#[test]
fn no_function_reaches_outside() {
    let (outside, mount) = hostile();
    for portable in [false, true] {
        let mut mounted = mount(portable);
        let guest = &mut mounted.guest;
        for path in [
            "..",
            "../",
            "../.",
            "../x",
            "out/new",
            "out/dir",
            "out/dir/",
            "out/dir/.",
            "out/file",
            "out/./file",
            "out-absolute/file",
            "out-dir/.",
            "out-dir/..",
            "out-dir/../file",
            "out/",
            "out/.",
            "in-dir/../../x",
            "in-dir/../..",
        ] {
            let context = format!("{path}, portable: {portable}");
            // A system call that does not follow links takes `out/` for the link, which is inside.
            let entry_only = path == "out/";
            let perm = Err(Errno::Perm);
            for flags in [0, FOLLOW] {
                assert_eq!(guest.stat(path, flags), Err(Errno::Perm), "{context}");
                assert_eq!(guest.touch(path, flags), perm, "{context}");
            }
            assert_eq!(guest.readlink(path, 100), Err(Errno::Perm), "{context}");
            assert_eq!(guest.link(path, "mine"), perm, "{context}");
            assert!(guest.open(path, CREAT, true).is_err(), "{context}");
            assert!(guest.open(path, 0, false).is_err(), "{context}");
            assert!(guest.open(path, CREAT | TRUNC, true).is_err(), "{context}");
            for result in [
                guest.mkdir(path),
                guest.rmdir(path),
                guest.unlink(path),
                guest.rename(path, "mine"),
                guest.rename("in", path),
                guest.link("in", path),
                guest.symlink("in", path),
            ] {
                match result {
                    Err(Errno::Perm) => {}
                    Err(_) if entry_only => {}
                    other => panic!("{context}: {other:?}"),
                }
            }
        }
        assert!(guest.open("out-new", CREAT, true).is_err());
        assert!(mounted.host("in").exists());
    }
    let names = fs::read_dir(outside.path()).unwrap().count();
    assert_eq!(names, 2);
    let file = fs::metadata(outside.path().join("file")).unwrap();
    assert!(file.modified().unwrap().elapsed().unwrap().as_secs() < 3600, "not touched");
}

#[test]
fn entry_functions_do_not_follow_links() {
    let (outside, mount) = hostile();
    for portable in [false, true] {
        let mut mounted = mount(portable);
        let guest = &mut mounted.guest;
        assert_eq!(guest.stat("out", 0), Ok(Filetype::SymbolicLink as u8));
        assert_eq!(guest.stat("out", FOLLOW), Err(Errno::Perm));
        assert_eq!(guest.touch("out-file", 0), Ok(()));
        assert_eq!(guest.touch("out-file", FOLLOW), Err(Errno::Perm));
        assert_eq!(guest.mkdir("out-new"), Err(Errno::Exist));
        assert_eq!(guest.rmdir("out-dir"), Err(Errno::Notdir));
        assert_eq!(guest.rmdir("out-dir/"), Err(Errno::Notdir));
        assert_eq!(guest.symlink("x", "out-new"), Err(Errno::Exist));
        assert_eq!(guest.link("out-file", "second"), Ok(()));
        assert_eq!(guest.stat("second", 0), Ok(Filetype::SymbolicLink as u8));
        assert_eq!(guest.rename("out-dir", "moved"), Ok(()));
        assert_eq!(guest.unlink("moved"), Ok(()));
        assert_eq!(guest.unlink("out-file"), Ok(()));
        assert!(outside.path().join("dir").exists());
        assert!(outside.path().join("file").exists());
    }
}

#[test]
fn entries_are_created_renamed_and_removed() {
    both(|mut mounted| {
        let guest = &mut mounted.guest;
        assert_eq!(guest.mkdir("d"), Ok(()));
        assert_eq!(guest.mkdir("d/e/"), Ok(()));
        assert_eq!(guest.mkdir("d"), Err(Errno::Exist));
        assert_eq!(guest.mkdir("."), Err(Errno::Exist));
        assert_eq!(guest.mkdir("d/.."), Err(Errno::Exist));
        assert_eq!(guest.mkdir("x/y"), Err(Errno::Noent));
        assert_eq!(guest.rmdir("d"), Err(Errno::Notempty));
        assert_eq!(guest.rmdir("d/."), Err(Errno::Inval));
        assert_eq!(guest.rmdir("d/e/.."), Err(Errno::Inval));
        assert_eq!(guest.unlink("d"), Err(Errno::Isdir));
        assert_eq!(guest.unlink("d/"), Err(Errno::Isdir));
        let fd = guest.open("f", CREAT, true).unwrap();
        guest.close(fd).unwrap();
        assert_eq!(guest.rmdir("f"), Err(Errno::Notdir));
        assert_eq!(guest.unlink("f/"), Err(Errno::Notdir));
        assert_eq!(guest.rename("f", "d/e/g"), Ok(()));
        assert_eq!(guest.rename("f", "g"), Err(Errno::Noent));
        assert_eq!(guest.rename("d/e/g/", "g"), Err(Errno::Notdir));
        assert_eq!(guest.rename("d", "d/e/in-itself"), Err(Errno::Inval));
        assert_eq!(guest.rename("d/e", "moved/"), Ok(()));
        assert_eq!(guest.rename("moved", "."), Err(Errno::Busy));
        assert_eq!(guest.link("moved/g", "h"), Ok(()));
        assert_eq!(guest.link("moved", "i"), Err(Errno::Perm));
        assert_eq!(guest.link("moved/", "i"), Err(Errno::Perm));
        assert_eq!(guest.link("h/", "i"), Err(Errno::Notdir));
        assert_eq!(guest.unlink("moved/g"), Ok(()));
        assert_eq!(guest.rmdir("moved/"), Ok(()));
        assert_eq!(guest.stat("h", 0), Ok(Filetype::RegularFile as u8));
        assert_eq!(guest.stat("h/", 0), Err(Errno::Notdir));
        assert_eq!(guest.stat("", 0), Err(Errno::Noent));
        assert_eq!(guest.stat("/", 0), Err(Errno::Perm));
        assert_eq!(guest.stat(".", 0), Ok(Filetype::Directory as u8));
        let follow = |w: &mut Wasi, m: &mut Memory<'_>, o: (u32, u32), n: (u32, u32)| {
            path_link(w, m, DIR, FOLLOW, o.0, o.1, DIR, n.0, n.1)
        };
        assert_eq!(guest.with_paths("h", "i", follow), Err(Errno::Inval));
    });
}

#[test]
fn symbolic_links() {
    both(|mut mounted| {
        mounted.file("f", "inside");
        let guest = &mut mounted.guest;
        assert_eq!(guest.symlink("f", "l"), Ok(()));
        assert_eq!(guest.symlink("/etc/passwd", "m"), Err(Errno::Perm));
        assert_eq!(guest.symlink("f", "l"), Err(Errno::Exist));
        assert_eq!(guest.symlink("f", "new/"), Err(Errno::Noent));
        assert_eq!(guest.readlink("l", 100).unwrap(), b"f");
        assert_eq!(guest.readlink("l", 0).unwrap(), b"");
        assert_eq!(guest.readlink("f", 100), Err(Errno::Inval));
        assert_eq!(guest.readlink("l/", 100), Err(Errno::Notdir));
        assert_eq!(guest.readlink(".", 100), Err(Errno::Inval));
        assert_eq!(guest.stat("l", FOLLOW), Ok(Filetype::RegularFile as u8));
        assert_eq!(guest.touch("l", FOLLOW), Ok(()));
        assert_eq!(guest.open_with(DIR, 0, "l", 0, Rights::FD_READ, 0), Err(Errno::Loop));
        let fd = guest.open("l", TRUNC, true).unwrap();
        assert_eq!(guest.write(fd, b"new"), Ok(3));
        assert_eq!(
            guest.symlink("../up", "up"),
            Ok(()),
            "the target is checked when the link is followed"
        );
        assert_eq!(guest.open("up", 0, false), Err(Errno::Perm));
        assert_eq!(mounted.contents("f"), "new");
    });
}
