//! Tables: their elements, and the definition that machine code reads.

mod entries;

use crate::vm::instance::context::{FuncRef, TableDef};
use crate::vm::speculation::range;
use crate::vm::table::entries::{Entries, Entry};
use precast_abi::limits::TABLE_MAX_ELEMENTS;
use precast_abi::types::{Limits, RefType, TableType};
use std::io;
use std::ptr;

/// A reference as machine code holds it: the address of a [`FuncRef`], or an external
/// reference's number; zero is null.
pub(crate) type RawRef = u64;

enum Elements {
    Funcs(Entries<FuncRef>),
    Externs(Entries<RawRef>),
}

// SAFETY: a record whose fields are null pointers and a zero; 32 bytes.
unsafe impl Entry for FuncRef {
    const NULL: Self = FuncRef::NULL;

    fn is_null(&self) -> bool {
        self.this.is_null()
    }
}

// SAFETY: null is zero; 8 bytes.
unsafe impl Entry for RawRef {
    const NULL: Self = 0;

    fn is_null(&self) -> bool {
        *self == 0
    }
}

/// A table and its elements.
///
/// Invariant: `def` holds the address and the length of the elements, and lives as long as this;
/// every entry of functions is null or a copy of the live record it refers to.
pub(crate) struct TableData {
    def: *mut TableDef,
    elements: Elements,
    max: Option<u64>,
    _own_def: Option<Box<TableDef>>,
}

impl TableData {
    /// A table of nulls whose definition is a field of its instance's context.
    ///
    /// # Errors
    ///
    /// When it is larger than tables may be, or the machine lacks memory.
    ///
    /// # Safety
    ///
    /// `def` is that field, and lives as long as the table.
    pub(in crate::vm) unsafe fn in_context(def: *mut TableDef, ty: TableType) -> io::Result<Self> {
        let mut table = TableData::unpublished(def, ty, None)?;
        // SAFETY: by the contract.
        unsafe { table.publish() };
        Ok(table)
    }

    /// A table of nulls that belongs to no module.
    ///
    /// # Errors
    ///
    /// As [`TableData::in_context`].
    pub(crate) fn new(ty: TableType) -> io::Result<Self> {
        let mut own = Box::new(TableDef { base: ptr::null_mut(), len: 0 });
        let mut table = TableData::unpublished(&mut *own, ty, Some(own))?;
        // SAFETY: `def` points into the box the table owns.
        unsafe { table.publish() };
        Ok(table)
    }

    fn unpublished(
        def: *mut TableDef,
        ty: TableType,
        own: Option<Box<TableDef>>,
    ) -> io::Result<Self> {
        let min = ty.limits.min;
        if min > TABLE_MAX_ELEMENTS {
            let reason = format!("{min} elements are more than {TABLE_MAX_ELEMENTS}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let elements = match ty.element {
            RefType::FUNCREF => Elements::Funcs(Entries::new(min as usize)?),
            _ => Elements::Externs(Entries::new(min as usize)?),
        };
        Ok(TableData { def, elements, max: ty.limits.max, _own_def: own })
    }

    /// Writes the address and the length of the elements to the definition.
    ///
    /// # Safety
    ///
    /// `def` is valid for writes.
    unsafe fn publish(&mut self) {
        let (base, len) = match &mut self.elements {
            Elements::Funcs(funcs) => (funcs.as_mut_ptr().cast(), funcs.len()),
            Elements::Externs(externs) => (externs.as_mut_ptr().cast(), externs.len()),
        };
        // SAFETY: by the contract.
        unsafe { self.def.write(TableDef { base, len: len as u64 }) };
    }

    /// Makes it a table of `min` nulls again; false if it has grown.
    pub(in crate::vm) fn reset(&mut self, min: u64) -> bool {
        if self.size() != min {
            return false;
        }
        match &mut self.elements {
            Elements::Funcs(funcs) => funcs.clear(0..min as usize),
            Elements::Externs(externs) => externs.clear(0..min as usize),
        }
        true
    }

    /// Bytes of memory that its elements take, and those for which it has room.
    pub(in crate::vm) fn capacity_bytes(&self) -> usize {
        match &self.elements {
            Elements::Funcs(funcs) => funcs.capacity_bytes(),
            Elements::Externs(externs) => externs.capacity_bytes(),
        }
    }

    /// The definition that machine code reads.
    pub(crate) fn def(&self) -> *mut TableDef {
        self.def
    }

    /// Its size in elements.
    pub(crate) fn size(&self) -> u64 {
        match &self.elements {
            Elements::Funcs(funcs) => funcs.len() as u64,
            Elements::Externs(externs) => externs.len() as u64,
        }
    }

    /// Its type, with its size now as the minimum.
    pub(crate) fn table_type(&self) -> TableType {
        let element = match self.elements {
            Elements::Funcs(_) => RefType::FUNCREF,
            Elements::Externs(_) => RefType::EXTERNREF,
        };
        TableType::new(element, Limits::new(self.size(), self.max))
    }

    /// The element at `index`.
    pub(crate) fn get(&self, index: u64) -> Option<RawRef> {
        let index = usize::try_from(index).ok()?;
        match &self.elements {
            Elements::Funcs(funcs) => funcs.get(index).map(|entry| entry.this as u64),
            Elements::Externs(externs) => externs.get(index).copied(),
        }
    }

    /// Sets `len` elements from `start` on to `value`; false when out of bounds.
    ///
    /// # Safety
    ///
    /// `value` is a reference of the table's type.
    #[must_use]
    pub(in crate::vm) unsafe fn fill(&mut self, start: u64, value: RawRef, len: u64) -> bool {
        let Some(range) = range(start, len, self.size()) else {
            return false;
        };
        match &mut self.elements {
            Elements::Funcs(funcs) if value == 0 => funcs.clear(range),
            Elements::Externs(externs) if value == 0 => externs.clear(range),
            // SAFETY: by the contract.
            Elements::Funcs(funcs) => funcs[range].fill(unsafe { entry(value) }),
            Elements::Externs(externs) => externs[range].fill(value),
        }
        true
    }

    /// Sets the elements from `start` on. False when out of bounds; then nothing is set.
    ///
    /// # Safety
    ///
    /// `values` are references of the table's type.
    #[must_use]
    pub(in crate::vm) unsafe fn set_all(
        &mut self,
        start: u64,
        values: impl ExactSizeIterator<Item = RawRef>,
    ) -> bool {
        let Some(range) = range(start, values.len() as u64, self.size()) else {
            return false;
        };
        match &mut self.elements {
            Elements::Funcs(funcs) => {
                for (to, value) in funcs[range].iter_mut().zip(values) {
                    // SAFETY: by the contract.
                    *to = unsafe { entry(value) };
                }
            }
            Elements::Externs(externs) => {
                for (to, value) in externs[range].iter_mut().zip(values) {
                    *to = value;
                }
            }
        }
        true
    }

    /// Whether its type lets it grow by so many elements.
    pub(in crate::vm) fn can_grow(&self, delta: u64) -> bool {
        self.size().checked_add(delta).is_some_and(|new| new <= self.most())
    }

    /// The most elements that it may have.
    fn most(&self) -> u64 {
        self.max.unwrap_or(u64::MAX).min(TABLE_MAX_ELEMENTS)
    }

    /// Grows it by `delta` elements of `value` and gives its old size; none when it cannot grow.
    ///
    /// # Safety
    ///
    /// `value` is a reference of the table's type.
    pub(in crate::vm) unsafe fn grow(&mut self, delta: u64, value: RawRef) -> Option<u64> {
        let old = self.size();
        if !self.can_grow(delta) {
            return None;
        }
        let (new, most) = (old + delta, self.most());
        let grown = match &mut self.elements {
            Elements::Funcs(funcs) => funcs.grow(new as usize, most as usize),
            Elements::Externs(externs) => externs.grow(new as usize, most as usize),
        };
        grown.ok()?;
        // SAFETY: invariant of the type.
        unsafe { self.publish() };
        if value != 0 {
            // SAFETY: by the contract.
            let filled = unsafe { self.fill(old, value, delta) };
            debug_assert!(filled, "a table holds what it grew by");
        }
        Some(old)
    }

    /// Does `table.copy` from `source` to `target`, which may be the same table. False when a range is
    /// out of bounds; then nothing is copied.
    ///
    /// # Safety
    ///
    /// Both are live tables of one element type, to which no other reference exists.
    #[must_use]
    pub(in crate::vm) unsafe fn copy(
        target: *mut TableData,
        source: *mut TableData,
        to: u64,
        from: u64,
        len: u64,
    ) -> bool {
        // SAFETY: by the contract; the shared borrows end before anything is written.
        let (target_size, source_size) = unsafe { ((*target).size(), (*source).size()) };
        let to = range(to, len, target_size);
        let from = range(from, len, source_size);
        let (Some(to), Some(from)) = (to, from) else {
            return false;
        };
        // SAFETY: by the contract, and both definitions are live.
        let (base_to, base_from, size) = unsafe {
            let size = match (*target).elements {
                Elements::Funcs(_) => size_of::<FuncRef>(),
                Elements::Externs(_) => size_of::<RawRef>(),
            };
            ((*(*target).def).base, (*(*source).def).base, size)
        };
        // SAFETY: both ranges were checked against the lengths of the elements.
        unsafe {
            ptr::copy(
                base_from.add(from.start * size),
                base_to.add(to.start * size),
                from.len() * size,
            );
        }
        true
    }
}

/// The table entry of a function reference.
///
/// # Safety
///
/// `value` is null or the address of a live record.
unsafe fn entry(value: RawRef) -> FuncRef {
    match value {
        0 => FuncRef::NULL,
        // SAFETY: by the contract.
        address => unsafe { *(address as *const FuncRef) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn externs(min: u64, max: Option<u64>) -> TableData {
        TableData::new(TableType::new(RefType::EXTERNREF, Limits::new(min, max))).unwrap()
    }

    fn all(table: &TableData) -> Vec<RawRef> {
        (0..table.size()).map(|n| table.get(n).unwrap()).collect()
    }

    /// Sets the elements, which external references do not need to exist for.
    fn set(table: &mut TableData, start: u64, values: &[RawRef]) -> bool {
        // SAFETY: any number is an external reference.
        unsafe { table.set_all(start, values.iter().copied()) }
    }

    #[test]
    fn a_table_grows_up_to_its_maximum() {
        let mut table = externs(2, Some(5));
        // SAFETY: any number is an external reference.
        let mut grow = |delta, value| unsafe { table.grow(delta, value) };
        assert_eq!(grow(2, 9), Some(2));
        assert_eq!(grow(2, 9), None);
        assert_eq!(grow(u64::MAX, 9), None);
        assert_eq!(grow(1, 0), Some(4));
        assert_eq!(grow(0, 9), Some(5));
        assert_eq!(all(&table), [0, 0, 9, 9, 0]);
        assert_eq!((table.get(5), table.get(u64::MAX)), (None, None));
        let ty = TableType::new(RefType::EXTERNREF, Limits::new(5, Some(5)));
        assert_eq!(table.table_type(), ty);
        // SAFETY: the table lives.
        assert_eq!(unsafe { (*table.def()).len }, 5);
    }

    #[test]
    fn no_table_has_more_elements_than_tables_may_have() {
        let most = TABLE_MAX_ELEMENTS;
        let ty = TableType::new(RefType::FUNCREF, Limits::new(most + 1, None));
        let error = TableData::new(ty).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let mut table = externs(1, None);
        // SAFETY: null is a reference.
        assert_eq!(unsafe { table.grow(most, 0) }, None);
        assert_eq!(table.size(), 1);
    }

    #[test]
    fn what_is_out_of_bounds_changes_nothing() {
        let mut table = externs(4, None);
        assert!(set(&mut table, 0, &[1, 2, 3, 4]));
        assert!(!set(&mut table, 2, &[7, 7, 7]));
        assert!(!set(&mut table, u64::MAX, &[7, 7]));
        assert!(!set(&mut table, 5, &[]));
        assert!(set(&mut table, 4, &[]));
        for (start, len) in [(0, 5), (4, 1), (5, 0), (1, u64::MAX), (u64::MAX, 1)] {
            for value in [0, 7] {
                // SAFETY: any number is an external reference.
                assert!(!unsafe { table.fill(start, value, len) }, "{start} {len}");
            }
        }
        let mut copy = |to, from, len| {
            let table = &raw mut table;
            // SAFETY: the table lives, and nothing else refers to it.
            unsafe { TableData::copy(table, table, to, from, len) }
        };
        assert!(!copy(2, 0, 3) && !copy(0, 2, 3) && !copy(5, 0, 0) && !copy(0, 5, 0));
        assert!(!copy(1, 1, u64::MAX));
        assert!(copy(4, 4, 0));
        assert_eq!(all(&table), [1, 2, 3, 4]);
    }

    #[test]
    fn copies_within_a_table_may_overlap() {
        for (to, from, expected) in [(1, 0, [1, 1, 2, 3, 5]), (0, 1, [2, 3, 4, 4, 5])] {
            let mut table = externs(5, None);
            assert!(set(&mut table, 0, &[1, 2, 3, 4, 5]));
            let at = &raw mut table;
            // SAFETY: the table lives, and nothing else refers to it.
            assert!(unsafe { TableData::copy(at, at, to, from, 3) });
            assert_eq!(all(&table), expected);
        }
    }

    #[test]
    fn an_entry_of_functions_is_a_copy_of_its_record() {
        let mut record = Box::new(FuncRef { ty: 5, ..FuncRef::NULL });
        record.this = &*record;
        let value = record.this as RawRef;
        let ty = TableType::new(RefType::FUNCREF, Limits::new(3, None));
        let mut table = TableData::new(ty).unwrap();
        // SAFETY: the record lives.
        assert!(unsafe { table.fill(1, value, 2) });
        assert_eq!(all(&table), [0, value, value]);
        // SAFETY: null is a reference.
        assert!(unsafe { table.fill(2, 0, 1) });
        assert_eq!(all(&table), [0, value, 0]);
    }
}
