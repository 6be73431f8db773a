//! Code memory: an artifact that is mapped and checked, and whose text is executable.

use super::module::Module;
use super::registry::{self, CodeRange};
use crate::error::SealError;
use crate::vm::sys::{self, Fault};
use memmap2::{Mmap, MmapOptions};
use precast_abi::artifact::{Artifact, FormatError, HandlerDesc, Producer, Section};
use precast_abi::trap::TrapCode;
use region::Protection;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock, Weak};
#[cfg(feature = "cache")]
use zerocopy::IntoBytes;

/// Why an artifact could not be brought into memory.
#[derive(Debug)]
pub(crate) enum CodeError {
    Io(io::Error),
    Format(FormatError),
    Seal(SealError),
}

impl From<SealError> for CodeError {
    fn from(error: SealError) -> Self {
        CodeError::Seal(error)
    }
}

impl From<io::Error> for CodeError {
    fn from(error: io::Error) -> Self {
        CodeError::Io(error)
    }
}

/// A mapped artifact whose text can be executed.
///
/// Invariant **code**: the bytes are private and, after construction, never written.
pub(crate) struct CodeMemory {
    map: Bytes,
    file: File,
    artifact: Artifact,
    /// Whether the sections that describe traps are undamaged; checked at the first trap.
    traps_whole: OnceLock<bool>,
    /// The module that owns this, once there is one.
    module: OnceLock<Weak<Module>>,
}

/// The bytes of an artifact.
enum Bytes {
    /// The first bytes of a mapping of its file, as many as the number. A seal may follow them.
    Mapped(Mmap, usize),
    /// The first bytes that were read, as many as the number: an artifact without text need not be
    /// mapped.
    #[cfg(feature = "cache")]
    Read(Box<[u128]>, usize),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map, len) => &map[..*len],
            #[cfg(feature = "cache")]
            Bytes::Read(words, len) => &words.as_bytes()[..*len],
        }
    }
}

/// Maps a file that holds an artifact.
fn mapping(file: &File, options: &MmapOptions) -> io::Result<Mmap> {
    // SAFETY: the mapping is private. The file could still change under it, or shrink, if somebody
    // wrote to it in place. Nobody does: it is an anonymous file that only this process has; or a
    // file of a cache folder, which only its owner can write to and where files are only replaced by
    // renaming; or the caller of an unsafe function has promised it.
    unsafe { options.map_copy_read_only(file) }
}

impl CodeMemory {
    /// Maps the artifact at the start of `file`, a file that nobody else can change. `artifact_len`
    /// gives the artifact's length in the file's bytes, or refuses them. `all` says that every byte
    /// is about to be read.
    pub(crate) fn map(
        file: File,
        all: bool,
        artifact_len: impl Fn(&[u8]) -> Result<usize, SealError>,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        let mut options = MmapOptions::new();
        if all {
            options.populate();
        }
        let map = mapping(&file, &options)?;
        let len = artifact_len(&map)?;
        Self::mapped(map, len, file, expect)
    }

    /// Maps the artifact that is the first `len` bytes of `file`. `all` says that every byte is about
    /// to be read.
    #[cfg(feature = "cache")]
    pub(crate) fn map_start(
        file: File,
        len: u64,
        all: bool,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        let mut options = MmapOptions::new();
        options.len(usize::try_from(len).map_err(io::Error::other)?);
        if all {
            options.populate();
        }
        let map = mapping(&file, &options)?;
        let len = map.len();
        Self::mapped(map, len, file, expect)
    }

    /// Uses the artifact that is the first `len` bytes of `file` and has been read to `words`. The
    /// file is mapped only if there is code to execute.
    #[cfg(feature = "cache")]
    pub(crate) fn map_read(
        words: Box<[u128]>,
        len: u64,
        file: File,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        let artifact = words.as_bytes().get(..len).map(|bytes| Artifact::check(bytes, expect));
        let artifact = artifact.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)?;
        let artifact = artifact.map_err(CodeError::Format)?;
        let text = artifact.bytes(words.as_bytes(), Section::Text);
        let map = if text.is_empty() {
            Bytes::Read(words, len)
        } else {
            Bytes::Mapped(mapping(&file, MmapOptions::new().len(len))?, len)
        };
        Self::published(map, file, artifact)
    }

    fn mapped(
        map: Mmap,
        len: usize,
        file: File,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        let artifact = Artifact::check(&map[..len], expect).map_err(CodeError::Format)?;
        Self::published(Bytes::Mapped(map, len), file, artifact)
    }

    fn published(map: Bytes, file: File, artifact: Artifact) -> Result<Box<Self>, CodeError> {
        let code = Box::new(CodeMemory {
            map,
            file,
            artifact,
            traps_whole: OnceLock::new(),
            module: OnceLock::new(),
        });
        code.publish()?;
        Ok(code)
    }

    /// Brings an artifact into memory through an anonymous file, so that memory images can be mapped
    /// from it as from one on disk. The other arguments are as in [`CodeMemory::map`], and
    /// `artifact_len` is given the copy.
    pub(crate) fn copy(
        bytes: &[u8],
        all: bool,
        artifact_len: impl Fn(&[u8]) -> Result<usize, SealError>,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        if bytes.is_empty() {
            // An empty file cannot be mapped.
            artifact_len(bytes)?;
        }
        let mut file = sys::anonymous_file()?;
        file.write_all(bytes)?;
        Self::map(file, all, artifact_len, expect)
    }

    /// As [`CodeMemory::copy`], of the bytes of a file that was just opened, all of which are about
    /// to be read.
    pub(crate) fn copy_file(
        mut from: &File,
        artifact_len: impl Fn(&[u8]) -> Result<usize, SealError>,
        expect: &Producer,
    ) -> Result<Box<Self>, CodeError> {
        // A file that somebody appends to meanwhile might never end.
        let len = from.metadata()?.len();
        let mut file = sys::anonymous_file()?;
        if io::copy(&mut (&mut from).take(len), &mut file)? == 0 {
            // As in `copy`.
            artifact_len(&[])?;
        }
        Self::map(file, true, artifact_len, expect)
    }

    fn publish(&self) -> io::Result<()> {
        let text = self.section(Section::Text);
        if text.is_empty() {
            return Ok(());
        }
        // SAFETY: the text section is page-aligned inside our own mapping, which `Artifact::check`
        // verified; nothing but text is on these pages.
        unsafe { region::protect(text.as_ptr(), text.len(), Protection::READ_EXECUTE) }
            .map_err(io::Error::other)?;
        sys::publish_code();
        // SAFETY: Drop unregisters before any field is dropped, and the box does not move.
        unsafe { registry::register(text.as_ptr() as usize, text.len(), self) };
        Ok(())
    }

    /// Sets the module that owns this.
    pub(super) fn set_module(&self, module: &Arc<Module>) {
        let _ = self.module.set(Arc::downgrade(module));
    }

    /// The artifact's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The artifact's section table.
    pub(crate) fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The bytes of a section.
    pub(crate) fn section(&self, section: Section) -> &[u8] {
        self.artifact.bytes(&self.map, section)
    }

    /// The address of a text offset.
    pub(crate) fn text(&self, offset: u32) -> *const u8 {
        self.section(Section::Text).as_ptr().wrapping_add(offset as usize)
    }

    /// The file the artifact is mapped from.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The offset in the text of an address in this artifact's code; none for other addresses.
    pub(crate) fn offset_of(&self, pc: usize) -> Option<u32> {
        let text = self.section(Section::Text);
        let offset = pc.checked_sub(text.as_ptr() as usize)?;
        (offset < text.len()).then_some(offset as u32)
    }
}

impl CodeRange for CodeMemory {
    fn handler(&self, ret: u32) -> Option<HandlerDesc> {
        let handlers: &[HandlerDesc] = self.artifact.records(&self.map, Section::Handlers);
        handlers.binary_search_by_key(&ret, |h| h.ret).ok().map(|i| handlers[i])
    }

    fn trap(&self, offset: u32, fault: Fault) -> Option<TrapCode> {
        let whole = *self.traps_whole.get_or_init(|| {
            [Section::TrapOffsets, Section::TrapCodes]
                .iter()
                .all(|&s| self.artifact.is_whole(&self.map, s))
        });
        if !whole {
            // The table is damaged, but the guest must still be stopped.
            return Some(match fault {
                Fault::Memory(_) => TrapCode::MemoryOutOfBounds,
                Fault::Arithmetic => TrapCode::IntegerDivisionByZero,
                Fault::Instruction => TrapCode::Unreachable,
            });
        }
        let offsets: &[u32] = self.artifact.records(&self.map, Section::TrapOffsets);
        let at = offsets.binary_search(&offset).ok()?;
        TrapCode::from_raw(*self.section(Section::TrapCodes).get(at)?)
    }

    fn is_host_thunk(&self, offset: u32) -> bool {
        let thunks: &[u32] = self.artifact.records(&self.map, Section::HostThunks);
        thunks.contains(&offset)
    }

    fn module(&self) -> Option<Arc<Module>> {
        self.module.get()?.upgrade()
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        let text = self.section(Section::Text);
        if !text.is_empty() {
            registry::unregister(text.as_ptr() as usize);
        }
    }
}
