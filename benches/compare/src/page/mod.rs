//! The page: `benchmarks.md` and its plots, from the rows of a run.

mod client;
mod collect;
mod machine;
mod plot;
mod process;
mod server;
mod table;

use crate::compare::Compare;
use crate::options::Options;
use crate::record::Row;
use crate::{Result, guests};
use collect::{GROUPS, Group};
use server::Measured;
use std::fs;
use std::path::Path;

/// The name of the page without extension, and of the folder of its plots.
const NAME: &str = "benchmarks";

/// Measures the servers too, and writes the page into a folder. A relative one is of the repository.
pub(crate) fn write(compare: &mut Compare, folder: &Path) -> Result<()> {
    let mut servers = Vec::new();
    compare.kind("server", |compare| {
        servers = server::measure(compare)?;
        Ok(())
    });
    let folder = Path::new(guests::REPOSITORY).join(folder);
    let plots = folder.join(NAME);
    fs::create_dir_all(&plots)?;
    let mut page = introduction(compare.options(), compare.rows())?;
    for group in &GROUPS {
        let rows = group.rows(compare.rows());
        if !rows.is_empty() {
            let path = plots.join(group.file).with_extension("svg");
            fs::write(path, plot::bars(group.title, &rows))?;
            page += &section(group, &rows, &servers);
        }
    }
    Ok(fs::write(folder.join(NAME).with_extension("md"), page)?)
}

/// Everything above the groups.
fn introduction(options: &Options, rows: &[Row]) -> Result<String> {
    let mut text = format!(
        "# Benchmarks\n\n\
         precast beside wasmtime: the same guests in one run. This command measures both and writes \
         this page and its plots:\n\n\
         ```sh\n\
         cargo run --release --manifest-path benches/compare/Cargo.toml -- --page docs\n\
         ```\n\n\
         Every row is measured in {} rounds, after one that warms up. A round measures precast and \
         then wasmtime, so that other load falls on both. Numbers \
         are medians of time passed, the fastest round in parentheses. The ratio is precast's median \
         divided by wasmtime's: below 1 precast needs less. Both runtimes have the settings of a \
         program that asks for none, and the same code generator. Both run in one process, except \
         the servers.\n\n",
        options.rounds
    );
    text += &warnings(options, rows);
    text += "| | |\n|---|---|\n";
    for (name, value) in machine::facts()? {
        text += &format!("| {name} | {} |\n", table::cell(&value));
    }
    Ok(text)
}

/// What is missing: rows that were not asked for, and rows that failed.
fn warnings(options: &Options, rows: &[Row]) -> String {
    let mut text = String::new();
    if !options.filter.is_empty() {
        let filter = &options.filter;
        text += &format!("**This page has only the rows whose name contains `{filter}`.**\n\n");
    }
    let failures = collect::failures(rows);
    if !failures.is_empty() {
        text += &format!("**{} of {} rows failed:**\n\n", failures.len(), rows.len());
        for (name, reason) in failures {
            text += &format!("- `{name}`: {}\n", table::cell(reason));
        }
        text += "\n";
    }
    text
}

/// The section of a group.
fn section(group: &Group, rows: &[&Row], servers: &[Measured]) -> String {
    let Group { file, title, text, .. } = group;
    let mut section = format!("\n## {title}\n\n");
    if !text.is_empty() {
        section += &format!("{text}\n\n");
    }
    if *file == collect::SERVER && !servers.is_empty() {
        section += &format!("{}\n", table::rates(servers));
    }
    section +=
        &format!("![{title}: precast's time or size divided by wasmtime's]({NAME}/{file}.svg)\n\n");
    section + &table::rows(rows)
}
