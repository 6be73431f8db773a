//! Consent to run artifacts: those with the user's seal need none, all others do. This file has the
//! only unsafe code of the command.

use std::env;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use precast::{CompiledModule, Error, ErrorKind, Runtime};

use crate::state;

/// The variable that gives consent if its value is `1`.
const VARIABLE: &str = "PRECAST_ALLOW_PRECOMPILED";

/// The user's consent to run artifacts without a seal.
#[derive(Args)]
pub(crate) struct Consent {
    /// Run artifacts without your seal. They contain native code, which no sandbox confines.
    /// PRECAST_ALLOW_PRECOMPILED=1 has the same effect.
    #[arg(long)]
    allow_precompiled: bool,
}

impl Consent {
    /// Loads the artifact in `path` if it is sealed with the user's key, or if there is consent.
    pub(crate) fn load(&self, runtime: &Runtime, path: &Path) -> Result<CompiledModule> {
        let module = if self.is_given() {
            load_any(runtime, path)
        } else {
            let why = match state::key() {
                Ok(key) => match load_sealed(runtime, path, &key) {
                    Err(ref error) if let ErrorKind::Seal(why) = error.kind() => why.to_string(),
                    loaded => return loaded.with_context(|| path.display().to_string()),
                },
                Err(error) => format!("its seal cannot be checked: {error}"),
            };
            bail!(
                "{} is an artifact: native code that runs without a sandbox, with all your \
                 permissions. It is refused because it has no proof that your `precast compile` \
                 made it: {why}. If you trust its origin, use --allow-precompiled",
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
    // SAFETY: this cannot be proved. The user consents to run the file's code like any program of
    // theirs, and this process does nothing else.
    let module = unsafe { runtime.load(path) }?;
    // A file without a seal may be damaged. Without this check, damaged metadata would show only as
    // a trap without names.
    module.verify_metadata().map(|()| module)
}

fn load_sealed(
    runtime: &Runtime,
    path: &Path,
    key: &precast::SealKey,
) -> Result<CompiledModule, Error> {
    let index = state::known_files(key);
    // SAFETY: a file to which others can write is copied. One to which only this user can write is
    // as safe as the user's programs, and `precast compile` replaces files without changing them.
    unsafe { runtime.load_sealed_mapped(path, key, index.as_ref()) }
}
