//! Tables of the page, as Markdown.

use crate::page::server::Measured;
use crate::record::{Outcome, Row};

/// The table of a group.
pub(crate) fn rows(rows: &[&Row]) -> String {
    let mut table = "| | precast | wasmtime | ratio |\n|---|---:|---:|---:|\n".to_owned();
    for row in rows {
        table += &line(row);
    }
    table
}

/// The line of a row.
fn line(row: &Row) -> String {
    let name = &row.name;
    match &row.outcome {
        Outcome::Measured(pair) => {
            let symbol = pair.unit().symbol;
            let [ours, theirs] = match pair.minima() {
                Some([our_min, their_min]) => {
                    let [ours, theirs] = pair.medians();
                    [
                        format!("{ours} {symbol} ({our_min})"),
                        format!("{theirs} {symbol} ({their_min})"),
                    ]
                }
                None => pair.medians().map(|size| format!("{size} {symbol}")),
            };
            format!("| {name} | {ours} | {theirs} | {:.2} |\n", pair.ratio())
        }
        Outcome::Mean(ratio) => format!("| {name} | | | {ratio:.2} |\n"),
        Outcome::Failed(reason) => format!("| {name} | **failed:** {} | | |\n", cell(reason)),
    }
}

/// Text as the content of a cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// The table of requests a second: a column for each server.
pub(crate) fn rates(servers: &[Measured]) -> String {
    let [first, ..] = servers else { return String::new() };
    let mut table = "| requests a second |".to_owned();
    servers.iter().for_each(|server| table += &format!(" {} |", server.name));
    table += &format!("\n|---|{}\n", "---:|".repeat(servers.len()));
    for (at, (name, _)) in first.series.iter().enumerate() {
        let Some(clients) = name.strip_suffix(", time per request") else { continue };
        table += &format!("| {clients} |");
        for server in servers {
            table += &format!(" {:.0} |", 1.0 / server.series[at].1.median());
        }
        table += "\n";
    }
    table
}
