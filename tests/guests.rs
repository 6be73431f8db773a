//! Runs the programs of `tests/guests` and checks their output and exit codes, one test per case.
//!
//! `tests/guests/cases.tsv` lists the cases and describes its columns. Each module is compiled
//! once, to an artifact that its cases run.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Output, Stdio};
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "support/binary.rs"]
mod binary;
use binary::precast;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/guests");

/// The exit code of `precast run` after a trap.
const TRAPPED: i32 = 134;

/// An artifact, made by the first case that needs it.
type Artifact = OnceLock<Result<PathBuf, String>>;

fn main() -> ExitCode {
    let scratch = std::env::temp_dir().join(format!("precast-guests-{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("a scratch folder");
    let text = fs::read_to_string(format!("{FOLDER}/cases.tsv")).expect("the cases");
    let mut artifacts = HashMap::<String, Arc<Artifact>>::new();
    let trials = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(Case::parse)
        .map(|case| {
            let artifact = Arc::clone(artifacts.entry(case.module.clone()).or_default());
            let scratch = scratch.clone();
            Trial::test(case.name.clone(), move || case.check(&artifact, &scratch))
        })
        .collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    // A leftover in the system's temporary folder is no failure.
    let _ = fs::remove_dir_all(&scratch);
    conclusion.exit_code()
}

/// One run of a guest: a line of the table.
struct Case {
    name: String,
    module: String,
    exit: i32,
    stdin: Option<String>,
    mounts: Vec<(String, String)>,
    env: Vec<String>,
    args: Vec<String>,
}

impl Case {
    fn parse(line: &str) -> Self {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[name, module, exit, _origin, stdin, mounts, env, ref args @ ..] = columns.as_slice()
        else {
            panic!("cases.tsv: too few columns: {line}");
        };
        let mount = |text: &str| {
            let (host, guest) = text.split_once("::").expect("HOST::GUEST");
            (host.to_owned(), guest.to_owned())
        };
        Case {
            name: name.to_owned(),
            module: module.to_owned(),
            exit: if exit == "trap" { TRAPPED } else { exit.parse().expect("an exit code") },
            stdin: (stdin != "-").then(|| stdin.to_owned()),
            mounts: list(mounts).map(mount).collect(),
            env: list(env).map(str::to_owned).collect(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
        }
    }

    fn check(&self, artifact: &Artifact, scratch: &Path) -> Result<(), Failed> {
        let artifact = artifact.get_or_init(|| compile(&self.module, scratch)).as_ref()?;
        let output = self.run(artifact, scratch)?;
        let expected = fs::read(format!("{FOLDER}/expected/{}.txt", self.name))
            .map_err(|e| format!("expected/{}.txt: {e}", self.name))?;
        if output.status.code() != Some(self.exit) {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}, not exit code {}\n{stderr}", output.status, self.exit).into());
        }
        if output.stdout != expected {
            return Err(first_difference(&output.stdout, &expected).into());
        }
        Ok(())
    }

    fn run(&self, artifact: &Path, scratch: &Path) -> Result<Output, Failed> {
        let mut command = precast();
        command.args(["run", "--no-cache"]).current_dir(FOLDER);
        for (host, guest) in &self.mounts {
            let host = match host.as_str() {
                "@" => new_folder(scratch, &self.name)?,
                host => PathBuf::from(host),
            };
            command.arg("--dir").arg(format!("{}::{guest}", host.display()));
        }
        for variable in &self.env {
            command.arg("--env").arg(variable);
        }
        // `argv[0]` is the name of the module, not of the artifact.
        let name = self.module.rsplit('/').next().unwrap_or(&self.module);
        command.arg("--argv0").arg(name).arg(artifact).args(&self.args);
        command.stdin(match &self.stdin {
            Some(file) => File::open(format!("{FOLDER}/{file}"))?.into(),
            None => Stdio::null(),
        });
        Ok(command.output()?)
    }
}

/// The comma-separated entries of a column; `-` means none.
fn list(column: &str) -> impl Iterator<Item = &str> {
    column.split(',').filter(|entry| *entry != "-")
}

fn compile(module: &str, scratch: &Path) -> Result<PathBuf, String> {
    let artifact = scratch.join(module.replace('/', "-")).with_extension("precast");
    let output = precast()
        .arg("compile")
        .arg(format!("{FOLDER}/{module}"))
        .arg("-o")
        .arg(&artifact)
        .output()
        .map_err(|e| e.to_string())?;
    if output.status.success() {
        Ok(artifact)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn new_folder(scratch: &Path, case: &str) -> Result<PathBuf, Failed> {
    let folder = scratch.join("mounts").join(case);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn first_difference(have: &[u8], want: &[u8]) -> String {
    let (have, want) = (String::from_utf8_lossy(have), String::from_utf8_lossy(want));
    let mut lines = have.lines().zip(want.lines()).enumerate();
    match lines.find(|(_, (have, want))| have != want) {
        Some((i, (have, want))) => {
            format!("line {}:\n  expected {want:?}\n  got      {have:?}", i + 1)
        }
        None => format!("{} bytes of output instead of {}", have.len(), want.len()),
    }
}
