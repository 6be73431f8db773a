//! Linear memories.

use crate::error::{Error, ErrorKind};
use crate::namespace::Namespace;
use crate::vm::entity::StorePtr;
use crate::vm::memory::MemoryData;
use precast_abi::trap::TrapCode;
use precast_abi::types::MemoryType;

/// A handle on a linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    pub(crate) store: u64,
    pub(crate) data: StorePtr<MemoryData>,
}

impl Memory {
    pub(crate) fn from_raw(store: u64, data: *mut MemoryData) -> Self {
        Memory { store, data: StorePtr::new(data) }
    }

    fn get<'a>(&self, namespace: &'a Namespace) -> Result<&'a MemoryData, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        self.data.get(namespace.store()).ok_or_else(Error::closed_namespace)
    }

    fn get_mut<'a>(&self, namespace: &'a mut Namespace) -> Result<&'a mut MemoryData, Error> {
        namespace.own(self.store);
        namespace.store().check_open()?;
        self.data.get_mut(namespace.store_mut()).ok_or_else(Error::closed_namespace)
    }

    /// The memory's type, with its current size as the minimum.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], as for all functions of a memory.
    ///
    /// # Panics
    ///
    /// If the memory belongs to another namespace, as for all functions of a memory.
    pub fn ty(&self, namespace: &Namespace) -> Result<MemoryType, Error> {
        Ok(self.get(namespace)?.memory_type())
    }

    /// The size in pages of 64 KiB.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn size(&self, namespace: &Namespace) -> Result<u64, Error> {
        Ok(self.get(namespace)?.pages())
    }

    /// Grows the memory by `pages` and returns its old size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the new size exceeds the maximum or a limit of the namespace, if its
    /// limiter refuses it, or if the system has too little memory; [`ErrorKind::Closed`].
    pub fn grow(&self, namespace: &mut Namespace, pages: u64) -> Result<u64, Error> {
        let memory = self.get(namespace)?;
        let (size, max) = (memory.pages(), memory.memory_type().limits);
        let failed =
            || ErrorKind::Limit(format!("a memory of {size} pages ({max}) cannot grow by {pages}"));
        let grown = namespace.store_mut().grow_memory(self.data.as_ptr(), pages);
        Ok(grown.ok_or_else(failed)?)
    }

    /// The bytes of the memory.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn data<'a>(&self, namespace: &'a Namespace) -> Result<&'a [u8], Error> {
        self.get(namespace).map(MemoryData::bytes)
    }

    /// The bytes of the memory, for writing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn data_mut<'a>(&self, namespace: &'a mut Namespace) -> Result<&'a mut [u8], Error> {
        self.get_mut(namespace).map(MemoryData::bytes_mut)
    }

    /// Copies bytes from the memory at `offset` to `to`.
    ///
    /// # Errors
    ///
    /// An out-of-bounds trap if the range is not within the memory; [`ErrorKind::Closed`].
    pub fn read(&self, namespace: &Namespace, offset: u64, to: &mut [u8]) -> Result<(), Error> {
        let data = self.data(namespace)?;
        let from = usize::try_from(offset).ok().and_then(|at| data.get(at..)?.get(..to.len()));
        to.copy_from_slice(from.ok_or_else(out_of_bounds)?);
        Ok(())
    }

    /// Copies bytes from `from` to the memory at `offset`.
    ///
    /// # Errors
    ///
    /// An out-of-bounds trap if the range is not within the memory, in which case nothing is
    /// written; [`ErrorKind::Closed`].
    pub fn write(&self, namespace: &mut Namespace, offset: u64, from: &[u8]) -> Result<(), Error> {
        let data = self.data_mut(namespace)?;
        let at = usize::try_from(offset).ok();
        let to = at.and_then(|at| data.get_mut(at..)?.get_mut(..from.len()));
        to.ok_or_else(out_of_bounds)?.copy_from_slice(from);
        Ok(())
    }
}

fn out_of_bounds() -> Error {
    crate::trap::Trap::new(TrapCode::MemoryOutOfBounds, None, Vec::new()).into()
}
