//! precast: an ahead-of-time WebAssembly runtime. Modules are cast once, into artifacts of machine
//! code, and set in place many times.
//!
//! This page is the whole embedding API. In the order in which a program meets it:
//!
//! | | |
//! |---|---|
//! | [`Runtime`], [`Config`] | compiles modules, loads artifacts; one per process is enough |
//! | [`CompiledModule`] | the code of a module, on any thread; [`serialize`] gives the artifact |
//! | [`SealKey`] | seals artifacts, and proves where those come from that are loaded |
//! | [`Linker`], [`InstancePre`] | names what modules may import; resolves once, instantiates on any thread |
//! | [`Namespace`] | owns instances and all their state; links modules to each other by name, too |
//! | [`Instance`] | a module set in place; gives [`Func`], [`Memory`], [`Table`], [`Global`] |
//! | [`HostModuleBuilder`], [`Caller`] | functions, memories, tables and globals of the host |
//! | [`wasi`] | the host module that programs compiled from C, Rust or Go import |
//! | [`Error`], [`Trap`] | misuse or environment; WebAssembly that stopped |
//!
//! Instances and what they export are handles: they are `Copy`, and every use names the
//! [`Namespace`] that owns what they stand for. A host function reaches its namespace through
//! [`Caller::namespace`], so calls nest freely.
//!
//! # Example
//!
//! A module calls a function of the host, and the host calls the module.
//!
//! ```
//! use precast::{Caller, HostModuleBuilder, Runtime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let wasm = wat::parse_str(
//!     r#"(module
//!          (import "journal" "note" (func $note (param i32)))
//!          (func (export "square") (param i32) (result i32)
//!            (call $note (local.get 0))
//!            (i32.mul (local.get 0) (local.get 0))))"#,
//! )?;
//!
//! let runtime = Runtime::new();
//! let module = runtime.compile(&wasm)?;
//!
//! // Every instance of this host module starts with a state of its own: an empty list.
//! let journal = HostModuleBuilder::with_state("journal", Vec::<i32>::new)
//!     .func("note", |caller: &mut Caller<'_, Vec<i32>>, n: i32| caller.state().push(n))
//!     .func("count", |caller: &mut Caller<'_, Vec<i32>>| caller.state().len() as i32)
//!     .build(&runtime)?;
//!
//! let mut namespace = runtime.namespace();
//! let journal = namespace.instantiate_host(&journal)?;
//! let instance = namespace.instantiate(&module)?;
//!
//! let square = instance.typed::<(i32,), i32>(&namespace, "square")?;
//! assert_eq!(square.call(&mut namespace, (7,))?, 49);
//! assert_eq!(square.call(&mut namespace, (9,))?, 81);
//!
//! let count = journal.typed::<(), i32>(&namespace, "count")?;
//! assert_eq!(count.call(&mut namespace, ())?, 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Programs that use WASI
//!
//! A program that needs its standard output:
//!
//! ```
#![cfg_attr(feature = "compiler", doc = include_str!("../examples/instantiate.rs"))]
//! ```
//!
//! A host function in place of one of WASI's:
//!
//! ```
#![cfg_attr(feature = "compiler", doc = include_str!("../examples/override_proc_exit.rs"))]
//! ```
//!
//! WASI under the name that programs of 2019 import:
//!
//! ```
#![cfg_attr(feature = "compiler", doc = include_str!("../examples/wasi_unstable.rs"))]
//! ```
//!
//! `examples/` has more: a server, a sandbox, a trace, a thousand guests on one thread.
//!
//! # Features
//!
//! `compiler` (default) compiles modules in process. Without it this crate loads artifacts only
//! and needs no code generator. `cache` (default) keeps compiled modules in a folder. `async` makes
//! calls futures, so that a guest that waits in a host function holds no thread. `tokio` lets guests
//! wait in WASI for the timers and descriptors of tokio.
//!
//! [`serialize`]: CompiledModule::serialize

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "compiler")]
pub use precast_runtime::{
    BundleBytes, CompileError, CompileErrorKind, Features, FunctionMemory, FunctionStore, Lineage,
    MemoryStore, Target, TargetError, UnknownFeature,
};
pub use precast_runtime::{
    Caller, CompiledModule, Config, Error, ErrorKind, ExportType, Extern, ExternRef, ExternType,
    FormatError, Frame, Func, FuncType, Function, Global, GlobalType, Growth, GrowthRefused,
    HeapType, HostError, HostFunctions, HostModule, HostModuleBuilder, HostReturn, HostValues,
    ImportType, Inspection, Instance, InstancePre, InterruptHandle, IntoHostFunc, Limits,
    LinkError, Linker, Memory, MemoryType, MemoryUsage, Namespace, Part, Pool, PoolLimits,
    PoolStats, RefType, RefusedBy, Resource, ResourceLimiter, ResourceLimits, Runtime, SealError,
    SealKey, SnapshotError, Table, TableType, Trap, TrapCode, TypedFunc, UnknownImport, ValType,
    Value, ValueError, WasmParams, WasmResults, WasmTy, WithCaller,
};
#[cfg(feature = "async")]
pub use precast_runtime::{HostFuture, HostParams};
#[cfg(feature = "cache")]
pub use precast_runtime::{Source, cache, cache::Cache};
pub use precast_wasi as wasi;
