//! precast's cache: a folder that keeps artifacts, so that a module is compiled once.
//!
//! This crate handles bytes and knows nothing of WebAssembly. The layout of the folder:
//!
//! ```text
//! modules/BUILD/KEY     an artifact and its trailer, by the compiler build that made it
//! functions/BUILD/NAME  a bundle: the code of a module's functions, for its next version
//! tmp/NAME              a file that is being written, locked by its writer
//! index                 the keys of files of the host; with a cache key, one index for each
//!                       user, named index-USER
//! ledger                the number of files in the folder and their total size
//! lock                  one byte for the folder and one for each key, locked while in use
//! CACHEDIR.TAG          tells backup programs to skip the folder
//! ```
//!
//! Invariants:
//!
//! - A file in `modules` or `functions` appears complete, by renaming, and is never changed. It may
//!   be unlinked at any time: a process that has it open or mapped keeps it.
//! - Nothing that was read is trusted before a check, the index included. [`Entry`] checks entries.
//!   A file that fails its check counts as absent.
//! - Locks belong to the kernel, which releases them when their process ends.
//! - The totals in the ledger are never below those of the folder.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod ancestors;
mod bounds;
mod cache;
mod default_path;
mod entry;
mod file_stamp;
mod flight;
mod folder;
mod functions;
mod index;
mod key;
mod known_path;
mod ledger;
mod lock;
mod maintain;
mod mark;
mod options;
mod publish;
mod stats;
mod trailer;

pub use cache::Cache;
pub use default_path::default_path;
pub use entry::{Damage, Entry};
pub use file_stamp::FileStamp;
pub use flight::Flight;
pub use folder::OpenError;
pub use functions::Functions;
pub use key::{Content, Fingerprint, Key};
pub use maintain::{Pruned, Usage, Verified};
pub use options::{Options, Verify};
pub use stats::Counts;
