//! File systems that are the kernel's own interface: `/proc`, `/sys` and their like.
//!
//! What lies there are no files of somebody, but handles on the host: `/proc/self/mem` is the memory
//! of this process, `/proc/self/fd` its descriptors, `/proc/PID/root` a way out of every directory.
//! So none of them is ever granted, nor reached from what is: not below `/`, not by a symbolic link,
//! not where somebody has mounted it a second time.
//!
//! Neither are the devices that are the machine's memory, in the directory that is granted or where a
//! path crosses a mount; other devices are what a directory of devices is granted for.
//!
//! A resolution that crosses no mount stays on the file system of its root, of which
//! [`require_ordinary`] has been asked when it was granted. One that does is asked at its end: see
//! [`super::kernel`].

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat, fstat, fstatfs, major, minor};

use crate::errno::Errno;

/// What the kernel calls them, and their numbers in `<linux/magic.h>`.
const KINDS: [(&str, u32); 21] = [
    ("proc", 0x9fa0),
    ("openpromfs", 0x9fa1),
    ("sysfs", 0x6265_6572),
    ("cgroup", 0x0027_e0eb),
    ("cgroup2", 0x6367_7270),
    ("debugfs", 0x6462_6720),
    ("tracefs", 0x7472_6163),
    ("securityfs", 0x7363_6673),
    ("selinuxfs", 0xf97c_ff8c),
    ("smackfs", 0x4341_5d53),
    ("apparmorfs", 0x5a3c_69f0),
    ("bpf", 0xcafe_4a11),
    ("configfs", 0x6265_6570),
    ("efivarfs", 0xde5e_81e4),
    ("pstore", 0x6165_676c),
    ("binfmt_misc", 0x4249_4e4d),
    ("fusectl", 0x6573_5543),
    ("nsfs", 0x6e73_6673),
    ("resctrl", 0x0765_5821),
    ("xenfs", 0xabba_1974),
    ("binderfs", 0x6c6f_6f70),
];

/// The name of the kernel's file system that `fd` lies on; none if it lies on any other.
pub(crate) fn kind(fd: impl AsFd) -> Result<Option<&'static str>, rustix::io::Errno> {
    // The type of the field differs between machines; the numbers have 32 bits.
    let number = fstatfs(fd)?.f_type as u32;
    Ok(KINDS.iter().find(|(_, kind)| *kind == number).map(|(name, _)| *name))
}

/// The names of the devices that are memory, as every `/dev` has them.
pub(super) const MEMORY: [&str; 3] = ["mem", "kmem", "port"];

/// Whether a file is the machine's memory, the kernel's, or its ports.
pub(super) fn is_memory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
        && major(stat.st_rdev) == 1
        && matches!(minor(stat.st_rdev), 1 | 2 | 4)
}

/// `EPERM`: on a file system of the kernel, or memory.
pub(super) fn require_ordinary(fd: impl AsFd) -> Result<(), Errno> {
    let fd = fd.as_fd();
    if kind(fd)?.is_some() || is_memory(&fstat(fd)?) { Err(Errno::Perm) } else { Ok(()) }
}
