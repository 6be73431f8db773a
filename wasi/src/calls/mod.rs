//! The functions of WASI, one file for each group of the specification.

pub(crate) mod args;
pub(crate) mod clock;
pub(crate) mod dirs;
pub(crate) mod fd_io;
pub(crate) mod fd_meta;
pub(crate) mod path;
pub(crate) mod path_open;
pub(crate) mod poll;
pub(crate) mod preview0;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod sched;
pub(crate) mod sock;
