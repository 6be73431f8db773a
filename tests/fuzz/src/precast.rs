//! Runs a case in precast.

use crate::case::{Arg, Call, Case, FUEL, FUEL_PER_CALL, GUEST, HOST, ImportTy};
use crate::host::{Script, provided};
use crate::outcome::{Class, Outcome, Seen, Sig, Step, Stop, Ty, Val, ends, see_memory};
use anyhow::{Context, Result};
use precast_runtime::{
    Caller, CompiledModule, Config, Error, ErrorKind, Extern, ExternRef, FuncType, HostError,
    HostModuleBuilder, Instance, Limits, MemoryType, Namespace, RefType, Runtime, TableType,
    TrapCode, ValType, Value,
};
use std::sync::Arc;

/// The configurations in which a case runs in precast.
pub struct Precast {
    optimized: Runtime,
    plain: Runtime,
    parallel: Runtime,
}

impl Precast {
    pub fn new() -> Precast {
        let config = Config::new().threads(1).verify(true);
        Precast {
            optimized: Runtime::with_config(config.clone()),
            plain: Runtime::with_config(config.clone().optimize(false).spectre_guards(false)),
            parallel: Runtime::with_config(config.threads(3)),
        }
    }

    /// Runs a case optimised.
    pub fn optimized(&self, case: &Case) -> Result<Outcome> {
        run(&self.optimized, case, false)
    }

    /// Runs a case not optimised, without guards against speculation, and through the bytes of an
    /// artifact.
    pub fn plain(&self, case: &Case) -> Result<Outcome> {
        run(&self.plain, case, true)
    }

    /// Whether compiling with several threads gives the same artifact.
    pub fn is_deterministic(&self, case: &Case) -> Result<bool> {
        let one = self.optimized.compile(&case.wasm)?;
        let three = self.parallel.compile(&case.wasm)?;
        Ok(one.serialize() == three.serialize())
    }
}

/// Runs a case. Fails only if no valid case may fail there, which is a finding.
fn run(runtime: &Runtime, case: &Case, reload: bool) -> Result<Outcome> {
    let compile = |wasm: &[u8]| -> Result<CompiledModule> {
        let module = runtime.compile(wasm).context("precast does not compile it")?;
        if !reload {
            return Ok(module);
        }
        // SAFETY: these are the bytes of the module that was just compiled.
        Ok(unsafe { runtime.load_bytes(module.serialize()) }?)
    };
    let module = compile(&case.wasm)?;
    let script = Script::new(case);
    let mut namespace = runtime.namespace();
    let ns = &mut *namespace;
    let externs = [0u32, 1, 2, 3].map(|n| ns.extern_ref(n));
    let host = host_module(case, &script, externs).build(runtime)?;
    let mut instances = vec![(HOST, ns.instantiate_host(&host)?)];
    if let Some(guest) = &case.guest {
        let guest = compile(guest)?;
        instances.push((GUEST, ns.instantiate_as(GUEST, &guest)?));
    }
    let mut outcome = Outcome::default();
    let instance = ns.instantiate(&module);
    let main = instance.as_ref().ok().copied();
    instances.extend(main.map(|main| ("main", main)));
    let result = instance.map(|_| Vec::new()).map_err(|error| stop(&error));
    outcome.steps.push(step("instantiation", result, ns, &instances, &script));
    if let Some(main) = main {
        for call in &case.calls {
            if let (true, Some(fuel)) = (case.fuel, main.global(ns, FUEL)) {
                fuel.set(ns, Value::I32(FUEL_PER_CALL as i32))?;
            }
            let result = call_export(ns, main, call, externs);
            let name = format!("{}{:x?}", call.export, call.args);
            outcome.steps.push(step(&name, result, ns, &instances, &script));
        }
    }
    outcome.exhausted = script.exhausted() || outcome.steps.iter().any(exhausted);
    for (instance_name, instance) in &instances {
        for (name, export) in instance.exports(ns) {
            if let Extern::Memory(memory) = export {
                let memory = ends(memory.data(ns).unwrap()).0.to_vec();
                outcome.memories.push((format!("{instance_name}.{name}"), memory));
            }
        }
    }
    Ok(outcome)
}

fn exhausted(step: &Step) -> bool {
    matches!(&step.result, Err(stop) if stop.class == Class::Resources)
}

fn call_export(
    ns: &mut Namespace,
    instance: Instance,
    call: &Call,
    externs: [ExternRef; 4],
) -> Result<Vec<Val>, Stop> {
    let value = |ns: &Namespace, arg: &Arg| match arg {
        Arg::Val(value) => to_value(value, externs),
        Arg::Export(name) => Value::FuncRef(instance.func(ns, name)),
    };
    let args: Vec<_> = call.args.iter().map(|arg| value(ns, arg)).collect();
    // A typed call if there is one, unless the arguments select the other way.
    if !matches!(args.first(), Some(Value::I32(v)) if v % 4 == 0)
        && let Some(results) = call_typed(ns, instance, &call.export, &args)
    {
        let results = results.map_err(|error| stop(&error))?;
        return Ok(results.iter().map(|value| to_val(ns, value)).collect());
    }
    let results = instance.call(ns, &call.export, &args).map_err(|error| stop(&error))?;
    Ok(results.iter().map(|value| to_val(ns, value)).collect())
}

/// Calls an export with Rust types, if it has one of the supported types.
fn call_typed(
    ns: &mut Namespace,
    instance: Instance,
    name: &str,
    args: &[Value],
) -> Option<Result<Vec<Value>, Error>> {
    use Value::{F32, F64, I32, I64};
    macro_rules! call {
        (($($arg:expr),*) as ($($param:ty),*) -> $result:ty) => {
            let func = instance.typed::<($($param,)*), $result>(ns, name);
            if let Ok(func) = func {
                return Some(func.call(ns, ($($arg,)*)).map(|value| vec![value.into()]));
            }
        };
    }
    match *args {
        [] => {
            if let Ok(func) = instance.typed::<(), ()>(ns, name) {
                return Some(func.call(ns, ()).map(|()| Vec::new()));
            }
            call!(() as () -> i32);
            call!(() as () -> f64);
        }
        [I32(a)] => {
            call!((a) as (i32) -> i32);
            call!((a) as (i32) -> i64);
        }
        [I64(a)] => {
            call!((a) as (i64) -> i64);
        }
        [F32(a), F64(b)] => {
            call!((f32::from_bits(a), f64::from_bits(b)) as (f32, f64) -> f64);
        }
        [I32(a), I32(b), I64(c)] => {
            call!((a, b, c) as (i32, i32, i64) -> i64);
        }
        [I32(a), I64(b), F32(x), F64(y)] => {
            call!((a, b, f32::from_bits(x), f64::from_bits(y)) as (i32, i64, f32, f64) -> i64);
        }
        _ => {}
    }
    None
}

fn step(
    name: &str,
    result: Result<Vec<Val>, Stop>,
    ns: &Namespace,
    instances: &[(&str, Instance)],
    script: &Script,
) -> Step {
    let mut seen = Vec::new();
    for (instance_name, instance) in instances {
        for (name, export) in instance.exports(ns) {
            let what = match export {
                Extern::Func(_) => continue,
                Extern::Memory(memory) => see_memory(memory.data(ns).unwrap()),
                Extern::Global(global) => Seen::Global(to_val(ns, &global.get(ns).unwrap())),
                Extern::Table(table) => {
                    let get = |i| table.get(ns, i).unwrap().expect("it is in bounds");
                    Seen::Table((0..table.size(ns).unwrap()).map(|i| to_val(ns, &get(i))).collect())
                }
                other => unreachable!("no case exports {other:?}"),
            };
            seen.push((format!("{instance_name}.{name}"), what));
        }
    }
    seen.sort_by(|(a, _), (b, _)| a.cmp(b));
    Step { name: name.into(), result, seen, trace: script.trace() }
}

fn stop(error: &Error) -> Stop {
    let class = match error.kind() {
        ErrorKind::Trap(trap) => match trap.code() {
            TrapCode::Unreachable => Class::Unreachable,
            TrapCode::TableOutOfBounds | TrapCode::UndefinedElement => Class::Table,
            TrapCode::UninitializedElement => Class::NullElement,
            TrapCode::IndirectCallTypeMismatch => Class::Signature,
            TrapCode::StackOverflow => Class::Resources,
            TrapCode::IntegerOverflow => Class::Overflow,
            TrapCode::MemoryOutOfBounds => Class::Memory,
            TrapCode::IntegerDivisionByZero => Class::DivisionByZero,
            TrapCode::BadConversionToInteger => Class::Conversion,
            _ => Class::Other,
        },
        ErrorKind::Host(_) => Class::Host,
        ErrorKind::System { .. } => Class::Resources,
        _ => Class::Other,
    };
    let mut detail = error.to_string();
    if let Some(trap) = error.trap() {
        let running: Vec<_> = trap.frames().iter().map(|frame| frame.func_index).collect();
        detail = format!("{detail}, running {running:?}");
    }
    Stop { class, detail }
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

fn ref_type(ty: Ty) -> RefType {
    val_type(ty).ref_type().expect("the element of a table is a reference")
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
        other => unreachable!("no case has values of type {other}"),
    }
}

fn to_value(value: &Val, externs: [ExternRef; 4]) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v as i32),
        Val::I64(v) => Value::I64(*v as i64),
        Val::F32(v) => Value::F32(*v),
        Val::F64(v) => Value::F64(*v),
        Val::V128(v) => Value::V128(*v),
        Val::Func(_) => Value::FuncRef(None),
        Val::Extern(v) => Value::ExternRef(v.map(|n| externs[n as usize])),
    }
}

fn to_val(ns: &Namespace, value: &Value) -> Val {
    match value {
        Value::I32(v) => Val::I32(*v as u32),
        Value::I64(v) => Val::I64(*v as u64),
        Value::F32(v) => Val::F32(*v),
        Value::F64(v) => Val::F64(*v),
        Value::V128(v) => Val::V128(*v),
        Value::FuncRef(v) => Val::Func(v.map(|func| {
            let func = func.ty(ns).expect("the namespace is open");
            Sig {
                params: func.params().iter().map(|&t| ty(t)).collect(),
                results: func.results().iter().map(|&t| ty(t)).collect(),
            }
        })),
        Value::ExternRef(v) => {
            Val::Extern(v.map(|v| *v.get::<u32>(ns).expect("every reference is to a number")))
        }
        other => unreachable!("no case has values such as {other}"),
    }
}

/// The host module of a case.
fn host_module(case: &Case, script: &Arc<Script>, externs: [ExternRef; 4]) -> HostModuleBuilder {
    let mut builder = HostModuleBuilder::new(HOST);
    for (n, import) in case.imports_from(false) {
        let have = provided(case.seed, import);
        let limits = Limits::new(have.min, have.max);
        builder = match &import.ty {
            ImportTy::Func(sig) => {
                let func = HostFunc { script: script.clone(), n, sig: sig.clone(), externs };
                func.define(builder, &import.name)
            }
            ImportTy::Memory { .. } => builder.memory(&import.name, MemoryType::new(limits)),
            ImportTy::Table { element, .. } => {
                builder.table(&import.name, TableType::new(ref_type(*element), limits))
            }
            ImportTy::Global { mutable, .. } => {
                builder.global(&import.name, to_value(&have.value, externs), *mutable)
            }
        };
    }
    builder
}

/// A function that the host provides.
struct HostFunc {
    script: Arc<Script>,
    n: usize,
    sig: Sig,
    externs: [ExternRef; 4],
}

impl HostFunc {
    /// Defines the function: by a closure with Rust types if there is one for its type, otherwise
    /// by a closure with a run-time type.
    fn define(self, builder: HostModuleBuilder, name: &str) -> HostModuleBuilder {
        use Ty::*;
        type C<'a, 'b> = &'a mut Caller<'b, ()>;
        let bits = |v: Val| match v {
            Val::I32(v) | Val::F32(v) => u64::from(v),
            Val::I64(v) | Val::F64(v) => v,
            _ => unreachable!("it is a number"),
        };
        let (i32, i64) = (Val::I32, Val::I64);
        let (f32, f64) = (|v: f32| Val::F32(v.to_bits()), |v: f64| Val::F64(v.to_bits()));
        match (self.sig.params.as_slice(), self.sig.results.as_slice()) {
            ([], []) => builder.func(name, move |c: C| self.call(c, &[]).map(drop)),
            ([I32], []) => {
                builder.func(name, move |c: C, a: u32| self.call(c, &[i32(a)]).map(drop))
            }
            ([], [I32]) => builder.func(name, move |c: C| self.one(c, &[]).map(|v| bits(v) as u32)),
            ([I32], [I32]) => builder
                .func(name, move |c: C, a: u32| self.one(c, &[i32(a)]).map(|v| bits(v) as u32)),
            ([I64], [I64]) => {
                builder.func(name, move |c: C, a: u64| self.one(c, &[i64(a)]).map(bits))
            }
            ([I32, I64, F32, F64], [I64]) => {
                builder.func(name, move |c: C, a: u32, b: u64, x: f32, y: f64| {
                    self.one(c, &[i32(a), i64(b), f32(x), f64(y)]).map(bits)
                })
            }
            ([F32, F64], [F64]) => builder.func(name, move |c: C, x: f32, y: f64| {
                self.one(c, &[f32(x), f64(y)]).map(|v| std::primitive::f64::from_bits(bits(v)))
            }),
            ([I32, I32], [I32, I64]) => builder.func(name, move |c: C, a: u32, b: u32| {
                let results = self.call(c, &[i32(a), i32(b)])?;
                Ok::<_, HostError>((bits(results[0].clone()) as u32, bits(results[1].clone())))
            }),
            _ => {
                let list = |types: &[Ty]| types.iter().map(|&t| val_type(t)).collect::<Vec<_>>();
                let ty = FuncType::new(list(&self.sig.params), list(&self.sig.results));
                builder.func_dynamic(name, ty, move |caller, args, results| {
                    let ns = caller.namespace();
                    let args: Vec<_> = args.iter().map(|arg| to_val(ns, arg)).collect();
                    for (to, value) in results.iter_mut().zip(self.call(caller, &args)?) {
                        *to = to_value(&value, self.externs);
                    }
                    Ok(())
                })
            }
        }
    }

    fn one(&self, caller: &mut Caller<'_, ()>, args: &[Val]) -> Result<Val, HostError> {
        Ok(self.call(caller, args)?.swap_remove(0))
    }

    fn call(&self, caller: &mut Caller<'_, ()>, args: &[Val]) -> Result<Vec<Val>, HostError> {
        let reaction = self.script.react(self.n, &self.sig, args);
        if let (Some((at, byte)), Some(memory)) = (reaction.poke, caller.memory())
            && !memory.is_empty()
        {
            let at = (at % memory.len() as u64) as usize;
            memory[at] = byte;
        }
        if let (Some((export, args)), Some(instance)) = (reaction.callback, caller.instance())
            && instance.func(caller.namespace(), &export).is_some()
        {
            self.script.enter();
            let call = Call { export, args };
            let result = call_export(caller.namespace(), instance, &call, self.externs);
            self.script.leave(&result);
            if let (true, Err(stop)) = (reaction.propagate, &result) {
                return Err(HostError::new(stop.detail.clone()));
            }
        }
        if reaction.stop {
            return Err(HostError::new("the host stops the guest"));
        }
        Ok(reaction.results)
    }
}
