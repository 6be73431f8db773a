//! The machine code is made for, and how the code generator is set up for it.

use crate::error::{CompileError, ErrorKind};
use crate::settings::Settings;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self as flags, Configurable};
use precast_abi::artifact::{HEADER_SIZE, Identity};
use target_lexicon::{Architecture, Triple};

/// A machine to compile for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Target {
    /// This machine, with all that its CPU can do.
    #[default]
    Host,
    /// A machine with the listed CPU features, as the code generator names them, and the
    /// architecture's floor.
    Named {
        /// The target triple.
        triple: Triple,
        /// Settings of the instruction set to enable, such as `has_avx`.
        enable: Vec<String>,
    },
}

/// The code generator's x86-64 settings every target has: x86-64-v2. With them no instruction of
/// WebAssembly 2.0 needs a library function.
const X86_64_FLOOR: &[&str] =
    &["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

impl Target {
    fn triple(&self) -> Triple {
        match self {
            Target::Host => Triple::host(),
            Target::Named { triple, .. } => triple.clone(),
        }
    }

    fn builder(&self) -> Result<isa::Builder, String> {
        match self {
            Target::Host => cranelift_native::builder().map_err(String::from),
            Target::Named { triple, enable } => {
                let mut builder = isa::lookup(triple.clone()).map_err(|e| e.to_string())?;
                let x86 = triple.architecture == Architecture::X86_64;
                let floor = if x86 { X86_64_FLOOR } else { &[] };
                for name in floor.iter().copied().chain(enable.iter().map(String::as_str)) {
                    builder.enable(name).map_err(|e| e.to_string())?;
                }
                Ok(builder)
            }
        }
    }
}

/// The largest page size of a target: what mapped sections are aligned to.
pub(crate) fn page_size(isa: &dyn TargetIsa) -> usize {
    match isa.triple().architecture {
        Architecture::Aarch64(_) => 64 << 10,
        _ => HEADER_SIZE,
    }
}

/// Sets up the code generator.
///
/// # Errors
///
/// When it cannot make code for the target.
pub fn isa(settings: &Settings) -> Result<OwnedTargetIsa, CompileError> {
    let mut shared = flags::builder();
    for (name, value) in [
        ("opt_level", if settings.optimize { "speed" } else { "none" }),
        ("regalloc_algorithm", "backtracking"),
        ("enable_verifier", if settings.verify { "true" } else { "false" }),
        ("is_pic", "false"),
        ("unwind_info", "false"),
        ("preserve_frame_pointers", "true"),
        ("enable_alias_analysis", "true"),
        ("machine_code_cfg_info", "false"),
        // The guard page is found by touching every page of a large frame.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("probestack_size_log2", "12"),
        ("enable_nan_canonicalization", "false"),
        // Results that do not fit registers go through memory.
        ("enable_multi_ret_implicit_sret", "true"),
    ] {
        shared.set(name, value).map_err(CompileError::internal)?;
    }
    let unsupported = |what: String| CompileError::new(ErrorKind::Unsupported, 0, what);
    let builder = settings.target.builder().map_err(unsupported)?;
    let isa = builder.finish(flags::Flags::new(shared)).map_err(CompileError::internal)?;
    if isa.triple().architecture == Architecture::X86_64 {
        let has = |name: &&str| {
            isa.isa_flags().iter().any(|f| f.name == *name && f.as_bool() == Some(true))
        };
        if let Some(missing) = X86_64_FLOOR.iter().find(|&name| !has(name)) {
            return Err(unsupported(format!("this CPU lacks {missing}, which precast needs")));
        }
    }
    Ok(isa)
}

/// The CPU features code may use, separated by commas, with the names of
/// [`std::is_x86_feature_detected`].
pub(crate) fn features(isa: &dyn TargetIsa) -> String {
    let mut names: Vec<String> = Vec::new();
    for flag in isa.isa_flags() {
        if let (Some(true), Some(name)) = (flag.as_bool(), flag.name.strip_prefix("has_")) {
            names.push(match name {
                "sse41" => "sse4.1".into(),
                "sse42" => "sse4.2".into(),
                "avx_vnni" => "avxvnni".into(),
                name => name.into(),
            });
        }
    }
    names.sort();
    names.join(",")
}

/// The CPU features that code for this machine may use, separated by commas.
pub fn host_features() -> String {
    isa(&Settings::default()).map(|isa| features(&*isa)).unwrap_or_default()
}

/// What an artifact made with these settings says about its origin.
pub fn identity(settings: &Settings) -> Identity {
    let triple = settings.target.triple();
    Identity::for_target(&format!("{}-{}", triple.architecture, triple.operating_system))
}
