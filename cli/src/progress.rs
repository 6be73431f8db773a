//! A progress bar for long compilations.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use precast::Config;

/// The time before the bar appears.
const PATIENCE: Duration = Duration::from_secs(1);

/// Adds a bar on standard error if it is a terminal.
pub(crate) fn with_bar(config: Config) -> Config {
    if !io::stderr().is_terminal() {
        return config;
    }
    let start = Instant::now();
    let bar = OnceLock::new();
    config.progress(move |done, total| {
        if start.elapsed() < PATIENCE {
            return;
        }
        let bar = bar.get_or_init(|| new_bar(total as u64));
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
    })
}

fn new_bar(functions: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("compiling [{bar:40}] {pos}/{len} functions, {eta} left")
            .expect("a constant template")
            .progress_chars("=> ");
    ProgressBar::new(functions).with_style(style)
}
