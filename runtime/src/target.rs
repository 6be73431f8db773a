//! The machines that code can be made for.

/// A machine to compile for. Its operating system is the one this process runs on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Target {
    /// This machine, with all that its CPU can do.
    #[default]
    Host,
    /// The second level of x86-64: SSE4.2 and POPCNT, CPUs since 2009; the least that precast runs
    /// on.
    X86_64V2,
    /// The third level: AVX2, BMI and FMA, CPUs since 2013.
    X86_64V3,
    /// The fourth level: AVX-512.
    X86_64V4,
    /// Every 64-bit ARM CPU.
    Aarch64,
}

impl Target {
    pub(crate) fn for_compiler(self) -> precast_compiler::Target {
        const V3: [&str; 6] =
            ["has_avx", "has_avx2", "has_bmi1", "has_bmi2", "has_fma", "has_lzcnt"];
        const V4: [&str; 3] = ["has_avx512f", "has_avx512dq", "has_avx512vl"];
        let x86 = |enable: &[&[&str]]| named("x86_64", &enable.concat());
        match self {
            Target::Host => precast_compiler::Target::Host,
            Target::X86_64V2 => x86(&[]),
            Target::X86_64V3 => x86(&[&V3]),
            Target::X86_64V4 => x86(&[&V3, &V4]),
            Target::Aarch64 => named("aarch64", &[]),
        }
    }
}

fn named(architecture: &str, enable: &[&str]) -> precast_compiler::Target {
    let mut triple = target_lexicon::Triple::host();
    triple.architecture = architecture.parse().expect("a known architecture");
    let enable = enable.iter().map(|&name| name.to_owned()).collect();
    precast_compiler::Target::Named { triple, enable }
}
