//! The resources of a store: what its memories and tables use, their limits, and their growth.

use super::Store;
use super::instances::Instance;
use crate::error::{Error, ErrorKind};
use crate::vm::code::Module;
use crate::vm::host::HostInstance;
use crate::vm::memory::MemoryData;
use crate::vm::table::{RawRef, TableData};
use precast_abi::artifact::{MemoryDesc, Section, TableDesc};
use precast_abi::limits::WASM_PAGE;
use precast_abi::store_context::MOST_FUEL;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// No limit.
pub(crate) const UNLIMITED: u64 = u64::MAX;

/// Sizes of memories and tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) memory_bytes: u64,
    pub(crate) table_elements: u64,
}

impl Sizes {
    const UNLIMITED: Sizes = Sizes { memory_bytes: UNLIMITED, table_elements: UNLIMITED };

    fn get(&self, resource: Resource) -> u64 {
        match resource {
            Resource::Memory => self.memory_bytes,
            Resource::Table => self.table_elements,
        }
    }

    fn get_mut(&mut self, resource: Resource) -> &mut u64 {
        match resource {
            Resource::Memory => &mut self.memory_bytes,
            Resource::Table => &mut self.table_elements,
        }
    }

    fn add(&mut self, other: Sizes) {
        self.memory_bytes += other.memory_bytes;
        self.table_elements += other.table_elements;
    }
}

/// The limits of a store and of each of its instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ResourceLimits {
    pub(crate) namespace: Sizes,
    pub(crate) instance: Sizes,
    pub(crate) instances: u64,
    /// `usize::MAX` for the engine's.
    pub(crate) stack_bytes: usize,
}

impl Default for ResourceLimits {
    fn default() -> Self {
        ResourceLimits {
            namespace: Sizes::UNLIMITED,
            instance: Sizes::UNLIMITED,
            instances: UNLIMITED,
            stack_bytes: usize::MAX,
        }
    }
}

/// A kind of resource that grows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Resource {
    /// A memory. Its sizes are in bytes.
    Memory,
    /// A table. Its sizes are in elements.
    Table,
}

/// The growth of a memory or a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Growth {
    /// What grows.
    pub resource: Resource,
    /// The size now, in bytes or elements.
    pub current: u64,
    /// The size that is asked for, in bytes or elements.
    pub desired: u64,
    /// The maximum that the type declares, in bytes or elements.
    pub maximum: Option<u64>,
}

/// A growth that was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct GrowthRefused {
    /// The growth.
    pub growth: Growth,
    /// Who refused it.
    pub by: RefusedBy,
}

/// Who refused a growth.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum RefusedBy {
    /// The maximum of the type, or the largest size that a memory or table may have.
    Type,
    /// The limit of the instance.
    InstanceLimit,
    /// The limit of the namespace.
    NamespaceLimit,
    /// [`ResourceLimiter::may_grow`].
    Limiter,
    /// The system, which has too little memory.
    System,
}

/// Decides whether memories and tables may grow. The runtime also calls it after a growth was refused.
/// It does not call it for the sizes that memories and tables have when they are created.
///
/// A function that panics refuses the growth.
pub trait ResourceLimiter: Any + Send {
    /// Whether a memory or a table may grow. Asked after the limits of the type, of the instance and
    /// of the namespace allow it.
    fn may_grow(&mut self, growth: &Growth) -> bool {
        let _ = growth;
        true
    }

    /// Called after a growth was refused, whoever refused it.
    fn refused(&mut self, refused: &GrowthRefused) {
        let _ = refused;
    }
}

/// The memory that an instance takes, in bytes. What it imports belongs to another instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// The sizes of the memories that the instance defines.
    pub memories: u64,
    /// The part of the memories that is in the machine's memory now: pages that were written, and
    /// pages of initial bytes that were read. None if the system does not tell.
    pub resident: Option<u64>,
    /// The elements of the tables that the instance defines, and the room for more that they have.
    pub tables: u64,
    /// The state that machine code uses besides: globals, imports and records of functions.
    pub context: u64,
}

/// The resources of a store.
#[derive(Default)]
pub(super) struct Resources {
    limits: ResourceLimits,
    used: Sizes,
    instances: u64,
    limiter: Option<Box<dyn ResourceLimiter>>,
    /// The fuel that the host gave last; none before it gave any.
    fuel: Option<u64>,
}

impl Resources {
    pub(super) fn clear(&mut self) {
        self.used = Sizes::default();
        self.instances = 0;
        self.limiter = None;
    }
}

impl Store {
    /// Sets the limits.
    pub(crate) fn set_limits(&mut self, limits: ResourceLimits) {
        self.resources.limits = limits;
        self.stack = self.engine.stack().with_guest(limits.stack_bytes);
    }

    /// Gives the guests so much fuel, in place of what is left.
    pub(crate) fn set_fuel(&mut self, fuel: u64) {
        let fuel = fuel.min(MOST_FUEL);
        self.context.fuel_used = u64::MAX - fuel;
        self.resources.fuel = Some(fuel);
    }

    /// The operators that the guests have executed since they were given fuel, or at all.
    pub(crate) fn fuel_consumed(&self) -> u64 {
        self.resources.fuel.unwrap_or(MOST_FUEL) - self.fuel()
    }

    /// The fuel that is left.
    pub(crate) fn fuel(&self) -> u64 {
        u64::MAX - self.context.fuel_used
    }

    /// No fuel is left: a guest has stopped for lack of it.
    pub(crate) fn exhaust_fuel(&mut self) {
        self.context.fuel_used = u64::MAX;
    }

    /// Checks that the code of a module counts operators if the host has given fuel.
    pub(super) fn check_fuel(&self, module: &Module) -> Result<(), Error> {
        if self.resources.fuel.is_some() && module.info().counts_fuel == 0 {
            let message = "the namespace has fuel, and the module was compiled without";
            return Err(ErrorKind::Unsupported(message.to_owned()).into());
        }
        Ok(())
    }

    /// What all memories and tables use.
    pub(crate) fn usage(&self) -> Sizes {
        self.resources.used
    }

    pub(crate) fn set_limiter(&mut self, limiter: impl ResourceLimiter) {
        self.resources.limiter = Some(Box::new(limiter));
    }

    pub(crate) fn limiter<L: ResourceLimiter>(&self) -> Option<&L> {
        let limiter: &dyn Any = &**self.resources.limiter.as_ref()?;
        limiter.downcast_ref()
    }

    pub(crate) fn limiter_mut<L: ResourceLimiter>(&mut self) -> Option<&mut L> {
        let limiter: &mut dyn Any = &mut **self.resources.limiter.as_mut()?;
        limiter.downcast_mut()
    }

    /// The memory that an instance takes; none in a closed store.
    pub(crate) fn instance_usage(&self, instance: u32) -> Option<MemoryUsage> {
        if self.is_closed() {
            return None;
        }
        let (memories, tables, context): (Vec<&MemoryData>, Vec<&TableData>, u32) =
            match self.instances.get(instance as usize)? {
                Instance::Module(instance) => (
                    instance.own_memories.iter().map(|memory| &**memory).collect(),
                    instance.own_tables.iter().map(|table| &**table).collect(),
                    instance.module.info().vmctx_size,
                ),
                Instance::Host(host) => (
                    host.memories.iter().map(|(_, memory)| &**memory).collect(),
                    host.tables.iter().map(|(_, table)| &**table).collect(),
                    0,
                ),
            };
        Some(MemoryUsage {
            memories: memories.iter().map(|memory| memory.pages() * WASM_PAGE).sum(),
            resident: memories.iter().map(|memory| memory.resident_bytes()).sum(),
            tables: tables.iter().map(|table| table.capacity_bytes() as u64).sum(),
            context: context.into(),
        })
    }

    /// Counts what an instance of a module uses first.
    ///
    /// # Errors
    ///
    /// When that exceeds a limit. Then nothing is counted.
    pub(super) fn count_instance(&mut self, module: &Module) -> Result<(), Error> {
        let Resources { limits, used, instances, .. } = &mut self.resources;
        let new = declared(module);
        if *instances >= limits.instances {
            let limit = limits.instances;
            return Err(ErrorKind::Limit(format!("more than {limit} instances")).into());
        }
        for resource in [Resource::Memory, Resource::Table] {
            let (new, total) =
                (new.get(resource), used.get(resource).saturating_add(new.get(resource)));
            exceeds(resource, new, limits.instance.get(resource), " of an instance")?;
            exceeds(resource, total, limits.namespace.get(resource), "")?;
        }
        used.add(new);
        *instances += 1;
        Ok(())
    }

    /// Takes back [`Store::count_instance`] for an instance that could not be made.
    pub(super) fn uncount_instance(&mut self, module: &Module) {
        let new = declared(module);
        let Resources { used, instances, .. } = &mut self.resources;
        used.memory_bytes -= new.memory_bytes;
        used.table_elements -= new.table_elements;
        *instances -= 1;
    }

    /// Counts what an instance of a host module uses first.
    pub(super) fn count_host(&mut self, host: &HostInstance) {
        self.resources.used.add(host_sizes(host));
    }

    /// Says that an instance was removed.
    pub(super) fn count_removed(&mut self, instance: u32) {
        if let Instance::Module(_) = &self.instances[instance as usize] {
            self.resources.instances -= 1;
        }
    }

    /// What the memories and tables of a module's instance use now.
    pub(super) fn sizes_of(&self, instance: u32) -> Sizes {
        let Instance::Module(instance) = &self.instances[instance as usize] else {
            return Sizes::default();
        };
        let pages = instance.own_memories.iter().map(|memory| memory.pages());
        let elements = instance.own_tables.iter().map(|table| table.size());
        Sizes { memory_bytes: pages.sum::<u64>() * WASM_PAGE, table_elements: elements.sum() }
    }

    /// Says that the memories and tables of an instance, which used `before`, use `after`.
    pub(super) fn count_reset(&mut self, before: Sizes, after: Sizes) {
        let Resources { used, .. } = &mut self.resources;
        used.memory_bytes = used.memory_bytes - before.memory_bytes + after.memory_bytes;
        used.table_elements = used.table_elements - before.table_elements + after.table_elements;
    }

    /// Says that the memories of a removed instance, which had so many bytes, are freed.
    pub(super) fn count_released(&mut self, bytes: u64) {
        self.resources.used.memory_bytes -= bytes;
    }

    /// Grows a memory of this store by pages, and gives its old size; none when it cannot grow.
    pub(crate) fn grow_memory(&mut self, memory: *mut MemoryData, pages: u64) -> Option<u64> {
        // SAFETY: invariant **store**; nothing else refers to the memory.
        let (now, limits) = unsafe { ((*memory).pages(), (*memory).memory_type().limits) };
        let growth = Growth {
            resource: Resource::Memory,
            current: now * WASM_PAGE,
            desired: now.saturating_add(pages).saturating_mul(WASM_PAGE),
            maximum: limits.max.map(|max| max.saturating_mul(WASM_PAGE)),
        };
        // SAFETY: as above.
        let can = unsafe { (*memory).can_grow(pages) };
        // SAFETY: as above.
        self.grow(growth, can, memory as usize, || unsafe { (*memory).grow(pages) })
    }

    /// Grows a table of this store by elements, and gives its old size; none when it cannot grow.
    ///
    /// # Safety
    ///
    /// `value` is a reference of the table's type and of this store.
    pub(in crate::vm) unsafe fn grow_elements(
        &mut self,
        table: *mut TableData,
        elements: u64,
        value: RawRef,
    ) -> Option<u64> {
        // SAFETY: invariant **store**; nothing else refers to the table.
        let limits = unsafe { (*table).table_type().limits };
        let growth = Growth {
            resource: Resource::Table,
            current: limits.min,
            desired: limits.min.saturating_add(elements),
            maximum: limits.max,
        };
        // SAFETY: as above.
        let can = unsafe { (*table).can_grow(elements) };
        // SAFETY: as above, and by the contract.
        self.grow(growth, can, table as usize, || unsafe { (*table).grow(elements, value) })
    }

    /// Grows something at an address if everybody allows it.
    fn grow(
        &mut self,
        growth: Growth,
        type_allows: bool,
        at: usize,
        grow: impl FnOnce() -> Option<u64>,
    ) -> Option<u64> {
        let refused = |by| Err(GrowthRefused { growth, by });
        let allowed = if type_allows { self.allow(growth, at) } else { refused(RefusedBy::Type) };
        let system = GrowthRefused { growth, by: RefusedBy::System };
        let grown = allowed.and_then(|()| grow().ok_or(system));
        match grown {
            Ok(old) => {
                *self.resources.used.get_mut(growth.resource) += growth.desired - growth.current;
                Some(old)
            }
            Err(refused) => {
                if let Some(limiter) = &mut self.resources.limiter {
                    let _ = catch_unwind(AssertUnwindSafe(|| limiter.refused(&refused)));
                }
                None
            }
        }
    }

    /// Whether the limits and the limiter allow a growth.
    fn allow(&mut self, growth: Growth, at: usize) -> Result<(), GrowthRefused> {
        let refused = |by| Err(GrowthRefused { growth, by });
        let (resource, more) = (growth.resource, growth.desired - growth.current);
        let Resources { limits, used, .. } = &self.resources;
        let limit = limits.instance.get(resource);
        if limit != UNLIMITED
            && let Some(uses) = self.owner_uses(resource, at)
            && uses.saturating_add(more) > limit
        {
            return refused(RefusedBy::InstanceLimit);
        }
        if used.get(resource).saturating_add(more) > limits.namespace.get(resource) {
            return refused(RefusedBy::NamespaceLimit);
        }
        if let Some(limiter) = &mut self.resources.limiter
            && !catch_unwind(AssertUnwindSafe(|| limiter.may_grow(&growth))).unwrap_or(false)
        {
            return refused(RefusedBy::Limiter);
        }
        Ok(())
    }

    /// What the module's instance uses that has the memory or the table at an address. None for those
    /// of the host, which belong to no module: only the limit of the namespace counts.
    fn owner_uses(&self, resource: Resource, at: usize) -> Option<u64> {
        let uses = |instance: &Instance| match (instance, resource) {
            (Instance::Module(instance), Resource::Memory) => {
                let own = instance.own_memories.iter();
                sum_if_owned(at, own.map(|m| (&raw const **m as usize, m.pages() * WASM_PAGE)))
            }
            (Instance::Module(instance), Resource::Table) => {
                let own = instance.own_tables.iter();
                sum_if_owned(at, own.map(|t| (&raw const **t as usize, t.table_type().limits.min)))
            }
            (Instance::Host(_), _) => None,
        };
        self.instances.iter().find_map(uses)
    }
}

/// The sum of the sizes, if one of them is at the address.
fn sum_if_owned(at: usize, own: impl Iterator<Item = (usize, u64)> + Clone) -> Option<u64> {
    let owned = own.clone().any(|(address, _)| address == at);
    owned.then(|| own.map(|(_, size)| size).sum())
}

/// What an instance of a module uses first.
fn declared(module: &Module) -> Sizes {
    let info = module.info();
    let memories: &[MemoryDesc] = module.records(Section::Memories);
    let tables: &[TableDesc] = module.records(Section::Tables);
    let pages = memories.iter().skip(info.memory_imports as usize).map(|memory| memory.min);
    let elements = tables.iter().skip(info.table_imports as usize).map(|table| table.min);
    Sizes { memory_bytes: pages.sum::<u64>() * WASM_PAGE, table_elements: elements.sum() }
}

fn host_sizes(host: &HostInstance) -> Sizes {
    Sizes {
        memory_bytes: host.memories.iter().map(|(_, memory)| memory.pages() * WASM_PAGE).sum(),
        table_elements: host.tables.iter().map(|(_, table)| table.table_type().limits.min).sum(),
    }
}

fn exceeds(resource: Resource, size: u64, limit: u64, of: &str) -> Result<(), Error> {
    if size <= limit {
        return Ok(());
    }
    let what = match resource {
        Resource::Memory => "bytes of memories",
        Resource::Table => "elements of tables",
    };
    Err(ErrorKind::Limit(format!("{size} {what}{of} are more than the limit of {limit}")).into())
}
