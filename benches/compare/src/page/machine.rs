//! The machine of a run, and the versions of what was measured.

use crate::Result;
use std::fs;
use std::process::Command;

/// The versions of all crates in this build.
const LOCK: &str = include_str!("../../Cargo.lock");

/// Names and values, in the order of the page.
pub(crate) fn facts() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("Date", output("date", &["-u", "+%F"])?),
        ("Processor", processor()?),
        ("Kernel", kernel()?),
        ("Compiler", output("rustc", &["--version"])?),
        ("precast", version("precast")?.to_owned()),
        ("wasmtime", version("wasmtime")?.to_owned()),
        ("Cranelift, in both", version("cranelift-codegen")?.to_owned()),
    ])
}

/// The model of the processor and the number of processors that this process may use.
fn processor() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("of unknown model", |(_, model)| model);
    let count = std::thread::available_parallelism()?;
    Ok(format!("{model}, {count} logical processors ({})", std::env::consts::ARCH))
}

/// The kernel's name and release.
fn kernel() -> Result<String> {
    let read = |name| fs::read_to_string(format!("/proc/sys/kernel/{name}"));
    Ok(format!("{} {}", read("ostype")?.trim(), read("osrelease")?.trim()))
}

/// The version of a crate in this build.
fn version(name: &str) -> Result<&'static str> {
    let (_, rest) = LOCK
        .split_once(&format!("name = \"{name}\"\nversion = \""))
        .ok_or_else(|| format!("the lock file has no {name}"))?;
    Ok(rest.split('"').next().unwrap_or_default())
}

/// The first line that a command prints.
fn output(command: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(command).args(args).output()?;
    if !output.status.success() {
        return Err(format!("{command} failed: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().next().unwrap_or_default().to_owned())
}
