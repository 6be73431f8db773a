//! Reset and snapshot of an instance, with the states of the host modules that it uses.

use super::Store;
use super::instances::Instance;
use crate::error::{Error, ErrorKind, SnapshotError};
use crate::vm::entity::FuncEntity;
use crate::vm::host::HostInstance;
use crate::vm::instance::ModuleInstance;

impl Store {
    /// Gives an instance the state that it had before its start function ran, and gives that function.
    /// The host modules whose functions it imports get new states.
    ///
    /// # Errors
    ///
    /// When a call runs, and those of [`ModuleInstance::reset`]. After these the instance is unusable.
    pub(crate) fn reset(&mut self, instance: u32) -> Result<Option<FuncEntity>, Error> {
        self.check_idle(instance)?;
        if self.imports_unusable(instance) {
            return Err(ErrorKind::Interrupted.into());
        }
        for host in self.hosts_of(instance) {
            if let Instance::Host(host) = &mut self.instances[host] {
                host.renew_state();
            }
        }
        let before = self.sizes_of(instance);
        let start = match &mut self.instances[instance as usize] {
            Instance::Host(_) => Ok(None),
            Instance::Module(instance) => instance.reset().map(|()| instance.start_func()),
        };
        self.count_reset(before, self.sizes_of(instance));
        self.set_unusable(instance, start.is_err());
        start
    }

    /// Says that the start function of an instance that was reset has failed.
    pub(crate) fn reset_failed(&mut self, instance: u32) {
        self.set_unusable(instance, true);
    }

    /// The artifact of a module whose instances start in the state of an instance.
    ///
    /// # Errors
    ///
    /// When a call runs, when the instance is unusable, and [`ErrorKind::Snapshot`].
    pub(crate) fn snapshot(&mut self, instance: u32) -> Result<Vec<u8>, Error> {
        self.check_idle(instance)?;
        if self.is_interrupted(instance) {
            return Err(ErrorKind::Interrupted.into());
        }
        for host in self.hosts_of(instance) {
            if let Instance::Host(host) = &mut self.instances[host] {
                host.check_snapshot().map_err(SnapshotError::HostState)?;
            }
        }
        match &self.instances[instance as usize] {
            Instance::Host(_) => Err(SnapshotError::HostModule.into()),
            Instance::Module(instance) => Ok(instance.snapshot()?),
        }
    }

    /// Checks that the store is open and has the instance, and that no call runs.
    fn check_idle(&self, instance: u32) -> Result<(), Error> {
        self.check_open()?;
        if self.depth > 0 {
            return Err(ErrorKind::Invalid("a call is running in the namespace".to_owned()).into());
        }
        if self.removed.contains(instance) {
            return Err(ErrorKind::NotFound("the instance was removed".to_owned()).into());
        }
        Ok(())
    }

    /// The positions of the host modules' instances whose functions an instance imports; its own if it
    /// is one.
    fn hosts_of(&self, instance: u32) -> Vec<usize> {
        let user = match &self.instances[instance as usize] {
            Instance::Host(_) => return vec![instance as usize],
            Instance::Module(user) => user,
        };
        let uses = |host: &HostInstance| imports_from(user, host);
        let all = self.instances.iter().enumerate();
        let hosts = all.filter(|(_, one)| matches!(one, Instance::Host(host) if uses(host)));
        hosts.map(|(at, _)| at).collect()
    }
}

/// Whether an instance imports a function of a host module's instance.
fn imports_from(user: &ModuleInstance, host: &HostInstance) -> bool {
    user.imported_funcs.iter().any(|func| match func {
        FuncEntity::Host(func) => host.has_env(func.env),
        FuncEntity::Wasm(_) => false,
    })
}
