//! Functions.

use crate::error::Error;
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::activation::call;
use crate::vm::entity::FuncEntity;
use crate::vm::store::Store;
use precast_abi::types::{FuncType, ValType};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

pub use crate::vm::activation::typed::{WasmParams, WasmResults, WasmTy};

/// A handle on a function. Handles are equal when they stand for the same function of the same
/// instance.
#[derive(Clone, Copy, PartialEq)]
pub struct Func {
    pub(crate) store: u64,
    pub(crate) entity: FuncEntity,
}

impl Func {
    /// Its type.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn ty(&self, namespace: &Namespace) -> Result<FuncType, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        Ok(self.entity.ty().ty.clone())
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::TypeMismatch`] when the arguments do not fit its type,
    /// [`crate::ErrorKind::Foreign`] for a reference of another namespace,
    /// [`crate::ErrorKind::Trap`], [`crate::ErrorKind::Exit`] and [`crate::ErrorKind::Host`] when
    /// it did not return, [`crate::ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// When the namespace is another one, and with the panic of a host function it calls.
    pub fn call(&self, namespace: &mut Namespace, args: &[Value]) -> Result<Vec<Value>, Error> {
        self.call_checked(namespace, args, None, read_all)
    }

    /// As [`Func::call`], with a slice for the results, which must be as many as the function has.
    /// What is in it before does not matter. A function with up to 16 parameters and up to 16 results
    /// is called without an allocation.
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and [`crate::ErrorKind::TypeMismatch`] when `results` has another length.
    /// On an error, the slice is unchanged.
    ///
    /// # Panics
    ///
    /// As [`Func::call`].
    pub fn call_into(
        &self,
        namespace: &mut Namespace,
        args: &[Value],
        results: &mut [Value],
    ) -> Result<(), Error> {
        self.call_checked(namespace, args, Some(results.len()), |store, types, bits| {
            read(store, types, bits, results);
        })
    }

    /// Calls it if the arguments fit, and if it has as many results as are wanted, when that is given.
    #[inline]
    fn call_checked<R>(
        &self,
        namespace: &mut Namespace,
        args: &[Value],
        wanted: Option<usize>,
        results: impl FnOnce(&Store, &[ValType], &[u128]) -> R,
    ) -> Result<R, Error> {
        namespace.own(self.store);
        let write_args = |store: &mut Store, types: (&[ValType], &[ValType]), bits: &mut [u128]| {
            self.write_args(store, types, args, wanted, bits)
        };
        call::call(namespace.store_pointer(), &self.entity, write_args, results)
    }

    /// Writes the arguments if they fit the types of the parameters, and if there are as many results
    /// as are wanted, when that is given.
    #[inline(always)]
    pub(crate) fn write_args(
        &self,
        store: &mut Store,
        (params, results): (&[ValType], &[ValType]),
        args: &[Value],
        wanted: Option<usize>,
        bits: &mut [u128],
    ) -> Result<(), Error> {
        if args.len() != params.len() {
            return Err(self.wrong_args(args));
        }
        if let Some(len) = wanted.filter(|&len| len != results.len()) {
            return Err(self.wrong_results(len));
        }
        for ((bits, arg), &ty) in bits.iter_mut().zip(args).zip(params) {
            *bits = arg.bits_as(ty, store)?.ok_or_else(|| self.wrong_args(args))?;
        }
        Ok(())
    }

    /// The arguments do not fit its type. The namespace must be open.
    #[cold]
    fn wrong_args(&self, args: &[Value]) -> Error {
        let (ty, found) = (self.entity.ty(), FuncType::new(args.iter().map(Value::ty), []));
        Error::mismatch(format!("a function {} was called with {found}", ty.ty))
    }

    /// It has another number of results. The namespace must be open.
    #[cold]
    fn wrong_results(&self, len: usize) -> Error {
        let ty = self.entity.ty();
        Error::mismatch(format!("a function {} was called for {len} results", ty.ty))
    }

    /// The function, for calls with these Rust types.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::TypeMismatch`] when it has other types.
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn typed<P: WasmParams, R: WasmResults>(
        &self,
        namespace: &Namespace,
    ) -> Result<TypedFunc<P, R>, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        let ty = self.entity.ty();
        let ty = &ty.ty;
        if ty.params() != P::TYPES || ty.results() != R::TYPES {
            let list = |types: &[ValType]| types.to_vec();
            let wanted = FuncType::new(list(P::TYPES), list(R::TYPES));
            return Err(Error::mismatch(format!("the function is {ty}, not {wanted}")));
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
    }
}

/// The values whose bits machine code has just written.
#[inline(always)]
pub(crate) fn read_all(store: &Store, types: &[ValType], bits: &[u128]) -> Vec<Value> {
    let mut results = vec![Value::I32(0); types.len()];
    read(store, types, bits, &mut results);
    results
}

/// Writes the values whose bits machine code has just written.
#[inline(always)]
fn read(store: &Store, types: &[ValType], bits: &[u128], results: &mut [Value]) {
    for ((result, &ty), bits) in results.iter_mut().zip(types).zip(bits) {
        result.set_from_bits(store, ty, bits);
    }
}

impl Eq for Func {}

impl Hash for Func {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.store.hash(state);
        self.entity.address().hash(state);
    }
}

impl std::fmt::Debug for Func {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Func").finish_non_exhaustive()
    }
}

/// A handle on a function whose type is known at compile time: the fast way to call.
pub struct TypedFunc<P, R> {
    pub(crate) func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P, R> std::fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedFunc").finish_non_exhaustive()
    }
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// Calls it.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Trap`], [`crate::ErrorKind::Exit`] and [`crate::ErrorKind::Host`] when
    /// it did not return, [`crate::ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// When the namespace is another one, and with the panic of a host function it calls.
    #[inline]
    pub fn call(&self, namespace: &mut Namespace, params: P) -> Result<R, Error> {
        namespace.own(self.func.store);
        match &self.func.entity {
            FuncEntity::Wasm(func)
                if P::IN_REGISTERS && R::IN_REGISTERS && func.has_typed_entry() =>
            {
                call::typed(namespace.store_pointer(), func, params)
            }
            _ => self.call_array(namespace, params),
        }
    }

    #[cold]
    fn call_array(&self, namespace: &mut Namespace, params: P) -> Result<R, Error> {
        call::call(
            namespace.store_pointer(),
            &self.func.entity,
            |store, _, bits| params.to_array(store, bits),
            |store, _, bits| R::from_array(store, bits),
        )
    }
}
