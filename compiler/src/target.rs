//! Targets: the machine that code is compiled for, and the settings of the code generator for it.

use crate::error::{CompileError, ErrorKind};
use crate::settings::Settings;
use crate::types::clif_type;
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self as flags, Configurable};
use precast_abi::artifact::{HEADER_SIZE, Producer};
use precast_abi::types::{FuncType, ValType};
use precast_abi::vmctx::FuncSlot;
use std::str::FromStr;
use target_lexicon::{Architecture, Triple};

/// A machine to compile for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Target {
    /// This machine, with all features of its CPU.
    #[default]
    Host,
    /// A machine with the architecture's minimum features and the listed ones.
    Named {
        /// The target triple.
        triple: Triple,
        /// Settings of the code generator to enable, such as `has_avx`.
        enable: Vec<String>,
    },
}

/// The settings of the code generator that every x86-64 target has: x86-64-v2. With them no
/// operator of WebAssembly 2.0 needs a library function.
const X86_64_FLOOR: &[&str] =
    &["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

/// The levels of the x86-64 psABI from the minimum on, and the settings that each adds.
const X86_64_LEVELS: &[(&str, &[&str])] = &[
    ("x86-64-v2", &[]),
    ("x86-64-v3", &["has_avx", "has_avx2", "has_bmi1", "has_bmi2", "has_fma", "has_lzcnt"]),
    ("x86-64-v4", &["has_avx512f", "has_avx512dq", "has_avx512vl"]),
];

/// CPU features whose usual name differs from the setting: setting without `has_`, name.
const FEATURE_NAMES: &[(&str, &str)] =
    &[("sse41", "sse4.1"), ("sse42", "sse4.2"), ("avx_vnni", "avxvnni")];

/// Settings for CPU features that have no effect on code.
const WITHOUT_EFFECT: &[&str] = &["has_pauth"];

/// A text is not the name of a target.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TargetError {
    /// The architecture is not supported.
    #[error("no such target: '{0}'; there are x86_64 and aarch64")]
    Architecture(String),
    /// The architecture has no such feature.
    #[error("{0} has no CPU feature '{1}' that precast knows")]
    Feature(String, String),
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads `host`, or the name of an architecture, `x86_64` or `aarch64`, or of a level of
    /// x86-64, `x86-64-v2` to `x86-64-v4`, followed by further CPU features that code may use:
    /// `aarch64+lse+fp16`, `x86_64+avx+avx2`.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text == "host" {
            return Ok(Target::Host);
        }
        let mut words = text.split('+');
        let unknown = || TargetError::Architecture(text.into());
        let name = words.next().unwrap_or_default();
        let level = X86_64_LEVELS.iter().position(|(level, _)| *level == name);
        let levels = level.map_or(&[][..], |level| &X86_64_LEVELS[..=level]);
        let triple = match name {
            "x86_64" | "x86_64-linux" => "x86_64-unknown-linux-gnu",
            "aarch64" | "aarch64-linux" => "aarch64-unknown-linux-gnu",
            _ if level.is_some() => "x86_64-unknown-linux-gnu",
            _ => return Err(unknown()),
        };
        let triple: Triple = triple.parse().map_err(|_| unknown())?;
        let mut known = isa::lookup(triple.clone()).map_err(|_| unknown())?;
        let of_level = levels.iter().flat_map(|(_, enable)| *enable);
        let mut enable: Vec<String> = of_level.map(|&setting| setting.to_owned()).collect();
        for word in words {
            let own = FEATURE_NAMES.iter().find(|(_, name)| *name == word);
            let setting = format!("has_{}", own.map_or(word, |(setting, _)| setting));
            let architecture = triple.architecture.to_string();
            known.enable(&setting).map_err(|_| TargetError::Feature(architecture, word.into()))?;
            enable.push(setting);
        }
        Ok(Target::Named { triple, enable })
    }
}

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

/// The largest page size of a target, to which mapped sections are aligned.
pub(crate) fn page_size(isa: &dyn TargetIsa) -> usize {
    match isa.triple().architecture {
        Architecture::Aarch64(_) => 64 << 10,
        _ => HEADER_SIZE,
    }
}

/// The widest store, in bytes, that writes nothing if it faults. AArch64 stores a vector as two
/// halves, so the first may be written before the second faults. The architecture also permits that
/// for narrower unaligned stores (Arm ARM, B2.2.1), but no machine is known to do it.
pub(crate) fn widest_whole_store(isa: &dyn TargetIsa) -> u32 {
    match isa.triple().architecture {
        Architecture::Aarch64(_) => 8,
        _ => 16,
    }
}

/// The code of a forwarder, which is called with the importer's context and jumps to the imported
/// function with that function's context. `slot` is the offset of its [`FuncSlot`]. Arguments stay
/// in place, so the code has the same length for all types.
pub(crate) fn forwarder(isa: &dyn TargetIsa, ty: &FuncType, slot: i32) -> Vec<u8> {
    match isa.triple().architecture {
        Architecture::Aarch64(_) => {
            let (lo, hi) = (slot as u32 & 0xffff, slot as u32 >> 16);
            let field = |at: i32| (at as u32 / 8) << 10;
            let words = [
                0x5280_0010 | lo << 5,               // mov  w16, #lo
                0x72a0_0010 | hi << 5,               // movk w16, #hi, lsl 16
                0x8b30_c050,                         // add  x16, x2, w16, sxtw
                0xf940_0211 | field(FuncSlot::CODE), // ldr  x17, [x16, #CODE]
                0xf940_0202 | field(FuncSlot::CTX),  // ldr  x2, [x16, #CTX]
                0xd61f_0220,                         // br   x17
            ];
            words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
        }
        _ => {
            let [code, context] = match results_in_memory(ty) {
                true => [0x86, 0xb6],
                false => [0x87, 0xbf],
            };
            let mut bytes = vec![0x48, 0x8b, code]; // mov rax, [context + CODE]
            bytes.extend((slot + FuncSlot::CODE).to_le_bytes());
            bytes.extend([0x48, 0x8b, context]); // mov context, [context + CTX]
            bytes.extend((slot + FuncSlot::CTX).to_le_bytes());
            bytes.extend([0xff, 0xe0]); // jmp rax
            bytes
        }
    }
}

/// Whether x86-64 code in the `tail` convention is passed the address of some results in `rdi` and
/// therefore its context in `rsi`: more than eight results of a class do not fit in registers.
fn results_in_memory(ty: &FuncType) -> bool {
    let is_integer = |ty: &&ValType| clif_type(**ty).is_int();
    let integers = ty.results().iter().filter(is_integer).count();
    integers > 8 || ty.results().len() - integers > 8
}

/// The instruction `word` at text offset `at` with its relocation resolved; `None` if the distance
/// does not fit or the kind is unknown.
pub(crate) fn relocate(word: u32, at: i64, kind: Reloc, target: i64) -> Option<u32> {
    Some(match kind {
        Reloc::X86PCRel4 | Reloc::X86CallPCRel4 => i32::try_from(target - at).ok()? as u32,
        Reloc::Aarch64AdrPrelPgHi21 => {
            let pages = i32::try_from((target >> 12) - (at >> 12)).ok()?;
            let fits = (-(1 << 20)..1 << 20).contains(&pages);
            let pages = fits.then_some(pages as u32 & 0x1f_ffff)?;
            word | (pages & 3) << 29 | (pages >> 2) << 5
        }
        Reloc::Aarch64AddAbsLo12Nc => word | (target as u32 & 0xfff) << 10,
        _ => return None,
    })
}

/// Sets up the code generator.
///
/// # Errors
///
/// If it cannot generate code for the target.
pub fn isa(settings: &Settings) -> Result<OwnedTargetIsa, CompileError> {
    let mut shared = flags::builder();
    let guards = if settings.spectre_guards { "true" } else { "false" };
    for (name, value) in [
        ("opt_level", if settings.optimize { "speed" } else { "none" }),
        ("regalloc_algorithm", "backtracking"),
        ("enable_verifier", if settings.verify { "true" } else { "false" }),
        ("is_pic", "false"),
        ("unwind_info", "false"),
        ("preserve_frame_pointers", "true"),
        ("enable_alias_analysis", "true"),
        ("machine_code_cfg_info", "false"),
        // A large frame touches each of its pages, so it hits the guard page.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        ("probestack_size_log2", "12"),
        ("enable_nan_canonicalization", "false"),
        // Results that do not fit in registers are returned in memory.
        ("enable_multi_ret_implicit_sret", "true"),
        ("enable_heap_access_spectre_mitigation", guards),
        ("enable_table_access_spectre_mitigation", guards),
    ] {
        shared.set(name, value).map_err(CompileError::internal)?;
    }
    let unsupported = |what: String| CompileError::new(ErrorKind::Unsupported, 0, what);
    let mut builder = settings.target.builder().map_err(unsupported)?;
    let aarch64 = matches!(builder.triple().architecture, Architecture::Aarch64(_));
    if settings.spectre_guards && aarch64 {
        // A conditional select is no guard if the CPU predicts its condition. The barrier after it
        // forbids that, and does nothing on other CPUs.
        builder.enable("use_csdb").map_err(CompileError::internal)?;
    }
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

/// The CPU features that code may use, separated by commas, with the names of
/// [`std::is_x86_feature_detected`], and on aarch64 those of the code generator.
pub(crate) fn features(isa: &dyn TargetIsa) -> String {
    let mut names: Vec<String> = Vec::new();
    for flag in isa.isa_flags().iter().filter(|flag| !WITHOUT_EFFECT.contains(&flag.name)) {
        if let (Some(true), Some(setting)) = (flag.as_bool(), flag.name.strip_prefix("has_")) {
            let own = FEATURE_NAMES.iter().find(|(known, _)| *known == setting);
            names.push(own.map_or(setting, |(_, name)| name).into());
        }
    }
    names.sort();
    names.join(",")
}

/// The CPU features that code for this machine may use, separated by commas.
pub fn host_features() -> String {
    isa(&Settings::default()).map(|isa| features(&*isa)).unwrap_or_default()
}

/// The producer in the header of artifacts that are compiled with these settings.
pub fn producer(settings: &Settings) -> Producer {
    let triple = settings.target.triple();
    Producer::for_target(&format!("{}-{}", triple.architecture, triple.operating_system))
}
