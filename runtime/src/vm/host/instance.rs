//! An instance of a host module: its state and its exports.

use super::{Env, HostFuncDef, States, TypedStates};
use crate::vm::entity::{Entity, FuncEntity, GlobalEntity, HostFunc};
use crate::vm::memory::MemoryData;
use crate::vm::shared::Shared;
use crate::vm::table::TableData;
use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

/// An instance of a host module.
pub(crate) struct HostInstance {
    /// Made by `states`, which drops it.
    state: *mut (),
    states: Arc<Shared<dyn States>>,
    /// Environments of the functions whose closures have captures, by function.
    envs: Vec<Env>,
    funcs: Arc<Shared<HostFuncs>>,
    pub(in crate::vm) tables: Vec<(String, Box<TableData>)>,
    pub(in crate::vm) memories: Vec<(String, Box<MemoryData>)>,
    globals: Vec<(String, Box<u128>, GlobalEntity)>,
}

/// The functions of a host module.
#[derive(Clone, Default)]
pub(crate) struct HostFuncs {
    pub(crate) defs: Vec<Arc<HostFuncDef>>,
    pub(crate) by_name: HashMap<String, u32>,
}

impl HostFuncs {
    /// Adds a function, or replaces the one that has its name.
    pub(crate) fn define(&mut self, name: &str, def: Arc<HostFuncDef>) -> u32 {
        match self.by_name.get(name) {
            Some(&index) => {
                self.defs[index as usize] = def;
                index
            }
            None => {
                let index = self.push(def);
                self.by_name.insert(name.to_owned(), index);
                index
            }
        }
    }

    /// Adds a function without a name, and gives its index.
    pub(crate) fn push(&mut self, def: Arc<HostFuncDef>) -> u32 {
        self.defs.push(def);
        self.defs.len() as u32 - 1
    }
}

impl HostInstance {
    /// An instance with functions for the states of `states`.
    pub(crate) fn new(funcs: Arc<Shared<HostFuncs>>, states: Arc<Shared<dyn States>>) -> Self {
        let state = states.make();
        let captures = funcs.defs.iter().any(|def| !def.stateful_only);
        let envs = match captures {
            true => funcs.defs.iter().map(|def| Env { def: Arc::as_ptr(def), state }).collect(),
            false => Vec::new(),
        };
        HostInstance {
            state,
            states,
            envs,
            funcs,
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
        }
    }

    /// An instance with functions that have no state.
    pub(crate) fn stateless(funcs: Arc<Shared<HostFuncs>>) -> Self {
        static STATES: OnceLock<Arc<Shared<dyn States>>> = OnceLock::new();
        let states = STATES.get_or_init(|| Shared::new(Arc::new(TypedStates::new(|| (), None))));
        HostInstance::new(funcs, states.for_thread())
    }

    /// Whether a function of this instance has an environment.
    pub(in crate::vm) fn has_env(&self, env: *const ()) -> bool {
        let envs = self.envs.as_ptr_range();
        std::ptr::eq(env, self.state) || envs.contains(&env.cast())
    }

    /// Puts a new state in the place of the state.
    pub(in crate::vm) fn renew_state(&mut self) {
        // SAFETY: invariant of the field. No host function runs, so nothing refers to the state.
        unsafe { self.states.renew(self.state) }
    }

    /// Whether a snapshot of an instance that uses the state has all that the instance relies on; else
    /// the reason why not.
    pub(in crate::vm) fn check_snapshot(&mut self) -> Result<(), String> {
        // SAFETY: as in `renew_state`.
        unsafe { self.states.check_snapshot(self.state) }
    }

    pub(crate) fn add_table(&mut self, name: &str, table: TableData) {
        self.tables.push((name.to_owned(), Box::new(table)));
    }

    pub(crate) fn add_memory(&mut self, name: &str, memory: MemoryData) {
        self.memories.push((name.to_owned(), Box::new(memory)));
    }

    pub(crate) fn add_global(&mut self, name: &str, raw: u128, ty: precast_abi::types::GlobalType) {
        let mut value = Box::new(raw);
        let at: *mut u128 = &mut *value;
        self.globals.push((name.to_owned(), value, GlobalEntity { at: at.cast(), ty }));
    }

    /// The function at an index of [`HostFuncs::defs`].
    pub(in crate::vm) fn func(&self, index: u32) -> Entity {
        let def = &*self.funcs.defs[index as usize];
        let env = match def.stateful_only {
            true => self.state,
            false => (&raw const self.envs[index as usize]).cast_mut().cast(),
        };
        Entity::Func(FuncEntity::Host(HostFunc { def: NonNull::from(def), env }))
    }

    pub(in crate::vm) fn export(&self, name: &str) -> Option<Entity> {
        if let Some(&index) = self.funcs.by_name.get(name) {
            return Some(self.func(index));
        }
        self.items().find(|(n, _)| *n == name).map(|(_, entity)| entity)
    }

    /// The exports that are no functions.
    fn items(&self) -> impl Iterator<Item = (&str, Entity)> {
        let memories = self.memories.iter().map(|(name, memory)| {
            (name.as_str(), Entity::Memory((&raw const **memory).cast_mut()))
        });
        let tables = self
            .tables
            .iter()
            .map(|(name, table)| (name.as_str(), Entity::Table((&raw const **table).cast_mut())));
        let globals =
            self.globals.iter().map(|(name, _, global)| (name.as_str(), Entity::Global(*global)));
        memories.chain(tables).chain(globals)
    }

    pub(in crate::vm) fn exports(&self) -> Vec<(String, Entity)> {
        let funcs = &self.funcs.by_name;
        let funcs = funcs.iter().map(|(name, &index)| (name.as_str(), self.func(index)));
        let all = funcs.chain(self.items());
        all.map(|(name, entity)| (name.to_owned(), entity)).collect()
    }
}

impl Drop for HostInstance {
    fn drop(&mut self) {
        // SAFETY: invariant of the field; the state is dropped once.
        unsafe { self.states.free(self.state) }
    }
}
