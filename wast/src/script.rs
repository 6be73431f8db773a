//! The state of a running script, and the execution of directives.

use std::collections::HashMap;

use wast::token::Id;
use wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, Wat};

use crate::outcome::{Outcome, must_not_compile, must_not_link, must_trap};
use crate::renewal::{Fixed, Renewal};
use crate::{Options, expect, spectest};
use precast::{CompiledModule, Error, Instance, Namespace, Runtime};

/// The modules and instances that a script has created so far.
pub(super) struct Script<'r> {
    runtime: &'r Runtime,
    namespace: Box<Namespace>,
    /// The instance that directives without a name refer to.
    current: Option<Instance>,
    instances: HashMap<String, Instance>,
    /// Definitions by name; `module instance` without a name refers to the one without a name.
    definitions: HashMap<Option<String>, CompiledModule>,
    renewal: Renewal,
    fixed: Fixed,
}

impl<'r> Script<'r> {
    /// A script with only the host module `spectest`.
    pub(super) fn new(runtime: &'r Runtime, options: Options) -> Result<Self, Error> {
        let mut namespace = runtime.namespace();
        namespace.instantiate_host(&spectest::module(runtime, options.verbose)?)?;
        Ok(Script {
            runtime,
            namespace,
            current: None,
            instances: HashMap::new(),
            definitions: HashMap::new(),
            renewal: options.renewal,
            fixed: Fixed::default(),
        })
    }

    /// Executes a directive. The error is the actual outcome.
    pub(super) fn run(&mut self, directive: WastDirective<'_>) -> Result<(), String> {
        match directive {
            WastDirective::Module(wat) => self.module(wat),
            WastDirective::ModuleDefinition(wat) => self.define(wat),
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.instance_of(instance, module)
            }
            WastDirective::Register { name, module, .. } => self.register(name, module),
            WastDirective::Invoke(invoke) => {
                self.invoke(&invoke)?.map(drop).map_err(|e| e.to_string())
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let values = self.execute(exec)?.map_err(|e| e.to_string())?;
                expect::results(&self.namespace, &values, &results)
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                must_trap(self.execute(exec)?, message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                must_trap(self.invoke(&call)?, message)
            }
            WastDirective::AssertException { exec, .. } => {
                must_trap(self.execute(exec)?, "uncaught exception")
            }
            WastDirective::AssertInvalid { module, .. }
            | WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalidCustom { module, .. }
            | WastDirective::AssertMalformedCustom { module, .. } => self.must_be_refused(module),
            WastDirective::AssertUnlinkable { module, .. } => {
                let module = self.compile(QuoteWat::Wat(module))?.map_err(|e| e.to_string())?;
                must_not_link(self.namespace.instantiate(&module))
            }
            WastDirective::AssertSuspension { .. } => {
                Err("stack switching is not supported".into())
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                Err("threads are not supported".into())
            }
        }
    }

    /// Compiles a module. The outer error means that its text cannot be converted to bytes.
    fn compile(&self, mut wat: QuoteWat<'_>) -> Result<Result<CompiledModule, Error>, String> {
        let wasm = wat.encode().map_err(|e| e.message())?;
        Ok(self.runtime.compile(&wasm))
    }

    fn module(&mut self, wat: QuoteWat<'_>) -> Result<(), String> {
        let name = wat.name();
        // Even after a failure, the following directives do not refer to the module before.
        self.current = None;
        let module = self.compile(wat)?.map_err(|e| e.to_string())?;
        self.set_current(name, &module)
    }

    fn define(&mut self, wat: QuoteWat<'_>) -> Result<(), String> {
        let name = wat.name().map(|id| id.name().to_owned());
        let module = self.compile(wat)?.map_err(|e| e.to_string())?;
        self.definitions.insert(None, module.clone());
        self.definitions.insert(name, module);
        Ok(())
    }

    fn instance_of(&mut self, name: Option<Id<'_>>, module: Option<Id<'_>>) -> Result<(), String> {
        let key = module.map(|id| id.name().to_owned());
        let module = self.definitions.get(&key).cloned();
        let module = module.ok_or_else(|| format!("no module definition {key:?}"))?;
        self.set_current(name, &module)
    }

    fn set_current(&mut self, name: Option<Id<'_>>, module: &CompiledModule) -> Result<(), String> {
        let instance = self.namespace.instantiate(module).map_err(|e| e.to_string())?;
        if self.renewal == Renewal::Reset {
            instance.reset(&mut self.namespace).map_err(|e| format!("the reset failed: {e}"))?;
        }
        self.current = Some(instance);
        if let Some(name) = name {
            self.instances.insert(name.name().to_owned(), instance);
        }
        Ok(())
    }

    fn register(&mut self, name: &str, module: Option<Id<'_>>) -> Result<(), String> {
        let instance = self.find(module)?;
        self.namespace.register(name, instance);
        self.fixed.register(instance);
        Ok(())
    }

    fn find(&self, name: Option<Id<'_>>) -> Result<Instance, String> {
        match name {
            None => self.current.ok_or_else(|| "no module before this".to_owned()),
            Some(id) => {
                let instance = self.instances.get(id.name()).copied();
                instance.ok_or_else(|| format!("no instance ${}", id.name()))
            }
        }
    }

    /// The instance of an action.
    fn find_for_action(&mut self, name: Option<Id<'_>>) -> Result<Instance, String> {
        let instance = self.find(name)?;
        if self.renewal != Renewal::Snapshot {
            return Ok(instance);
        }
        let Some(renewed) = self.fixed.snapshot(&mut self.namespace, instance)? else {
            return Ok(instance);
        };
        let named = self.instances.values_mut();
        let all = named.chain(self.current.as_mut()).filter(|other| **other == instance);
        all.for_each(|other| *other = renewed);
        Ok(renewed)
    }

    /// Executes an action. The outer error means that the script refers to something that does not
    /// exist, which no assertion expects.
    fn execute(&mut self, action: WastExecute<'_>) -> Result<Outcome, String> {
        match action {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Get { module, global, .. } => {
                let instance = self.find_for_action(module)?;
                let global = instance
                    .global(&self.namespace, global)
                    .ok_or_else(|| format!("no exported global \"{global}\""))?;
                Ok(Ok(vec![global.get(&self.namespace).unwrap()]))
            }
            WastExecute::Wat(wat) => self.instantiate(wat),
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Outcome, String> {
        let func = self
            .find_for_action(invoke.module)?
            .func(&self.namespace, invoke.name)
            .ok_or_else(|| format!("no exported function \"{}\"", invoke.name))?;
        let args = invoke
            .args
            .iter()
            .map(|arg| expect::argument(&mut self.namespace, arg))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(func.call(&mut self.namespace, &args))
    }

    /// Instantiates a module to which no later directive can refer.
    fn instantiate(&mut self, wat: Wat<'_>) -> Result<Outcome, String> {
        let module = self.compile(QuoteWat::Wat(wat))?.map_err(|e| e.to_string())?;
        Ok(self.namespace.instantiate(&module).map(|_| Vec::new()))
    }

    /// Text that cannot be converted to bytes counts as refused, like bytes that do not validate.
    fn must_be_refused(&self, wat: QuoteWat<'_>) -> Result<(), String> {
        match self.compile(wat) {
            Err(_) => Ok(()),
            Ok(outcome) => must_not_compile(outcome),
        }
    }
}
