//! libFuzzer's entry point of the target `artifact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| precast_fuzz_formats::artifact::run(data));
