//! Features: the proposals of WebAssembly that a module may use.

use bitflags::bitflags;
use std::fmt;
use std::str::FromStr;
use wasmparser::WasmFeatures;

bitflags! {
    /// A set of proposals of WebAssembly that modules may use.
    ///
    /// A proposal is a set of one; [`Features::WASM1`], [`Features::WASM2`] and
    /// [`Features::WASM3`] are what the versions of the specification contain. The default is
    /// [`Features::IMPLEMENTED`]. As text, a set is a list of names with commas between them, in which
    /// a minus sign takes away:
    ///
    /// ```
    /// use precast_compiler::Features;
    ///
    /// let features: Features = "wasm2,-simd".parse()?;
    /// assert_eq!(features, Features::WASM2 - Features::SIMD);
    /// assert!(features.contains(Features::BULK_MEMORY));
    /// assert_eq!("simd,multi-value".parse(), Ok(Features::SIMD | Features::MULTI_VALUE));
    /// # Ok::<(), precast_compiler::UnknownFeature>(())
    /// ```
    #[derive(Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Features: u32 {
        /// Import and export of mutable globals.
        const MUTABLE_GLOBAL = 1 << 0;
        /// Conversions of floats to integers that saturate instead of trapping.
        const SATURATING_FLOAT_TO_INT = 1 << 1;
        /// Operators that extend the sign of a part of an integer.
        const SIGN_EXTENSION = 1 << 2;
        /// Blocks and functions with several results; blocks with parameters.
        const MULTI_VALUE = 1 << 3;
        /// Copies and fills of memories and tables, and passive segments.
        const BULK_MEMORY = 1 << 4;
        /// References to functions and to values of the host, and several tables.
        const REFERENCE_TYPES = 1 << 5;
        /// Vectors of 128 bits.
        const SIMD = 1 << 6;
        /// Arithmetic in constant expressions.
        const EXTENDED_CONST = 1 << 7;
        /// Calls that reuse the frame of their caller.
        const TAIL_CALL = 1 << 8;
        /// References with the type of their function, and references that are never null.
        const FUNCTION_REFERENCES = 1 << 9;
        /// Structures and arrays that are collected.
        const GC = 1 << 10;
        /// Several memories.
        const MULTI_MEMORY = 1 << 11;
        /// Memories and tables with addresses of 64 bits.
        const MEMORY64 = 1 << 12;
        /// Exceptions with `try_table`.
        const EXCEPTIONS = 1 << 13;
        /// Vector operators whose result may differ between machines.
        const RELAXED_SIMD = 1 << 14;

        /// WebAssembly 1.0.
        const WASM1 = Self::MUTABLE_GLOBAL.bits();
        /// WebAssembly 2.0.
        const WASM2 = Self::WASM1.bits()
            | Self::SATURATING_FLOAT_TO_INT.bits()
            | Self::SIGN_EXTENSION.bits()
            | Self::MULTI_VALUE.bits()
            | Self::BULK_MEMORY.bits()
            | Self::REFERENCE_TYPES.bits()
            | Self::SIMD.bits();
        /// WebAssembly 3.0.
        const WASM3 = Self::WASM2.bits()
            | Self::EXTENDED_CONST.bits()
            | Self::TAIL_CALL.bits()
            | Self::FUNCTION_REFERENCES.bits()
            | Self::GC.bits()
            | Self::MULTI_MEMORY.bits()
            | Self::MEMORY64.bits()
            | Self::EXCEPTIONS.bits()
            | Self::RELAXED_SIMD.bits();
    }
}

/// The proposals that this compiler implements, as the validator knows them.
const IMPLEMENTED: &[(Features, WasmFeatures)] = &[
    (Features::MUTABLE_GLOBAL, WasmFeatures::MUTABLE_GLOBAL),
    (Features::SATURATING_FLOAT_TO_INT, WasmFeatures::SATURATING_FLOAT_TO_INT),
    (Features::SIGN_EXTENSION, WasmFeatures::SIGN_EXTENSION),
    (Features::MULTI_VALUE, WasmFeatures::MULTI_VALUE),
    (Features::BULK_MEMORY, WasmFeatures::BULK_MEMORY),
    (Features::REFERENCE_TYPES, WasmFeatures::REFERENCE_TYPES),
    (Features::SIMD, WasmFeatures::SIMD),
    (Features::EXTENDED_CONST, WasmFeatures::EXTENDED_CONST),
];

impl Features {
    /// The proposals that this version of precast implements. A module that uses another one is
    /// refused, whether the set has it or not.
    pub const IMPLEMENTED: Features = {
        let (mut all, mut i) = (Features::empty(), 0);
        while i < IMPLEMENTED.len() {
            all = all.union(IMPLEMENTED[i].0);
            i += 1;
        }
        all
    };

    /// The set as the validator takes it, without proposals that are not implemented.
    pub(crate) fn for_validator(self) -> WasmFeatures {
        let enabled = IMPLEMENTED.iter().filter(|(feature, _)| self.contains(*feature));
        enabled.fold(WasmFeatures::MVP, |all, (_, feature)| all | *feature)
    }
}

/// Whether this compiler implements the proposal that the validator misses.
pub(crate) fn is_implemented(missing: WasmFeatures) -> bool {
    IMPLEMENTED.iter().any(|(_, feature)| feature.contains(missing))
}

impl Default for Features {
    fn default() -> Self {
        Features::IMPLEMENTED
    }
}

/// A name that is neither a proposal nor a version of WebAssembly.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown feature `{0}`; known are wasm1, wasm2, wasm3 and {known}", known = Features::all())]
pub struct UnknownFeature(String);

impl FromStr for Features {
    type Err = UnknownFeature;

    fn from_str(text: &str) -> Result<Self, UnknownFeature> {
        let mut features = Features::empty();
        for item in text.split(',').map(str::trim) {
            let (name, enable) = item.strip_prefix('-').map_or((item, true), |name| (name, false));
            let constant = name.to_ascii_uppercase().replace('-', "_");
            let is_spelled = |_: &Features| to_text(&constant) == name;
            let found = Features::from_name(&constant).filter(is_spelled);
            features.set(found.ok_or_else(|| UnknownFeature(item.to_owned()))?, enable);
        }
        Ok(features)
    }
}

/// The names of the proposals, with commas between them.
impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, _)) in self.iter_names().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{}", to_text(name))?;
        }
        Ok(())
    }
}

/// The name of a constant in text.
fn to_text(constant: &str) -> String {
    constant.to_ascii_lowercase().replace('_', "-")
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Features({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_sets_are_the_same() {
        for features in [Features::WASM2, Features::all(), Features::SIMD | Features::GC] {
            assert_eq!(features.to_string().parse(), Ok(features));
        }
        assert_eq!("wasm1".parse(), Ok(Features::MUTABLE_GLOBAL));
        assert_eq!(Features::WASM1.to_string(), "mutable-global");
        assert_eq!("wasm3".parse(), Ok(Features::all()));
        assert_eq!("wasm3, -gc".parse(), Ok(Features::all() - Features::GC));
        assert_eq!(
            "wasm2,extended-const".parse(),
            Ok(Features::IMPLEMENTED),
            "the default is documented as this"
        );
    }

    #[test]
    fn other_names_are_refused() {
        for text in ["", "wasm9", "SIMD", "simd,", "--simd", "simd gc", "extended_const"] {
            let error = text.parse::<Features>().unwrap_err();
            assert!(error.to_string().contains("bulk-memory"), "{error}");
        }
    }
}
