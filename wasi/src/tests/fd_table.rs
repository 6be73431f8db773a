//! Tests of the descriptor table.

use crate::errno::Errno;
use crate::fd::{Descriptor, FdTable, Object, Rights, Stream};

fn null() -> Descriptor {
    Descriptor {
        object: Object::Stream(Stream::Null),
        opened_for: Rights::DATA,
        base: Rights::FD_READ,
        inheriting: Rights::NONE,
    }
}

#[test]
fn the_lowest_free_number_is_taken() {
    let mut fds = FdTable::new(100, false);
    for fd in 0..4 {
        assert_eq!(fds.insert(null()), Ok(fd));
    }
    assert_eq!(fds.close(2), Ok(()));
    assert_eq!(fds.close(1), Ok(()));
    assert_eq!(fds.close(1), Err(Errno::Badf));
    assert_eq!(fds.insert(null()), Ok(1));
    assert_eq!(fds.insert(null()), Ok(2));
    assert_eq!(fds.insert(null()), Ok(4));
}

#[test]
fn a_full_table() {
    let mut fds = FdTable::new(2, false);
    fds.insert(null()).unwrap();
    fds.insert(null()).unwrap();
    assert_eq!(fds.insert(null()), Err(Errno::Mfile));
    assert_eq!(fds.check_capacity(), Err(Errno::Mfile));
    fds.close(0).unwrap();
    assert_eq!(fds.check_capacity(), Ok(()));
    assert_eq!(fds.insert(null()), Ok(0));
}

#[test]
fn renumbering_needs_two_open_descriptors() {
    let mut fds = FdTable::new(100, false);
    fds.insert(null()).unwrap();
    fds.insert(null()).unwrap();
    assert_eq!(fds.renumber(0, u32::MAX), Err(Errno::Badf));
    assert_eq!(fds.renumber(7, 0), Err(Errno::Badf));
    assert_eq!(fds.renumber(1, 1), Ok(()));
    assert_eq!(fds.renumber(0, 1), Ok(()));
    assert_eq!(fds.get(0).err(), Some(Errno::Badf));
    assert!(fds.get(1).is_ok());
    assert_eq!(fds.insert(null()), Ok(0));
}

#[test]
fn the_kind_is_checked_before_the_rights() {
    let mut fds = FdTable::new(100, false);
    fds.insert(null()).unwrap();
    assert_eq!(fds.directory(0, Rights::PATH_OPEN).err(), Some(Errno::Notdir));
    assert_eq!(fds.socket(0, Rights::FD_READ).err(), Some(Errno::Notsock));
    assert_eq!(fds.file(0, Rights::FD_WRITE).err(), Some(Errno::Notcapable));
    fds.get_mut(0).unwrap().opened_for = Rights::FD_READ;
    assert_eq!(fds.file(0, Rights::FD_WRITE).err(), Some(Errno::Badf));
    assert_eq!(fds.seekable(0, Rights::FD_READ).err(), Some(Errno::Spipe));
}
