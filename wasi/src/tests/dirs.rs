//! Tests of directory listings.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::calls::dirs::fd_readdir;

/// Cookie, inode number and type.
type Entry = (u64, u64, u8);
type Entries = BTreeMap<String, Entry>;

impl Guest {
    fn readdir(&mut self, fd: u32, len: u32, cookie: u64) -> Result<u32, Errno> {
        self.call(|w, m| fd_readdir(w, m, fd, DATA, len, cookie, OUT))?;
        Ok(self.u32(OUT))
    }

    /// Lists like a C library: with a buffer of `len` bytes, from the cookie of the last whole
    /// entry.
    fn list(&mut self, fd: u32, len: u32) -> Entries {
        let listed = self.in_order(fd, len);
        let count = listed.len();
        let entries: Entries = listed.into_iter().collect();
        assert_eq!(entries.len(), count, "a name is listed twice");
        entries
    }

    /// The entries in the order of the listing. Their cookies need not be ascending.
    fn in_order(&mut self, fd: u32, len: u32) -> Vec<(String, Entry)> {
        let mut entries = Vec::new();
        let mut cookie = 0;
        loop {
            let used = self.readdir(fd, len, cookie).unwrap();
            let buffer = self.get(DATA, used).to_vec();
            let mut at = 0;
            while at + 24 <= buffer.len() {
                let namlen = layout::u32_at(&buffer, at + 16) as usize;
                let Some(name) = buffer.get(at + 24..at + 24 + namlen) else {
                    break;
                };
                cookie = layout::u64_at(&buffer, at);
                let entry = (cookie, layout::u64_at(&buffer, at + 8), buffer[at + 20]);
                entries.push((String::from_utf8(name.to_vec()).unwrap(), entry));
                at += 24 + namlen;
            }
            if used < len {
                return entries;
            }
            assert!(at > 0, "the buffer holds no entry");
        }
    }
}

#[test]
fn every_entry_once_whatever_the_buffer() {
    let mut mounted = Mounted::new(false);
    for i in 0..300 {
        mounted.file(&format!("file-{i}"), "");
    }
    fs::create_dir(mounted.host("dir")).unwrap();
    let host = mounted.host("");
    let guest = &mut mounted.guest;
    let dir = guest.open(".", DIRECTORY, false).unwrap();
    for fd in [DIR, dir] {
        let all = guest.list(fd, 0x8000);
        assert_eq!(all.len(), 303);
        assert_eq!((all["."].2, all[".."].2, all["dir"].2, all["file-7"].2), (3, 3, 3, 4));
        let file = fs::metadata(host.join("file-7")).unwrap();
        assert_eq!(all["file-7"].1, file.ino(), "the host's inode number");
        assert_eq!(all[".."].1, 0, "the inode number of a directory outside is not given");
        for len in [40, 64, 100, 4096] {
            assert_eq!(guest.list(fd, len), all);
        }
        // A cookie can be used more than once.
        for (cookie, _, _) in all.values().take(20) {
            let first = guest.readdir(fd, 500, *cookie).unwrap();
            let bytes = guest.get(DATA, first).to_vec();
            assert_eq!(guest.readdir(fd, 500, *cookie), Ok(first));
            assert_eq!(guest.get(DATA, first), bytes);
        }
    }
}

#[test]
fn removed_entries_do_not_disturb_a_listing() {
    let mut mounted = Mounted::new(false);
    for i in 0..100 {
        mounted.file(&format!("{i}"), "");
    }
    let guest = &mut mounted.guest;
    let all = guest.in_order(DIR, 0x8000);
    let (_, (middle, ..)) = all[50];
    for (name, _) in all[..40].iter().filter(|(name, _)| !name.starts_with('.')) {
        fs::remove_file(mounted.host(name)).unwrap();
    }
    let guest = &mut mounted.guest;
    let used = guest.readdir(DIR, 0x8000, middle).unwrap();
    let rest: usize = all[51..].iter().map(|(name, _)| 24 + name.len()).sum();
    assert_eq!(used as usize, rest);
}

#[test]
fn small_buffers_and_wild_cookies() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "");
    let guest = &mut mounted.guest;
    for len in [0, 1, 23, 24, 25] {
        assert_eq!(guest.readdir(DIR, len, 0), Ok(len));
    }
    for cookie in [1, 12345, u64::MAX / 2, u64::MAX] {
        // The host may return any result.
        let _ = guest.readdir(DIR, 100, cookie);
    }
    assert_eq!(guest.list(DIR, 100).len(), 3);
    assert_eq!(guest.readdir(0, 100, 0), Err(Errno::Notdir));
    assert_eq!(guest.readdir(9, 100, 0), Err(Errno::Badf));
    assert_eq!(guest.call(|w, m| fd_readdir(w, m, DIR, DATA, u32::MAX, 0, OUT)), Err(Errno::Fault));
}

#[test]
fn instances_do_not_disturb_each_other() {
    let temp = TempDir::new();
    for i in 0..50 {
        fs::write(temp.path().join(i.to_string()), "").unwrap();
    }
    let blueprint = Builder::new().dir(temp.path(), "/").blueprint().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let wasi = blueprint.instantiate().unwrap();
            scope.spawn(|| {
                let mut guest = Guest { wasi, memory: vec![0; 0x10000] };
                for _ in 0..50 {
                    assert_eq!(guest.list(DIR, 200).len(), 52);
                }
            });
        }
    });
}

#[test]
fn names_of_every_length() {
    let mut mounted = Mounted::new(false);
    let alphabet = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let names: Vec<_> = (1..alphabet.len()).map(|len| &alphabet[..len]).collect();
    for name in &names {
        mounted.file(name, "");
    }
    let entries = mounted.guest.list(DIR, 0x8000);
    let listed = entries.keys().filter(|name| !name.starts_with('.'));
    assert!(listed.eq(&names));
}
