//! The type of a function, and its digest.

use super::ValType;
use blake3::Hasher;
use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use core::fmt;
use std::sync::LazyLock;

/// The type of a function.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct FuncType {
    values: Box<[ValType]>,
    params: usize,
}

impl FuncType {
    /// A function type from its parameters and results.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Self {
        let mut values: Vec<ValType> = params.into_iter().collect();
        let params = values.len();
        values.extend(results);
        FuncType { values: values.into(), params }
    }

    /// The types of the parameters.
    pub fn params(&self) -> &[ValType] {
        &self.values[..self.params]
    }

    /// The types of the results.
    pub fn results(&self) -> &[ValType] {
        &self.values[self.params..]
    }

    /// A function type from its value types as bytes of the binary format, parameters first; none if
    /// a byte is not a value type, or if there are fewer values than parameters.
    pub fn from_raw(params: usize, values: &[u8]) -> Option<Self> {
        let values: Box<[ValType]> =
            values.iter().map(|&v| ValType::from_raw(v)).collect::<Option<_>>()?;
        (params <= values.len()).then_some(FuncType { values, params })
    }

    /// Whether [`FuncType::from_raw`] gives this type for the same arguments.
    pub fn is_raw(&self, params: usize, values: &[u8]) -> bool {
        self.params == params && self.values.iter().map(|&v| v as u8).eq(values.iter().copied())
    }

    /// The digest of the type: the first word of the BLAKE3 hash of its binary format. It is not
    /// zero, which marks null table entries.
    ///
    /// `call_indirect` compares digests. An attacker cannot find a type with the digest of a given
    /// type, but can find two types that share a digest, which would break type safety. Therefore
    /// the loader compares the types of an artifact by structure with those that the process uses,
    /// and refuses the second.
    pub fn digest(&self) -> u64 {
        let mut bytes = Vec::with_capacity(self.values.len() + 8);
        bytes.push(FUNC);
        for values in [self.params(), self.results()] {
            length(&mut bytes, values.len());
            bytes.extend(values.iter().map(|&v| v as u8));
        }
        let mut hasher = Hasher::new_from_context_key(&DIGEST_KEY);
        let hash = hasher.update(&bytes).finalize();
        let word = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
        // A digest of zero becomes one, so a preimage of one costs half as much as another.
        u64::from_le_bytes(*word).max(1)
    }
}

/// The first byte of a function type in the binary format.
const FUNC: u8 = 0x60;

/// Separates digests of types from every other use of BLAKE3, and from digests of another encoding.
/// It is part of the tunables that artifacts must agree on, and decides their bytes.
pub(crate) const DIGEST_CONTEXT: &str = "precast 2026-11-24 identity of a type";

static DIGEST_KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(DIGEST_CONTEXT));

/// Appends a length in the binary format (LEB128).
fn length(bytes: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.params())?;
        f.write_str(" -> ")?;
        list(f, self.results())
    }
}

fn list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (i, t) in types.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{t}")?;
    }
    f.write_str(")")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ValType::*;

    #[test]
    fn a_digest_is_of_the_binary_format() {
        let long = FuncType::new(vec![I32; 200], [I64]);
        let mut encoded = vec![0x60, 0xc8, 0x01];
        encoded.extend([0x7f; 200]);
        encoded.extend([0x01, 0x7e]);
        for (ty, encoded) in [
            (FuncType::default(), vec![0x60, 0, 0]),
            (FuncType::new([I32, F64], [FuncRef]), vec![0x60, 2, 0x7f, 0x7c, 1, 0x70]),
            (long, encoded),
        ] {
            let hash = blake3::derive_key(DIGEST_CONTEXT, &encoded);
            assert_eq!(ty.digest().to_le_bytes(), hash[..8], "{ty}");
        }
    }

    #[test]
    fn digests_use_all_bits() {
        let digests = (0..100).map(|n| FuncType::new(vec![I32; n], []).digest());
        let low: u64 = digests.map(|digest| digest & 1).sum();
        assert!((20..80).contains(&low), "{low} of 100 are odd");
    }

    #[test]
    fn a_raw_type_round_trips() {
        let ty = FuncType::new([I32, F64], [FuncRef]);
        assert_eq!(FuncType::from_raw(2, &[0x7f, 0x7c, 0x70]), Some(ty.clone()));
        assert!(ty.is_raw(2, &[0x7f, 0x7c, 0x70]));
        assert!(!ty.is_raw(1, &[0x7f, 0x7c, 0x70]));
        assert!(!ty.is_raw(2, &[0x7f, 0x7c]));
        assert_eq!(FuncType::from_raw(4, &[0x7f, 0x7c, 0x70]), None);
        assert_eq!(FuncType::from_raw(1, &[0x40]), None);
    }
}
