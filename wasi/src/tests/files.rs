//! Reading, writing, seeking; what an open file is.

use super::*;
use crate::fd_meta::{
    fd_fdstat_get, fd_fdstat_set_flags, fd_filestat_get, fd_filestat_set_size,
    fd_filestat_set_times, fd_renumber,
};
use crate::file_io::{fd_advise, fd_allocate, fd_datasync, fd_pread, fd_pwrite, fd_sync, fd_tell};

#[test]
fn write_seek_read() {
    both(|mut mounted| {
        let guest = &mut mounted.guest;
        let fd = guest.open("a", CREAT | EXCL, true).unwrap();
        assert_eq!(fd, 4);
        assert_eq!(guest.write(fd, b"hello world"), Ok(11));
        assert_eq!(guest.seek(fd, -5, 2), Ok(6));
        assert_eq!(guest.read(fd, 100).unwrap(), b"world");
        assert_eq!(guest.read(fd, 100).unwrap(), b"");
        assert_eq!(guest.seek(fd, -1, 0), Err(Errno::Inval));
        assert_eq!(guest.seek(fd, 0, 3), Err(Errno::Inval));
        assert_eq!(guest.seek(fd, 2, 0), Ok(2));
        guest.call(|w, m| fd_tell(w, m, fd, OUT)).unwrap();
        assert_eq!(guest.u64(OUT), 2);
        assert_eq!(guest.close(fd), Ok(()));
        assert_eq!(guest.close(fd), Err(Errno::Badf));
        assert_eq!(mounted.contents("a"), "hello world");
    });
}

#[test]
fn all_buffers_are_used() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    let fd = guest.open("a", CREAT, true).unwrap();
    guest.put(DATA, b"abcdef");
    for (i, (ptr, len)) in [(DATA + 4, 2u32), (DATA, 0), (DATA, 3)].into_iter().enumerate() {
        guest.put(IOVS + i as u32 * 8, &ptr.to_le_bytes());
        guest.put(IOVS + i as u32 * 8 + 4, &len.to_le_bytes());
    }
    guest.call(|w, m| file_io::fd_write(w, m, fd, IOVS, 3, OUT)).unwrap();
    assert_eq!(guest.u32(OUT), 5);
    guest.seek(fd, 0, 0).unwrap();
    guest.put(DATA, b"......");
    guest.call(|w, m| file_io::fd_read(w, m, fd, IOVS, 3, OUT)).unwrap();
    assert_eq!((guest.u32(OUT), guest.get(DATA, 6)), (5, &b"abc.ef"[..]));
}

#[test]
fn offsets_of_pread_and_pwrite_are_their_own() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    let fd = guest.open("a", CREAT, true).unwrap();
    guest.write(fd, b"0123456789").unwrap();
    guest.put(DATA, b"XY");
    guest.one_buffer(2);
    guest.call(|w, m| fd_pwrite(w, m, fd, IOVS, 1, 3, OUT)).unwrap();
    guest.one_buffer(4);
    guest.call(|w, m| fd_pread(w, m, fd, IOVS, 1, 2, OUT)).unwrap();
    assert_eq!((guest.u32(OUT), guest.get(DATA, 4)), (4, &b"2XY5"[..]));
    guest.call(|w, m| fd_pread(w, m, fd, IOVS, 1, u64::MAX, OUT)).unwrap_err();
    // Two buffers over the same bytes are filled one after the other.
    guest.put(
        IOVS,
        &[DATA.to_le_bytes(), 4u32.to_le_bytes(), DATA.to_le_bytes(), 4u32.to_le_bytes()].concat(),
    );
    guest.call(|w, m| fd_pread(w, m, fd, IOVS, 2, 1, OUT)).unwrap();
    assert_eq!((guest.u32(OUT), guest.get(DATA, 4)), (8, &b"5678"[..]));
    assert_eq!(guest.seek(fd, 0, 1), Ok(10));
}

#[test]
fn appending_and_flags() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "one ");
    let guest = &mut mounted.guest;
    let fd = guest.open_with(DIR, 0, "a", 0, Rights::ALL, APPEND).unwrap();
    guest.write(fd, b"two").unwrap();
    let flags = |guest: &mut Guest| {
        guest.call(|w, m| fd_fdstat_get(w, m, fd, OUT)).unwrap();
        layout::u16_at(&guest.memory, 2)
    };
    assert_eq!(flags(guest), 1);
    guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, 4)).unwrap();
    assert_eq!(flags(guest), 4);
    assert_eq!(guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, 16)), Err(Errno::Inval));
    assert_eq!(guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, 32)), Err(Errno::Inval));
    let synced = guest.open_with(DIR, 0, "a", 0, Rights::ALL, 16).unwrap();
    guest.call(|w, m| fd_fdstat_get(w, m, synced, OUT)).unwrap();
    assert_eq!(layout::u16_at(&guest.memory, 2), 16);
    assert_eq!(guest.call(|w, m| fd_fdstat_set_flags(w, m, synced, 17)), Ok(()));
    assert_eq!(mounted.contents("a"), "one two");
}

#[test]
fn sizes_and_times() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    let fd = guest.open("a", CREAT, true).unwrap();
    guest.call(|w, m| fd_filestat_set_size(w, m, fd, 100)).unwrap();
    guest.call(|w, m| fd_filestat_set_times(w, m, fd, 1_500_000_000, 7, 1 | 4)).unwrap();
    assert_eq!(guest.call(|w, m| fd_filestat_set_times(w, m, fd, 0, 0, 1 | 2)), Err(Errno::Inval));
    assert_eq!(guest.call(|w, m| fd_filestat_set_times(w, m, fd, 0, 0, 16)), Err(Errno::Inval));
    guest.call(|w, m| fd_filestat_get(w, m, fd, OUT)).unwrap();
    assert_eq!(guest.memory[16], Filetype::RegularFile as u8);
    assert_eq!([24, 32, 40, 48].map(|at| guest.u64(at)), [1, 100, 1_500_000_000, 7]);
    let times = guest.u64(48);
    guest.call(|w, m| fd_filestat_set_times(w, m, fd, 0, 0, 8)).unwrap();
    guest.call(|w, m| fd_filestat_get(w, m, fd, OUT)).unwrap();
    assert!(guest.u64(48) > times, "now is later");
    assert_eq!(guest.u64(40), 1_500_000_000, "and the other was left alone");
    assert_eq!(guest.call(|w, m| fd_advise(w, m, fd, 0, 0, 5)), Ok(()));
    assert_eq!(guest.call(|w, m| fd_advise(w, m, fd, 0, 0, 6)), Err(Errno::Inval));
    assert_eq!(guest.call(|w, m| fd_advise(w, m, fd, u64::MAX, 1, 0)), Err(Errno::Inval));
    assert_eq!(guest.call(|w, m| fd_allocate(w, m, fd, 50, u64::MAX)), Err(Errno::Inval));
    match guest.call(|w, m| fd_allocate(w, m, fd, 100, 50)) {
        Ok(()) => assert_eq!(fs::metadata(mounted.host("a")).unwrap().len(), 150),
        Err(error) => assert_eq!(error, Errno::Notsup),
    }
    let guest = &mut mounted.guest;
    assert_eq!(guest.call(|w, m| fd_sync(w, m, fd)), Ok(()));
    assert_eq!(guest.call(|w, m| fd_datasync(w, m, fd)), Ok(()));
    assert_eq!(guest.call(|w, m| fd_sync(w, m, DIR)), Ok(()));
    let read = guest.open("a", 0, false).unwrap();
    assert_eq!(guest.call(|w, m| fd_filestat_set_size(w, m, read, 0)), Err(Errno::Inval));
}

#[test]
fn a_directory_is_no_file() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    assert_eq!(guest.read(DIR, 1), Err(Errno::Badf));
    assert_eq!(guest.write(DIR, b"x"), Err(Errno::Badf));
    assert_eq!(guest.seek(DIR, 0, 1), Err(Errno::Badf));
    assert_eq!(guest.filetype(DIR), Ok(Filetype::Directory as u8));
    assert_eq!(guest.open(".", 0, true), Err(Errno::Isdir));
    let dir = guest.open(".", DIRECTORY, true).unwrap();
    assert_eq!(guest.rights(dir), (Rights::DIRECTORY, Rights::ALL));
    let fd = guest.open("a", CREAT, true).unwrap();
    assert_eq!(guest.open_with(fd, 0, "a", 0, Rights::NONE, 0), Err(Errno::Notdir));
    assert_eq!(guest.open("a", DIRECTORY, false), Err(Errno::Notdir));
    assert_eq!(guest.open("d", DIRECTORY | CREAT, false), Err(Errno::Inval));
}

#[test]
fn results_that_do_not_fit_change_nothing() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "abc");
    let guest = &mut mounted.guest;
    let fd = guest.open("a", 0, true).unwrap();
    guest.one_buffer(3);
    for bad in [0xfffd, 0x10000, u32::MAX] {
        assert_eq!(guest.call(|w, m| file_io::fd_read(w, m, fd, IOVS, 1, bad)), Err(Errno::Fault));
        assert_eq!(guest.call(|w, m| file_io::fd_write(w, m, fd, IOVS, 1, bad)), Err(Errno::Fault));
        assert_eq!(guest.call(|w, m| fd_filestat_get(w, m, fd, bad)), Err(Errno::Fault));
    }
    assert_eq!(guest.read(fd, 3).unwrap(), b"abc", "nothing was consumed");
    let len = guest.put(PATH, b"new");
    let rights = Rights::ALL.bits();
    let opened =
        guest.call(|w, m| path_open(w, m, DIR, 0, PATH, len, CREAT, rights, rights, 0, 0xfffd));
    assert_eq!(opened, Err(Errno::Fault));
    assert!(!mounted.host("new").exists());
}

#[test]
fn descriptors_are_given_back() {
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut mounted = Mounted::new(true);
    mounted.file("a", "");
    fs::create_dir_all(mounted.host("d/e")).unwrap();
    // Other tests run in this process: a leak would show in so many rounds.
    let before = count();
    let guest = &mut mounted.guest;
    for _ in 0..1000 {
        let a = guest.open("a", 0, true).unwrap();
        let b = guest.open("d/e/../e", DIRECTORY, false).unwrap();
        guest.call(|w, m| fd_renumber(w, m, a, b)).unwrap();
        guest.close(b).unwrap();
        guest.open("d/e/missing/x", 0, false).unwrap_err();
        guest.open("../x", 0, false).unwrap_err();
    }
    assert!(count() < before + 500);
    assert_eq!(guest.open("a", 0, false), Ok(4));
}
