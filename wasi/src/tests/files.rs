//! Tests of reading, writing, seeking and the metadata of open files.

use super::*;
use crate::calls::fd_io::{
    fd_advise, fd_allocate, fd_datasync, fd_pread, fd_pwrite, fd_sync, fd_tell,
};
use crate::calls::fd_meta::{
    fd_fdstat_get, fd_fdstat_set_flags, fd_filestat_get, fd_filestat_set_size,
    fd_filestat_set_times, fd_renumber,
};

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
    guest.call(|w, m| fd_io::fd_write(w, m, fd, IOVS, 3, OUT)).unwrap();
    assert_eq!(guest.u32(OUT), 5);
    guest.seek(fd, 0, 0).unwrap();
    guest.put(DATA, b"......");
    guest.call(|w, m| fd_io::fd_read(w, m, fd, IOVS, 3, OUT)).unwrap();
    assert_eq!((guest.u32(OUT), guest.get(DATA, 6)), (5, &b"abc.ef"[..]));
}

#[test]
fn pread_and_pwrite_do_not_move_the_offset() {
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
    // Overlapping buffers are filled in order.
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
    assert!(guest.u64(48) > times, "the current time is later");
    assert_eq!(guest.u64(40), 1_500_000_000, "the other timestamp is unchanged");
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
fn file_functions_refuse_directories() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    assert_eq!(guest.read(DIR, 1), Err(Errno::Badf));
    assert_eq!(guest.write(DIR, b"x"), Err(Errno::Badf));
    assert_eq!(guest.seek(DIR, 0, 1), Err(Errno::Badf));
    assert_eq!(guest.filetype(DIR), Ok(Filetype::Directory as u8));
    assert_eq!(guest.open(".", 0, true), Err(Errno::Isdir));
    assert_eq!(guest.open(".", DIRECTORY, true), Err(Errno::Isdir));
    let dir = guest.open(".", DIRECTORY, false).unwrap();
    assert_eq!(guest.rights(dir), (Rights::DIRECTORY, Rights::ALL));
    let fd = guest.open("a", CREAT, true).unwrap();
    assert_eq!(guest.open_with(fd, 0, "a", 0, Rights::NONE, 0), Err(Errno::Notdir));
    assert_eq!(guest.open("a", DIRECTORY, false), Err(Errno::Notdir));
    assert_eq!(guest.open("d", DIRECTORY | CREAT, false), Err(Errno::Inval));
}

#[test]
fn a_bad_result_pointer_has_no_effects() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "abc");
    let guest = &mut mounted.guest;
    let fd = guest.open("a", 0, true).unwrap();
    guest.one_buffer(3);
    for bad in [0xfffd, 0x10000, u32::MAX] {
        assert_eq!(guest.call(|w, m| fd_io::fd_read(w, m, fd, IOVS, 1, bad)), Err(Errno::Fault));
        assert_eq!(guest.call(|w, m| fd_io::fd_write(w, m, fd, IOVS, 1, bad)), Err(Errno::Fault));
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
fn descriptors_of_the_host_are_closed() {
    let count = || fs::read_dir("/proc/self/fd").unwrap().count();
    let mut mounted = Mounted::new(true);
    mounted.file("a", "");
    fs::create_dir_all(mounted.host("d/e")).unwrap();
    // Other tests in this process open descriptors too; a leak in 1,000 rounds is larger.
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

#[test]
fn an_unclassified_file_may_be_a_directory() {
    both(|mut mounted| {
        fs::create_dir(mounted.host("d")).unwrap();
        mounted.file("d/inner", "inner");
        let guest = &mut mounted.guest;
        // Each call is the first on its descriptor, whose type is not known yet.
        let open = |guest: &mut Guest| guest.open("d", 0, false).unwrap();
        let fd = open(guest);
        assert_eq!(guest.read(fd, 10), Err(Errno::Badf));
        assert_eq!(guest.read(fd, 0), Err(Errno::Badf), "even with no bytes to read");
        assert_eq!(guest.call(|w, m| fd_io::fd_read(w, m, fd, IOVS, 0, OUT)), Err(Errno::Badf));
        assert_eq!(guest.write(fd, b"x"), Err(Errno::Badf));
        assert_eq!(guest.seek(fd, 0, 1), Err(Errno::Badf));
        let fd = open(guest);
        assert_eq!(guest.seek(fd, 0, 1), Err(Errno::Badf));
        let fd = open(guest);
        assert_eq!(guest.filetype(fd), Ok(Filetype::Directory as u8));
        let fd = open(guest);
        assert_eq!(guest.rights(fd).0, Rights::DIRECTORY);
        let fd = open(guest);
        let rights = Rights::FD_READ;
        let inner = guest.open_with(fd, FOLLOW, "inner", 0, rights, 0).unwrap();
        assert_eq!(guest.read(inner, 10).unwrap(), b"inner");
        let fd = open(guest);
        assert_eq!(
            guest.call(|w, m| crate::calls::dirs::fd_readdir(w, m, fd, DATA, 100, 0, OUT)),
            Ok(())
        );
        let fd = open(guest);
        assert_eq!(guest.close(fd), Ok(()));
        assert_eq!(guest.read(fd, 10), Err(Errno::Badf));
    });
}

#[test]
fn rights_of_an_unclassified_file() {
    both(|mut mounted| {
        mounted.file("a", "abc");
        let guest = &mut mounted.guest;
        let mut open = |rights| guest.open_with(DIR, FOLLOW, "a", 0, rights, 0).unwrap();
        let (blind, reader) = (open(Rights::FD_SEEK), open(Rights::FD_READ));
        assert_eq!(guest.read(blind, 10), Err(Errno::Badf));
        assert_eq!(guest.write(reader, b"x"), Err(Errno::Badf));
        assert_eq!(guest.read(reader, 10).unwrap(), b"abc");
        assert_eq!(guest.read(reader, 10).unwrap(), b"");
        assert_eq!(guest.rights(reader).0, Rights::FD_READ, "only the right asked for");
        assert_eq!(guest.call(|w, m| fd_tell(w, m, reader, OUT)), Err(Errno::Notcapable));
        // Renumbered before its type is known.
        let other = guest.open("a", 0, false).unwrap();
        guest.call(|w, m| fd_renumber(w, m, other, blind)).unwrap();
        assert_eq!(guest.read(blind, 10).unwrap(), b"abc");
        assert_eq!(guest.close(other), Err(Errno::Badf));
        // The kernel has moved the offset.
        assert_eq!(guest.seek(blind, 0, 1), Ok(3));
    });
}

#[test]
fn an_offset_of_the_instance_behaves_like_the_kernels() {
    both(|mut mounted| {
        mounted.file("a", "0123456789");
        let guest = &mut mounted.guest;
        let fd = guest.open("a", 0, true).unwrap();
        assert_eq!(guest.read(fd, 2).unwrap(), b"01");
        assert_eq!(guest.seek(fd, 1, 1), Ok(3));
        assert_eq!(guest.read(fd, 2).unwrap(), b"34");
        assert_eq!(guest.write(fd, b"ab"), Ok(2));
        assert_eq!(guest.seek(fd, 0, 1), Ok(7));
        assert_eq!(guest.seek(fd, -8, 1), Err(Errno::Inval), "before the start");
        assert_eq!(guest.seek(fd, i64::MAX, 1), Err(Errno::Inval), "after the largest offset");
        assert_eq!(guest.seek(fd, 0, 1), Ok(7), "the offset has not changed");
        assert_eq!(guest.read(fd, 100).unwrap(), b"789");
        assert_eq!(guest.read(fd, 100).unwrap(), b"");
        // An offset that not every file system supports; this one does.
        assert_eq!(guest.seek(fd, 1 << 40, 0), Ok(1 << 40));
        assert_eq!(guest.read(fd, 100).unwrap(), b"");
        assert_eq!(guest.seek(fd, -(1 << 40), 1), Ok(0));
        assert_eq!(guest.seek(fd, 12, 0), Ok(12));
        assert_eq!(guest.write(fd, b"end"), Ok(3));
        assert_eq!(guest.seek(fd, -1, 2), Ok(14));
        assert_eq!(guest.read(fd, 100).unwrap(), b"d");
        assert_eq!(mounted.contents("a"), "01234ab789\0\0end");
    });
}

#[test]
fn setting_append_returns_the_offset_to_the_kernel() {
    let mut mounted = Mounted::new(false);
    mounted.file("a", "0123456789");
    let guest = &mut mounted.guest;
    let fd = guest.open("a", 0, true).unwrap();
    assert_eq!(guest.seek(fd, 2, 0), Ok(2));
    guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, APPEND)).unwrap();
    assert_eq!(guest.seek(fd, 0, 1), Ok(2), "the kernel has the offset");
    assert_eq!(guest.write(fd, b"ab"), Ok(2));
    assert_eq!(guest.seek(fd, 0, 1), Ok(12), "after the appended bytes");
    guest.call(|w, m| fd_fdstat_set_flags(w, m, fd, 0)).unwrap();
    assert_eq!(guest.seek(fd, 1, 0), Ok(1));
    assert_eq!(guest.write(fd, b"c"), Ok(1));
    let fd = guest.open_with(DIR, FOLLOW, "a", 0, Rights::ALL, APPEND).unwrap();
    assert_eq!(guest.seek(fd, 1, 0), Ok(1));
    assert_eq!(guest.read(fd, 2).unwrap(), b"c2");
    assert_eq!(guest.write(fd, b"d"), Ok(1));
    assert_eq!(guest.seek(fd, 0, 1), Ok(13));
    assert_eq!(mounted.contents("a"), "0c23456789abd");
}

#[test]
fn files_of_proc_that_refuse_pwrite() {
    // No guest is granted such a file, so the test creates the descriptor.
    let mut guest = Guest::new(Builder::new());
    let comm =
        fs::OpenOptions::new().read(true).write(true).open("/proc/thread-self/comm").unwrap();
    let file = crate::fd::HostFile {
        fd: crate::fd::HostFd::Owned(comm.into()),
        filetype: Filetype::RegularFile,
        writable: true,
        offset: std::cell::Cell::new(crate::fd::Offset::of_opened(Filetype::RegularFile)),
    };
    let descriptor = crate::fd::Descriptor {
        object: crate::fd::Object::HostFile(file),
        opened_for: Rights::DATA,
        base: Rights::FILE,
        inheriting: Rights::NONE,
    };
    let fd = guest.wasi.fds.insert(descriptor).unwrap();
    let name = guest.read(fd, 100).unwrap();
    // The instance keeps the offset now; the file refuses `pread` and `pwrite`.
    assert_eq!(guest.seek(fd, 0, 0), Ok(0));
    assert_eq!(guest.write(fd, b"renamed"), Ok(7));
    assert_eq!(guest.seek(fd, 0, 0), Ok(0));
    assert_eq!(guest.read(fd, 100).unwrap(), b"renamed\n");
    assert_ne!(name, b"renamed\n");
}

#[test]
fn the_first_of_two_buffers_may_be_empty() {
    let mut mounted = Mounted::new(false);
    let guest = &mut mounted.guest;
    let fd = guest.open("a", CREAT, true).unwrap();
    guest.put(DATA, b"abcdef");
    for (first, second) in [((u32::MAX, 0), (DATA, 3)), ((DATA + 3, 3), (u32::MAX, 0))] {
        let table: Vec<u8> = [first.0, first.1, second.0, second.1].map(u32::to_le_bytes).concat();
        guest.put(IOVS, &table);
        guest.call(|w, m| fd_io::fd_write(w, m, fd, IOVS, 2, OUT)).unwrap();
        assert_eq!(guest.u32(OUT), 3);
        guest.call(|w, m| fd_pwrite(w, m, fd, IOVS, 2, 10, OUT)).unwrap();
    }
    assert_eq!(mounted.contents("a"), "abcdef\0\0\0\0def");
}
