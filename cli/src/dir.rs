//! The argument of `--dir`.

use std::convert::Infallible;
use std::str::FromStr;

/// A directory of the host that is granted to the program: `HOST[::GUEST][:ro]`.
///
/// The last `::` separates the paths, because a path of the host may contain colons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dir {
    /// Its path on the host.
    pub(crate) host: String,
    /// Its path in the program.
    pub(crate) guest: String,
    /// Whether the program may only read.
    pub(crate) read_only: bool,
}

impl FromStr for Dir {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (paths, read_only) = match text.strip_suffix(":ro") {
            // `a::ro` is the directory `a` with the guest's path `ro`.
            Some(paths) if !paths.is_empty() && !paths.ends_with(':') => (paths, true),
            _ => (text, false),
        };
        let (host, guest) = match paths.rsplit_once("::") {
            Some((host, guest)) if !host.is_empty() && !guest.is_empty() => (host, guest),
            _ => (paths, paths),
        };
        Ok(Dir { host: host.to_owned(), guest: guest.to_owned(), read_only })
    }
}

#[cfg(test)]
mod tests {
    use super::Dir;

    #[test]
    fn forms() {
        for (text, host, guest, read_only) in [
            (".", ".", ".", false),
            ("data:ro", "data", "data", true),
            ("/srv/data::/", "/srv/data", "/", false),
            ("/srv/data::/data:ro", "/srv/data", "/data", true),
            ("a:b", "a:b", "a:b", false),
            ("a:b::c", "a:b", "c", false),
            ("a::b::c", "a::b", "c", false),
            ("a::ro", "a", "ro", false),
            (":ro", ":ro", ":ro", false),
        ] {
            let want = Dir { host: host.to_owned(), guest: guest.to_owned(), read_only };
            assert_eq!(text.parse::<Dir>(), Ok(want), "{text}");
        }
    }
}
