//! Random calls on a directory of the host, on one with a mount beneath it, and on one in memory.
//! The host is the model: the results are the same.

use super::*;
use crate::calls::dirs::fd_readdir;
use crate::calls::path::*;
use crate::state::Random;

/// The part of a call's result that is the same on every file system.
type Outcome = Result<String, Errno>;

struct Choice(Random);

impl Choice {
    fn below(&mut self, n: u8) -> u8 {
        let mut byte = [0];
        self.0.fill(&mut byte).unwrap();
        byte[0] % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.below(choices.len() as u8))]
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for i in 0..=self.below(4) {
            if i > 0 {
                path.push_str(self.of(&["/", "/", "/", "//"]));
            }
            path.push_str(self.of(&["a", "b", "c", "a", "b", "c", ".", ".."]));
        }
        path.push_str(self.of(&["", "", "", "", "/"]));
        path
    }
}

/// A call that is chosen once and made on every guest.
#[derive(Debug)]
enum Call {
    Mkdir(String),
    Rmdir(String),
    Unlink(String),
    Rename(String, String),
    Link(String, String),
    Symlink(String, String),
    Readlink(String),
    Stat(String, u32),
    Open { path: String, follow: u32, oflags: u32, write: bool },
    List(String),
}

impl Call {
    fn choose(choice: &mut Choice) -> Self {
        let path = choice.path();
        match choice.below(16) {
            0..3 => Call::Mkdir(path),
            3 => Call::Rmdir(path),
            4 => Call::Unlink(path),
            5 | 6 => Call::Rename(path, choice.path()),
            7 => Call::Link(path, choice.path()),
            8 => Call::Symlink(path, choice.path()),
            9 => Call::Readlink(path),
            10 | 11 => Call::Stat(path, choice.of(&[0, FOLLOW])),
            12 => Call::List(path),
            _ => Call::Open {
                path,
                follow: choice.of(&[0, FOLLOW]),
                oflags: choice.of(&[
                    0,
                    CREAT,
                    CREAT,
                    CREAT | EXCL,
                    TRUNC,
                    CREAT | TRUNC,
                    DIRECTORY,
                ]),
                write: choice.below(2) == 1,
            },
        }
    }

    fn make(&self, guest: &mut Guest) -> Outcome {
        let nothing = |()| String::new();
        match self {
            Call::Mkdir(path) => guest
                .with_path(path, |w, m, p, n| path_create_directory(w, m, DIR, p, n))
                .map(nothing),
            Call::Rmdir(path) => guest
                .with_path(path, |w, m, p, n| path_remove_directory(w, m, DIR, p, n))
                .map(nothing),
            Call::Unlink(path) => {
                guest.with_path(path, |w, m, p, n| path_unlink_file(w, m, DIR, p, n)).map(nothing)
            }
            Call::Rename(old, new) => guest
                .with_paths(old, new, |w, m, o, n| path_rename(w, m, DIR, o.0, o.1, DIR, n.0, n.1))
                .map(nothing),
            Call::Link(old, new) => guest
                .with_paths(old, new, |w, m, o, n| path_link(w, m, DIR, 0, o.0, o.1, DIR, n.0, n.1))
                .map(nothing),
            Call::Symlink(old, new) => guest
                .with_paths(old, new, |w, m, o, n| path_symlink(w, m, o.0, o.1, DIR, n.0, n.1))
                .map(nothing),
            Call::Readlink(path) => {
                guest.with_path(path, |w, m, p, n| {
                    path_readlink(w, m, DIR, p, n, DATA, 1000, OUT)
                })?;
                Ok(String::from_utf8(guest.get(DATA, guest.u32(OUT)).to_vec()).unwrap())
            }
            Call::Stat(path, flags) => {
                guest.with_path(path, |w, m, p, n| {
                    path_filestat_get(w, m, DIR, *flags, p, n, OUT)
                })?;
                let filetype = guest.memory[16];
                // The size of a directory depends on the file system.
                let size = if filetype == 3 { 0 } else { guest.u64(32) };
                Ok(format!("{filetype} {} {size}", guest.u64(24)))
            }
            Call::Open { path, follow, oflags, write } => {
                let rights = Rights::FD_READ | Rights::FD_FILESTAT_GET;
                let rights = if *write { rights | Rights::FD_WRITE } else { rights };
                let fd = guest.open_with(DIR, *follow, path, *oflags, rights, 0)?;
                let filetype = guest.filetype(fd)?;
                let size = if filetype == 4 { guest.read(fd, 1000)?.len() } else { 0 };
                if filetype == 4 && *write {
                    guest.write(fd, path.as_bytes())?;
                }
                guest.close(fd)?;
                Ok(format!("{filetype} {size}"))
            }
            Call::List(path) => {
                let rights = Rights::FD_READDIR;
                let fd = guest.open_with(DIR, FOLLOW, path, DIRECTORY, rights, 0)?;
                guest.call(|w, m| fd_readdir(w, m, fd, DATA, 0x1000, 0, OUT))?;
                guest.close(fd)?;
                let mut rest = guest.get(DATA, guest.u32(OUT));
                let mut names = Vec::new();
                while !rest.is_empty() {
                    let end = 24 + layout::u32_at(rest, 16) as usize;
                    let name = String::from_utf8_lossy(&rest[24..end]);
                    names.push(format!("{name}:{}", rest[20]));
                    rest = &rest[end..];
                }
                names.retain(|name| !name.starts_with("elsewhere"));
                names.sort();
                Ok(names.join(" "))
            }
        }
    }
}

#[test]
fn every_file_system_gives_the_results_of_the_host() {
    for seed in 0..24 {
        let mut choice = Choice(Random::seeded(seed));
        let (host, above) = (TempDir::new(), TempDir::new());
        let portable = seed % 2 == 1;
        let mut model = Guest::new(Builder::new().dir(host.path(), "/").portable_paths(portable));
        let mut memory = Guest::new(Builder::new().memory_dir("/"));
        let mut tree = Guest::new(
            Builder::new()
                .dir(above.path(), "/")
                .memory_dir("/elsewhere/mount")
                .portable_paths(portable),
        );
        let mut calls = Vec::new();
        for _ in 0..400 {
            let call = Call::choose(&mut choice);
            let expected = call.make(&mut model);
            let in_memory = call.make(&mut memory);
            let in_tree = call.make(&mut tree);
            calls.push(format!("{call:?}: {expected:?}"));
            let done = calls[calls.len().saturating_sub(30)..].join("\n");
            assert_eq!(in_memory, expected, "in memory, seed {seed}:\n{done}");
            assert_eq!(in_tree, expected, "in a tree, seed {seed}:\n{done}");
        }
    }
}
