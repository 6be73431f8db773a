//! Removal of instances from a store.
//!
//! Handles, tables and other instances may refer to functions of an instance, so that its context
//! lives as long as the store. Removal frees the pages of its memories, which are nearly all that it
//! takes, and hides its exports.

use super::Store;
use super::instances::Instance;
use crate::vm::memory::MemoryData;
use precast_abi::limits::WASM_PAGE;
use std::collections::HashSet;

/// The instances of a store that were removed.
#[derive(Default)]
pub(super) struct Removed {
    instances: HashSet<u32>,
    /// Those with a memory that an instance which is not removed imports.
    in_use: Vec<u32>,
}

impl Removed {
    pub(super) fn contains(&self, instance: u32) -> bool {
        self.instances.contains(&instance)
    }

    pub(super) fn clear(&mut self) {
        *self = Removed::default();
    }
}

impl Store {
    /// Removes an instance: its names go, its exports are not found any more, and the pages of its
    /// memories are freed, at once or when the last instance that imports them is removed too.
    pub(crate) fn remove(&mut self, instance: u32) {
        if instance as usize >= self.instances.len() || !self.removed.instances.insert(instance) {
            return;
        }
        self.count_removed(instance);
        self.names.retain(|_, named| *named != instance);
        self.linked.retain(|(_, linked)| *linked != instance);
        self.removed.in_use.push(instance);
        for candidate in std::mem::take(&mut self.removed.in_use) {
            if self.is_imported_from(candidate) {
                self.removed.in_use.push(candidate);
            } else {
                self.release_memories(candidate);
            }
        }
    }

    fn release_memories(&mut self, instance: u32) {
        let mut released = 0;
        let mut release = |memory: &mut MemoryData| {
            released += memory.pages() * WASM_PAGE;
            memory.release();
        };
        match &mut self.instances[instance as usize] {
            Instance::Module(instance) => {
                instance.own_memories.iter_mut().for_each(|memory| release(memory));
            }
            Instance::Host(host) => {
                host.memories.iter_mut().for_each(|(_, memory)| release(memory));
            }
        }
        self.count_released(released);
    }

    /// Whether an instance that is not removed imports a memory of this one. Only later instances
    /// can.
    fn is_imported_from(&self, instance: u32) -> bool {
        let own: Vec<*const MemoryData> = match &self.instances[instance as usize] {
            Instance::Module(instance) => {
                instance.own_memories.iter().map(|m| &raw const **m).collect()
            }
            Instance::Host(host) => host.memories.iter().map(|(_, m)| &raw const **m).collect(),
        };
        let later = self.instances.iter().zip(0u32..).skip(instance as usize + 1);
        let mut kept = later.filter(|(_, at)| !self.removed.contains(*at));
        !own.is_empty()
            && kept.any(|(user, _)| match user {
                Instance::Module(user) => {
                    user.memories.iter().any(|m| own.contains(&m.cast_const()))
                }
                Instance::Host(_) => false,
            })
    }
}
