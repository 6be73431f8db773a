//! Which artifacts are executed: those that the user's own `compile` has sealed, and with consent
//! any. This file has the only unsafe code of the command.

use std::env;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use precast::{CompiledModule, Error, ErrorKind, Runtime};

use crate::state;

/// The variable that gives consent, when it is `1`.
const VARIABLE: &str = "PRECAST_ALLOW_PRECOMPILED";

/// What a user says about artifacts.
#[derive(Args)]
pub(crate) struct Consent {
    /// Run artifacts that nothing proves to be made by this user's `precast compile`. They hold
    /// native code, which no sandbox holds back. PRECAST_ALLOW_PRECOMPILED=1 does the same.
    #[arg(long)]
    allow_precompiled: bool,
}

impl Consent {
    /// Loads the artifact in `path`, if it is sealed with the user's key or there is consent.
    pub(crate) fn load(&self, runtime: &Runtime, path: &Path) -> Result<CompiledModule> {
        let module = if self.is_given() {
            load_any(runtime, path)
        } else {
            let why = match state::key() {
                Ok(key) => match load_sealed(runtime, path, &key) {
                    Err(ref error) if let ErrorKind::Seal(why) = error.kind() => why.to_string(),
                    loaded => return loaded.with_context(|| path.display().to_string()),
                },
                Err(error) => format!("no seal can be checked: {error}"),
            };
            bail!(
                "{} is an artifact: native code that runs without a sandbox, with all that you \
                 may do. It is not run, as nothing proves that your `precast compile` made it: \
                 {why}. If you trust who made it, --allow-precompiled runs it",
                path.display()
            );
        };
        module.with_context(|| path.display().to_string())
    }

    fn is_given(&self) -> bool {
        self.allow_precompiled || env::var_os(VARIABLE).is_some_and(|value| value == "1")
    }
}

fn load_any(runtime: &Runtime, path: &Path) -> Result<CompiledModule, Error> {
    // SAFETY: it is not known that this is safe, and cannot be: the user has said that the file's
    // code may run as any program of theirs may. This command is such a program, and ends with it.
    let module = unsafe { runtime.load(path) }?;
    // A file without a seal may be damaged in any way: better said now than by a trap without a
    // name.
    module.verify_metadata().map(|()| module)
}

fn load_sealed(
    runtime: &Runtime,
    path: &Path,
    key: &precast::SealKey,
) -> Result<CompiledModule, Error> {
    let index = state::known_files(key);
    // SAFETY: a file that others can write to is copied. One that only this user can write to is
    // as safe as the user's programs: `precast compile` replaces files and changes none.
    unsafe { runtime.load_sealed_mapped(path, key, index.as_ref()) }
}
