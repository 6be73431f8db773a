//! Bundles: the machine code of a module's functions, for the compilation of its next version.
//!
//! A bundle has the code of all functions of one compilation. It is found by the module's lineage, a
//! digest of properties that the versions of the module share. It is stored as artifacts are.

use crate::bounds::scan_kind;
use crate::cache::Cache;
use crate::entry::{read_trailer, record_use};
use crate::folder::{DirHandle, is_own};
use crate::key::{Build, Fingerprint, hex};
use crate::trailer::Kind;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The bundles of one compiler build.
#[derive(Clone, Debug)]
pub struct Functions {
    cache: Cache,
    build: Build,
}

impl Cache {
    /// The bundles of the compiler build in a fingerprint.
    pub fn functions(&self, fingerprint: &Fingerprint) -> Functions {
        Functions { cache: self.clone(), build: fingerprint.build }
    }
}

impl Functions {
    /// The bundle of a lineage, if it exists and is undamaged. All of it is checked under every
    /// setting.
    pub fn find(&self, lineage: &[u8; 32]) -> Option<Vec<u8>> {
        let (name, file, dir) = self.open(hex(lineage))?;
        let bundle = self.read(&name, &file, &dir);
        self.cache.counters().refused.add(bundle.is_none().into());
        bundle
    }

    /// The most recently used or written bundle of up to `max_size` bytes, with its trailer.
    pub fn latest(&self, max_size: u64) -> Option<Vec<u8>> {
        let build = self.build.to_string();
        let items = scan_kind(self.cache.folder(), Kind::Functions);
        let own = items.into_iter().filter(|item| item.build == build && item.size <= max_size);
        let (name, file, dir) = self.open(own.max_by_key(|item| item.used)?.name)?;
        self.read(&name, &file, &dir)
    }

    /// Stores the bundle of a lineage. Replaces an earlier one. If that fails, the cache gives its one
    /// warning.
    pub fn keep(&self, lineage: &[u8; 32], bundle: &[u8]) {
        let path = self.path(&hex(lineage));
        self.cache.write_file(Kind::Functions, self.build, *lineage, &path, bundle);
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{}/{name}", Kind::Functions.folder(), self.build)
    }

    fn open(&self, name: String) -> Option<(String, File, Arc<DirHandle>)> {
        let (file, dir) = self.cache.folder().open_entry(&self.path(&name)).ok()?;
        Some((name, file, dir))
    }

    fn read(&self, name: &str, file: &File, dir: &DirHandle) -> Option<Vec<u8>> {
        let options = self.cache.options();
        let stat = rustix::fs::fstat(file).ok()?;
        let trailer = read_trailer(file, &stat, Kind::Functions, options)?;
        let exposed = dir.exposed || !is_own(&stat, self.cache.folder().user);
        if exposed && options.key.is_none() || trailer.len > options.max_bytes {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(trailer.len).ok()?];
        file.read_exact_at(&mut bytes, 0).ok()?;
        let whole = hex(trailer.digest()) == name && trailer.accepts(&bytes, options);
        whole.then(|| record_use(file))?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Cache, Fingerprint, Options};
    use std::fs;
    use std::path::PathBuf;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(test: &str) -> Scratch {
            let name = format!("precast-functions-{}-{test}", std::process::id());
            let scratch = Scratch(std::env::temp_dir().join(name));
            let _ = fs::remove_dir_all(&scratch.0);
            scratch
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_kept_bundle_is_found_by_another_cache() {
        let scratch = Scratch::new("found");
        let build = Fingerprint::new("one", "");
        let functions = Cache::open(&scratch.0).unwrap().functions(&build);
        assert_eq!((functions.find(&[1; 32]), functions.latest(u64::MAX)), (None, None));
        functions.keep(&[1; 32], b"old");
        functions.keep(&[2; 32], b"two");
        functions.keep(&[1; 32], b"new");
        let cache = Cache::open(&scratch.0).unwrap();
        let others = cache.functions(&build);
        // The clock of the file system has a coarse resolution.
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(others.find(&[2; 32]).as_deref(), Some(&b"two"[..]));
        assert_eq!(others.latest(1000).as_deref(), Some(&b"two"[..]));
        assert_eq!(others.latest(100), None, "a trailer alone is larger");
        assert_eq!(others.find(&[1; 32]).as_deref(), Some(&b"new"[..]));
        assert_eq!(cache.functions(&Fingerprint::new("two", "")).find(&[1; 32]), None);
        assert_eq!(cache.usage(None).entries, 2);
        assert_eq!(cache.verify().unwrap().whole, 2);
    }

    #[test]
    fn a_damaged_bundle_is_never_returned() {
        let scratch = Scratch::new("damage");
        let cache = Options::new().key([7; 32]).open(&scratch.0).unwrap();
        let build = Fingerprint::new("one", "");
        let functions = cache.functions(&build);
        functions.keep(&[1; 32], b"a bundle");
        let path = scratch.0.join(functions.path(&crate::key::hex(&[1; 32])));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::remove_file(&path).unwrap();
            fs::write(&path, &bytes).unwrap();
            assert_eq!(functions.find(&[1; 32]), None, "a flip at {at}");
        }
        let other = Options::new().key([8; 32]).open(&scratch.0).unwrap();
        fs::write(&path, &whole).unwrap();
        assert_eq!(other.functions(&build).find(&[1; 32]), None, "another key");
        assert_eq!(functions.find(&[1; 32]).as_deref(), Some(&b"a bundle"[..]));
    }
}
