//! Descriptors: the table of a guest's descriptors, and what is behind them.

pub(crate) mod host_io;
pub(crate) mod offset;
pub(crate) mod rights;
pub(crate) mod stream;
pub(crate) mod table;
pub(crate) mod unclassified;
pub(crate) mod virtual_directory;
pub(crate) mod virtual_file;
