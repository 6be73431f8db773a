//! Guest memory and the records in it: pointers, buffers, paths and the layouts of
//! `typenames.witx`.

mod iovec;
pub(crate) mod layout;
mod memory;
mod path;

pub(crate) use iovec::{GatherWrite, ScatterRead};
pub(crate) use memory::Memory;
pub(crate) use path::{GuestPath, MAX_PATH_LEN};
