//! Requests to the server of `examples/server.rs`, beside the same server on wasmtime.

use crate::Result;
use crate::compare::Compare;
use crate::page::client;
use crate::page::process::{Program, Server, build};
use crate::quantity::Quantity;
use crate::record::{Outcome, Pair};
use crate::series::Series;
use std::path::Path;

/// The servers, with the headings of their columns: precast first, then what it is compared with.
const PROGRAMS: [(&str, Program); 3] = [
    ("precast", Program { binary: "server-precast", args: &[] }),
    ("wasmtime", Program { binary: "server-wasmtime", args: &[] }),
    ("wasmtime (pooling)", Program { binary: "server-wasmtime", args: &["pooling"] }),
];

/// The numbers of client threads.
const THREADS: [usize; 2] = [1, 2];

/// The requests of one client thread in a round.
const REQUESTS: usize = 1000;

/// Measurements of one server.
pub(crate) struct Measured {
    /// The heading of its column.
    pub(crate) name: &'static str,
    /// Its series, in the same order for every server.
    pub(crate) series: Vec<(String, Series)>,
}

/// Measures the servers and adds the rows.
pub(crate) fn measure(compare: &mut Compare) -> Result<Vec<Measured>> {
    if !compare.wants("server/") {
        return Ok(Vec::new());
    }
    let mut servers: Vec<_> = PROGRAMS.map(|(name, _)| Measured { name, series: series() }).into();
    let folder = build(&PROGRAMS.map(|(_, program)| program))?;
    for round in 0..=compare.options().rounds {
        for ((_, program), measured) in PROGRAMS.into_iter().zip(&mut servers) {
            let times = round_of(program, &folder)?;
            // The first round only warms up.
            if round > 0 {
                measured.series.iter_mut().zip(times).for_each(|((_, all), time)| all.push(time));
            }
        }
    }
    add_rows(compare, &servers);
    Ok(servers)
}

/// The series of a server, empty: the names of what [`round_of`] gives.
fn series() -> Vec<(String, Series)> {
    let starts = ["start, empty cache", "start, compiled before"].map(str::to_owned);
    let loads = THREADS.iter().flat_map(|threads| {
        ["time per request", "latency median", "latency p99"]
            .map(|name| format!("{threads} client{}, {name}", if *threads == 1 { "" } else { "s" }))
    });
    starts.into_iter().chain(loads).map(|name| (name, Series::default())).collect()
}

/// One round of a server: it starts twice, and the second process answers requests.
fn round_of(program: Program, folder: &Path) -> Result<Vec<f64>> {
    let cache = tempfile::tempdir()?;
    let mut times = vec![Server::start(program, folder, cache.path())?.start];
    let server = Server::start(program, folder, cache.path())?;
    times.push(server.start);
    for threads in THREADS {
        let load = client::run(server.address, threads, REQUESTS)?;
        times.extend([load.per_request, load.percentile(50), load.percentile(99)]);
    }
    Ok(times)
}

/// Adds a row for each series and each server that precast is compared with.
fn add_rows(compare: &mut Compare, servers: &[Measured]) {
    let [precast, others @ ..] = servers else { return };
    for (at, (name, ours)) in precast.series.iter().enumerate() {
        for other in others {
            let suffix = other.name.strip_prefix("wasmtime").unwrap_or_default();
            let (precast, wasmtime) = (ours.clone(), other.series[at].1.clone());
            let pair = Pair { quantity: Quantity::Time, precast, wasmtime };
            compare.add(&format!("server/{name}{suffix}"), Outcome::Measured(pair));
        }
    }
}
