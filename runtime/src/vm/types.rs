//! The registry of types: all types of the process, each once, for as long as it has an owner.
//!
//! Machine code compares types by [`FuncType::digest`]. The registry compares the types that are
//! loaded by structure as well, so that equal digests mean equal types within the process: of two
//! types that an attacker made to have one digest, the second is refused.
//!
//! Owners of an entry are modules, which own all their types at once, and host functions. The last
//! owner removes the entry. An entry is a function type today. A recursive group is going to be one
//! entry of several types: its digests are the words of one hash, and it owns the types outside the
//! group that it refers to.

use precast_abi::artifact::RawType;
use precast_abi::types::FuncType;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

/// A type with its digest and its thunks.
#[derive(Debug)]
pub(crate) struct Interned {
    pub(crate) ty: FuncType,
    pub(crate) digest: u64,
    #[cfg(feature = "compiler")]
    pub(super) thunks: super::code::jit::Thunks,
}

/// The address of a type: two types are the same exactly if their addresses are.
///
/// Invariant **types**: it is followed only while an owner of the type lives. Modules and host
/// modules own the types they give out, and a store keeps both until it is cleared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TypeRef(NonNull<Interned>);

// SAFETY: its target may be shared between threads, and changes only behind locks.
unsafe impl Send for TypeRef {}
// SAFETY: as above.
unsafe impl Sync for TypeRef {}

impl Deref for TypeRef {
    type Target = Interned;

    fn deref(&self) -> &Interned {
        // SAFETY: invariant **types**.
        unsafe { self.0.as_ref() }
    }
}

/// The reason why a type is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Another type that is in use has the same digest.
    Collision,
    /// The digest is not that of the type.
    Digest,
}

/// Types in use. Dropping it ends their use.
#[derive(Debug)]
pub(crate) struct OwnedTypes {
    types: Vec<Arc<Interned>>,
    registry: &'static Registry,
}

impl OwnedTypes {
    /// The type at `index`.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub(crate) fn get(&self, index: u32) -> TypeRef {
        TypeRef(NonNull::from(&*self.types[index as usize]))
    }
}

impl Drop for OwnedTypes {
    fn drop(&mut self) {
        while !self.types.is_empty() {
            let mut unused = Vec::new();
            let mut all = self.registry.lock();
            let batch = self.types.len().saturating_sub(BATCH);
            for ty in self.types.drain(batch..) {
                // Owners are added and dropped under the lock alone, so the count is exact.
                if Arc::strong_count(&ty) == 2 {
                    unused.extend(all.remove(&ty.digest));
                }
            }
            if all.capacity() > 4 * all.len() + BATCH {
                let room = 2 * all.len();
                all.shrink_to(room);
            }
            drop(all);
            // Freeing thunks takes system calls, so it happens without the lock.
            drop(unused);
        }
    }
}

/// Types that are looked up or removed while the lock is held once.
const BATCH: usize = 1024;

/// Types by their digests.
#[derive(Debug)]
pub(crate) struct Registry {
    /// The map's reference to a type counts as one owner.
    all: Mutex<HashMap<u64, Arc<Interned>, Words>>,
    digest: fn(&FuncType) -> u64,
}

/// Hashes words with random keys. Without the keys nobody can tell which words collide, so a module
/// may choose the words.
#[derive(Clone, Debug)]
struct Words {
    add: u64,
    multiply: u64,
}

impl Default for Words {
    fn default() -> Self {
        let random = RandomState::new();
        Words { add: random.hash_one(0), multiply: random.hash_one(1) | 1 }
    }
}

impl BuildHasher for Words {
    type Hasher = WordHasher;

    fn build_hasher(&self) -> WordHasher {
        WordHasher { keys: self.clone(), word: 0 }
    }
}

struct WordHasher {
    keys: Words,
    word: u64,
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, word: u64) {
        let factor = self.word ^ word ^ self.keys.add;
        let product = u128::from(factor) * u128::from(self.keys.multiply);
        self.word = product as u64 ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.word
    }
}

static ALL: LazyLock<Registry> = LazyLock::new(|| Registry::new(FuncType::digest));

/// Takes an artifact's types into use, with the digests that the artifact gives: its code compares
/// those. A type whose digest another type in use has is refused.
///
/// # Errors
///
/// The reason why one of them is refused.
pub(crate) fn intern_all<'a>(
    types: impl ExactSizeIterator<Item = RawType<'a>>,
) -> Result<OwnedTypes, Refused> {
    ALL.intern_all(types)
}

/// Takes one type into use.
///
/// # Errors
///
/// [`Refused::Collision`].
pub(crate) fn intern(ty: &FuncType) -> Result<OwnedTypes, Refused> {
    ALL.intern(ty)
}

/// The message for a host function whose type is refused.
pub(crate) fn collision(ty: &FuncType) -> String {
    format!("a type in use was made to have the digest of {ty}")
}

impl Registry {
    /// An empty registry, with the function that computes digests.
    fn new(digest: fn(&FuncType) -> u64) -> Self {
        Registry { all: Mutex::default(), digest }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Interned>, Words>> {
        self.all.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn intern_all<'a>(
        &'static self,
        mut types: impl ExactSizeIterator<Item = RawType<'a>>,
    ) -> Result<OwnedTypes, Refused> {
        let len = types.len();
        // When a type is refused, the lock is released before `owned` is dropped, which takes it.
        let mut owned = OwnedTypes { types: Vec::with_capacity(len), registry: self };
        while owned.types.len() < len {
            let mut all = self.lock();
            for raw in types.by_ref().take(BATCH) {
                let ty = match all.entry(raw.digest) {
                    Entry::Occupied(known) if known.get().ty.is_raw(raw.params, raw.values) => {
                        known.get().clone()
                    }
                    Entry::Occupied(_) => return Err(self.refused(&raw)),
                    Entry::Vacant(place) => {
                        let ty = FuncType::from_raw(raw.params, raw.values);
                        let ty = ty.ok_or(Refused::Digest)?;
                        place.insert(Interned::new(ty, raw.digest)).clone()
                    }
                };
                owned.types.push(ty);
            }
        }
        Ok(owned)
    }

    /// The reason why a type is refused whose digest another type has.
    #[cold]
    fn refused(&self, raw: &RawType<'_>) -> Refused {
        let ty = FuncType::from_raw(raw.params, raw.values);
        let is_its_own = ty.is_some_and(|ty| (self.digest)(&ty) == raw.digest);
        if is_its_own { Refused::Collision } else { Refused::Digest }
    }

    fn intern(&'static self, ty: &FuncType) -> Result<OwnedTypes, Refused> {
        let digest = (self.digest)(ty);
        let mut all = self.lock();
        let known = all.entry(digest).or_insert_with(|| Interned::new(ty.clone(), digest));
        if known.ty != *ty {
            return Err(Refused::Collision);
        }
        Ok(OwnedTypes { types: vec![known.clone()], registry: self })
    }
}

impl Interned {
    fn new(ty: FuncType, digest: u64) -> Arc<Self> {
        Arc::new(Interned {
            ty,
            digest,
            #[cfg(feature = "compiler")]
            thunks: Default::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precast_abi::types::ValType::{self, *};

    /// A registry of its own, which lives as long as the process.
    fn registry(digest: fn(&FuncType) -> u64) -> &'static Registry {
        // A sanitizer reports no leak of what a static refers to.
        static ALL: Mutex<Vec<&Registry>> = Mutex::new(Vec::new());
        let registry: &Registry = Box::leak(Box::new(Registry::new(digest)));
        ALL.lock().unwrap_or_else(|e| e.into_inner()).push(registry);
        registry
    }

    /// Digests of three bits, so that collisions are easy to find.
    fn truncated(ty: &FuncType) -> u64 {
        ty.digest() & 7
    }

    /// The `n`th type with eight parameters.
    fn nth(mut n: u32) -> FuncType {
        const ALL: [ValType; 7] = [I32, I64, F32, F64, V128, FuncRef, ExternRef];
        let mut digit = || {
            let digit = n % 7;
            n /= 7;
            ALL[digit as usize]
        };
        FuncType::new((0..8).map(|_| digit()), [])
    }

    /// Types as an artifact gives them.
    fn module(registry: &'static Registry, types: &[&FuncType]) -> Result<OwnedTypes, Refused> {
        let raw: Vec<(u64, usize, Vec<u8>)> = types
            .iter()
            .map(|ty| {
                let values = ty.params().iter().chain(ty.results()).map(|&v| v as u8);
                ((registry.digest)(ty), ty.params().len(), values.collect())
            })
            .collect();
        registry.intern_all(raw.iter().map(|(digest, params, values)| RawType {
            digest: *digest,
            params: *params,
            values,
        }))
    }

    #[test]
    fn colliding_types_hurt_only_the_module_with_the_second() {
        let registry = registry(truncated);
        let honest = FuncType::default();
        let (first, second) = (0..1000)
            .flat_map(|a| (0..a).map(move |b| (nth(a), nth(b))))
            .find(|(a, b)| truncated(a) == truncated(b) && truncated(a) != truncated(&honest))
            .unwrap();
        let one = module(registry, &[&honest, &first]).unwrap();
        for types in [&[&second][..], &[&honest, &second], &[&second, &honest]] {
            assert_eq!(module(registry, types).unwrap_err(), Refused::Collision);
        }
        assert_eq!(registry.intern(&second).unwrap_err(), Refused::Collision);
        // Other modules are not affected.
        let other = module(registry, &[&honest, &first]).unwrap();
        assert_eq!(one.get(0), other.get(0));
        assert_eq!(registry.intern(&honest).unwrap().get(0), one.get(0));
        drop((one, other));
        // The refused types are not kept, and the types that they collided with are gone.
        assert!(registry.lock().is_empty());
        let second = module(registry, &[&second]).unwrap();
        assert_eq!(module(registry, &[&first]).unwrap_err(), Refused::Collision);
        drop(second);
        assert!(registry.lock().is_empty());
    }

    #[test]
    fn an_identity_that_is_in_use_by_another_type_is_refused() {
        let registry = registry(FuncType::digest);
        let intern = |digest| {
            let values: &[u8] = &[I32 as u8];
            registry.intern_all([RawType { digest, params: 1, values }].into_iter())
        };
        let unary = FuncType::new([I32], []);
        let known = registry.intern(&FuncType::default()).unwrap();
        assert_eq!(intern(known.get(0).digest).unwrap_err(), Refused::Digest);
        assert_eq!(intern(unary.digest()).unwrap().get(0).ty, unary);
        drop(known);
        assert!(registry.lock().is_empty());
    }

    #[test]
    fn a_million_types_leave_nothing() {
        let registry = registry(FuncType::digest);
        for n in 0..1_000_000 {
            let types = registry.intern(&nth(n)).unwrap();
            assert_eq!(registry.lock().len(), 1);
            drop(types);
        }
        assert!(registry.lock().is_empty());
        assert!(registry.lock().capacity() < 10, "room for {}", registry.lock().capacity());
    }

    #[test]
    fn types_of_a_large_module_leave_no_room_behind() {
        let registry = registry(FuncType::digest);
        let all: Vec<FuncType> = (0..50_000).map(nth).collect();
        let all: Vec<&FuncType> = all.iter().chain(&all).collect();
        let types = module(registry, &all).unwrap();
        assert_eq!(types.get(7), types.get(50_007));
        assert_eq!(registry.lock().len(), 50_000);
        drop(types);
        assert!(registry.lock().is_empty());
        assert!(registry.lock().capacity() < 4 * BATCH, "{}", registry.lock().capacity());
    }

    #[test]
    fn threads_that_come_and_go_with_the_same_types() {
        let registry = registry(FuncType::digest);
        std::thread::scope(|scope| {
            for seed in 0..4 {
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut held: Vec<(OwnedTypes, FuncType)> = Vec::new();
                    for _ in 0..20_000 {
                        let ty = nth(random.u32(0..5));
                        let types = match random.bool() {
                            true => registry.intern(&ty).unwrap(),
                            false => module(registry, &[&ty, &FuncType::default(), &ty]).unwrap(),
                        };
                        // While a type has an owner, it has one address.
                        for (other, other_ty) in &held {
                            assert_eq!(other.get(0) == types.get(0), *other_ty == ty);
                            assert_eq!(other.get(0).ty, *other_ty);
                        }
                        held.push((types, ty));
                        if held.len() > 3 {
                            held.swap_remove(random.usize(0..held.len()));
                        }
                    }
                });
            }
        });
        assert!(registry.lock().is_empty());
    }
}
