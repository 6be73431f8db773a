//! precast's cache: a folder of artifacts that are mapped again instead of compiled again.
//!
//! This crate knows bytes, not WebAssembly. A folder is
//!
//! ```text
//! modules/BUILD/KEY     an artifact and its trailer, by the build that made it
//! functions/BUILD/NAME  the code of a module's functions, for its next version
//! tmp/NAME              a file that is being written; locked by who writes it
//! index                 which files of the host are known to hold which modules; with a key, one
//!                       for each user, index-USER
//! ledger                how much the folder holds
//! lock                  a byte for the folder and one for each key, locked by who works on it
//! CACHEDIR.TAG          tells backup programs to leave the folder out
//! ```
//!
//! Invariants:
//!
//! - A file in `modules` or `functions` appears whole, by renaming, and is never changed. It may
//!   be unlinked at any time: whoever has it open or mapped keeps it.
//! - Nothing that was read is trusted before [`Entry`] has checked it, the index included. What
//!   does not pass is treated as absent.
//! - Locks are the kernel's and go with the process that holds them.
//! - The ledger never says less than the folder holds.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bounds;
mod cache;
mod entry;
mod flight;
mod folder;
mod functions;
mod identity;
mod index;
mod key;
mod ledger;
mod lock;
mod maintain;
mod options;
mod place;
mod publish;
mod stats;
mod trailer;
mod way;

pub use cache::Cache;
pub use entry::{Damage, Entry};
pub use flight::Flight;
pub use folder::OpenError;
pub use functions::Functions;
pub use identity::FileIdentity;
pub use key::{Content, Fingerprint, Key};
pub use maintain::{Pruned, Usage, Verified};
pub use options::{Options, Verify};
pub use place::default_path;
pub use stats::Counts;
