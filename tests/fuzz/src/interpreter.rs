//! Runs a case in the interpreter wasmi.

use crate::case::{Arg, Call, Case, FUEL, FUEL_PER_CALL, GUEST, HOST, ImportTy};
use crate::host::{Script, provided};
use crate::outcome::{Class, Outcome, Seen, Sig, Step, Stop, Ty, Val, ends, see_memory};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
    AsContext, AsContextMut, Caller, CompilationMode, Config, Engine, Error, Extern, ExternRef,
    F32, F64, Func, FuncType, Global, Instance, Memory, MemoryType, Module, Mutability, Ref, Store,
    Table, TableType, TrapCode, V128, Val as Value, ValType,
};

/// Runs a case.
pub fn run(case: &Case) -> Result<Outcome> {
    ensure!(case.interpret, "wasmi would spend seconds on memory this large");
    let mut config = Config::default();
    // Fuel bounds the recursion, so a deep stack is sufficient.
    config.set_max_recursion_depth(1 << 20).set_max_stack_height(64 << 20);
    config.compilation_mode(CompilationMode::Eager);
    let engine = Engine::new(&config);
    let mut store = Store::new(&engine, ());
    let module = Module::new(&engine, &case.wasm).context("wasmi does not compile it")?;
    let script = Script::new(case);
    let externs = [0u32, 1, 2, 3].map(|n| ExternRef::new(&mut store, n));
    let mut named: BTreeMap<(String, String), Extern> = BTreeMap::new();
    for (n, import) in case.imports_from(false) {
        let item = host_item(&mut store, case, &script, externs, n)?;
        named.insert((HOST.into(), import.name.clone()), item);
    }
    if let Some(guest) = &case.guest {
        let guest = Module::new(&engine, guest)?;
        let guest = Instance::new(&mut store, &guest, &[])?;
        for export in guest.exports(&store) {
            named.insert((GUEST.into(), export.name().into()), export.into_extern());
        }
    }
    // Not in the order of the case, because wasmi sorts imports by kind.
    let imports: Vec<_> = module
        .imports()
        .map(|import| named[&(import.module().to_owned(), import.name().to_owned())])
        .collect();
    let mut outcome = Outcome::default();
    let instance = Instance::new(&mut store, &module, &imports);
    let main = instance.as_ref().ok().copied();
    if let Some(main) = main {
        for export in main.exports(&store) {
            named.insert(("main".into(), export.name().into()), export.into_extern());
        }
    }
    let result = instance.map(|_| Vec::new()).map_err(|error| stop(&error));
    outcome.steps.push(step("instantiation", result, &store, &named, &script));
    if main.is_some() {
        let own = |name: &str| named.get(&("main".to_owned(), name.to_owned())).copied();
        for call in &case.calls {
            if let (true, Some(Extern::Global(fuel))) = (case.fuel, own(FUEL)) {
                fuel.set(&mut store, Value::I32(FUEL_PER_CALL as i32))?;
            }
            let result = call_export(&mut store, &own, call, externs);
            let name = format!("{}{:x?}", call.export, call.args);
            outcome.steps.push(step(&name, result, &store, &named, &script));
        }
    }
    outcome.exhausted = script.exhausted()
        || outcome
            .steps
            .iter()
            .any(|step| matches!(&step.result, Err(stop) if stop.class == Class::Resources));
    for ((module, name), item) in &named {
        if let Extern::Memory(memory) = item {
            let memory = ends(memory.data(&store)).0.to_vec();
            outcome.memories.push((format!("{module}.{name}"), memory));
        }
    }
    Ok(outcome)
}

fn call_export(
    store: &mut impl AsContextMut,
    export: &dyn Fn(&str) -> Option<Extern>,
    call: &Call,
    externs: [ExternRef; 4],
) -> Result<Vec<Val>, Stop> {
    let func = |name: &str| export(name).and_then(Extern::into_func);
    let value = |arg: &Arg| match arg {
        Arg::Val(value) => to_value(value, externs),
        Arg::Export(name) => Value::FuncRef(func(name).map_or(Ref::Null, Ref::Val)),
    };
    let args: Vec<_> = call.args.iter().map(value).collect();
    let func = func(&call.export).expect("it is exported");
    let ty = func.ty(&*store);
    let mut results: Vec<_> = ty.results().iter().map(|&t| Value::default(t)).collect();
    func.call(&mut *store, &args, &mut results).map_err(|error| stop(&error))?;
    Ok(results.iter().map(|value| to_val(&*store, value)).collect())
}

fn step(
    name: &str,
    result: Result<Vec<Val>, Stop>,
    store: &Store<()>,
    named: &BTreeMap<(String, String), Extern>,
    script: &Script,
) -> Step {
    let mut seen = Vec::new();
    for ((module, name), item) in named {
        let what = match item {
            Extern::Func(_) => continue,
            Extern::Memory(memory) => see_memory(memory.data(store)),
            Extern::Global(global) => Seen::Global(to_val(store, &global.get(store))),
            Extern::Table(table) => {
                let get = |i| table.get(store, i).expect("it is in bounds");
                Seen::Table((0..table.size(store)).map(|i| to_val(store, &get(i))).collect())
            }
        };
        seen.push((format!("{module}.{name}"), what));
    }
    seen.sort_by(|(a, _), (b, _)| a.cmp(b));
    Step { name: name.into(), result, seen, trace: script.trace() }
}

fn stop(error: &Error) -> Stop {
    let class = match error.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => Class::Unreachable,
        Some(TrapCode::MemoryOutOfBounds) => Class::Memory,
        Some(TrapCode::TableOutOfBounds) => Class::Table,
        Some(TrapCode::IndirectCallToNull) => Class::NullElement,
        Some(TrapCode::IntegerDivisionByZero) => Class::DivisionByZero,
        Some(TrapCode::IntegerOverflow) => Class::Overflow,
        Some(TrapCode::BadConversionToInteger) => Class::Conversion,
        Some(TrapCode::BadSignature) => Class::Signature,
        Some(_) => Class::Resources,
        None => match error.kind() {
            ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) => {
                Class::Table
            }
            ErrorKind::Instantiation(InstantiationError::FailedToInstantiateMemory(_)) => {
                Class::Resources
            }
            ErrorKind::Memory(_) => Class::Memory,
            ErrorKind::Table(_) => Class::Table,
            ErrorKind::Message(_) => Class::Host,
            _ => Class::Other,
        },
    };
    Stop { class, detail: error.to_string() }
}

fn val_type(ty: Ty) -> ValType {
    match ty {
        Ty::I32 => ValType::I32,
        Ty::I64 => ValType::I64,
        Ty::F32 => ValType::F32,
        Ty::F64 => ValType::F64,
        Ty::V128 => ValType::V128,
        Ty::Func => ValType::FuncRef,
        Ty::Extern => ValType::ExternRef,
    }
}

fn ty(ty: ValType) -> Ty {
    match ty {
        ValType::I32 => Ty::I32,
        ValType::I64 => Ty::I64,
        ValType::F32 => Ty::F32,
        ValType::F64 => Ty::F64,
        ValType::V128 => Ty::V128,
        ValType::FuncRef => Ty::Func,
        ValType::ExternRef => Ty::Extern,
    }
}

fn to_value(value: &Val, externs: [ExternRef; 4]) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v as i32),
        Val::I64(v) => Value::I64(*v as i64),
        Val::F32(v) => Value::F32(F32::from_bits(*v)),
        Val::F64(v) => Value::F64(F64::from_bits(*v)),
        Val::V128(v) => Value::V128(V128::from(*v)),
        Val::Func(_) => Value::FuncRef(Ref::Null),
        Val::Extern(None) => Value::ExternRef(Ref::Null),
        Val::Extern(Some(n)) => Value::ExternRef(Ref::Val(externs[*n as usize])),
    }
}

fn to_val(store: &impl AsContext, value: &Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(*v as u32),
        Value::I64(v) => Val::I64(*v as u64),
        Value::F32(v) => Val::F32(v.to_bits()),
        Value::F64(v) => Val::F64(v.to_bits()),
        Value::V128(v) => Val::V128(v.as_u128()),
        Value::FuncRef(v) => Val::Func(v.val().map(|func| {
            let func = func.ty(store);
            Sig {
                params: func.params().iter().map(|&t| ty(t)).collect(),
                results: func.results().iter().map(|&t| ty(t)).collect(),
            }
        })),
        Value::ExternRef(v) => Val::Extern(v.val().map(|v| {
            *v.data(store.as_context()).downcast_ref().expect("every reference is to a number")
        })),
    }
}

/// The host's item for an import.
fn host_item(
    store: &mut Store<()>,
    case: &Case,
    script: &Arc<Script>,
    externs: [ExternRef; 4],
    n: usize,
) -> Result<Extern> {
    let import = &case.imports[n];
    let have = provided(case.seed, import);
    Ok(match &import.ty {
        ImportTy::Func(sig) => {
            let list = |types: &[Ty]| types.iter().map(|&t| val_type(t)).collect::<Vec<_>>();
            let func = FuncType::new(list(&sig.params), list(&sig.results));
            let (script, sig) = (script.clone(), sig.clone());
            Extern::Func(Func::new(store, func, move |mut caller, args, results| {
                let args: Vec<_> = args.iter().map(|arg| to_val(&caller, arg)).collect();
                let values = host_call(&mut caller, &script, n, &sig, &args, externs)?;
                for (to, value) in results.iter_mut().zip(values) {
                    *to = to_value(&value, externs);
                }
                Ok(())
            }))
        }
        ImportTy::Memory { .. } => {
            let max = have.max.map(|max| max as u32);
            Extern::Memory(Memory::new(store, MemoryType::new(have.min as u32, max))?)
        }
        ImportTy::Table { element, .. } => {
            let element = val_type(*element);
            let ty = TableType::new(element, have.min as u32, have.max.map(|max| max as u32));
            Extern::Table(Table::new(store, ty, Value::default(element))?)
        }
        ImportTy::Global { mutable, .. } => {
            let mutability = if *mutable { Mutability::Var } else { Mutability::Const };
            Extern::Global(Global::new(store, to_value(&have.value, externs), mutability))
        }
    })
}

fn host_call(
    caller: &mut Caller<'_, ()>,
    script: &Script,
    n: usize,
    sig: &Sig,
    args: &[Val],
    externs: [ExternRef; 4],
) -> Result<Vec<Val>, Error> {
    let reaction = script.react(n, sig, args);
    if let (Some((at, byte)), Some(Extern::Memory(memory))) =
        (reaction.poke, caller.get_export("memory"))
    {
        let memory = memory.data_mut(&mut *caller);
        if !memory.is_empty() {
            let at = (at % memory.len() as u64) as usize;
            memory[at] = byte;
        }
    }
    if let Some((export, args)) = reaction.callback
        && let Some(func) = caller.get_export(&export)
    {
        script.enter();
        let call = Call { export, args };
        let result = call_export(caller, &|_| Some(func), &call, externs);
        script.leave(&result);
        if let (true, Err(stop)) = (reaction.propagate, result) {
            return Err(Error::new(stop.detail));
        }
    }
    if reaction.stop {
        return Err(Error::new("the host stops the guest"));
    }
    Ok(reaction.results)
}
