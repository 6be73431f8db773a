//! Function bodies to machine code: each body is validated, translated and compiled in one step, on
//! all threads of the pool. A body whose code a store has is only validated.

use crate::error::{CompileError, ErrorKind};
use crate::incremental::{self, Bundle, Kept, Key, Names, Reuse};
use crate::link::compiled::CompiledFunction;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::translate::{Buffers, FuncTranslator};
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context};
use precast_abi::index::FuncIndex;
use precast_abi::limits::UNCHECKED_FRAME;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{
    FuncToValidate, FuncValidator, FuncValidatorAllocations, OperatorsReader, ValidatorResources,
};

/// The code of a function, and the record for the store.
pub(crate) struct Done<'r> {
    pub(crate) function: CompiledFunction<'r>,
    pub(crate) kept: Option<Kept<'r>>,
    /// Whether the code comes from the store.
    pub(crate) found: bool,
}

/// Compiles every body, or finds its code in `reuse`. Neither the result nor the error depends on
/// the number of threads: the error is that of the first function that has one.
pub(crate) fn compile_all<'r>(
    plan: &Plan<'_>,
    isa: &dyn TargetIsa,
    settings: &Settings,
    reuse: Option<&'r Reuse>,
) -> Result<Vec<Done<'r>>, CompileError> {
    let bundles = reuse.map_or(Vec::new(), Reuse::bundles);
    let finder = || reuse.map(|reuse| Finder::new(plan, reuse, &bundles));
    let bodies = &plan.module.bodies;
    // Large bodies first, so that no thread starts one after the others have finished.
    let mut order: Vec<usize> = (0..bodies.len()).collect();
    order.sort_by_key(|&n| std::cmp::Reverse(bodies[n].body.as_bytes().len()));
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let first_error = AtomicUsize::new(usize::MAX);
    let results = Mutex::new(Vec::new());
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(bodies.len()) {
            scope.spawn(|_| {
                let mut worker = Worker::new(plan, isa, finder());
                let mut own = Vec::new();
                while let Some(&n) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if n > first_error.load(Ordering::Relaxed) {
                        continue;
                    }
                    let result = catch_panic(worker.base(n), || worker.compile(n));
                    if result.is_err() {
                        first_error.fetch_min(n, Ordering::Relaxed);
                        worker = Worker::new(plan, isa, finder());
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

/// Turns a panic of the code generator into an error at `offset`: a module that triggers a bug
/// there must not end the host. The caller discards the state that `compile` changed.
fn catch_panic<T>(
    offset: u32,
    compile: impl FnOnce() -> Result<T, CompileError>,
) -> Result<T, CompileError> {
    panic::catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = format!("the code generator panicked: {}", text.unwrap_or("no message"));
        Err(CompileError::new(ErrorKind::Internal, offset as usize, message))
    })
}

/// The CLIF of every body, before optimisation.
pub(crate) fn clif(plan: &Plan<'_>, isa: &dyn TargetIsa) -> Result<String, CompileError> {
    let mut worker = Worker::new(plan, isa, None);
    let mut text = String::new();
    for n in 0..plan.module.bodies.len() {
        worker.translate(n, true, plan.checks_stack(n))?;
        if n > 0 {
            text.push('\n');
        }
        text.push_str(&worker.context.func.display().to_string());
    }
    Ok(text)
}

/// The machine code of the last body, as text and as bytes.
#[cfg(test)]
pub(crate) fn disassembly(
    plan: &Plan<'_>,
    isa: &dyn TargetIsa,
) -> Result<(String, Vec<u8>), CompileError> {
    let mut worker = Worker::new(plan, isa, None);
    worker.context.set_disasm(true);
    worker.translate(plan.module.bodies.len() - 1, true, false)?;
    worker.context.set_disasm(true);
    worker.generate(plan.module.bodies.len() - 1)?;
    let compiled = worker.context.compiled_code().expect("it was just compiled");
    Ok((compiled.vcode.clone().unwrap_or_default(), compiled.code_buffer().to_vec()))
}

/// The state of one thread for finding functions in bundles.
struct Finder<'p, 'r> {
    key: incremental::KeyWriter<'p>,
    bundles: Vec<Bundle<'r>>,
}

impl<'p, 'r: 'p> Finder<'p, 'r> {
    fn new(plan: &'p Plan<'p>, reuse: &'r Reuse, bundles: &[Bundle<'r>]) -> Self {
        let key = incremental::KeyWriter::new(plan, &reuse.environment);
        Finder { key, bundles: bundles.to_vec() }
    }

    fn names<'n>(&'n self, plan: &'n Plan<'_>) -> Names<'n> {
        Names { ids: &plan.ids, callees: &self.key.callees, data: &self.key.data }
    }

    /// Finds the function whose key was written last.
    fn find(&self, plan: &Plan<'_>, key: &Key, base: u32) -> Option<Done<'r>> {
        let precise = || self.key.with_elements(key);
        let names = self.names(plan);
        let mut found = self.bundles.iter().filter_map(|b| b.find(key, precise, &names, base));
        let (function, kept) = found.next()?;
        Some(Done { function, kept: Some(kept), found: true })
    }
}

/// The state of one thread, reused for every function.
struct Worker<'p, 'r> {
    plan: &'p Plan<'p>,
    isa: &'p dyn TargetIsa,
    context: Context,
    buffers: Buffers,
    validator: FuncValidatorAllocations,
    finder: Option<Finder<'p, 'r>>,
}

impl<'p, 'r: 'p> Worker<'p, 'r> {
    fn new(plan: &'p Plan<'p>, isa: &'p dyn TargetIsa, finder: Option<Finder<'p, 'r>>) -> Self {
        Worker {
            plan,
            isa,
            context: Context::new(),
            buffers: Buffers::default(),
            validator: FuncValidatorAllocations::default(),
            finder,
        }
    }

    /// Compiles the `n`th defined function or finds its code. Validates it in both cases.
    fn compile(&mut self, n: usize) -> Result<Done<'r>, CompileError> {
        if self.finder.is_none() {
            let (function, _) = self.build(n, true)?;
            return Ok(Done { function, kept: None, found: false });
        }
        let key = self.validate(n)?;
        let base = self.base(n);
        let finder = self.finder.as_ref().expect("it was just there");
        if let Some(found) = key.and_then(|key| finder.find(self.plan, &key, base)) {
            return Ok(found);
        }
        let (function, knows_element) = self.build(n, false)?;
        let finder = self.finder.as_ref().expect("it was just there");
        let kept = key.and_then(|key| {
            let precise = knows_element.then(|| finder.key.with_elements(&key));
            Kept::new(key, precise, &function, &finder.names(self.plan))
        });
        Ok(Done { function, kept, found: false })
    }

    /// Offset of a body in the file.
    fn base(&self, n: usize) -> u32 {
        self.plan.module.bodies[n].body.range().start as u32
    }

    /// Translates and compiles a body; also returns whether the code depends on an element of a
    /// constant table. A function without a stack check whose frame turns out to be large is
    /// compiled again with one.
    fn build(
        &mut self,
        n: usize,
        validate: bool,
    ) -> Result<(CompiledFunction<'r>, bool), CompileError> {
        let checks_stack = self.plan.checks_stack(n);
        let mut knows_element = self.translate(n, validate, checks_stack)?;
        let mut function = self.generate(n)?;
        if !checks_stack && function.frame > UNCHECKED_FRAME as u32 {
            knows_element = self.translate(n, false, true)?;
            function = self.generate(n)?;
        }
        Ok((function, knows_element))
    }

    /// Compiles the CLIF in the context.
    fn generate(&mut self, n: usize) -> Result<CompiledFunction<'r>, CompileError> {
        let base = self.base(n);
        self.context
            .compile(self.isa, &mut ControlPlane::default())
            .map_err(|error| codegen_error(&error.inner, base as usize))?;
        let compiled = self.context.compiled_code().expect("it was just compiled");
        let id = self.plan.ids.defined(n as u32);
        Ok(CompiledFunction::new(compiled, &self.context.func, id, base))
    }

    fn validator(&mut self, n: usize) -> FuncValidator<ValidatorResources> {
        let module = self.plan.module;
        let resources = module.resources.clone();
        FuncToValidate {
            resources: resources.expect("a module with bodies has them"),
            index: module.func_imports + n as u32,
            ty: module.bodies[n].ty.0,
            features: module.features,
        }
        .into_validator(std::mem::take(&mut self.validator))
    }

    /// Validates a body and computes its key, if it can have one.
    fn validate(&mut self, n: usize) -> Result<Option<Key>, CompileError> {
        let module = self.plan.module;
        let body = &module.bodies[n].body;
        let mut validator = self.validator(n);
        let key = &mut self.finder.as_mut().expect("only with a store").key;
        key.begin(n);
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            validator.define_locals(offset, count, ty)?;
        }
        let mut reader = locals.get_binary_reader();
        reader.set_features(module.features);
        let mut ops = OperatorsReader::new(reader);
        let base = body.range().start;
        while !ops.eof() {
            let (op, offset) = ops.read_with_offset()?;
            validator.op(offset, &op)?;
            let (start, end) = (offset - base, ops.original_position() - base);
            key.operator(&op, start as usize, end as usize);
        }
        ops.finish()?;
        self.validator = validator.into_allocations();
        Ok(key.finish())
    }

    /// Translates a body to CLIF in the context, and validates it if `validate` says so. Returns
    /// whether the code depends on an element of a constant table.
    fn translate(
        &mut self,
        n: usize,
        validate: bool,
        checks_stack: bool,
    ) -> Result<bool, CompileError> {
        let module = self.plan.module;
        let body = &module.bodies[n].body;
        let index = FuncIndex(module.func_imports + n as u32);
        let mut validator = validate.then(|| self.validator(n));
        self.context.clear();
        let func = &mut self.context.func;
        let mut translator =
            FuncTranslator::new(self.plan, index, checks_stack, func, &mut self.buffers);
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            if let Some(validator) = &mut validator {
                validator.define_locals(offset, count, ty)?;
            }
            translator.locals(count, ty);
        }
        let mut reader = locals.get_binary_reader();
        reader.set_features(module.features);
        let mut ops = OperatorsReader::new(reader);
        while !ops.eof() {
            let (op, offset) = ops.read_with_offset()?;
            if let Some(validator) = &mut validator {
                validator.op(offset, &op)?;
            }
            translator.operator(offset as u32, &op)?;
        }
        ops.finish()?;
        let knows_element = translator.finish(self.isa.frontend_config());
        if let Some(validator) = validator {
            self.validator = validator.into_allocations();
        }
        Ok(knows_element)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_a_place() {
        let error = catch_panic::<()>(7, || panic!("no rule matched for {}", "v3")).unwrap_err();
        assert_eq!((error.kind, error.offset), (ErrorKind::Internal, 7));
        assert!(error.to_string().contains("no rule matched for v3"), "{error}");
        assert!(catch_panic(0, || Ok(1)).is_ok());
    }
}
