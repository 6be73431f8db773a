//! Fuzzing of what precast reads from files: an input says how something good is forged, and what
//! reads it must neither panic nor touch memory that is not its own, whatever it answers.

pub mod artifact;
pub mod bundle;
pub mod patch;
