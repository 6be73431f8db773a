//! Fuzzing of what precast reads: whatever an input says, it must neither panic nor reach what is not
//! its own.

#[path = "../../../wasi/tests/common/mod.rs"]
mod common;
pub mod wasi;
