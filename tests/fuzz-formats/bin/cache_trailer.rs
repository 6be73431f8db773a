//! libFuzzer's entry point of the target `cache_trailer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| precast_fuzz_formats::cache_trailer::run(input));
