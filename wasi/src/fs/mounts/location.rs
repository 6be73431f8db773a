//! Locations: paths from the root of the guest's tree, without symbolic links and dots.

/// The location of the directory that the guest calls `name`. A guest's C library takes `/tmp`,
/// `tmp` and `./tmp` for the same. A `..` is kept: no resolution leads to such a location except
/// from the directory itself.
pub(crate) fn location(name: &str) -> String {
    let components: Vec<_> = name.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
    components.join("/")
}

/// The rest of `location` beneath the prefix `above`; empty if they are equal.
pub(crate) fn beneath<'l>(location: &'l str, above: &str) -> Option<&'l str> {
    if above.is_empty() {
        return Some(location);
    }
    let rest = location.strip_prefix(above)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// The location of `name` in the directory at `location`.
pub(crate) fn join(location: &str, name: &str) -> String {
    match (location, name) {
        ("", _) => name.to_owned(),
        (_, "") => location.to_owned(),
        _ => format!("{location}/{name}"),
    }
}
