//! libFuzzer's entry point of the target `wasi`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| precast_fuzz_formats::wasi::run(data));
