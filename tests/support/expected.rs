//! Tests whose files hold both the input and the expected output: WAT files that end with the
//! compiler's output in comments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// The line between the module and the output.
const MARKER: &str = ";; ---\n";

/// Runs a test for each WAT file of `folder`. `output` takes the name of the file, without its
/// extension, and the module. With `BLESS=1`, the tests write the output into the files instead.
pub(crate) fn run(folder: &str, output: fn(&str, &str) -> Result<String, Failed>) -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    files.sort();
    let bless = std::env::var_os("BLESS").is_some();
    let trials = files
        .into_iter()
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            Trial::test(name.clone(), move || {
                let text = fs::read_to_string(&path)?;
                let module = text.split_once(MARKER).map_or(text.as_str(), |(module, _)| module);
                let now = format!("{module}{MARKER}{}", as_comments(&output(&name, module)?));
                if bless { Ok(fs::write(&path, now)?) } else { compare(&text, &now) }
            })
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Fails with the first line that differs.
fn compare(text: &str, now: &str) -> Result<(), Failed> {
    match now.lines().zip(text.lines().chain(std::iter::repeat(""))).find(|(a, b)| a != b) {
        None if now == text => Ok(()),
        None => Err("the expected output is longer; see BLESS=1".into()),
        Some((now, then)) => {
            Err(format!("expected {then}\nnow      {now}\nsee all with BLESS=1").into())
        }
    }
}

fn as_comments(output: &str) -> String {
    output.lines().map(|line| format!(";; {line}").trim_end().to_owned() + "\n").collect()
}
