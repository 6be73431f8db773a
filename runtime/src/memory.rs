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

    /// Its type, with its size now as the minimum.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`], as all functions here.
    ///
    /// # Panics
    ///
    /// When the namespace is another one, as all functions here.
    pub fn ty(&self, namespace: &Namespace) -> Result<MemoryType, Error> {
        Ok(self.get(namespace)?.memory_type())
    }

    /// Its size in pages of 64 KiB.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn size(&self, namespace: &Namespace) -> Result<u64, Error> {
        Ok(self.get(namespace)?.pages())
    }

    /// Grows it by `pages` and gives its old size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] when it may not grow so far or the machine has no memory,
    /// [`ErrorKind::Closed`].
    pub fn grow(&self, namespace: &mut Namespace, pages: u64) -> Result<u64, Error> {
        let memory = self.get_mut(namespace)?;
        let (size, max) = (memory.pages(), memory.memory_type().limits);
        let failed =
            || ErrorKind::Limit(format!("a memory of {size} pages ({max}) cannot grow by {pages}"));
        Ok(memory.grow(pages).ok_or_else(failed)?)
    }

    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn data<'a>(&self, namespace: &'a Namespace) -> Result<&'a [u8], Error> {
        self.get(namespace).map(MemoryData::bytes)
    }

    /// Its bytes, to write.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Closed`].
    pub fn data_mut<'a>(&self, namespace: &'a mut Namespace) -> Result<&'a mut [u8], Error> {
        self.get_mut(namespace).map(MemoryData::bytes_mut)
    }

    /// Copies bytes out.
    ///
    /// # Errors
    ///
    /// An out-of-bounds trap when they do not all lie in memory; [`ErrorKind::Closed`].
    pub fn read(&self, namespace: &Namespace, offset: u64, to: &mut [u8]) -> Result<(), Error> {
        let data = self.data(namespace)?;
        let from = usize::try_from(offset).ok().and_then(|at| data.get(at..)?.get(..to.len()));
        to.copy_from_slice(from.ok_or_else(out_of_bounds)?);
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    ///
    /// An out-of-bounds trap when they do not all fit, and nothing is written; [`ErrorKind::Closed`].
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
