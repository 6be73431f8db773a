//! Descriptors: the table of a guest's descriptors, and the files, directories, sockets and streams
//! behind them.

mod captured;
mod descriptor;
mod dirents;
mod fdflags;
mod host_directory;
mod host_file;
mod host_io;
mod offset;
mod open_request;
mod rights;
mod socket;
mod stdio;
mod stream;
mod table;
mod table_entry;
mod timestamps;
mod unclassified;
mod virtual_directory;
mod virtual_file;

pub use captured::Captured;
pub use stdio::{Input, Output};

pub(crate) use descriptor::{Descriptor, DirectoryRef, FileOrStream, Object, Seekable};
pub(crate) use dirents::Dirents;
pub(crate) use fdflags::{guest_flags, host_flags};
pub(crate) use host_directory::HostDirectory;
pub(crate) use host_file::{HostFd, HostFile, filetype};
pub(crate) use host_io::{Positioned, Sequential, read_next, write_next};
pub(crate) use open_request::OpenRequest;
pub(crate) use rights::Rights;
pub(crate) use stream::Stream;
pub(crate) use table::FdTable;
pub(crate) use timestamps::NewTimestamps;
pub(crate) use virtual_directory::{VirtualDirectory, link, rename};

#[cfg(test)]
pub(crate) use {offset::Offset, stdio::OutputKind};
