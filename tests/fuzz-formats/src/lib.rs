//! What the fuzz targets do with their inputs.

#![forbid(unsafe_code)]

pub mod cache_index;
pub mod cache_trailer;
mod scratch;
