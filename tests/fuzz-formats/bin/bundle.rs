//! libFuzzer's entry point of the target `bundle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| precast_fuzz_formats::bundle::run(data));
