//! The default path of a user's cache folder.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The path of the user's cache folder: `PRECAST_CACHE_DIR`, else `precast` in `XDG_CACHE_HOME`, else
/// `.cache/precast` in `HOME`. None if no variable is set. A relative `XDG_CACHE_HOME` counts as
/// unset, as the XDG Base Directory Specification demands; so does a relative `HOME`.
pub fn default_path() -> Option<PathBuf> {
    choose(|name| env::var_os(name))
}

fn choose(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |name| set(name).filter(|path| path.is_absolute());
    set("PRECAST_CACHE_DIR")
        .or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join("precast")))
        .or_else(|| absolute("HOME").map(|path| path.join(".cache/precast")))
}

#[cfg(test)]
mod tests {
    use super::choose;
    use std::path::Path;

    #[test]
    fn order() {
        for (variables, path) in [
            (&[][..], None),
            (&[("HOME", "/h")], Some("/h/.cache/precast")),
            (&[("HOME", "h")], None),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], Some("/x/precast")),
            (&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")], Some("/h/.cache/precast")),
            (&[("HOME", "/h"), ("PRECAST_CACHE_DIR", "")], Some("/h/.cache/precast")),
            (&[("XDG_CACHE_HOME", "/x"), ("PRECAST_CACHE_DIR", "p")], Some("p")),
        ] {
            let found = choose(|name| {
                variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into())
            });
            assert_eq!(found.as_deref(), path.map(Path::new), "{variables:?}");
        }
    }
}
