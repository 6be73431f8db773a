//! Async calls: calls as futures, which hold no thread while a guest waits in an async host function.

use crate::error::Error;
use crate::func::{Func, TypedFunc, WasmParams, WasmResults, read_all};
use crate::instance::Instance;
use crate::instance_pre::InstancePre;
use crate::linker::Linker;
use crate::module::CompiledModule;
use crate::namespace::Namespace;
use crate::value::Value;
use crate::vm::activation::interrupt::Deadline;
use crate::vm::entity::{Entity, FuncEntity};
use crate::vm::fiber::call;
use crate::vm::store::StoreHandle;
use std::time::{Duration, Instant};
use tracing::{Instrument, Span};

impl<P: WasmParams + Send, R: WasmResults + Send> TypedFunc<P, R> {
    /// Calls it, as a future. The call begins when the future is first polled, on a stack of its own.
    /// While the guest waits in an async host function
    /// ([`HostModuleBuilder::func_async`](crate::HostModuleBuilder::func_async)), it holds no thread. It
    /// goes on in the thread that polls the future then.
    ///
    /// Everything that stops a call stops this one too: limits, deadlines, and handles, which also wake
    /// the task. If the future is dropped while the guest waits, the call ends as if a handle had
    /// interrupted it: the instance cannot be used any more.
    ///
    /// The thread that polls is busy while guests run. With
    /// [`Namespace::with_timeout_async`] they do so for a bounded time.
    ///
    /// # Errors
    ///
    /// As [`TypedFunc::call`], and [`ErrorKind::System`](crate::ErrorKind::System) if the system has no
    /// memory for a stack.
    ///
    /// # Panics
    ///
    /// When the namespace is another one; when polled, with the panic of a host function it calls.
    pub fn call_async<'a>(
        &self,
        namespace: &'a mut Namespace,
        params: P,
    ) -> impl Future<Output = Result<R, Error>> + Send + use<'a, P, R>
    where
        P: 'a,
        R: 'a,
    {
        namespace.own(self.func.store);
        call::typed(namespace.handle(), self.func.entity, params)
    }
}

impl Func {
    /// Calls it, as a future. Everything else is as in [`TypedFunc::call_async`].
    ///
    /// # Errors
    ///
    /// As [`Func::call`], and [`ErrorKind::System`](crate::ErrorKind::System) if the system has no
    /// memory for a stack.
    ///
    /// # Panics
    ///
    /// When the namespace is another one; when polled, with the panic of a host function it calls.
    pub fn call_async<'a>(
        &self,
        namespace: &'a mut Namespace,
        args: &'a [Value],
    ) -> impl Future<Output = Result<Vec<Value>, Error>> + Send + use<'a> {
        namespace.own(self.store);
        let func = *self;
        call::call(
            namespace.handle(),
            func.entity,
            move |store, types, bits| func.write_args(store, types, args, None, bits),
            read_all,
        )
    }
}

impl Instance {
    /// As [`Instance::call`], as a future. Everything else is as in [`TypedFunc::call_async`].
    ///
    /// # Errors
    ///
    /// As [`Instance::call`], and [`ErrorKind::System`](crate::ErrorKind::System) if the system has no
    /// memory for a stack.
    ///
    /// # Panics
    ///
    /// When the namespace is another one, and with the panic of a host function it calls.
    pub async fn call_async(
        &self,
        namespace: &mut Namespace,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Error> {
        self.must(namespace, name)?.call_async(namespace, args).await
    }
}

/// An instance whose start function has not been called.
pub(crate) struct Prepared {
    instance: Instance,
    start: Option<FuncEntity>,
    /// The span of the instantiation.
    span: Span,
}

impl Namespace {
    fn handle(&mut self) -> &mut StoreHandle {
        &mut self.0
    }

    /// As [`Namespace::instantiate`], as a future: the start function may wait in async host functions.
    ///
    /// # Errors
    ///
    /// As [`Namespace::instantiate`].
    pub async fn instantiate_async(&mut self, module: &CompiledModule) -> Result<Instance, Error> {
        self.check_can_instantiate(module)?;
        let prepared = {
            let imports = self.resolve(module)?;
            self.prepare_to_start(module, &imports)?
        };
        self.start(prepared).await
    }

    /// Creates an instance whose start function is to be called by [`Namespace::start`].
    pub(crate) fn prepare_to_start(
        &mut self,
        module: &CompiledModule,
        imports: &[Entity],
    ) -> Result<Prepared, Error> {
        let span = tracing::debug_span!("instantiate", module = module.name());
        let (instance, start) = span.in_scope(|| self.prepare_instance(module, imports))?;
        Ok(Prepared { instance, start, span })
    }

    /// Calls the start function of an instance, if it has one.
    pub(crate) async fn start(&mut self, prepared: Prepared) -> Result<Instance, Error> {
        let Prepared { instance, start, span } = prepared;
        if let Some(start) = start {
            let handle = self.handle();
            let start =
                span.in_scope(move || call::call(handle, start, |_, _, _| Ok(()), |_, _, _| ()));
            start.instrument(span).await?;
        }
        Ok(instance)
    }

    /// As [`Namespace::with_deadline`], for calls that `f` makes and waits for.
    ///
    /// A call that waits at the deadline is woken and stops too.
    pub async fn with_deadline_async<R>(
        &mut self,
        deadline: Instant,
        f: impl AsyncFnOnce(&mut Namespace) -> R,
    ) -> R {
        let _deadline = Deadline::new(self.store_mut(), deadline);
        f(self).await
    }

    /// As [`Namespace::with_deadline_async`], with a deadline that is `timeout` from the first poll of the
    /// future.
    pub async fn with_timeout_async<R>(
        &mut self,
        timeout: Duration,
        f: impl AsyncFnOnce(&mut Namespace) -> R,
    ) -> R {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.with_deadline_async(deadline, f).await,
            // A time that no clock reaches.
            None => f(self).await,
        }
    }
}

impl InstancePre {
    /// As [`InstancePre::instantiate`], as a future: start functions may wait in async host functions.
    ///
    /// # Errors
    ///
    /// As [`InstancePre::instantiate`].
    pub async fn instantiate_async(&self) -> Result<(Box<Namespace>, Instance), Error> {
        let mut namespace = self.module().runtime().namespace();
        let instance = self.instantiate_in_async(&mut namespace).await?;
        Ok((namespace, instance))
    }

    /// As [`InstancePre::instantiate_in`], as a future.
    ///
    /// # Errors
    ///
    /// As [`InstancePre::instantiate_in`].
    pub async fn instantiate_in_async(&self, namespace: &mut Namespace) -> Result<Instance, Error> {
        self.instantiate_with_async(namespace, &[]).await
    }
}

impl Linker {
    /// As [`Linker::instantiate`], as a future: start functions may wait in async host functions.
    ///
    /// # Errors
    ///
    /// As [`Linker::instantiate`].
    pub async fn instantiate_async(
        &self,
        namespace: &mut Namespace,
        module: &CompiledModule,
    ) -> Result<Instance, Error> {
        let (pre, own) = self.resolve_for(namespace, module)?;
        pre.instantiate_with_async(namespace, &own).await
    }
}
