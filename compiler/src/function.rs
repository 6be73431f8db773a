//! Function bodies to machine code: validation, translation and code generation of each in one
//! go, on as many threads as there are.

use crate::code::CompiledFunction;
use crate::error::{CompileError, ErrorKind};
use crate::plan::Plan;
use crate::settings::Settings;
use crate::translate::{Buffers, FuncTranslator};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context};
use precast_abi::index::FuncIndex;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{FuncToValidate, FuncValidatorAllocations, OperatorsReader};

/// Compiles every body. The result does not depend on the number of threads, and neither does
/// the error: it is that of the first function that has one.
pub(crate) fn compile_all(
    plan: &Plan<'_>,
    isa: &dyn TargetIsa,
    settings: &Settings,
) -> Result<Vec<CompiledFunction>, CompileError> {
    let bodies = &plan.module.bodies;
    // Large ones first, so that no thread starts one when the others are done.
    let mut order: Vec<usize> = (0..bodies.len()).collect();
    order.sort_by_key(|&n| std::cmp::Reverse(bodies[n].body.as_bytes().len()));
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let first_error = AtomicUsize::new(usize::MAX);
    let results = Mutex::new(Vec::new());
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(bodies.len()) {
            scope.spawn(|_| {
                let mut worker = Worker::new(plan, isa);
                let mut own = Vec::new();
                while let Some(&n) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if n > first_error.load(Ordering::Relaxed) {
                        continue;
                    }
                    let result = worker.compile(n);
                    if result.is_err() {
                        first_error.fetch_min(n, Ordering::Relaxed);
                        worker = Worker::new(plan, isa);
                    }
                    own.push((n, result));
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if let Some(progress) = &settings.progress {
                        progress(done, bodies.len());
                    }
                }
                results.lock().unwrap_or_else(|e| e.into_inner()).append(&mut own);
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|e| e.into_inner());
    results.sort_unstable_by_key(|&(n, _)| n);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The CLIF of every body, as translated.
pub(crate) fn clif(plan: &Plan<'_>, isa: &dyn TargetIsa) -> Result<String, CompileError> {
    let mut worker = Worker::new(plan, isa);
    let mut text = String::new();
    for n in 0..plan.module.bodies.len() {
        worker.translate(n)?;
        if n > 0 {
            text.push('\n');
        }
        text.push_str(&worker.context.func.display().to_string());
    }
    Ok(text)
}

/// What one thread keeps from function to function.
struct Worker<'p> {
    plan: &'p Plan<'p>,
    isa: &'p dyn TargetIsa,
    context: Context,
    buffers: Buffers,
    validator: FuncValidatorAllocations,
}

impl<'p> Worker<'p> {
    fn new(plan: &'p Plan<'p>, isa: &'p dyn TargetIsa) -> Self {
        Worker {
            plan,
            isa,
            context: Context::new(),
            buffers: Buffers::default(),
            validator: FuncValidatorAllocations::default(),
        }
    }

    /// Compiles the `n`th defined function.
    fn compile(&mut self, n: usize) -> Result<CompiledFunction, CompileError> {
        self.translate(n)?;
        let offset = self.plan.module.bodies[n].body.range().start as usize;
        self.context
            .compile(self.isa, &mut ControlPlane::default())
            .map_err(|error| codegen_error(&error.inner, offset))?;
        let compiled = self.context.compiled_code().expect("it was just compiled");
        let id = self.plan.ids.defined(n as u32);
        Ok(CompiledFunction::new(compiled, &self.context.func, id))
    }

    /// Validates a body and leaves its CLIF in the context.
    fn translate(&mut self, n: usize) -> Result<(), CompileError> {
        let module = self.plan.module;
        let body = &module.bodies[n];
        let index = FuncIndex(module.func_imports + n as u32);
        let resources = module.resources.clone();
        let mut validator = FuncToValidate {
            resources: resources.expect("a module with bodies has them"),
            index: index.0,
            ty: body.ty.0,
            features: module.features,
        }
        .into_validator(std::mem::take(&mut self.validator));

        self.context.clear();
        let func = &mut self.context.func;
        let mut translator = FuncTranslator::new(self.plan, index, func, &mut self.buffers);
        let mut locals = body.body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            validator.define_locals(offset, count, ty)?;
            translator.locals(count, ty);
        }
        let mut reader = locals.get_binary_reader();
        reader.set_features(module.features);
        let mut ops = OperatorsReader::new(reader);
        while !ops.eof() {
            let (op, offset) = ops.read_with_offset()?;
            validator.op(offset, &op)?;
            translator.operator(offset as u32, &op)?;
        }
        ops.finish()?;
        translator.finish(self.isa.frontend_config());
        self.validator = validator.into_allocations();
        Ok(())
    }
}

fn codegen_error(error: &CodegenError, offset: usize) -> CompileError {
    match error {
        CodegenError::CodeTooLarge | CodegenError::ImplLimitExceeded => {
            CompileError::new(ErrorKind::Limit, offset, "a function is too large")
        }
        error => CompileError::new(ErrorKind::Internal, offset, format!("{error:?}")),
    }
}
