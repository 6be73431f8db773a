//! Renewal of instances: the script goes on with an instance that must behave like the one before.

use std::collections::HashSet;

use precast::{ErrorKind, Instance, Namespace};

/// How a script's instances are renewed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Renewal {
    /// Not at all.
    #[default]
    None,
    /// Each is reset once it is instantiated.
    Reset,
    /// Before some actions, an instance of a snapshot takes the place of the instance. Those whose state
    /// cannot be captured, and those from which others import, stay.
    Snapshot,
}

/// The instances that cannot be renewed.
#[derive(Default)]
pub(crate) struct Fixed {
    /// Those that have a name, by which others import from them.
    registered: HashSet<Instance>,
    /// The actions so far.
    actions: u32,
}

impl Fixed {
    /// Says that others can import from an instance.
    pub(crate) fn register(&mut self, instance: Instance) {
        self.registered.insert(instance);
    }

    /// An instance of a snapshot of an instance, before some actions; none before others, and if there can
    /// be none.
    pub(crate) fn snapshot(
        &mut self,
        namespace: &mut Namespace,
        instance: Instance,
    ) -> Result<Option<Instance>, String> {
        self.actions += 1;
        // Each snapshot takes address space, and scripts have thousands of actions.
        if !self.actions.is_power_of_two() || self.registered.contains(&instance) {
            return Ok(None);
        }
        let module = match instance.snapshot(namespace) {
            Ok(module) => module,
            Err(error) if matches!(error.kind(), ErrorKind::Snapshot(_)) => return Ok(None),
            Err(error) => return Err(format!("the snapshot failed: {error}")),
        };
        let renewed = namespace.instantiate(&module);
        renewed.map(Some).map_err(|error| format!("a snapshot cannot be instantiated: {error}"))
    }
}
