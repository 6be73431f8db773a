//! An encoder for the part of the binary format that the generator needs.

/// Bytes of a part of a module.
#[derive(Clone, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn byte(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// An unsigned number.
    pub(crate) fn number(&mut self, number: impl TryInto<u64>) -> &mut Self {
        let mut rest = number.try_into().unwrap_or(0);
        while rest > 0x7f {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8)
    }

    /// A signed number.
    pub(crate) fn signed(&mut self, number: i64) -> &mut Self {
        let mut rest = number;
        while !(-64..64).contains(&rest) {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8 & 0x7f)
    }

    /// A name.
    pub(crate) fn name(&mut self, name: &str) -> &mut Self {
        self.number(name.len()).bytes(name.as_bytes())
    }

    /// Bytes, preceded by their length.
    pub(crate) fn sized(&mut self, inner: &Bytes) -> &mut Self {
        self.number(inner.0.len()).bytes(&inner.0)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Entries of a section.
#[derive(Clone, Default)]
pub(crate) struct Entries {
    pub(crate) bytes: Bytes,
    pub(crate) count: u32,
}

impl Entries {
    /// Starts the next entry.
    pub(crate) fn add(&mut self) -> &mut Bytes {
        self.count += 1;
        &mut self.bytes
    }

    /// Writes the section, unless it is empty.
    pub(crate) fn section(&self, id: u8, module: &mut Bytes) {
        if self.count > 0 {
            let mut section = Bytes::default();
            section.number(self.count).bytes(&self.bytes.0);
            module.byte(id).sized(&section);
        }
    }
}
