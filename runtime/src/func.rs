//! Functions.

use crate::error::Error;
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::activation::call;
use crate::vm::entity::FuncEntity;
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
        namespace.own(self.store);
        namespace.store().check_open()?;
        let mut results = vec![Value::I32(0); self.entity.ty().ty.results().len()];
        self.call_into(namespace, args, &mut results)?;
        Ok(results)
    }

    /// As [`Func::call`], with a slice for the results, which must be as many as the function has.
    /// What is in it before does not matter. Up to eight arguments and eight results, a call
    /// allocates nothing.
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and [`crate::ErrorKind::TypeMismatch`] when `results` has another length. Then
    /// the slice holds zeros and nulls, or what it held before.
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
        namespace.own(self.store);
        namespace.store().check_open()?;
        let ty = self.entity.ty();
        let ty = &ty.ty;
        if !args.iter().map(Value::ty).eq(ty.params().iter().copied()) {
            let found = FuncType::new(args.iter().map(Value::ty), []);
            return Err(Error::mismatch(format!("a function {ty} was called with {found}")));
        }
        if results.len() != ty.results().len() {
            let len = results.len();
            return Err(Error::mismatch(format!("a function {ty} was called for {len} results")));
        }
        // The call may close the namespace, and the type is gone then: the results remember theirs.
        for (result, &ty) in results.iter_mut().zip(ty.results()) {
            *result = Value::default(ty);
        }
        let (mut raw_args, mut raw_results) = (Bits::zeros(args.len()), Bits::zeros(results.len()));
        for (raw, &arg) in raw_args.as_mut().iter_mut().zip(args) {
            *raw = namespace.store_mut().bits(arg.for_store())?;
        }
        let pointer = namespace.store_pointer();
        call::call(pointer, self.entity, raw_args.as_mut(), raw_results.as_mut())?;
        for (result, &mut raw) in results.iter_mut().zip(raw_results.as_mut()) {
            *result = Value::from_bits(namespace.store(), result.ty(), raw);
        }
        Ok(())
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

/// Values as machine code holds them, few of them without an allocation.
enum Bits {
    Few([u128; 8], usize),
    Many(Vec<u128>),
}

impl Bits {
    #[inline]
    fn zeros(len: usize) -> Bits {
        if len <= 8 { Bits::Few([0; 8], len) } else { Bits::Many(vec![0; len]) }
    }

    #[inline]
    fn as_mut(&mut self) -> &mut [u128] {
        match self {
            Bits::Few(bits, len) => &mut bits[..*len],
            Bits::Many(bits) => bits,
        }
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
    func: Func,
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
        namespace.store().check_open()?;
        let (mut args, mut results) = (vec![0; P::TYPES.len()], vec![0; R::TYPES.len()]);
        params.to_array(namespace.store_mut(), &mut args)?;
        call::call(namespace.store_pointer(), self.func.entity, &args, &mut results)?;
        Ok(R::from_array(namespace.store(), &results))
    }
}
