//! Instances that cannot be used: an interrupted call has left them in an unknown state, or a reset has
//! failed.

use super::Store;
use super::instances::Instance;
use crate::vm::entity::FuncEntity;
use crate::vm::instance::ModuleInstance;
use std::collections::HashSet;
use std::sync::atomic::Ordering;

impl Store {
    /// Whether an instance imports from one that is unusable.
    pub(super) fn imports_unusable(&self, instance: u32) -> bool {
        let Instance::Module(instance) = &self.instances[instance as usize] else { return false };
        let imported = imports(instance);
        let has = |other: &u32| match &self.instances[*other as usize] {
            Instance::Module(other) => has_any(other, &imported),
            Instance::Host(_) => false,
        };
        self.interruption.unusable.iter().any(has)
    }

    /// Says whether an instance is unusable, apart from those that are linked to it.
    pub(super) fn set_unusable(&mut self, instance: u32, yes: bool) {
        let unusable = &mut self.interruption.unusable;
        if yes {
            self.attention = true;
            unusable.insert(instance);
        } else {
            unusable.remove(&instance);
        }
        self.interruption.any_unusable.store(!unusable.is_empty(), Ordering::Relaxed);
    }

    /// Makes an instance unusable, and those that are linked to it: they import from each other, or
    /// from the same instances, directly or not.
    pub(super) fn make_unusable(&mut self, instance: u32) {
        self.attention = true;
        self.interruption.any_unusable.store(true, Ordering::Relaxed);
        let links: Vec<Vec<usize>> = self.instances.iter().map(links).collect();
        let mut reached: HashSet<usize> = HashSet::new();
        let mut open = vec![instance];
        while let Some(at) = open.pop() {
            if !self.interruption.unusable.insert(at) {
                continue;
            }
            reached.extend(&links[at as usize]);
            let linked = |links: &[usize]| links.iter().any(|link| reached.contains(link));
            open.extend((0..).zip(&links).filter(|(_, links)| linked(links)).map(|(at, _)| at));
            open.retain(|at| !self.interruption.unusable.contains(at));
        }
    }
}

/// The addresses of all that an instance has or imports: contexts of functions, memories, tables and
/// globals. Instances with a common address are linked.
fn links(instance: &Instance) -> Vec<usize> {
    let Instance::Module(instance) = instance else { return Vec::new() };
    let memories = instance.memories.iter().map(|&memory| memory as usize);
    let tables = instance.tables.iter().map(|&table| table as usize).filter(|&table| table != 0);
    let globals = instance.globals().map(|global| global.at as usize);
    let own = instance.ctx.as_ptr() as usize;
    let own = std::iter::once(own).chain(memories).chain(tables).chain(globals);
    imported_contexts(instance).chain(own).collect()
}

/// The contexts of the functions that an instance imports.
fn imported_contexts(instance: &ModuleInstance) -> impl Iterator<Item = usize> {
    instance.imported_funcs.iter().filter_map(|func| match func {
        FuncEntity::Wasm(func) => Some(func.ctx.as_ptr() as usize),
        FuncEntity::Host(_) => None,
    })
}

/// The addresses of all that an instance imports.
fn imports(instance: &ModuleInstance) -> HashSet<usize> {
    let info = instance.module.info();
    let memories = instance.memories.iter().take(info.memory_imports as usize);
    let tables = instance.tables.iter().take(info.table_imports as usize);
    let globals = instance.globals().take(info.global_imports as usize);
    imported_contexts(instance)
        .chain(memories.map(|&memory| memory as usize))
        .chain(tables.map(|&table| table as usize))
        .chain(globals.map(|global| global.at as usize))
        .collect()
}

/// Whether an instance has something at one of the addresses that it does not import itself.
fn has_any(instance: &ModuleInstance, addresses: &HashSet<usize>) -> bool {
    let is_in = |address: usize| addresses.contains(&address);
    let globals = instance.globals().skip(instance.module.info().global_imports as usize);
    is_in(instance.ctx.as_ptr() as usize)
        || instance.own_memories.iter().any(|memory| is_in(&raw const **memory as usize))
        || instance.own_tables.iter().any(|table| is_in(&raw const **table as usize))
        || globals.into_iter().any(|global| is_in(global.at as usize))
}
