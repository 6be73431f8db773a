//! Functions.

use crate::error::Error;
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::call;
use crate::vm::entity::FuncEntity;
use crate::vm::store;
use precast_abi::types::{FuncType, ValType};
use std::marker::PhantomData;

pub use crate::vm::typed::{WasmParams, WasmResults, WasmTy};

/// A handle on a function.
#[derive(Clone, Copy, PartialEq)]
pub struct Func {
    pub(crate) store: u64,
    pub(crate) entity: FuncEntity,
}

impl Func {
    /// Its type.
    ///
    /// # Panics
    ///
    /// When the namespace is another one.
    pub fn ty(&self, namespace: &Namespace) -> FuncType {
        namespace.own(self.store);
        if namespace.is_closed() {
            return FuncType::default();
        }
        self.entity.ty().ty.clone()
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Type`] when the arguments do not fit its type,
    /// [`crate::ErrorKind::Trap`], [`crate::ErrorKind::Exit`] and [`crate::ErrorKind::Host`] when
    /// it did not return, [`crate::ErrorKind::Closed`].
    ///
    /// # Panics
    ///
    /// When the namespace is another one, and with the panic of a host function it calls.
    pub fn call(&self, namespace: &mut Namespace, args: &[Value]) -> Result<Vec<Value>, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        let ty = self.entity.ty();
        let ty = &ty.ty;
        let store = namespace.store_mut();
        if !args.iter().map(Value::ty).eq(ty.params().iter().copied()) {
            let found = FuncType::new(args.iter().map(Value::ty), []);
            return Err(Error::types(format!("a function {ty} was called with {found}")));
        }
        let raw = args.iter().map(|&arg| store.lower(arg)).collect::<Result<Vec<_>, _>>()?;
        let (mut few, mut many) = ([0; 4], Vec::new());
        let bits = if ty.results().len() <= few.len() {
            &mut few[..ty.results().len()]
        } else {
            many.resize(ty.results().len(), 0);
            &mut many[..]
        };
        // The call may close the namespace, and the type is gone then.
        let mut results: Vec<Value> = ty.results().iter().map(|&ty| Value::default(ty)).collect();
        call::call(store::pointer(namespace), self.entity, &raw, bits)?;
        let store = namespace.store();
        for (result, bits) in results.iter_mut().zip(bits) {
            *result = store.lift(result.ty(), *bits);
        }
        Ok(results)
    }

    /// The function, for calls with these Rust types.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Type`] when it has other types.
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
            return Err(Error::types(format!("the function is {ty}, not {wanted}")));
        }
        Ok(TypedFunc { func: *self, types: PhantomData })
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
            FuncEntity::Wasm(func) if R::TYPES.len() <= 1 && func.has_typed_entry() => {
                call::typed(store::pointer(namespace), func, params)
            }
            _ => self.call_array(namespace, params),
        }
    }

    #[cold]
    fn call_array(&self, namespace: &mut Namespace, params: P) -> Result<R, Error> {
        namespace.store().check_open()?;
        let (mut args, mut results) = (vec![0; P::TYPES.len()], vec![0; R::TYPES.len()]);
        params.to_array(&mut args);
        call::call(store::pointer(namespace), self.func.entity, &args, &mut results)?;
        Ok(R::from_array(&results))
    }
}
