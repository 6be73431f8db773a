//! Fuzz targets for precast's readers: an input says how a valid file is forged, or which calls a
//! guest makes. With any result, a reader must neither panic nor access memory or files of others.

pub mod artifact;
pub mod bundle;
pub mod cache_index;
pub mod cache_trailer;
#[path = "../../../wasi/tests/common/mod.rs"]
mod common;
pub mod patch;
mod scratch;
pub mod wasi;
