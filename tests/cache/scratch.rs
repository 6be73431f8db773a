//! A scratch folder for one test, with the cache folder and other files.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::binary::precast;

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A new folder, removed when it is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Scratch {
        let name = format!("precast-cache-{}-{test}", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        fs::create_dir(&scratch.0).expect("a scratch folder of its own");
        scratch
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of the cache folder.
    pub(crate) fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// Writes a file beside the cache folder.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("the file is written");
        path
    }

    /// Whether the superuser runs the test. Prints a message if not.
    pub(crate) fn is_superuser(&self) -> bool {
        let superuser = fs::metadata(self.path()).unwrap().uid() == 0;
        if !superuser {
            eprintln!("skipped: only the superuser can give files away");
        }
        superuser
    }

    /// Whether files here can be known by their stamps. Prints a message if they cannot.
    pub(crate) fn keeps_times(&self) -> bool {
        let kind = rustix::fs::statfs(self.path()).expect("the file system").f_type as u32;
        // ext4, XFS, Btrfs, F2FS.
        let keeps = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010].contains(&kind);
        if !keeps {
            eprintln!("skipped: the file system of {} is not trusted", self.path().display());
        }
        keeps
    }

    /// Writes a file that the cache can know from now on, because it has not changed for some
    /// seconds.
    pub(crate) fn write_settled(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, bytes);
        std::thread::sleep(Duration::from_secs(5));
        path
    }

    /// The files of a kind in the cache.
    pub(crate) fn files(&self, kind: &str) -> Vec<PathBuf> {
        let list = |folder: &Path| -> Vec<PathBuf> {
            let entries = fs::read_dir(folder).into_iter().flatten();
            entries.map(|entry| entry.expect("an entry").path()).collect()
        };
        let mut files: Vec<PathBuf> =
            list(&self.cache().join(kind)).iter().flat_map(|build| list(build)).collect();
        files.sort();
        files
    }

    /// The only entry.
    #[track_caller]
    pub(crate) fn entry(&self) -> PathBuf {
        let [entry] = <[PathBuf; 1]>::try_from(self.files("modules")).expect("one entry");
        entry
    }

    /// The number of temporary files.
    pub(crate) fn temporaries(&self) -> usize {
        fs::read_dir(self.cache().join("tmp")).map_or(0, Iterator::count)
    }

    /// The command with this cache and no other environment.
    pub(crate) fn precast<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = precast();
        command.args(args).env_clear().env("PRECAST_CACHE_DIR", self.cache());
        command.env("PRECAST_STATE_DIR", self.path().join("state"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Calls `answer` of a module in a separate process.
    pub(crate) fn answer(&self, file: &Path) -> Command {
        let file = file.to_str().expect("UTF-8");
        self.precast(["run", "--invoke", "answer", file])
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::set_permissions(self.cache(), Permissions::from_mode(0o700));
        // A leftover in the system's temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Replaces the bytes of an entry, as damage on disk would: times and permissions stay.
pub(crate) fn replace(entry: &Path, bytes: &[u8]) {
    let times = times(entry);
    write_over(entry, bytes);
    let file = fs::File::open(entry).expect("the entry");
    file.set_times(times).expect("times are set");
}

/// Replaces the bytes of an entry, as a user who writes to it would.
pub(crate) fn write_over(entry: &Path, bytes: &[u8]) {
    // A module that has the file mapped keeps the old one.
    fs::remove_file(entry).expect("the entry");
    fs::write(entry, bytes).expect("the entry is written");
    fs::set_permissions(entry, Permissions::from_mode(0o400)).expect("permissions are set");
}

fn times(entry: &Path) -> fs::FileTimes {
    let metadata = fs::metadata(entry).expect("the entry");
    let (read, written) = (metadata.accessed(), metadata.modified());
    fs::FileTimes::new().set_accessed(read.expect("a time")).set_modified(written.expect("a time"))
}

/// The output of a process, which must succeed without output on standard error.
#[track_caller]
pub(crate) fn stdout(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    text(&output.stdout)
}

/// The total size of the files below a folder. A file that is renamed meanwhile counts once.
pub(crate) fn size_of(folder: &Path) -> u64 {
    let mut files = HashMap::new();
    for part in ["tmp", "modules", "functions"] {
        collect(&folder.join(part), &mut files);
    }
    files.values().sum()
}

fn collect(path: &Path, files: &mut HashMap<u64, u64>) {
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() {
            collect(&entry.path(), files);
        } else {
            files.insert(metadata.ino(), metadata.len());
        }
    }
}
