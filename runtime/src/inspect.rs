//! Inspection of artifacts, including those for other machines or by other versions of precast.

use crate::error::Error;
use crate::interface::{ExportType, ImportType, Interface};
use crate::seal;
use precast_abi::artifact::{Artifact, FormatError, FuncDesc, Place, Section, StrRef};
use zerocopy::IntoBytes;

/// The contents of an artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The version of the format.
    pub version: u32,
    /// The compiler that made the artifact, with its version.
    pub compiler: String,
    /// The target machine.
    pub target: String,
    /// The CPU features that the code needs.
    pub features: Vec<String>,
    /// A hash of the memory layouts that the code relies on.
    pub tunables: u64,
    /// A hash of the WebAssembly module (xxh3, 128 bits).
    pub wasm_hash: [u8; 16],
    /// The module's name, if it has one.
    pub name: Option<String>,
    /// Whether its instances start in the state of an instance that has run.
    pub is_snapshot: bool,
    /// The size in bytes, without a seal.
    pub size: u64,
    /// Whether a seal follows the artifact. A check of the seal needs the key.
    pub sealed: bool,
    /// The sections, in the order of the file.
    pub sections: Vec<Part>,
    /// The functions that the module defines.
    pub functions: Vec<Function>,
    /// The imports.
    pub imports: Vec<ImportType>,
    /// The exports.
    pub exports: Vec<ExportType>,
}

/// A section of an artifact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// The offset in the file, in bytes.
    pub offset: u64,
    /// The size in bytes.
    pub size: u64,
    /// Whether the section is undamaged.
    pub whole: bool,
}

/// A function of an artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Function {
    /// The function's index in the module.
    pub index: u32,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// The offset of the code in the file, in bytes.
    pub offset: u64,
    /// The size of the code in bytes.
    pub size: u32,
}

impl Inspection {
    /// Inspects the bytes of an artifact, including one that cannot be loaded on this machine. A
    /// seal may follow it.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::Format`] if the bytes are not an artifact, if this version does not know
    /// the version of the format, or if the metadata is damaged.
    pub fn of(artifact: &[u8]) -> Result<Inspection, Error> {
        let artifact_and_seal = artifact.len();
        // Records are read in place, so they must be aligned.
        let mut aligned = vec![0u128; artifact.len().div_ceil(size_of::<u128>())];
        let bytes = &mut aligned.as_mut_bytes()[..artifact.len()];
        bytes.copy_from_slice(artifact);
        let bytes = seal::without_seal(bytes);
        let header = Artifact::peek(bytes).ok_or(FormatError::Magic)?;
        // The artifact is checked for its own target and version, so any producer is accepted.
        let artifact = Artifact::check(bytes, &header.producer)?;
        let reader = Reader { artifact: &artifact, bytes };
        let interface = Interface { artifact: &artifact, bytes };
        let features = String::from_utf8_lossy(artifact.bytes(bytes, Section::Features));
        Ok(Inspection {
            version: header.version,
            compiler: padded(&header.producer.compiler),
            target: padded(&header.producer.target),
            features: features.split(',').filter(|f| !f.is_empty()).map(str::to_owned).collect(),
            tunables: header.producer.tunables,
            wasm_hash: header.wasm_hash,
            name: reader.names().last().and_then(|&name| reader.name(name)),
            is_snapshot: artifact.info(bytes).is_snapshot != 0,
            size: header.file_len,
            sealed: bytes.len() < artifact_and_seal,
            sections: Section::ALL.iter().map(|&section| reader.part(section)).collect(),
            functions: reader.functions(),
            imports: interface.imports(),
            exports: interface.exports(),
        })
    }
}

struct Reader<'a> {
    artifact: &'a Artifact,
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn part(&self, section: Section) -> Part {
        let entry = self.artifact.entry(section);
        let hot = section.place() == Place::Hot;
        let whole = hot || self.artifact.is_whole(self.bytes, section);
        Part { name: section.name(), offset: entry.offset, size: entry.len, whole }
    }

    fn names(&self) -> &'a [StrRef] {
        self.artifact.records(self.bytes, Section::Names)
    }

    fn name(&self, at: StrRef) -> Option<String> {
        let names = self.artifact.bytes(self.bytes, Section::NameBytes);
        let name = names.get(at.offset as usize..)?.get(..at.len as usize)?;
        (!name.is_empty()).then(|| String::from_utf8_lossy(name).into_owned())
    }

    fn functions(&self) -> Vec<Function> {
        let imports = self.artifact.info(self.bytes).func_imports;
        let text = self.artifact.entry(Section::Text).offset;
        let functions: &[FuncDesc] = self.artifact.records(self.bytes, Section::Funcs);
        let describe = |(n, function): (u32, &FuncDesc)| {
            let index = imports.saturating_add(n);
            let name = self.names().get(index as usize).and_then(|&name| self.name(name));
            let offset = text + u64::from(function.start);
            Function { index, name, offset, size: function.len }
        };
        (0..).zip(functions).map(describe).collect()
    }
}

/// Text that is padded with zeros. Control characters are escaped, as they would confuse a
/// terminal.
fn padded(bytes: &[u8; 64]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').escape_debug().to_string()
}
