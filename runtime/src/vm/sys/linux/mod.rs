//! Linux: signals, stacks, pages and files.

mod files;
mod fork;
mod limits;
mod page_map;
mod pages;
mod signals;
mod stack;

pub(in crate::vm) use files::anonymous_file;
#[cfg(feature = "cache")]
pub(in crate::vm) use files::is_exposed;
#[cfg(feature = "cache")]
pub(crate) use files::is_unwritten;
pub(in crate::vm) use fork::around_forks;
pub(in crate::vm) use limits::name_limit;
pub(crate) use limits::refuses_reservations;
pub(in crate::vm) use page_map::{PageRange, dirty_pages};
#[cfg(feature = "async")]
pub(in crate::vm) use pages::prefer_small_pages;
#[cfg(test)]
pub(in crate::vm) use pages::resident_bytes;
pub(in crate::vm) use pages::{
    address_space, drop_pages, make_accessible, make_inaccessible, map_file, map_wiped_on_fork,
    map_zeros, map_zeros_at, page_size, remap, reserve, reserve_apart, resident, unmap, unmap_end,
};
pub(in crate::vm) use signals::{
    StoppedThread, admit_interrupts, barrier_on_all_threads, install_handlers,
    install_interrupt_handler, interrupt_thread, thread_id,
};
pub(in crate::vm) use stack::{SigAltStack, thread_stack};
