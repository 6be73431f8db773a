//! Pseudo file systems: interfaces of the kernel such as `/proc` and `/sys`.
//!
//! Their files are handles on the host: `/proc/self/mem` is the memory of this process,
//! `/proc/self/fd` its descriptors, and `/proc/PID/root` leads out of every directory. A pseudo
//! file system is therefore never granted and never reached from a granted directory: not below
//! `/`, not through a symbolic link, not at a second mount point.
//!
//! Devices that are the machine's memory are refused too, in the granted directory itself and where
//! a path crosses a mount point. Other devices can be used if their directory is granted.
//!
//! A resolution that crosses no mount point stays on the file system of its root, which was checked
//! when it was granted. A resolution that crosses one is checked at its end: see [`super::kernel`].

use std::os::fd::AsFd;

use rustix::fs::{FileType, Stat, fstat, fstatfs, major, minor};

use crate::errno::Errno;

/// The names of the pseudo file systems and their numbers in `<linux/magic.h>`.
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

/// The name of the pseudo file system of `fd`; `None` if the file system is an ordinary one.
pub(crate) fn kind(fd: impl AsFd) -> Result<Option<&'static str>, rustix::io::Errno> {
    // The type of the field differs between machines; the numbers have 32 bits.
    let number = fstatfs(fd)?.f_type as u32;
    Ok(KINDS.iter().find(|(_, kind)| *kind == number).map(|(name, _)| *name))
}

/// The names of the memory devices in `/dev`.
pub(super) const MEMORY: [&str; 3] = ["mem", "kmem", "port"];

/// Whether a file is the memory of the machine or the kernel, or the I/O ports.
pub(super) fn is_memory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice
        && major(stat.st_rdev) == 1
        && matches!(minor(stat.st_rdev), 1 | 2 | 4)
}

/// `EPERM` if the file is on a pseudo file system or is a memory device.
pub(super) fn require_ordinary(fd: impl AsFd) -> Result<(), Errno> {
    let fd = fd.as_fd();
    if kind(fd)?.is_some() || is_memory(&fstat(fd)?) { Err(Errno::Perm) } else { Ok(()) }
}
