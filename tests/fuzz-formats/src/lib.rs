//! Fuzzing of what precast reads: an input says how something good is forged, or what a guest calls.
//! What reads it must neither panic nor touch what is not its own, whatever it answers.

pub mod artifact;
pub mod bundle;
pub mod cache_index;
pub mod cache_trailer;
#[path = "../../../wasi/tests/common/mod.rs"]
mod common;
pub mod patch;
mod scratch;
pub mod wasi;
