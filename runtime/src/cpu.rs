//! What this machine's CPU can do.

macro_rules! detect {
    ($detect:ident: $($name:tt)*) => {
        /// Every feature that can be told apart.
        #[cfg(feature = "cache")]
        const NAMES: &[&str] = &[$($name),*];

        fn detect(name: &str) -> bool {
            match name {
                $($name => std::arch::$detect!($name),)*
                _ => false,
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
detect!(is_x86_feature_detected:
    "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "bmi1" "bmi2" "lzcnt" "fma"
    "avx512bitalg" "avx512dq" "avx512vl" "avx512vbmi" "avx512f" "avx512vnni" "avxvnni");

#[cfg(target_arch = "aarch64")]
detect!(is_aarch64_feature_detected: "lse" "paca" "fp16" "dotprod");

/// Whether the CPU has a feature, by the name artifacts use.
pub(crate) fn has(name: &str) -> bool {
    match name {
        // Every x86-64 CPU since 2006; the standard library does not tell it apart.
        "cmpxchg16b" => cfg!(target_arch = "x86_64"),
        name => detect(name),
    }
}

/// What the CPU can do, by the names artifacts use.
#[cfg(feature = "cache")]
pub(crate) fn features() -> String {
    let names: Vec<&str> = NAMES.iter().copied().filter(|name| detect(name)).collect();
    names.join(",")
}
