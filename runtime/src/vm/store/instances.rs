//! The instances of a store: adding them, their names, and their exports.

use super::Store;
use crate::error::Error;
use crate::vm::code::Module;
use crate::vm::entity::{Entity, FuncEntity};
use crate::vm::host::HostInstance;
use crate::vm::instance::{self, ModuleInstance};
use crate::vm::shared::Shared;
use precast_abi::vmctx;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An instance of a module or of a host module.
pub(super) enum Instance {
    Module(Box<ModuleInstance>),
    Host(Box<HostInstance>),
}

/// The instances of modules by the addresses of their contexts. Instances are added when one is
/// looked up, each once, so that an instantiation does nothing for the index.
#[derive(Default)]
pub(super) struct ContextIndex {
    instances: BTreeMap<usize, u32>,
    /// The number of the store's instances that were added.
    added: usize,
}

impl ContextIndex {
    pub(super) fn clear(&mut self) {
        *self = ContextIndex::default();
    }

    fn add_new(&mut self, instances: &[Instance]) {
        for (at, instance) in instances.iter().enumerate().skip(self.added) {
            if let Instance::Module(instance) = instance {
                self.instances.insert(instance.ctx.as_ptr() as usize, at as u32);
            }
        }
        self.added = instances.len();
    }
}

impl Store {
    pub(in crate::vm) fn next_index(&self) -> u32 {
        self.instances.len() as u32
    }

    /// Adds a host module's instance.
    pub(crate) fn add_host(&mut self, host: HostInstance) -> u32 {
        self.count_host(&host);
        self.instances.push(Instance::Host(Box::new(host)));
        self.next_index() - 1
    }

    /// Makes an instance of a module, runs its segments, and gives it with its start function.
    ///
    /// The caller has checked that the imports are in order and of the right types. What the instance
    /// uses is counted, if the limits allow it.
    pub(crate) fn instantiate(
        &mut self,
        module: &Arc<Shared<Module>>,
        imports: &[Entity],
    ) -> Result<(u32, Option<FuncEntity>), Error> {
        self.check_fuel(module)?;
        self.count_instance(module)?;
        // SAFETY: the caller looked the imports up in this store and checked them.
        let built = unsafe { instance::build(self, module, imports) };
        let instance = built.inspect_err(|_| self.uncount_instance(module))?;
        // An instance whose segments or start function trap stays: imported tables that it has
        // written to may refer to it.
        self.instances.push(Instance::Module(instance));
        let index = self.next_index() - 1;
        let Some(Instance::Module(instance)) = self.instances.last_mut() else { unreachable!() };
        instance.run_segments()?;
        Ok((index, instance.start_func()))
    }

    /// Gives an instance a name.
    pub(crate) fn name(&mut self, name: &str, instance: u32) {
        self.names.insert(name.into(), instance);
    }

    /// The instance with a name.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
    }

    /// The instance that a linker made for a provider.
    pub(crate) fn linked(&self, provider: u64) -> Option<u32> {
        let found = self.linked.iter().find(|(id, _)| *id == provider);
        found.map(|&(_, instance)| instance)
    }

    /// Says which instance a linker made for a provider.
    pub(crate) fn set_linked(&mut self, provider: u64, instance: u32) {
        self.linked.push((provider, instance));
    }

    /// An export of an instance; none of a removed one, and none in a closed store.
    pub(crate) fn export(&self, instance: u32, name: &str) -> Option<Entity> {
        if self.removed.contains(instance) {
            return None;
        }
        match self.instances.get(instance as usize)? {
            Instance::Module(instance) => instance.export(name),
            Instance::Host(host) => host.export(name),
        }
    }

    /// The export of a module's instance at a position among the module's; none in a closed store.
    pub(crate) fn export_at(&self, instance: u32, position: u32) -> Option<Entity> {
        match self.instances.get(instance as usize)? {
            Instance::Module(instance) => Some(instance.export_at(position)),
            Instance::Host(_) => None,
        }
    }

    /// The function of a host module's instance at a position; none in a closed store.
    pub(crate) fn host_func(&self, instance: u32, position: u32) -> Option<Entity> {
        match self.instances.get(instance as usize)? {
            Instance::Host(host) => Some(host.func(position)),
            Instance::Module(_) => None,
        }
    }

    /// All exports of an instance; none of a removed one.
    pub(crate) fn exports(&self, instance: u32) -> Vec<(String, Entity)> {
        if self.removed.contains(instance) {
            return Vec::new();
        }
        match self.instances.get(instance as usize) {
            Some(Instance::Module(instance)) => instance.exports(),
            Some(Instance::Host(host)) => host.exports(),
            None => Vec::new(),
        }
    }

    /// The table index of the uninitialised element that has just trapped, if the instance recorded
    /// one. The instance's context is in a register then: the store of the index uses it as its
    /// base, and the instruction behind that store traps.
    pub(in crate::vm) fn take_trap_operand(&mut self, registers: &[usize]) -> Option<u64> {
        self.contexts.add_new(&self.instances);
        let found = registers.iter().filter_map(|register| self.contexts.instances.get(register));
        found.copied().find_map(|at| {
            let Instance::Module(instance) = &self.instances[at as usize] else { return None };
            // SAFETY: invariant **context**.
            let operand: u64 = unsafe { instance.ctx.read(vmctx::TRAP_OPERAND) };
            // SAFETY: as above.
            unsafe { instance.ctx.write(vmctx::TRAP_OPERAND, 0u64) };
            operand.checked_sub(1)
        })
    }
}
