//! Tests the house rules that a compiler does not check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders with the sources of the product.
const CRATES: &[&str] =
    &["abi", "cache", "cli", "compiler", "runtime", "src", "verify", "wasi", "wast"];

/// The folder of the only unsafe code of the workspace.
const UNSAFE: &str = "runtime/src/vm";

/// The one file with unsafe code outside it: the command runs artifacts that a user vouches for.
const CONSENT: &str = "cli/src/consent.rs";

/// The folder of the only code that differs between instruction sets and operating systems.
const MACHINES: &str = "runtime/src/vm/sys";

/// The most lines of a file. A longer file begins with a reason.
const MAX_LINES: usize = 1000;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust source under `folders`, relative to the root, with its text.
fn sources(folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut found);
    }
    found.sort();
    assert!(!found.is_empty(), "no sources in {folders:?}");
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Fails with all complaints at once, one a line.
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// The paths of this repository between backticks in ARCHITECTURE.md. A path ends with a slash or
/// an extension; any other word is a name from the code.
fn paths_in_architecture() -> Vec<String> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let is_path = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        let extensions = [".rs", ".toml", ".md", ".wat", ".wast"];
        let whole = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        whole && (word.ends_with('/') || extensions.iter().any(|e| name.ends_with(e)))
    };
    let outside_blocks = text.split("```").step_by(2);
    outside_blocks
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .filter(|word| is_path(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn architecture_names_what_exists() {
    let missing = paths_in_architecture()
        .into_iter()
        .filter(|path| !root().join(path).exists())
        .map(|path| format!("ARCHITECTURE.md names {path}, which does not exist"))
        .collect();
    assert_none(missing);
}

/// Words between backticks that are paths, or look like names of tests, must exist.
#[test]
fn advisories_name_what_exists() {
    let text = fs::read_to_string(root().join("docs/advisories.md")).unwrap();
    let sources =
        sources(&["abi", "cache", "cli", "compiler", "runtime", "src", "wasi", "wast", "tests"]);
    let is_test =
        |word: &str| sources.iter().any(|(_, text)| text.contains(&format!("fn {word}()")));
    let words: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    assert!(words.len() > 50, "{}", words.len());
    let missing = words.into_iter().filter(|word| match word.contains('/') {
        true => !root().join(word).exists(),
        // At least two underscores: operators and functions of WASI have one.
        false => word.matches('_').count() > 1 && !is_test(word),
    });
    assert_none(missing.map(|word| format!("docs/advisories.md names {word}")).collect());
}

#[test]
fn architecture_names_every_source() {
    let named = paths_in_architecture();
    let missing = sources(CRATES)
        .into_iter()
        .filter(|(path, _)| !named.contains(path))
        .map(|(path, _)| format!("ARCHITECTURE.md has no sentence for {path}"))
        .collect();
    assert_none(missing);
}

#[test]
fn long_files_say_why() {
    let mut folders = CRATES.to_vec();
    folders.extend(["tests", "benches"]);
    let long = sources(&folders)
        .into_iter()
        .filter(|(path, _)| !path.starts_with("tests/guests"))
        .filter(|(_, text)| text.lines().count() > MAX_LINES)
        .filter(|(_, text)| !text.lines().next().is_some_and(|line| line.contains("One file")))
        .map(|(path, _)| format!("{path} is long; begin it with `// One file: REASON`"))
        .collect();
    assert_none(long);
}

#[test]
fn every_source_says_what_it_is() {
    let silent = sources(CRATES)
        .into_iter()
        .filter(|(_, text)| !text.lines().take(3).any(|line| line.starts_with("//!")))
        .map(|(path, _)| format!("{path} does not begin with a `//!` comment"))
        .collect();
    assert_none(silent);
}

#[test]
fn unsafe_code_has_one_place() {
    let stray = sources(CRATES)
        .into_iter()
        .filter(|(path, _)| !path.starts_with(UNSAFE) && path != CONSENT)
        .filter(|(_, text)| words_of_code(text).any(|word| word == "unsafe"))
        .map(|(path, _)| format!("{path} has unsafe code; that belongs under {UNSAFE}"))
        .collect();
    assert_none(stray);
}

#[test]
fn consent_is_all_that_the_command_vouches_for() {
    let text = fs::read_to_string(root().join(CONSENT)).unwrap();
    let blocks: Vec<_> = code_lines(&text).filter(|line| line.contains("unsafe")).collect();
    let calls = ["runtime.load(path)", "runtime.load_sealed_mapped("];
    assert_eq!(blocks.len(), calls.len(), "{blocks:?}");
    for (block, call) in blocks.iter().zip(calls) {
        assert!(block.trim_start().contains(&format!("unsafe {{ {call}")), "{block}");
    }
}

/// Sources of each crate of the workspace, and the crates of the workspace that they may name.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("abi/src", &[]),
    ("cache/src", &[]),
    ("compiler/src", &["precast_abi"]),
    ("runtime/src", &["precast_abi", "precast_cache", "precast_compiler"]),
    ("verify/src", &["precast_abi"]),
    ("wasi/src", &["precast_runtime"]),
    ("src", &["precast_runtime", "precast_wasi"]),
    ("wast/src", &["precast"]),
    ("cli/src", &["precast", "precast_wast"]),
];

/// The crates of the workspace that another one can name.
const LIBRARIES: &[&str] = &[
    "precast",
    "precast_abi",
    "precast_cache",
    "precast_compiler",
    "precast_runtime",
    "precast_verify",
    "precast_wasi",
    "precast_wast",
];

/// Modules of the runtime, and the modules of its root that each may name. The safe API, which is
/// every module that is not here, may name all.
const RUNTIME_DIRECTIONS: &[(&str, &[&str])] = &[
    ("runtime/src/vm/", &["vm", "error", "trap"]),
    ("runtime/src/error.rs", &["trap"]),
    ("runtime/src/trap.rs", &[]),
];

/// The one file of `vm` that names the safe API: it holds the API's unsafe functions.
const UNSAFE_API: &str = "runtime/src/vm/unsafe_api.rs";

/// The one file of `vm` that names the compiler.
const JIT: &str = "runtime/src/vm/code/jit.rs";

#[test]
fn crates_name_only_those_below() {
    let listed: BTreeSet<&str> =
        DIRECTIONS.iter().map(|(folder, _)| folder.trim_end_matches("/src")).collect();
    assert_eq!(listed, CRATES.iter().copied().collect(), "every crate has its directions");
    let mut stray = Vec::new();
    for &(folder, allowed) in DIRECTIONS {
        for (path, text) in sources(&[folder]) {
            let code: Vec<&str> = code_lines(without_tests(&text)).collect();
            let found = LIBRARIES.iter().filter(|name| names_crate(&code, name));
            let found = found.filter(|name| !allowed.contains(name));
            stray.extend(found.map(|name| format!("{path} names {name}")));
        }
    }
    assert_none(stray);
}

/// Whether a path in code begins with a crate's name, or a `use` names the crate alone.
fn names_crate(code: &[&str], name: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.iter().any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + name.len()..]);
            let whole = !before.ends_with(is_name) && !after.starts_with(is_name);
            let first = !before.ends_with("::");
            whole && first && (after.starts_with("::") || before.ends_with("use "))
        })
    })
}

#[test]
fn the_vm_names_nothing_of_the_api() {
    let mut stray = Vec::new();
    for (path, text) in sources(&["runtime/src"]) {
        let part = RUNTIME_DIRECTIONS.iter().find(|(part, _)| path.starts_with(part));
        let Some((_, allowed)) = part.filter(|_| path != UNSAFE_API) else { continue };
        let code: Vec<&str> = code_lines(without_tests(&text)).collect();
        let named = names_of_root(&code.join("\n"));
        let found = named.into_iter().filter(|name| !allowed.contains(&name.as_str()));
        stray.extend(found.map(|name| format!("{path} names crate::{name}")));
    }
    assert_none(stray);
}

#[test]
fn the_vm_names_the_compiler_in_one_place_and_the_cache_in_none() {
    let stray = sources(&["runtime/src/vm"])
        .into_iter()
        .filter(|(path, _)| path != JIT && path != UNSAFE_API)
        .filter(|(_, text)| {
            words_of_code(text).any(|word| ["precast_compiler", "precast_cache"].contains(&word))
        })
        .map(|(path, _)| format!("{path} names the compiler or the cache"))
        .collect();
    assert_none(stray);
}

/// The names that follow `crate::` in code, those in braces among them.
fn names_of_root(code: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        let name = |item: &str| item.trim_start().chars().take_while(|c| is_name(*c)).collect();
        names.extend(list.into_iter().map(name).filter(|name: &String| !name.is_empty()));
    }
    names
}

/// The items of a list that ends with a closing brace, without what braces inside it hold.
fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    items
}

#[test]
fn names_of_the_root_are_found_in_every_form() {
    let code = "use crate::a::B; crate::{c, d::{E, F}, g}; fn f(x: crate::H) { super::vm::i() }";
    let names: Vec<String> = names_of_root(code).into_iter().collect();
    assert_eq!(names, ["H", "a", "c", "d", "g"]);
}

/// A source without its module of tests, which comes last.
fn without_tests(text: &str) -> &str {
    text.split("\nmod tests {").next().unwrap_or(text)
}

/// Words of code that are Linux's, or of the crates for its system calls.
const LINUX: &[&str] = &["libc", "rustix", "memfd_create", "madvise", "mmap", "proc", "pagemap"];

#[test]
fn the_vm_names_linux_in_one_place() {
    let stray = sources(&["runtime/src/vm"])
        .into_iter()
        .filter(|(path, _)| !path.starts_with(MACHINES))
        .filter(|(_, text)| words_of_code(text).any(|word| LINUX.contains(&word)))
        .map(|(path, _)| format!("{path} names Linux; that belongs under {MACHINES}"))
        .collect();
    assert_none(stray);
}

#[test]
fn machines_have_one_place() {
    const CONDITIONS: &[&str] =
        &["target_arch", "target_os", "target_env", "target_family", "target_feature"];
    let mut folders = CRATES.to_vec();
    folders.extend(["tests", "benches", "wasi/tests", "compiler/tests", "runtime/tests"]);
    let stray = sources(&folders)
        .into_iter()
        .filter(|(path, _)| !path.starts_with(MACHINES))
        .filter(|(path, _)| path != "tests/tidy.rs")
        .filter(|(_, text)| words_of_code(text).any(|word| CONDITIONS.contains(&word)))
        .map(|(path, _)| format!("{path} asks for the target; that belongs under {MACHINES}"))
        .collect();
    assert_none(stray);
}

#[test]
fn nothing_is_left_to_do() {
    let unfinished = sources(CRATES)
        .into_iter()
        .filter(|(_, text)| {
            let code = code_lines(text).collect::<Vec<_>>().join("\n");
            code.contains("todo!") || code.contains("unimplemented!")
        })
        .map(|(path, _)| format!("{path} has unfinished code"))
        .collect();
    assert_none(unfinished);
}

/// The lines of a source without its comments.
fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or(line))
}

fn words_of_code(text: &str) -> impl Iterator<Item = &str> {
    code_lines(text).flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
}
