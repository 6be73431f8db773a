//! Calls of functions by the host, as tasks.

use super::{OnFiber, Task};
use crate::error::Error;
use crate::vm::activation::call;
use crate::vm::activation::typed::{WasmParams, WasmResults};
use crate::vm::entity::FuncEntity;
use crate::vm::store::{Store, StoreHandle};
use precast_abi::types::ValType;
use tracing::Span;

/// The call of [`call::call`], as a task. The function is one of the store with this handle.
pub(crate) fn call<'a, R: Send + 'a>(
    handle: &'a mut StoreHandle,
    func: FuncEntity,
    args: impl FnOnce(&mut Store, (&[ValType], &[ValType]), &mut [u128]) -> Result<(), Error>
    + Send
    + 'a,
    results: impl FnOnce(&Store, &[ValType], &[u128]) -> R + Send + 'a,
) -> impl Future<Output = Result<R, Error>> + Send + 'a {
    let span = span(handle, func.code());
    let call = move |handle: &mut StoreHandle| {
        call::call_at::<OnFiber, R>(handle.pointer(), &func, args, results)
    };
    // SAFETY: while the call waits, arguments and results have been read or are not written yet. The
    // other values of the frames are those of this crate, and can be sent.
    unsafe { Task::new(handle, span, call) }
}

/// A call of a function of type `P -> R`, as a task. The function is one of the store with this handle.
pub(crate) fn typed<'a, P: WasmParams + Send + 'a, R: WasmResults + Send + 'a>(
    handle: &'a mut StoreHandle,
    func: FuncEntity,
    params: P,
) -> impl Future<Output = Result<R, Error>> + Send + use<'a, P, R> {
    let span = span(handle, func.code());
    let call = move |handle: &mut StoreHandle| match &func {
        FuncEntity::Wasm(func) if P::IN_REGISTERS && R::IN_REGISTERS && func.has_typed_entry() => {
            call::typed_at::<OnFiber, P, R>(handle.pointer(), func, params)
        }
        func => call::call_at::<OnFiber, R>(
            handle.pointer(),
            func,
            |store, _, bits| params.to_array(store, bits),
            |store, _, bits| R::from_array(store, bits),
        ),
    };
    // SAFETY: as in `call`.
    unsafe { Task::new(handle, span, call) }
}

/// The span of a call, if calls have spans.
fn span(handle: &StoreHandle, code: Option<*const u8>) -> Option<Span> {
    handle.store().has_spans().then(|| call::span(code))
}
